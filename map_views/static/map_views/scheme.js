// Light or dark, as the reader has it; paper is always light.

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const painters = new Set();
let isOnPaper = false;

export const isDark = () => dark.matches && !isOnPaper;

/** `paint` is called whenever the colours change. */
export function onScheme(paint) {
  painters.add(paint);
}

/** The colours of paper, or those of the screen again. */
export function forPaper(asked) {
  isOnPaper = asked;
  document.documentElement.classList.toggle("is-printing", asked);
  for (const paint of painters) paint();
}

dark.addEventListener("change", () => painters.forEach((paint) => paint()));
