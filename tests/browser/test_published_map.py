"""The analyst's map opened from a disk, by a browser without a network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Browser, Page, expect

from backend.cases.workflow import Status
from tests.browser.conftest import SIZES
from tests.browser.steps import soon_painted, soon_true
from tests.factories import make_case, make_category

pytestmark = pytest.mark.django_db
on_both = pytest.mark.parametrize("size", ["phone", "desktop"], indirect=True)

BELLA_VISTA = (-79.524, 8.986)
DAVID = (-82.43, 8.43)
SEPTEMBER = datetime(2026, 9, 10, 15, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 10, 15, tzinfo=UTC)
EVIL = "Hueco <img src=x onerror=alert(1)>"
# `void`, for the map itself as an answer takes a quarter of a minute to write down.
VIEW = "void map_analyst.setView([{1}, {0}], {2}, {{ animate: false }})"


@pytest.fixture
def file(chromium: Browser, tmp_path: Path) -> Path:
    evil = make_category("PRU-66", name_es=EVIL)
    make_case(BELLA_VISTA, category=evil, filed_at=SEPTEMBER)
    make_case(DAVID, filed_at=OCTOBER)
    make_case(DAVID, Status.RESOLVED, filed_at=OCTOBER)
    out = tmp_path / "map.html"
    call_command("publish_map", "--out", str(out))
    return out


@pytest.fixture
def opened(chromium: Browser, file: Path, size: str) -> Iterator[Page]:
    """The file in a browser that has no network; it may ask for nothing, and complain."""
    width, height = SIZES[size]
    context = chromium.new_context(
        viewport={"width": width, "height": height}, offline=True, locale="es-PA"
    )
    context.set_default_timeout(15_000)
    problems: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: problems.append(request.url))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "console",
        lambda line: problems.append(line.text) if line.type == "error" else None,
    )
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-drawn]")
    yield page
    context.close()
    asked = [problem for problem in problems if not problem.startswith("data:")]
    assert asked == [file.as_uri()]


def switch(page: Page, name: str) -> None:
    """A layer on or off, as a person does it: the control is folded on a phone."""
    folded = page.locator(".leaflet-control-layers-toggle")
    box = page.get_by_label(name)
    if folded.is_visible():
        folded.dispatch_event("click")
        box.hover()  # upon which the control opens again, and is deaf for a moment
        page.wait_for_timeout(100)
    box.click()


def click_in_the_middle(page: Page) -> None:
    box = page.locator("#map_analyst").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@on_both
def test_the_map_is_drawn_with_its_heat_and_words_and_nothing_is_asked(
    opened: Page,
) -> None:
    soon_painted(opened, "heat_map_open")
    expect(opened.get_by_text("3 casos en el mapa")).to_be_visible()
    expect(
        opened.get_by_role("heading", name="Distritos: casos por km²")
    ).to_be_visible()
    wide = opened.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def test_layers_are_switched_on_and_off(opened: Page) -> None:
    for name in ("Calor: casos abiertos", "Calor: casos resueltos"):
        switch(opened, name)

    assert opened.evaluate("map_analyst.hasLayer(heat_map_open)") is False
    soon_painted(opened, "heat_map_resolved")
    switch(opened, "Provincias y comarcas: casos por 10 000 habitantes")
    assert opened.evaluate("map_analyst.hasLayer(geo_json_district)") is False
    assert opened.evaluate("map_analyst.hasLayer(geo_json_province)") is True


@on_both
def test_what_leaflet_says_itself_is_said_in_spanish_too(opened: Page) -> None:
    for name in ("Acercar", "Alejar"):
        expect(opened.get_by_role("button", name=name)).to_be_visible()
    folded = opened.locator(".leaflet-control-layers-toggle")
    expect(folded).to_have_attribute("title", "Capas")

    opened.evaluate(VIEW.format(*DAVID, 11))
    click_in_the_middle(opened)
    popup = opened.locator(".leaflet-popup")
    popup.get_by_role("button", name="Cerrar").click()
    expect(popup).to_have_count(0)


@on_both
def test_a_case_is_told_as_words_and_leads_to_its_page(opened: Page) -> None:
    switch(opened, "Casos, uno por uno")
    opened.evaluate(VIEW.format(*BELLA_VISTA, 15))
    # A case that comes out of its cluster moves for a moment, and would not be hit.
    expect(opened.locator(".leaflet-cluster-anim")).to_have_count(0)
    opened.locator(".case.open").click()
    popup = opened.locator(".leaflet-popup")

    expect(popup.get_by_text(EVIL)).to_be_visible()
    expect(popup.locator("img")).to_have_count(0)
    expect(popup.get_by_text("Panamá", exact=False).first).to_be_visible()
    link = str(popup.get_by_role("link", name="Ver el caso").get_attribute("href"))
    assert "/casos/26-" in link


def test_a_district_tells_its_figures(opened: Page) -> None:
    opened.evaluate(VIEW.format(*DAVID, 11))
    click_in_the_middle(opened)
    popup = opened.locator(".leaflet-popup")

    expect(popup.locator("strong")).to_have_text("David")
    expect(popup.locator("dd").first).to_have_text("2")


@on_both
def test_the_months_pass_one_by_one(opened: Page) -> None:
    slider = opened.locator("#months input")
    expect(slider).to_be_hidden()
    switch(opened, "Calor mes a mes, por fecha del reporte")

    months = opened.locator("#months output")
    expect(months).to_have_text("octubre de 2026 · 2")
    soon_true(opened, "!map_analyst.hasLayer(heat_map_open)")
    slider.press("ArrowLeft")
    expect(months).to_have_text("septiembre de 2026 · 1")
    opened.get_by_role("button", name="Reproducir").click()
    expect(months).to_have_text("octubre de 2026 · 2")
    opened.get_by_role("button", name="Pausar").click()


@on_both
def test_the_page_gives_the_file(page: Page, tmp_path: Path) -> None:
    page.goto("/mapa-analista")
    page.get_by_label("Casos").select_option("open")
    page.get_by_label("Lugar").select_option("08")
    page.get_by_label("Idioma del mapa").select_option("en")
    with page.expect_download() as download:
        page.get_by_role("button", name="Descargar el mapa").click()

    assert download.value.suggested_filename.startswith("311-movil-mapa-")
    saved = tmp_path / "saved.html"
    download.value.save_as(saved)
    assert '<html lang="en">' in saved.read_text()
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
