// Light or dark, as the reader has it; paper is always light.

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const painters = new Set();
let isOnPaper = false;

export const isDark = () => dark.matches && !isOnPaper;

/** `paint` is called whenever the colours change, until what is returned is called. */
export function onScheme(paint) {
  painters.add(paint);
  return () => painters.delete(paint);
}

/** One that fails says so, and leaves the others to paint. */
function repaint() {
  for (const paint of painters) {
    try {
      paint();
    } catch (problem) {
      reportError(problem);
    }
  }
}

/** The colours of paper, or those of the screen again. */
export function forPaper(asked) {
  isOnPaper = asked;
  document.documentElement.classList.toggle("is-printing", asked);
  repaint();
}

dark.addEventListener("change", repaint);
