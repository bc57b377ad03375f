// What this phone keeps: the draft, the outbox, photos, cases, and what was fetched before.

import { deleteDB, openDB } from "../vendor/idb-8.0.4/index.js";

const NAME = "311-movil";
const VERSION = 1;
const CURRENT = "current";
// On the disk before it counts as kept: a phone's battery ends without warning.
const STRICT = { durability: "strict" };
const ON_A_FULL_DISK = /quota|write blobs|disk/i;
// A photo belongs to a draft or to the outbox; one of neither was left by a closed app.
const ORPHANED_AFTER_MS = 24 * 3600 * 1000;

/** The disk has no room for this; nothing of it was written, all else is as it was. */
export class StorageFull extends Error {
  constructor(cause) {
    super("no room left on this device");
    this.name = "StorageFull";
    this.cause = cause;
  }
}

/** For a `catch`: what cannot be kept for want of room need not be. */
export function onlyIfFull(problem) {
  if (!/StorageFull|QuotaExceeded/.test(problem.name)) throw problem;
}

let opening = null;

/** The database, opened once; throws StorageFull, or what the browser says. */
export function openStore() {
  if (!opening) {
    opening = openDB(NAME, VERSION, { upgrade, blocking: close, terminated: forget });
    opening.catch(forget);
  }
  return opening.catch((problem) => {
    throw asFull(problem);
  });
}

function upgrade(database) {
  database.createObjectStore("drafts");
  database.createObjectStore("outbox", { keyPath: "id" });
  database.createObjectStore("photos", { keyPath: "id" }).createIndex("reportId", "reportId");
  database.createObjectStore("cases", { keyPath: "number" });
  database.createObjectStore("kept");
}

const forget = () => {
  opening = null;
};

// A page with a newer version of the database must not wait for this one.
function close(_current, _blocked, event) {
  forget();
  event.target.close();
}

/** `work(transaction)` over these stores: all of it is written, or nothing. */
export async function together(stores, work) {
  const transaction = await begin(stores, "readwrite");
  try {
    const [value] = await Promise.all([work(transaction), transaction.done]);
    return value;
  } catch (problem) {
    const cause = transaction.error || problem;
    undo(transaction);
    throw asFull(cause);
  }
}

async function read(store, work) {
  const transaction = await begin(store, "readonly");
  return work(transaction.objectStore(store));
}

async function begin(stores, mode) {
  try {
    return (await openStore()).transaction(stores, mode, STRICT);
  } catch (problem) {
    // The browser has closed the connection behind our back, as phones do to save memory.
    if (problem.name !== "InvalidStateError") throw problem;
    forget();
    return (await openStore()).transaction(stores, mode, STRICT);
  }
}

function undo(transaction) {
  try {
    transaction.abort();
  } catch (problem) {
    if (problem.name !== "InvalidStateError") throw problem; // It had ended by itself.
  }
}

function asFull(problem) {
  const full =
    problem &&
    (problem.name === "QuotaExceededError" || ON_A_FULL_DISK.test(problem.message || ""));
  return full ? new StorageFull(problem) : problem;
}

const putIn = (store, row) =>
  together(store, (transaction) => transaction.objectStore(store).put(row));
const removeFrom = (store, key) =>
  together(store, (transaction) => transaction.objectStore(store).delete(key));

/** The one report that is being written. */
export const draft = {
  get: () => read("drafts", (store) => store.get(CURRENT)),
  /** Not what another tab has sent meanwhile: it would be sent once more. */
  save: (written) =>
    together(["drafts", "outbox"], async (transaction) => {
      if (await transaction.objectStore("outbox").getKey(written.id)) return;
      await transaction.objectStore("drafts").put(written, CURRENT);
    }),
  /** The draft and its photos are gone. */
  clear: () =>
    together(["drafts", "photos"], async (transaction) => {
      const drafts = transaction.objectStore("drafts");
      const written = await drafts.get(CURRENT);
      await drafts.delete(CURRENT);
      if (written) await dropPhotos(transaction, written.id);
    }),
};

/** Reports on their way, oldest first. */
export const outbox = {
  all: async () => {
    const items = await read("outbox", (store) => store.getAll());
    return items.sort((one, other) => one.queuedAt - other.queuedAt);
  },
  get: (id) => read("outbox", (store) => store.get(id)),
  put: (item) => putIn("outbox", item),
  /** The item and its photos are gone. */
  remove: (id) =>
    together(["outbox", "photos"], async (transaction) => {
      await transaction.objectStore("outbox").delete(id);
      await dropPhotos(transaction, id);
    }),
  /** From the draft to the outbox, in one step; what is there already stays as it is. */
  take: (item) =>
    together(["drafts", "outbox"], async (transaction) => {
      const sent = transaction.objectStore("outbox");
      if (await sent.getKey(item.id)) return;
      await sent.put(item);
      await transaction.objectStore("drafts").delete(CURRENT);
    }),
  /** And back, to be edited: `make(item, draft)` of what is there now is the draft, with the
   * photos; the one before it is gone with its own. What `make` throws, nothing was done. */
  giveBack: (id, make) =>
    together(["drafts", "outbox", "photos"], async (transaction) => {
      const photos = transaction.objectStore("photos");
      const before = await transaction.objectStore("drafts").get(CURRENT);
      const written = make(await transaction.objectStore("outbox").get(id), before);
      if (before) await dropPhotos(transaction, before.id);
      for (const photo of await photos.index("reportId").getAll(id)) {
        await photos.put({ ...photo, reportId: written.id });
      }
      await transaction.objectStore("drafts").put(written, CURRENT);
      await transaction.objectStore("outbox").delete(id);
      return written;
    }),
  /** `make(item)` on the item as it is now; undefined when it is there no longer. */
  change: (id, make) =>
    together("outbox", (transaction) => changed(transaction, id, make)),
  /** The same when the server has the report: its case is kept with it. */
  filed: (id, make, row) =>
    together(["outbox", "cases"], async (transaction) => {
      const kept = transaction.objectStore("cases");
      await kept.put({ ...row, ...(await kept.get(row.number)) });
      return changed(transaction, id, make);
    }),
  /** The same when the server has a photo: its room is free again. */
  photoSent: (id, make, photoId) =>
    together(["outbox", "photos"], async (transaction) => {
      await transaction.objectStore("photos").delete(photoId);
      return changed(transaction, id, make);
    }),
};

/** `{id, reportId, blob, sha256 (hex), size, type, name}` */
export const photos = {
  put: (photo) => putIn("photos", { addedAt: Date.now(), ...photo }),
  get: (id) => read("photos", (store) => store.get(id)),
  of: async (reportId) => {
    const found = await read("photos", (store) => store.index("reportId").getAll(reportId));
    return found.sort((one, other) => one.addedAt - other.addedAt);
  },
  remove: (id) => removeFrom("photos", id),
  /** Those of neither a draft nor the outbox, once nobody can be busy with them. */
  sweep: (now = Date.now()) =>
    together(["drafts", "outbox", "photos"], async (transaction) => {
      const written = await transaction.objectStore("drafts").get(CURRENT);
      const wanted = new Set(await transaction.objectStore("outbox").getAllKeys());
      if (written) wanted.add(written.id);
      let cursor = await transaction.objectStore("photos").openCursor();
      while (cursor) {
        const { reportId, addedAt } = cursor.value;
        if (!wanted.has(reportId) && now - addedAt > ORPHANED_AFTER_MS) await cursor.delete();
        cursor = await cursor.continue();
      }
    }),
};

/** Own cases and followed ones. */
export const cases = {
  all: () => read("cases", (store) => store.getAll()),
  get: (number) => read("cases", (store) => store.get(number)),
  put: (row) => putIn("cases", row),
  remove: (number) => removeFrom("cases", number),
  /** `change(row)` on the row as it is now, so that two tabs do not undo each other. */
  update: (number, change) =>
    together("cases", async (transaction) => {
      const store = transaction.objectStore("cases");
      const row = change((await store.get(number)) || null);
      if (row) await store.put(row);
      return row;
    }),
};

/** Small things by name: the catalogue, settings, the device's token. */
export const keep = {
  get: (key) => read("kept", (store) => store.get(key)),
  set: (key, value) =>
    together("kept", (transaction) =>
      value === undefined || value === null
        ? transaction.objectStore("kept").delete(key)
        : transaction.objectStore("kept").put(value, key),
    ),
  /** `change(value)` on the value as it is now; what it returns is kept and returned. */
  update: (key, change) =>
    together("kept", async (transaction) => {
      const store = transaction.objectStore("kept");
      const value = change(await store.get(key));
      await store.put(value, key);
      return value;
    }),
};

async function changed(transaction, id, make) {
  const store = transaction.objectStore("outbox");
  const item = await store.get(id);
  if (!item) return undefined;
  const made = make(item);
  await store.put(made);
  return made;
}

async function dropPhotos(transaction, reportId) {
  const store = transaction.objectStore("photos");
  for (const key of await store.index("reportId").getAllKeys(reportId)) {
    await store.delete(key);
  }
}

/** Nothing of this person stays on this phone. */
export async function wipe() {
  if (opening) (await opening).close();
  forget();
  await deleteDB(NAME);
}

/** A random UUID, also where `crypto.randomUUID` is not there yet. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
