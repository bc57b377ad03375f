// Asks how far a file is, and shows the page anew once it is ready or has failed.

const box = document.querySelector("[data-state]");
const progress = document.querySelector("#progress");
const percent = document.querySelector("#percent");
const pause = Number(box.dataset.seconds) * 1000;

async function look() {
  try {
    const answer = await fetch(box.dataset.state, { cache: "no-store" });
    const file = await answer.json();
    if (!answer.ok || file.state === "ready" || file.state === "failed") {
      location.reload();
      return;
    }
    progress.value = file.percent;
    if (percent.textContent !== String(file.percent)) {
      percent.textContent = file.percent;
    }
  } catch {
    // Without a signal for a moment: the next time it is asked again.
  }
  setTimeout(look, pause);
}

setTimeout(look, pause);
