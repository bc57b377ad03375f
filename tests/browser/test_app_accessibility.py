"""Every screen of the phone app, for everybody: axe-core, narrow screens, large text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tests.browser.conftest import Watched
from tests.browser.phones import AT_THE_BORDER, IN_THE_CAPITAL, QUIET, phone
from tests.browser.stand_ins import (
    StandIns,
    asking_case,
    made_case,
    resolved_case,
)
from tests.factories import make_photo
from tests.servers import Server

pytestmark = pytest.mark.django_db
schemes = pytest.mark.parametrize("scheme", ["light", "dark"])

AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOK = """async (rules) => {
  const { violations } = await axe.run(document, { runOnly: rules });
  return violations.map(({ id, nodes }) => [id, ...nodes.map(({ target, any }) =>
    `${target.join(" ")}: ${any.map(({ message }) => message).join("; ")}`)]);
}"""
SOLVED, ASKED, FOLLOWED = "26-9000011-4", "26-9000012-1", "26-9000013-9"
KEEP = """async ([rows, item]) => {
  const { cases, outbox } = await import("/static/app/store.js");
  for (const row of rows) await cases.put(row);
  await outbox.put(item);
}"""
# WCAG 2.5.8; links within a sentence and what only assistive technology sees are exempt.
TOO_SMALL = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary")]
  .filter((one) => one.checkVisibility() && !one.closest(".leaflet-control-attribution"))
  .filter((one) => !one.closest(".visually-hidden, .off-screen, .skip, p"))
  .filter((one) => !one.matches(".visually-hidden, .skip"))
  .map((one) => [one.closest("label") ?? one, one.textContent.trim() || one.id])
  .map(([one, name]) => [name, one.getBoundingClientRect()])
  .filter(([, box]) => box.width < 44 || box.height < 44)
  .map(([name, box]) => `${name}: ${Math.round(box.width)} x ${Math.round(box.height)}`)"""
# Not `innerWidth`: a phone makes its page as wide as what sticks out.
WIDER = "document.documentElement.scrollWidth - screen.width"
CUT_OFF = """() => [...document.querySelectorAll("main *, header *")]
  .filter((one) => one.checkVisibility() && !one.closest(".leaflet-container, svg"))
  .filter((one) => !one.closest(".visually-hidden, .off-screen"))
  .filter((one) => one.getBoundingClientRect().right > screen.width + 1)
  .map((one) => `${one.tagName} ${one.className} ${one.textContent.slice(0, 30)}`)"""

# A word of a button that goes on in the next line, and what is wider than what holds it;
# plain buttons may reach into the margin with the air around their words.
BROKEN = """() => {
  const broken = (text) => [...text.data.matchAll(/\\S+/g)].filter(({ 0: word, index }) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + word.length);
    return range.getClientRects().length > 1;
  });
  return [...document.querySelectorAll(".button span")]
    .filter((one) => one.checkVisibility() && one.firstChild instanceof Text)
    .flatMap((one) => broken(one.firstChild).map(([word]) => `${word} is broken`));
}"""
STICKS_OUT = """() => [...document.querySelectorAll("main *")]
  .filter((one) => one.checkVisibility() && !one.closest(".leaflet-container, svg, .visually-hidden, .off-screen"))
  .filter((one) => one.clientWidth && getComputedStyle(one).overflowX === "visible")
  .filter((one) => one.scrollWidth > one.clientWidth + 12)
  .map((one) => `${one.tagName} ${one.className} is filled by ${one.scrollWidth - one.clientWidth} too much`)"""


def row(number: str, view: dict[str, Any], own: bool = True) -> dict[str, Any]:
    return {
        "number": number,
        "pin": "482913" if own else None,
        "reportId": None,
        "own": own,
        "following": True,
        "receipt": None,
        "view": view,
        "etag": None,
        "seenVersion": 1,
        "fetchedAt": 1_790_000_000_000,
    }


REFUSED: dict[str, Any] = {
    "id": "7c1c6d3e-3c52-4f0e-9a53-1f5b2b7c0a11",
    "body": {"category": "VIA-01"},
    "draft": None,
    "photoIds": [],
    "sentPhotos": [],
    "photoProblems": {},
    "state": "refused",
    "tries": 1,
    "nextTryAt": 0,
    "problem": {"title": "Falta el contacto", "detail": "Hace falta un teléfono."},
    "receipt": None,
    "queuedAt": 1_790_000_000_000,
}


@pytest.fixture
def server_side() -> StandIns:
    return StandIns(
        cases={
            SOLVED: resolved_case(SOLVED),
            ASKED: asking_case(ASKED),
            FOLLOWED: made_case(FOLLOWED),
        },
    )


def picture() -> FilePayload:
    taken = make_photo((640, 480)).getvalue()
    return {"name": "foto.jpg", "mimeType": "image/jpeg", "buffer": taken}


def screens(page: Page) -> Iterator[str]:
    """Every screen in turn, with on it what can be on it; its name."""
    page.goto("/reportar")
    expect(page.get_by_role("link", name="Reportar un problema")).to_be_visible()
    yield "home"
    page.get_by_role("link", name="Reportar un problema").click()
    page.locator("#pick-gallery").set_input_files([picture()] * 4)
    expect(page.locator(".shot img")).to_have_count(4)
    yield "photo"
    page.get_by_role("button", name="Siguiente").click()
    expect(page.locator("main").get_by_text("¿De qué lado está?")).to_be_visible()
    expect(page.locator(".gps-circle")).to_be_visible()
    page.get_by_text("Buscar por provincia y distrito").click()
    yield "place"
    page.context.set_geolocation(IN_THE_CAPITAL)
    page.get_by_role("button", name="Mi ubicación").click()
    expect(page.locator("#place-name")).to_contain_text("Bella Vista")
    page.get_by_role("button", name="Es aquí").click()
    page.locator(".group summary").first.click()
    yield "what"
    page.get_by_role("searchbox").fill("cable")
    page.locator('[data-code="ELE-04"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()
    yield "emergency"
    page.get_by_role("button", name="Elegir otro").click()
    page.get_by_role("searchbox").fill("bache")
    page.locator('[data-code="VIA-01"]').click()
    page.get_by_text("Dejar mis datos").click()
    page.get_by_label("Nombre").fill("Ana")
    page.get_by_role("button", name="Siguiente").click()
    expect(
        page.locator("main").get_by_text("Escriba un teléfono o un correo.")
    ).to_be_visible()
    yield "details"
    page.get_by_label("Nombre").fill("")
    page.get_by_role("button", name="Siguiente").click()
    expect(page.get_by_role("link", name="Ver el caso parecido")).to_be_visible()
    expect(page.locator("#answered")).to_contain_text("Obras Públicas")
    yield "send"
    page.get_by_role("button", name="Es el mismo").first.click()
    yield "the question whether it is the same"
    page.get_by_role("button", name="Volver a mi reporte").click()
    page.locator("#send").click()
    expect(page.get_by_role("heading", name="Reporte recibido")).to_be_visible()
    yield "sent"
    kept = [
        row(SOLVED, resolved_case(SOLVED)),
        row(ASKED, asking_case(ASKED)),
        row(FOLLOWED, made_case(FOLLOWED), own=False),
    ]
    page.evaluate(KEEP, [kept, REFUSED])
    page.goto("/reportar#/")
    expect(page.locator("main").get_by_text("Hace falta un teléfono.")).to_be_visible()
    yield "home with news"
    page.goto("/reportar#/casos")
    expect(page.locator(".case-line")).to_have_count(4)
    page.get_by_text("Ya tengo un caso").click()
    yield "cases"
    for number in (SOLVED, ASKED, FOLLOWED):
        page.goto(f"/reportar#/casos/{number}")
        expect(page.get_by_role("heading", name="Qué ha pasado")).to_be_visible()
        page.locator(".my-data summary").click()
        yield f"case {number}"
    page.goto("/reportar#/ajustes")
    expect(page.get_by_role("heading", name="Privacidad")).to_be_visible()
    page.get_by_text("Uso de sus datos").click()
    yield "settings"


@schemes
def test_axe_finds_nothing_on_any_screen(
    site: Server,
    chromium: Browser,
    watched: Watched,
    server_side: StandIns,
    scheme: str,
) -> None:
    watched.expected = QUIET
    axe = AXE.read_text("utf-8")
    found: dict[str, Any] = {}
    with phone(site, chromium, watched, AT_THE_BORDER, color_scheme=scheme) as page:
        server_side.install(page)
        for name in screens(page):
            page.evaluate(axe)
            if violations := page.evaluate(LOOK, RULES):
                found[name] = violations
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("width", [320, 360])  # What WCAG asks for, and most phones.
def test_everything_can_be_hit_with_a_thumb_and_nothing_is_cut_off(
    site: Server,
    chromium: Browser,
    watched: Watched,
    server_side: StandIns,
    width: int,
) -> None:
    watched.expected = QUIET
    narrow = {"width": width, "height": 640}
    found: dict[str, Any] = {}
    with phone(
        site, chromium, watched, AT_THE_BORDER, viewport=narrow, screen=narrow
    ) as page:
        server_side.install(page)
        for name in screens(page):
            wide = page.evaluate(WIDER)
            checks = (TOO_SMALL, CUT_OFF, BROKEN, STICKS_OUT)
            wrong = [what for check in checks for what in page.evaluate(check)]
            if wrong or wide > 0:
                found[name] = wrong
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


def test_text_twice_as_large_stays_within_the_page(
    site: Server, chromium: Browser, watched: Watched, server_side: StandIns
) -> None:
    watched.expected = QUIET
    found: dict[str, Any] = {}
    with phone(site, chromium, watched, AT_THE_BORDER) as page:
        server_side.install(page)
        page.add_init_script(
            "addEventListener('DOMContentLoaded', () =>"
            " document.documentElement.style.setProperty('font-size', '200%'))"
        )
        for name in screens(page):
            wide = page.evaluate(WIDER)
            broken = page.evaluate(BROKEN)
            if wide > 0 or broken:
                found[name] = broken or page.evaluate(CUT_OFF) or wide
    assert not found, json.dumps(found, indent=1, ensure_ascii=False)


def test_the_first_screen_is_told_to_a_screen_reader_in_order(
    site: Server, chromium: Browser, watched: Watched, server_side: StandIns
) -> None:
    watched.expected = QUIET
    with phone(site, chromium, watched, locale="en-US") as page:
        server_side.install(page)
        page.goto("/reportar")
        expect(page.get_by_role("banner")).to_be_visible()
        expect(page.get_by_role("main").get_by_role("heading", level=1)).to_have_count(
            1
        )
        expect(page.locator("#said[role=status]")).to_have_count(1)
        page.keyboard.press("Tab")
        expect(page.locator("#skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_be_focused()
        assert page.url.endswith("/reportar")
