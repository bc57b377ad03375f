"""What is closed but not mended: told on the phone, it is open again, and then mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM, Watched
from tests.browser.phones import QUIET, phone
from tests.browser.steps import photo, soon_true, to_the_end
from tests.servers import Server
from tests.stories.crews import resolve_with_photo, sign_in_as_crew
from tests.workers import Worker

pytestmark = pytest.mark.django_db

FIRST = "Se rellenó el hueco"
MISSING = "Con la lluvia se abrió otra vez"
SECOND = "Se asfaltó el tramo"


@pytest.fixture
def worker(server: Server) -> Iterator[Worker]:
    with Worker(server.database_url, Path(server.folder)) as running:
        yield running


@pytest.fixture
def handset(server: Server, worker: Worker) -> Iterator[Page]:
    watched = Watched(expected=QUIET)
    with sync_playwright() as playwright:
        chromium: Browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        with phone(server, chromium, watched) as page:
            yield page
        chromium.close()


def test_what_is_not_done_is_open_again_until_it_is(
    server: Server, worker: Worker, handset: Page
) -> None:
    number = report(handset)
    ((entity,),) = server.rows(
        "SELECT entity_id FROM cases_case WHERE number = %s", number
    )
    token = sign_in_as_crew(server, entity)

    # The crew says that it is done, and shows it.
    resolve_with_photo(server, number, token, FIRST)
    worker.wait_until_idle()
    open_case(handset, number)
    expect(handset.locator(".badge")).to_have_text("Resuelto")
    expect(handset.locator(".timeline")).to_contain_text(FIRST)
    expect_loaded(handset, "Foto después del trabajo 1")

    # The person does not agree; the crew finds it among its open cases, with the words.
    handset.get_by_role("button", name="No está resuelto").click()
    handset.get_by_label("¿Qué falta?").fill(MISSING)
    handset.get_by_role("button", name="Reabrir el caso").click()
    expect(handset.locator(".badge")).to_have_text("Reabierto")
    (case,) = near(server, token)
    assert case["properties"]["number"] == number
    assert case["properties"]["status"] == "reopened"

    # Done for good: one tap closes it.
    resolve_with_photo(server, number, token, SECOND)
    worker.wait_until_idle()
    handset.get_by_role("button", name="Actualizar").click()
    handset.get_by_role("button", name="Sí, está resuelto").click()
    expect(handset.locator(".badge")).to_have_text("Cerrado")
    expect(handset.locator(".timeline .event-name")).to_have_text(
        ["Recibido", "Resuelto", "Reabierto", "Resuelto", "Cerrado"]
    )
    assert near(server, token) == []
    assert server.rows(
        "SELECT status, note FROM cases_statuschange WHERE by_reporter ORDER BY id"
    ) == [("reopened", MISSING), ("closed", "")]


def report(page: Page) -> str:
    """A report with a photo, written and sent as a person does; its number."""
    page.goto("/reportar")
    page.get_by_role("link", name="Reportar un problema").click()
    page.locator("#pick-gallery").set_input_files([photo()])
    page.get_by_role("button", name="Siguiente").click()
    to_the_end(page)
    page.locator("#send").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Reporte recibido")
    found = re.search(r"\d\d-\d{7}-\d", page.locator(".big-number").inner_text())
    assert found
    return found.group()


def open_case(page: Page, number: str) -> None:
    page.goto("/reportar#/casos")
    page.locator(".case-line").click()
    expect(page.locator(".big-number")).to_contain_text(number)


def expect_loaded(page: Page, name: str) -> None:
    picture = page.get_by_role("img", name=name)
    expect(picture).to_be_visible()
    soon_true(
        page,
        "(image) => image.complete && image.naturalWidth > 0",
        picture.element_handle(),
    )


def near(server: Server, token: str) -> list[dict[str, dict[str, str]]]:
    answer = server.send(
        "/api/v1/crew/cases/nearby/?lat=8.986&lon=-79.524", token=token
    )
    features: list[dict[str, dict[str, str]]] = answer.json()["features"]
    return features
