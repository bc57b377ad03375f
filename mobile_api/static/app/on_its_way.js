// A report between this phone and the server: how it stands, in words.

import { h } from "./dom.js";
import { age, number, t, tn } from "./texts.js";

export function waitOf({ state, nextTryAt, tries }) {
  if (state === "sending") return t("item_sending");
  if (!navigator.onLine) return t("item_offline");
  if (tries > 0 && nextTryAt > Date.now()) return tn("item_again", tries, { when: age(nextTryAt, t("right_now")) });
  return t("item_waiting");
}

/** Why it was refused; of a body that is none, also what is wrong in it. */
export function problemOf({ problem }) {
  if (problem?.detail) return problem.detail;
  const wrong = (problem?.errors ?? []).map(({ detail }) => detail);
  return [problem?.title, ...wrong].filter(Boolean).join(" ") || t("refused_unknown");
}

/** How far the photos are; one that the server would not take is named, too. */
export function progressOf(item) {
  const { state, photoIds, sentPhotos, sentBytes = 0, totalBytes = 0, photoProblems = {} } = item;
  const refused = Object.values(photoProblems);
  const all = photoIds.length;
  const words =
    state === "done"
      ? tn("photos_sent", all - refused.length)
      : t("photos_sending", { n: number(sentPhotos.length), all: number(all) });
  const label = { class: "sent-photos-words" };
  return h(
    "div",
    { class: "sent-photos" },
    h("p", label, words),
    state !== "done" && h("progress", { max: totalBytes || all, value: totalBytes ? sentBytes : sentPhotos.length, "aria-label": words }),
    isHeldUp(item) && h("p", label, waitOf(item)),
    ...refused.map((problem) => h("p", { class: "field-problem" }, t("photo_not_taken", { why: problem.title }))),
  );
}

/** The report is there, its photos are not, and just now nothing moves. */
const isHeldUp = ({ state, tries, nextTryAt }) =>
  state === "filed" && (!navigator.onLine || (tries > 0 && nextTryAt > Date.now()));
