// Which screen an address shows, and how one gets there and back.

import { announce, button, h, refill } from "./dom.js";
import { t } from "./texts.js";

const SLOW_MS = 400;

const main = document.getElementById("content");
let routes = [];
let shown = null;
let turn = 0;
let wanted = null;

export const here = () => location.hash.replace(/^#/, "") || "/";

/** How many screens of this visit lie behind this one. */
const depth = () => history.state?.depth ?? 0;

/**
 * `table` is pairs of a pattern for the address and what imports its screen; a screen's
 * `show` gets what the pattern's groups found.
 */
export function start(table) {
  routes = table;
  history.replaceState({ depth: depth() }, "");
  addEventListener("popstate", arrive);
  document.addEventListener("click", follow);
  return draw({ first: true });
}

/** Links inside the app count as steps, so that one can go back over them. */
function follow(event) {
  if (event.target.id === "skip") {
    event.preventDefault();
    main.focus();
    return;
  }
  const pressed = event.target.closest?.('a[href^="#/"]');
  if (!pressed || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  navigate(pressed.getAttribute("href").slice(1));
}

export function navigate(path, { replace = false } = {}) {
  if (replace) history.replaceState({ depth: depth() }, "", `#${path}`);
  else history.pushState({ depth: depth() + 1 }, "", `#${path}`);
  return draw();
}

/** Lays a way of screens behind the last one, which is shown. */
export function resume(paths) {
  for (const path of paths) history.pushState({ depth: depth() + 1 }, "", `#${path}`);
  return draw();
}

/** One step back; to `otherwise` when this visit began here. */
export function back(otherwise) {
  if (depth() > 0) history.back();
  else navigate(otherwise, { replace: true });
}

/** Shows `path` in place of everything since the start, so that back leads there. */
export function finish(path) {
  if (depth() === 0) return navigate(path);
  wanted = path;
  history.go(-depth());
  return undefined;
}

function arrive() {
  if (wanted === null) return draw();
  const path = wanted;
  wanted = null;
  history.replaceState({ depth: 0 }, "", "#/");
  return navigate(path);
}

/** The screen again, with what is known now. */
export const redraw = () => draw({ again: true });

async function draw({ first = false, again = false } = {}) {
  const mine = ++turn;
  // A question is of the screen that asked it: whoever leaves has not said yes.
  if (!again) document.querySelector("dialog[open]")?.close("no");
  const slow = setTimeout(() => mine === turn && wait(), SLOW_MS);
  try {
    await shown?.leave?.();
    shown = null;
    const screen = await load(here());
    if (mine !== turn) {
      await screen?.leave?.();
      return;
    }
    if (screen) put(screen, { first, again });
  } catch (problem) {
    console.error(problem);
    if (mine === turn) put(broken(problem), { first, again });
  } finally {
    clearTimeout(slow);
  }
}

async function load(path) {
  for (const [pattern, module] of routes) {
    const match = pattern.exec(path);
    if (match) return (await module()).show(...match.slice(1));
  }
  navigate("/", { replace: true });
  return null;
}

function put(screen, { first, again }) {
  shown = screen;
  document.title = screen.title ? `${screen.title} · 311 móvil` : "311 móvil";
  main.className = `page ${screen.kind ?? ""}`.trim();
  main.removeAttribute("aria-busy");
  // The page comes with the first screen's title and link: somebody may be on it already.
  refill(main, ...screen.content.filter(Boolean));
  screen.ready?.();
  if (again) return;
  scrollTo(0, 0);
  if (!first) main.querySelector("h1")?.focus({ preventScroll: true });
}

function wait() {
  main.setAttribute("aria-busy", "true");
  announce(t("loading"));
}

/** Nothing to show: most often a part of the app that never reached this phone. */
function broken() {
  return {
    title: t("broken_title"),
    content: [
      heading(t("broken_title")),
      h("p", { class: "lead" }, t(navigator.onLine ? "broken_text" : "broken_offline")),
      h(
        "div",
        { class: "stack" },
        button(t("retry"), { onclick: () => location.reload() }),
        h("a", { class: "button quiet", href: "#/" }, t("go_home")),
      ),
    ],
  };
}

/** The title of a screen, which takes the focus when the screen comes. */
export function heading(words, ...more) {
  return h("h1", { tabindex: "-1" }, words, ...more);
}
