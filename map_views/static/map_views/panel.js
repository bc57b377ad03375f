// The panel: on a phone a sheet that opens by its handle, dragged or pressed.

const DRAG = 24;

export function startPanel() {
  const panel = document.querySelector("#panel");
  const handle = document.querySelector("#handle");
  const words = handle.querySelector(".handle-text");
  let from = null;

  function open(isOpen) {
    panel.classList.toggle("is-open", isOpen);
    handle.setAttribute("aria-expanded", String(isOpen));
    words.textContent = isOpen ? words.dataset.close : words.dataset.open;
    if (!isOpen) panel.scrollTop = 0;
  }
  const isOpen = () => panel.classList.contains("is-open");

  handle.addEventListener("click", () => {
    // On a phone on its side the panel lies open below the map.
    if (getComputedStyle(panel).position === "static") panel.scrollIntoView();
    else if (from === null) open(!isOpen());
    from = null;
  });
  handle.addEventListener("pointerdown", (event) => {
    const start = event.clientY;
    const moved = (move) => {
      if (Math.abs(move.clientY - start) < DRAG) return;
      from = start;
      open(move.clientY < start);
    };
    handle.setPointerCapture(event.pointerId);
    handle.addEventListener("pointermove", moved);
    handle.addEventListener("pointerup", () => handle.removeEventListener("pointermove", moved), { once: true });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOpen() && !document.querySelector("dialog[open]")) {
      open(false);
      handle.focus();
    }
  });
  // Whoever skips to the list, or tabs there, sees it.
  panel.addEventListener("focusin", ({ target }) => {
    if (target.closest(".latest, .more")) open(true);
  });
  // By script: the address holds what is shown, and keeps it.
  for (const skip of document.querySelectorAll(".skip")) {
    skip.addEventListener("click", (event) => {
      event.preventDefault();
      const target = document.querySelector(skip.hash);
      if (panel.contains(target)) open(true);
      target.focus();
    });
  }
}
