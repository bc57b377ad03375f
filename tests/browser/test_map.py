"""The public map in a browser: what it shows, by mouse, by key, on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.cases import OPEN, RESOLVED, STREET
from tests.browser.conftest import Watched
from tests.browser.steps import painted, soon_painted, soon_true

pytestmark = pytest.mark.django_db
on_both = pytest.mark.parametrize("size", ["phone", "desktop"], indirect=True)
OPEN_IN_PANAMA = len(OPEN)
RESOLVED_IN_PANAMA = len(RESOLVED) + 1
OPEN_IN_THE_STREET = len(OPEN) - 1


def open_map(page: Page, view: str = "") -> None:
    page.goto(f"/{view}")
    all_is_there(page)


def all_is_there(page: Page) -> None:
    """On a busy machine the line may be quiet before the page has asked for anything."""
    page.wait_for_load_state("networkidle")
    expect(page.locator("#counter b").first).to_be_visible()
    expect(page.locator("#list-note:not([hidden])")).to_be_attached()


def numbers_in_list(page: Page) -> list[str]:
    rows = page.locator("#list a").all()
    return sorted(str(row.get_attribute("data-number")) for row in rows)


def numbers_on_map(page: Page) -> list[str]:
    pins = page.locator(".pin").all()
    return sorted(
        number
        for pin in pins
        for number in str(pin.get_attribute("data-numbers")).split()
    )


@on_both
def test_the_map_opens_with_heat_counter_and_list(page: Page) -> None:
    open_map(page)

    expect(page.locator("#counter")).to_have_text(
        f"{OPEN_IN_PANAMA} casos abiertos en esta vista"
    )
    expect(page.locator("#list li")).to_have_count(OPEN_IN_PANAMA)
    expect(page.locator(".place-label", has_text="Chiriquí")).to_be_visible()
    soon_painted(page, "heat_map_open")
    assert painted(page, "heat_map_resolved") == 0
    expect(page.get_by_text("Datos de demostración")).to_be_visible()


@on_both
def test_nothing_sticks_out_of_the_page(page: Page) -> None:
    open_map(page)

    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def test_a_switch_changes_map_counter_list_and_legend(page: Page) -> None:
    open_map(page)
    page.get_by_role("radio", name="Resueltos").check(force=True)

    expect(page.locator("#counter")).to_have_text(
        f"{RESOLVED_IN_PANAMA} casos resueltos en esta vista"
    )
    expect(page.locator("#list li")).to_have_count(RESOLVED_IN_PANAMA)
    expect(page.locator("#legend-resolved")).to_be_visible()
    expect(page.locator("#legend-open")).to_be_hidden()
    soon_painted(page, "heat_map_resolved")
    assert painted(page, "heat_map_open") == 0


def test_both_states_are_counted_and_listed_apart(page: Page) -> None:
    open_map(page)
    page.get_by_role("radio", name="Ambos").check(force=True)

    expect(page.locator("#counter")).to_have_text(
        f"{OPEN_IN_PANAMA} abiertos y {RESOLVED_IN_PANAMA} resueltos en esta vista"
    )
    for ramp in ("open", "resolved", "both"):
        expect(page.locator(f"#legend-{ramp}")).to_be_visible()
    filed = page.locator("#list time").evaluate_all(
        "(times) => times.map((t) => t.dateTime)"
    )
    assert len(filed) == OPEN_IN_PANAMA + RESOLVED_IN_PANAMA
    assert filed == sorted(filed, reverse=True)


def test_a_topic_leaves_only_its_cases(page: Page) -> None:
    open_map(page)
    page.get_by_role("checkbox", name="Calles y carreteras").check(force=True)

    expect(page.locator("#counter")).to_have_text("2 casos abiertos en esta vista")
    expect(page.get_by_role("checkbox", name="Todos")).not_to_be_checked()

    page.get_by_role("checkbox", name="Todos").check(force=True)
    expect(page.locator("#counter")).to_contain_text(f"{OPEN_IN_PANAMA} casos")
    expect(page.get_by_role("checkbox", name="Calles")).not_to_be_checked()


def test_only_recent_reports_are_left_when_asked_for(page: Page) -> None:
    open_map(page)
    page.get_by_label("Reportados").select_option("7")

    expect(page.locator("#counter")).to_contain_text(f"{OPEN_IN_PANAMA - 1} casos")


@on_both
def test_close_by_the_list_and_the_markers_are_the_same_cases(page: Page) -> None:
    open_map(page, f"{STREET}&state=both")

    expect(page.locator("#list li")).to_have_count(
        OPEN_IN_THE_STREET + RESOLVED_IN_PANAMA
    )
    assert numbers_in_list(page) == numbers_on_map(page)
    expect(page.locator("#list-note")).to_have_text("Son todos los de esta vista.")


def test_a_marker_leads_to_its_case(page: Page) -> None:
    open_map(page, STREET)
    pin = page.locator("a.pin").first
    number = str(pin.get_attribute("data-numbers"))
    pin.click()

    expect(page).to_have_url(re.compile(f"/casos/{number}$"))
    expect(page.locator("#case-number")).to_have_text(number)


def test_cases_that_would_overlap_share_a_marker_that_lists_them(page: Page) -> None:
    open_map(page, STREET)
    page.get_by_role("button", name="2 casos muy cerca").click()
    links = page.locator(".leaflet-popup a")

    expect(links).to_have_count(2)
    expect(links.first).to_be_focused()
    links.first.click()
    expect(page).to_have_url(re.compile("/casos/"))


def test_only_the_cases_of_the_view_are_loaded(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_map(page, STREET)

    cases = [url for url in asked if "/data/cases.geojson" in url]
    assert len(cases) == 1
    west, south, east, north = map(
        float,
        str(re.search("bbox=([^&]+)", cases[0])[1]).split(","),  # type: ignore[index]
    )
    assert east - west < 0.05
    assert north - south < 0.05
    assert "limit=200" in cases[0]


def test_an_address_shows_the_same_again(page: Page) -> None:
    open_map(page, f"{STREET}&state=resolved&group=VIA")
    shown = numbers_in_list(page)
    page.reload()
    all_is_there(page)

    expect(page.get_by_role("radio", name="Resueltos")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Calles")).to_be_checked()
    assert numbers_in_list(page) == shown != []


def test_the_map_can_be_used_by_keyboard_alone(page: Page) -> None:
    open_map(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Saltar a la lista de casos")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Saltar al mapa")).to_be_focused()
    page.keyboard.press("Enter")
    before = page.evaluate("[map_public.getZoom(), map_public.getCenter().lng]")

    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")

    soon_true(page, "([zoom, _]) => map_public.getZoom() > zoom", before)
    soon_true(page, "([_, lng]) => map_public.getCenter().lng > lng", before)


def test_the_skip_links_keep_what_is_asked_for(page: Page) -> None:
    open_map(page, "#map=10/9/-79.5&state=both&days=30")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#list")).to_be_focused()
    page.wait_for_timeout(500)

    assert "state=both&days=30" in page.url
    expect(page.get_by_role("radio", name="Ambos")).to_be_checked()
    expect(page.get_by_label("Reportados")).to_have_value("30")


def test_escape_closes_a_list_of_nearby_cases_and_gives_the_focus_back(
    page: Page,
) -> None:
    open_map(page, STREET)
    pin = page.get_by_role("button", name="2 casos muy cerca")
    pin.press("Enter")
    expect(page.locator(".leaflet-popup a").first).to_be_focused()
    page.keyboard.press("Escape")

    expect(page.locator(".leaflet-popup")).to_have_count(0)
    expect(pin).to_be_focused()


def test_the_switches_and_the_list_are_reached_by_tab(page: Page) -> None:
    open_map(page)
    page.get_by_role("radio", name="Abiertos").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#counter")).to_contain_text("resueltos")

    page.keyboard.press("Tab")
    expect(page.get_by_role("checkbox", name="Todos")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#all-groups")).not_to_be_checked()
    expect(page.locator("#list li")).to_have_count(1)
    while not page.evaluate("document.activeElement.matches('#list a')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/casos/"))


def test_whoever_is_in_the_list_stays_there_when_the_map_moves(page: Page) -> None:
    open_map(page, STREET)
    link = page.locator("#list a").nth(1)
    number = link.get_attribute("data-number")
    link.focus()
    page.evaluate(
        "document.activeElement.isTheOldOne = true; void map_public.panBy([2, 2])"
    )
    soon_true(page, "!document.querySelectorAll('#list a')[1].isTheOldOne")

    expect(page.locator(f'#list a[data-number="{number}"]')).to_be_focused()


def test_a_marker_can_be_focused_and_followed(page: Page) -> None:
    open_map(page, STREET)
    pin = page.locator("a.pin").first
    pin.focus()
    expect(pin).to_be_focused()
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile("/casos/"))


def test_a_place_can_be_gone_to_without_dragging(page: Page) -> None:
    open_map(page)
    page.get_by_label("Ir a").select_option(label="Chiriquí")
    soon_true(page, "map_public.getCenter().lng < -82")

    expect(page.locator("#counter")).to_have_text("Ningún caso abierto en esta vista")
    expect(page.locator("#list-note")).to_contain_text("No hay casos aquí")


def test_a_place_can_be_gone_to_again_after_one_went_elsewhere(page: Page) -> None:
    open_map(page)
    places = page.get_by_label("Ir a")
    for _ in range(2):
        places.select_option(label="Chiriquí")
        soon_true(page, "map_public.getCenter().lng < -82")
        places.blur()
        expect(places).to_have_value("")
        places.select_option(label="Todo Panamá")
        soon_true(page, "map_public.getCenter().lng > -81")


def test_the_places_are_gone_through_by_keys(page: Page) -> None:
    open_map(page)
    places = page.get_by_label("Ir a")
    for _ in range(3):
        places.press("ArrowDown")
        page.wait_for_timeout(300)

    third = page.locator("#go-to option").nth(3).get_attribute("value")
    expect(places).to_have_value(str(third))


def test_days_that_nobody_can_choose_are_not_asked_for(page: Page) -> None:
    for days in ("45", "0"):
        open_map(page, f"#map=6.5/8.4/-80.1&days={days}")
        expect(page.locator("#period-words")).to_have_text("Cualquier fecha")
        expect(page.locator("#counter b")).to_have_text(str(OPEN_IN_PANAMA))
        page.goto("about:blank")


def test_when_the_cases_cannot_be_loaded_one_may_try_again(
    page: Page, watched: Watched
) -> None:
    watched.expected = ("503", "heat")

    def away(route: Route) -> None:
        route.fulfill(status=503, body="")

    page.route("**/api/v1/heat/**", away)
    page.goto("/")
    expect(page.get_by_role("alert")).to_contain_text(
        "No se pudieron cargar los casos."
    )
    page.unroute("**/api/v1/heat/**")
    page.get_by_role("button", name="Reintentar").click()

    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.locator("#counter")).to_contain_text(f"{OPEN_IN_PANAMA} casos")


def test_the_language_switch_keeps_the_view(page: Page) -> None:
    open_map(page, f"{STREET}&state=resolved")
    page.get_by_role("button", name="English").click()
    page.wait_for_load_state("networkidle")

    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#counter")).to_have_text(
        f"{RESOLVED_IN_PANAMA} resolved cases in this view"
    )
    assert page.evaluate("map_public.getZoom()") == 16


@pytest.mark.parametrize("size", ["phone"], indirect=True)
def test_on_a_phone_the_sheet_opens_and_closes(page: Page) -> None:
    open_map(page)
    handle = page.locator("#handle")
    expect(page.locator("#list")).not_to_be_in_viewport()

    handle.tap()
    expect(handle).to_have_attribute("aria-expanded", "true")
    expect(page.locator("#list li").first).to_be_in_viewport()

    page.keyboard.press("Escape")
    expect(handle).to_have_attribute("aria-expanded", "false")


@pytest.mark.parametrize("size", ["phone"], indirect=True)
def test_on_a_phone_a_finger_hits_what_it_aims_at(page: Page) -> None:
    open_map(page)
    page.locator("#handle").tap()
    aims = ".top a, .top button, #handle, .segments span, .chip span, select, #list a"
    for box in [aim.bounding_box() for aim in page.locator(aims).all()]:
        if box and box["width"]:
            assert box["height"] >= 44
            assert box["width"] >= 44
