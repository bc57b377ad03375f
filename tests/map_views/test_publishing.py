"""The analyst's map: one file, with what was asked, that asks nobody for anything."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from django.core.management import CommandError, call_command
from django.test import Client
from sqlalchemy import func

from backend.accounts.limits import Limit
from backend.cases.models import Case, Category
from backend.cases.workflow import Status
from geo import export
from map_views import analyst_data, publish_pages
from map_views.analyst_data import NO_CASES, SHADES, colour_of, rate_text, shaded
from map_views.publishing import STATIC, bundle, harmless, style
from provinces.models import District
from tests.factories import make_case, make_category
from tests.map_views.test_pages import luminance

pytestmark = pytest.mark.django_db

BELLA_VISTA = (-79.524, 8.986)
CHORRERA = (-79.78, 8.88)
DAVID = (-82.43, 8.43)
SEPTEMBER = datetime(2026, 9, 10, 15, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
# Links that a person may follow.
FOR_PEOPLE = {"creativecommons.org", "127.0.0.1:8311"}


class File(HTMLParser):
    """What a browser would find in the file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.whole = text
        self.text = ""
        self.scripts: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.policy = ""
        self.language = ""
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.inside = tag
        if tag == "html":
            self.language = found["lang"] or ""
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"] or ""
        for name in ("src", "srcset", "data", "poster", "action", "background"):
            if found.get(name):
                self.loaded.append(str(found[name]))
        if found.get("href"):
            (self.links if tag == "a" else self.loaded).append(str(found["href"]))
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.scripts[-1] += data
        elif self.inside != "style":
            self.text += data

    @property
    def config(self) -> Any:
        return json.loads(self.scripts[0])

    @property
    def drawn(self) -> str:
        """What folium wrote."""
        return self.scripts[-1]


@pytest.fixture
def cases() -> list[Case]:
    """Two open in the capital, a resolved one to the west, and one of David's."""
    first = make_case(BELLA_VISTA, filed_at=SEPTEMBER)
    second = make_case(BELLA_VISTA, filed_at=OCTOBER)
    resolved = make_case(CHORRERA, Status.ASSIGNED, filed_at=OCTOBER)
    Case.objects.filter(pk=resolved.pk).update(status=Status.CLOSED)
    return [first, second, resolved, make_case(DAVID, filed_at=OCTOBER)]


def written(tmp_path: Path, *options: str) -> File:
    out = tmp_path / "map.html"
    call_command("publish_map", "--out", str(out), *options, stdout=StringIO())
    return File(out.read_text(encoding="utf-8"))


def refused(tmp_path: Path, *options: str) -> str:
    said = StringIO()
    out = tmp_path / "map.html"
    with pytest.raises(CommandError):
        call_command("publish_map", "--out", str(out), *options, stderr=said)
    assert not out.exists()
    return said.getvalue()


def numbers(file: File) -> set[str]:
    return set(re.findall(r"\b26-\d{7}-\d\b", file.drawn))


def test_the_file_shows_the_cases_that_were_asked_for_and_says_which(
    cases: list[Case], tmp_path: Path
) -> None:
    file = written(tmp_path)

    assert file.language == "es"
    assert "4 casos en el mapa" in file.text
    assert numbers(file) == {case.number for case in cases}
    assert {heat["layer"] for heat in file.config["heats"]} == {
        "heat_map_open",
        "heat_map_resolved",
    }
    for words in ("Distritos: casos por", "Calor mes a mes", "Casos, uno por uno"):
        assert words in file.drawn
    assert "CC BY 4.0" in file.text


def test_nothing_of_the_file_is_fetched_from_anywhere(
    cases: list[Case], tmp_path: Path
) -> None:
    file = written(tmp_path)

    assert file.loaded == []
    assert {urlsplit(link).netloc for link in file.links} == FOR_PEOPLE
    assert "://" not in file.drawn
    assert not re.search(r"url\((?!data:|#)", file.whole)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon)\(", file.whole)
    assert "default-src 'none'" in file.policy
    assert "connect-src" not in file.policy


def test_only_the_scripts_that_were_written_may_run(
    cases: list[Case], tmp_path: Path
) -> None:
    file = written(tmp_path)
    allowed = re.search("script-src ([^;]*);", file.policy)

    assert allowed is not None
    assert len(allowed[1].split()) == len(file.scripts) - 1  # the first holds data
    assert "unsafe" not in allowed[1]


@pytest.mark.parametrize(
    ("options", "left", "words"),
    [
        (("--state", "open"), {0, 1, 3}, "Casos: abiertos"),
        (("--state", "resolved"), {2}, "Casos: resueltos"),
        (("--place", "04"), {3}, "Lugar: Chiriquí"),
        (("--place", "0808"), {0, 1}, "Lugar: Panamá (Panamá)"),
        (("--since", "2026-10-31"), {1, 2, 3}, "Reportados desde: 2026-10-31"),
        (("--until", "2026-09-10"), {0}, "Reportados hasta: 2026-09-10"),
        (("--group", "AGU"), set(), "Temas: Agua y alcantarillado"),
        (("--entity", "IDAAN"), set(), "Entidad: "),
    ],
)
def test_each_filter_of_the_map_is_one_of_the_command(
    cases: list[Case],
    tmp_path: Path,
    options: tuple[str, ...],
    left: set[int],
    words: str,
) -> None:
    file = written(tmp_path, *options)

    assert numbers(file) == {cases[i].number for i in left}
    assert words in " ".join(file.text.split())


def test_a_filter_that_nothing_has_is_told_instead_of_an_empty_map(
    tmp_path: Path,
) -> None:
    said = refused(
        tmp_path,
        *("--group", "ZZZ", "--category", "NO-01", "--entity", "NADIE"),
        *("--place", "9999", "--since", "ayer"),
    )

    for option in ("--group", "--category", "--entity", "--place", "--since"):
        assert option in said
    assert "NO-01" in said


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("publish_map", "--out", str(tmp_path / "nowhere" / "map.html"))


def test_the_file_speaks_english_too(cases: list[Case], tmp_path: Path) -> None:
    Category.objects.filter(code="PRU-01").update(name_en="A hole in the road")
    file = written(tmp_path, "--language", "en")

    assert file.language == "en"
    assert "A hole in the road" in file.drawn


def test_nothing_that_somebody_named_becomes_markup(tmp_path: Path) -> None:
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"
    category = make_category("PRU-66", name_es=evil)
    make_case(BELLA_VISTA, category=category, filed_at=OCTOBER)
    District.objects.filter(code="0808").update(name=evil)

    file = written(tmp_path, "--category", "PRU-66", "--place", "0808")

    assert evil not in file.whole
    assert not re.search("<img|<script>alert", file.whole)
    assert evil in file.text  # as words


def test_private_cases_and_points_are_in_no_map(
    cases: list[Case], tmp_path: Path
) -> None:
    private = make_category("PRV-01", private=True, precision=Category.Precision.NONE)
    hidden = make_case(BELLA_VISTA, category=private, filed_at=OCTOBER)
    file = written(tmp_path)

    assert hidden.number not in file.whole
    assert "4 casos en el mapa" in file.text


def test_a_district_is_told_by_its_people_once_a_census_has_counted_them(
    cases: list[Case], tmp_path: Path
) -> None:
    west = written(tmp_path, "--place", "13")
    country = written(tmp_path)

    # One case among the 258,221 people of La Chorrera.
    assert "Distritos: casos por 10 000 habitantes" in west.text
    assert "La Chorrera10.039" in "".join(west.text.split()).replace("LaC", "La C")
    assert "INEC, Censos Nacionales 2023" in west.text
    # Of most districts nobody has said; of the provinces, yes.
    assert "Distritos: casos por km²" in country.text
    assert "Provincias y comarcas: casos por 10 000 habitantes" in country.text


def test_months_are_shown_one_by_one_by_the_days_of_panama(
    cases: list[Case], tmp_path: Path
) -> None:
    months = written(tmp_path).config["months"]

    assert [(m["label"], m["total"]) for m in months["months"]] == [
        ("septiembre de 2026", "1"),
        ("octubre de 2026", "3"),
    ]
    assert months["max"] >= 2
    assert written(tmp_path, "--until", "2026-09-30").config["months"] is None


def test_what_is_left_out_is_told(
    cases: list[Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(analyst_data, "MOST_CASES", 2)
    monkeypatch.setattr(analyst_data, "MOST_MONTHS", 1)
    file = written(tmp_path)

    assert len(numbers(file)) == 2
    assert "los 2 casos más recientes, de 4" in file.text
    assert "faltan 1 anteriores" in file.text


def test_made_up_reports_are_told_in_the_file(tmp_path: Path) -> None:
    assert "Datos de demostración" not in written(tmp_path).text
    make_case(BELLA_VISTA, demo=True)
    assert "Datos de demostración" in written(tmp_path).text


def test_the_file_is_small_enough_to_mail(cases: list[Case], tmp_path: Path) -> None:
    file = written(tmp_path)

    assert len(file.whole.encode()) < 4_000_000


def test_modules_and_pictures_are_taken_into_the_file() -> None:
    script = bundle(("map_views/density.js", "map_views/analyst.js"))
    leaflet = style("vendor/leaflet-1.9.4/leaflet.css")

    assert not re.search("^(import|export) ", script, re.MULTILINE)
    assert "class Density" in script
    assert "url(images" in (STATIC / "vendor/leaflet-1.9.4/leaflet.css").read_text()
    assert "url(images" not in leaflet
    assert leaflet.count("data:image/png;base64,") == 3
    assert harmless("a</script>b<!--c") == "a<\\/script>b<\\!--c"


def test_shades_hold_as_many_places_each_and_none_without_cases() -> None:
    rates = [0.0, 0.0, *(float(n) for n in range(1, 11))]
    shades = shaded(rates)

    assert [shade.colour for shade in shades] == list(SHADES)
    painted = [colour_of(rate, shades) for rate in rates]
    assert painted[:2] == [NO_CASES] * 2
    assert [painted.count(colour) for colour in SHADES] == [2] * 5
    assert shaded([0.0]) == []
    lightness = [luminance(colour) for colour in (NO_CASES, *SHADES)]
    assert lightness == sorted(lightness, reverse=True)


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0"), (0.00432, "0.0043"), (0.5, "0.50"), (12.34, "12.3"), (1234.5, "1,234")],
)
def test_a_rate_has_the_digits_that_tell_something(rate: float, text: str) -> None:
    assert rate_text(rate) == text


# ── The page ─────────────────────────────────────────────────────────────────────


def test_the_page_asks_for_the_filters_and_gives_the_file(
    phone: Client, cases: list[Case]
) -> None:
    page = phone.get("/mapa-analista").content.decode()
    answer = phone.get("/mapa-analista/mapa.html", {"place": "0808", "since": ""})

    assert 'action="/mapa-analista/mapa.html"' in page
    assert "San Miguelito" in page
    assert answer["Content-Disposition"].startswith('attachment; filename="311-movil-')
    file = File(answer.content.decode())
    assert numbers(file) == {case.number for case in cases[:2]}


def test_the_page_says_what_is_wrong_and_keeps_what_was_chosen(phone: Client) -> None:
    answer = phone.get(
        "/mapa-analista/mapa.html", {"place": "04", "entity": "NADIE", "language": "es"}
    )

    assert answer.status_code == 400
    page = answer.content.decode()
    assert "No existe: NADIE." in page
    assert '<option value="04" selected>' in page


def test_days_the_wrong_way_round_are_told_beside_them(phone: Client) -> None:
    days = {"since": "2026-03-02", "until": "2026-03-01"}
    answer = phone.get("/mapa-analista/mapa.html", days)

    assert answer.status_code == 400
    page = answer.content.decode()
    assert 'id="until-problem">El último día es anterior al primero.' in page
    assert page.count("El último día es anterior al primero.") == 1
    assert 'value="2026-03-01" aria-invalid="true"' in page


def test_the_file_is_in_the_language_that_the_form_says(phone: Client) -> None:
    spanish = phone.get("/mapa-analista/mapa.html", headers={"accept-language": "es"})
    english = phone.get("/mapa-analista/mapa.html", {"language": "en"})

    assert File(spanish.content.decode()).language == "es"
    assert File(english.content.decode()).language == "en"


def test_who_asks_for_too_many_files_waits(
    phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_pages, "FILES", Limit("few-maps", times=1, seconds=60))
    first, second = (phone.get("/mapa-analista/mapa.html") for _ in range(2))

    assert first.status_code == 200
    assert second.status_code == 429
    assert 0 < int(second["Retry-After"]) <= 60


def test_a_map_whose_cases_take_too_long_to_find_is_given_up_and_that_is_told(
    phone: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = sa.select(sa.cast(func.pg_sleep(3), sa.Text))
    monkeypatch.setattr(export, "statements", lambda *asked, **how: [long])
    monkeypatch.setattr(publish_pages, "MILLISECONDS", 300)
    answer = phone.get("/mapa-analista/mapa.html", {"place": "08"})
    page = answer.content.decode()
    assert answer.status_code == 503
    assert "tarda demasiado" in page
    assert 'value="08" selected' in page
