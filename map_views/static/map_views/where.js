// Where to look: the places to go to, the map's buttons, and where one stands.

import { boundsOf } from "./basemap.js";
import { toast } from "./telling.js";
import { config, create, icon, number, text } from "./texts.js";

// Pixels around what is gone to; the box over the map of a narrow screen needs more.
const EDGE = 10;
const BOX = 62;

const $ = (selector) => document.querySelector(selector);
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const map = window[config.map];
const panama = L.latLngBounds(config.bounds);

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
  // Somewhere else by now: the same place can be chosen again.
  map.on("moveend", () => (select.value = ""));
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
