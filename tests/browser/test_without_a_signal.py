"""From the second visit on: every screen on a phone that hears nobody."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.line import Line
from tests.browser.phone_app import items, open_app, states, write_and_send
from tests.browser.phones import IN_THE_CAPITAL
from tests.browser.steps import BUSY_ROAD, heading, photo
from tests.servers import Server, wait_until

pytestmark = pytest.mark.django_db

OFFLINE = "Sin conexión. Puede reportar igual: se enviará solo."
# What everyday words find first, among the catalogue that the phone has kept.
FINDS = {
    "bache": "Hueco en vía principal o carretera",
    "hueco": "Hueco en vía principal o carretera",
    "luz del poste": "Luminaria pública apagada",
}
QUIET_MS = 2_000
# What is said once for everybody, and the catalogue.
HAS_WORDS = """async () => {
  const { keep } = await window.module("store");
  const { keptCatalogue } = await window.module("catalogue");
  return Boolean((await keep.get("config"))?.consent && (await keptCatalogue()));
}"""


@pytest.fixture
def first_visit(handset: BrowserContext, line: Line) -> str:
    """A visit with a signal, with a case filed in it; the case's number."""
    handset.grant_permissions(["geolocation"])
    handset.set_geolocation(IN_THE_CAPITAL)
    page = handset.new_page()
    open_app(page)
    write_and_send(page, description="Un hueco de la primera visita")
    wait_until(lambda: states(page) == ["done"], "the report is filed")
    number = str(items(page)[0]["receipt"]["number"])
    page.goto("/reportar#/casos")
    page.locator(".case-line").click()
    expect(page.get_by_text("Un hueco de la primera visita")).to_be_visible()
    wait_until(lambda: page.evaluate(HAS_WORDS), "the server's words are on the phone")
    until_quiet(page, line)
    page.close()
    return number


def until_quiet(page: Page, line: Line) -> None:
    """What the app fetches for later, behind the person's back, has come."""
    seen = -1
    while seen != len(line.seen):
        seen = len(line.seen)
        page.wait_for_timeout(QUIET_MS)


def test_every_screen_works_without_a_signal_and_what_was_sent_arrives_afterwards(
    first_visit: str, handset: BrowserContext, line: Line, site: Server
) -> None:
    page = handset.new_page()
    # The browser's own cache forgets when it likes; the app may not lean on it.
    handset.new_cdp_session(page).send("Network.clearBrowserCache")
    handset.set_offline(True)
    line.down()

    page.goto("/reportar")
    expect(page.locator("#net")).to_have_text(OFFLINE)
    expect(page.get_by_role("link", name="911")).to_be_visible()
    expect(page.get_by_role("link", name="103")).to_be_visible()
    page.get_by_role("link", name="Reportar un problema").click()
    a_photo(page)
    the_place(page)
    what_it_is(page)
    page = opened_again(page)
    whose_it_is(page)
    sent = send(page)
    the_case(page, first_visit)
    the_settings(page)

    line.up()
    handset.set_offline(False)
    wait_until(lambda: states(page) == ["done"] * 2, "it is sent")
    (number,) = {item["receipt"]["number"] for item in items(page)} - {first_visit}
    what_arrived = (
        "SELECT c.category_id, c.place_hint, c.description, count(p.*)"
        " FROM cases_case c JOIN cases_photo p ON p.case_id = c.id"
        " WHERE c.number = %s AND c.report_id = %s::uuid GROUP BY c.id"
    )
    arrived = (BUSY_ROAD, "frente a la escuela", "Se cayó una moto", 1)
    assert site.rows(what_arrived, number, sent["id"]) == [arrived]
    page.goto("/reportar#/")
    expect(page.get_by_text(f"Recibido: {number}")).to_be_visible()


def a_photo(page: Page) -> None:
    heading(page, "Tome una foto")
    page.locator("#pick-gallery").set_input_files([photo()])
    expect(page.get_by_role("img", name="Foto 1 de su reporte")).to_be_visible()
    page.get_by_role("button", name="Siguiente").click()


def the_place(page: Page) -> None:
    heading(page, "¿Dónde es?")
    expect(page.locator("#place-name")).to_have_text("Panamá, Panamá")
    expect(page.get_by_text("el corregimiento se sabrá al enviar")).to_be_visible()
    page.get_by_text("Buscar por provincia y distrito").click()
    page.get_by_label("Provincia o comarca").select_option(label="Veraguas")
    page.get_by_label("Distrito").select_option(label="Soná")
    expect(page.locator("#place-name")).to_have_text("Soná, Veraguas")
    page.get_by_label("Provincia o comarca").select_option(label="Panamá")
    page.get_by_label("Distrito").select_option(label="San Miguelito")
    expect(page.locator("#place-name")).to_have_text("San Miguelito, Panamá")
    expect(page.locator(".place-label", has_text="San Miguelito")).to_be_visible()
    page.get_by_role("button", name="Mi ubicación").click()
    expect(page.locator("#place-name")).to_have_text("Panamá, Panamá")
    expect(page.locator(".gps-circle")).to_be_visible()
    page.get_by_label("Señas del lugar").fill("frente a la escuela")
    page.get_by_role("button", name="Es aquí").click()


def what_it_is(page: Page) -> None:
    heading(page, "¿Qué pasa?")
    page.locator(".group", has_text="Aseo y basura").locator("summary").click()
    expect(page.locator('[data-code="ASE-01"]')).to_be_visible()
    for words, name in FINDS.items():
        page.get_by_role("searchbox").fill(words)
        expect(found(page).first).to_contain_text(name)
    page.get_by_role("searchbox").fill("cable caido")
    page.locator('[data-code="ELE-04"]').click()
    expect(page.get_by_role("link", name="Llamar al 911")).to_be_visible()
    page.get_by_role("button", name="Elegir otro tema").click()


def opened_again(page: Page) -> Page:
    """The app closed half way, and opened again where it was left."""
    handset = page.context
    page.close()
    again = handset.new_page()
    again.goto("/reportar")
    # A new page of Chromium's reaches nobody, and does not know it until it is told anew.
    handset.set_offline(False)
    handset.set_offline(True)
    expect(again.get_by_text("Tiene un reporte a medias")).to_be_visible()
    again.get_by_role("button", name="Continuar").click()
    heading(again, "¿Qué pasa?")
    again.get_by_role("searchbox").fill("bache")
    again.locator(f'[data-code="{BUSY_ROAD}"]').click()
    return again


def found(page: Page) -> Locator:
    return page.locator("#found .options [data-code]")


def whose_it_is(page: Page) -> None:
    heading(page, "Cuéntelo en pocas palabras")
    page.get_by_label("Describa lo que pasa").fill("Se cayó una moto")
    page.get_by_text("Dejar mis datos").click()
    # What one agrees to is there to be read.
    consent = page.get_by_role("region", name="Uso de sus datos")
    expect(consent).to_contain_text("Qué hacemos con sus datos")
    page.get_by_label("Nombre").fill("Ana Pérez")
    page.get_by_label("Teléfono").fill("6000-0000")
    page.get_by_label("Acepto").check()
    page.get_by_role("button", name="Siguiente").click()


def send(page: Page) -> dict[str, Any]:
    """The report as it waits on the phone."""
    heading(page, "Revise y envíe")
    expect(page.locator(".summary")).to_contain_text("Panamá, Panamá")
    expect(page.locator(".summary")).to_contain_text("Ana Pérez")
    expect(page.get_by_text("se sabrá al enviar")).to_be_visible()
    expect(page.get_by_text("No se pudo ver si hay casos parecidos")).to_be_visible()
    page.locator("#send").click()
    heading(page, "Guardado en este teléfono")
    expect(page.get_by_text("1 reporte espera en este teléfono")).to_be_visible()
    page.get_by_role("link", name="Volver al inicio").click()
    expect(page.get_by_role("heading", name="1 reporte por enviar")).to_be_visible()
    (waiting,) = [item for item in items(page) if item["state"] == "waiting"]
    return waiting


def the_case(page: Page, number: str) -> None:
    page.get_by_role("link", name="Mis casos 1 caso").click()
    heading(page, "Mis casos")
    page.get_by_role("button", name="Actualizar").click()
    expect(page.get_by_text("No se pudo actualizar ahora.")).to_be_visible()
    page.locator(".case-line").click()
    expect(page.locator(".big-number")).to_contain_text(number)
    expect(page.get_by_text("Un hueco de la primera visita")).to_be_visible()
    expect(page.get_by_role("heading", name="Qué ha pasado")).to_be_visible()
    # What is kept is shown for what it is, and is no cause for alarm.
    expect(page.get_by_text("No se pudo actualizar ahora. Actualizado")).to_be_visible()
    expect(page.get_by_role("alert").locator(".note")).to_have_count(0)
    page.get_by_role("button", name="Mostrar").click()
    expect(page.locator(".pin-digits")).to_have_text("".join(pin_of(page, number)))
    page.get_by_role("button", name="Retirar mi reporte").click()
    page.get_by_role("button", name="Retirarlo").click()
    expect(page.get_by_text("No hay conexión. Intente otra vez")).to_be_visible()


def pin_of(page: Page, number: str) -> str:
    kept = (
        "async (number) => (await (await window.module('store')).cases.get(number)).pin"
    )
    return str(page.evaluate(kept, number))


def the_settings(page: Page) -> None:
    page.get_by_role("link", name="Ajustes").click()
    heading(page, "Ajustes")
    expect(page.get_by_text("1 reporte sin enviar")).to_be_visible()
    page.get_by_text("Uso de sus datos").click()
    expect(page.get_by_text("Qué hacemos con sus datos")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_text("hace falta conexión")).to_be_visible()
