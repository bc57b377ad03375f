"""The phone app's page, its manifest, its service worker, and what they weigh."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from PIL import Image

import mobile_api
from mobile_api.app import files
from provinces.models import Generation
from tests.map_views.pages import Page

APP = "/reportar"
WORKER = "/reportar/sw.js"
MANIFEST = "/reportar/manifest.webmanifest"
HERE = Path(mobile_api.__file__).parent
SVG = "http://www.w3.org/2000/svg"
# Before the first screen works, in bytes, compressed.
BUDGET = 150_000

pytestmark = pytest.mark.django_db


def forget_files() -> None:
    finders.get_finder.cache_clear()  # type: ignore[attr-defined]
    files.names.cache_clear()
    files.first_modules.cache_clear()


@pytest.fixture(autouse=True)
def _files_anew() -> Iterator[None]:
    forget_files()
    yield
    forget_files()


def kept_by(worker: Any) -> list[str]:
    """The addresses that the service worker keeps."""
    found = re.search(r"^const FILES = (\[.*\]);$", worker.content.decode(), re.M)
    assert found is not None
    kept: list[str] = json.loads(found[1])
    return kept


def version_of(worker: Any) -> str:
    found = re.search(r'^const VERSION = "(\w+)";$', worker.content.decode(), re.M)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("path", [APP, f"{APP}/"])
def test_the_app_opens_in_the_visitor_s_language(phone: Client, path: str) -> None:
    spanish = Page(phone.get(path))
    english = Page(phone.get(path, headers={"accept-language": "en"}))

    assert (spanish.language, english.language) == ("es", "en")
    assert any("/app/app" in address for address in spanish.addresses)
    assert MANIFEST in spanish.addresses


def test_the_page_is_the_same_for_everybody_and_can_be_kept(
    phone: Client, admin_client: Client
) -> None:
    known = admin_client.get(APP, headers={"cookie": "csrftoken=abc"})
    stranger = phone.get(APP)

    assert known.content == stranger.content
    assert stranger["Cache-Control"] == "public, max-age=60"
    assert {"Accept-Language", "Cookie"} <= set(stranger["Vary"].split(", "))
    assert not stranger.cookies
    assert b"csrf" not in stranger.content
    again = phone.get(APP, headers={"if-none-match": stranger["ETag"]})
    assert again.status_code == 304


def test_the_policy_lets_the_app_have_its_worker_and_show_its_photos(
    phone: Client,
) -> None:
    response = phone.get(APP)
    policy = dict(
        part.strip().partition(" ")[::2]
        for part in response["Content-Security-Policy"].split(";")
    )

    assert policy["worker-src"] == policy["script-src"] == "'self'"
    assert set(policy["img-src"].split()) == {"'self'", "data:", "blob:"}
    # Without JavaScript there is still the telephone.
    assert Page(response).elsewhere == []


@pytest.mark.parametrize(("language", "name"), [("es", "Mis casos"), ("en", None)])
def test_the_system_can_install_it(
    phone: Client, language: str, name: str | None
) -> None:
    response = phone.get(MANIFEST, headers={"accept-language": language})
    manifest = response.json()

    assert response["Content-Type"] == "application/manifest+json"
    assert "Accept-Language" in response["Vary"]
    assert manifest["lang"] == language
    assert manifest["start_url"] == manifest["scope"] == APP
    assert manifest["display"] == "standalone"
    assert name is None or name in {s["name"] for s in manifest["shortcuts"]}
    for icon in manifest["icons"]:
        path = finders.find(icon["src"].removeprefix("/static/"))
        with Image.open(str(path)) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
    assert {(i["sizes"], i["purpose"]) for i in manifest["icons"]} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }


def test_the_worker_may_answer_for_the_page_and_is_asked_for_each_time(
    phone: Client,
) -> None:
    worker = phone.get(WORKER)

    assert worker["Content-Type"].startswith("text/javascript")
    assert worker["Service-Worker-Allowed"] == "/"
    assert worker["Cache-Control"] == "no-cache"


def test_the_worker_keeps_all_that_the_app_may_load(phone: Client) -> None:
    kept = kept_by(phone.get(WORKER))
    page = Page(phone.get(APP))

    for name in files.names():
        assert f"/static/{name}" in kept
        if name.startswith("app/") and name.endswith(".js"):
            for imported in files.imports_of(name):
                assert f"/static/{imported}" in kept
    static = [path for path in page.addresses if path.startswith("/static/")]
    assert {path for path in static if "/icons/" not in path} <= set(kept)
    assert not [path for path in kept if not path.startswith("/static/")]


def test_the_worker_keeps_what_a_kept_module_imports(phone: Client) -> None:
    kept = kept_by(phone.get(WORKER))
    modules = [url.removeprefix("/static/") for url in kept if url.endswith(".js")]
    imported = {other for name in modules for other in files.imports_of(name)}

    # The public map's too, which the app borrows.
    assert "map_views/scheme.js" in imported
    assert {f"/static/{name}" for name in imported} <= set(kept)


def test_old_browsers_get_a_worker_without_imports(phone: Client) -> None:
    modern, classic = phone.get(WORKER), phone.get(f"{WORKER}?classic")

    assert re.search(r"^import \{", modern.content.decode(), re.M)
    assert not re.search(r"\bimport\b", without_comments(classic))
    assert kept_by(modern) == kept_by(classic)


def without_comments(response: Any) -> str:
    return re.sub(r"//.*|/\*.*?\*/", "", response.content.decode(), flags=re.S | re.M)


def test_the_phone_learns_where_today_s_outlines_are(phone: Client) -> None:
    addresses = phone.get("/reportar/limites.json").json()

    assert phone.get(addresses["provinces"]).status_code == 200
    assert phone.get(addresses["districts"].replace("*", "08")).status_code == 200


def test_without_boundaries_there_are_no_outlines_but_an_app(phone: Client) -> None:
    Generation.objects.update(is_active=False)

    assert phone.get("/reportar/limites.json").json() == {}
    assert phone.get(APP).status_code == 200


def test_no_file_of_the_app_names_another_machine() -> None:
    for folder in ("static/app", "templates/app"):
        for file in (HERE / folder).rglob("*.*"):
            if file.suffix in {".js", ".css", ".html", ".svg"}:
                text = file.read_text().replace(SVG, "")
                assert not re.search(r"https?:|[\"'(]//\w", text), file.name


def test_what_the_first_screen_needs_fits_in_the_budget(phone: Client) -> None:
    page = phone.get(APP)
    linked = [
        path.removeprefix("/static/")
        for path in Page(page).addresses
        if path.startswith("/static/") and f"/{files.ICONS}" not in path
    ]
    loaded = {*linked, *files.first_modules()}
    weights = {name: weight(file_of(name)) for name in loaded}

    total = len(gzip.compress(page.content)) + sum(weights.values())
    assert total < BUDGET, weights
    # Each import is announced by the page: none costs a round trip of its own.
    assert set(files.first_modules()) <= set(linked)


# "Slow 3G": 400 kbit/s, 400 ms there and back.
BYTES_A_SECOND = 50_000
ROUND_TRIP_SECONDS = 0.4


def test_on_slow_3g_the_first_screen_is_there_within_two_seconds(phone: Client) -> None:
    """By what has to travel before it can be drawn: the page, and then its styles.

    tests/browser/test_first_screen.py shows that nothing else has to.
    """
    page = phone.get(APP)
    styles = [path for path in Page(page).addresses if path.endswith(".css")]
    assert styles
    sizes = [weight(page.content)]
    sizes += [weight(file_of(path.removeprefix("/static/"))) for path in styles]
    assert 2 * ROUND_TRIP_SECONDS + sum(sizes) / BYTES_A_SECOND < 2, sizes


def file_of(name: str) -> bytes:
    path = finders.find(name)
    assert path is not None, name
    return Path(path).read_bytes()


def weight(content: bytes) -> int:
    return len(gzip.compress(content))


@pytest.fixture
def as_served(settings: Any, tmp_path: Path) -> Any:
    """Collects the static files as in production; called again, after a change."""
    from backend.config.settings import STORAGES

    own = tmp_path / "own"
    settings.STATICFILES_DIRS = [own]
    settings.STORAGES = {**settings.STORAGES, "staticfiles": STORAGES["staticfiles"]}

    def collect(folder: str, **changed: bytes) -> None:
        for name, content in changed.items():
            (own / "app").mkdir(parents=True, exist_ok=True)
            (own / "app" / f"{name}.js").write_bytes(content)
        own.mkdir(exist_ok=True)
        settings.STATIC_ROOT = str(tmp_path / folder)
        forget_files()
        call_command(
            "collectstatic",
            interactive=False,
            verbosity=0,
            ignore_patterns=["admin", "gis", "rest_framework", "drf_spectacular"],
        )

    return collect


def test_a_change_in_any_module_is_another_version_of_all_that_import_it(
    phone: Client, as_served: Any
) -> None:
    as_served("first")
    before = phone.get(WORKER)
    as_served("second", proof=file_of("app/proof.js") + b"\n// changed\n")
    after = phone.get(WORKER)

    assert version_of(before) != version_of(after)
    new = {
        re.sub(r"\.\w{12}\.", ".", url)
        for url in set(kept_by(after)) - set(kept_by(before))
    }
    assert {"/static/app/proof.js", "/static/app/api.js", "/static/app/app.js"} <= new
    assert "/static/app/store.js" not in new
    assert all(re.search(r"\.\w{12}\.\w+$", url) for url in kept_by(after))
