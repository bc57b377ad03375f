// What the map says of itself: what went wrong, and what is soon past.

import { text } from "./texts.js";

const TOAST_MS = 8000;
const trouble = document.querySelector("#trouble");
const brief = document.querySelector("#toast");
const troubles = new Set();
let timer = 0;

/** Each part of the map says what went wrong with it, and takes back only that. */
export function complain(key) {
  troubles.add(key);
  say();
}

export function settle(key) {
  troubles.delete(key);
  say();
}

function say() {
  trouble.querySelector("p").textContent = [...troubles].map((key) => text(key)).join(" ");
  trouble.hidden = !troubles.size;
}

export function toast(words) {
  brief.textContent = words;
  brief.hidden = false;
  clearTimeout(timer);
  timer = setTimeout(() => (brief.hidden = true), TOAST_MS);
}
