// Where the reader stands, on the map: asked of the browser, kept nowhere.

const CLOSE_ZOOM = 15;
const PATIENCE_MS = 15_000;
const OVER_PINS = 10_000;

/** Resolves to the accuracy in metres; raises `RangeError` outside of the map. */
export async function goToMyPlace(map, within, marked) {
  const { coords } = await new Promise((resolve, reject) =>
    navigator.geolocation.getCurrentPosition(resolve, reject, {
      enableHighAccuracy: true,
      timeout: PATIENCE_MS,
    }),
  );
  const at = L.latLng(coords.latitude, coords.longitude);
  if (!within.contains(at)) throw new RangeError("outside of the map");
  marked.clearLayers();
  L.circle(at, { radius: coords.accuracy, className: "here-around", interactive: false }).addTo(marked);
  const icon = L.divIcon({ className: "here-dot", iconSize: [18, 18] });
  L.marker(at, { icon, interactive: false, keyboard: false, zIndexOffset: OVER_PINS }).addTo(marked);
  map.setView(at, CLOSE_ZOOM);
  return Math.max(1, Math.round(coords.accuracy));
}
