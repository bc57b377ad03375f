// The first screen: report, see one's cases, and what became of what was sent.

import { isStarted, load, stepOf, STEPS, forget } from "../flow.js";
import { emergencyNumbers, serverConfig } from "../server_config.js";
import { announce, ask, button, h, icon, link, note, once, refill } from "../dom.js";
import { unread } from "../my_cases.js";
import { problemOf, progressOf, waitOf } from "../on_its_way.js";
import { DraftInTheWay, remove, reopenAsDraft, retry, unsentOf, watch } from "../outbox.js";
import { heading, redraw, resume } from "../router.js";
import { cases, draft as kept } from "../store.js";
import { age, config, nameOf, t, tn } from "../texts.js";

// Hours that a filed report stays on this screen; after that it is among the cases.
const NEWS_HOURS = 24;

export async function show() {
  const [draft, all, news] = await Promise.all([load(), cases.all(), unread()]);
  const items = h("section", { class: "on-its-way", "aria-labelledby": "way-title", hidden: true });
  const calls = h("p", { class: "calls-line" });
  fillCalls(calls);
  let unwatch = () => undefined;
  return {
    title: "",
    kind: "home",
    content: [
      heading(t("home_title")),
      isStarted(draft) ? half(draft) : start(),
      items,
      h(
        "nav",
        { class: "home-links", "aria-label": t("home_more") },
        entry("#/casos", "list", t("cases_title"), all.length ? tn("cases_count", all.length) : t("cases_none"), news),
        entry(config.public_map, "map", t("public_map"), t("public_map_text")),
        entry("#/ajustes", "gear", t("settings_title"), t("settings_text")),
      ),
      h("aside", { class: "emergency", "aria-label": t("emergency") }, icon("phone"), h("div", {}, h("strong", {}, t("emergency")), calls)),
      h("p", { class: "soft centre" }, t("home_by_phone"), " ", h("a", { href: "tel:311" }, "3-1-1")),
    ],
    ready: () => {
      unwatch = watch((found) => draw(items, found));
    },
    leave: () => unwatch(),
  };
}

function start() {
  return h("a", { class: "button report", href: `#${STEPS[0]}`, id: "report" }, icon("camera"), h("span", {}, t("report")));
}

/** A report begun and not sent: go on, or throw it away. */
function half(draft) {
  const go = () => resume(STEPS.slice(0, stepOf(draft) + 1));
  return h(
    "section",
    { class: "card half", "aria-labelledby": "half-title" },
    h("h2", { id: "half-title" }, t("half_title")),
    h("p", { class: "soft" }, t("half_text", { when: age(draft.startedAt) })),
    button(t("half_go_on"), { icon: "next", kind: "wide strong", id: "go-on", onclick: go }),
    button(t("half_drop"), { icon: "trash", kind: "plain wide", onclick: drop }),
  );
}

async function drop() {
  const sure = await ask({ title: t("half_drop_title"), text: t("half_drop_text"), yes: t("half_drop_yes"), danger: true });
  if (!sure) return;
  await kept.clear();
  forget();
  announce(t("half_dropped"));
  await redraw();
  document.getElementById("report")?.focus();
}

function entry(href, name, title, text, news = 0) {
  return h(
    "a",
    { class: "entry", href },
    h("span", { class: "icon-disc" }, icon(name)),
    h("span", { class: "entry-text" }, h("span", { class: "entry-title" }, title), h("span", { class: "soft" }, text)),
    news > 0 && h("span", { class: "entry-news" }, tn("news", news)),
    icon("next"),
  );
}

async function fillCalls(line) {
  const numbers = emergencyNumbers(await serverConfig());
  line.replaceChildren(
    ...numbers.map((one) =>
      h("a", { href: `tel:${one.number}`, class: "call" }, h("b", {}, one.number), " ", h("span", {}, nameOf(one))),
    ),
  );
}

// What waits, and what became of it.

function draw(place, found) {
  const fresh = Date.now() - NEWS_HOURS * 3_600_000;
  const shown = found.filter(({ state, queuedAt }) => state !== "done" || queuedAt > fresh);
  place.hidden = !shown.length;
  const waiting = unsentOf(shown).reports;
  refill(
    place,
    h("h2", { id: "way-title" }, waiting ? tn("way_waiting", waiting) : t("way_title")),
    waiting ? h("p", { class: "soft" }, tn(navigator.onLine ? "way_online" : "way_offline", waiting)) : "",
    h("ul", { class: "way" }, ...shown.map((item) => h("li", { class: `card way-${item.state}` }, ...card(item)))),
  );
}

function card(item) {
  const head = (name, title, text) => [
    h("div", { class: "way-head" }, icon(name), h("div", {}, h("p", { class: "way-state" }, title), h("p", { class: "soft" }, text))),
  ];
  const written = t("way_written", { when: age(item.queuedAt) });
  if (item.state === "refused") {
    return [
      ...head("warning", t("state_refused"), written),
      h("p", {}, problemOf(item)),
      h(
        "div",
        { class: "pair-buttons" },
        button(t("fix"), { icon: "edit", kind: "", id: `fix-${item.id}`, onclick: (event) => once(event.currentTarget, () => fix(item)) }),
        button(t("discard"), { icon: "trash", kind: "quiet", id: `discard-${item.id}`, onclick: () => discard(item) }),
      ),
    ];
  }
  if (item.receipt) {
    const { number, category_name: what } = item.receipt;
    return [
      ...head("check", t("state_filed", { number }), what),
      item.photoIds.length ? progressOf(item) : "",
      h(
        "div",
        { class: "pair-buttons" },
        link(t("see_case"), `#/casos/${number}`, { kind: "quiet" }),
        item.state === "filed" && item.tries > 0 && again(item),
      ),
    ];
  }
  return [
    ...head("clock", item.state === "sending" ? t("state_sending") : t("state_waiting"), written),
    h("p", {}, waitOf(item)),
    item.state === "waiting" && again(item),
  ].filter(Boolean);
}

const again = (item) =>
  button(t("retry_now"), { icon: "again", kind: "quiet", id: `retry-${item.id}`, onclick: (event) => once(event.currentTarget, () => retry(item.id)) });

async function fix(item) {
  try {
    go(await reopenAsDraft(item.id));
  } catch (problem) {
    if (!(problem instanceof DraftInTheWay)) throw problem;
    const sure = await ask({ title: t("in_the_way_title"), text: t("in_the_way"), yes: t("in_the_way_yes"), danger: true });
    if (sure) go(await reopenAsDraft(item.id, { replace: true }));
  }
}

function go() {
  forget();
  resume(STEPS);
}

async function discard(item) {
  const sure = await ask({ title: t("discard_title"), text: t("discard_text"), yes: t("discard_yes"), danger: true });
  if (sure) await remove(item.id);
}
