// What the colours mean, in a corner of the map.

import { isDark, onScheme } from "./scheme.js";
import { config, create, number, text } from "./texts.js";

// Pixels: the least height of a map that has room for all of it.
const ROOM = 300;

const $ = (selector) => document.querySelector(selector);

/** The colours of a state, from few to many. */
export const coloursOf = (state) =>
  Object.entries(config.ramps[isDark() ? "dark" : "light"][state])
    .sort(([one], [other]) => one - other)
    .map(([, colour]) => colour);

function paint() {
  for (const bar of document.querySelectorAll("[data-ramp]")) {
    bar.style.background = `linear-gradient(to right, ${coloursOf(bar.dataset.ramp).join(", ")})`;
  }
}

/** Which states have heat, and the side of a cell in metres. */
export function heatLegend(states, cell) {
  $("#legend-heat").hidden = false;
  $("#legend-districts").hidden = true;
  $("#legend-open").hidden = !states.includes("open");
  $("#legend-resolved").hidden = !states.includes("resolved");
  $("#legend-both").hidden = states.length < 2;
  const size = cell >= 1000 ? `${number(Math.round(cell / 100) / 10)} km` : `${Math.round(cell / 10) * 10} m`;
  $("#legend-cell").textContent = cell ? text("cell", { size }) : "";
}

/** Where the map has little room, it is a word that opens it. */
export function fitLegend(map) {
  const legend = $("#legend");
  const isFolded = map.getSize().y < ROOM;
  if (legend.classList.contains("is-folded") === isFolded) return;
  legend.classList.toggle("is-folded", isFolded);
  legend.open = !isFolded;
}

/** How many cases have the full colour. */
export function heatScale(full) {
  const most = Math.max(2, Math.round(full));
  $("#legend-few").textContent = "1";
  $("#legend-most").textContent = text("most", { n: number(most) });
}

/** `classes` as `{colour, words}`, from many to few; `source` of the population or "". */
export function districtLegend({ measure, classes, source }) {
  $("#legend-heat").hidden = true;
  $("#legend-districts").hidden = false;
  $("#legend-measure").textContent = measure;
  $("#legend-classes").replaceChildren(
    ...classes.map(({ colour, words }) => {
      const swatch = create("i", "swatch");
      swatch.style.background = colour;
      const row = create("li");
      row.append(swatch, words);
      return row;
    }),
  );
  $("#legend-source").textContent = source;
}

onScheme(paint);
paint();
