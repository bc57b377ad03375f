"""The public map's page, its basemap, and the files that it loads."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as all_settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from backend.cases.models import Case, Category
from map_views import context
from map_views.folium_map import RAMPS, public_map
from map_views.pages import FIRST_MODULES
from provinces.models import Boundary, Generation, Province
from tests.factories import make_case, make_category
from tests.map_views.pages import Page

FOLDER = Path(all_settings.BASE_DIR) / "map_views"
VENDOR = FOLDER / "static" / "vendor"
VENDORED_FOR_TESTS = Path(all_settings.BASE_DIR) / "tests" / "browser" / "vendor"
SVG = "http://www.w3.org/2000/svg"
# Mentioned in comments, and in a credit that map.js takes away; nothing is fetched.
MENTIONED_BY_LIBRARIES = {
    "bugs.chromium.org",
    "bugzilla.mozilla.org",
    "github.com",
    "leafletjs.com",
    "www.w3.org",
}
PANAMA_CITY = (-79.52, 8.99)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _ask_again() -> Iterator[None]:
    context.forget()
    yield
    context.forget()


def test_the_map_opens_with_its_switches_legend_and_list(phone: Client) -> None:
    page = Page(phone.get("/"))

    assert page.language == "es"
    for words in ("Abiertos", "Resueltos", "Ambos", "Agua y alcantarillado", "pocos"):
        assert words in page.text
    assert 'id="map_public"' in page.text
    assert 'id="list"' in page.text
    assert "El mapa necesita JavaScript" in page.text


def test_every_page_leads_to_the_app_to_report(phone: Client) -> None:
    make_case(PANAMA_CITY)
    pages = (
        "/",
        "/casos",
        f"/casos/{Case.objects.get().number}",
        "/casos/26-0000000-0",
    )
    for address in pages:
        page = Page(phone.get(address, follow=True))
        assert '<a class="report" href="/reportar">' in page.text, address
        assert "Reportar un problema</span>" in page.text


def test_a_page_that_names_no_icon_has_ours(phone: Client) -> None:
    icon = phone.get("/favicon.ico")
    assert icon.status_code == 302
    assert finders.find(icon["Location"].removeprefix("/static/"))


def test_the_page_holds_no_cases_they_come_by_view(
    phone: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = make_case(PANAMA_CITY)

    with django_assert_max_num_queries(4):
        page = Page(phone.get("/"))

    assert case.number not in page.text


@pytest.mark.parametrize("path", ["/", "/casos/", "/casos/99", "/no-existe"])
@pytest.mark.parametrize("language", ["es", "en"])
def test_a_page_leaves_nothing_for_the_policy_to_refuse(
    phone: Client, path: str, language: str
) -> None:
    response = phone.get(path, headers={"accept-language": language})
    page = Page(response)

    assert page.inline == []
    assert page.elsewhere == []
    assert page.language == language


def test_the_policy_lets_nothing_in_but_our_own_files(phone: Client) -> None:
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in phone.get("/")["Content-Security-Policy"].split(";")
    )

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert not {"unsafe", "nonce", "http", "*"} & set(" ".join(policy.values()).split())


def test_the_public_page_can_be_cached_and_leaves_no_cookie(phone: Client) -> None:
    response = phone.get("/")

    assert response["Cache-Control"] == "public, max-age=60"
    assert {"Accept-Language", "Cookie"} <= set(response["Vary"].split(", "))
    assert not response.cookies


def test_the_page_is_english_for_who_chooses_it_and_stays_so(phone: Client) -> None:
    chosen = phone.post("/i18n/setlang/", {"language": "en", "next": "/#map=9/8.5/-80"})
    page = Page(phone.get("/"))

    assert chosen["Location"] == "/#map=9/8.5/-80"
    assert page.language == "en"
    assert "Water and sewerage" in page.text
    assert "Open" in page.text
    assert "Abiertos" not in page.text


def test_a_language_switch_does_not_lead_elsewhere(phone: Client) -> None:
    answer = phone.post(
        "/i18n/setlang/", {"language": "en", "next": "https://example.org/"}
    )

    assert answer["Location"] == "/"


def test_only_groups_that_can_be_on_the_map_have_a_switch(phone: Client) -> None:
    private = make_category("PRV-01", private=True, precision=Category.Precision.NONE)

    page = Page(phone.get("/"))

    assert f'value="{private.group_id}"' not in page.text
    assert 'value="AGU"' in page.text


def test_every_page_says_that_there_are_made_up_reports(phone: Client) -> None:
    before = Page(phone.get("/")).text
    context.forget()
    make_case(PANAMA_CITY, demo=True)

    for path in ("/", "/casos/", "/no-existe"):
        assert "Datos de demostración" in Page(phone.get(path)).text
    assert "Datos de demostración" not in before


def test_whether_there_are_made_up_reports_is_asked_once_in_a_while(
    phone: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = RequestFactory().get("/")

    with django_assert_num_queries(1):
        assert context.demonstration(request) == {"demo_cases": False}
        assert context.demonstration(request) == {"demo_cases": False}


def test_only_the_map_to_embed_may_be_framed(phone: Client) -> None:
    framed, page = phone.get("/mapa/incrustar"), phone.get("/")

    assert "frame-ancestors *" in framed["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    # But for who may frame it, its policy is everybody's.
    ours, theirs = (
        set(response["Content-Security-Policy"].split("; "))
        for response in (page, framed)
    )
    assert ours ^ theirs == {"frame-ancestors 'none'", "frame-ancestors *"}


def test_the_map_to_embed_speaks_the_language_of_the_site_around(phone: Client) -> None:
    page = Page(phone.get("/mapa/incrustar?idioma=en"))

    assert page.language == "en"
    assert page.inline == page.elsewhere == []
    assert 'target="_blank"' in page.text
    assert '<header class="top">' not in page.text
    assert Page(phone.get("/mapa/incrustar?idioma=xx")).language == "es"


def test_the_page_asks_at_once_for_the_modules_of_its_first_view(phone: Client) -> None:
    folder = FOLDER / "static" / "map_views"
    wanted, waiting = set(), {"map.js"}
    while waiting:
        name = waiting.pop()
        wanted.add(name)
        source = (folder / name).read_text()
        waiting |= (
            set(re.findall(r'^import .*"\./(.+)";$', source, re.MULTILINE)) - wanted
        )

    page = Page(phone.get("/"))

    preloaded = {
        address.rpartition("/")[2]
        for address in page.addresses
        if address.endswith(".js")
    }
    assert wanted <= preloaded
    assert set(FIRST_MODULES) == {f"map_views/{name}" for name in wanted}
    # Each is a round trip of a browser that asks for six files at a time.
    assert len(wanted) <= 14


def test_folium_s_script_is_a_file_of_ours_kept_for_good(phone: Client) -> None:
    drawn = public_map()
    response = phone.get(f"/mapa/folium.js?v={drawn.digest}")
    script = response.content.decode()

    assert response["Content-Type"].startswith("text/javascript")
    assert "immutable" in response["Cache-Control"]
    assert "L.map(" in script
    assert script.count("L.heatLayer(") == 2
    assert "://" not in script


def test_folium_s_script_is_the_same_in_every_process() -> None:
    first = public_map()
    public_map.cache_clear()

    assert public_map() == first


def test_folium_needs_no_file_that_is_not_here() -> None:
    drawn = public_map()

    for path in (*drawn.js, *drawn.css):
        assert (FOLDER / "static" / path).is_file()
    assert drawn.js[0].endswith("leaflet.js")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", ["open", "resolved", "both"])
def test_a_ramp_can_be_read_without_colours(scheme: str, state: str) -> None:
    lightness = [
        luminance(colour) for _, colour in sorted(RAMPS[scheme][state].items())
    ]

    assert lightness == sorted(lightness, reverse=scheme == "light")
    assert max(lightness) > 4 * min(lightness)


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def basemap(phone: Client, name: str, *parent: str) -> list[dict[str, Any]]:
    generation = Generation.objects.active().get().pk
    response = phone.get(reverse(f"basemap-{name}", args=[generation, *parent]))
    assert response.status_code == 200
    assert "immutable" in response["Cache-Control"]
    features: list[dict[str, Any]] = json.loads(response.content)["features"]
    return features


def test_provinces_and_comarcas_are_outlined_from_our_own_data(phone: Client) -> None:
    features = basemap(phone, "provinces")

    drawn = {f["properties"]["name"]: f for f in features if "name" in f["properties"]}
    outlined = Province.objects.exclude(code="NT")
    assert set(drawn) >= {place.name for place in outlined}
    assert drawn["Guna Yala"]["properties"]["kind"] == "comarca"
    west, south, east, north = drawn["Chiriquí"]["bbox"]
    lon, lat = drawn["Chiriquí"]["properties"]["label"]
    assert west < lon < east
    assert south < lat < north


def test_the_country_fits_in_a_hundred_and_fifty_kilobytes(phone: Client) -> None:
    generation = Generation.objects.active().get().pk
    response = phone.get(
        reverse("basemap-provinces", args=[generation]),
        headers={"accept-encoding": "gzip"},
    )

    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < 150_000
    assert json.loads(gzip.decompress(response.content))["features"]


def test_coming_closer_brings_districts_and_then_corregimientos(phone: Client) -> None:
    districts = basemap(phone, "districts", "08")
    corregimientos = basemap(phone, "corregimientos", "0808")

    kinds = [feature["properties"]["kind"] for feature in districts]
    assert set(kinds[:-1]) == {"district"}
    assert kinds[-1] == "border"
    assert all(f["properties"]["code"].startswith("08") for f in districts)
    assert "Betania" in {f["properties"]["name"] for f in corregimientos}


def test_all_districts_come_in_one_coarse_file_to_be_coloured(phone: Client) -> None:
    features = basemap(phone, "all-districts")
    generation = Generation.objects.active().get().pk
    response = phone.get(
        reverse("basemap-all-districts", args=[generation]),
        headers={"accept-encoding": "gzip"},
    )

    outlined = Boundary.objects.filter(generation=generation, level="district")
    assert len(features) == outlined.count()
    assert {f["properties"]["kind"] for f in features} == {"district"}
    assert len(response.content) < 150_000


def test_an_outline_already_fetched_is_not_sent_again(phone: Client) -> None:
    generation = Generation.objects.active().get().pk
    path = reverse("basemap-districts", args=[generation, "08"])
    tag = phone.get(path)["ETag"]

    assert phone.get(path, headers={"if-none-match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("generation", "parent"), [(10**6, "08"), (10**30, "08"), (1, "zz"), (1, "0" * 99)]
)
def test_there_are_no_outlines_of_what_is_not_there(
    phone: Client, generation: int, parent: str
) -> None:
    for name in ("districts", "corregimientos"):
        path = reverse(f"basemap-{name}", args=[generation, parent])
        assert phone.get(path).status_code == 404


@pytest.mark.parametrize("home", [VENDOR, VENDORED_FOR_TESTS], ids=["served", "tests"])
def test_vendored_libraries_are_what_the_lock_says(home: Path) -> None:
    lock = json.loads((home / "vendor.lock").read_text())

    for row in lock:
        content = (home / row["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"], row["file"]
        assert row["version"] in row["file"]
        assert row["licence"]
    kept = {str(file.relative_to(home)) for file in home.rglob("*") if file.is_file()}
    assert kept == {row["file"] for row in lock} | {"vendor.lock"}


@pytest.mark.parametrize(
    "file",
    [
        file
        for folder in ("static/map_views", "templates")
        for file in sorted((FOLDER / folder).rglob("*.*"))
    ],
    ids=lambda file: str(file.relative_to(FOLDER)),
)
def test_no_file_of_ours_names_another_machine(file: Path) -> None:
    text = file.read_text().replace(SVG, "")

    assert not re.search(r"https?:|[\"'(]//\w", text)


def test_the_libraries_fetch_nothing_from_elsewhere() -> None:
    for file in [*VENDOR.rglob("*.js"), *VENDOR.rglob("*.css")]:
        # Full of words for developers; its page is opened in a browser that asks nobody.
        if "swagger-ui" in str(file):
            continue
        hosts = set(re.findall(r"https?://([\w.-]+)", file.read_text()))
        assert hosts <= MENTIONED_BY_LIBRARIES
        assert "eval(" not in file.read_text()


def test_the_english_texts_are_compiled_from_what_is_committed() -> None:
    folder = Path(all_settings.LOCALE_PATHS[0]) / "en" / "LC_MESSAGES"
    po = pytest.importorskip("polib").pofile(str(folder / "django.po"))
    mo = pytest.importorskip("polib").mofile(str(folder / "django.mo"))

    assert not po.untranslated_entries()
    assert not po.fuzzy_entries()
    assert {e.msgid: (e.msgstr, e.msgstr_plural) for e in po if not e.obsolete} == {
        e.msgid: (e.msgstr, e.msgstr_plural) for e in mo
    }


def test_all_static_files_can_be_collected(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = str(tmp_path)
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "backend.config.static_files.HashedModulesStorage"},
    }

    call_command("collectstatic", interactive=False, verbosity=0)

    assert (tmp_path / "staticfiles.json").is_file()
