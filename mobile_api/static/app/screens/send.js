// Step 5: all of it at a glance, who will answer, and whether somebody said so before.

import * as api from "../api.js";
import { badge, places } from "../case_parts.js";
import { announce, ask, button, h, icon, link, note, once } from "../dom.js";
import { STEPS, bar, draftOrHome, forget, save, stepHead } from "../flow.js";
import { categoryOf } from "../kept_catalogue.js";
import { support } from "../my_cases.js";
import { send } from "../outbox.js";
import { placeOf } from "../places.js";
import { inWords } from "../problems.js";
import { finish, navigate } from "../router.js";
// What comes after must be there when there is no signal, too.
import "./sent.js";
import { StorageFull, draft as kept, photos } from "../store.js";
import { age, deadline, emergencyOf, metres, nameOf, point, t, tn } from "../texts.js";

export async function show() {
  const draft = await draftOrHome();
  if (!draft) return null;
  const lacking = !draft.location ? 1 : !draft.category ? 2 : null;
  if (lacking !== null) {
    navigate(STEPS[lacking], { replace: true });
    return null;
  }
  return new SendScreen(draft, (await categoryOf(draft.category)) ?? unknown(draft.category)).screen();
}

/** Of a catalogue that the phone no longer has. */
const unknown = (code) => ({ code, name_es: code });

class SendScreen {
  constructor(draft, category) {
    Object.assign(this, { draft, category });
    this.urls = [];
    this.gone = new AbortController();
  }

  screen() {
    this.answered = h("div", { class: "answered", id: "answered" });
    this.similar = h("section", { class: "similar", id: "similar" });
    // Its room is there from the start: nothing moves under the thumb.
    this.near = h("p", { class: "near soft" }, t("similar_searching"));
    this.trouble = h("div", { role: "alert" });
    this.place = h("span", {}, t("place_searching"));
    this.go = button(t("send"), { icon: "send", kind: "wide strong", id: "send", onclick: () => once(this.go, () => this.send()) });
    const urgent = emergencyOf(this.category);
    return {
      title: t("send_title"),
      kind: "step",
      content: [
        stepHead(4, t("send_title")),
        urgent && note("problem", "phone", h("p", {}, urgent)),
        this.near,
        this.summary(),
        this.answered,
        this.similar,
        this.trouble,
        bar(this.go),
      ],
      ready: () => this.lookUp(),
      leave: () => this.leave(),
    };
  }

  leave() {
    this.gone.abort();
    for (const url of this.urls) URL.revokeObjectURL(url);
  }

  summary() {
    const { draft, category } = this;
    const shots = h("span", { class: "thumbs" });
    this.fillShots(shots);
    const words = draft.description.trim();
    return h(
      "dl",
      { class: "summary card" },
      row(t("what"), h("strong", {}, nameOf(category)), 2, category.private && h("span", { class: "soft" }, t("private_topic"))),
      row(t("where"), this.place, 1, draft.placeHint && h("span", { class: "soft" }, draft.placeHint)),
      row(t("photos"), draft.photos.length ? shots : t("photos_none"), 0),
      row(t("words"), words ? h("span", { class: "quote" }, words) : t("words_none"), 3),
      row(t("contact"), draft.contact ? draft.contact.name : t("contact_none"), 3),
    );
  }

  async fillShots(shots) {
    const found = (await Promise.all(this.draft.photos.map((id) => photos.get(id)))).filter(Boolean);
    if (this.gone.signal.aborted) return;
    for (const [i, { blob }] of found.entries()) {
      const url = URL.createObjectURL(blob);
      this.urls.push(url);
      const image = h("img", { src: url, alt: t("photo_alt", { n: i + 1 }) });
      image.addEventListener("error", () => image.replaceWith(icon("camera")));
      shots.append(image);
    }
  }

  // Three questions at once; whatever fails, one can send.

  lookUp() {
    this.whoAnswers();
    this.whoElse();
    this.whatPlace();
  }

  async whatPlace() {
    const { location, accuracy } = this.draft;
    let place = null;
    try {
      place = await placeOf(location.lon, location.lat, accuracy);
    } catch (problem) {
      this.notKnown(problem);
    }
    const chosen = place?.near_border?.code === this.draft.district ? place?.near_border : null;
    const named = chosen ? { district: chosen, province: place.province } : place;
    this.place.textContent = (named && places(named)) || point(location);
  }

  async whoAnswers() {
    const { location, accuracy, category, district } = this.draft;
    this.answered.replaceChildren(h("p", { class: "soft" }, t("answer_searching")));
    const query = new URLSearchParams({ lat: location.lat, lon: location.lon });
    if (accuracy) query.set("accuracy", accuracy);
    if (district) query.set("district", district);
    let found = null;
    try {
      const { body } = await api.get(`categories/?${query}`, { signal: this.gone.signal });
      found = body.groups.flatMap(({ categories }) => categories).find(({ code }) => code === category)?.answered;
    } catch (problem) {
      this.notKnown(problem);
    }
    if (this.gone.signal.aborted) return;
    this.answered.replaceChildren(
      found
        ? note(
            "good",
            "building",
            h("p", {}, t("answers"), " ", h("strong", {}, found.entity?.name ?? t("entity_unknown"))),
            found.due_at && h("p", {}, t("by_when"), " ", h("strong", {}, deadline(found.due_at))),
          )
        : note("info", "clock", h("p", {}, t("answer_unknown"))),
    );
  }

  async whoElse() {
    const { location, category } = this.draft;
    const query = new URLSearchParams({ lat: location.lat, lon: location.lon, category });
    let found = [];
    let known = true;
    try {
      const { body } = await api.get(`cases/similar/?${query}`, { signal: this.gone.signal });
      found = body.cases;
    } catch (problem) {
      known = false;
      this.notKnown(problem);
    }
    if (this.gone.signal.aborted) return;
    if (!found.length) {
      this.near.textContent = t(known ? "similar_0" : "similar_unknown");
      return;
    }
    this.go.querySelector("span").textContent = t("send_other");
    this.similar.replaceChildren(
      h("h2", { tabindex: "-1" }, tn("similar", found.length)),
      h("p", { class: "lead" }, t("similar_text")),
      h("ul", { class: "similar-list" }, ...found.map((other) => h("li", {}, this.other(other)))),
    );
    this.near.replaceChildren(
      link(tn("similar_see", found.length), "#similar", { icon: "people", kind: "quiet wide", onclick: (event) => this.toSimilar(event) }),
    );
    announce(tn("similar", found.length));
  }

  /** They may be below what one sees. */
  toSimilar(event) {
    event.preventDefault();
    const title = this.similar.querySelector("h2");
    title.scrollIntoView();
    title.focus({ preventScroll: true });
  }

  other(other) {
    const image = other.thumbnail && h("img", { src: other.thumbnail, alt: t("similar_photo", { number: other.number }), loading: "lazy" });
    image?.addEventListener?.("error", () => image.remove());
    return h(
      "article",
      { class: "card similar-card", "aria-label": `${other.category_name}, ${metres(other.distance)}` },
      image || h("span", { class: "icon-disc large" }, icon(other.category.slice(0, 3))),
      h(
        "div",
        {},
        h("p", { class: "similar-name" }, h("strong", {}, other.category_name), " ", badge(other)),
        h("p", { class: "soft" }, t("away", { distance: metres(other.distance) }), " · ", age(other.filed_at)),
        other.description && h("p", { class: "quote" }, other.description),
        h("p", { class: "soft" }, tn("supports", other.supports)),
      ),
      h(
        "div",
        { class: "similar-buttons" },
        button(t("same"), { icon: "check", kind: "quiet", onclick: (event) => this.same(event.currentTarget, other) }),
        link(t("see_case"), other.url, { kind: "plain", target: "_blank", rel: "noopener" }),
      ),
    );
  }

  async same(pressed, other) {
    const sure = await ask({ title: t("same_title"), text: t("same_text", { number: other.number }), yes: t("same_yes"), no: t("back_to_report") });
    if (!sure) return;
    await once(pressed, async () => {
      try {
        await support(other.number);
      } catch (problem) {
        this.complain(t("same_failed", { why: inWords(problem) }));
        return;
      }
      await kept.clear();
      forget();
      announce(t("same_done"));
      finish(`/casos/${other.number}`);
    });
  }

  /** Whatever a look-up meets, one can send. */
  notKnown(problem) {
    if (!this.gone.signal.aborted) inWords(problem);
  }

  async send() {
    const { category, draft } = this;
    if (category.needs_contact && !draft.contact) {
      navigate(STEPS[3]);
      return;
    }
    try {
      await save({});
      const item = await send(draft);
      forget();
      finish(`/enviado/${item.id}`);
    } catch (problem) {
      if (!(problem instanceof StorageFull)) throw problem;
      this.complain(t("send_full"));
    }
  }

  complain(words) {
    this.trouble.replaceChildren(note("problem", "warning", h("p", {}, words)));
  }
}

function row(name, value, step, more = null) {
  return h(
    "div",
    { class: "summary-row" },
    h("dt", {}, name),
    h("dd", {}, value, more && h("br"), more),
    h("dd", { class: "summary-edit" }, link(t("change"), `#${STEPS[step]}`, { kind: "plain", "aria-label": t("change_what", { what: name }) })),
  );
}
