// Elements by hand: what screens are made of, and the two ways of speaking to a person.

import { t } from "./texts.js";

/** An element; `on…` are listeners, `true` an attribute alone, null and false nothing. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(...children.flat().filter(isThere));
  return element;
}

const isThere = (child) => child !== null && child !== undefined && child !== false && child !== "";

function set(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name === "class") element.className = value;
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : value);
}

/** One of the icons that the page carries; a group without its own has a dot. */
export function icon(name) {
  const known = document.getElementById(`icon-${name}`) ? name : "other";
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  use.setAttribute("href", `#icon-${known}`);
  svg.append(use);
  return svg;
}

export function button(label, { icon: name, kind = "", ...props } = {}) {
  return h(
    "button",
    { type: "button", class: `button ${kind}`.trim(), ...props },
    name && icon(name),
    h("span", {}, label),
  );
}

export function link(label, href, { icon: name, kind = "quiet", ...props } = {}) {
  return h("a", { class: `button ${kind}`.trim(), href, ...props }, name && icon(name), h("span", {}, label));
}

/** Other children for a place. What has the focus keeps it, if it is there again: under the
 * same id, or a link that leads to the same. */
export function refill(place, ...children) {
  const before = place.contains(document.activeElement) ? document.activeElement : null;
  place.replaceChildren(...children);
  if (!before) return;
  const isSame = before.id
    ? (element) => element.id === before.id
    : (element) => element.tagName === "A" && element.href === before.href;
  [...place.querySelectorAll("[id], a")].find(isSame)?.focus({ preventScroll: true });
}

/** A paragraph that says how something stands: `tone` is info, warning, problem or good. */
export function note(tone, name, ...children) {
  return h("div", { class: `note note-${tone}` }, icon(name), h("div", { class: "note-text" }, ...children));
}

// Enough to catch a slip of the finger; the server has the last word.
export const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** A field with its label, hint and place for a complaint. */
export function field(control, label, { hint = "" } = {}) {
  const { id } = control;
  const problem = h("p", { id: `${id}-problem`, class: "field-problem", hidden: true });
  const described = [hint && `${id}-hint`, `${id}-problem`].filter(Boolean).join(" ");
  control.setAttribute("aria-describedby", described);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    hint && h("p", { id: `${id}-hint`, class: "hint" }, hint),
    control,
    problem,
  );
}

/** Says what is wrong with a field, beside it; "" when nothing is. */
export function complain(control, words) {
  const place = document.getElementById(`${control.id}-problem`);
  place.textContent = words;
  place.hidden = !words;
  if (words) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
}

const HEARD_MS = 8000;
let clearing = 0;

/** Said to a screen reader when it has finished its sentence. */
export function announce(words) {
  const region = document.getElementById("said");
  region.textContent = "";
  clearTimeout(clearing);
  // The same words again are news only if the region was empty in between.
  setTimeout(() => {
    region.textContent = words;
  }, 60);
  // Later they would only be read where nobody expects them.
  clearing = setTimeout(() => {
    region.textContent = "";
  }, HEARD_MS);
}

/** A question that must be answered; Escape is the same as the safe answer. */
export function ask({ title, text, yes, no = t("cancel"), danger = false, body = [] }) {
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "dialog-title" },
    h("h2", { id: "dialog-title" }, title),
    text && h("p", {}, text),
    ...body,
    h(
      "div",
      { class: "dialog-buttons" },
      button(yes, { kind: danger ? "danger" : "", onclick: () => dialog.close("yes") }),
      button(no, { kind: "quiet", autofocus: danger, onclick: () => dialog.close("no") }),
    ),
  );
  return answerTo(dialog);
}

/** Shows a dialog and waits for its end; whether that was a "yes". */
export function answerTo(dialog) {
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    if (dialog.showModal) dialog.showModal();
    else showByHand(dialog);
  });
}

/** In browsers that know no dialogs (Safari before 15.4): what is needed of one. */
function showByHand(dialog) {
  dialog.close = (answer) => {
    dialog.returnValue = answer;
    dialog.removeAttribute("open");
    document.body.classList.remove("is-asking");
    dialog.dispatchEvent(new Event("close"));
  };
  for (const [name, value] of Object.entries({ open: true, role: "dialog", "aria-modal": "true" })) set(dialog, name, value);
  dialog.classList.add("dialog-by-hand");
  document.body.classList.add("is-asking");
  dialog.addEventListener("keydown", ({ key }) => key === "Escape" && dialog.close("no"));
  dialog.querySelector("[autofocus], button").focus({ preventScroll: true });
}

/** Runs `work` once however often the button is pressed, and says that it runs. */
export async function once(pressed, work) {
  if (pressed.getAttribute("aria-disabled") === "true") return;
  pressed.setAttribute("aria-disabled", "true");
  pressed.classList.add("is-busy");
  try {
    await work();
  } finally {
    pressed.removeAttribute("aria-disabled");
    pressed.classList.remove("is-busy");
  }
}

/** The words of a button changed for a moment: "Copied". */
export function tell(pressed, words) {
  const label = pressed.querySelector("span");
  const before = label.textContent;
  label.textContent = words;
  announce(words);
  setTimeout(() => {
    label.textContent = before;
  }, 2500);
}

/** A longer text: paragraphs, `# headings`, `**bold**` and `*other*` words, as those of consent have. */
export const paragraphs = (text) => text.split(/\n+/).filter(Boolean).map(paragraph);

function paragraph(line) {
  const [, title] = /^#+\s+(.*)$/.exec(line) ?? [];
  if (title) return h("p", {}, h("strong", {}, title));
  const pieces = line.split(/(\*\*.+?\*\*|\*.+?\*)/);
  return h("p", {}, ...pieces.map(emphasised));
}

function emphasised(words) {
  const [, strong, other] = /^(?:\*\*(.+)\*\*|\*(.+)\*)$/.exec(words) ?? [];
  if (strong) return h("strong", {}, strong);
  return other ? h("em", {}, other) : words;
}
