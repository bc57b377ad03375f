// Step 4: a few words, and whoever wants to be called says how.

import { EMAIL, announce, button, complain, field, h, icon, note, paragraphs } from "../dom.js";
import { afterTyping, bar, draftOrHome, next, save, stepHead } from "../flow.js";
import { categoryOf } from "../kept_catalogue.js";
import { consentText, serverConfig } from "../server_config.js";
import { nameOf, number, t } from "../texts.js";

const LONGEST = 4000;
const NEARLY = 200;
const PHONE = /^\+?[\d\s().-]{7,30}$/;

export async function show() {
  const draft = await draftOrHome();
  if (!draft) return null;
  const [category, config] = await Promise.all([categoryOf(draft.category), serverConfig()]);
  return new DetailsScreen(draft, category, config).screen();
}

class DetailsScreen {
  constructor(draft, category, config) {
    Object.assign(this, { draft, category, config });
    this.needed = Boolean(category?.needs_contact);
  }

  screen() {
    const { draft } = this;
    this.typing = afterTyping(() => this.read());
    this.words = h("textarea", {
      id: "description",
      rows: "5",
      maxlength: String(LONGEST),
      value: draft.description,
      oninput: () => {
        this.count();
        this.typing.changed();
      },
    });
    this.counter = h("p", { class: "counter", id: "counter", "aria-live": "off" });
    this.website = h("input", {
      type: "text",
      name: "website",
      id: "website",
      tabindex: "-1",
      autocomplete: "off",
      value: draft.website ?? "",
      oninput: () => this.typing.changed(),
    });
    const content = [
      stepHead(3, t("details_title"), this.category ? nameOf(this.category) : ""),
      h(
        "form",
        { class: "form", novalidate: true, onsubmit: (event) => this.submit(event) },
        field(this.words, t("details_words"), { hint: t("details_words_hint") }),
        this.counter,
        h("div", { class: "off-screen", "aria-hidden": "true" }, h("label", { for: "website" }, "Website"), this.website),
        this.contact(),
        bar(button(t("next"), { icon: "next", kind: "wide", type: "submit" })),
      ),
    ];
    this.count();
    return { title: t("details_title"), kind: "step", content, leave: () => this.typing.leave() };
  }

  count() {
    const left = LONGEST - this.words.value.length;
    this.counter.textContent = t("counter", { n: number(this.words.value.length), most: number(LONGEST) });
    this.counter.classList.toggle("is-near", left <= NEARLY);
    if (left === NEARLY || left === 0) announce(t("counter_left", { n: number(left) }));
  }

  contact() {
    const { contact, consent } = this.draft;
    const input = (id, type, autocomplete, value, longest) =>
      h("input", { id, type, autocomplete, value: value ?? "", maxlength: longest, oninput: () => this.typing.changed() });
    this.name = input("name", "text", "name", contact?.name, "160");
    this.phone = input("phone", "tel", "tel", contact?.phone, "30");
    this.email = input("email", "email", "email", contact?.email, "254");
    const text = consentText(this.config);
    const version = this.config?.consent?.version ?? null;
    this.consent = h("input", {
      type: "checkbox",
      id: "consent",
      checked: Boolean(consent && consent === version),
      disabled: !text,
      onchange: () => this.typing.changed(),
    });
    this.version = version;
    const fields = [
      note("info", "lock", h("p", {}, t("contact_private"))),
      field(this.name, t("contact_name")),
      field(this.phone, t("contact_phone"), { hint: t("contact_either") }),
      field(this.email, t("contact_email")),
      text
        ? h("div", { class: "consent-text", tabindex: "0", role: "region", "aria-label": t("consent_title") }, ...paragraphs(text))
        : note("warning", "offline", h("p", {}, t("consent_missing"))),
      h(
        "div",
        { class: "field" },
        h("label", { class: "check" }, this.consent, h("span", {}, t("consent_accept"))),
        h("p", { id: "consent-problem", class: "field-problem", hidden: true }),
      ),
    ];
    this.consent.setAttribute("aria-describedby", "consent-problem");
    if (this.needed) {
      return h(
        "fieldset",
        { class: "contact" },
        h("legend", {}, t("contact_needed_title")),
        h("p", {}, t("contact_needed")),
        ...fields,
      );
    }
    this.optional = h(
      "details",
      { class: "contact", open: Boolean(contact) },
      h("summary", {}, icon("person"), h("span", {}, t("contact_title"))),
      ...fields,
    );
    return this.optional;
  }

  read() {
    const contact = {
      name: this.name.value.trim(),
      phone: this.phone.value.trim(),
      email: this.email.value.trim(),
    };
    const given = Object.values(contact).some(Boolean);
    return {
      description: this.words.value,
      website: this.website.value,
      contact: given ? contact : null,
      consent: given && this.consent.checked ? this.version : null,
    };
  }

  async submit(event) {
    event.preventDefault();
    const read = this.read();
    await save(read);
    const wrong = this.check(read);
    if (wrong) {
      if (this.optional) this.optional.open = true;
      wrong.focus();
      return;
    }
    next(3);
  }

  /** The first field that must change, or null. */
  check({ contact, consent }) {
    const { name = "", phone = "", email = "" } = contact ?? {};
    const asked = this.needed || Boolean(contact);
    const found = [
      [this.name, asked && !name ? "need_name" : ""],
      [this.phone, whatIsWrong(asked, phone, email)],
      [this.email, email && !EMAIL.test(email) ? "bad_email" : ""],
      [this.consent, asked && !consent ? "need_consent" : ""],
    ];
    for (const [control, key] of found) complain(control, key ? t(key) : "");
    return found.find(([, key]) => key)?.[0] ?? null;
  }
}

function whatIsWrong(asked, phone, email) {
  if (phone && !PHONE.test(phone)) return "bad_phone";
  return asked && !phone && !email ? "need_phone_or_email" : "";
}
