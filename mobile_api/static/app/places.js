// Where a point is: asked of the server, or found on the phone from our own outlines.

import * as api from "./api.js";
import { keep, onlyIfFull } from "./store.js";

const ADDRESSES = "/reportar/limites.json";
const KEPT = "311-movil-outlines";
const KEY = "outlines";
// As far outside every outline as the server still takes for Panama, and as far inside
// a neighbour's; the country's outlines here are drawn some hundred metres coarser.
const SNAP_METRES = 15000;
const BORDER_METRES = 800;
const METRES_PER_DEGREE = 111195;
const PAUSE_MS = 200;

let country = null;
const districts = new Map();

/** The provinces and comarcas, and the land around (`kind: "abroad"`), as GeoJSON features. */
export function loadOutlines() {
  if (!country) {
    country = addresses().then(({ provinces }) => featuresOf(provinces));
    country.catch(() => (country = null));
  }
  return country;
}

/** The districts of a province or comarca; none where it has no outline yet. */
export function districtsOf(province) {
  if (!districts.has(province)) {
    const found = addresses().then((urls) => featuresOf(urls.districts.replace("*", province)));
    const inside = found.then((features) =>
      features.filter(({ properties }) => properties.kind === "district"),
    );
    inside.catch(() => districts.delete(province));
    districts.set(province, inside);
  }
  return districts.get(province);
}

/** Everything that is needed without a signal, in the background, a piece at a time. */
export async function keepOutlines() {
  const provinces = (await loadOutlines()).filter(isHere);
  const { connection } = navigator;
  if (connection && connection.saveData) return;
  for (const { properties } of provinces) {
    await districtsOf(properties.code);
    districts.delete(properties.code); // On the disk, not in memory.
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** `{province, district}` (`{code, name}` each, district null when unknown here), or null. */
export async function districtAt(lon, lat) {
  const point = [lon, lat];
  const provinces = (await loadOutlines()).filter(isHere);
  const near = nearest(provinces, point);
  if (!near || near.metres > SNAP_METRES) return null;
  // The coarse outline may be wrong by a field: the neighbours' districts are looked at too.
  const around = provinces.filter((place) => distance(place, point) < near.metres + BORDER_METRES);
  const inside = await Promise.all(around.map(districtsIfKept));
  const district = nearest([].concat(...inside), point);
  if (!district) return { province: named(near.place), district: null };
  const code = district.place.properties.code;
  const province = provinces.find((place) => code.startsWith(place.properties.code));
  return { province: named(province), district: named(district.place) };
}

async function districtsIfKept({ properties }) {
  try {
    return await districtsOf(properties.code);
  } catch (problem) {
    if (!(problem instanceof api.Offline)) throw problem;
    return [];
  }
}

/** As `GET places/at/` says; without the server `{offline: true, province, district}`.
 * Throws a Problem "outside-panama" either way. */
export async function placeOf(lon, lat, accuracy = null, { signal } = {}) {
  const asked = new URLSearchParams({ lat, lon });
  // As the report will say it: who is asked for a side must be able to choose one.
  if (accuracy !== null) asked.set("accuracy", accuracy);
  try {
    return (await api.get(`places/at/?${asked}`, { signal })).body;
  } catch (problem) {
    if (!isAway(problem)) throw problem;
  }
  if (await outside(lon, lat)) throw new api.Problem(422, { type: "outside-panama" }, null);
  return { offline: true, corregimiento: null, ...(await districtAt(lon, lat)) };
}

const isAway = (problem) =>
  problem instanceof api.Offline ||
  (problem instanceof api.Problem && (problem.status >= 500 || problem.status === 429));

/** Whether the server would say that this is not in Panama. */
export async function outside(lon, lat) {
  const outlines = await loadOutlines();
  const here = nearest(outlines.filter(isHere), [lon, lat]);
  if (!here || here.metres > SNAP_METRES) return true;
  if (here.metres === 0) return false;
  const abroad = outlines.filter((place) => !isHere(place));
  return here.metres > BORDER_METRES && abroad.some((place) => contains(place, [lon, lat]));
}

const isHere = ({ properties }) => properties.kind === "province" || properties.kind === "comarca";
const named = ({ properties: { code, name } }) => ({ code, name });

// ── Fetching and keeping ────────────────────────────────────────────────────────

let urls = null;

function addresses() {
  if (!urls) {
    urls = askAddresses();
    urls.catch(() => (urls = null));
  }
  return urls;
}

async function askAddresses() {
  const kept = await keep.get(KEY);
  let said = kept;
  try {
    said = await answerOf(await fetch(ADDRESSES));
  } catch (problem) {
    if (!kept) throw new api.Offline(problem);
    return kept;
  }
  if (!kept || kept.provinces !== said.provinces) {
    // New boundaries have new addresses; the old ones only take room.
    if (kept && self.caches) await caches.delete(KEPT);
    await keep.set(KEY, said).catch(onlyIfFull);
  }
  return said;
}

async function featuresOf(url) {
  const cache = self.caches ? await caches.open(KEPT) : null;
  const kept = cache && (await cache.match(url));
  if (kept) return (await kept.json()).features;
  let response;
  try {
    response = await fetch(url);
  } catch (problem) {
    throw new api.Offline(problem);
  }
  if (response.status === 404) return [];
  const copy = response.clone();
  const { features } = await answerOf(response);
  if (cache) await cache.put(url, copy).catch(onlyIfFull);
  return features;
}

async function answerOf(response) {
  const type = response.headers.get("Content-Type") || "";
  if (!response.ok || !/json\b/.test(type)) {
    throw new api.Offline(new Error(`no outlines: ${response.status}`));
  }
  try {
    return await response.json();
  } catch (cut) {
    throw new api.Offline(cut);
  }
}

// ── Plane geometry: good to a few metres at a border, which is all that is asked ────

function nearest(places, point) {
  let best = null;
  for (const place of places) {
    const metres = distance(place, point, best ? best.metres : Infinity);
    if (!best || metres < best.metres) best = { place, metres };
    if (metres === 0) break;
  }
  return best;
}

/** In metres, 0 inside; `atLeast` where it is no nearer than that. */
function distance(place, point, atLeast = Infinity) {
  if (fromBox(place.bbox, point) >= atLeast) return atLeast;
  if (contains(place, point)) return 0;
  return Math.min(...ringsOf(place).map((ring) => fromRing(ring, point)));
}

const ringsOf = ({ geometry: { type, coordinates } }) =>
  type === "Polygon" ? coordinates : [].concat(...coordinates);

/** By counting crossings: holes count themselves out. */
function contains(place, [x, y]) {
  if (fromBox(place.bbox, [x, y]) > 0) return false;
  let inside = false;
  for (const ring of ringsOf(place)) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [x1, y1] = ring[i];
      const [x2, y2] = ring[j];
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) inside = !inside;
    }
  }
  return inside;
}

function fromBox([west, south, east, north], [x, y]) {
  const dx = Math.max(west - x, 0, x - east);
  const dy = Math.max(south - y, 0, y - north);
  return metres(dx, dy, y);
}

function fromRing(ring, point) {
  let best = Infinity;
  for (let i = 1; i < ring.length; i += 1) {
    best = Math.min(best, fromSegment(ring[i - 1], ring[i], point));
  }
  return best;
}

function fromSegment([x1, y1], [x2, y2], [x, y]) {
  const squeeze = Math.cos((y * Math.PI) / 180);
  const [dx, dy] = [(x2 - x1) * squeeze, y2 - y1];
  const [px, py] = [(x - x1) * squeeze, y - y1];
  const length = dx * dx + dy * dy;
  const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
  return Math.hypot(px - along * dx, py - along * dy) * METRES_PER_DEGREE;
}

const metres = (dx, dy, lat) =>
  Math.hypot(dx * Math.cos((lat * Math.PI) / 180), dy) * METRES_PER_DEGREE;
