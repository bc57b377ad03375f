// The analyst's map: what folium's layers show beyond what folium itself writes.
//
// It goes into the file that is published, together with density.js: nothing is fetched.

import { Density } from "./density.js";

const METRES_PER_PIXEL_AT_ZOOM_0 = 156543.03;
const LATITUDE_OF_PANAMA = (8.5 * Math.PI) / 180;
// In pixels: below it the heat would look like dots, above it like one cloud.
const RADIUS = [20, 110];
const MILLISECONDS_A_MONTH = 900;

// The control greys out what is past its `maxZoom`. A heat's is only how it weighs its
// points: it can be seen at every zoom.
L.Control.Layers.include({ _checkDisabledLayers: () => undefined });

const config = JSON.parse(document.querySelector("#config").textContent);
const { texts } = config;

L.Control.Zoom.mergeOptions({ zoomInTitle: texts.zoom_in, zoomOutTitle: texts.zoom_out });

function spacingOf(map, cell) {
  const perPixel = (METRES_PER_PIXEL_AT_ZOOM_0 * Math.cos(LATITUDE_OF_PANAMA)) / 2 ** map.getZoom();
  return Math.max(4, cell / perPixel);
}

const radiusOf = (spacing) => Math.min(RADIUS[1], Math.max(RADIUS[0], spacing * 1.9));

/** Adds the weights up, instead of laying translucent discs over each other. */
function heat(map, layer, cell) {
  const fit = () => {
    if (!map.hasLayer(layer)) return;
    const spacing = spacingOf(map, cell);
    layer._heat.spread(spacing);
    layer.setOptions({ radius: radiusOf(spacing), max: Infinity });
  };
  const dress = () => {
    if (!(layer._heat instanceof Density)) layer._heat = new Density(layer._canvas);
    fit();
  };
  layer.on("add", dress);
  if (map.hasLayer(layer)) dress();
  map.on("zoomend", fit);
}

/** One month after the other, all on one scale: `max` is what has the full colour. */
function months(map, layer, others, { cell, max, months: list }) {
  const box = document.querySelector("#months");
  const [play, slider, output] = ["button", "input", "output"].map((tag) => box.querySelector(tag));
  let timer = 0;
  const fit = () => {
    if (map.hasLayer(layer)) layer.setOptions({ radius: radiusOf(spacingOf(map, cell)), max });
  };
  const show = () => {
    const month = list[slider.value];
    output.textContent = `${month.label} · ${month.total}`;
    layer.setLatLngs(month.cells);
  };
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = texts.play;
  };
  const start = () => {
    play.textContent = texts.pause;
    timer = setInterval(() => {
      slider.value = (Number(slider.value) + 1) % list.length;
      show();
    }, MILLISECONDS_A_MONTH);
  };
  slider.max = list.length - 1;
  slider.value = list.length - 1;
  slider.addEventListener("input", () => (stop(), show()));
  play.addEventListener("click", () => (timer ? stop() : start()));
  layer.on("add", () => {
    // Later: the control, which adds this one now, would put them back.
    setTimeout(() => others.forEach((other) => map.removeLayer(other)));
    box.hidden = false;
    stop();
    fit();
    show();
  });
  layer.on("remove", () => (stop(), (box.hidden = true)));
  map.on("zoomend", fit);
}

/** Pairs of a name and a value, as text: nothing of them is read as markup. */
function told(title, pairs) {
  const root = document.createElement("div");
  root.append(Object.assign(document.createElement("strong"), { textContent: title }));
  const list = root.appendChild(document.createElement("dl"));
  for (const [name, value] of pairs) {
    if (value === "" || value === null || value === undefined) continue;
    list.append(Object.assign(document.createElement("dt"), { textContent: name }));
    list.append(Object.assign(document.createElement("dd"), { textContent: value }));
  }
  return root;
}

function place(feature, layer) {
  const { name, figures } = feature.properties;
  layer.bindPopup(() => told(name, figures), { maxWidth: 260 });
  layer.on("mouseover", () => layer.setStyle({ weight: 2.5 }));
  layer.on("mouseout", () => layer.setStyle({ weight: 0.6 }));
}

function marker([lat, lng, number, category, status, tone, filed, entity, where]) {
  const icon = L.divIcon({ className: `case ${tone}`, iconSize: [18, 18] });
  const made = L.marker([lat, lng], { icon, title: `${category} · ${number}`, alt: category });
  const popup = () => {
    const root = told(category, [
      [texts.number, number],
      [texts.status, status],
      [texts.filed, filed],
      [texts.entity, entity],
      [texts.where, where],
    ]);
    if (config.cases) {
      const link = document.createElement("a");
      link.href = config.cases + encodeURIComponent(number);
      link.textContent = texts.follow;
      link.rel = "noopener noreferrer";
      link.target = "_blank";
      root.append(link);
    }
    return root;
  };
  return made.bindPopup(popup, { maxWidth: 260 });
}

function cluster(group) {
  const count = group.getChildCount();
  const size = count < 10 ? 30 : count < 100 ? 36 : 44;
  const html = Object.assign(document.createElement("span"), { textContent: count });
  return L.divIcon({ html, className: "cluster", iconSize: [size, size] });
}

/** In the reader's language, what Leaflet itself says in English alone. */
function translate(map) {
  document.querySelector(".leaflet-control-layers-toggle").title = texts.layers;
  map.on("popupopen", ({ popup }) => {
    const close = popup.getElement().querySelector(".leaflet-popup-close-button");
    close.setAttribute("aria-label", texts.close);
  });
}

/** Once folium has drawn all layers. */
function start() {
  const map = window[config.map];
  translate(map);
  const layers = config.heats.map(({ layer }) => window[layer]);
  config.heats.forEach(({ cell }, i) => heat(map, layers[i], cell));
  if (config.months) months(map, window[config.months.layer], layers, config.months);
  // Folium shows clusters, whatever it is told.
  map.removeLayer(window[config.clusters]);
  map.attributionControl.setPrefix(false).addAttribution(config.credit);
  map.fitBounds(config.bounds, { animate: false });
  document.documentElement.dataset.drawn = "";
}

window.analyst = { cluster, marker, place, start };
