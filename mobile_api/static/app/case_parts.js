// How a case looks wherever it is shown: its number, its state, its place.

import { button, h, icon, tell } from "./dom.js";
import { config, t } from "./texts.js";

const RESOLVED = new Set(["resolved", "closed"]);
const SET_ASIDE = new Set(["rejected", "duplicate", "cancelled"]);

export function tone(status) {
  if (RESOLVED.has(status)) return "resolved";
  return SET_ASIDE.has(status) ? "other" : "open";
}

export const badge = ({ status, status_name: name }) => h("span", { class: `badge badge-${tone(status)}` }, name);

export const places = (thing) =>
  [thing.corregimiento, thing.district, thing.province]
    .filter(Boolean)
    .map(({ name }) => name)
    .join(", ");

export const entityOf = ({ entity }) => entity?.name ?? t("entity_unknown");

export const publicUrl = (number) => new URL(config.cases + number, location.href).href;

/** Large, and in groups as one reads it out: 26-000 0123-4. */
export function bigNumber(number) {
  const [year, sequence, check] = number.split("-");
  const groups = sequence ? [`${year}-`, sequence.slice(0, 3), `${sequence.slice(3)}-`, check] : [number];
  return h(
    "p",
    { class: "big-number" },
    h("span", { class: "visually-hidden" }, `${t("case_number")}: ${[...number].join(" ")}`),
    h("span", { "aria-hidden": "true" }, ...groups.map((digits) => h("span", {}, digits))),
  );
}

export function numberButtons(number, { title, isPublic = true }) {
  const url = publicUrl(number);
  const share = { title: `311 móvil · ${number}`, text: t("share_text", { title, number }), url };
  return h(
    "div",
    { class: "pair-buttons" },
    navigator.clipboard && button(t("copy"), { icon: "copy", kind: "quiet", onclick: (event) => copy(event.currentTarget, number) }),
    isPublic &&
      (navigator.share || navigator.clipboard) &&
      button(t("share"), { icon: "share", kind: "quiet", onclick: (event) => shareOrCopy(event.currentTarget, share) }),
  );
}

async function copy(pressed, words, done = t("copied")) {
  try {
    await navigator.clipboard.writeText(words);
    tell(pressed, done);
  } catch (problem) {
    console.info("clipboard:", problem);
    tell(pressed, t("not_copied"));
  }
}

async function shareOrCopy(pressed, what) {
  if (!navigator.share) return copy(pressed, what.url, t("link_copied"));
  try {
    await navigator.share(what);
  } catch (problem) {
    // Whoever closes the sheet has not met an error.
    if (problem.name !== "AbortError") await copy(pressed, what.url, t("link_copied"));
  }
  return undefined;
}

/** A PIN as it is kept: covered until one asks, for others may be looking. */
export function pinBox(pin) {
  const digits = h("span", { class: "pin-digits" }, "••••••");
  const show = button(t("pin_show"), {
    icon: "eye",
    kind: "quiet",
    "aria-pressed": "false",
    onclick: () => {
      const open = show.getAttribute("aria-pressed") === "false";
      show.setAttribute("aria-pressed", String(open));
      show.querySelector("span").textContent = t(open ? "pin_hide" : "pin_show");
      digits.textContent = open ? pin : "••••••";
      digits.setAttribute("aria-label", open ? [...pin].join(" ") : t("pin_hidden"));
    },
  });
  digits.setAttribute("role", "img");
  digits.setAttribute("aria-label", t("pin_hidden"));
  return h(
    "div",
    { class: "pin-box" },
    h("p", { class: "pin-line" }, h("b", {}, "PIN"), digits, show),
    h("p", { class: "hint" }, t("pin_text")),
  );
}

/** A picture that opens the whole one; where it cannot be had, its words. */
export function picture(photo, alt) {
  if (!photo.url) return h("span", { class: "picture-wait" }, icon("clock"), h("span", {}, t(`photo_${photo.state === "refused" ? "refused" : "pending"}`)));
  const image = h("img", {
    src: photo.thumbnail ?? photo.url,
    alt,
    loading: "lazy",
    decoding: "async",
    width: photo.width,
    height: photo.height,
  });
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "picture-wait" }, icon("offline"), h("span", {}, alt))));
  return h("a", { href: photo.url, target: "_blank", rel: "noopener" }, image);
}
