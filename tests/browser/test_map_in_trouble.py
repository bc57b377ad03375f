"""The public map when answers fail, come late, or come after something else was asked."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.cases import STREET
from tests.browser.conftest import Watched
from tests.browser.steps import Held, soon_true
from tests.browser.test_map import OPEN_IN_PANAMA, OPEN_IN_THE_STREET, open_map

pytestmark = pytest.mark.django_db

EVERYTHING = "#map=6.5/8.4/-80.1&state=both"
# But for the pixel that halves are rounded to.
SEES_ALL_OF = """(sides) => map_public.getBounds().pad(0.01).contains(
  L.latLngBounds([sides[1], sides[0]], [sides[3], sides[2]]))"""
SIDES = "map_public.getBounds().toBBoxString().split(',').map(Number)"


def away(route: Route) -> None:
    route.fulfill(status=503, body="")


def test_heat_asked_for_while_districts_are_on_their_way_is_what_is_shown(
    page: Page,
) -> None:
    open_map(page, EVERYTHING)
    outlines = Held(page, re.compile(r"/distritos\.geojson"))
    page.get_by_role("radio", name="Por distrito").check(force=True)
    soon_true(page, "location.hash.includes('as=districts')")
    page.wait_for_timeout(500)
    assert outlines.routes
    page.get_by_role("radio", name="Mapa de calor").check(force=True)
    soon_true(page, "!location.hash.includes('as=districts')")
    page.wait_for_timeout(500)
    with page.expect_response(re.compile(r"/distritos\.geojson")):
        outlines.let_go()
    page.wait_for_timeout(500)

    expect(page.locator("#legend-heat")).to_be_visible()
    expect(page.locator("#legend-districts")).to_be_hidden()
    expect(page.locator("#ranking")).to_be_hidden()


def test_a_comparison_that_is_over_paints_no_more(page: Page) -> None:
    """Else its painters fail, and those after them never get to paint."""
    open_map(page, f"{EVERYTHING}&months=2026-10..2026-11&vs=2026-08..2026-09")
    page.get_by_role("button", name="Comparar dos períodos").click()
    expect(page.locator(".map-b")).to_have_count(0)

    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    page.pdf()

    expect(page.locator("html")).not_to_have_class(re.compile("is-printing"))


def test_comparing_shows_no_less_of_the_country_and_gives_the_view_back(
    page: Page,
) -> None:
    """A half as wide would count other cases than the whole did."""
    open_map(page, "#map=12/9.0000/-79.6540&state=open")
    expect(page.locator("#counter")).to_contain_text(f"{OPEN_IN_PANAMA} casos")
    before = page.evaluate(SIDES)
    view = page.url.partition("map=")[2].partition("&")[0]
    button = page.get_by_role("button", name="Comparar dos períodos")
    button.click()
    expect(page.locator("#counter b").first).to_have_text(str(OPEN_IN_PANAMA))
    assert page.evaluate(SEES_ALL_OF, before)

    button.click()
    expect(page.locator("#counter")).to_contain_text(f"{OPEN_IN_PANAMA} casos")
    soon_true(page, "(view) => location.hash.includes(`map=${view}&`)", view)


def test_a_comparison_from_an_address_is_seen_as_it_was_shared(page: Page) -> None:
    open_map(page, "#map=12/9.0000/-79.6540&months=2026-10..2026-11&vs=2026-08")

    expect(page.locator(".map-b")).to_be_visible()
    assert page.evaluate("map_public.getZoom()") == 12


def test_where_all_cases_are_listed_the_counter_counts_them(page: Page) -> None:
    """The heat counts whole cells, also what of them is outside of the view."""

    def one_more(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(json={**answer.json(), "total": answer.json()["total"] + 1})

    page.route("**/api/v1/heat/?**", one_more)
    open_map(page, STREET)

    expect(page.locator("#counter b")).to_have_text(str(OPEN_IN_THE_STREET))
    expect(page.locator("#list-note")).to_have_text("Son todos los de esta vista.")


def test_a_view_that_cannot_be_loaded_says_so_in_one_voice(
    page: Page, watched: Watched
) -> None:
    watched.expected = ("503", "heat")
    page.route("**/api/v1/heat/?**", away)
    page.goto("/")

    expect(page.get_by_role("alert")).to_contain_text("No se pudieron cargar los casos")
    expect(page.locator("#counter")).to_have_text("Sin datos de esta vista")


def test_what_was_shown_of_another_view_is_not_left_as_if_it_were_of_this_one(
    page: Page, watched: Watched
) -> None:
    open_map(page, STREET)
    watched.expected = ("ERR_INTERNET_DISCONNECTED",)
    page.context.set_offline(offline=True)
    page.evaluate("void map_public.setView([8.99, -79.7], 12, { animate: false })")

    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#counter")).to_have_text("Sin datos de esta vista")
    expect(page.locator("#list a")).to_have_count(0)
    expect(page.locator("#list-note")).to_be_hidden()
    expect(page.locator(".pin")).to_have_count(0)

    page.context.set_offline(offline=False)
    page.get_by_role("button", name="Reintentar").click()
    expect(page.locator("#counter b")).to_be_visible()
    expect(page.get_by_role("alert")).to_be_hidden()


def test_a_base_map_that_failed_is_told_until_it_is_there(
    page: Page, watched: Watched
) -> None:
    watched.expected = ("503",)
    outlines = re.compile(r"/provincias\.geojson")
    page.route(outlines, away)
    open_map(page)

    alert = page.get_by_role("alert")
    expect(alert).to_have_text(re.compile("No se pudo cargar el mapa de base"))
    page.unroute(outlines)
    page.get_by_role("button", name="Reintentar").click()
    expect(alert).to_be_hidden()
    expect(page.locator(".place-label", has_text="Chiriquí")).to_be_visible()


def test_without_the_strip_nothing_offers_to_play_or_to_compare(
    page: Page, watched: Watched
) -> None:
    watched.expected = ("503",)
    page.route(re.compile(r"/timeline\..*js"), away)
    open_map(page)

    expect(page.locator("#strip-note")).to_be_visible()
    expect(page.locator("#play")).to_be_disabled()
    expect(page.locator("#compare")).to_be_disabled()


def test_months_that_cannot_be_loaded_have_no_handles(
    page: Page, watched: Watched
) -> None:
    watched.expected = ("503",)
    open_map(page)
    expect(page.get_by_role("slider", name="Hasta", exact=True)).to_be_visible()
    page.route("**/api/v1/heat/months/**", away)
    page.evaluate("void map_public.setZoom(9, { animate: false })")

    expect(page.locator("#strip-note")).to_have_text("No se pudieron cargar los meses.")
    expect(page.get_by_role("slider", name="Hasta", exact=True)).to_be_hidden()


def test_a_place_asked_for_before_the_search_is_there_is_gone_to(page: Page) -> None:
    open_map(page)
    module = Held(page, re.compile(r"/search\..*js"))
    box = page.get_by_role("combobox", name="Lugar o número de caso")
    box.press_sequentially("chiriqui")
    box.press("Enter")
    page.wait_for_timeout(300)
    module.let_go()

    page.wait_for_timeout(1000)
    soon_true(page, "map_public.getCenter().lng < -82")


def test_another_scheme_is_painted_though_one_part_of_the_page_fails(
    page: Page, watched: Watched
) -> None:
    """And the failure is told."""
    watched.expected = ("script: no canvas",)
    open_map(page, EVERYTHING)
    drawn = "document.querySelector('#histogram canvas').toDataURL()"
    light = page.evaluate(drawn)
    page.evaluate(
        "void (heat_map_open.setOptions = () => { throw new Error('no canvas'); })"
    )
    page.emulate_media(color_scheme="dark")

    soon_true(page, f"(light) => {drawn} !== light", light)
    assert any("no canvas" in problem for problem in watched.problems)
