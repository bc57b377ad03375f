"""The main job, end to end: a phone, a server, a crew, and a browser on the public map."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM
from tests.factories import make_photo
from tests.servers import PATIENCE_SECONDS, Server, form, wait_until
from tests.stories.crews import resolve_with_photo, sign_in_as_crew

pytestmark = pytest.mark.django_db

# A street in the town of David, Chiriquí; no other case is there.
LONGITUDE, LATITUDE = -82.4334, 8.4271
TREE = {
    "category": "MUN-06",
    "location": {"type": "Point", "coordinates": [LONGITUDE, LATITUDE]},
    "description": "Un árbol está por caer sobre la parada",
}
DONE = "Se taló y se retiró"


@pytest.fixture
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()


def test_a_report_is_seen_hot_on_the_map_and_then_resolved(
    server: Server, browser: Browser
) -> None:
    # A citizen reports from the street, and opens the case's page.
    filed = report_with_photo(server)
    page = open_page(browser, filed["url"])
    expect(page.get_by_role("heading", level=1)).to_have_text(filed["category_name"])
    expect(page.locator(".badge").first).to_have_text("Recibido")
    expect(page.locator("main")).to_contain_text("David, Chiriquí")
    expect(page.locator("main")).to_contain_text("Municipio de David")
    expect(due_date(page, filed).first).to_be_visible()
    expect_loaded(page.get_by_role("img", name="como se reportó"))

    # Anyone sees it on the map: hot, as open.
    page = open_map(browser, server, "open")
    expect(page.locator("#counter")).to_have_text("1 caso abierto en esta vista")
    expect(in_list(page, filed)).to_be_visible()
    expect_heat(page, "open")
    page = open_map(browser, server, "resolved")
    expect(page.locator("#counter")).to_have_text("Ningún caso resuelto en esta vista")
    expect_no_heat(page, "resolved")

    # A crew of the municipality finds it nearby, and resolves it.
    token = sign_in_as_crew(server, filed["entity"]["code"])
    near = server.send(
        f"/api/v1/crew/cases/nearby/?lat={LATITUDE + 0.001}&lon={LONGITUDE}",
        token=token,
    ).json()
    (case,) = near["features"]
    assert case["properties"]["number"] == filed["number"]
    assert 100 < case["properties"]["distance"] < 120
    resolve_with_photo(server, filed["number"], token, DONE)
    server.do_jobs()

    # The map has moved it; its page tells the whole story.
    page = open_map(browser, server, "open")
    expect(page.locator("#counter")).to_have_text("Ningún caso abierto en esta vista")
    expect(in_list(page, filed)).to_have_count(0)
    expect_no_heat(page, "open")
    page = open_map(browser, server, "resolved")
    expect(page.locator("#counter")).to_have_text("1 caso resuelto en esta vista")
    expect_heat(page, "resolved")
    in_list(page, filed).click()
    expect(page).to_have_url(f"{server.url}/casos/{filed['number']}")
    expect(page.locator(".timeline .event-name")).to_have_text(["Recibido", "Resuelto"])
    expect(page.locator(".timeline")).to_contain_text(DONE)
    expect_loaded(page.get_by_role("img", name="como se reportó"))
    expect_loaded(page.locator(".timeline").get_by_role("img"))


# What the people of the story do.


def report_with_photo(server: Server) -> Any:
    report = {"id": str(uuid4()), **TREE}
    answer = server.send("/api/v1/reports/", *form(report, make_photo((1200, 900))))
    assert answer.status == 201
    server.do_jobs()
    return answer.json()


def open_page(browser: Browser, url: str) -> Page:
    """As somebody who was not here before: nothing of it is in the browser's cache."""
    page = browser.new_context(locale="es-PA").new_page()
    page.goto(url)
    return page


def open_map(browser: Browser, server: Server, state: str) -> Page:
    return open_page(
        browser, f"{server.url}/#map=12/{LATITUDE}/{LONGITUDE}&state={state}"
    )


# What they see.


def in_list(page: Page, filed: Any) -> Locator:
    return page.locator("#list").get_by_role("link", name=re.compile(filed["number"]))


def due_date(page: Page, filed: Any) -> Locator:
    second = filed["due_at"].removesuffix("-05:00")
    return page.locator(f"time[datetime^='{second}']")


def expect_loaded(image: Locator) -> None:
    image.scroll_into_view_if_needed()
    loaded = "image => image.complete && image.naturalWidth > 0"
    wait_until(lambda: image.evaluate(loaded), "the photo is there")


# How opaque a heat layer is where the map looks.
OPACITY = """(layer) => {
    const map = document.querySelector(".leaflet-container").getBoundingClientRect();
    const canvas = window[layer]._canvas;
    const box = canvas.getBoundingClientRect();
    const x = map.x + map.width / 2 - box.x;
    const y = map.y + map.height / 2 - box.y;
    return canvas.getContext("2d").getImageData(x, y, 1, 1).data[3];
}"""


def expect_heat(page: Page, state: str) -> None:
    layer = f"heat_map_{state}"
    wait_until(lambda: page.evaluate(OPACITY, layer) > 0, f"there is heat: {state}")


def expect_no_heat(page: Page, state: str) -> None:
    """To be asked after the counter, which is written when the heat is drawn."""
    assert page.evaluate(OPACITY, f"heat_map_{state}") == 0
