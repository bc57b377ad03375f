"""The public map on phones of all sizes, upright and on their side; and with large text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.cases import CENTRE, STREET
from tests.browser.steps import soon_true
from tests.browser.test_map import OPEN_IN_PANAMA, open_map
from tests.browser.test_map_in_time import EVERYTHING, newest_case

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.parametrize("size", ["phone"], indirect=True),
]

TWO_PERIODS = f"{EVERYTHING}&months=2026-10..2026-11&vs=2026-08..2026-09"
STICKS_OUT = "document.documentElement.scrollWidth - window.innerWidth"
TWICE = "document.documentElement.style.fontSize = '200%'"


def over(one: Locator, other: Locator) -> bool:
    """Whether they have some of the screen in common."""
    a, b = one.bounding_box(), other.bounding_box()
    assert a
    assert b
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )


def test_a_list_of_nearby_cases_lies_beside_the_box_and_the_buttons(
    page: Page,
) -> None:
    open_map(page, STREET)
    south = [CENTRE[1] - 0.0022, CENTRE[0] - 0.0018]
    page.evaluate("(at) => void map_public.setView(at, 16, { animate: false })", south)
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="2 casos muy cerca").press("Enter")
    popup = page.locator(".leaflet-popup")
    expect(popup).to_be_visible()
    page.wait_for_timeout(500)

    assert not over(popup, page.locator("#search"))
    assert not over(popup, page.locator(".leaflet-control-zoom"))
    assert not over(popup, page.locator(".near-me"))


def test_while_comparing_the_buttons_of_the_map_can_be_pressed(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    open_map(page, TWO_PERIODS)
    expect(page.locator(".name-b")).to_be_visible()

    before = page.evaluate("map_public.getZoom()")
    page.get_by_role("button", name="Acercar").tap()
    soon_true(page, "(zoom) => map_public.getZoom() > zoom", before)
    for name in page.locator(".period-name").all():
        assert (name.bounding_box() or {"height": 99})["height"] < 30
    words = page.locator("#period-words")
    expect(words).to_contain_text("B: ")
    assert words.evaluate(
        "(one) => one.parentElement.scrollWidth <= one.parentElement.clientWidth"
    )


def test_the_ends_of_the_strip_are_as_wide_as_a_finger(page: Page) -> None:
    open_map(page)
    ends = page.get_by_role("slider")
    expect(ends).to_have_count(2)
    for end in ends.all():
        box = end.bounding_box()
        assert box
        assert box["width"] >= 44
        assert box["height"] >= 44


def test_with_text_twice_as_large_nothing_sticks_out(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    open_map(page)
    page.evaluate(TWICE)
    assert page.evaluate(STICKS_OUT) <= 0
    for skip in page.locator(".skip").all():
        box = skip.bounding_box()
        assert box
        assert box["y"] + box["height"] <= 0
    page.locator("#handle").press("Enter")
    assert (
        page.evaluate(
            "(() => { const panel = document.querySelector('#panel'); return panel.scrollWidth - panel.clientWidth; })()"
        )
        <= 0
    )

    page.goto(f"/casos/{newest_case(page)}")
    page.evaluate(TWICE)
    assert page.evaluate(STICKS_OUT) <= 0


def test_on_its_side_a_phone_offers_filters_and_list_over_the_map(page: Page) -> None:
    page.set_viewport_size({"width": 740, "height": 360})
    open_map(page)
    handle = page.locator("#handle")
    expect(handle).to_be_in_viewport(ratio=1)
    assert not over(handle, page.locator("#search"))
    assert not over(handle, page.locator(".leaflet-control-zoom"))
    expect(page.locator("#legend-heat")).to_be_hidden()

    handle.tap()
    expect(page.locator("#counter")).to_be_in_viewport()
    expect(page.locator(".segments").first).to_be_in_viewport()


def test_where_the_map_is_low_its_legend_is_a_word_that_opens_it(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 568})
    open_map(page)
    expect(page.locator("#legend-heat")).to_be_hidden()
    page.locator("#legend summary").tap()
    expect(page.locator("#legend-heat")).to_be_visible()

    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("#legend summary")).to_be_hidden()
    expect(page.locator("#legend-heat")).to_be_visible()


def test_within_another_site_it_says_how_many_cases_of_what_state(page: Page) -> None:
    page.set_viewport_size({"width": 340, "height": 520})
    page.goto("/mapa/incrustar")

    counter = page.locator("#counter")
    expect(counter).to_have_text(f"{OPEN_IN_PANAMA} casos abiertos en esta vista")
    expect(counter).to_be_in_viewport(ratio=1)
    whole = page.get_by_role("link", name="Ver el mapa completo")
    expect(whole).to_be_in_viewport(ratio=1)
    assert (whole.bounding_box() or {"height": 0})["height"] >= 44


def test_escape_leaves_what_is_shared_and_not_the_sheet_too(page: Page) -> None:
    open_map(page)
    page.locator("#handle").tap()
    page.get_by_role("button", name="Compartir").tap()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("#handle")).to_have_attribute("aria-expanded", "true")


def test_what_is_written_into_is_no_smaller_than_a_phone_enlarges(page: Page) -> None:
    open_map(page)
    fields = page.locator("#search-words, .pickers select")
    assert fields.count() > 2
    for field in fields.all():
        size = field.evaluate("(one) => parseFloat(getComputedStyle(one).fontSize)")
        assert size >= 16
