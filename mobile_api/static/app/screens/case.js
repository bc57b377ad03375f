// One case: where it stands, what happened, and what its reporter may do about it.

import * as api from "../api.js";
import { badge, bigNumber, entityOf, numberButtons, picture, pinBox, places, publicUrl, tone } from "../case_parts.js";
import { EMAIL, announce, ask, button, complain, field, h, icon, link, note, once, refill } from "../dom.js";
import { categoryOf } from "../kept_catalogue.js";
import { act, flag, follow, forgetUnlessKept, refresh, seen, watch } from "../my_cases.js";
import { inWords } from "../problems.js";
import { heading, navigate } from "../router.js";
import { cases } from "../store.js";
import { age, day, deadline, number as inDigits, t, tn, when } from "../texts.js";
import { backLink } from "./cases.js";

const LONGEST_NOTE = 2000;
const REASONS = ["personal_data", "offensive", "false_report", "wrong_place", "other"];

export async function show(number) {
  const row = (await cases.get(number)) ?? { number, own: false, following: false, view: null, receipt: null };
  const category = await categoryOf((row.view ?? row.receipt)?.category);
  return new CaseScreen(row, !category?.private).screen();
}

class CaseScreen {
  constructor(row, isPublic) {
    this.row = row;
    this.isPublic = isPublic;
    this.number = row.number;
    this.content = h("div", { class: "case" });
    this.trouble = h("div", { role: "alert" });
    this.since = h("p", { class: "soft since" });
    this.again = button(t("refresh"), {
      icon: "again",
      kind: "plain",
      id: "refresh",
      onclick: () => once(this.again, () => this.renew(true)),
    });
    this.open = null;
    this.written = {}; // by action, until it is sent
    this.known = "";
    this.stale = "";
  }

  screen() {
    this.draw();
    let unwatch = () => undefined;
    return {
      title: this.row.number,
      content: [
        backLink("/casos"),
        h("div", { class: "since-line" }, this.since, this.again),
        this.trouble,
        this.content,
      ],
      ready: () => {
        unwatch = watch(() => this.reread());
        this.renew(false);
      },
      leave: async () => {
        this.gone = true;
        unwatch();
        await forgetUnlessKept(this.number);
      },
    };
  }

  async renew(asked) {
    try {
      await refresh(this.number);
      this.trouble.replaceChildren();
      if (asked) announce(t("refreshed"));
      this.stale = "";
    } catch (problem) {
      const words = inWords(problem);
      // What is kept is shown, with its age; without it, or when asked for, one is told why.
      if (asked || !this.row.view) this.complain(words);
      this.stale = t("not_refreshed");
    }
    // The answer may come after whoever asked has left.
    if (this.gone) {
      await forgetUnlessKept(this.number);
      return;
    }
    await this.reread();
    if (!this.gone && this.row.view) await seen(this.number);
  }

  async reread() {
    const row = await cases.get(this.number);
    if (this.gone) return;
    // Not followed any more, it is not kept; it stays to be looked at.
    this.row = row ?? { ...this.row, following: false };
    this.draw();
  }

  complain(words) {
    this.trouble.replaceChildren(note("problem", "warning", h("p", {}, words)));
  }

  draw() {
    const { row } = this;
    const shown = row.view ?? row.receipt;
    const since = row.fetchedAt && t("known_since", { when: age(row.fetchedAt) });
    this.since.textContent = [this.stale, since].filter(Boolean).join(" ");
    // Nothing new, or somebody is writing: nothing moves under their hands.
    const known = JSON.stringify([row.view, row.receipt, row.own, row.following, row.pin]);
    if (known === this.known || this.open?.contains(document.activeElement)) return;
    this.known = known;
    refill(this.content, ...(shown ? this.whole(shown) : this.nothing()).filter(Boolean));
  }

  nothing() {
    return [heading(this.number), h("p", { class: "lead" }, t("case_nothing"))];
  }

  whole(shown) {
    const { row } = this;
    return [
      h(
        "div",
        { class: "case-head" },
        h("p", { class: "kicker" }, icon(shown.group ?? shown.category.slice(0, 3)), row.own ? t("case_own") : t("case_followed")),
        heading(shown.category_name),
        h("p", { class: "head-place" }, icon("pin"), h("span", {}, places(shown))),
        bigNumber(this.number),
        numberButtons(this.number, { title: shown.category_name, isPublic: this.isPublic }),
      ),
      shown.demo && note("warning", "warning", h("p", {}, t("demo"))),
      this.facts(shown),
      this.actions(),
      this.history(),
      this.report(shown),
      this.following(),
      row.pin && pinBox(row.pin),
      this.isPublic && h("div", { class: "stack" }, link(t("public_page"), publicUrl(this.number), { kind: "quiet wide", icon: "map" })),
      row.own && row.pin ? this.myData() : this.flagger(),
      this.forgetter(),
    ];
  }

  facts(shown) {
    const status = { status: shown.status, status_name: shown.status_name ?? t("status_received") };
    const state = tone(status.status);
    // The term rests while whoever reported is asked something.
    const rests = status.status === "waiting_for_citizen";
    const late = state === "open" && !rests && shown.due_at && new Date(shown.due_at) < new Date();
    return h(
      "dl",
      { class: "facts-list card" },
      h("div", {}, h("dt", {}, icon("flag"), t("state")), h("dd", {}, badge(status), " ", h("span", { class: "soft" }, age(shown.updated_at ?? shown.filed_at)))),
      h("div", {}, h("dt", {}, icon("building"), t("answers")), h("dd", {}, entityOf(shown))),
      state === "resolved" && shown.resolved_at
        ? h("div", {}, h("dt", {}, icon("check"), t("resolved_on")), h("dd", {}, day(shown.resolved_at)))
        : state === "open" &&
            h("div", {}, h("dt", {}, icon("clock"), t("by_when")), h("dd", { class: late ? "late" : "" }, deadline(shown.due_at), rests ? ` · ${t("rests")}` : late && ` · ${t("late")}`)),
      shown.supports > 0 && h("div", {}, h("dt", {}, icon("people"), t("also")), h("dd", {}, tn("supports", shown.supports))),
    );
  }

  // What the reporter may do, each with one tap; what needs words opens a place for them.

  actions() {
    const { view } = this.row;
    const can = view?.can ?? {};
    if (!Object.values(can).some(Boolean)) return null;
    const question = can.answer && view.question;
    this.open = null;
    const parts = [
      question && h("blockquote", { class: "question" }, h("p", { class: "soft" }, t("question")), h("p", {}, view.question)),
      can.answer && this.withWords("answer", { label: t("answer_label"), send: t("answer_send"), icon: "send" }),
      can.confirm &&
        button(t("confirm"), { icon: "check", kind: "wide strong", id: "do-confirm", onclick: (event) => this.act(event.currentTarget, "confirm") }),
      can.reopen && this.withWords("reopen", { label: t("reopen_label"), send: t("reopen_send"), icon: "again", opener: t("reopen") }),
      can.cancel && button(t("cancel_case"), { icon: "close", kind: "plain wide", id: "do-cancel", onclick: (event) => this.cancel(event.currentTarget) }),
    ];
    const title = can.confirm ? t("actions_confirm") : can.answer ? t("actions_answer") : t("actions");
    return h("section", { class: "card actions", "aria-labelledby": "actions-title" }, h("h2", { id: "actions-title" }, title), ...parts);
  }

  withWords(action, { label, send, icon: name, opener = "" }) {
    const words = h("textarea", {
      id: `${action}-note`,
      rows: "3",
      maxlength: String(LONGEST_NOTE),
      value: this.written[action],
      oninput: () => (this.written[action] = words.value),
    });
    const closed = Boolean(opener) && !this.written[action];
    const go = button(send, { type: "submit", icon: name, kind: opener ? "wide" : "wide strong" });
    const form = h(
      "form",
      {
        class: "with-words",
        novalidate: true,
        hidden: closed,
        onsubmit: (event) => {
          event.preventDefault();
          const written = words.value.trim();
          complain(words, written ? "" : t("need_words"));
          if (written) this.act(go, action, written);
          else words.focus();
        },
      },
      field(words, label),
      go,
    );
    words.addEventListener("focus", () => (this.open = form));
    if (!opener) return form;
    const show = button(opener, {
      icon: name,
      kind: "quiet wide",
      id: `do-${action}`,
      "aria-expanded": String(!closed),
      "aria-controls": `${action}-form`,
      onclick: () => {
        form.hidden = !form.hidden;
        show.setAttribute("aria-expanded", String(!form.hidden));
        if (!form.hidden) words.focus();
      },
    });
    form.id = `${action}-form`;
    return h("div", {}, show, form);
  }

  async cancel(pressed) {
    const sure = await ask({ title: t("cancel_title"), text: t("cancel_text"), yes: t("cancel_yes"), no: t("cancel_no"), danger: true });
    if (sure) await this.act(pressed, "cancel");
  }

  async act(pressed, action, words = "") {
    await once(pressed, async () => {
      this.trouble.replaceChildren();
      try {
        await act(this.number, action, words);
        delete this.written[action];
        announce(t(`done_${action}`));
      } catch (problem) {
        this.complain(inWords(problem));
        this.trouble.scrollIntoView({ block: "center" });
      }
    });
    this.open = null;
    document.activeElement?.blur();
    await this.reread();
    document.getElementById("history-title")?.focus();
  }

  history() {
    const lines = this.row.view?.history;
    if (!lines?.length) return null;
    const after = (this.row.view.photos ?? []).filter((photo) => photo.of !== "received");
    return h(
      "section",
      { class: "card", "aria-labelledby": "history-title" },
      h("h2", { id: "history-title", tabindex: "-1" }, t("history")),
      h(
        "ol",
        { class: "timeline" },
        ...lines.map((line, i) =>
          h(
            "li",
            { class: `event event-${line.status}${i === lines.length - 1 ? ` is-last is-${tone(line.status)}` : ""}` },
            h("p", { class: "event-name" }, line.status_name),
            h("p", { class: "event-time" }, when(line.changed_at)),
            line.note && h("p", { class: "event-note" }, line.note),
            isLastOf(lines, i) && pictures(after.filter((photo) => photo.of === line.status), t("photo_after")),
          ),
        ),
      ),
    );
  }

  report(shown) {
    const { view } = this.row;
    if (!view) return null;
    const before = view.photos.filter((photo) => photo.of === "received");
    return h(
      "section",
      { class: "card", "aria-labelledby": "report-title" },
      h("h2", { id: "report-title" }, t("the_report")),
      view.description ? h("p", { class: "quote" }, view.description) : h("p", { class: "soft" }, t("words_none")),
      view.place_hint && h("p", { class: "soft" }, t("hint_line", { hint: view.place_hint })),
      before.length > 0 && h("h3", {}, t("photos_before")),
      pictures(before, t("photo_before")),
      h("p", { class: "soft" }, t("filed_on", { when: when(shown.filed_at) })),
    );
  }

  following() {
    const { row } = this;
    if (!row.view) return null;
    const on = Boolean(row.following);
    const press = async (pressed) => {
      await once(pressed, async () => {
        try {
          await follow(this.number, !on);
          announce(t(on ? "unfollowed" : "followed"));
        } catch (problem) {
          this.complain(inWords(problem));
        }
      });
      await this.reread();
    };
    return h(
      "section",
      { class: "card follow", "aria-labelledby": "follow-title" },
      h("div", {}, h("h2", { id: "follow-title" }, t(on ? "following" : "follow_title")), h("p", { class: "soft" }, t(on ? "following_text" : "follow_text"))),
      button(t(on ? "unfollow" : "follow"), { icon: "bell", kind: "quiet", id: "follow", "aria-pressed": String(on), onclick: (event) => press(event.currentTarget) }),
      this.byEmail(),
    );
  }

  /** The other way of being told; the address is asked first whether it wants to be. */
  byEmail() {
    const email = h("input", { id: "follow-email", type: "email", autocomplete: "email", maxlength: "254" });
    const said = h("div", { role: "status" });
    const go = button(t("email_send"), { type: "submit", icon: "send", kind: "quiet wide" });
    const submit = (event) => {
      event.preventDefault();
      const address = email.value.trim();
      complain(email, EMAIL.test(address) ? "" : t("bad_email"));
      if (!EMAIL.test(address)) return email.focus();
      return once(go, async () => {
        try {
          await follow(this.number, true, { email: address });
          said.replaceChildren(note("good", "check", h("p", {}, t("email_asked", { email: address }))));
        } catch (problem) {
          said.replaceChildren(note("problem", "warning", h("p", {}, inWords(problem))));
        }
      });
    };
    const form = h("form", { class: "form", novalidate: true, onsubmit: submit }, field(email, t("contact_email")), said, go);
    email.addEventListener("focus", () => (this.open = form));
    return h("details", {}, h("summary", {}, t("email_title")), form);
  }

  // What is held about the person (Ley 81): to take away, and to have erased.

  myData() {
    const { pin } = this.row;
    const trouble = h("div", { role: "alert" });
    const tellTrouble = (problem) => trouble.replaceChildren(note("problem", "warning", h("p", {}, inWords(problem))));

    const download = async () => {
      try {
        const { body } = await api.get(`cases/${this.number}/my-data/`, { pin });
        const url = URL.createObjectURL(new Blob([JSON.stringify(body, null, 2)], { type: "application/json" }));
        const anchor = h("a", { href: url, download: `311-${this.number}.json` });
        document.body.append(anchor);
        anchor.click();
        anchor.remove();
        setTimeout(() => URL.revokeObjectURL(url), 10_000);
        announce(t("data_downloaded"));
      } catch (problem) {
        tellTrouble(problem);
      }
    };
    const erase = async () => {
      const first = await ask({ title: t("erase_title"), text: t("erase_text"), yes: t("erase_yes"), danger: true });
      const second = first && (await ask({ title: t("erase_again_title"), text: t("erase_again"), yes: t("erase_again_yes"), danger: true }));
      if (!second) return;
      try {
        await api.del(`cases/${this.number}/my-data/`, { pin });
      } catch (problem) {
        tellTrouble(problem);
        return;
      }
      announce(t("erased"));
      await this.renew(false);
    };
    return h(
      "details",
      { class: "card my-data" },
      h("summary", {}, icon("lock"), h("span", {}, t("my_data"))),
      h("p", { class: "soft" }, t("my_data_text")),
      trouble,
      h(
        "div",
        { class: "stack" },
        button(t("data_download"), { icon: "download", kind: "quiet wide", onclick: (event) => once(event.currentTarget, download) }),
        button(t("data_erase"), { icon: "trash", kind: "danger-quiet wide", onclick: (event) => once(event.currentTarget, erase) }),
      ),
    );
  }

  /** Something improper in somebody else's case: to be looked at, by a person. */
  flagger() {
    if (!this.row.view) return null;
    const reason = h("select", { id: "flag-reason" }, ...REASONS.map((value) => h("option", { value }, t(`flag_${value}`))));
    const words = h("input", { id: "flag-note", type: "text", maxlength: "300", autocomplete: "off" });
    const said = h("div", { role: "status" });
    const go = button(t("flag_send"), { type: "submit", icon: "flag", kind: "quiet wide" });
    const submit = (event) => {
      event.preventDefault();
      return once(go, async () => {
        try {
          await flag(this.number, { reason: reason.value, note: words.value.trim() });
          said.replaceChildren(note("good", "check", h("p", {}, t("flagged"))));
        } catch (problem) {
          said.replaceChildren(note("problem", "warning", h("p", {}, inWords(problem))));
        }
      });
    };
    return h(
      "details",
      { class: "card my-data" },
      h("summary", {}, icon("flag"), h("span", {}, t("flag_title"))),
      h("form", { class: "form", onsubmit: submit }, field(reason, t("flag_reason")), field(words, t("flag_note")), said, go),
    );
  }

  forgetter() {
    if (!this.row.view && !this.row.receipt) return null;
    const forget = async () => {
      const text = this.row.pin ? t("forget_text_pin", { number: this.number }) : t("forget_text");
      if (!(await ask({ title: t("forget_title"), text, yes: t("forget_yes"), danger: true }))) return;
      await cases.remove(this.number);
      navigate("/casos", { replace: true });
    };
    return h("div", { class: "stack" }, button(t("forget"), { icon: "trash", kind: "plain wide", onclick: forget }));
  }
}

/** A status may come twice; its pictures stand with the last time. */
const isLastOf = (lines, i) => !lines.slice(i + 1).some(({ status }) => status === lines[i].status);

function pictures(found, words) {
  if (!found.length) return null;
  return h(
    "ul",
    { class: "pictures" },
    ...found.map((photo, i) => h("li", {}, picture(photo, `${words} ${inDigits(i + 1)}`))),
  );
}
