"""A whole report, with its photo, over a line that is slow and breaks."""

from __future__ import annotations

import hashlib
import io
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, expect

from tests.browser.line import SLOW_3G, Fault, Line
from tests.browser.phone_app import hide_what_was_filed, states, teach
from tests.browser.phones import IN_THE_CAPITAL, SCREEN
from tests.browser.steps import heading, to_the_end
from tests.servers import Server, wait_until

pytestmark = pytest.mark.django_db

REPORTS = r"/reports/$"
PHOTOS = r"/photos/[\w-]+/$"
PIECE = 512 * 1024
# Playwright's own, in ms, and what this line needs.
QUICK, PATIENT = 5_000, 120_000
KEPT = """async () => {
  const { draft, photos } = await window.module("store");
  const written = await draft.get();
  const [photo] = await photos.of(written.id);
  const { width, height } = await createImageBitmap(photo.blob);
  return { report: written.id, photo: photo.id, sha256: photo.sha256, size: photo.size, width, height };
}"""
SENT = """() => document.querySelector(".sent-photos progress").value"""


@pytest.fixture
def phone(site: Server, line: Line, chromium: Browser) -> Iterator[BrowserContext]:
    line.pace = SLOW_3G
    context = chromium.new_context(
        base_url=line.url,
        viewport=SCREEN,
        has_touch=True,
        is_mobile=True,
        locale="es-PA",
        timezone_id="America/Panama",
        geolocation=IN_THE_CAPITAL,
        permissions=["geolocation"],
    )
    context.set_default_timeout(PATIENT)
    expect.set_options(timeout=PATIENT)
    teach(context, site)
    yield context
    expect.set_options(timeout=QUICK)
    context.close()
    hide_what_was_filed(site)


def large_photo() -> FilePayload:
    """Grainy, as by night: scaled to 1,600 pixels it still makes three pieces."""
    grains = random.Random(311).randbytes(1500 * 1125 * 3)  # noqa: S311
    picture = Image.frombytes("RGB", (1500, 1125), grains).resize((3000, 2250))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return {"name": "noche.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def breaks(line: Line, path: str) -> int:
    return sum(status == 0 and bool(re.search(path, p)) for _, p, status in line.seen)


def originals(site: Server, sha256: str) -> list[str]:
    """The files that the server keeps of exactly this picture."""
    files = (site.folder / "media").rglob("*")
    return [
        file.name
        for file in files
        if file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == sha256
    ]


def test_a_report_with_a_large_photo_arrives_whole_and_once_over_a_line_that_breaks(
    phone: BrowserContext, line: Line, site: Server
) -> None:
    page = phone.new_page()
    page.goto("/reportar", wait_until="commit")
    page.get_by_role("link", name="Reportar un problema").click()
    heading(page, "Tome una foto")
    page.locator("#pick-gallery").set_input_files([large_photo()])
    expect(page.get_by_role("img", name="Foto 1 de su reporte")).to_be_visible()
    kept: dict[str, Any] = page.evaluate(KEPT)
    assert (kept["width"], kept["height"]) == (1600, 1200)
    assert 2 * PIECE < kept["size"] < 3 * PIECE
    page.get_by_role("button", name="Siguiente").click()
    to_the_end(page)

    # The report is filed and its answer lost; then the photo breaks off, twice.
    line.faults += [
        Fault("POST", REPORTS),
        Fault("PUT", PHOTOS, after=1, cut_after_bytes=400_000),
        Fault("PUT", PHOTOS, after=1, cut_after_bytes=200_000),
    ]
    page.locator("#send").click()
    heading(page, "Guardado en este teléfono")
    expect(page.get_by_text("Va en camino.")).to_be_visible()
    expect(page.locator("#net")).to_have_text("1 reporte por enviar.")
    expect(page.get_by_text("No se logró la primera vez.")).to_be_visible()
    heading(page, "Reporte recibido")
    expect(page.get_by_text("Fotos enviadas: 0 de 1")).to_be_visible()
    expect(page.locator("#net")).to_have_text(
        "Faltan por enviar las fotos de 1 reporte."
    )

    wait_until(
        lambda: listened(page) and breaks(line, PHOTOS) == 1, "it breaks off", 60
    )
    phone.set_offline(True)
    waits = "Sin conexión. Las fotos de 1 reporte esperan en este teléfono."
    expect(page.locator("#net")).to_have_text(waits)
    expect(page.get_by_text("Se enviará solo al volver la señal.")).to_be_visible()
    assert page.evaluate(SENT) == PIECE
    phone.set_offline(False)
    expect(page.get_by_text("Se enviará solo al volver la señal.")).to_have_count(0)

    wait_until(lambda: listened(page) and breaks(line, PHOTOS) == 2, "and again", 60)
    expect(page.get_by_text("No se logró en 2 intentos.")).to_be_visible()
    expect(page.get_by_text("1 foto enviada")).to_be_visible()
    expect(page.locator("#net")).to_be_hidden()
    assert states(page) == ["done"]

    assert [fault.times for fault in line.faults] == [0, 0, 0]
    path = f"/api/v1/reports/{kept['report']}/photos/{kept['photo']}/"
    # A break costs no more than the piece that it broke.
    assert kept["size"] < line.bytes_of[path] <= kept["size"] + 400_000 + 200_000
    cases = "SELECT count(*) FROM cases_case WHERE report_id = %s::uuid"
    assert site.rows(cases, kept["report"]) == [(1,)]
    assert line.count("POST", REPORTS) == 2
    assert len(originals(site, kept["sha256"])) == 1


def listened(page: Page) -> bool:
    """Waiting, the browser's events are listened to."""
    page.wait_for_timeout(50)
    return True
