// The phone's own cases and the followed ones: what became of them, and what one may do.

import * as api from "./api.js";
import { cases, newId } from "./store.js";

const ACTIONS = ["confirm", "reopen", "answer", "cancel"];
const channel = self.BroadcastChannel ? new BroadcastChannel("311-movil-cases") : null;
const watchers = new Set();

if (channel) channel.addEventListener("message", tellWatchers);

/** Calls back with all rows, now and whenever one changes, in whichever tab. */
export function watch(callback) {
  watchers.add(callback);
  tellWatchers();
  return () => watchers.delete(callback);
}

/** The row with the server's newest view; throws Offline, and leaves the row as it was. */
export async function refresh(number) {
  const known = await cases.get(number);
  const row = known || stranger(number);
  const answer = await api.get(`cases/${number}/`, { pin: row.pin, etag: row.etag });
  return change(number, (now) => {
    // Taken off this phone meanwhile: there it stays.
    if (known && !now) return null;
    const kept = now || row;
    if (answer.status === 304) return { ...kept, fetchedAt: Date.now() };
    const view = answer.body;
    return {
      ...kept,
      view,
      etag: answer.etag,
      fetchedAt: Date.now(),
      seenVersion: kept.seenVersion === null ? firstSeen(kept, view) : kept.seenVersion,
    };
  });
}

/** All of them, one after the other; what cannot be had now stays as it was. */
export async function refreshAll() {
  for (const { number } of await cases.all()) {
    try {
      if (await cases.get(number)) await refresh(number);
    } catch (problem) {
      if (problem instanceof api.Offline) return;
      if (!(problem instanceof api.Problem)) throw problem;
    }
  }
}

/** Confirm, reopen, answer or cancel; throws Problem "changed-meanwhile" when the case is
 * no longer as the person saw it, with the row already brought up to date. */
export async function act(number, action, note = "") {
  if (!ACTIONS.includes(action)) throw new TypeError(`no such action: ${action}`);
  const row = await cases.get(number);
  const id = await idOf(number, action, note);
  const body = note ? { id, note } : { id };
  try {
    const answer = await api.post(`cases/${number}/${action}/`, body, {
      pin: row.pin,
      ifMatch: row.etag,
    });
    await settle(number);
    await refreshIfThere(number, answer.body.version);
    return answer.body;
  } catch (problem) {
    if (problem instanceof api.Problem && problem.status < 500 && problem.status !== 429) {
      await settle(number);
      if (problem.status === 412 || problem.status === 409) await refreshIfThere(number);
    }
    throw problem;
  }
}

/** "A mí también": counted once per device, and followed from now on. */
export async function support(number) {
  const id = await idOf(number, "support");
  const { body } = await api.post(`cases/${number}/support/`, { id });
  await change(number, (now) => ({ ...(now || stranger(number)), following: true }));
  await settle(number);
  return body;
}

export async function follow(number, on, { email } = {}) {
  const row = await cases.get(number);
  const id = await idOf(number, `follow-${on}`, email || "");
  const body = email ? { id, on, email } : { id, on };
  const answer = await api.post(`cases/${number}/follow/`, body, { pin: row && row.pin });
  await settle(number);
  if (!on && row && !row.own) {
    await cases.remove(number);
    announce();
  } else {
    await change(number, (now) => ({ ...(now || stranger(number)), following: on }));
  }
  return answer.body;
}

/** `{reason, note, photo}`: somebody should look at this. */
export async function flag(number, said) {
  const id = await idOf(number, "flag", JSON.stringify(said));
  const { body } = await api.post(`cases/${number}/flag/`, { id, ...said });
  await settle(number);
  return body;
}

/** A case filed elsewhere: with its PIN the person's own, else one to look at. Nothing is
 * kept when the server refuses. */
export async function add(number, pin = null) {
  const { body, etag } = await api.get(`cases/${encodeURIComponent(number)}/`, { pin });
  return change(body.number, (now) => ({
    ...(now || stranger(body.number)),
    ...(pin ? { pin, own: true } : {}),
    view: body,
    etag,
    seenVersion: body.version === undefined ? null : body.version,
    fetchedAt: Date.now(),
  }));
}

/** What was only looked at is not among the cases of this phone. */
export async function forgetUnlessKept(number) {
  const row = await cases.get(number);
  if (row && !row.own && !row.following) await cases.remove(number);
}

/** How many have news that the person has not looked at. */
export const unread = async () => (await cases.all()).filter(hasNews).length;

export const hasNews = ({ view, seenVersion }) =>
  Boolean(view && view.version !== undefined && seenVersion !== null && view.version > seenVersion);

/** The person has looked at it. */
export const seen = (number) =>
  change(number, (now) => now && { ...now, seenVersion: now.view ? now.view.version : null });

/** News of an own case may be there before the phone first asks. */
const firstSeen = (row, view) =>
  row.own && row.receipt && view.status !== row.receipt.status ? 0 : view.version;

const stranger = (number) => ({
  number,
  pin: null,
  reportId: null,
  own: false,
  following: false,
  receipt: null,
  view: null,
  etag: null,
  seenVersion: null,
  fetchedAt: null,
});

// An answer may be lost on its way: the same tap again is the same act, under the same id.

const pending = new Map();

async function idOf(number, action, note = "") {
  const key = `${action} ${note}`;
  const row = await cases.get(number);
  const before = row ? row.pendingAct : pending.get(number);
  if (before && before.key === key) return before.id;
  const act = { key, id: newId() };
  if (row) await change(number, (now) => ({ ...now, pendingAct: act }));
  else pending.set(number, act);
  return act.id;
}

async function settle(number) {
  pending.delete(number);
  await change(number, (now) => now && { ...now, pendingAct: null });
}

/** Afterwards, to show the new state: the act itself has its answer already. */
async function refreshIfThere(number, version) {
  try {
    await refresh(number);
    if (version !== undefined) await seen(number);
  } catch (problem) {
    if (!(problem instanceof api.Offline) && !(problem instanceof api.Problem)) throw problem;
  }
}

async function change(number, make) {
  const row = await cases.update(number, make);
  announce();
  return row;
}

function announce() {
  if (channel) channel.postMessage("changed");
  tellWatchers();
}

async function tellWatchers() {
  if (!watchers.size) return;
  try {
    const rows = await cases.all();
    watchers.forEach((callback) => callback(rows));
  } catch (problem) {
    console.error(`cases: ${problem.name}`);
  }
}
