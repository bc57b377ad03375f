"""What the phone does by itself: its pictures, its catalogue, its map of districts."""

from __future__ import annotations

import base64
import csv
import random
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.gis.geos import Point
from PIL import Image
from playwright.sync_api import Browser, Page

from backend.cases.photo_headers import HEIC_BRANDS, JPEG, MOST_BYTES, PNG
from provinces.places import OutsidePanama, place_at
from tests.browser.phone_app import open_app, teach
from tests.servers import Server

pytestmark = pytest.mark.django_db

CATALOGUE = Path(settings.BASE_DIR) / "fixtures" / "catalogue"
ORIENTATION, GPS, MAKE = 0x0112, 0x8825, 0x010F
RIGHT_TOP = 6  # the camera was held upright

PREPARE = """async ([content, type]) => {
  const { prepare } = await window.module("photo_prep");
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  try {
    const { blob, ...photo } = await prepare(new File([bytes], "foto", { type }));
    const made = new Uint8Array(await blob.arrayBuffer());
    return { ...photo, content: btoa(Array.from(made, (b) => String.fromCharCode(b)).join("")) };
  } catch (problem) {
    return problem.name;
  }
}"""


@pytest.fixture(scope="module")
def app(site: Server, chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(base_url=site.url, locale="es-PA")
    context.set_default_timeout(30_000)
    teach(context, site)
    page = context.new_page()
    open_app(page)
    yield page
    context.close()


# ── Photos ───────────────────────────────────────────────────────────────────────


def camera_photo() -> bytes:
    """4:3, red above and blue below as one sees it; lying on its side in the file."""
    seen = Image.new("RGB", (1500, 2000), "#c00")
    seen.paste("#00c", (0, 1000, 1500, 2000))
    noted = Image.Exif()
    noted[ORIENTATION] = RIGHT_TOP
    noted[MAKE] = "SECRETCAM"
    noted.get_ifd(GPS)[1] = "N"
    file = BytesIO()
    seen.transpose(Image.Transpose.ROTATE_90).save(file, "JPEG", exif=noted)
    return file.getvalue()


def prepared(app: Page, content: bytes, kind: str) -> Any:
    return app.evaluate(PREPARE, [base64.b64encode(content).decode(), kind])


def test_a_photo_travels_upright_small_and_without_what_the_camera_noted(
    app: Page,
) -> None:
    photo = prepared(app, camera_photo(), "image/jpeg")
    content = base64.b64decode(photo["content"])

    assert photo["scaled"] is True
    assert (photo["width"], photo["height"]) == (1200, 1600)
    assert b"SECRETCAM" not in content
    assert b"Exif" not in content
    with Image.open(BytesIO(content)) as picture:
        assert picture.size == (1200, 1600)
        red, _, blue = picture.convert("RGB").getpixel((600, 200))  # type: ignore[misc]
        assert red > 150 > 50 > blue


def test_a_small_photo_is_not_made_larger(app: Page) -> None:
    file = BytesIO()
    Image.new("RGB", (320, 240), "#0a0").save(file, "PNG")

    photo = prepared(app, file.getvalue(), "image/png")

    assert (photo["width"], photo["height"]) == (320, 240)
    assert photo["type"] == "image/jpeg"


def test_what_the_phone_has_no_room_to_draw_is_kept_as_taken(app: Page) -> None:
    content = camera_photo()
    app.evaluate(
        """() => {
          const canvas = OffscreenCanvas.prototype;
          window.drawn = canvas.convertToBlob;
          canvas.convertToBlob = () => Promise.reject(new DOMException("", "EncodingError"));
        }"""
    )
    photo = prepared(app, content, "image/jpeg")
    app.evaluate("() => { OffscreenCanvas.prototype.convertToBlob = window.drawn; }")

    assert photo["scaled"] is False
    assert base64.b64decode(photo["content"]) == content


@pytest.mark.parametrize(
    "start",
    [
        *(JPEG, PNG, b"RIFF\x00\x00\x00\x00WEBP"),
        *(b"\x00\x00\x00\x18ftyp" + brand for brand in sorted(HEIC_BRANDS)),
    ],
)
def test_a_kind_that_the_browser_cannot_read_is_kept_as_taken(
    app: Page, start: bytes
) -> None:
    content = start + bytes(500)

    photo = prepared(app, content, "image/heic")

    assert photo["scaled"] is False
    assert base64.b64decode(photo["content"]) == content


@pytest.mark.parametrize(
    ("content", "kind", "refusal"),
    [
        (b"hola", "text/plain", "NotAPhoto"),
        (b"", "image/jpeg", "NotAPhoto"),
        # Called foto.jpg, it is said to be one.
        (b"La lista de compras.", "image/jpeg", "NotAPhoto"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(500), "", "NotAPhoto"),
    ],
)
def test_what_can_be_no_photo_is_refused_at_once(
    app: Page, content: bytes, kind: str, refusal: str
) -> None:
    assert prepared(app, content, kind) == refusal


def test_a_photo_that_the_server_would_not_take_is_refused_at_once(app: Page) -> None:
    refusal = app.evaluate(
        """async (size) => {
          const { prepare } = await window.module("photo_prep");
          const start = "\\0\\0\\0\\x18ftypheic";
          const file = new File([start, new Uint8Array(size)], "foto", { type: "image/heic" });
          return prepare(file).catch((problem) => problem.name);
        }""",
        MOST_BYTES + 1,
    )

    assert refusal == "PhotoTooLarge"


# ── The catalogue ────────────────────────────────────────────────────────────────


def shipped_catalogue() -> dict[str, Any]:
    """As `GET categories/` gives it, from the files that are loaded."""
    with (CATALOGUE / "groups.csv").open(newline="") as file:
        groups = list(csv.DictReader(file))
    with (CATALOGUE / "categories.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        "version": "1",
        "groups": [
            {
                **group,
                "position": int(group["position"]),
                "categories": [
                    {
                        "code": row["code"],
                        "name_es": row["name_es"],
                        "name_en": row["name_en"],
                        "keywords": row["keywords_es"].split(";"),
                    }
                    for row in rows
                    if row["group"] == group["code"]
                ],
            }
            for group in groups
        ],
    }


SAID = {
    "bache": {"VIA-01", "VIA-02"},
    "huecos": {"VIA-01", "VIA-02"},
    "HUECO!": {"VIA-01", "VIA-02"},
    "luz del poste": {"ELE-01", "ELE-03"},
    "poste sin luz": {"ELE-01"},
    "se fue la luz": {"ELE-05"},
    "no hay agua": {"AGU-02"},
    "tuberia rota": {"AGU-01"},
    "semafro": {"TRA-01"},
    "alcantrilla sin tapa": {"AGU-05", "AGU-04", "VIA-03"},
    "basura en la quebrada": {"ASE-02"},
    "mosquitos dengue": {"SAL-01"},
    "bulla del vecino": {"MUN-01"},
    "perro muerto": {"ASE-06"},
    "arbol caido en los cables": {"ELE-06", "ELE-04"},
    "pothole": {"VIA-01", "VIA-02"},
    "traffic light": {"TRA-01"},
}


@pytest.mark.parametrize("words", SAID)
def test_everyday_words_find_the_category(app: Page, words: str) -> None:
    found = app.evaluate(
        """async ([words, catalogue]) =>
          (await window.module("catalogue")).search(words, catalogue).map(({ code }) => code)""",
        [words, shipped_catalogue()],
    )

    assert found[0] in SAID[words], found[:5]


@pytest.mark.parametrize("words", ["", "   ", "xyzzy", "¿?"])
def test_words_that_mean_nothing_find_nothing(app: Page, words: str) -> None:
    found = app.evaluate(
        """async ([words, catalogue]) => (await window.module("catalogue")).search(words, catalogue)""",
        [words, shipped_catalogue()],
    )

    assert found == []


# ── What the server says once for everybody ──────────────────────────────────────


def test_who_asks_while_another_is_told_that_nobody_answers_has_what_was_kept(
    app: Page,
) -> None:
    consent = app.evaluate(
        """async () => {
          const { serverConfig } = await window.module("server_config");
          await serverConfig();
          let fail;
          const online = window.fetch;
          window.fetch = () => new Promise((_, reject) => (fail = () => reject(new TypeError())));
          const one = serverConfig();
          while (!fail) await new Promise((resolve) => setTimeout(resolve));
          const other = serverConfig();
          fail();
          const told = await Promise.all([one, other]);
          window.fetch = online;
          return told.map((config) => config?.consent?.version ?? null);
        }"""
    )
    assert consent[0]
    assert consent == [consent[0]] * 2


# ── Places ───────────────────────────────────────────────────────────────────────


def test_without_the_server_a_point_is_in_the_same_district(app: Page) -> None:
    places = random.Random(311)  # noqa: S311 - the same points each time
    points = [
        (round(places.uniform(-83.0, -77.2), 4), round(places.uniform(7.2, 9.6), 4))
        for _ in range(300)
    ]
    app.evaluate("async () => (await window.module('places')).keepOutlines()")
    app.context.set_offline(True)
    try:
        found = app.evaluate(
            """async (points) => {
              const { districtAt, outside } = await window.module("places");
              const found = [];
              for (const [lon, lat] of points) {
                const place = await districtAt(lon, lat);
                found.push((await outside(lon, lat)) ? null : place.district.code);
              }
              return found;
            }""",
            points,
        )
    finally:
        app.context.set_offline(False)

    known = [district_of(*point) for point in points]
    same = sum(one == other for one, other in zip(found, known, strict=True))
    assert 100 < sum(code is not None for code in known) < 290
    # The phone's outlines are drawn to thirty metres, and coarser at the coast.
    assert same >= len(points) - 3, [
        row for row in zip(points, found, known, strict=True) if row[1] != row[2]
    ]


def district_of(lon: float, lat: float) -> str | None:
    try:
        return place_at(Point(lon, lat, srid=4326)).district.code
    except OutsidePanama:
        return None


# ── Without a signal ─────────────────────────────────────────────────────────────


@pytest.mark.parametrize("language", ["es", "en"])
def test_from_the_second_visit_on_the_app_opens_without_a_signal(
    chromium: Browser, site: Server, language: str
) -> None:
    context = chromium.new_context(base_url=site.url, locale=language)
    teach(context, site)
    try:
        page = context.new_page()
        open_app(page)
        page.reload()
        page.wait_for_load_state("networkidle")
        # The worker has to have it all: the browser's own cache forgets within a minute.
        context.new_cdp_session(page).send("Network.clearBrowserCache")
        context.set_offline(True)

        again = context.new_page()
        again.goto("/reportar#/casos")
        working = again.evaluate(
            """async () => {
              for (const address of Object.values(window.modules)) await import(address);
              return document.documentElement.lang;
            }"""
        )

        assert working == language
    finally:
        context.close()
