// The outbox: reports on their way to the server, sent by themselves, each exactly once.
//
// A report goes as it was written, under an id of its own, as often as it takes: the
// server answers a repetition with the same case. The report goes first and its photos
// after it, in pieces. What is under way is in the database before it is sent, so that
// whoever comes next (this page, another tab, the service worker) goes on from there.

import * as api from "./api.js";
import { keep, newId, outbox, photos } from "./store.js";

const LOCK = "311-movil-outbox";
const LEASE_MS = 60 * 1000;
const SHORTEST_WAIT_MS = 1000;
const FIRST_WAIT_MS = 5 * 1000;
// Coming back on the line is an event; this is for browsers that forget to tell.
const OFFLINE_WAIT_MS = 60 * 1000;
const LONGEST_WAIT_MS = 15 * 60 * 1000;
// Beyond this a moment was written under a wrong clock.
const WRONG_CLOCK_MS = 25 * 3600 * 1000;
// A whole valley is back on the line at the same moment.
const SPREAD_MS = 1000;
const LARGEST_PIECE = 512 * 1024;
const SMALLEST_PIECE = 64 * 1024;
const MOST_RESTARTS = 2;
const MOST_MOVES = 20;
const DONE_KEPT_MS = 14 * 24 * 3600 * 1000;
// More the server does not take: a clock that was set right meanwhile says decades.
const LONGEST_OPEN_S = 1e9;
const WAKE = "outbox";
const UNTROUBLED = { tries: 0, nextTryAt: 0, notBefore: 0, problem: null };
const UNDER_WAY = ["waiting", "sending", "filed"];
// What is not said for good: too early, too much, or not this server's last word.
const PASSING = [401, 408, 425, 429];

/** Another report is being written: `{replace: true}` gives it up. */
export class DraftInTheWay extends Error {
  name = "DraftInTheWay";
}

/** It may have been filed: only what the server has refused can be written again. */
export class NotEditable extends Error {
  name = "NotEditable";
}

/** Somebody took the report out of the outbox while it was on its way. */
class Removed extends Error {}

/** The server does not know the report that it has acknowledged. */
class Forgotten extends Error {}

const channel = self.BroadcastChannel ? new BroadcastChannel("311-movil-outbox") : null;
const watchers = new Set();
// Where the disk is too full to write down when to try again.
const heldInMemory = new Map();
let asked = 0;
let running = null;
let timer = 0;

if (channel) channel.addEventListener("message", tellWatchers);

// ── For the screens ─────────────────────────────────────────────────────────────

/** Draft to outbox, in one step, and on its way; throws StorageFull, and keeps the draft. */
export async function send(written) {
  const item = itemOf(written);
  await outbox.take(item);
  askToStay();
  announce();
  flush().catch(report);
  return item;
}

/** Sends what is due; `force`: all, except what the server asked to wait for. */
export function flush({ force = false } = {}) {
  asked = Math.max(asked, force ? 2 : 1);
  if (!running) running = serve();
  return running;
}

/** Calls back with all items, now and whenever anything changes, in whichever tab. */
export function watch(callback) {
  watchers.add(callback);
  tellWatchers();
  return () => watchers.delete(callback);
}

/** How many reports, or photos of them, the server does not have yet. */
export async function waiting() {
  return (await outbox.all()).filter((item) => UNDER_WAY.includes(item.state)).length;
}

/** How many reports the server does not have, and of how many it lacks only photos. */
export function unsentOf(items) {
  const under = items.filter((item) => UNDER_WAY.includes(item.state));
  const photosOnly = under.filter((item) => item.state === "filed").length;
  return { reports: under.length - photosOnly, photosOnly };
}

/** The person asks again, also for what was refused. */
export async function retry(id) {
  await change(id, (item) => ({
    ...item,
    state: item.receipt ? "filed" : "waiting",
    problem: null,
    photoProblems: {},
    // What the server asked for stands, and is told.
    nextTryAt: item.notBefore || 0,
  }));
  heldInMemory.delete(id);
  await flush();
}

export async function remove(id) {
  await outbox.remove(id);
  announce();
}

/** A report that was refused, or never tried, as the draft: same words, same photos. */
export async function reopenAsDraft(id, { replace = false } = {}) {
  const item = await outbox.get(id);
  // Nobody sends what was refused: who mends it need not wait for another's photos.
  if (item && item.state === "refused") return reopened(id, replace);
  return alone(() => reopened(id, replace));
}

async function reopened(id, replace) {
  const written = await outbox.giveBack(id, (item, other) => {
    const untouched = item && item.state === "waiting" && item.tries === 0;
    if (!item || (item.state !== "refused" && !untouched)) throw new NotEditable();
    if (!replace && hasContent(other)) throw new DraftInTheWay();
    return { ...item.draft, id: newId(), startedAt: Date.now() };
  });
  announce();
  return written;
}

/** From now on by itself: at once, on the line again, looked at again, when it is time. */
export function start() {
  const now = () => flush({ force: true }).catch(report);
  addEventListener("online", () => setTimeout(now, Math.random() * SPREAD_MS));
  // What they say of a report depends on the line, too.
  addEventListener("online", tellWatchers);
  addEventListener("offline", tellWatchers);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") now();
  });
  if (navigator.serviceWorker) {
    navigator.serviceWorker.addEventListener("message", ({ data }) => {
      if (data && data.type === "flush") now();
    });
  }
  tidy().catch(report);
  return now();
}

// ── From draft to item ──────────────────────────────────────────────────────────

function itemOf(written) {
  return {
    id: written.id,
    body: bodyOf(written),
    draft: written,
    photoIds: [...written.photos],
    state: "waiting",
    tries: 0,
    nextTryAt: 0,
    notBefore: 0,
    problem: null,
    receipt: null,
    sentPhotos: [],
    photoProblems: {},
    begunPhotos: [],
    sentBytes: 0,
    queuedAt: Date.now(),
  };
}

/** The report as it will be sent, however often: the same body is the same report. */
function bodyOf(written) {
  const began = new Date(written.startedAt);
  const body = {
    id: written.id,
    category: written.category,
    location: { type: "Point", coordinates: [written.location.lon, written.location.lat] },
    accuracy: written.accuracy === undefined ? null : written.accuracy,
    captured_at: began.toISOString(),
    description: written.description || "",
    place_hint: written.placeHint || "",
    language: api.language(),
    website: written.website || "",
    elapsed: Math.min(LONGEST_OPEN_S, Math.max(0, Math.round((Date.now() - began.getTime()) / 1000))),
  };
  if (written.district) body.district = written.district;
  if (written.contact) {
    body.contact = written.contact;
    body.consent = written.consent;
  }
  return body;
}

const hasContent = (written) =>
  Boolean(written && (written.photos.length || written.description || written.category));

// ── One at a time, over all tabs ────────────────────────────────────────────────

async function serve() {
  try {
    do {
      const force = asked === 2;
      asked = 0;
      await alone(() => deliverAll(force));
      await wakeLater();
    } while (asked);
  } finally {
    running = null;
  }
}

function alone(work) {
  return navigator.locks ? navigator.locks.request(LOCK, work) : aloneByLease(work);
}

/** Where the browser has no locks: a note in the database, good for a minute at a time. */
async function aloneByLease(work) {
  const owner = newId();
  if (!(await takeLease(owner))) {
    setTimeout(() => flush().catch(report), LEASE_MS / 6);
    return undefined;
  }
  const renewal = setInterval(() => takeLease(owner).catch(report), LEASE_MS / 4);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await keep.update("lease", (lease) => (lease.owner === owner ? { until: 0 } : lease));
  }
}

async function takeLease(owner) {
  const lease = await keep.update("lease", (held) => {
    const now = Date.now();
    const free =
      !held || held.owner === owner || held.until <= now || held.until > now + LEASE_MS;
    return free ? { owner, until: now + LEASE_MS } : held;
  });
  return lease.owner === owner;
}

// ── Sending ─────────────────────────────────────────────────────────────────────

async function deliverAll(force) {
  const failed = new Set();
  for (;;) {
    // Known without trying: such a report is untouched, and may still be written again.
    if (navigator.onLine === false) return;
    const item = next(await outbox.all(), force, failed);
    if (!item) return;
    try {
      await (item.receipt ? sendPhotos(item) : file(item));
    } catch (problem) {
      if (problem instanceof Removed || problem instanceof Forgotten) continue;
      failed.add(item.id);
      await putOff(item.id, problem);
      if (problem instanceof api.Offline) return;
    }
  }
}

/** Reports before photos: a report is small, and makes the case. */
function next(items, force, failed) {
  const due = items.filter(
    (item) => UNDER_WAY.includes(item.state) && !failed.has(item.id) && isDue(item, force),
  );
  return due.find((item) => !item.receipt) || due[0];
}

function isDue(item, force, now = Date.now()) {
  const at = force ? item.notBefore || 0 : nextTry(item);
  return at <= now || at > now + WRONG_CLOCK_MS;
}

const nextTry = (item) =>
  Math.max(item.nextTryAt || 0, item.notBefore || 0, heldInMemory.get(item.id) || 0);

async function file(item) {
  const sending = await note(item, { state: "sending" });
  let answer;
  try {
    answer = await api.post("reports/", sending.body);
  } catch (problem) {
    if (!isFinal(problem)) throw problem;
    await change(item.id, (now) => ({ ...now, state: "refused", problem: plain(problem) }));
    return;
  }
  const receipt = answer.body;
  if (!receipt || !receipt.number) throw new api.Offline(new Error("not a receipt"));
  const done = item.photoIds.length === 0;
  const totalBytes = await bytesOf(item.id);
  const fresh = { receipt, totalBytes, ...UNTROUBLED };
  await outbox.filed(
    item.id,
    (now) => (done ? slim({ ...now, ...fresh, state: "done" }) : { ...now, ...fresh, state: "filed" }),
    caseOf(item.id, receipt),
  );
  heldInMemory.delete(item.id);
  announce();
}

const bytesOf = async (id) => (await photos.of(id)).reduce((sum, { size }) => sum + size, 0);

const caseOf = (reportId, receipt) => ({
  number: receipt.number,
  pin: receipt.pin,
  reportId,
  own: true,
  following: true,
  receipt,
  view: null,
  etag: null,
  seenVersion: null,
  fetchedAt: null,
});

/** Without what is no longer needed once the server has it: whose report it is. */
function slim(item) {
  const { contact, consent, ...body } = item.body;
  return { ...item, body, draft: null };
}

async function sendPhotos(item) {
  // It is on its way again: nobody is told to wait for the next try.
  if (item.nextTryAt) item = await note(item, { nextTryAt: 0 });
  for (const id of item.photoIds) {
    if (!isSettled(item, id)) item = await settled(item, id);
  }
  await change(item.id, (now) => slim({ ...now, ...UNTROUBLED, state: "done" }));
}

const isSettled = (item, id) => item.sentPhotos.includes(id) || id in item.photoProblems;

/** The item once this photo is with the server, or can never be. */
async function settled(item, id) {
  const photo = await photos.get(id);
  if (!photo) return setAside(item.id, id, { type: "photo-missing", title: "", detail: "" });
  try {
    await sendPhoto(item, photo);
  } catch (problem) {
    if (problem.type === "no-such-report" && !item.filedAgain) return fileAgain(item);
    if (!isFinal(problem)) throw problem;
    return setAside(item.id, id, plain(problem));
  }
  const sent = (now) => ({ ...now, ...UNTROUBLED, sentPhotos: [...now.sentPhotos, id] });
  const kept = await outbox.photoSent(item.id, sent, id);
  if (!kept) throw new Removed();
  announce();
  return kept;
}

/** The server was restored from a copy that is older than the report. */
async function fileAgain(item) {
  await change(item.id, (now) => ({
    ...now,
    state: "waiting",
    receipt: null,
    sentPhotos: [],
    begunPhotos: [],
    filedAgain: true,
  }));
  throw new Forgotten();
}

/** Refused for good: the report stands without it, and the phone keeps it. */
const setAside = (itemId, photoId, problem) =>
  change(itemId, (now) => ({
    ...now,
    photoProblems: { ...now.photoProblems, [photoId]: problem },
  }));

async function sendPhoto(item, photo) {
  const before = item.sentBytes;
  let offset = 0;
  if (item.begunPhotos.includes(photo.id)) {
    offset = await receivedOf(item.id, photo);
  } else {
    item = await note(item, { begunPhotos: [...item.begunPhotos, photo.id] });
  }
  let restarts = 0;
  let moves = 0;
  while (offset < photo.size) {
    const answer = await sendPiece(item, photo, offset);
    if (answer.done) break;
    if (answer.restart && (restarts += 1) > MOST_RESTARTS) throw answer.problem;
    if (answer.moved && (moves += 1) > MOST_MOVES) throw new api.Offline(answer.problem);
    offset = answer.offset;
    item = await note(item, { sentBytes: before + offset });
  }
  await note(item, { sentBytes: before + photo.size });
}

/** How many bytes of it the server has; all of them once it is complete. */
async function receivedOf(reportId, photo) {
  const { body } = await api.get(api.photoPath(reportId, photo.id), { device: true });
  if (body.state === "uploading") return body.received < photo.size ? body.received : 0;
  if (body.sha256 && body.sha256 !== photo.sha256) {
    throw new api.Problem(409, { type: "photo-id-reused" }, null);
  }
  return photo.size;
}

async function sendPiece(item, photo, offset) {
  const { pieceBytes = LARGEST_PIECE } = item;
  const piece = photo.blob.slice(offset, offset + pieceBytes);
  try {
    const { status, body } = await api.putPiece(item.id, photo, piece, offset);
    if (status !== 202) return { done: true };
    if (!(body.received > offset)) throw new api.Offline(new Error("no byte further"));
    return { offset: body.received };
  } catch (problem) {
    if (problem.type === "wrong-offset") {
      return { moved: true, offset: await afterWrongOffset(item.id, photo, problem), problem };
    }
    if (problem.type === "digest-mismatch") return { restart: true, offset: 0, problem };
    // On a bad line a smaller piece gets through sooner, and costs less when it is cut.
    if (problem instanceof api.Offline) {
      await note(item, { pieceBytes: Math.max(SMALLEST_PIECE, pieceBytes / 2) });
    }
    throw problem;
  }
}

async function afterWrongOffset(itemId, photo, { body }) {
  return body.received < photo.size ? body.received : receivedOf(itemId, photo);
}

// ── When it did not work ────────────────────────────────────────────────────────

/** Whether asking again can never help. A missing address is a server being renewed. */
function isFinal(problem) {
  if (!(problem instanceof api.Problem)) return false;
  const passing =
    problem.status >= 500 ||
    PASSING.includes(problem.status) ||
    ["proof-required", "device-required", "not-found", "method-not-allowed"].includes(problem.type);
  return !passing;
}

const plain = ({ status, type, title, detail, errors }) => ({
  status,
  type,
  title,
  detail,
  errors,
});

/** Longer after each failure, never all phones at once, and not before the server says. */
async function putOff(id, problem) {
  const now = Date.now();
  const demanded = (problem.retryAfter || 0) * 1000;
  try {
    await change(id, (item) => {
      const tries = item.tries + 1;
      return {
        ...item,
        state: item.receipt ? "filed" : "waiting",
        tries,
        nextTryAt: now + Math.max(backOff(tries), demanded),
        notBefore: demanded ? now + demanded : 0,
        problem: problem instanceof api.Problem ? plain(problem) : null,
      };
    });
  } catch (trouble) {
    if (trouble instanceof Removed) return;
    if (trouble.name !== "StorageFull") throw trouble;
    heldInMemory.set(id, now + Math.max(OFFLINE_WAIT_MS, demanded));
  }
  const known = problem instanceof api.Problem || problem instanceof api.Offline;
  if (!known && problem.name !== "StorageFull") report(problem);
}

/** In ms. */
export function backOff(tries, random = Math.random()) {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1));
  return longest * (0.5 + random / 2);
}

async function wakeLater() {
  if (!self.document) return;
  clearTimeout(timer);
  const pending = (await outbox.all()).filter((item) => UNDER_WAY.includes(item.state));
  if (!pending.length) return;
  const soonest = navigator.onLine === false ? OFFLINE_WAIT_MS : SHORTEST_WAIT_MS;
  const at = Math.min(...pending.map(nextTry));
  const wait = Math.min(LONGEST_WAIT_MS, Math.max(soonest, at - Date.now()));
  timer = setTimeout(() => flush().catch(report), wait);
  // Also after the app is closed.
  await askToBeWoken();
}

/** Background Sync, where it exists and is allowed: the browser wakes the worker. */
async function askToBeWoken() {
  try {
    const registration =
      self.registration ||
      (navigator.serviceWorker && (await navigator.serviceWorker.getRegistration("/reportar")));
    if (registration && registration.sync) await registration.sync.register(WAKE);
  } catch (refused) {
    console.info(`no background sync: ${refused.name}`);
  }
}

/** So that the browser does not clear what waits here to make room. */
function askToStay() {
  if (!navigator.storage || !navigator.storage.persist) return;
  navigator.storage.persist().catch((refused) => console.info(`may be cleared: ${refused.name}`));
}

// ── Keeping and telling ─────────────────────────────────────────────────────────

/** `make(item)` on the item as it is now; throws Removed when it is there no longer. */
async function change(id, make) {
  const item = await outbox.change(id, make);
  if (!item) throw new Removed();
  announce();
  return item;
}

/** What is good to know but not needed: a full disk does not keep a report from leaving. */
async function note(item, news) {
  try {
    return await change(item.id, (now) => ({ ...now, ...news }));
  } catch (problem) {
    if (problem.name !== "StorageFull") throw problem;
    return { ...item, ...news };
  }
}

async function tidy(now = Date.now()) {
  await photos.sweep(now);
  for (const item of await outbox.all()) {
    const old = item.state === "done" && now - item.queuedAt > DONE_KEPT_MS;
    if (old) await remove(item.id);
  }
}

function announce() {
  if (channel) channel.postMessage("changed");
  tellWatchers();
}

let reading = 0;
async function tellWatchers() {
  if (!watchers.size) return;
  reading += 1;
  const mine = reading;
  try {
    const items = await outbox.all();
    // A later reading has told them more already.
    if (mine === reading) watchers.forEach((callback) => callback(items));
  } catch (problem) {
    report(problem);
  }
}

/** What went wrong, by its name only: a message could carry what a person wrote. */
const report = (problem) => console.error(`outbox: ${problem.name}`);
