"""The phone app in a browser, by its modules: what tests do with them."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from playwright.sync_api import BrowserContext, Page

from tests.servers import Server, libpq_url, static_files

# The page's own instance of a module: by the address that it imports itself.
MODULES = """
window.modules = %s;
window.module = (name) => import(window.modules[`app/${name}.js`]);
"""
OPEN = """async () => { await navigator.serviceWorker.ready; }"""

# A picture of noise, which no codec makes small: `pieces` says how many it travels in.
WRITE = """async ({ pieces, ...fields }) => {
  const { photos, draft, newId } = await window.module("store");
  const side = Math.ceil(512 * Math.sqrt(pieces)) || 1;
  const canvas = new OffscreenCanvas(side, side);
  const pen = canvas.getContext("2d");
  const noise = pen.createImageData(side, side);
  for (let i = 0; i < noise.data.length; i += 1) noise.data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
  pen.putImageData(noise, 0, 0);
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 1 });
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  const sha256 = Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join("");
  const written = {
    id: newId(), startedAt: Date.now() - 60000, photos: [],
    location: { lon: -79.524, lat: 8.986 }, accuracy: 12, placed: "gps", district: null,
    category: "VIA-01", description: "Hueco", placeHint: "", contact: null, consent: null,
    ...fields,
  };
  const photo = { id: newId(), reportId: written.id, blob, sha256, size: blob.size, type: blob.type };
  if (pieces) {
    await photos.put({ ...photo, name: "foto.jpg" });
    written.photos.push(photo.id);
  }
  await draft.save(written);
  return { id: written.id, photo: pieces ? photo.id : null, sha256, size: blob.size };
}"""
SEND = """async () => {
  const { draft } = await window.module("store");
  const { send } = await window.module("outbox");
  return (await send(await draft.get())).id;
}"""
ITEMS = """async () => (await (await window.module("store")).outbox.all())"""


def teach(context: BrowserContext, server: Server) -> None:
    """From now on the context's pages know the app's modules by their names."""
    manifest = json.loads((static_files() / "staticfiles.json").read_text())
    paths = {name: f"/static/{path}" for name, path in manifest["paths"].items()}
    own = {
        name: path
        for name, path in paths.items()
        if name.startswith("app/") and name.endswith(".js")
    }
    context.add_init_script(MODULES % json.dumps(own))


def hide_what_was_filed(site: Server) -> None:
    """The other tests of this server find its own cases alone on the map."""
    with psycopg.connect(libpq_url(site.database_url)) as database:
        database.execute(
            "UPDATE cases_case SET is_public = false, public_location = NULL"
            " WHERE NOT demo"
        )


def open_app(page: Page) -> None:
    """The app, with its service worker in charge of what it needs without a signal."""
    page.goto("/reportar")
    page.evaluate(OPEN)


def write(page: Page, pieces: float = 0, **fields: Any) -> dict[str, Any]:
    """A draft with a photo of about so many pieces of 512 kB, or with none."""
    written: dict[str, Any] = page.evaluate(WRITE, {"pieces": pieces, **fields})
    return written


def write_and_send(page: Page, pieces: float = 0, **fields: Any) -> dict[str, Any]:
    written = write(page, pieces, **fields)
    page.evaluate(SEND)
    return written


def items(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate(ITEMS)
    return found


def states(page: Page) -> list[str]:
    return [item["state"] for item in items(page)]


def flush(page: Page, force: bool = True) -> None:
    page.evaluate(
        "async (force) => (await window.module('outbox')).flush({ force })", force
    )
