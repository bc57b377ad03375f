// The map one places a report on: it moves under a pin that stays in the middle.

import { announce } from "./dom.js";
import { config, t } from "./texts.js";

// Degrees: the whole country.
const PANAMA = [
  [7.0, -83.1],
  [9.8, -77.1],
];
export const CLOSE = 16;
const DISTRICT = 12;
const STEP_PX = 40;
const FINE_PX = 6;
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const SETTLED_MS = 250;

const GPS_PANE = "gps";

let leaflet = null;

/** Leaflet and our outlines, once; a failure may be tried again. */
export function loadLeaflet() {
  leaflet ??= Promise.all([import(config.map.basemap), script(config.map.script), ...config.map.styles.map(style)])
    .then(([{ Basemap, boundsOf }]) => ({ Basemap, boundsOf }))
    .catch((problem) => {
      leaflet = null;
      throw problem;
    });
  return leaflet;
}

function script(src) {
  return added(Object.assign(document.createElement("script"), { src }));
}

function style(href) {
  return added(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

function added(element) {
  return new Promise((resolve, reject) => {
    element.addEventListener("load", resolve);
    element.addEventListener("error", () => {
      element.remove();
      reject(new Error(`not loaded: ${element.src || element.href}`));
    });
    document.head.append(element);
  });
}

/**
 * `element` becomes the map. `onMoved({lon, lat}, byHand)` is called when it has come to
 * rest; `byHand` is false for what `go` did.
 */
export async function placeMap(element, { location, onMoved }) {
  const { Basemap, boundsOf } = await loadLeaflet();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const map = L.map(element, {
    zoomControl: false,
    keyboard: false,
    // The pin stays where it is while one looks closer.
    scrollWheelZoom: "center",
    touchZoom: "center",
    doubleClickZoom: "center",
    minZoom: 6,
    maxZoom: 18,
    maxBounds: L.latLngBounds(PANAMA).pad(0.6),
    zoomAnimation: !still,
    fadeAnimation: !still,
    inertia: !still,
  });
  if (location) map.setView([location.lat, location.lon], CLOSE);
  else map.fitBounds(PANAMA);
  map.attributionControl.setPrefix(false).addAttribution(t("map_credit"));
  L.control.zoom({ zoomInTitle: t("map_in"), zoomOutTitle: t("map_out"), position: "topright" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);

  const basemap = new (steady(Basemap))(map, outlines(), {
    caribbean: t("map_caribbean"),
    pacific: t("map_pacific"),
  });
  let byHand = false;
  // Where it will come to rest, of a way that it has just begun.
  let aim = null;
  let timer = null;
  let seen = null;
  const here = new GpsMark(map);

  const middle = () => {
    const { lat, lng } = aim ?? map.getCenter();
    return { lat, lon: lng };
  };
  const told = () => {
    clearTimeout(timer);
    const hand = byHand;
    byHand = false;
    return onMoved(middle(), hand);
  };
  const settled = () => {
    clearTimeout(timer);
    timer = setTimeout(told, SETTLED_MS);
  };

  map.on("dragstart", () => (byHand = true));
  map.on("moveend", () => (aim = null));
  map.on("click", ({ latlng }) => {
    byHand = true;
    aim = latlng;
    // A tap far away comes closer at the same time: one thumb is enough.
    map.setView(latlng, Math.max(map.getZoom(), Math.min(map.getZoom() + 3, DISTRICT + 2)), { animate: !still });
  });
  map.on("moveend", () => byHand && settled());
  element.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== element) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const step = event.shiftKey ? FINE_PX : STEP_PX;
      byHand = true;
      map.panBy([arrow[0] * step, arrow[1] * step], { animate: false });
    } else if (event.key === "+" || event.key === "=") map.zoomIn();
    else if (event.key === "-") map.zoomOut();
    else return;
    event.preventDefault();
  });
  element.tabIndex = 0;
  map.on("zoomend", () => {
    if (seen !== null && seen !== map.getZoom() && document.activeElement === element) {
      announce(t("map_zoom", { n: map.getZoom() - map.getMinZoom() + 1 }));
    }
    seen = map.getZoom();
  });

  // The map is of use before its outlines are there, and without them.
  const drawn = basemap.start().catch((problem) => {
    console.warn(problem);
    return [];
  });

  return {
    drawn,
    middle,
    zoom: () => map.getZoom(),
    /** Moves the map itself, not by the person's hand. */
    go({ lon, lat }, zoom = CLOSE) {
      byHand = false;
      map.setView([lat, lon], zoom, { animate: false });
    },
    /** Shows the whole of a place, which counts as chosen by hand. */
    fit(feature) {
      byHand = true;
      map.fitBounds(boundsOf(feature), { animate: false });
      settled();
    },
    whole() {
      byHand = false;
      map.fitBounds(PANAMA, { animate: false });
    },
    /** Where the phone believes to be, and how sure it is. */
    mark: (location, accuracy) => here.put(location, accuracy),
    zoomFor(accuracy) {
      const size = Math.min(map.getSize().x, map.getSize().y);
      const metresAtZero = 156_543 * Math.cos((8.5 * Math.PI) / 180);
      return Math.max(8, Math.min(CLOSE, Math.floor(Math.log2((metresAtZero * size * 0.42) / Math.max(accuracy, 1)))));
    },
    /** What the person has moved counts at once; resolves when `onMoved` has dealt with it. */
    rest: () => (byHand ? told() : undefined),
    remove() {
      clearTimeout(timer);
      // Leaflet would end the animation of a map that is gone.
      map._animatingZoom = false;
      map.remove();
    },
  };
}

/** Their addresses, `*` for the code of the place around; null while none are loaded. */
function outlines() {
  if (!config.outlines) return null;
  const { provinces, districts, corregimientos } = config.outlines;
  const around = (url) => url.replace("/0.geojson", "/*.geojson");
  return { provinces, districts: around(districts), corregimientos: around(corregimientos) };
}

/** Outlines that cannot be had (no network, never seen) leave those that can. */
function steady(Basemap) {
  return class extends Basemap {
    async refine() {
      try {
        await super.refine();
      } catch (problem) {
        console.info(`outlines: ${problem.name}`);
        if (this.map.getPane("labels")) this.swap();
      }
    }
  };
}

class GpsMark {
  constructor(map) {
    this.map = map;
    this.circle = null;
    // Over the land, which is drawn later.
    map.createPane(GPS_PANE).style.zIndex = 450;
  }

  put({ lon, lat }, accuracy) {
    const at = [lat, lon];
    if (!this.circle) {
      this.circle = L.circle(at, { radius: accuracy, pane: GPS_PANE, className: "gps-circle", interactive: false }).addTo(this.map);
      this.dot = L.circleMarker(at, { radius: 6, pane: GPS_PANE, className: "gps-dot", interactive: false }).addTo(this.map);
    }
    this.circle.setLatLng(at).setRadius(accuracy);
    this.dot.setLatLng(at);
  }
}
