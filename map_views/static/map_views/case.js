// A case's page: its small map, and the buttons that copy and share.

import { Basemap } from "./basemap.js";

const CLOSE = 13;
const said = document.querySelector("#said");

function pin({ tone, group }) {
  const element = document.createElement("span");
  element.className = `pin pin-${tone}`;
  const source = document.querySelector(".kicker .icon");
  if (group && source) element.append(source.cloneNode(true));
  return L.divIcon({ html: element, className: "", iconSize: [0, 0] });
}

function drawMap(element) {
  const { lat, lon, zoomIn, zoomOut, credit, provinces, districts, corregimientos } = element.dataset;
  const place = [Number(lat), Number(lon)];
  const map = L.map(element, { zoomControl: false, scrollWheelZoom: false, minZoom: 6, maxZoom: 18 });
  map.setView(place, CLOSE);
  map.attributionControl.setPrefix(false).addAttribution(credit);
  L.control.zoom({ zoomInTitle: zoomIn, zoomOutTitle: zoomOut, position: "topright" }).addTo(map);
  L.control.scale({ imperial: false }).addTo(map);
  if ("approximate" in element.dataset) {
    L.circle(place, { radius: 100, weight: 1.5, dashArray: "4 4", className: "around", interactive: false }).addTo(map);
  }
  L.marker(place, { icon: pin(element.dataset), keyboard: false, interactive: false }).addTo(map);
  const urls = provinces ? { provinces, districts, corregimientos } : null;
  new Basemap(map, urls, {}).start().catch((problem) => console.warn(problem));
}

function tell(button) {
  const words = button.querySelector("span");
  const before = words.textContent;
  words.textContent = said.textContent = button.dataset.done;
  setTimeout(() => {
    words.textContent = before;
    said.textContent = "";
  }, 2500);
}

async function copy(button, written) {
  await navigator.clipboard.writeText(written);
  tell(button);
}

function startButtons() {
  const [copyButton, shareButton] = [document.querySelector("#copy"), document.querySelector("#share")];
  const number = document.querySelector("#case-number").textContent;
  if (navigator.clipboard) {
    copyButton.hidden = false;
    copyButton.addEventListener("click", () => copy(copyButton, number));
  }
  if (!shareButton || !(navigator.share || navigator.clipboard)) return;
  const url = new URL(`/casos/${number}`, location.href).href;
  shareButton.hidden = false;
  shareButton.addEventListener("click", () => {
    if (!navigator.share) return copy(shareButton, url);
    return navigator.share({ title: shareButton.dataset.title, url }).catch(() => undefined);
  });
}

startButtons();
const mapElement = document.querySelector("#case-map");
if (mapElement) drawMap(mapElement);
