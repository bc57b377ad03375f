// Words and numbers in the page's language. The words are in the template. And where the
// map says what went wrong, or what is soon past.

const template = document.querySelector("#texts");
const words = new Map(
  [...(template?.content.querySelectorAll("[data-text]") ?? [])].map((node) => [
    node.dataset.text,
    node.textContent,
  ]),
);

export const config = JSON.parse(document.querySelector("#config").dataset.config);
const numbers = new Intl.NumberFormat(config.language);
const ages = new Intl.RelativeTimeFormat(config.language, { numeric: "auto" });
const AGE_UNITS = [
  ["year", 365 * 86400],
  ["month", 30 * 86400],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

export const number = (value) => numbers.format(value);

/** The text of a key, `{name}` replaced by the value of that name. */
export function text(key, values = {}) {
  const words_of_key = words.get(key) ?? "";
  return words_of_key.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The same into an element, with the values in bold. */
export function write(element, key, values = {}) {
  const pieces = (words.get(key) ?? "").split(/\{(\w+)\}/);
  element.replaceChildren(
    ...pieces.map((piece, i) => (i % 2 ? create("b", "", values[piece] ?? "") : piece)),
  );
}

/** How long ago, in words. */
export function age(moment) {
  const seconds = (new Date(moment) - Date.now()) / 1000;
  const [unit, size] = AGE_UNITS.find(([, s]) => Math.abs(seconds) >= s) ?? ["minute", 60];
  return ages.format(Math.round(seconds / size), unit);
}

/** Other children for a list. Whoever is on one with the keyboard stays on it, if it is there
 * again: `name` is the data that tells which it is. */
export function refill(list, children, name) {
  const before = list.contains(document.activeElement) ? document.activeElement.dataset[name] : "";
  list.replaceChildren(...children);
  if (before) list.querySelector(`[data-${name}="${before}"]`)?.focus({ preventScroll: true });
}

export function create(tag, className = "", content = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content) element.textContent = content;
  return element;
}

/** One of the icons that the page carries; a group without its own has a dot. */
export function icon(name) {
  const known = document.getElementById(`icon-${name}`) ? name : "other";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#icon-${known}`);
  svg.append(use);
  return svg;
}

const TOAST_MS = 8000;
const troubles = new Set();

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
  const trouble = document.querySelector("#trouble");
  trouble.querySelector("p").textContent = [...troubles].map((key) => text(key)).join(" ");
  trouble.hidden = !troubles.size;
}

export function toast(words) {
  const brief = document.querySelector("#toast");
  brief.textContent = words;
  brief.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (brief.hidden = true), TOAST_MS);
}
