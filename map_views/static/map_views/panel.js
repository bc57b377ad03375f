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
    if (from === null) open(!isOpen());
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
    if (event.key === "Escape" && isOpen()) {
      open(false);
      handle.focus();
    }
  });
  // Whoever skips to the list, or tabs there, sees it.
  panel.addEventListener("focusin", ({ target }) => {
    if (target.closest(".latest, .more")) open(true);
  });
  document.querySelector('.skip[href="#list"]')?.addEventListener("click", () => {
    open(true);
    document.querySelector("#list").focus();
  });
}
