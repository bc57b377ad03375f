// What is shown, in the address: a link to it shows the same.

const STATES = ["open", "resolved", "both"];
const DAYS = ["7", "30", "365"];
const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;

/** What the address asks for; `view` is `[zoom, lat, lon]` or null. */
export function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const view = (asked.get("map") ?? "").split("/").map(Number);
  return {
    state: STATES.includes(asked.get("state")) ? asked.get("state") : "open",
    groups: (asked.get("group") ?? "").split(",").filter(Boolean),
    as: asked.get("as") === "districts" ? "districts" : "heat",
    period: periodIn(asked.get("months")) ?? { days: DAYS.includes(asked.get("days")) ? asked.get("days") : "" },
    versus: periodIn(asked.get("vs")),
    view: view.length === 3 && view.every(Number.isFinite) ? view : null,
  };
}

/** `2026-01..2026-03`: whole months, the last one too. */
function periodIn(words) {
  const [since, until = since] = (words ?? "").split("..");
  if (!MONTH.test(since) || !MONTH.test(until) || until < since) return null;
  return { since, until };
}

const inAddress = ({ since, until }) => `${since}..${until}`;

export function write({ state, groups, as, period, versus }, map) {
  const { lat, lng } = map.getCenter();
  const view = [map.getZoom(), lat.toFixed(4), lng.toFixed(4)].join("/");
  const pieces = [`map=${view}`, `state=${state}`];
  if (groups.length) pieces.push(`group=${groups.join(",")}`);
  if (period.since) pieces.push(`months=${inAddress(period)}`);
  else if (period.days) pieces.push(`days=${period.days}`);
  if (as !== "heat") pieces.push(`as=${as}`);
  if (versus) pieces.push(`vs=${inAddress(versus)}`);
  history.replaceState(null, "", `#${pieces.join("&")}`);
  // The language switch comes back to the same view; the embedded map leads to it.
  const next = document.querySelector(".language [name=next]");
  if (next) next.value = location.pathname + location.hash;
  const whole = document.querySelector("#full-map");
  if (whole) whole.hash = location.hash;
}
