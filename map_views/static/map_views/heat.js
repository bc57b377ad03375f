// The heat: cells counted by the server, drawn by folium's layers.

import { Density } from "./density.js";
import { config, number, text } from "./texts.js";

const METRES_PER_PIXEL_AT_ZOOM_0 = 156543.03;
const LATITUDE_OF_PANAMA = (8.5 * Math.PI) / 180;
// In pixels: below it the heat would look like dots.
const MIN_RADIUS = { phone: 18, desktop: 24 };
const PHONE = 600;
// Cases lie farther apart as one comes closer, where cells are as fine as they get.
const COUNTRY_ZOOM = 8;
const WIDER_BY_ZOOM = 2.5;
const dark = window.matchMedia("(prefers-color-scheme: dark)");

export class Heat {
  constructor(map) {
    this.map = map;
    this.layers = Object.fromEntries(
      Object.entries(config.layers).map(([state, name]) => [state, window[name]]),
    );
    for (const layer of Object.values(this.layers)) {
      layer._heat = new Density(layer._canvas);
      layer._heat.onScale = (full) => scaleOfLegend(full);
    }
    this.cell = 0;
    map.on("zoomend", () => this.fit());
    dark.addEventListener("change", () => this.paint());
    this.paint();
  }

  /** Answers of the heat endpoint, by state; a state without one is cleared. */
  draw(answers) {
    const found = Object.values(answers);
    this.cell = found[0]?.cell ?? 0;
    for (const [state, layer] of Object.entries(this.layers)) {
      const cells = answers[state]?.cells ?? [];
      layer._latlngs = cells.map(([lon, lat, weight]) => [lat, lon, weight]);
    }
    this.pair(found.length > 1);
    this.fit();
    legend(Object.keys(answers), this.cell);
  }

  /** Both states at once are painted as one, or the upper would hide the lower. */
  pair(areBoth) {
    const { open, resolved } = this.layers;
    if (areBoth) open._heat.join(resolved._heat, this.ramps.both);
    else open._heat.part();
  }

  /** A cell keeps its size on the ground: on the screen it grows with the zoom. */
  fit() {
    const zoom = this.map.getZoom();
    const spacing = Math.max(4, this.cell / metresPerPixel(zoom));
    const far = this.map.getSize().x < PHONE ? MIN_RADIUS.phone : MIN_RADIUS.desktop;
    const least = far + Math.max(0, zoom - COUNTRY_ZOOM) * WIDER_BY_ZOOM;
    const radius = Math.min(130, Math.max(least, spacing * 1.9));
    for (const layer of Object.values(this.layers)) {
      layer._heat.spread(spacing);
      layer.setOptions({ radius, max: Infinity });
    }
  }

  paint() {
    this.ramps = config.ramps[dark.matches ? "dark" : "light"];
    for (const [state, layer] of Object.entries(this.layers)) {
      layer.setOptions({ gradient: this.ramps[state] });
    }
    this.pair(Boolean(this.layers.open._heat.companion));
    for (const bar of document.querySelectorAll("[data-ramp]")) {
      const stops = Object.entries(this.ramps[bar.dataset.ramp])
        .sort(([one], [other]) => one - other)
        .map(([step, colour]) => `${colour} ${step * 100}%`);
      bar.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
    }
  }
}

export const metresPerPixel = (zoom) =>
  (METRES_PER_PIXEL_AT_ZOOM_0 * Math.cos(LATITUDE_OF_PANAMA)) / 2 ** zoom;

function legend(states, cell) {
  document.querySelector("#legend-open").hidden = !states.includes("open");
  document.querySelector("#legend-resolved").hidden = !states.includes("resolved");
  document.querySelector("#legend-both").hidden = states.length < 2;
  const size = cell >= 1000 ? `${number(Math.round(cell / 100) / 10)} km` : `${Math.round(cell / 10) * 10} m`;
  const written = cell ? text("cell", { size }) : "";
  document.querySelector("#legend-cell").textContent = written;
}

function scaleOfLegend(full) {
  const most = Math.max(2, Math.round(full));
  document.querySelector("#legend-few").textContent = "1";
  document.querySelector("#legend-most").textContent = text("most", { n: number(most) });
}
