// Months and spans of months, in numbers and in words.

import { inPanama } from "./asking.js";
import { config, text } from "./texts.js";

const MONTHS = 12;
const short = new Intl.DateTimeFormat(config.language, { month: "short", year: "numeric", timeZone: "UTC" });
const long = new Intl.DateTimeFormat(config.language, { month: "long", year: "numeric", timeZone: "UTC" });

/** A month's place in time: so many months since the year 0. */
export function ordinal(month) {
  const [year, number] = month.split("-").map(Number);
  return year * MONTHS + number - 1;
}

export function monthAt(place) {
  return `${Math.floor(place / MONTHS)}-${String((place % MONTHS) + 1).padStart(2, "0")}`;
}

/** The month that it is in Panama, where the evening of its last day is not yet the next. */
export const thisMonth = () => ordinal(inPanama(Date.now()).slice(0, 7));

const dateOf = (month) => new Date(`${month}-15T00:00:00Z`);
export const monthInWords = (month) => long.format(dateOf(month));
export const shortMonth = (month) => short.format(dateOf(month));

/** A period as one would say it. */
export function inWords(period) {
  if (!period?.since) return daysInWords(period?.days);
  if (period.since === period.until) return monthInWords(period.since);
  return text("from_to", { since: shortMonth(period.since), until: shortMonth(period.until) });
}

function daysInWords(days) {
  if (!days) return text("any_time");
  return days === "365" ? text("last_year") : text("last_days", { n: days });
}
