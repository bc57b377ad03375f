// One map with all that lies on it: outlines, heat or districts, markers; and the first of
// them, which has the buttons and goes to places.

import { Basemap, boundsOf } from "./basemap.js";
import { Heat } from "./heat.js";
import { Markers } from "./markers.js";
import { config, create, icon, number, text, toast } from "./texts.js";

// From here on a case is a marker, and the heat steps back.
export const MARKERS_FROM = 14;

// Pixels around what is gone to; the box over the map of a narrow screen needs more.
const EDGE = 10;
const BOX = 62;

const $ = (selector) => document.querySelector(selector);
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const map = window[config.map];
const panama = L.latLngBounds(config.bounds);

export class Pane {
  constructor(map, layers, scale) {
    this.map = map;
    this.heat = new Heat(map, layers, scale);
    this.markers = new Markers(map);
    this.basemap = new Basemap(map, config.basemap, {
      caribbean: text("caribbean"),
      pacific: text("pacific"),
    });
    map.setMinZoom(5.5).setMaxZoom(18);
    map.attributionControl.setPrefix(false).addAttribution(text("credit"));
  }

  /** Before its map is removed. */
  stop() {
    this.heat.stop();
    this.basemap.leave();
  }

  get isClose() {
    return this.map.getZoom() >= MARKERS_FROM;
  }

  /** Answers by state, of the heat and of the cases; without `cells`, no heat. */
  show(cells, features) {
    this.heat.draw(cells);
    this.map.getContainer().classList.toggle("is-close", this.isClose);
    this.markers.show(this.isClose ? features : []);
  }
}

// ── Where to look, on the first map ──────────────────────────────────────────────

/** To a place, or else to the whole country. */
export function goTo(bounds = panama, options = {}) {
  const { y } = map.getSize();
  const isOver = $("#search").offsetParent !== null && getComputedStyle($("#search")).position === "absolute";
  const paddingTopLeft = [EDGE, isOver && y > 4 * BOX ? BOX : EDGE];
  map.fitBounds(bounds, { paddingTopLeft, paddingBottomRight: [EDGE, EDGE], ...options });
}

/** The places of the country, to go to without dragging. */
export function offerPlaces(provinces) {
  const places = new Map(provinces.map((feature) => [feature.properties.code, boundsOf(feature)]));
  places.set("all", panama);
  const select = $("#go-to");
  for (const option of select.options) option.disabled = option.value !== "" && !places.has(option.value);
  select.addEventListener("change", () => places.has(select.value) && goTo(places.get(select.value)));
  // The same place can be chosen again; who goes through them by keys goes on from the last.
  const giveBack = () => (select.value = "");
  map.on("moveend", () => select.matches(":focus") || giveBack());
  for (const event of ["blur", "pointerdown"]) select.addEventListener(event, giveBack);
}

/** `onLeave` before going elsewhere by a button. */
export function addControls(onLeave) {
  const [zoomInTitle, zoomOutTitle] = [text("zoom_in"), text("zoom_out")];
  L.control.zoom({ position: "topright", zoomInTitle, zoomOutTitle }).addTo(map);
  const marked = L.layerGroup().addTo(map);
  const here = L.control({ position: "topright" });
  here.onAdd = () => {
    const bar = create("div", "leaflet-bar");
    const button = create("button", "near-me");
    button.type = "button";
    button.title = text("near_me");
    button.setAttribute("aria-label", text("near_me"));
    button.append(icon("here"));
    button.addEventListener("click", () => {
      onLeave();
      goHere(button, marked);
    });
    L.DomEvent.disableClickPropagation(bar);
    bar.append(button);
    return bar;
  };
  here.addTo(map);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
}

async function goHere(button, marked) {
  button.setAttribute("aria-busy", "true");
  try {
    const { goToMyPlace } = await import("./here.js");
    const metres = await goToMyPlace(map, L.latLngBounds(map.options.maxBounds), marked);
    toast(text("you_are_here", { metres: number(metres) }));
  } catch (problem) {
    toast(text(problem instanceof RangeError ? "not_in_panama" : "no_place"));
    console.warn(problem);
  }
  button.removeAttribute("aria-busy");
}

/** Who asked for no motion gets none: neither zooming nor sliding. */
export function keepStill() {
  if (!calm.matches) return;
  Object.assign(map.options, { inertia: false, zoomAnimation: false });
  map._zoomAnimated = false;
  map.panBy = (offset, options) => L.Map.prototype.panBy.call(map, offset, { ...options, animate: false });
}
