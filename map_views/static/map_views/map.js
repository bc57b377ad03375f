// The public map: loads what the view shows, and keeps map, list and counter in step.
//
// What the first view does not need is fetched after it, or when it is asked for.

import * as address from "./address.js";
import { fetched, forget, query } from "./asking.js";
import { boundsOf } from "./basemap.js";
import { Scale } from "./density.js";
import { fitLegend, heatLegend, heatScale } from "./legend.js";
import * as list from "./list.js";
import { addControls, goTo, keepStill, offerPlaces, Pane } from "./pane.js";
import { startPanel } from "./panel.js";
import { inWords, monthAt, ordinal, shortMonth, thisMonth } from "./periods.js";
import { complain, config, create, number, settle, text, toast, write } from "./texts.js";

const MOST_MARKERS = 200;
const FEW_LISTED = 20;
// Square pixels: a view smaller than these asks for cells half, a quarter the size.
const FINER_VIEWS = [1_000_000, 260_000];
const PAUSE_MS = 180;
const STATES = { open: ["open"], resolved: ["resolved"], both: ["open", "resolved"] };
const YEAR = 12;

const $ = (selector) => document.querySelector(selector);
const map = window[config.map];
const filters = $("#filters");
const scale = new Scale();
const layers = Object.fromEntries(Object.entries(config.layers).map(([state, name]) => [state, window[name]]));
const first = new Pane(map, layers, scale);
const change = new Intl.NumberFormat(config.language, { style: "percent", signDisplay: "exceptZero", maximumFractionDigits: 0 });
const difference = new Intl.NumberFormat(config.language, { signDisplay: "exceptZero" });
const asked = { period: { days: "" }, versus: null };
let underWay = new AbortController();
let timer = 0;
let listed = FEW_LISTED;
let timeline = null;
let comparison = null;
let districts = null;
let isPlaying = false;
let hasBasemap = false;
// What was seen when a comparison was asked for, or null where the address asks for it.
let seen = null;

// ── What is asked for ────────────────────────────────────────────────────────────

function chosen() {
  const data = new FormData(filters);
  return { state: data.get("state"), groups: data.getAll("group"), as: data.get("as"), ...asked };
}

function restore() {
  const { state, groups, as, period, versus, view } = address.read();
  filters.elements.state.value = state;
  filters.elements.as.value = as;
  for (const box of filters.querySelectorAll("[name=group]")) box.checked = groups.includes(box.value);
  $("#all-groups").checked = !chosen().groups.length;
  choosePeriod(period, versus);
  if (view) map.setView([view[1], view[2]], view[0], { animate: false });
  else goTo(undefined, { animate: false });
}

/** Keeps strip, selects and what is asked for the same. */
function choosePeriod(period, versus = asked.versus) {
  asked.period = period;
  // Without a first period, there is nothing to compare with.
  asked.versus = period.since ? versus : null;
  const { days, since, until } = filters.elements;
  days.value = period.since ? "months" : period.days;
  if (!days.value) days.value = "";
  for (const label of filters.querySelectorAll("[data-months]")) label.hidden = !period.since;
  if (period.since) offerMonths(ordinal(period.since), ordinal(period.until));
  since.value = period.since ?? "";
  until.value = period.until ?? "";
  timeline?.set(asked.period, asked.versus);
}

/** The months to choose among, newest first, these two of them in any case. */
function offerMonths(from, to) {
  const start = Math.min(from, timeline?.first ?? from);
  const end = Math.max(to, timeline?.last ?? to);
  for (const select of [filters.elements.since, filters.elements.until]) {
    if (select.options.length === end - start + 1 && select.options[0].value === monthAt(end)) continue;
    const options = Array.from({ length: end - start + 1 }, (_, i) => monthAt(end - i));
    select.replaceChildren(...options.map((month) => new Option(shortMonth(month), month)));
  }
}

function onChange({ target }) {
  const boxes = [...filters.querySelectorAll("[name=group]")];
  if (target.id === "all-groups") boxes.forEach((box) => (box.checked = false));
  $("#all-groups").checked = boxes.every((box) => !box.checked);
  if (target.id === "go-to") return;
  timeline?.pause();
  if (["days", "since", "until"].includes(target.name)) onDates(target.name);
  refresh();
}

function onDates(changed) {
  const { days, since, until } = filters.elements;
  if (changed !== "days") {
    const [start, end] = [since.value, until.value].sort();
    choosePeriod({ since: start, until: end });
  } else if (days.value === "months") {
    const last = timeline?.last ?? thisMonth();
    const start = Math.max(timeline?.first ?? 0, last - YEAR + 1);
    choosePeriod({ since: monthAt(start), until: monthAt(last) });
  } else choosePeriod({ days: days.value });
}

// ── Loading ──────────────────────────────────────────────────────────────────────

/** Soon: a drag or a run of clicks asks once. */
function refresh() {
  listed = FEW_LISTED;
  clearTimeout(timer);
  timer = setTimeout(load, PAUSE_MS);
}

async function load() {
  clearTimeout(timer);
  underWay.abort();
  underWay = new AbortController();
  const { signal } = underWay;
  const what = chosen();
  address.write(what, map);
  $("#loading").hidden = isPlaying;
  try {
    await Promise.all([compare(what), what.as === "districts" && startDistricts()]);
    const parts = await Promise.all(periodsOf(what).map((period) => partOf(what, period, signal)));
    if (signal.aborted) return;
    await show(what, parts, signal);
    if (signal.aborted) return;
    settle("trouble");
  } catch (problem) {
    if (signal.aborted) return;
    timeline?.pause();
    showNothing();
    complain("trouble");
    console.warn(problem);
  }
  $("#loading").hidden = true;
  loadMonths(what, signal);
}

const periodsOf = ({ period, versus }) => (versus ? [period, versus] : [period]);

/** All that there is to show of a period. */
async function partOf(what, period, signal) {
  const states = STATES[what.state];
  const box = map.getBounds();
  const most = mostCases();
  const question = (state) => query({ ...what, state, period, box });
  const [cells, cases, places] = await Promise.all([
    Promise.all(states.map((state) => fetched(`${config.heat}?${question(state)}&zoom=${zoomOfCells()}`, signal))),
    Promise.all(states.map((state) => fetched(`${config.cases}?${question(state)}&limit=${most}`, signal))),
    what.as === "districts" &&
      fetched(`${config.places}?level=district&${query({ ...what, state: "all", period })}`, signal),
  ]);
  const features = cases
    .flatMap((answer) => answer.features)
    .sort((one, other) => other.properties.filed_at.localeCompare(one.properties.filed_at))
    .slice(0, most);
  // Fewer than asked for are all there are; more are counted by the cells that the view touches.
  const totals = cases.map((answer, i) => (answer.features.length < most ? answer.features.length : cells[i].total));
  const byState = (found) => Object.fromEntries(states.map((state, i) => [state, found[i]]));
  const total = totals.reduce((sum, some) => sum + some, 0);
  return { period, cells: byState(cells), totals: byState(totals), features, places, total };
}

function zoomOfCells() {
  const { x, y } = map.getSize();
  // Finer cells draw better, as long as the answer stays small.
  const finer = FINER_VIEWS.filter((largest) => x * y < largest).length;
  return Math.min(18, Math.max(4, Math.round(map.getZoom()) + finer));
}

const mostCases = () => (first.isClose ? MOST_MARKERS : listed);

/** Cases by month, of the same view whatever the period; the strip may wait for it. */
async function loadMonths(what, signal) {
  try {
    await startTimeline();
    const url = `${config.months}?${query({ ...what, state: "all", period: {}, box: map.getBounds() })}`;
    const { months } = await fetched(url, signal);
    if (signal.aborted) return;
    timeline.show(months, what.state);
    if (asked.period.since) choosePeriod(asked.period);
    $("#strip-note").hidden = true;
  } catch (problem) {
    if (signal.aborted) return;
    $("#strip-note").textContent = text("trouble_months");
    $("#strip-note").hidden = false;
    console.warn(problem);
  }
}

async function startTimeline() {
  if (timeline) return;
  const { Timeline } = await import("./timeline.js");
  timeline ??= new Timeline({
    onPeriod: (period) => onPeriod(period),
    onVersus: (versus, period = asked.period) => {
      seen = versus && !comparison ? map.getBounds() : null;
      return onPeriod(period, versus);
    },
    onPlaying: (playing) => {
      isPlaying = playing;
      scale.hold(playing);
      // Every second a new count would be read aloud.
      $("#counter").setAttribute("aria-live", playing ? "off" : "polite");
    },
    prepare: (period) => partOf(chosen(), period).catch(() => undefined),
  });
  timeline.set(asked.period, asked.versus);
}

function onPeriod(period, versus) {
  choosePeriod(period, versus);
  listed = FEW_LISTED;
  return load();
}

// ── Showing ──────────────────────────────────────────────────────────────────────

const panesShown = () => [first, comparison?.pane].filter(Boolean);

async function show(what, parts, signal) {
  const panes = panesShown();
  const asDistricts = what.as === "districts";
  parts.forEach((part, i) => panes[i].show(asDistricts ? {} : part.cells, part.features));
  if (!asDistricts) heatLegend(STATES[what.state], parts[0].cells[STATES[what.state][0]].cell);
  if (districts) await showDistricts(what, parts, panes, signal);
  if (signal.aborted) return;
  const total = parts.reduce((sum, part) => sum + part.total, 0);
  const share = Math.ceil(mostCases() / parts.length);
  const titled = parts.map((part, i) => ({
    title: what.versus ? titleOf(part, i) : "",
    features: part.features.slice(0, share),
  }));
  list.show(titled, total, {
    onPoint: (...pointed) => panes.forEach((pane) => pane.markers.point(...pointed)),
    canShowMore: mostCases() < MOST_MARKERS,
  });
  count(what, parts);
}

/** What was shown is of another view, or of other filters. */
function showNothing() {
  for (const pane of panesShown()) {
    pane.show({}, []);
    pane.explained?.show(null);
    pane.basemap.tint(null);
  }
  list.clear();
  $("#ranking").hidden = true;
  $("#counter").textContent = text("no_data");
  for (const name of document.querySelectorAll(".period-name")) name.hidden = true;
}

function count(what, parts) {
  const line = create("span");
  const { totals } = parts[0];
  if (what.versus) {
    const [a, b] = parts;
    write(line, "versus", {
      a: number(a.total),
      b: number(b.total),
      change: changeOf(a.total, b.total),
    });
  } else if (what.state === "both") {
    write(line, "both_n", { open: number(totals.open), resolved: number(totals.resolved) });
  } else {
    const total = totals[what.state];
    write(line, `${what.state}_${total > 1 ? "n" : total}`, { n: number(total) });
  }
  $("#counter").replaceChildren(line);
  const names = [$("#name-a"), comparison?.name].filter(Boolean);
  names.forEach((name, i) => {
    name.hidden = !what.versus;
    name.textContent = parts[i] && what.versus ? titleOf(parts[i], i) : "";
  });
}

const titleOf = ({ period, total }, i) =>
  `${"AB"[i]} · ${inWords(period)} · ${total === 1 ? text("cases_1", { n: "1" }) : text("cases_n", { n: number(total) })}`;

function changeOf(now, before) {
  if (now === before) return text("same");
  return before ? change.format((now - before) / before) : difference.format(now);
}

// ── Districts, and two periods ───────────────────────────────────────────────────

async function startDistricts() {
  districts ??= await import("./choropleth.js");
}

async function showDistricts(what, parts, panes, signal) {
  const asDistricts = what.as === "districts";
  $("#ranking").hidden = !asDistricts;
  for (const pane of panes) pane.explained ??= new districts.Explained(pane);
  if (!asDistricts) {
    for (const pane of panes) {
      pane.explained.show(null);
      await pane.basemap.tint(null);
    }
    return;
  }
  const states = STATES[what.state];
  const rated = districts.rates(parts.map(({ places }) => ({ answer: places, states })));
  const ranked = await districts.paint(panes, rated, what.state, signal);
  if (signal.aborted) return;
  panes.forEach((pane, i) => pane.explained.show(rated.parts[i], rated.perPeople));
  const outlines = new Map(first.basemap.allDistricts.map((feature) => [feature.properties.code, feature]));
  const view = map.getBounds();
  const inView = ranked.filter(({ code }) => outlines.has(code) && view.intersects(boundsOf(outlines.get(code))));
  $("#ranking-measure").textContent = text("whole_districts");
  districts.listed(inView, rated.perPeople, (code) => goTo(boundsOf(outlines.get(code))));
}

async function compare({ versus }) {
  if (versus && !comparison) {
    const { Comparison } = await import("./compare.js");
    // Meanwhile another may have come, or nobody wants one any more.
    if (comparison || !asked.versus) return;
    comparison = new Comparison(first, scale, seen);
    seen = null;
    comparison.start().catch((problem) => console.warn(problem));
  } else if (!versus && comparison) {
    comparison.stop();
    comparison = null;
  }
}

// ── What comes later, and what it hangs on ───────────────────────────────────────

function startSearch() {
  startSearch.begun ??= import("./search.js").then(({ Search }) => {
    const search = new Search($("#search"), ({ bbox }) => goTo(boundsOf({ bbox })));
    // Whatever was typed while it was on its way.
    if ($("#search-words").value) search.look();
    return search;
  });
  return startSearch.begun;
}

/** Not by the form itself, which knows only numbers of cases. */
async function onSearch(event) {
  event.preventDefault();
  try {
    await (await startSearch()).submit();
  } catch (problem) {
    startSearch.begun = null;
    toast(text("trouble_search"));
    console.warn(problem);
  }
}

async function drawBasemap() {
  try {
    offerPlaces(await first.basemap.start());
    hasBasemap = true;
    settle("trouble_basemap");
  } catch (problem) {
    complain("trouble_basemap");
    console.warn(problem);
  }
}

async function startPrinting() {
  const { getReadyToPrint } = await import("./printing.js");
  getReadyToPrint({
    panes: panesShown,
    shown: () => ({ ...chosen(), counted: $("#counter").textContent }),
  });
}

scale.onChange = heatScale;
keepStill();
addControls(() => timeline?.pause());
startPanel();
fitLegend(map);
restore();
filters.addEventListener("change", onChange);
filters.addEventListener("submit", (event) => event.preventDefault());
map.on("moveend resize", refresh);
map.on("resize", () => fitLegend(map));
map.on("dragstart", () => timeline?.pause());
window.addEventListener("hashchange", () => {
  restore();
  refresh();
});
$("#retry").addEventListener("click", () => {
  settle("trouble");
  forget();
  if (!hasBasemap) drawBasemap();
  load();
});
$("#list-more").addEventListener("click", () => {
  listed = Math.min(MOST_MARKERS, listed * 4);
  load();
});
$("#search").addEventListener("focusin", () => startSearch().catch(() => (startSearch.begun = null)));
$("#search").addEventListener("submit", onSearch);
$("#share").addEventListener("click", async () => (await import("./share.js")).openShare());
$("#print").addEventListener("click", () => window.print());
drawBasemap();
load().then(startPrinting);
