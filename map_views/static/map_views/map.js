// The public map: loads what the view shows, and keeps map, list and counter in step.

import * as address from "./address.js";
import { Basemap, boundsOf } from "./basemap.js";
import { Heat } from "./heat.js";
import * as list from "./list.js";
import { Markers } from "./markers.js";
import { startPanel } from "./panel.js";
import { config, create, number, text, write } from "./texts.js";

// From here on a case is a marker, and the heat steps back.
const MARKERS_FROM = 14;
const MOST_MARKERS = 200;
const MOST_LISTED = 20;
// Square pixels: a view smaller than these asks for cells half, a quarter the size.
const FINER_VIEWS = [1_000_000, 260_000];
const EDGE = [10, 10];
const PAUSE_MS = 180;
const STATES = { open: ["open"], resolved: ["resolved"], both: ["open", "resolved"] };

const $ = (selector) => document.querySelector(selector);
const map = window[config.map];
const filters = $("#filters");
const heat = new Heat(map);
const markers = new Markers(map);
const basemap = new Basemap(map, config.basemap, {
  caribbean: text("caribbean"),
  pacific: text("pacific"),
});
const panama = L.latLngBounds(config.bounds);
let underWay = new AbortController();
let timer = 0;

function chosen() {
  const data = new FormData(filters);
  return { state: data.get("state"), groups: data.getAll("group"), days: data.get("days") };
}

/** Soon: a drag or a run of clicks asks once. */
function refresh() {
  address.write(chosen(), map);
  clearTimeout(timer);
  timer = setTimeout(load, PAUSE_MS);
}

async function load() {
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  $("#loading").hidden = false;
  try {
    const [cells, cases] = await Promise.all([
      ofEachState((state) => fetched(heatUrl(state), signal)),
      ofEachState((state) => fetched(casesUrl(state), signal)),
    ]);
    show(cells, cases);
    $("#trouble").hidden = true;
  } catch (problem) {
    if (signal.aborted) return;
    complain("trouble");
    console.warn(problem);
  }
  $("#loading").hidden = true;
}

async function ofEachState(ask) {
  const states = STATES[chosen().state];
  const answers = await Promise.all(states.map(ask));
  return Object.fromEntries(states.map((state, i) => [state, answers[i]]));
}

async function fetched(url, signal) {
  const answer = await fetch(url, { signal });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.json();
}

function heatUrl(state) {
  const { x, y } = map.getSize();
  // Finer cells draw better, as long as the answer stays small.
  const finer = FINER_VIEWS.filter((largest) => x * y < largest).length;
  const zoom = Math.min(18, Math.max(4, Math.round(map.getZoom()) + finer));
  return `${config.heat}?${query(state)}&zoom=${zoom}`;
}

function casesUrl(state) {
  const limit = map.getZoom() >= MARKERS_FROM ? MOST_MARKERS : MOST_LISTED;
  return `${config.cases}?${query(state)}&limit=${limit}`;
}

function query(state) {
  const { groups, days } = chosen();
  const box = map.getBounds();
  const sides = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
  const asked = new URLSearchParams({ bbox: sides.map((side) => side.toFixed(5)).join(","), state });
  if (groups.length) asked.set("group", groups.join(","));
  if (days) asked.set("since", daysAgo(days));
  return asked.toString().replaceAll("%2C", ",");
}

const daysAgo = (days) =>
  new Date(Date.now() - days * 86400000).toLocaleDateString("sv", { timeZone: "America/Panama" });

function show(cells, cases) {
  const close = map.getZoom() >= MARKERS_FROM;
  const most = close ? MOST_MARKERS : MOST_LISTED;
  const features = Object.values(cases)
    .flatMap((answer) => answer.features)
    .sort((one, other) => other.properties.filed_at.localeCompare(one.properties.filed_at))
    .slice(0, most);
  const totals = Object.values(cells).map((answer) => answer.total);
  heat.draw(cells);
  map.getContainer().classList.toggle("is-close", close);
  markers.show(close ? features : []);
  list.show(features, totals.reduce((sum, n) => sum + n, 0), (...pointed) => markers.point(...pointed));
  count(cells);
}

function count(cells) {
  const counter = $("#counter");
  const line = create("span");
  const totals = Object.fromEntries(
    Object.entries(cells).map(([state, answer]) => [state, answer.total]),
  );
  const [[state, total]] = Object.entries(totals);
  if (Object.keys(totals).length > 1) {
    write(line, "both_n", { open: number(totals.open), resolved: number(totals.resolved) });
  } else {
    write(line, `${state}_${total > 1 ? "n" : total}`, { n: number(total) });
  }
  counter.replaceChildren(line);
}

function complain(key) {
  $("#trouble p").textContent = text(key);
  $("#trouble").hidden = false;
}

function restore() {
  const asked = address.read();
  filters.elements.state.value = asked.state;
  filters.elements.days.value = asked.days;
  for (const box of filters.querySelectorAll("[name=group]")) {
    box.checked = asked.groups.includes(box.value);
  }
  $("#all-groups").checked = !chosen().groups.length;
  if (asked.view) {
    map.setView([asked.view[1], asked.view[2]], asked.view[0], { animate: false });
  } else {
    map.fitBounds(panama, { padding: EDGE, animate: false });
  }
}

function onChange({ target }) {
  const boxes = [...filters.querySelectorAll("[name=group]")];
  if (target.id === "all-groups") boxes.forEach((box) => (box.checked = false));
  $("#all-groups").checked = boxes.every((box) => !box.checked);
  if (target.id !== "go-to") refresh();
}

/** The places of the country, to go to without dragging. */
function offerPlaces(provinces) {
  const places = new Map(provinces.map((feature) => [feature.properties.code, feature]));
  for (const option of $("#go-to").options) {
    option.disabled = option.value !== "" && !places.has(option.value);
  }
  $("#go-to").addEventListener("change", ({ target }) => {
    const place = places.get(target.value);
    map.fitBounds(place ? boundsOf(place) : panama, { padding: EDGE });
  });
}

function addControls() {
  const [zoomInTitle, zoomOutTitle] = [text("zoom_in"), text("zoom_out")];
  L.control.zoom({ position: "topright", zoomInTitle, zoomOutTitle }).addTo(map);
  L.control.scale({ imperial: false, position: "bottomright" }).addTo(map);
  map.attributionControl.setPrefix(false).addAttribution(text("credit"));
}

async function drawBasemap() {
  try {
    offerPlaces(await basemap.start());
  } catch (problem) {
    complain("trouble_basemap");
    console.warn(problem);
  }
}

map.setMinZoom(5.5).setMaxZoom(18);
addControls();
startPanel();
restore();
filters.addEventListener("change", onChange);
filters.addEventListener("submit", (event) => event.preventDefault());
map.on("moveend", refresh);
window.addEventListener("hashchange", () => {
  restore();
  refresh();
});
$("#retry").addEventListener("click", () => {
  $("#trouble").hidden = true;
  if (!basemap.provinces) drawBasemap();
  load();
});
$("#legend").setAttribute("aria-label", text("legend"));
drawBasemap();
refresh();
