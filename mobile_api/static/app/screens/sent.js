// After sending: the number, or that it waits on this phone and goes by itself.

import { bigNumber, entityOf, numberButtons, pinBox, places } from "../case_parts.js";
import { announce, h, icon, link, note } from "../dom.js";
import { categoryOf } from "../kept_catalogue.js";
import { problemOf, progressOf, waitOf } from "../on_its_way.js";
import { watch } from "../outbox.js";
import { heading, navigate } from "../router.js";
import { cases, outbox } from "../store.js";
import { deadline, t } from "../texts.js";

export async function show(id) {
  const item = (await outbox.get(id)) ?? null;
  const own = (await cases.all()).find(({ reportId }) => reportId === id);
  if (!item && !own) {
    navigate("/", { replace: true });
    return null;
  }
  const category = await categoryOf(item?.body.category ?? own.receipt.category);
  return new SentScreen(item, own?.receipt, !category?.private).screen(id);
}

class SentScreen {
  constructor(item, receipt, isPublic) {
    Object.assign(this, { item, receipt, isPublic });
    this.content = h("div", { class: "sent" });
    this.progress = h("div", {});
    this.drawn = "";
  }

  screen(id) {
    this.draw();
    const unwatch = watch((items) => {
      this.item = items.find((other) => other.id === id) ?? this.item;
      this.draw();
    });
    return { title: t("sent_title"), content: [this.content], leave: unwatch };
  }

  /** Anew only when it has become something else: nobody loses the place or an open PIN. */
  draw() {
    const { item } = this;
    const receipt = item?.receipt ?? this.receipt;
    const state = receipt ? "filed" : item.state === "refused" ? "refused" : "waiting";
    if (state !== this.drawn) this.drawWhole(state, receipt);
    if (receipt) this.progress.replaceChildren(item?.photoIds.length ? progressOf(item) : "");
    else this.progress.textContent = waitOf(item);
  }

  drawWhole(state, receipt) {
    const focused = this.content.contains(document.activeElement);
    const parts = receipt ? filed(receipt, this) : onItsWay(this.item, this.progress);
    this.content.replaceChildren(...parts);
    if (focused) this.content.querySelector("h1").focus();
    if (this.drawn && receipt) announce(t("said_filed", { number: receipt.number }));
    this.drawn = state;
  }
}

function filed(receipt, { progress, isPublic }) {
  return [
    h(
      "div",
      { class: "sent-head is-filed" },
      h("span", { class: "sent-mark" }, icon("check")),
      heading(t("sent_title")),
      h("p", { class: "lead" }, t("sent_number")),
      bigNumber(receipt.number),
      numberButtons(receipt.number, { title: receipt.category_name, isPublic }),
    ),
    progress,
    h(
      "dl",
      { class: "facts-list card" },
      fact("building", t("answers"), entityOf(receipt)),
      fact("clock", t("by_when"), deadline(receipt.due_at)),
      fact("pin", t("where"), places(receipt)),
    ),
    receipt.pin && pinBox(receipt.pin),
    h(
      "div",
      { class: "stack" },
      link(t("see_case"), `#/casos/${receipt.number}`, { kind: "wide" }),
      link(t("go_home"), "#/", { kind: "quiet wide" }),
    ),
  ].filter(Boolean);
}

function onItsWay(item, progress) {
  const refused = item.state === "refused";
  return [
    h(
      "div",
      { class: `sent-head ${refused ? "is-refused" : "is-waiting"}` },
      h("span", { class: "sent-mark" }, icon(refused ? "warning" : "phone-save")),
      heading(t(refused ? "refused_title" : "saved_title")),
      h("p", { class: "lead" }, refused ? problemOf(item) : t("saved_text")),
    ),
    !refused && note("info", "clock", progress, h("p", {}, t("saved_more"))),
    h("div", { class: "stack" }, link(t(refused ? "refused_home" : "go_home"), "#/", { kind: "wide" })),
  ].filter(Boolean);
}

const fact = (name, what, value) => h("div", {}, h("dt", {}, icon(name), what), h("dd", {}, value));
