"""The steps of a report, as a person takes them on the phone."""

from __future__ import annotations

from collections.abc import Callable
from re import Pattern
from typing import Any

from playwright.sync_api import FilePayload, Page, Route, expect

from tests.factories import make_photo
from tests.servers import wait_until

BUSY_ROAD = "VIA-01"
PAINTED = """(name) => {
  const canvas = window[name]._canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return pixels.data.filter((value, i) => i % 4 === 3 && value > 20).length;
}"""


def photo(name: str = "foto.jpg") -> FilePayload:
    return {
        "name": name,
        "mimeType": "image/jpeg",
        "buffer": make_photo((2400, 1800)).getvalue(),
    }


def soon(page: Page, condition: Callable[[], bool], what: str) -> None:
    """`wait_until`, while the browser's events are listened to."""

    def met() -> bool:
        page.wait_for_timeout(50)
        return condition()

    wait_until(met, what)


def soon_true(page: Page, expression: str, argument: Any = None) -> None:
    """Wait until this JavaScript is true.

    Playwright's own `wait_for_function` asks again from within the page, whose policy
    does not let it.
    """
    soon(page, lambda: bool(page.evaluate(expression, argument)), expression)


def painted(page: Page, heat: str) -> int:
    """How many pixels a layer of the heat has, by its name in the page."""
    return int(page.evaluate(PAINTED, heat))


def soon_painted(page: Page, heat: str) -> None:
    """It is painted in some frame after it is there."""
    soon_true(page, "(name) => !!window[name]._canvas", heat)
    soon(page, lambda: painted(page, heat) > 50, f"{heat} is painted")


class Held:
    """Requests of these addresses, which wait until all may go on."""

    def __init__(self, page: Page, addresses: str | Pattern[str]) -> None:
        self.routes: list[Route] = []
        self.holding = True
        page.route(addresses, self.take)

    def take(self, route: Route) -> None:
        if self.holding:
            self.routes.append(route)
        else:
            route.fallback()

    def let_go(self) -> None:
        self.holding = False
        for route in self.routes:
            route.fallback()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def to_the_place(page: Page) -> None:
    page.goto("/reportar")
    page.get_by_role("link", name="Reportar un problema").click()
    page.get_by_role("button", name="Seguir sin foto").click()
    heading(page, "¿Dónde es?")


def to_the_end(page: Page, place: str = "Bella Vista") -> None:
    """From the place on, with the map ready and the place found."""
    expect(page.locator("#place-name")).to_contain_text(place)
    page.get_by_role("button", name="Es aquí").click()
    page.get_by_role("searchbox").fill("bache")
    page.locator(f'[data-code="{BUSY_ROAD}"]').click()
    page.get_by_role("button", name="Siguiente").click()
    heading(page, "Revise y envíe")
