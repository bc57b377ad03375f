{% load app_script %}// The phone app's service worker: version {{ version }}.
{% if module %}import { flush, waiting } from {{ outbox|script }};
{% endif %}
const VERSION = {{ version|script }};
const FILES = {{ files|script }};
const LANGUAGES = {{ languages|script }};
const PAGE = {{ page|script }};
const STATIC = {{ static|script }};
const ICON = {{ icon|script }};
const BADGE = {{ badge|script }};

const PREFIX = "311-movil-app-";
const APP = PREFIX + VERSION;
const OUTLINES = "311-movil-outlines";
const SETTINGS = "311-movil-settings";
const LANGUAGE = `${PAGE}/language`;
// A phone that shows bars but gets nothing through must not wait for the page.
const PATIENCE_MS = 3000;

// ── Each version whole, or not at all ───────────────────────────────────────────

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

async function install() {
  const cache = await caches.open(APP);
  await Promise.all([
    ...FILES.map((url) => keepFile(cache, url)),
    ...LANGUAGES.map((language) => keepPage(cache, language)),
  ]);
}

/** What an earlier version has under the same name is the same: it is not paid for twice. */
async function keepFile(cache, url) {
  const kept = await caches.match(url);
  await cache.put(url, kept || (await fetched(url, { credentials: "omit" })));
}

/** Without the cookie, which would choose the language. */
async function keepPage(cache, language) {
  const headers = { "Accept-Language": language };
  const page = await fetched(PAGE, { headers, credentials: "omit", cache: "reload" });
  if (!isPage(page)) throw new Error(`not the app's page: ${page.status}`);
  await cache.put(keyOf(language), page);
}

async function fetched(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return response;
}

const keyOf = (language) => `${PAGE}?language=${language}`;

async function activate() {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== APP);
  // The one before stays: a page of it may still be open, with modules not loaded yet.
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("message", ({ data }) => {
  if (data && data.type === "take-over") self.skipWaiting();
});

// ── What is asked for ───────────────────────────────────────────────────────────

// Nothing of /api/ is answered or kept here: personal answers stay between the page and
// the server, and what the app needs of the others it keeps in its own database.
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate") {
    if (pathname === PAGE || pathname === `${PAGE}/`) event.respondWith(page(event));
  } else if (pathname.startsWith(STATIC)) {
    event.respondWith(file(request));
  } else if (pathname.startsWith("/mapa/") && pathname.endsWith(".geojson")) {
    event.respondWith(outline(request));
  }
});

async function page(event) {
  const answer = fetch(event.request);
  answer.catch(() => undefined);
  try {
    const response = await Promise.race([answer, late()]);
    if (!isPage(response)) throw new Error("not the app's page");
    event.waitUntil(remember(response.headers.get("Content-Language")));
    return response;
  } catch (problem) {
    return (await keptPage()) || answer;
  }
}

const late = () =>
  new Promise((_, reject) => setTimeout(() => reject(new Error("late")), PATIENCE_MS));

const isPage = ({ ok, headers }) => ok && (headers.get("Content-Type") || "").startsWith("text/html");

/** The language of the last page, for when there is no signal to ask. */
async function remember(language) {
  if (LANGUAGES.includes(language)) {
    await (await caches.open(SETTINGS)).put(LANGUAGE, new Response(language));
  }
}

async function keptPage() {
  const said = await caches.match(LANGUAGE, { cacheName: SETTINGS });
  const language = said ? await said.text() : LANGUAGES[0];
  return caches.match(keyOf(language), { cacheName: APP });
}

async function file(request) {
  return (await caches.match(request.url, { ignoreVary: true })) || fetch(request);
}

/** The address names the generation of boundaries: what is kept under it stays true. */
async function outline(request) {
  const cache = await caches.open(OUTLINES);
  const kept = await cache.match(request.url, { ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  // Also shown when the disk has no room to keep it.
  if (response.ok) cache.put(request.url, response.clone()).catch(() => undefined);
  return response;
}

// ── The signal is back ──────────────────────────────────────────────────────────

self.addEventListener("sync", (event) => {
  if (event.tag === "outbox") event.waitUntil(send(event.lastChance));
});
{% if module %}
async function send(force) {
  await flush({ force });
  // Said to the browser, which then wakes this again later.
  if (await waiting()) throw new Error("reports still wait");
}
{% else %}
/** No modules, no sending from here: an open page does it, else the next start. */
async function send() {
  const pages = await self.clients.matchAll({ type: "window" });
  for (const page of pages) page.postMessage({ type: "flush" });
  if (!pages.length) throw new Error("nobody to send");
}
{% endif %}
// ── News of a case ──────────────────────────────────────────────────────────────

self.addEventListener("push", (event) => event.waitUntil(tell(event.data)));

async function tell(data) {
  const said = understood(data);
  await self.registration.showNotification(said.title || "311 móvil", {
    body: said.body || "",
    tag: said.tag || said.number || "311-movil",
    icon: ICON,
    badge: BADGE,
    data: { address: addressOf(said) },
  });
  const pages = await self.clients.matchAll({ type: "window" });
  for (const page of pages) page.postMessage({ type: "news" });
}

/** A push must show something, whatever it says. */
function understood(data) {
  try {
    return (data && data.json()) || {};
  } catch (problem) {
    return {};
  }
}

const addressOf = ({ number }) => `${PAGE}#/casos${number ? `/${encodeURIComponent(number)}` : ""}`;

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.address));
});

async function open(address) {
  const pages = await self.clients.matchAll({ type: "window" });
  const ours = pages.find(({ url }) => new URL(url).pathname.startsWith(PAGE));
  if (!ours) return self.clients.openWindow(address);
  await ours.focus();
  return ours.navigate(address);
}
