"""The public map over months and by district; found, shared, embedded, printed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.cases import CENTRE, OPEN, RESOLVED, STREET
from tests.browser.steps import soon_true
from tests.browser.test_app_accessibility import AXE, LOOK, RULES
from tests.browser.test_map import RESOLVED_IN_PANAMA, open_map

pytestmark = pytest.mark.django_db
on_both = pytest.mark.parametrize("size", ["phone", "desktop"], indirect=True)
on_a_phone = pytest.mark.parametrize("size", ["phone"], indirect=True)

EVERYTHING = "#map=6.5/8.4/-80.1&state=both"
# WCAG 2.5.8: what is pressed is no smaller, and on a phone a finger's width.
SMALL = """([least, among]) => [...document.querySelectorAll(among)]
  .filter((one) => one.checkVisibility())
  .map((one) => [one.getAttribute("aria-label") ?? one.textContent, one.getBoundingClientRect()])
  .filter(([, box]) => box.width < least || box.height < least)
  .map(([name, box]) => `${name.trim()}: ${box.width} x ${box.height}`)"""
SENT = """() => [...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource")]
  .filter(({ responseEnd }) => responseEnd <= window.shownAt)
  .map(({ name, encodedBodySize }) => [new URL(name).pathname, encodedBodySize])"""
HIGHEST_PIN = """Math.max(...[...document.querySelectorAll(".pin")]
  .map((pin) => Number(getComputedStyle(pin.closest(".leaflet-marker-icon")).zIndex)))"""
WHEN_SHOWN = """document.addEventListener("DOMContentLoaded", () =>
  new MutationObserver((_, watching) => {
    window.shownAt = performance.now();
    watching.disconnect();
  }).observe(document.querySelector("#counter"), { childList: true }));"""
# As on a device that has much else to do.
FRAME_MS = 800
LONG_FRAMES = f"""
window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), {FRAME_MS});
window.cancelAnimationFrame = clearTimeout;
"""


def months_of(page: Page, query: str) -> list[dict[str, Any]]:
    answer = page.request.get(f"/api/v1/heat/months/?{query}")
    rows: list[dict[str, Any]] = answer.json()["months"]
    return rows


def shown_months(page: Page) -> list[str]:
    return re.findall(r"\d{4}-\d\d", page.url.partition("months=")[2].partition("&")[0])


def test_months_map_counter_and_list_say_the_same(page: Page) -> None:
    open_map(page, EVERYTHING)
    rows = page.locator("#by-month tbody tr td").all_text_contents()
    counted = page.locator("#counter b").all_text_contents()

    opened, resolved = sum(map(int, rows[::2])), sum(map(int, rows[1::2]))
    assert [opened, resolved] == [len(OPEN), RESOLVED_IN_PANAMA]
    assert list(map(int, counted)) == [opened, resolved]
    expect(page.locator("#list a")).to_have_count(opened + resolved)


def test_a_month_is_chosen_by_keys_and_all_follows(page: Page) -> None:
    open_map(page, EVERYTHING)
    end = page.get_by_role("slider", name="Hasta", exact=True)
    end.press("Home")

    # The oldest month of all has one case, filed more than a year ago.
    expect(page.locator("#counter")).to_have_text(
        "0 abiertos y 1 resueltos en esta vista"
    )
    expect(page.locator("#list a")).to_have_count(1)
    first = shown_months(page)
    assert first[0] == first[1]
    assert page.locator("[name=since]").input_value() == first[0]
    expect(end).to_have_attribute(
        "aria-valuetext", re.compile("0 abiertos y 1 resueltos")
    )

    page.reload()
    page.wait_for_load_state("networkidle")
    assert shown_months(page) == first
    expect(page.locator("#list a")).to_have_count(1)

    page.get_by_role("button", name="Volver a cualquier fecha").click()
    expect(page.locator("#list a")).to_have_count(len(OPEN) + RESOLVED_IN_PANAMA)


def test_months_are_chosen_without_dragging_too(page: Page) -> None:
    open_map(page, EVERYTHING)
    page.get_by_label("Reportados").select_option("months")
    newest = page.locator("[name=until]").input_value()
    page.locator("[name=since]").select_option(newest)

    expect(page.locator("#period-words")).not_to_have_text("Cualquier fecha")
    rows = {row["month"]: row for row in months_of(page, "state=all")}
    expect(page.locator("#counter b")).to_have_text(
        [str(rows[newest]["open"]), str(rows[newest]["resolved"])]
    )


def test_on_the_last_evening_of_a_month_the_next_has_not_begun(page: Page) -> None:
    """It has in Greenwich, five hours ahead."""
    page.clock.set_fixed_time("2026-12-01T02:30:00Z")
    open_map(page, "#map=6.5/8.4/-80.1")

    end = page.get_by_role("slider", name="Hasta", exact=True)
    expect(end).to_have_attribute("aria-valuetext", re.compile("noviembre de 2026"))
    page.get_by_label("Reportados").select_option("months")
    expect(page.locator("[name=until]")).to_have_value("2026-11")


@on_both
def test_play_goes_from_month_to_month_until_it_is_stopped(page: Page) -> None:
    open_map(page, EVERYTHING)
    page.get_by_role("button", name="Ver pasar los meses").press("Enter")
    soon_true(page, "location.hash.includes('months=')")
    began = shown_months(page)
    soon_true(page, "(before) => !location.hash.includes(before)", began[0])
    page.get_by_role("button", name="Detener").press("Enter")
    page.wait_for_load_state("networkidle")

    went = shown_months(page)
    assert went > began
    assert went[0] == went[1]
    expect(page.get_by_role("button", name="Ver pasar los meses")).to_be_focused()
    # It is quiet while it plays, and speaks again.
    expect(page.locator("#counter")).to_have_attribute("aria-live", "polite")


def test_two_periods_lie_side_by_side_and_move_together(page: Page) -> None:
    open_map(page, EVERYTHING)
    page.get_by_role("button", name="Comparar dos períodos").click()

    expect(page.locator("#name-a")).to_contain_text("A · ")
    expect(page.locator(".name-b")).to_contain_text("B · ")
    expect(page.locator("#counter")).to_contain_text("en A y")
    expect(page.locator("#list .list-part")).to_have_count(2)
    one, other = (page.locator(at).bounding_box() for at in ("#map_public", ".map-b"))
    assert one
    assert other
    assert one["x"] + one["width"] <= other["x"] + 1
    page.evaluate("void map_public.setView([8.99, -79.5], 11, { animate: false })")
    expect(page.locator(".map-b .leaflet-control-attribution")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert re.search(r"vs=\d{4}-\d\d\.\.\d{4}-\d\d", page.url)

    page.get_by_role("button", name="Comparar dos períodos").click()
    expect(page.locator(".map-b")).to_have_count(0)
    expect(page.locator("#name-a")).to_be_hidden()


def test_what_is_to_be_drawn_ends_with_the_comparison(page: Page) -> None:
    """The page's own watch fails it when a frame looks for a map that is gone."""
    page.add_init_script(LONG_FRAMES)
    open_map(page, f"{EVERYTHING}&months=2026-10..2026-11&vs=2026-08..2026-09")
    expect(page.locator(".name-b")).to_contain_text("B · ")
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(FRAME_MS)
    page.emulate_media(color_scheme="dark")
    page.get_by_role("button", name="Comparar dos períodos").click()
    expect(page.locator(".map-b")).to_have_count(0)
    page.wait_for_timeout(2 * FRAME_MS)


@on_a_phone
def test_on_a_phone_a_line_slides_between_two_periods(page: Page) -> None:
    open_map(page, f"{EVERYTHING}&months=2026-10..2026-11&vs=2026-08..2026-09")
    divider = page.get_by_role("slider", name="Línea entre los dos períodos")
    divider.press("End")

    expect(divider).to_have_attribute("aria-valuenow", "100")
    assert "100%" in str(page.locator(".map-b").evaluate("(map) => map.style.clipPath"))


def test_districts_are_coloured_listed_and_add_up_to_the_counter(page: Page) -> None:
    open_map(page, EVERYTHING)
    page.get_by_role("radio", name="Por distrito").check(force=True)

    rows = page.locator("#districts button")
    expect(rows.first).to_be_visible()
    cases = rows.evaluate_all("(all) => all.map((one) => Number(one.dataset.cases))")
    assert sum(cases) == len(OPEN) + RESOLVED_IN_PANAMA
    measure = page.locator("#legend-measure")
    expect(measure).to_have_text(
        re.compile("Casos por (km²|10 000 habitantes), por distrito")
    )
    # Where it counts people, it says who counted them.
    by_people = "habitantes" in measure.inner_text()
    assert bool(page.locator("#legend-source").inner_text()) == by_people
    coloured = page.locator("#legend-classes .swatch").evaluate_all(
        "(all) => new Set(all.map((one) => one.style.background)).size"
    )
    assert coloured >= 2
    code = rows.first.get_attribute("data-code")
    listed = rows.count()
    rows.first.press("Enter")
    soon_true(page, "map_public.getZoom() > 8")
    soon_true(
        page, "(n) => document.querySelectorAll('#districts li').length < n", listed
    )
    expect(page.locator(f'#districts [data-code="{code}"]')).to_be_focused()


def test_one_box_finds_a_place_and_a_case(page: Page) -> None:
    open_map(page)
    box = page.get_by_role("combobox", name="Lugar o número de caso")
    box.fill("chiriqui")
    expect(page.locator("#search-found [role=option]").first).to_contain_text(
        "Chiriquí"
    )
    box.press("ArrowDown")
    expect(page.locator("#search-found [role=option]").first).to_have_attribute(
        "aria-selected", "true"
    )
    box.press("Enter")
    soon_true(page, "map_public.getCenter().lng < -82")

    box.fill("xyzzy")
    expect(page.locator("#search-note")).to_contain_text("No se encontró")
    number = newest_case(page)
    box.fill(number.replace("-", ""))
    expect(page.locator("#search-found [role=option]")).to_have_text(
        f"Ver el caso {number}"
    )
    box.press("Enter")
    expect(page).to_have_url(re.compile(f"/casos/{number}$"))


def newest_case(page: Page) -> str:
    found = page.request.get("/data/cases.geojson?limit=1").json()
    return str(found["features"][0]["properties"]["number"])


def test_near_me_goes_where_one_stands_or_says_why_not(page: Page) -> None:
    context = page.context
    context.grant_permissions(["geolocation"])
    context.set_geolocation({"longitude": CENTRE[0], "latitude": CENTRE[1]})
    open_map(page)
    page.get_by_role("button", name="Cerca de mí").click()
    expect(page.locator("#toast")).to_contain_text("Usted está por aquí")
    soon_true(page, "map_public.getZoom() === 15")

    # It lies over the pins of what is there.
    above = "Number(getComputedStyle(document.querySelector('.here-dot')).zIndex)"
    page.evaluate("map_public.setZoom(17, { animate: false }) && undefined")
    assert page.evaluate(above) > page.evaluate(HIGHEST_PIN)

    context.set_geolocation({"longitude": 2.35, "latitude": 48.86})
    page.get_by_role("button", name="Cerca de mí").click()
    expect(page.locator("#toast")).to_contain_text("no está en Panamá")


def test_what_is_seen_is_shared_by_a_link_or_a_frame(page: Page) -> None:
    open_map(page, f"{STREET}&state=resolved&as=districts")
    page.get_by_role("button", name="Compartir").click()

    expect(page.get_by_label("Enlace")).to_have_value(page.url)
    code = page.get_by_label("Código para incrustar").input_value()
    address = str(re.search('src="([^"]+)"', code)[1])  # type: ignore[index]
    assert "/mapa/incrustar?idioma=es#map=16/" in address
    assert "style=" not in code

    page.goto(address.replace("&amp;", "&"))
    page.wait_for_load_state("networkidle")
    expect(page.locator("#list a")).to_have_count(len(RESOLVED) + 1)
    expect(page.locator("header.top")).to_have_count(0)
    whole = page.get_by_role("link", name="Ver el mapa completo")
    assert "state=resolved" in str(whole.get_attribute("href"))
    with page.expect_popup() as opened:
        whole.click()
    assert opened.value.url.partition("#")[0].endswith("/")


def test_paper_says_what_it_shows_since_when_and_whose_it_is(
    page: Page, tmp_path: Path
) -> None:
    open_map(page, "#map=7/8.4/-80.1&state=both&group=VIA&months=2026-01..2026-11")
    sheet = tmp_path / "map.pdf"
    page.pdf(path=sheet)

    assert len(re.findall(rb"/Type\s*/Page\b", sheet.read_bytes())) == 1
    words = page.locator("#print-sheet").text_content() or ""
    for said in (
        "Casos abiertos y resueltos",
        "Calles",
        "2026",
        "Impreso",
        "CC BY 4.0",
    ):
        assert said in words
    # And the screen is as it was.
    expect(page.locator("html")).not_to_have_class(re.compile("is-printing"))
    expect(page.locator("#print-sheet")).to_be_hidden()


@on_both
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_left_out_in_any_mode(page: Page, scheme: Any, size: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_map(page, EVERYTHING)
    page.evaluate(AXE.read_text())
    assert page.evaluate(LOOK, RULES) == []

    if size == "phone":
        page.locator("#handle").tap()
    page.get_by_role("radio", name="Por distrito").check(force=True)
    expect(page.locator("#districts button").first).to_be_visible()
    least = 44 if size == "phone" else 24
    among = ".explorer :is(button, select, summary, .edge, .option, #search-words)"
    if size == "phone":
        among = among.replace(".edge, ", "")
    assert page.evaluate(SMALL, [least, among]) == []
    assert page.evaluate(LOOK, RULES) == []

    page.get_by_role("button", name="Compartir").click()
    sharing = page.get_by_role("dialog")
    expect(sharing).to_be_visible()
    assert page.evaluate(LOOK, RULES) == []
    page.keyboard.press("Escape")
    expect(sharing).to_be_hidden()
    if size == "phone":
        page.locator("#handle").tap()
    page.locator("#compare").click(force=True)
    expect(page.locator("#name-a")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(LOOK, RULES) == []


@on_a_phone
def test_the_first_view_needs_little_of_a_slow_line(page: Page) -> None:
    """At 1.6 Mbit/s a second brings 200 kB, and each round trip takes 0.3 s."""
    page.add_init_script(WHEN_SHOWN)
    open_map(page)

    sent = dict(page.evaluate(SENT))
    assert sum(sent.values()) < 260_000, sent
    assert len(sent) <= 25, sent
    later = ("timeline", "choropleth", "compare", "search", "share", "printing", "here")
    assert not [path for path in sent if any(name in path for name in later)]
