// Step 3: what is wrong? By everyday words, by what was used before, or by group.

import { byGroup, search } from "../catalogue.js";
import { announce, answerTo, button, h, icon, link, note } from "../dom.js";
import { draftOrHome, next, save, stepHead } from "../flow.js";
import { byCode, catalogueNow } from "../kept_catalogue.js";
import { keep } from "../store.js";
import { emergencyOf, nameOf, t, tn } from "../texts.js";

const MOST_RECENT = 4;
const MOST_FOUND = 12;
const TYPING_MS = 120;
const NUMBER_TO_CALL = /\b(9\d\d|1\d\d|3\d\d)\b/g;

export async function show() {
  const draft = await draftOrHome();
  if (!draft) return null;
  const catalogue = await catalogueNow();
  if (!catalogue) return withoutCatalogue();
  return new WhatScreen(draft, catalogue, await mostUsed(catalogue)).screen();
}

class WhatScreen {
  constructor(draft, catalogue, used) {
    Object.assign(this, { draft, catalogue, used });
  }

  screen() {
    this.words = h("input", {
      id: "search",
      type: "search",
      class: "search-input",
      autocomplete: "off",
      spellcheck: "false",
      enterkeyhint: "search",
      maxlength: "80",
      placeholder: t("search_example"),
      "aria-controls": "found",
      oninput: () => this.typed(),
    });
    this.found = h("div", { id: "found", class: "found" });
    this.draw();
    return {
      title: t("what_title"),
      kind: "step",
      content: [
        stepHead(2, t("what_title")),
        h(
          "form",
          { class: "search", role: "search", onsubmit: (event) => this.submit(event) },
          h("label", { for: "search" }, t("search_label")),
          h("div", { class: "search-box" }, icon("search"), this.words),
        ),
        this.found,
      ],
      leave: () => clearTimeout(this.timer),
    };
  }

  typed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.draw(), TYPING_MS);
  }

  submit(event) {
    event.preventDefault();
    this.draw();
    this.found.querySelector("button")?.focus();
  }

  draw() {
    const words = this.words.value.trim();
    if (words) this.drawFound(words);
    else this.drawGroups();
  }

  drawFound(words) {
    const all = search(words, this.catalogue);
    const best = all.slice(0, MOST_FOUND);
    announce(tn("found", all.length));
    if (!best.length) {
      this.found.replaceChildren(
        note("info", "search", h("p", {}, t("found_none", { words })), h("p", {}, t("found_none_more"))),
        this.groups(),
      );
      return;
    }
    this.found.replaceChildren(
      h("h2", { class: "visually-hidden" }, tn("found", all.length)),
      h("ul", { class: "options" }, ...best.map((category) => h("li", {}, this.option(category)))),
    );
  }

  drawGroups() {
    this.found.replaceChildren(
      this.used.length
        ? h(
            "section",
            { class: "recent" },
            h("h2", {}, t("recent")),
            h("ul", { class: "options" }, ...this.used.map((category) => h("li", {}, this.option(category)))),
          )
        : "",
      this.groups(),
    );
  }

  groups() {
    return h(
      "section",
      {},
      h("h2", {}, t("groups")),
      h("div", { class: "groups" }, ...byGroup(this.catalogue).map((group) => this.group(group))),
    );
  }

  group(group) {
    const chosen = group.categories.some(({ code }) => code === this.draft.category);
    return h(
      "details",
      { class: "group", name: "group", open: chosen },
      h("summary", {}, h("span", { class: "icon-disc" }, icon(group.code)), h("span", {}, nameOf(group))),
      h("ul", { class: "options" }, ...group.categories.map((category) => h("li", {}, this.option({ ...category, group: group.code })))),
    );
  }

  option(category) {
    const urgent = Boolean(emergencyOf(category));
    const chosen = category.code === this.draft.category;
    return h(
      "button",
      {
        type: "button",
        class: `option${chosen ? " is-chosen" : ""}`,
        "data-code": category.code,
        "aria-pressed": chosen ? "true" : null,
        onclick: () => this.choose(category),
      },
      h("span", { class: "icon-disc" }, icon(category.group)),
      h(
        "span",
        { class: "option-text" },
        h("span", { class: "option-name" }, nameOf(category)),
        urgent && h("span", { class: "option-urgent" }, icon("phone"), t("call_first")),
      ),
      icon("next"),
    );
  }

  async choose(category) {
    if (emergencyOf(category) && !(await callFirst(category))) return;
    await save({ category: category.code });
    await remember(category.code);
    next(2);
  }
}

/** The number to call, before anything is written down; true to go on with the report. */
function callFirst(category) {
  const words = emergencyOf(category);
  const numbers = [...new Set(words.match(NUMBER_TO_CALL) ?? ["911"])];
  const dialog = h(
    "dialog",
    { class: "dialog dialog-urgent", "aria-labelledby": "urgent-title", "aria-describedby": "urgent-text" },
    h("h2", { id: "urgent-title", tabindex: "-1", autofocus: true }, icon("warning"), t("urgent_title")),
    h("p", { id: "urgent-text", class: "urgent-text" }, words),
    h(
      "div",
      { class: "calls" },
      ...numbers.map((to) => link(t("call", { number: to }), `tel:${to}`, { icon: "phone", kind: "danger wide" })),
    ),
    button(t("urgent_go_on"), { kind: "quiet wide", onclick: () => dialog.close("yes") }),
    button(t("urgent_other"), { kind: "plain wide", onclick: () => dialog.close("no") }),
  );
  return answerTo(dialog);
}

function withoutCatalogue() {
  return {
    title: t("what_title"),
    kind: "step",
    content: [
      stepHead(2, t("what_title")),
      note("warning", "offline", h("p", {}, t("catalogue_missing"))),
      h("div", { class: "stack" }, button(t("retry"), { onclick: () => location.reload() })),
    ],
  };
}

// What this phone reports most, kept on the phone alone.

async function mostUsed(catalogue) {
  const used = (await keep.get("used")) ?? {};
  const known = byCode(catalogue);
  return Object.entries(used)
    .filter(([code]) => known.has(code))
    .sort(([, one], [, other]) => other.n - one.n || other.last - one.last)
    .slice(0, MOST_RECENT)
    .map(([code]) => known.get(code));
}

async function remember(code) {
  const used = (await keep.get("used")) ?? {};
  used[code] = { n: (used[code]?.n ?? 0) + 1, last: Date.now() };
  try {
    await keep.set("used", used);
  } catch (problem) {
    console.info("not remembered:", problem);
  }
}
