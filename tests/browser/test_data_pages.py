"""The pages of the open data, of OGC API and of the analyst's map: for everybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from map_views.ogc.collections import COLLECTIONS
from tests.browser.conftest import Watched
from tests.browser.test_app_accessibility import AXE, CUT_OFF, LOOK, RULES, WIDER
from tests.servers import Server

pytestmark = pytest.mark.django_db

NARROW: Any = {"width": 360, "height": 740}
OPEN_ALL = "document.querySelectorAll('details').forEach((one) => one.open = true)"
LETTERS = "(size) => document.documentElement.style.setProperty('font-size', size)"
# Those that wait stay so: the site has no worker.
MAKE_FILES = """
from django.utils import timezone
from geo.filters import Filters
from map_views.data import builds
from map_views.data.formats import FORMATS

at = timezone.now()
builds.ask_for_tonight(at)
for file in builds.DataFile.objects.filter(nightly=True):
    builds.build(file.pk)
asked = [
    builds.ask(
        FORMATS["fgb"], builds.written(Filters(state=state), None, english=False), at
    )
    for state in ("all", "open", "resolved")
]
builds.build(asked[0].pk)
builds.mark(asked[1], state="failed")
print(*(file.pk for file in asked))
"""


@pytest.fixture(scope="module")
def builds(site: Server) -> list[str]:
    """Pages of files: of one that is ready, one that failed and one that waits."""
    made = site.manage("shell", "-c", MAKE_FILES).split()
    return [f"/data/builds/{key}" for key in made[-3:]]


@pytest.fixture(scope="module")
def paths(site: Server, builds: list[str]) -> list[str]:
    return [
        *("/data/", "/data/dictionary", *builds),
        *("/mapa-analista", "/mapa-analista/mapa.html?since=ayer"),
        *("/ogc/", "/ogc/conformance", "/ogc/api", "/ogc/collections"),
        *of_collections(site),
        "/ogc/collections/cases/items?category=AGU-09",
    ]


def of_collections(site: Server) -> Iterator[str]:
    for name in COLLECTIONS:
        items = f"/ogc/collections/{name}/items"
        (first,) = site.get_json(f"{items}?limit=1&f=json")["features"]
        yield f"/ogc/collections/{name}"
        yield f"{items}?limit=3"
        yield f"{items}/{first['id']}"


@pytest.mark.parametrize(
    ("size", "scheme", "language"),
    [
        # Every two of these meet in one of the four.
        ("phone", "light", "es"),
        ("phone", "dark", "en"),
        ("desktop", "light", "en"),
        ("desktop", "dark", "es"),
    ],
    indirect=["size"],
)
def test_axe_finds_nothing_and_nothing_sticks_out(
    site: Server,
    page: Page,
    paths: list[str],
    watched: Watched,
    size: str,
    scheme: Any,
    language: str,
) -> None:
    watched.expected = ("400",)  # from the form that has a mistake to show
    axe = AXE.read_text("utf-8")
    page.context.add_cookies(
        [{"name": "django_language", "value": language, "url": site.url}]
    )
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    if size == "phone":
        page.set_viewport_size(NARROW)
    found: dict[str, Any] = {}
    for path in paths:
        page.goto(path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        page.evaluate(OPEN_ALL)
        page.evaluate(axe)
        if wrong := page.evaluate(LOOK, RULES):
            found[path] = wrong
        for letters in ["100%", "200%"] if size == "phone" else ["100%"]:
            page.evaluate(LETTERS, letters)
            if (wide := page.evaluate(WIDER)) > 0:
                what = f"{path} by {wide} pixels, letters {letters}"
                found[what] = page.evaluate(CUT_OFF)
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)
