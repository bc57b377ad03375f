"""A person's cases on the phone: what happened, and what one may do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Watched
from tests.browser.phone_app import teach
from tests.browser.phones import QUIET, phone
from tests.browser.stand_ins import StandIns, asking_case, made_case, resolved_case
from tests.browser.steps import Held, heading
from tests.servers import Server

pytestmark = pytest.mark.django_db

NUMBER = "26-9000011-4"


@pytest.fixture
def server_side() -> StandIns:
    return StandIns(cases={NUMBER: resolved_case(NUMBER)})


@pytest.fixture
def page(
    site: Server, chromium: Browser, watched: Watched, server_side: StandIns
) -> Iterator[Page]:
    watched.expected = QUIET
    with phone(site, chromium, watched) as opened:
        server_side.install(opened)
        yield opened


def add_by_pin(page: Page) -> None:
    page.goto("/reportar#/casos")
    page.get_by_text("Ya tengo un caso").click()
    page.get_by_label("Número de caso").fill("26 9000011 4")
    page.get_by_label("PIN").fill("482913")
    page.get_by_role("button", name="Agregar").click()
    expect(page.locator(".big-number")).to_contain_text(NUMBER)


def test_a_case_said_to_be_solved_is_confirmed_with_one_tap(
    page: Page, server_side: StandIns
) -> None:
    add_by_pin(page)
    page.get_by_role("button", name="Sí, está resuelto").click()

    expect(page.locator(".badge")).to_have_text("Cerrado")
    expect(page.get_by_role("button", name="Sí, está resuelto")).to_have_count(0)
    expect(page.locator("#said")).to_contain_text("Gracias. El caso queda cerrado.")
    expect(page.get_by_role("heading", name="Qué ha pasado")).to_be_focused()


def test_reopening_asks_what_is_missing(page: Page, server_side: StandIns) -> None:
    add_by_pin(page)
    page.get_by_role("button", name="No está resuelto").click()
    page.get_by_role("button", name="Reabrir el caso").click()
    expect(page.get_by_text("Escriba unas palabras.")).to_be_visible()
    page.get_by_label("¿Qué falta?").fill("El hueco se abrió otra vez.")
    page.get_by_role("button", name="Reabrir el caso").click()

    expect(page.locator(".badge")).to_have_text("Reabierto")
    [said] = [body for _, path, body in server_side.asked if path.endswith("/reopen/")]
    assert said["note"] == "El hueco se abrió otra vez."


def test_a_question_is_answered_where_it_is_read(
    page: Page, server_side: StandIns
) -> None:
    server_side.cases[NUMBER] = asking_case(NUMBER)
    add_by_pin(page)
    expect(page.locator(".question")).to_contain_text("dentro o fuera de la cerca")
    page.get_by_label("Su respuesta").fill("Afuera, en la acera.")
    page.get_by_role("button", name="Responder").click()

    expect(page.locator(".badge")).to_have_text("En revisión")


def test_what_is_being_written_is_kept_when_the_case_changes_meanwhile(
    page: Page, server_side: StandIns
) -> None:
    server_side.cases[NUMBER] = asking_case(NUMBER)
    add_by_pin(page)
    page.get_by_label("Su respuesta").fill("Afuera, en la acera.")
    server_side.cases[NUMBER] |= {"version": 9, "supports": 7}
    page.get_by_role("button", name="Actualizar").click()

    expect(page.get_by_text("7 personas más lo reportan")).to_be_visible()
    expect(page.get_by_label("Su respuesta")).to_have_value("Afuera, en la acera.")
    page.get_by_role("button", name="Responder").click()
    expect(page.locator(".badge")).to_have_text("En revisión")


def test_what_is_missing_is_kept_when_the_case_changes_meanwhile(
    page: Page, server_side: StandIns
) -> None:
    add_by_pin(page)
    page.get_by_role("button", name="No está resuelto").click()
    page.get_by_label("¿Qué falta?").fill("El hueco se abrió otra vez.")
    server_side.cases[NUMBER] |= {"version": 9, "supports": 7}
    page.get_by_role("button", name="Actualizar").click()

    expect(page.get_by_text("7 personas más lo reportan")).to_be_visible()
    expect(page.get_by_label("¿Qué falta?")).to_have_value(
        "El hueco se abrió otra vez."
    )
    expect(page.get_by_role("button", name="No está resuelto")).to_have_attribute(
        "aria-expanded", "true"
    )


@pytest.mark.parametrize("status", ["rejected", "duplicate", "cancelled"])
def test_what_is_no_longer_worked_on_promises_no_day(
    page: Page, server_side: StandIns, status: str
) -> None:
    case = made_case(NUMBER)
    line = case["history"][0] | {"status": status, "status_name": "Fin"}
    ended = {"status": status, "open": False, "history": [*case["history"], line]}
    server_side.cases[NUMBER] = case | ended
    add_by_pin(page)

    last = page.locator(".event.is-last")
    expect(last).to_have_class(re.compile("is-other"))
    colours = [
        dot.evaluate("(event) => getComputedStyle(event, '::after').backgroundColor")
        for dot in (last, page.locator(".event").first)
    ]
    assert colours[0] == colours[1]
    expect(page.get_by_text("A más tardar:")).to_have_count(0)


def test_a_report_is_withdrawn_only_after_a_question(
    page: Page, server_side: StandIns
) -> None:
    server_side.cases[NUMBER] = asking_case(NUMBER)
    add_by_pin(page)
    page.get_by_role("button", name="Retirar mi reporte").click()
    page.get_by_role("button", name="Dejarlo como está").click()
    expect(page.locator(".badge")).to_have_text("Esperando al ciudadano")
    page.get_by_role("button", name="Retirar mi reporte").click()
    page.get_by_role("button", name="Retirarlo").click()

    expect(page.locator(".badge")).to_have_text("Cancelado")


def test_a_refusal_is_told_in_the_server_s_words(
    page: Page, server_side: StandIns, watched: Watched
) -> None:
    watched.expected += ("409", "Failed to load resource")
    add_by_pin(page)
    problem = {"type": "/problems/transition-not-allowed", "title": "Ya está cerrado."}
    server_side.refused = {f"cases/{NUMBER}/confirm/": (409, problem)}
    page.get_by_role("button", name="Sí, está resuelto").click()

    expect(page.get_by_role("alert").get_by_text("Ya está cerrado.")).to_be_visible()


def test_somebody_else_s_case_is_followed_by_its_number(
    page: Page, server_side: StandIns
) -> None:
    server_side.cases[NUMBER] = made_case(NUMBER)
    page.goto("/reportar#/casos")
    page.get_by_text("Ya tengo un caso").click()
    page.get_by_label("Número de caso").fill("123")
    page.get_by_role("button", name="Agregar").click()
    expect(page.get_by_text("El número tiene diez dígitos")).to_be_visible()
    page.get_by_label("Número de caso").fill(NUMBER)
    page.get_by_role("button", name="Agregar").click()
    expect(page.get_by_role("heading", name="Sigue este caso")).to_be_visible()
    page.get_by_role("button", name="Dejar de seguir").click()
    expect(page.get_by_role("button", name="Seguir", exact=True)).to_be_visible()


KEPT = "async () => (await (await module('store')).cases.all()).length"


def test_what_is_taken_off_the_phone_does_not_come_back_with_a_late_answer(
    page: Page, site: Server
) -> None:
    teach(page.context, site)
    add_by_pin(page)
    held = Held(page, re.compile(rf"/api/v1/cases/{NUMBER}/$"))
    page.get_by_role("button", name="Actualizar").click()
    page.get_by_role("button", name="Quitar de este teléfono").click()
    page.get_by_role("dialog").get_by_role("button", name="Quitar").click()
    expect(page.get_by_text("Todavía no hay casos en este teléfono.")).to_be_visible()
    held.let_go()
    page.wait_for_timeout(500)

    assert page.evaluate(KEPT) == 0


def test_a_case_that_is_only_looked_at_is_not_among_those_of_the_phone(
    page: Page, server_side: StandIns, site: Server, watched: Watched
) -> None:
    watched.expected += ("ERR_INTERNET_DISCONNECTED",)
    teach(page.context, site)
    server_side.cases[NUMBER] = made_case(NUMBER)
    page.goto("/reportar#/casos")
    heading(page, "Mis casos")
    held = Held(page, re.compile(rf"/api/v1/cases/{NUMBER}/$"))
    page.evaluate(f"location.hash = '#/casos/{NUMBER}'")
    heading(page, NUMBER)
    page.go_back()
    heading(page, "Mis casos")
    held.let_go()
    page.wait_for_timeout(500)
    assert page.evaluate(KEPT) == 0

    server_side.down = {f"cases/{NUMBER}/follow/"}
    page.get_by_text("Ya tengo un caso").click()
    page.get_by_label("Número de caso").fill(NUMBER)
    page.get_by_role("button", name="Agregar").click()
    expect(page.get_by_role("alert").get_by_text("No hay conexión.")).to_be_visible()
    assert page.evaluate(KEPT) == 0


def test_whoever_prefers_mail_gives_an_address(
    page: Page, server_side: StandIns
) -> None:
    add_by_pin(page)
    page.get_by_text("Recibir avisos por correo").click()
    page.get_by_label("Correo electrónico").fill("ana@")
    page.get_by_role("button", name="Enviar", exact=True).click()
    expect(page.get_by_text("Ese correo no parece completo.")).to_be_visible()
    page.get_by_label("Correo electrónico").fill("ana@example.com")
    page.get_by_role("button", name="Enviar", exact=True).click()

    expect(page.get_by_text("Le enviamos un correo a ana@example.com")).to_be_visible()
    [said] = [body for _, path, body in server_side.asked if path.endswith("/follow/")]
    assert said["email"] == "ana@example.com"


def test_news_are_counted_until_they_are_looked_at(
    page: Page, server_side: StandIns
) -> None:
    add_by_pin(page)
    server_side.cases[NUMBER] |= {"version": 9}
    page.goto("/reportar#/ajustes")
    page.goto("/reportar#/casos")
    expect(page.get_by_role("link", name="Mis casos: 1 con novedades")).to_be_visible()
    page.locator(".case-line").click()
    expect(page.get_by_role("link", name="Mis casos", exact=True)).to_be_visible()


def test_one_s_data_are_erased_after_two_questions(
    page: Page, server_side: StandIns
) -> None:
    add_by_pin(page)
    page.get_by_text("Mis datos", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Descargar todo").click()
    assert download.value.suggested_filename == f"311-{NUMBER}.json"
    page.get_by_role("button", name="Borrar mis datos").click()
    page.get_by_role("button", name="Sí, borrar").click()
    erased = ("DELETE", f"cases/{NUMBER}/my-data/", None)
    assert erased not in server_side.asked
    page.get_by_role("button", name="Borrar para siempre").click()

    expect(page.locator("#said")).to_contain_text("Sus datos fueron borrados.")
    assert erased in server_side.asked


def test_everything_on_the_phone_can_be_deleted(page: Page) -> None:
    add_by_pin(page)
    page.goto("/reportar#/ajustes")
    expect(page.get_by_text("1 caso guardado")).to_be_visible()
    page.get_by_role("button", name="Borrar todo de este teléfono").click()
    page.get_by_role("dialog").get_by_role("button", name="Borrar todo").click()
    expect(page.get_by_text("Aquí verá lo que reporte")).to_be_visible()


def test_the_language_is_changed_in_the_settings(page: Page) -> None:
    page.goto("/reportar#/ajustes")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html[lang=en]")).to_be_attached()
    expect(page.get_by_role("button", name="English")).to_have_attribute(
        "aria-pressed", "true"
    )
