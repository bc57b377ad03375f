// Words, numbers and dates in the page's language. The words come with the page.

const words = JSON.parse(document.getElementById("texts").textContent);
export const config = JSON.parse(document.getElementById("config").textContent);
export const language = document.documentElement.lang.startsWith("en") ? "en" : "es";

const locale = language === "en" ? "en" : "es-PA";
const HERE = "America/Panama";
const numbers = new Intl.NumberFormat(locale);
// A metre or so.
const degrees = new Intl.NumberFormat(locale, { maximumFractionDigits: 5 });
const ages = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const days = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeZone: HERE });
const weekdays = new Intl.DateTimeFormat(locale, {
  weekday: "long",
  day: "numeric",
  month: "long",
  timeZone: HERE,
});
const moments = new Intl.DateTimeFormat(locale, {
  day: "numeric",
  month: "long",
  hour: "numeric",
  minute: "2-digit",
  timeZone: HERE,
});
const hours = new Intl.DateTimeFormat(locale, {
  weekday: "long",
  hour: "numeric",
  minute: "2-digit",
  timeZone: HERE,
});
// Nearer than this, the hour matters.
const SOON_MS = 48 * 3600 * 1000;
const AGE_UNITS = [
  ["year", 365 * 86400],
  ["month", 30 * 86400],
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];

/** The text of a key, `{name}` replaced by the value of that name. */
export function t(key, values = {}) {
  return (words[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The text for `n` things: `key_0` where there is one, `key_1`, else `key_n`. */
export function tn(key, n, values = {}) {
  const exact = `${key}_${n}`;
  return t(exact in words ? exact : `${key}_n`, { n: number(n), ...values });
}

export const number = (value) => numbers.format(value);
export const day = (moment) => days.format(new Date(moment));
/** By when: the day, and soon the hour, too. */
export function deadline(moment) {
  const at = new Date(moment);
  return (Math.abs(at - Date.now()) < SOON_MS ? hours : weekdays).format(at);
}
export const when = (moment) => moments.format(new Date(moment));

/** A point's coordinates. */
export const point = ({ lat, lon }) => t("place_point", { lat: degrees.format(lat), lon: degrees.format(lon) });

/** How long ago, in words; within the minute, "just now". */
export function age(moment, withinTheMinute = t("just_now")) {
  const seconds = (new Date(moment) - Date.now()) / 1000;
  const found = AGE_UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return found ? ages.format(Math.round(seconds / found[1]), found[0]) : withinTheMinute;
}

/** Metres as people say them: 40 m, 350 m, 2.4 km. */
export function metres(distance) {
  if (distance < 1000) return t("metres", { n: number(roundTo(distance, distance < 100 ? 1 : 10)) });
  return t("kilometres", { n: number(roundTo(distance / 1000, distance < 10_000 ? 0.1 : 1)) });
}

const roundTo = (value, step) => Math.round(Math.round(value / step) * step * 10) / 10;

/** The name of a thing that has one in each language. */
export const nameOf = (thing) => (language === "en" && thing.name_en) || thing.name_es || thing.name || "";
export const emergencyOf = (category) =>
  (language === "en" && category.emergency_en) || category.emergency_es || "";
