// What is shown, in the address: a link to it shows the same.

const STATES = ["open", "resolved", "both"];

/** What the address asks for; `view` is `[zoom, lat, lon]` or null. */
export function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const view = (asked.get("map") ?? "").split("/").map(Number);
  return {
    state: STATES.includes(asked.get("state")) ? asked.get("state") : "open",
    groups: (asked.get("group") ?? "").split(",").filter(Boolean),
    days: asked.get("days") ?? "",
    view: view.length === 3 && view.every(Number.isFinite) ? view : null,
  };
}

export function write({ state, groups, days }, map) {
  const { lat, lng } = map.getCenter();
  const view = [map.getZoom(), lat.toFixed(4), lng.toFixed(4)].join("/");
  const pieces = [`map=${view}`, `state=${state}`];
  if (groups.length) pieces.push(`group=${groups.join(",")}`);
  if (days) pieces.push(`days=${days}`);
  history.replaceState(null, "", `#${pieces.join("&")}`);
  // The language switch comes back to the same view.
  const next = document.querySelector(".language [name=next]");
  if (next) next.value = location.pathname + location.hash;
}
