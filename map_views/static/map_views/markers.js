// Cases close by: each a link to its page; those that would overlap share a marker.

import { create, icon, number, text } from "./texts.js";

// In pixels: nearer than this, two markers would hide each other.
const APART = 36;
// What lies over the map of a phone: the box to search, the map's buttons.
const BOX = 66;
const BUTTONS = 64;
const EDGE = 10;
// What a popup has around its words.
const FRAME = 32;
const WIDEST = 280;

export class Markers {
  constructor(map) {
    this.map = map;
    this.layer = L.layerGroup().addTo(map);
    this.pins = new Map();
    const frame = map.getContainer();
    map.on("popupopen", () => frame.classList.add("has-popup"));
    map.on("popupclose", ({ popup }) => {
      frame.classList.remove("has-popup");
      // The marker may have been drawn anew, or be gone: from the map, the way on is short.
      if (popup.getElement()?.contains(document.activeElement)) (this.pins.get(popup.of) ?? frame).focus();
    });
    frame.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !frame.classList.contains("has-popup")) return;
      event.stopPropagation();
      map.closePopup();
    });
  }

  show(features) {
    this.layer.clearLayers();
    this.pins.clear();
    for (const { together } of this.apart(features)) {
      const pin = together.length === 1 ? link(together[0]) : this.shared(together);
      const [lng, lat] = together[0].geometry.coordinates;
      const html = L.divIcon({ html: pin, className: "", iconSize: [0, 0] });
      const marker = L.marker([lat, lng], { icon: html, keyboard: false, interactive: false });
      marker.addTo(this.layer);
      L.DomEvent.disableClickPropagation(pin);
      for (const feature of together) this.pins.set(feature.properties.number, pin);
    }
  }

  /** The cases by marker: those that overlap at this zoom are together. */
  apart(features) {
    const groups = [];
    for (const feature of features) {
      const [lng, lat] = feature.geometry.coordinates;
      const at = this.map.latLngToLayerPoint([lat, lng]);
      const near = groups.find((group) => group.at.distanceTo(at) < APART);
      if (near) near.together.push(feature);
      else groups.push({ at, together: [feature] });
    }
    return groups;
  }

  /** Marks the pin of a case that is pointed at in the list. */
  point(caseNumber, isPointed) {
    this.pins.get(caseNumber)?.classList.toggle("is-pointed", isPointed);
  }

  shared(features) {
    const label = text("cases_here", { n: number(features.length) });
    const button = create("button", `pin pin-${stateOf(features)}`, String(features.length));
    button.type = "button";
    button.title = label;
    button.setAttribute("aria-label", label);
    button.dataset.numbers = features.map((f) => f.properties.number).join(" ");
    button.addEventListener("click", () => this.open(features, label));
    return button;
  }

  open(features, label) {
    const [lng, lat] = features[0].geometry.coordinates;
    const content = create("div");
    const list = create("ul");
    for (const { properties } of features) {
      const item = create("li");
      const anchor = create("a", "", describe(properties));
      anchor.href = properties.url;
      item.append(anchor);
      list.append(item);
    }
    content.append(create("b", "", label), list);
    const popup = L.popup({
      closeButton: false,
      offset: [0, -12],
      maxWidth: Math.min(WIDEST, this.map.getSize().x - EDGE - BUTTONS - FRAME),
      autoPanPaddingTopLeft: [EDGE, BOX],
      autoPanPaddingBottomRight: [BUTTONS, EDGE],
    });
    popup.of = features[0].properties.number;
    popup.setLatLng([lat, lng]).setContent(content).openOn(this.map);
    list.querySelector("a").focus();
  }
}

function link({ properties }) {
  const pin = create("a", `pin pin-${properties.open ? "open" : "resolved"}`);
  pin.href = properties.url;
  pin.title = describe(properties);
  pin.setAttribute("aria-label", describe(properties));
  pin.dataset.numbers = properties.number;
  pin.append(icon(properties.group));
  return pin;
}

const describe = (properties) =>
  [
    properties.category_name,
    text(`status_${properties.status}`),
    properties.precision === "exact" ? "" : text("approximate"),
    properties.number,
  ]
    .filter(Boolean)
    .join(" · ");

function stateOf(features) {
  const open = features.filter((feature) => feature.properties.open).length;
  if (open === features.length) return "open";
  return open ? "mixed" : "resolved";
}
