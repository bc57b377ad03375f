// The map under the heat: our own outlines, finer as one comes closer, and their names.

import { onScheme } from "./scheme.js";

const DISTRICTS_FROM = 8.75;
const CORREGIMIENTOS_FROM = 11.75;
const LABELS_FROM = { abroad: 99, province: 0, comarca: 0, district: 9.25, corregimiento: 12.5 };
const IMPORTANCE = { sea: 9, province: 1, comarca: 1, district: 2, corregimiento: 3 };
const SEAS = [
  ["caribbean", 9.62, -80.3],
  ["pacific", 7.05, -79.5],
];

export class Basemap {
  /** `urls` as the server gives them; `names` the words for the seas. */
  constructor(map, urls, names) {
    Object.assign(this, { map, urls, names });
    for (const pane of ["land", "borders", "labels"]) {
      if (!map.getPane(pane)) map.createPane(pane).classList.add(`pane-${pane}`);
    }
    this.land = L.canvas({ pane: "land", padding: 0.4 });
    this.lines = L.canvas({ pane: "borders", padding: 0.4 });
    this.drawn = new Map();
    this.asked = new Map();
    this.tints = null;
    this.labels = [];
    map.getPane("labels").setAttribute("aria-hidden", "true");
    this.leave = onScheme(() => this.paint());
  }

  /** The country; resolves to the provinces' features, when they are drawn. */
  async start() {
    if (!this.urls) return [];
    if (!this.provinces) await this.drawCountry();
    await this.refine();
    return this.provinces;
  }

  async drawCountry() {
    this.provinces = await this.fetched(this.urls.provinces);
    for (const feature of this.provinces) this.draw(feature);
    for (const [name, lat, lng] of SEAS) {
      if (this.names[name]) this.label("sea", this.names[name], [lng, lat]);
    }
    this.map.on("moveend", () => this.refine().catch(() => undefined));
  }

  /** Districts and corregimientos of what the view shows, if it is close enough. */
  async refine() {
    const zoom = this.map.getZoom();
    const view = this.map.getBounds().pad(0.1);
    this.swap();
    if (zoom >= DISTRICTS_FROM) {
      await Promise.all(inView(this.provinces, view).map((place) => this.inside("districts", place)));
    }
    if (zoom >= CORREGIMIENTOS_FROM) {
      const districts = [...this.asked.values()].flatMap((found) => found.districts ?? []);
      await Promise.all(inView(districts, view).map((place) => this.inside("corregimientos", place)));
    }
    this.swap();
  }

  /** Colours districts by their code, at every zoom; null gives the land back. */
  async tint(tints) {
    // At once: what is asked for while the outlines are on their way is what counts.
    this.tints = tints;
    if (tints && this.urls) await this.drawAllDistricts();
    this.swap();
    this.paint();
  }

  async drawAllDistricts() {
    this.coarse ??= this.fetched(this.urls.all_districts);
    const found = await this.coarse.catch((problem) => {
      this.coarse = null;
      throw problem;
    });
    if (this.allDistricts) return;
    this.allDistricts = found;
    for (const feature of found) {
      const coarse = { kind: "coarse", code: feature.properties.code };
      this.draw({ ...feature, properties: coarse });
    }
  }

  async inside(level, place) {
    const key = `${level}/${place.properties.code}`;
    if (this.asked.has(key) || place.properties.kind === "abroad") return;
    this.asked.set(key, {});
    try {
      const found = await this.fetched(this.urls[level].replace("*", place.properties.code));
      for (const feature of found) this.draw(feature, place.properties.kind);
      this.asked.set(key, { [level]: found.filter((f) => f.properties.kind === "district") });
    } catch (problem) {
      this.asked.delete(key);
      throw problem;
    }
  }

  async fetched(url) {
    const answer = await fetch(url);
    if (answer.status === 404) return [];
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
    return (await answer.json()).features;
  }

  draw(feature, around) {
    const { kind, code, name, label } = feature.properties;
    const level = kind === "comarca" && code.length > 2 ? "corregimiento" : kind;
    const fill = around === "comarca" && level === "district" ? "comarca" : level;
    const layers = [];
    if (level !== "border" && level !== "corregimiento") {
      layers.push(this.shape(feature, "land", fill));
    }
    if (level !== "abroad") layers.push(this.shape(feature, "borders", level));
    this.drawn.set(`${level}/${code}`, { level, code, layers });
    if (name) this.label(level, name, label);
  }

  shape(feature, pane, kind) {
    const renderer = pane === "land" ? this.land : this.lines;
    const { code } = feature.properties;
    const style = () => (pane === "land" ? this.landStyle(kind, code) : borderStyle(kind));
    const layer = L.geoJSON(feature, { pane, renderer, interactive: false, smoothFactor: 0.7, style });
    layer.repaint = () => layer.setStyle(style());
    return layer;
  }

  /** Shows the grain that fits the zoom: a province's coarse shape until its districts. */
  swap() {
    const zoom = this.map.getZoom();
    for (const { level, code, layers } of this.drawn.values()) {
      const shown = this.isShown(level, code, zoom);
      for (const layer of layers) {
        if (shown && !this.map.hasLayer(layer)) layer.addTo(this.map);
        if (!shown && this.map.hasLayer(layer)) layer.remove();
      }
    }
    this.map.getPane("labels").classList.toggle("is-far", zoom < 7);
    this.arrange(zoom);
  }

  isShown(level, code, zoom) {
    const finer = zoom >= DISTRICTS_FROM && this.drawn.has(`border/${code.slice(0, 2)}`);
    if (level === "coarse") return this.tints !== null && !finer;
    if (level === "province" || level === "comarca") return !finer;
    if (level === "corregimiento") return zoom >= CORREGIMIENTOS_FROM;
    return level === "abroad" || zoom >= DISTRICTS_FROM;
  }

  landStyle(kind, code) {
    const tinted = ["district", "comarca", "coarse"].includes(kind) && this.tints?.get(code);
    const land = { abroad: "abroad", comarca: "comarca" }[kind] ?? "land";
    const fill = tinted || colour(land);
    // A hair of the same colour closes the seam between neighbours.
    const bare = kind === "coarse" && !tinted;
    return { fillColor: fill, fillOpacity: bare ? 0 : 1, color: fill, weight: 0.8, stroke: !bare };
  }

  paint() {
    for (const { layers } of this.drawn.values()) layers.forEach((layer) => layer.repaint());
  }

  label(kind, name, [lng, lat]) {
    const element = document.createElement("span");
    element.className = `place-label label-${kind}`;
    element.textContent = name;
    const icon = L.divIcon({ html: element, className: "", iconSize: [0, 0] });
    const marker = L.marker([lat, lng], { icon, pane: "labels", interactive: false, keyboard: false });
    this.labels.push({ kind, element, marker });
    this.labels.sort((one, other) => IMPORTANCE[one.kind] - IMPORTANCE[other.kind]);
  }

  /** Names that would lie over a more important one wait for a closer view. */
  arrange(zoom) {
    const view = this.map.getBounds().pad(0.1);
    for (const { kind, marker } of this.labels) {
      const wanted = zoom >= (LABELS_FROM[kind] ?? 0) && view.contains(marker.getLatLng());
      if (wanted && !this.map.hasLayer(marker)) marker.addTo(this.map);
      if (!wanted && this.map.hasLayer(marker)) marker.remove();
    }
    const taken = [];
    const frame = this.map.getContainer().getBoundingClientRect();
    for (const { element, marker } of this.labels) {
      if (!this.map.hasLayer(marker)) continue;
      const box = element.getBoundingClientRect();
      const cut = box.left < frame.left || box.right > frame.right;
      const crowded = cut || taken.some((other) => overlap(box, other));
      element.classList.toggle("is-crowded", crowded);
      if (!crowded) taken.push(box);
    }
  }
}

/** What a feature covers, as Leaflet has it. */
export function boundsOf({ bbox: [west, south, east, north] }) {
  return L.latLngBounds([south, west], [north, east]);
}

const inView = (features, view) => features.filter((f) => f.bbox && view.intersects(boundsOf(f)));

const overlap = (one, other) =>
  one.left < other.right + 4 &&
  other.left < one.right + 4 &&
  one.top < other.bottom + 1 &&
  other.top < one.bottom + 1;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function borderStyle(kind) {
  if (kind === "district" || kind === "coarse") return { fill: false, color: colour("border-district"), weight: 0.8 };
  if (kind === "corregimiento") {
    return { fill: false, color: colour("border-corregimiento"), weight: 0.8, dashArray: "3 3" };
  }
  return { fill: false, color: colour("border-province"), weight: 1.1 };
}
