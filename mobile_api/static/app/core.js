// What the app does by itself, whichever screen is shown.

import { refreshAll } from "./my_cases.js";
import * as outbox from "./outbox.js";

const WORKER = "/reportar/sw.js";
// The same without `import`, for browsers whose service workers are no modules yet: they
// cannot send by themselves then, and ask an open page to.
const WORKER_WITHOUT_MODULES = "/reportar/sw.js?classic";
const SCOPE = "/reportar";
const QUIET_MS = 1000;

/** Once, when the app starts. */
export function start() {
  outbox.start();
  afterFirstScreen(prepareForNoSignal);
}

async function prepareForNoSignal() {
  await attempt(registerWorker);
  await attempt(async () => (await import("./catalogue.js")).loadCatalogue());
  await attempt(refreshAll);
  await attempt(async () => (await import("./push.js")).keepUp());
  await attempt(async () => (await import("./places.js")).keepOutlines());
}

/** Nothing of this is needed for what the person is doing now. */
async function attempt(work) {
  try {
    await work();
  } catch (problem) {
    console.info(`later: ${problem.name}`);
  }
}

function afterFirstScreen(work) {
  const soon = () => setTimeout(work, QUIET_MS);
  if (document.readyState === "complete") soon();
  else addEventListener("load", soon, { once: true });
}

const onUpdate = new Set();

/** Calls back when a newer version is there: the next load of the page shows it. */
export function updateReady(callback) {
  onUpdate.add(callback);
}

/** The worker keeps the app for when there is no signal. */
export async function registerWorker() {
  if (!navigator.serviceWorker) return;
  navigator.serviceWorker.addEventListener("message", ({ data }) => {
    if (data && data.type === "news") attempt(refreshAll);
  });
  const registration = await registered();
  // A page that has just loaded the new version needs nothing of the old one.
  if (registration.waiting) registration.waiting.postMessage({ type: "take-over" });
  registration.addEventListener("updatefound", () => tellOfUpdate(registration.installing));
  tellOfUpdate(registration.installing);
}

function tellOfUpdate(worker) {
  if (!worker || !navigator.serviceWorker.controller) return;
  worker.addEventListener("statechange", () => {
    if (worker.state === "installed") onUpdate.forEach((callback) => callback());
  });
}

async function registered() {
  const { serviceWorker } = navigator;
  try {
    return await serviceWorker.register(WORKER, { scope: SCOPE, type: "module" });
  } catch (problem) {
    const known = await serviceWorker.getRegistration(SCOPE);
    // It has worked as a module before: this is the line, not the browser.
    if (known && known.active && known.active.scriptURL.endsWith(WORKER)) throw problem;
    return serviceWorker.register(WORKER_WITHOUT_MODULES, { scope: SCOPE });
  }
}
