// A second map with a second period: beside the first, or on a phone under a line that
// one slides over both.

import { Pane } from "./pane.js";
import { config, create, text } from "./texts.js";

const MIDDLE = 50;
const STEP = 5;
const side = window.matchMedia("(min-width: 860px)");

export class Comparison {
  /** `seen` is what the first map is to go on showing in its half, or null. */
  constructor(first, scale, seen) {
    this.first = first;
    this.before = [first.map.getCenter(), first.map.getZoom()];
    this.stage = document.querySelector("#stage");
    const element = create("div", "map map-b");
    element.setAttribute("role", "region");
    element.setAttribute("aria-label", text("second_map"));
    first.map.getContainer().after(element);
    this.map = L.map(element, optionsOf(first.map));
    this.map.setView(first.map.getCenter(), first.map.getZoom(), { animate: false });
    for (const pane of ["land", "borders", "labels"]) {
      this.map.createPane(pane).style.zIndex = first.map.getPane(pane).style.zIndex;
    }
    const layers = Object.fromEntries(
      Object.entries(config.layers).map(([state, name]) => [
        state,
        L.heatLayer([], { ...window[name].options }).addTo(this.map),
      ]),
    );
    this.pane = new Pane(this.map, layers, scale);
    this.name = create("p", "period-name name-b");
    this.divider = this.makeDivider();
    element.after(this.divider, this.name);
    this.stage.classList.add("is-compared");
    this.follow();
    this.layOut = () => {
      // A sheet of paper is narrow, and keeps what the screen had.
      if (document.documentElement.classList.contains("is-printing")) return;
      this.stage.classList.toggle("is-side-by-side", side.matches);
      this.slideTo(MIDDLE);
      for (const { map } of [this.first, this.pane]) map.invalidateSize({ animate: false });
    };
    side.addEventListener("change", this.layOut);
    this.layOut();
    this.keepSeen(seen);
  }

  /** Half as wide, a map would show half the country, and count half the cases. */
  keepSeen(seen) {
    if (!seen || !side.matches) return;
    const { map } = this.first;
    map.fitBounds(seen, { animate: false });
    this.fitted = [map.getCenter(), map.getZoom()];
  }

  /** Whether nobody went elsewhere since. */
  get isAsFitted() {
    const { map } = this.first;
    return Boolean(this.fitted) && map.getCenter().equals(this.fitted[0]) && map.getZoom() === this.fitted[1];
  }

  start() {
    return this.pane.basemap.start();
  }

  stop() {
    const { isAsFitted } = this;
    side.removeEventListener("change", this.layOut);
    this.first.map.off("move zoomanim", this.onFirst);
    this.pane.stop();
    this.map.remove();
    for (const element of [this.map.getContainer(), this.divider, this.name]) element.remove();
    this.stage.classList.remove("is-compared", "is-side-by-side");
    this.first.map.invalidateSize({ animate: false });
    if (isAsFitted) this.first.map.setView(...this.before, { animate: false });
  }

  /** Both show the same place: whichever moves, the other does too. */
  follow() {
    let isFollowing = false;
    const lead = (leader, follower) => (event) => {
      if (isFollowing) return;
      isFollowing = true;
      if (event.type === "zoomanim") follower.setView(event.center, event.zoom);
      else follower.setView(leader.getCenter(), leader.getZoom(), { animate: false });
      isFollowing = false;
    };
    this.onFirst = lead(this.first.map, this.map);
    this.first.map.on("move zoomanim", this.onFirst);
    this.map.on("move zoomanim", lead(this.map, this.first.map));
  }

  // ── The line over both, on a phone ─────────────────────────────────────────

  makeDivider() {
    const divider = create("div", "divider");
    divider.tabIndex = 0;
    divider.setAttribute("role", "slider");
    divider.setAttribute("aria-label", text("divider"));
    divider.setAttribute("aria-valuemin", "0");
    divider.setAttribute("aria-valuemax", "100");
    divider.append(create("span", "divider-grip"));
    divider.addEventListener("keydown", (event) => {
      const to = { ArrowLeft: this.at - STEP, ArrowRight: this.at + STEP, Home: 0, End: 100 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      this.slideTo(to);
    });
    divider.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      divider.focus();
      divider.setPointerCapture(event.pointerId);
      let hasMoved = false;
      const move = ({ clientX }) => {
        hasMoved = true;
        const { left, width } = this.stage.getBoundingClientRect();
        this.slideTo((100 * (clientX - left)) / width);
      };
      divider.addEventListener("pointermove", move);
      // A press without a drag shows one of the two whole, and then the other.
      const end = () => {
        divider.removeEventListener("pointermove", move);
        if (!hasMoved) this.slideTo(this.at > MIDDLE ? 8 : 92);
      };
      divider.addEventListener("pointerup", end, { once: true });
    });
    return divider;
  }

  slideTo(share) {
    this.at = Math.min(100, Math.max(0, share));
    this.divider.style.left = `${this.at}%`;
    this.divider.setAttribute("aria-valuenow", String(Math.round(this.at)));
    this.map.getContainer().style.clipPath = side.matches ? "" : `inset(0 0 0 ${this.at}%)`;
  }
}

function optionsOf(map) {
  const { maxBounds, maxBoundsViscosity, zoomSnap } = map.options;
  return { maxBounds, maxBoundsViscosity, zoomSnap, zoomControl: false, center: map.getCenter(), zoom: map.getZoom() };
}
