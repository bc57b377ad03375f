// Step 2: where is it? The phone says where it is, the person says where the problem is.

import { places } from "../case_parts.js";
import { announce, button, field, h, icon, note, once } from "../dom.js";
import { afterTyping, bar, draftOrHome, next, save, stepHead } from "../flow.js";
import { placeMap } from "../map.js";
import { districtAt, districtsOf, outside, placeOf } from "../places.js";
import { inWords } from "../problems.js";
import { metres, point, t } from "../texts.js";

// Metres. Beyond this, a position says the region and no more.
const FAR_OFF = 1000;
const GOOD_ENOUGH = 15;
// More than this the server does not take: it says no more than that one is somewhere.
const FARTHEST_OFF = 100_000;
const LONGEST_SEARCH_MS = 30_000;
const OUTLINES_MS = 2500;

export async function show() {
  const draft = await draftOrHome();
  if (!draft) return null;
  return new PlaceScreen(draft).screen();
}

class PlaceScreen {
  constructor(draft) {
    this.draft = draft;
    this.watch = null;
    this.search = null; // whose findings still count
    this.asked = 0;
    this.gone = false;
  }

  screen() {
    this.canvas = h("div", {
      class: "place-map",
      id: "map",
      role: "application",
      "aria-label": t("map_label"),
      "aria-describedby": "place-name map-keys",
      tabindex: "0",
    });
    this.gpsButton = button(t("gps_use"), { icon: "target", kind: "quiet gps", onclick: () => this.locate() });
    this.trouble = h("div", { id: "gps-trouble", role: "alert" });
    this.name = h("p", { id: "place-name", class: "place-name" }, t("place_none"));
    this.exact = h("p", { id: "place-exact", class: "place-exact" });
    this.border = h("div", { class: "border-choice" });
    this.hint = h("input", {
      id: "place-hint",
      type: "text",
      maxlength: "300",
      autocomplete: "off",
      enterkeyhint: "done",
      value: this.draft.placeHint,
      oninput: () => this.typing.changed(),
    });
    this.typing = afterTyping(() => ({ placeHint: this.hint.value.trim() }));
    const wrap = h(
      "div",
      { class: "map-wrap" },
      this.canvas,
      h("div", { class: "pin-fixed", "aria-hidden": "true" }, icon("place")),
      this.gpsButton,
      h("p", { class: "map-wait", id: "map-wait" }, t("map_wait")),
    );
    return {
      title: t("place_title"),
      kind: "step step-place",
      content: [
        stepHead(1, t("place_title")),
        h("p", { id: "map-keys", class: "visually-hidden" }, t("map_keys")),
        wrap,
        h(
          "div",
          { class: "place-sheet" },
          this.trouble,
          h("div", { class: "place-now" }, icon("pin"), h("div", {}, this.name, this.exact)),
          this.border,
          field(this.hint, t("place_hint"), { hint: t("place_hint_example") }),
          this.chooser(),
        ),
        bar(button(t("place_use"), { icon: "next", kind: "wide", onclick: (event) => once(event.currentTarget, () => this.goOn()) })),
      ],
      ready: () => this.start(),
      leave: () => this.leave(),
    };
  }

  async start() {
    try {
      this.map = await placeMap(this.canvas, {
        location: this.draft.location,
        onMoved: (location, byHand) => byHand && this.moved(location),
      });
    } catch (problem) {
      console.warn(problem);
      document.getElementById("map-wait").textContent = t("map_unavailable");
    }
    if (this.gone) return this.map?.remove();
    if (this.map) {
      document.getElementById("map-wait").remove();
      this.map.drawn.then((provinces) => this.offer(provinces));
    }
    if (this.draft.location) {
      if (this.draft.placed === "gps" && this.draft.accuracy) this.map?.mark(this.draft.location, this.draft.accuracy);
      await this.describe();
    } else this.locate();
    return undefined;
  }

  async leave() {
    this.gone = true;
    this.stopGps();
    await this.map?.rest();
    this.map?.remove();
    await this.typing.leave();
  }

  // GPS: asked on this screen, and off again as soon as it is of no use.

  locate() {
    this.stopGps();
    this.trouble.replaceChildren();
    if (!navigator.geolocation) return this.gpsFailed({ code: 0 });
    this.gpsButton.classList.add("is-busy");
    if (!this.draft.location) this.write(t("gps_searching"));
    this.best = Infinity;
    this.search = Symbol("search");
    this.watch = navigator.geolocation.watchPosition(
      ({ coords }) => this.found(coords),
      (failure) => this.gpsFailed(failure),
      { enableHighAccuracy: true, maximumAge: 10_000, timeout: LONGEST_SEARCH_MS },
    );
    this.limit = setTimeout(() => this.stopGps(), LONGEST_SEARCH_MS);
    return undefined;
  }

  stopGps() {
    clearTimeout(this.limit);
    if (this.watch !== null) navigator.geolocation.clearWatch(this.watch);
    this.watch = null;
    this.gpsButton.classList.remove("is-busy");
  }

  async found({ latitude, longitude, accuracy: said }) {
    const accuracy = Math.min(said, FARTHEST_OFF);
    if (this.gone || this.watch === null || accuracy >= this.best) return;
    this.best = accuracy;
    if (accuracy <= GOOD_ENOUGH) this.stopGps();
    const location = { lon: longitude, lat: latitude };
    const { search } = this;
    const isOutside = await this.isOutside(location);
    // Meanwhile the person has said where it is.
    if (this.gone || search !== this.search) return;
    if (isOutside) {
      this.stopGps();
      this.map?.whole();
      await save({ location: null, accuracy: null, placed: null, district: null });
      this.write(t("place_none"));
      return this.complain("gps_outside");
    }
    this.map?.mark(location, accuracy);
    this.map?.go(location, this.map.zoomFor(accuracy));
    await save({ location, accuracy, placed: "gps", district: null });
    this.trouble.replaceChildren();
    if (accuracy > FAR_OFF) this.complain("gps_far", { distance: metres(accuracy) });
    await this.describe();
  }

  gpsFailed({ code }) {
    if (this.gone) return;
    this.stopGps();
    if (this.draft.location) return this.complain(code === 1 ? "gps_denied" : "gps_failed");
    this.write(t("place_none"));
    this.complain(code === 1 ? "gps_denied" : "gps_failed");
  }

  complain(key, values = {}) {
    this.trouble.replaceChildren(
      note("warning", "warning", h("p", {}, h("strong", {}, t(`${key}_title`, values)), " ", t(key, values))),
    );
  }

  // The pin

  /** Resolves when it is written down; the names under the map come later. */
  async moved(location) {
    this.placeByHand();
    this.trouble.replaceChildren();
    if (await this.isOutside(location)) return this.isNot();
    await save({ location, accuracy: null, placed: "hand", district: null });
    this.describe();
  }

  placeByHand() {
    this.stopGps();
    this.search = null;
  }

  async isOutside({ lon, lat }) {
    // Without outlines on the phone nobody knows here, and nobody waits; the server will.
    return orNothing(Promise.race([outside(lon, lat), later(OUTLINES_MS, false)]), false);
  }

  /** The names under the map; what is not known by now is not waited for. */
  async describe() {
    const { location, accuracy } = this.draft;
    const mine = ++this.asked;
    this.border.replaceChildren();
    this.write(t("place_searching"));
    const isStale = () => mine !== this.asked || this.gone;
    const answer = placeOf(location.lon, location.lat, accuracy);
    // What the phone knows by itself is there sooner than a slow server's answer.
    const soon = orNothing(districtAt(location.lon, location.lat)).then(
      (place) => place && !isStale() && this.name.textContent === t("place_searching") && this.named({ ...place, offline: true }),
    );
    try {
      const place = await answer;
      if (isStale()) return;
      this.named(place);
      if (place.near_border) this.askSide(place);
    } catch (problem) {
      if (isStale()) return;
      if (problem.type === "outside-panama") {
        await this.isNot();
      } else {
        inWords(problem);
        await soon;
        if (this.name.textContent === t("place_searching")) this.named(null);
      }
    }
  }

  named(place) {
    this.write((place && places(place)) || t("place_unnamed"));
    this.exact.textContent = this.doubts(place);
  }

  /** No place of a report: nothing can be sent from here. */
  async isNot() {
    await save({ location: null, accuracy: null, placed: null, district: null });
    this.write(t("place_outside"));
    this.border.replaceChildren();
    this.complain("pin_outside");
  }

  doubts(place) {
    const { location, accuracy } = this.draft;
    const words = [accuracy ? `${point(location)} · ± ${metres(accuracy)}` : point(location)];
    if (place?.offline) words.push(t("place_offline"));
    return words.join(". ");
  }

  write(words) {
    this.name.textContent = words;
    if (!this.draft.location) this.exact.textContent = "";
    announce(words);
  }

  askSide({ district, near_border: other }) {
    const choose = (code, pressed) => {
      save({ district: code });
      for (const option of this.border.querySelectorAll("button")) {
        option.setAttribute("aria-pressed", String(option === pressed));
      }
    };
    const option = ({ code, name }) =>
      button(name, {
        kind: "quiet choice",
        "aria-pressed": String(this.draft.district === code),
        onclick: (event) => choose(code, event.currentTarget),
      });
    this.border.replaceChildren(
      h(
        "fieldset",
        { class: "note note-warning" },
        h("legend", {}, t("border_title")),
        h("p", {}, t("border_text", { distance: metres(other.distance), name: other.name })),
        h("div", { class: "choices" }, option(district), option(other)),
      ),
    );
    this.border.scrollIntoView({ block: "nearest" });
    announce(t("border_title"));
  }

  // Without GPS and without patience for a map: by name.

  chooser() {
    this.provinces = h("select", { id: "go-province", onchange: () => this.toProvince() }, h("option", { value: "" }, t("choose")));
    this.districts = h("select", { id: "go-district", disabled: true, onchange: () => this.toDistrict() }, h("option", { value: "" }, t("choose")));
    this.byName = h(
      "details",
      { class: "by-name", hidden: true },
      h("summary", {}, t("by_name")),
      h("div", { class: "pair" }, field(this.provinces, t("province")), field(this.districts, t("district"))),
    );
    return this.byName;
  }

  offer(provinces) {
    const inside = provinces.filter(({ properties }) => properties.kind !== "abroad");
    if (this.gone || !inside.length) return;
    this.inside = inside;
    this.provinces.append(...options(inside));
    this.byName.hidden = false;
  }

  async toProvince() {
    const code = this.provinces.value;
    this.districts.disabled = true;
    this.districts.replaceChildren(h("option", { value: "" }, t("choose")));
    if (!code) return;
    this.placeByHand();
    this.map.fit(this.inside.find(({ properties }) => properties.code === code));
    try {
      this.among = await districtsOf(code);
    } catch (problem) {
      inWords(problem);
      this.among = [];
    }
    this.districts.append(...options(this.among));
    this.districts.disabled = !this.among.length;
  }

  toDistrict() {
    const chosen = this.among.find(({ properties }) => properties.code === this.districts.value);
    if (chosen) this.map.fit(chosen);
  }

  async goOn() {
    await this.map?.rest();
    if (this.draft.location) return next(1);
    this.complain("place_missing");
    this.canvas.focus();
    return undefined;
  }
}

const later = (wait, value) => new Promise((resolve) => setTimeout(resolve, wait, value));

/** `otherwise` where the network or the server cannot help. */
async function orNothing(answer, otherwise = null) {
  try {
    return await answer;
  } catch (problem) {
    inWords(problem);
    return otherwise;
  }
}

function options(features) {
  return [...features]
    .sort((one, other) => one.properties.name.localeCompare(other.properties.name, "es"))
    .map(({ properties }) => h("option", { value: properties.code }, properties.name));
}
