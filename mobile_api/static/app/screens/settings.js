// Language, notices, what this phone keeps, and how to make it forget.

import * as api from "../api.js";
import { announce, ask, button, h, icon, link, note, once, paragraphs } from "../dom.js";
import { unsentOf } from "../outbox.js";
import { inWords } from "../problems.js";
import { NoPushService, pushState, turnOff, turnOn } from "../push.js";
import { heading, redraw } from "../router.js";
import { consentText, serverConfig } from "../server_config.js";
import { cases, draft, keep, outbox, wipe } from "../store.js";
import { config, language, number, t, tn } from "../texts.js";
import { backLink } from "./cases.js";

export async function show() {
  const [push, kept, server] = await Promise.all([pushState(), whatIsKept(), serverConfig()]);
  return {
    title: t("settings_title"),
    content: [
      backLink("/"),
      heading(t("settings_title")),
      languages(),
      notices(push),
      storage(kept),
      privacy(server),
      about(),
    ],
  };
}

function card(id, title, ...more) {
  return h("section", { class: "card settings", "aria-labelledby": id }, h("h2", { id }, title), ...more);
}

/** The words come with the page, so another language is another page. */
function languages() {
  const trouble = h("div", { role: "alert" });
  const choose = async (wanted) => {
    if (wanted === language) return;
    try {
      const body = new URLSearchParams({ language: wanted, next: config.page });
      const answer = await fetch(config.set_language, { method: "POST", body, redirect: "manual" });
      if (answer.type !== "opaqueredirect" && !answer.ok) throw new api.Offline(new Error(String(answer.status)));
      if (await keep.get("device")) await api.patch("devices/me/", { language: wanted }).catch((problem) => console.info("language:", problem.name));
      location.reload();
    } catch (problem) {
      console.info("language:", problem.name);
      trouble.replaceChildren(note("warning", "offline", h("p", {}, t("language_offline"))));
    }
  };
  const option = (value, label) =>
    h(
      "button",
      { type: "button", class: "button quiet choice", lang: value, "aria-pressed": String(language === value), onclick: () => choose(value) },
      h("span", {}, label),
    );
  return card("language-title", t("language"), h("div", { class: "choices" }, option("es", "Español"), option("en", "English")), trouble);
}

function notices(state) {
  const trouble = h("div", { role: "alert" });
  const change = async (work, words) => {
    try {
      await work();
      announce(words);
      await redraw();
    } catch (problem) {
      const words = problem instanceof NoPushService ? t("push_failed") : inWords(problem);
      trouble.replaceChildren(note("problem", "warning", h("p", {}, words)));
    }
  };
  const on = state === "on";
  const possible = on || state === "off";
  return card(
    "push-title",
    t("notices"),
    h("p", { class: "soft" }, t(`push_${state}`)),
    possible &&
      button(t(on ? "push_turn_off" : "push_turn_on"), {
        icon: "bell",
        kind: on ? "quiet" : "",
        id: "push",
        "aria-pressed": String(on),
        onclick: (event) => once(event.currentTarget, () => (on ? change(turnOff, t("push_off")) : change(turnOn, t("push_on")))),
      }),
    trouble,
  );
}

async function whatIsKept() {
  const [mine, items, written, estimate] = await Promise.all([
    cases.all(),
    outbox.all(),
    draft.get(),
    navigator.storage?.estimate?.() ?? { usage: 0 },
  ]);
  return { cases: mine.length, ...unsentOf(items), draft: Boolean(written), bytes: estimate.usage ?? 0 };
}

function storage(kept) {
  const words = [
    tn("kept_cases", kept.cases),
    kept.draft && t("kept_draft"),
    ...unsentWords(kept),
    kept.bytes && t("kept_bytes", { n: number(Math.max(0.1, Math.round(kept.bytes / 100_000) / 10)) }),
  ].filter(Boolean);
  return card(
    "storage-title",
    t("storage"),
    h("ul", { class: "plain-list" }, ...words.map((line) => h("li", {}, line))),
    h("p", { class: "soft" }, t("storage_text")),
    button(t("wipe"), { icon: "trash", kind: "danger-quiet", id: "wipe", onclick: (event) => once(event.currentTarget, () => wipeAll(kept)) }),
  );
}

const unsentWords = ({ reports, photosOnly }) =>
  [reports && tn("kept_waiting", reports), photosOnly && tn("kept_photos", photosOnly)].filter(Boolean);

async function wipeAll(kept) {
  const lost = [...unsentWords(kept), kept.draft && t("kept_draft")].filter(Boolean);
  const unsent = lost.length > 0;
  const text = [unsent && t("wipe_unsent", { what: lost.join(", ") }), kept.cases && t("wipe_pins"), t("wipe_text")];
  if (!(await ask({ title: t("wipe_title"), text: text.filter(Boolean).join(" "), yes: t("wipe_yes"), danger: true }))) return;
  if (unsent && !(await ask({ title: t("wipe_again_title"), text: t("wipe_again"), yes: t("wipe_again_yes"), danger: true }))) return;
  await revoke();
  // The app itself stays, for when there is no signal.
  await wipe();
  location.replace("#/");
  location.reload();
}

/** The server forgets the device, too, where it can be told; the token goes in any case. */
async function revoke() {
  if (!(await keep.get("device"))) return;
  try {
    await turnOff();
    await api.del("devices/me/");
  } catch (problem) {
    console.info("device:", problem.name);
  }
}

function privacy(server) {
  const text = consentText(server);
  return card(
    "privacy-title",
    t("privacy"),
    h("p", {}, t("privacy_text")),
    text &&
      h(
        "details",
        { class: "plain-details" },
        h("summary", {}, h("span", {}, t("consent_title"))),
        h("p", { class: "soft" }, t("version", { version: server.consent.version })),
        ...paragraphs(text),
      ),
  );
}

function about() {
  return card(
    "about-title",
    t("about"),
    h("p", {}, t("about_text")),
    h("p", { class: "soft" }, t("map_credit")),
    h("div", { class: "pair-buttons" }, link(t("public_map"), config.public_map, { icon: "map" }), link(t("call", { number: "3\u20111\u20111" }), "tel:311", { icon: "phone" })),
  );
}
