// The phone's own cases and those it follows.

import { badge, places } from "../case_parts.js";
import { announce, button, complain, field, h, icon, link, note, once, refill } from "../dom.js";
import { add, follow, forgetUnlessKept, hasNews, refreshAll, watch } from "../my_cases.js";
import { inWords } from "../problems.js";
import { back, heading, navigate } from "../router.js";
import { cases } from "../store.js";
import { age, t, tn } from "../texts.js";

const CHECK = /^(\d{2})-?(\d{7})-?(\d)$/;

export async function show() {
  const list = h("div", { class: "case-list" });
  const since = h("p", { class: "soft since", id: "since" });
  const again = button(t("refresh"), { icon: "again", kind: "plain", id: "refresh", onclick: () => once(again, () => renew(true)) });
  let trouble = "";

  async function draw() {
    const rows = (await cases.all()).sort(newestFirst);
    const checked = rows.map(({ fetchedAt }) => fetchedAt).filter(Boolean);
    since.textContent = [trouble, checked.length ? t("known_since", { when: age(Math.min(...checked)) }) : ""].filter(Boolean).join(" ");
    again.hidden = !rows.length;
    const own = rows.filter((row) => row.own);
    const followed = rows.filter((row) => !row.own && row.following);
    refill(
      list,
      ...(rows.length ? [] : [empty()]),
      ...section(t("cases_own"), own),
      ...section(t("cases_followed"), followed),
    );
  }

  async function renew(asked) {
    trouble = "";
    const begun = Date.now();
    await refreshAll();
    const stale = (await cases.all()).some(({ fetchedAt }) => !fetchedAt || fetchedAt < begun);
    trouble = stale ? t("not_refreshed") : "";
    if (asked) announce(trouble || t("refreshed"));
    await draw();
  }

  await draw();
  let unwatch = () => undefined;
  return {
    title: t("cases_title"),
    content: [
      backLink("/"),
      heading(t("cases_title")),
      h("div", { class: "since-line" }, since, again),
      list,
      adder(),
    ],
    ready: () => {
      unwatch = watch(draw);
      renew(false);
    },
    leave: () => unwatch(),
  };
}

export const backLink = (otherwise) =>
  h("button", { type: "button", class: "back", onclick: () => back(otherwise) }, icon("back"), h("span", {}, t("back")));

const moment = ({ view, receipt }) => view?.updated_at ?? receipt?.filed_at ?? "";
const newestFirst = (one, other) => (moment(one) < moment(other) ? 1 : -1);

function section(title, rows) {
  if (!rows.length) return [];
  return [h("h2", {}, title), h("ul", { class: "cases" }, ...rows.map((row) => h("li", {}, line(row))))];
}

function line(row) {
  const shown = row.view ?? row.receipt;
  if (!shown) {
    return h("a", { class: "case-line card", href: `#/casos/${row.number}` }, h("span", { class: "number" }, row.number));
  }
  const unseen = hasNews(row);
  const status = { status: shown.status, status_name: shown.status_name ?? t("status_received") };
  return h(
    "a",
    { class: `case-line card${unseen ? " is-new" : ""}`, href: `#/casos/${row.number}` },
    h("span", { class: "icon-disc" }, icon(shown.group ?? shown.category.slice(0, 3))),
    h(
      "span",
      { class: "case-line-text" },
      unseen && h("span", { class: "entry-news" }, t("unread")),
      h("span", { class: "case-title" }, shown.category_name),
      h("span", { class: "soft" }, places(shown)),
      h("span", { class: "case-line-more" }, badge(status), h("span", { class: "soft" }, age(moment(row)))),
      h("span", { class: "number soft" }, row.number),
    ),
    icon("next"),
  );
}

function empty() {
  return h(
    "div",
    { class: "empty card" },
    icon("list"),
    h("p", {}, t("cases_empty")),
    link(t("report"), "#/nuevo/foto", { kind: "", icon: "camera" }),
  );
}

/** A case filed from another phone, or by telephone; with its PIN it is one's own. */
function adder() {
  const number = h("input", { id: "add-number", type: "text", inputmode: "numeric", autocomplete: "off", maxlength: "20" });
  const pin = h("input", { id: "add-pin", type: "password", inputmode: "numeric", autocomplete: "off", maxlength: "6" });
  const trouble = h("div", { role: "alert" });
  const go = button(t("add_case"), { type: "submit", icon: "plus", kind: "quiet" });

  async function submit(event) {
    event.preventDefault();
    trouble.replaceChildren();
    const written = CHECK.exec(number.value.replace(/\s/g, ""));
    const digits = pin.value.trim();
    complain(number, written ? "" : t("add_bad_number"));
    complain(pin, !digits || /^\d{6}$/.test(digits) ? "" : t("add_bad_pin"));
    const wrong = [number, pin].find((control) => control.getAttribute("aria-invalid"));
    if (wrong) {
      wrong.focus();
      return;
    }
    await once(go, async () => {
      const whole = written.slice(1).join("-");
      try {
        await (digits ? add(whole, digits) : addOther(whole));
      } catch (problem) {
        trouble.replaceChildren(note("problem", "warning", h("p", {}, inWords(problem))));
        return;
      }
      announce(t("added"));
      navigate(`/casos/${whole}`);
    });
  }

  return h(
    "details",
    { class: "adder card" },
    h("summary", {}, icon("plus"), h("span", {}, t("add_title"))),
    h(
      "form",
      { class: "form", novalidate: true, autocomplete: "off", onsubmit: submit },
      field(number, t("case_number"), { hint: t("add_number_hint") }),
      field(pin, t("add_pin"), { hint: t("add_pin_hint") }),
      trouble,
      go,
    ),
  );
}

/** Somebody else's: it is there before it is followed, so that a wrong number is told. */
async function addOther(number) {
  await add(number);
  try {
    await follow(number, true);
  } finally {
    await forgetUnlessKept(number);
  }
}
