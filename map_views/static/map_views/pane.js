// One map with all that lies on it: outlines, heat or districts, markers.

import { Basemap } from "./basemap.js";
import { Heat } from "./heat.js";
import { Markers } from "./markers.js";
import { config, text } from "./texts.js";

// From here on a case is a marker, and the heat steps back.
export const MARKERS_FROM = 14;

export class Pane {
  constructor(map, layers, scale) {
    this.map = map;
    this.heat = new Heat(map, layers, scale);
    this.markers = new Markers(map);
    this.basemap = new Basemap(map, config.basemap, {
      caribbean: text("caribbean"),
      pacific: text("pacific"),
    });
    map.setMinZoom(5.5).setMaxZoom(18);
    map.attributionControl.setPrefix(false).addAttribution(text("credit"));
  }

  /** Before its map is removed. */
  stop() {
    this.heat.stop();
    this.basemap.leave();
  }

  get isClose() {
    return this.map.getZoom() >= MARKERS_FROM;
  }

  /** Answers by state, of the heat and of the cases; without `cells`, no heat. */
  show(cells, features) {
    this.heat.draw(cells);
    this.map.getContainer().classList.toggle("is-close", this.isClose);
    this.markers.show(this.isClose ? features : []);
  }
}
