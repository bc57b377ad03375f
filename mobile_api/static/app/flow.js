// What the five steps of a report share: the draft, the way between them, their frame.

import { announce, h, icon } from "./dom.js";
import { back, heading, navigate } from "./router.js";
import { StorageFull, draft as kept, newId } from "./store.js";
import { t } from "./texts.js";

export const STEPS = ["/nuevo/foto", "/nuevo/lugar", "/nuevo/que", "/nuevo/detalle", "/nuevo/enviar"];
export const MOST_PHOTOS = 4;

let current = null;
// What could not be written lives on here, so that a full phone loses nothing at once.
let unwritten = false;
let writing = Promise.resolve();

/** The draft as it stands, or null. */
export async function load() {
  await writing;
  if (!unwritten) current = (await kept.get()) ?? null;
  return current;
}

/** The draft that is written now, by whichever screen; null when it is gone. */
export const written = () => current;

export async function begin() {
  current = {
    id: newId(),
    startedAt: Date.now(),
    photos: [],
    location: null,
    accuracy: null,
    placed: null,
    district: null,
    category: null,
    description: "",
    placeHint: "",
    contact: null,
    consent: null,
    website: "",
  };
  await save({});
  return current;
}

/** Changes the draft and writes it; resolves when it is on the disk, or told that it is not. */
export function save(changes) {
  Object.assign(current, changes);
  const copy = { ...current };
  writing = writing.then(() => write(copy));
  return writing;
}

async function write(copy) {
  try {
    await kept.save(copy);
    unwritten = false;
  } catch (problem) {
    if (!(problem instanceof StorageFull)) throw problem;
    unwritten = true;
  }
  document.getElementById("full").hidden = !unwritten;
}

/** The draft is gone: sent, or thrown away. */
export function forget() {
  current = null;
  unwritten = false;
  document.getElementById("full").hidden = true;
}

export const isStarted = (draft) =>
  Boolean(draft && (draft.photos.length || draft.location || draft.category || draft.description));

/** The first step that lacks something. */
export function stepOf(draft) {
  if (!draft.location) return draft.photos.length ? 1 : 0;
  if (!draft.category) return 2;
  return 3;
}

export function next(step) {
  return navigate(STEPS[step + 1]);
}

/** A step's draft; without one there is nothing to do here, and home says so. */
export async function draftOrHome() {
  const draft = await load();
  if (!draft) navigate("/", { replace: true });
  return draft;
}

export function stepHead(step, title, lead = "") {
  return h(
    "div",
    { class: "step-head" },
    h(
      "button",
      { type: "button", class: "back", onclick: () => back(step ? STEPS[step - 1] : "/") },
      icon("back"),
      h("span", {}, t("back")),
    ),
    h("p", { class: "step-count" }, t("step", { n: step + 1, all: STEPS.length })),
    h("progress", { class: "step-bar", max: STEPS.length, value: step + 1, "aria-label": t("progress") }),
    heading(title),
    lead && h("p", { class: "lead" }, lead),
  );
}

/** What stays in reach of the thumb. */
export function bar(...children) {
  return h("div", { class: "bar" }, h("div", { class: "bar-inner" }, ...children));
}

/** Writes after a pause, and at once when the screen or the app is left. */
export function afterTyping(read, pause = 300) {
  let timer = null;
  const write = () => {
    clearTimeout(timer);
    timer = null;
    return save(read());
  };
  const flush = () => (timer === null ? undefined : write());
  const onHidden = () => document.hidden && flush();
  document.addEventListener("visibilitychange", onHidden);
  return {
    changed() {
      clearTimeout(timer);
      timer = setTimeout(write, pause);
    },
    async leave() {
      document.removeEventListener("visibilitychange", onHidden);
      await flush();
    },
  };
}

export function say(region, words) {
  region.textContent = words;
  announce(words);
}
