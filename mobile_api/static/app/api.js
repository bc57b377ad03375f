// The server's API: asks, waits no longer than makes sense, and says what became of it.

import { solve } from "./proof.js";
import { keep, onlyIfFull } from "./store.js";

const ROOT = "/api/v1/";
const PATIENCE_MS = 20000;
// Slower than this a connection is as good as none.
const SLOWEST_BYTES_PER_MS = 4;
const MOST_PROOFS = 2;
const DEVICE = "device";
// A device's token makes limits wider; a report does not wait for one for ever.
const MOST_DEVICE_FAILURES = 3;
const WITHOUT_DEVICE_MS = 10 * 60 * 1000;
const JSON_TYPE = /^application\/([\w.-]+\+)?json\b/;

/** No answer, or none of this server's: no signal, a cut line, a hotel's log-in page. */
export class Offline extends Error {
  constructor(cause) {
    super("no answer from the server");
    this.name = "Offline";
    this.cause = cause;
  }
}

/** The server refuses (RFC 9457); title and detail are for people, in their language. */
export class Problem extends Error {
  constructor(status, body, retryAfter) {
    super(body.title || `status ${status}`);
    this.name = "Problem";
    this.status = status;
    this.type = (body.type || "about:blank").replace(/^\/problems\//, "");
    this.title = body.title || "";
    this.detail = body.detail || "";
    this.errors = body.errors || [];
    this.challenge = body.challenge || null;
    this.retryAfter = retryAfter; // seconds, or null
    this.body = body;
  }
}

/** `{status, body, etag}`; with `etag`, status 304 and no body while nothing changed. */
export const get = (path, options = {}) => ask("GET", path, options);
export const post = (path, body, options = {}) =>
  ask("POST", path, { device: true, ...options, body: JSON.stringify(body) });
export const patch = (path, body, options = {}) =>
  ask("PATCH", path, { device: true, ...options, body: JSON.stringify(body) });
export const del = (path, options = {}) => ask("DELETE", path, { device: true, ...options });

/** A piece of a photo from `offset`; the digest is that of the whole. */
export function putPiece(reportId, photo, piece, offset) {
  const last = offset + piece.size - 1;
  return ask("PUT", photoPath(reportId, photo.id), {
    device: true,
    body: piece,
    headers: {
      "Content-Type": photo.type || "application/octet-stream",
      "Content-Range": `bytes ${offset}-${last}/${photo.size}`,
      "Repr-Digest": `sha-256=:${base64(photo.sha256)}:`,
    },
  });
}

export const photoPath = (reportId, photoId) => `reports/${reportId}/photos/${photoId}/`;

async function ask(method, path, options) {
  let proof = null;
  let proofs = 0;
  let renewed = false;
  for (;;) {
    const token = options.device ? await deviceToken() : null;
    try {
      return await askOnce(method, path, options, { token, proof });
    } catch (problem) {
      if (problem.type === "device-revoked" && token && !renewed) {
        renewed = true;
        await forgetDevice(token);
      } else if (problem.type === "proof-required" && problem.challenge && proofs < MOST_PROOFS) {
        proofs += 1;
        proof = await solve(problem.challenge);
      } else {
        throw problem;
      }
    }
  }
}

async function askOnce(method, path, options, { token, proof }) {
  const controller = new AbortController();
  const stop = () => controller.abort();
  const timer = setTimeout(stop, patience(options.body));
  if (options.signal) options.signal.addEventListener("abort", stop);
  try {
    const response = await fetch(ROOT + path, {
      method,
      body: options.body,
      headers: headersOf(options, token, proof),
      signal: controller.signal,
      // No cookie of the public pages goes along, and nobody leads us elsewhere.
      credentials: "omit",
      redirect: "error",
      cache: options.pin || options.etag ? "no-store" : "default",
    });
    return await understood(response);
  } catch (problem) {
    if (problem instanceof Problem || problem instanceof Offline) throw problem;
    if (options.signal && options.signal.aborted) throw problem;
    throw new Offline(problem);
  } finally {
    clearTimeout(timer);
    if (options.signal) options.signal.removeEventListener("abort", stop);
  }
}

/** In ms: longer for who sends more. */
export function patience(body) {
  const bytes = body ? body.size || body.length || 0 : 0;
  return PATIENCE_MS + bytes / SLOWEST_BYTES_PER_MS;
}

function headersOf({ body, pin, etag, ifMatch, headers }, token, proof) {
  const said = { Accept: "application/json", "Accept-Language": language() };
  if (typeof body === "string") said["Content-Type"] = "application/json";
  if (pin) said["X-Case-Pin"] = pin;
  if (etag) said["If-None-Match"] = etag;
  if (ifMatch) said["If-Match"] = ifMatch;
  if (token) said.Authorization = `Device ${token}`;
  if (proof) said["X-Proof"] = proof;
  return { ...said, ...headers };
}

export function language() {
  const said = self.document ? document.documentElement.lang : navigator.language;
  return (said || "es").startsWith("en") ? "en" : "es";
}

async function understood(response) {
  const { status } = response;
  const etag = response.headers.get("ETag");
  if (status === 304 || status === 204) return { status, body: null, etag };
  const ours = JSON_TYPE.test(response.headers.get("Content-Type") || "");
  if (!ours && status < 500) throw new Offline(new Error(`not an answer of ours: ${status}`));
  const body = ours ? await response.json() : {};
  if (response.ok) return { status, body, etag };
  throw new Problem(status, body, seconds(response.headers.get("Retry-After")));
}

/** `Retry-After`: seconds, or a date. */
function seconds(said) {
  if (!said) return null;
  const wait = /^\d+$/.test(said) ? Number(said) : (Date.parse(said) - Date.now()) / 1000;
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}

const base64 = (hexadecimal) =>
  btoa(String.fromCharCode(...hexadecimal.match(/../g).map((byte) => parseInt(byte, 16))));

// ── The device's token ──────────────────────────────────────────────────────────

let device = null; // Also here: a full disk must not cost a new device per request.
let failures = 0;
let withoutUntil = 0;
let asking = null;

/** The token of this device, asked for on first need; null where there is none to have. */
async function deviceToken() {
  const kept = (await keep.get(DEVICE)) || device;
  if (kept) return kept.token;
  if (Date.now() < withoutUntil) return null;
  if (!asking) {
    asking = oneAtATime(newDevice).finally(() => {
      asking = null;
    });
  }
  return asking;
}

async function newDevice() {
  const kept = await keep.get(DEVICE);
  if (kept) return kept.token;
  try {
    const answer = await ask("POST", "devices/", {
      body: JSON.stringify({ language: language() }),
    });
    device = answer.body;
    failures = 0;
    await keep.set(DEVICE, device).catch(onlyIfFull);
    return device.token;
  } catch (problem) {
    failures += 1;
    const offline = problem instanceof Offline;
    if (offline && failures < MOST_DEVICE_FAILURES) throw problem;
    if (!offline && !(problem instanceof Problem)) throw problem;
    withoutUntil = Date.now() + WITHOUT_DEVICE_MS;
    return null;
  }
}

const oneAtATime = (work) =>
  navigator.locks ? navigator.locks.request("311-movil-device", work) : work();

/** Only the token that was refused: another tab may have a new one already. */
async function forgetDevice(token) {
  if (device && device.token === token) device = null;
  const kept = await keep.get(DEVICE);
  if (kept && kept.token === token) await keep.set(DEVICE, null);
}
