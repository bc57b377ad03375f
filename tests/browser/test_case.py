"""A case's page in a browser, and the form with the PIN."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cases import ONE_LONG_WORD, PHOTOGRAPHED
from tests.browser.conftest import Watched
from tests.servers import Server

pytestmark = pytest.mark.django_db
on_both = pytest.mark.parametrize("size", ["phone", "desktop"], indirect=True)

# What is wider than the page, and what is wider than the card that it is in.
STICKING_OUT = """() => [...document.querySelectorAll("main *, header *, footer *")]
  .filter((one) => one.checkVisibility() && !one.closest(".leaflet-container, svg, .visually-hidden"))
  .filter((one) => getComputedStyle(one).position !== "absolute")
  .filter((one) => {
    const edge = one.closest(".card")?.getBoundingClientRect().right ?? innerWidth;
    const words = [...one.childNodes].filter((node) => node instanceof Text).map((text) => {
      const range = document.createRange();
      range.selectNode(text);
      return range;
    });
    return [one, ...words].some((box) => box.getBoundingClientRect().right > edge + 1);
  })
  .map((one) => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 30)}`)"""


@pytest.fixture
def number(site: Server) -> str:
    """The case with photos before and after; its PIN is 123456."""
    rows = site.rows(
        "SELECT number FROM cases_case WHERE description = %s", PHOTOGRAPHED
    )
    return str(rows[0][0])


@on_both
def test_a_case_shows_its_history_its_photos_and_its_place(
    page: Page, number: str
) -> None:
    page.goto(f"/casos/{number}")
    page.wait_for_load_state("networkidle")

    expect(page.locator("#case-number")).to_have_text(number)
    expect(page.locator(".timeline .event")).to_have_count(3)
    expect(page.locator("#case-map .pin")).to_be_visible()
    expect(page.locator("#case-map canvas").first).to_be_visible()
    for photo in page.locator(".pictures img").all():
        photo.scroll_into_view_if_needed()
        expect(photo).to_have_js_property("complete", True)
        assert photo.evaluate("(image) => image.naturalWidth") > 0
        assert photo.get_attribute("alt")
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0


def test_the_number_can_be_copied(page: Page, number: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/casos/{number}")
    page.get_by_role("button", name="Copiar").click()

    expect(page.locator("#said")).to_have_text("Copiado")
    assert page.evaluate("navigator.clipboard.readText()") == number


def test_the_way_back_leads_to_the_case_on_the_map(page: Page, number: str) -> None:
    page.goto(f"/casos/{number}")
    page.get_by_role("link", name="Volver al mapa").click()

    expect(page.locator(f'.pin[data-numbers~="{number}"]')).to_be_visible()


def test_the_field_above_leads_to_a_case(page: Page, number: str) -> None:
    page.goto("/")
    page.get_by_role("search").get_by_label("Número de caso").fill(
        number.replace("-", " ")
    )
    page.keyboard.press("Enter")

    expect(page.locator("#case-number")).to_have_text(number)


@on_both
def test_the_pin_opens_what_only_the_reporter_sees(page: Page, number: str) -> None:
    page.goto(f"/casos/{number}")
    expect(page.get_by_text("Ana Pérez")).to_have_count(0)
    page.get_by_role("link", name="¿Es suyo?").click()
    page.get_by_label("PIN").fill("123456")
    page.get_by_role("button", name="Consultar").click()

    expect(page.get_by_text("Ana Pérez")).to_be_visible()
    assert "123456" not in page.url


@pytest.mark.parametrize("text", ["100%", "200%"])
@pytest.mark.parametrize("width", [320, 360])
def test_nothing_sticks_out_on_a_phone_however_large_its_text(
    page: Page, number: str, watched: Watched, width: int, text: str
) -> None:
    watched.expected = ("404",)
    page.set_viewport_size({"width": width, "height": 740})
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () =>"
        f" document.documentElement.style.setProperty('font-size', '{text}'))"
    )
    found = {}
    for path in (f"/casos/{number}", "/casos/26-0000000-0", f"/casos/?propio={number}"):
        page.goto(path)
        found[path] = page.evaluate(STICKING_OUT)
    page.get_by_label("PIN").fill("123456")
    page.get_by_role("button", name="Consultar").click()
    expect(page.get_by_text(ONE_LONG_WORD)).to_be_visible()
    found["with the PIN"] = page.evaluate(STICKING_OUT)

    assert {path: wrong for path, wrong in found.items() if wrong} == {}


def test_a_wrong_number_is_written_again_where_it_was_wrong(
    page: Page, number: str, watched: Watched
) -> None:
    watched.expected = ("404",)
    page.goto(f"/casos/{number[:-1]}{(int(number[-1]) + 1) % 10}")

    expect(page.locator("#number")).to_be_focused()
    expect(page.locator("#number")).to_have_accessible_description(
        re.compile("^Ese número tiene un dígito equivocado")
    )


def test_a_wrong_pin_brings_the_form_again(
    page: Page, number: str, watched: Watched
) -> None:
    watched.expected = ("403",)
    page.goto(f"/casos/?propio={number}")
    page.get_by_label("PIN").fill("654321")
    page.get_by_role("button", name="Consultar").click()

    expect(page.get_by_role("alert")).to_have_text("Ese no es el PIN de este caso.")
    expect(page.locator("#number")).to_have_value(number)
