// Districts coloured by how many cases they have for their people, or for their size.

import { coloursOf, districtLegend } from "./legend.js";
import { config, create, number, refill, text } from "./texts.js";

const CLASSES = 5;
const PEOPLE = 10_000;
const LAND = "transparent";
const few = new Intl.NumberFormat(config.language, { maximumSignificantDigits: 2 });

/** How many cases of the states a district has, and what that is for its people. */
export function rates(answers) {
  const [first] = answers;
  const perPeople = first.answer.population !== null;
  const measure = ({ population, area_km2: area }) => (perPeople ? population && population / PEOPLE : area);
  return {
    perPeople,
    population: first.answer.population,
    parts: answers.map(({ answer, states }) =>
      answer.places.map((place) => {
        const cases = states.reduce((sum, state) => sum + place[state], 0);
        const size = measure(place);
        return { ...place, cases, rate: size ? cases / size : null };
      }),
    ),
  };
}

/**
 * Paints what `rates` made on as many maps, in the same classes, and its legend.
 * Resolves to the rates of the first with their colours, the highest first; to none if
 * something else was asked for meanwhile.
 */
export async function paint(panes, { perPeople, population, parts }, state, signal) {
  const breaks = breaksOf(parts.flat());
  const colours = coloursOf(state);
  const colourOf = ({ rate }) => (rate ? colours[classOf(rate, breaks)] : LAND);
  await Promise.all(
    panes.map((pane, i) => pane.basemap.tint(new Map(parts[i].filter(({ rate }) => rate).map((place) => [place.code, colourOf(place)])))),
  );
  if (signal.aborted) return [];
  const classes = breaks.map((least, i) => ({ colour: colours[i], words: wordsOf(least, breaks[i + 1]) })).reverse();
  districtLegend({
    measure: text(perPeople ? "per_people" : "per_area"),
    classes: [...classes, { colour: LAND, words: text("none") }],
    source: population ? sourceOf(population) : "",
  });
  return parts[0]
    .map((place) => ({ ...place, colour: colourOf(place) }))
    .sort((one, other) => (other.rate ?? -1) - (one.rate ?? -1) || other.cases - one.cases);
}

/** Many a source has its year in its name. */
function sourceOf({ source, year }) {
  const isDated = source.includes(String(year));
  return text("population", { source: isDated ? source : `${source}, ${year}` });
}

/** The least rate of each class: as many districts in each, in round numbers. */
function breaksOf(places) {
  const found = places.map(({ rate }) => rate).filter((rate) => rate > 0).sort((one, other) => one - other);
  if (!found.length) return [];
  const least = Array.from({ length: CLASSES }, (_, i) => found[Math.floor((i * found.length) / CLASSES)]);
  return [...new Set(least.map((rate, i) => (i ? rounded(rate) : 0)))];
}

function rounded(rate) {
  const size = 10 ** Math.floor(Math.log10(rate) - 1);
  return Math.round(rate / size) * size;
}

const classOf = (rate, breaks) => breaks.findLastIndex((least) => rate >= least);

function wordsOf(least, next) {
  if (next === undefined) return text("most", { n: rateInWords(least) });
  return text("from_to", { since: rateInWords(least), until: rateInWords(next) });
}

const rateInWords = (rate) => (rate >= 100 ? number(Math.round(rate)) : few.format(rate));

/** A district's line: its rate and how many cases that is. */
export function said({ cases, rate }, perPeople) {
  const written = cases === 1 ? text("cases_1", { n: "1" }) : text("cases_n", { n: number(cases) });
  if (rate === null) return `${written} · ${text("unknown_population")}`;
  return `${text(perPeople ? "rate_people" : "rate_area", { rate: rateInWords(rate) })} · ${written}`;
}

/** The same in the panel: a button each, which goes there. */
export function listed(places, perPeople, onGo) {
  const rows = places.map((place) => {
    const button = create("button", "district");
    const swatch = create("i", "swatch");
    swatch.style.background = place.colour;
    const words = create("span", "district-words");
    words.append(create("b", "", place.name), create("span", "", said(place, perPeople)));
    button.type = "button";
    button.dataset.cases = place.cases;
    button.dataset.code = place.code;
    button.append(swatch, words);
    button.addEventListener("click", () => onGo(place.code));
    const row = create("li");
    row.append(button);
    return row;
  });
  refill(document.querySelector("#districts"), rows, "code");
}

/** The feature that a point is in; `[lng, lat]` as GeoJSON has it. */
export function featureAt(features, { lng, lat }) {
  return features.find(({ bbox: [west, south, east, north], geometry }) => {
    if (lng < west || lng > east || lat < south || lat > north) return false;
    const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
    return polygons.some((rings) => rings.filter((ring) => crosses(ring, lng, lat)).length % 2 === 1);
  });
}

function crosses(ring, lng, lat) {
  let isInside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [[x1, y1], [x2, y2]] = [ring[i], ring[j]];
    if (y1 > lat !== y2 > lat && lng < ((x2 - x1) * (lat - y1)) / (y2 - y1) + x1) isInside = !isInside;
  }
  return isInside;
}

/** Says of the district under the pointer, or the one pressed, what its colour means. */
export class Explained {
  constructor(pane) {
    this.pane = pane;
    this.places = null;
    this.tip = L.tooltip({ direction: "top", offset: [0, -6], className: "district-tip" });
    pane.map.on("mousemove click", ({ latlng }) => this.point(latlng));
    pane.map.on("mouseout movestart", () => this.tip.remove());
  }

  /** `places` as `rates` made them, or null where no district is coloured. */
  show(places, perPeople) {
    this.places = places && new Map(places.map((place) => [place.code, place]));
    this.perPeople = perPeople;
    if (!places) this.tip.remove();
  }

  point(latlng) {
    if (!this.places || this.pane.isClose) return;
    const feature = featureAt(this.pane.basemap.allDistricts ?? [], latlng);
    const place = feature && this.places.get(feature.properties.code);
    if (!place) {
      this.tip.remove();
      return;
    }
    const content = create("span");
    content.append(create("b", "", place.name), create("br"), said(place, this.perPeople));
    this.tip.setLatLng(latlng).setContent(content).addTo(this.pane.map);
  }
}
