// What is asked of the server: addresses from what is shown, answers kept for a while.

import { config } from "./texts.js";

const KEPT_MS = 60_000;
const MOST_KEPT = 80;
const DAY_MS = 86_400_000;
const kept = new Map();

/** The JSON at an address; what was answered a moment ago is not asked again. */
export async function fetched(url, signal) {
  const known = kept.get(url);
  if (known && Date.now() - known.at < KEPT_MS) return known.body;
  const answer = await fetch(url, { signal, headers: { "Accept-Language": config.language } });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  const body = await answer.json();
  kept.delete(url);
  kept.set(url, { at: Date.now(), body });
  if (kept.size > MOST_KEPT) kept.delete(kept.keys().next().value);
  return body;
}

/** What the person asked to try again is asked again. */
export const forget = () => kept.clear();

/** The query of some cases: `box` a Leaflet one, or null for the whole country. */
export function query({ state, groups, period = {}, box }) {
  const asked = new URLSearchParams();
  if (box) {
    const sides = [box.getWest(), box.getSouth(), box.getEast(), box.getNorth()];
    asked.set("bbox", sides.map((side) => side.toFixed(5)).join(","));
  }
  asked.set("state", state);
  if (groups.length) asked.set("group", groups.join(","));
  const { since, until } = daysOf(period);
  if (since) asked.set("since", since);
  if (until) asked.set("until", until);
  return asked.toString().replaceAll("%2C", ",");
}

/** First and last day of a period: of whole months, or of so many days until now. */
function daysOf({ days, since, until }) {
  if (since) return { since: `${since}-01`, until: lastDayOf(until) };
  return { since: days ? inPanama(Date.now() - days * DAY_MS) : "" };
}

function lastDayOf(month) {
  const [year, number] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10);
}

/** A moment's day in Panama, `2026-01-31`. */
export const inPanama = (moment) =>
  new Date(moment).toLocaleDateString("sv", { timeZone: "America/Panama" });
