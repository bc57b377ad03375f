// The heat: cells counted by the server, drawn by folium's layers.

import { Density } from "./density.js";
import { isDark, onScheme } from "./scheme.js";
import { config } from "./texts.js";

const METRES_PER_PIXEL_AT_ZOOM_0 = 156543.03;
const LATITUDE_OF_PANAMA = (8.5 * Math.PI) / 180;
// In pixels: below it the heat would look like dots.
const MIN_RADIUS = { phone: 18, desktop: 24 };
const PHONE = 600;
// Cases lie farther apart as one comes closer, where cells are as fine as they get.
const COUNTRY_ZOOM = 8;
const WIDER_BY_ZOOM = 2.5;

export class Heat {
  /** `layers` by state; what shares a `scale` has the same colour for as many cases. */
  constructor(map, layers, scale) {
    this.map = map;
    this.layers = layers;
    for (const layer of Object.values(layers)) layer._heat = new Density(layer._canvas, scale);
    this.cell = 0;
    map.on("zoomend", () => this.fit());
    this.leave = onScheme(() => this.paint());
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
    this.ramps = config.ramps[isDark() ? "dark" : "light"];
    for (const [state, layer] of Object.entries(this.layers)) {
      layer.setOptions({ gradient: this.ramps[state] });
    }
    this.pair(Boolean(this.layers.open._heat.companion));
  }

  stop() {
    this.leave();
    for (const { _heat: density, _frame: frame } of Object.values(this.layers)) {
      // What is to be drawn with the next frame would look for the map.
      L.Util.cancelAnimFrame(frame);
      density.scale.leave(density);
    }
  }

  /** At once, without waiting for the next frame. */
  drawNow() {
    for (const state of ["resolved", "open"]) {
      const layer = this.layers[state];
      if (layer._map) layer._redraw();
    }
  }
}

export const metresPerPixel = (zoom) =>
  (METRES_PER_PIXEL_AT_ZOOM_0 * Math.cos(LATITUDE_OF_PANAMA)) / 2 ** zoom;

