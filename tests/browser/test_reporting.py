"""A report on a phone, as a person makes it: photo, place, what, words, sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Geolocation, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import Watched
from tests.browser.phones import (
    ANYWHERE,
    AT_THE_BORDER,
    FAR_OFF,
    IN_SAN_JOSE,
    IN_THE_CAPITAL,
    QUIET,
    phone,
)
from tests.browser.stand_ins import StandIns, reply
from tests.browser.steps import (
    BUSY_ROAD,
    Held,
    heading,
    photo,
    soon_true,
    to_the_end,
    to_the_place,
)
from tests.servers import Server, wait_until

pytestmark = pytest.mark.django_db

# Reads from the phone's own database what the person has written so far.
DRAFT = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("311-movil");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const asked = opening.result.transaction("drafts").objectStore("drafts").get("current");
    asked.onsuccess = () => { opening.result.close(); resolve(asked.result ?? null); };
  };
})"""
GPS_WATCHED = """
window.watching = 0;
const { geolocation } = navigator;
const [watch, clear] = [geolocation.watchPosition, geolocation.clearWatch];
geolocation.watchPosition = (...how) => { watching += 1; return watch.apply(geolocation, how); };
geolocation.clearWatch = (id) => { watching -= 1; clear.call(geolocation, id); };
"""

SLOW_PICTURES = """
const decode = window.createImageBitmap;
window.createImageBitmap = async (...how) => {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return decode(...how);
};
"""

# The disk is full whenever the app would keep what the server says to everybody.
NO_ROOM = """
const put = IDBObjectStore.prototype.put;
IDBObjectStore.prototype.put = function (value, ...key) {
  if (key[0] === "config") throw new DOMException("", "QuotaExceededError");
  return put.call(this, value, ...key);
};
"""


@pytest.fixture
def server_side() -> StandIns:
    return StandIns()


@pytest.fixture(params=[IN_THE_CAPITAL])
def gps(request: pytest.FixtureRequest) -> Geolocation | None:
    """Where the phone believes to be; a test says otherwise by `@gps_says`."""
    found: Geolocation | None = request.param
    return found


@pytest.fixture
def page(
    site: Server,
    chromium: Browser,
    watched: Watched,
    server_side: StandIns,
    gps: Geolocation | None,
) -> Iterator[Page]:
    watched.expected = QUIET
    with phone(site, chromium, watched, gps) as opened:
        server_side.install(opened)
        yield opened


def gps_says(position: Geolocation | None) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("gps", [position], indirect=True)


def test_a_report_with_a_photo_is_sent_in_a_few_taps(
    page: Page, server_side: StandIns, site: Server
) -> None:
    page.goto("/reportar")
    page.get_by_role("link", name="Reportar un problema").click()
    page.locator("#pick-gallery").set_input_files([photo()])
    expect(page.get_by_role("img", name="Foto 1 de su reporte")).to_be_visible()
    page.get_by_role("button", name="Siguiente").click()
    to_the_end(page)
    expect(page.locator("#answered")).to_contain_text("Obras Públicas")
    page.locator("#send").click()

    heading(page, "Reporte recibido")
    said = page.locator(".big-number").inner_text()
    number = "".join(said.split("\n")[-1:])
    rows = site.rows(
        "SELECT category_id, accuracy FROM cases_case WHERE number = %s", number
    )
    assert rows == [(BUSY_ROAD, 25.0)]
    expect(page.get_by_text("1 foto enviada")).to_be_visible()
    photos = (
        "SELECT size FROM cases_photo WHERE case_id = (SELECT max(id) FROM cases_case)"
    )
    assert len(site.rows(photos)) == 1


def test_a_file_that_is_no_photo_is_refused_where_another_can_be_chosen(
    page: Page,
) -> None:
    page.goto("/reportar#/nuevo/foto")
    text = photo()
    text["buffer"] = b"La lista de compras."
    page.locator("#pick-gallery").set_input_files([text, photo()])

    expect(page.get_by_role("alert").get_by_text("no es una foto")).to_be_visible()
    expect(page.get_by_role("img", name="Foto 1 de su reporte")).to_be_visible()
    expect(page.locator(".shot")).to_have_count(1)
    assert len(page.evaluate(DRAFT)["photos"]) == 1


def test_a_photo_refused_after_sending_is_told_with_what_can_still_be_done(
    page: Page, watched: Watched
) -> None:
    watched.expected += ("422",)
    problem = {
        "type": "/problems/not-an-image",
        "title": "El archivo no es una foto JPEG, PNG o WebP completa.",
        "detail": "Tome la foto otra vez o elija otra.",
        "status": 422,
    }
    page.route(re.compile("/photos/"), lambda route: reply(route, 422, problem))
    page.goto("/reportar#/nuevo/foto")
    page.locator("#pick-gallery").set_input_files([photo()])
    expect(page.locator(".shot img")).to_be_visible()
    page.get_by_role("button", name="Siguiente").click()
    to_the_end(page)
    page.locator("#send").click()

    told = page.locator(".sent-photos .field-problem")
    expect(told).to_contain_text("no es una foto JPEG, PNG o WebP completa.")
    expect(told).to_contain_text("llame al 3-1-1 con su número de caso")
    expect(told).not_to_contain_text("otra vez")


def test_who_goes_on_choosing_while_photos_are_prepared_has_four_at_most(
    page: Page,
) -> None:
    page.add_init_script(SLOW_PICTURES)
    page.goto("/reportar#/nuevo/foto")
    heading(page, "Tome una foto")
    page.locator("#pick-gallery").set_input_files([photo(), photo(), photo()])
    page.locator("#pick-gallery").set_input_files([photo(), photo(), photo()])

    expect(page.get_by_text("Se pueden enviar hasta 4 fotos.")).to_be_visible()
    expect(page.locator(".shot img")).to_have_count(4)
    expect(page.locator("#pick-gallery")).to_be_disabled()
    assert len(page.evaluate(DRAFT)["photos"]) == 4


def test_the_photos_still_being_prepared_are_in_the_report_of_who_goes_on(
    page: Page,
) -> None:
    page.add_init_script(SLOW_PICTURES)
    page.goto("/reportar#/nuevo/foto")
    heading(page, "Tome una foto")
    page.locator("#pick-gallery").set_input_files([photo(), photo(), photo()])
    page.get_by_role("button", name="Seguir sin foto").click()
    heading(page, "¿Dónde es?")

    wait_until(
        lambda: len(page.evaluate(DRAFT)["photos"]) == 3, "all three are in the draft"
    )
    page.go_back()
    expect(page.locator(".shot img")).to_have_count(3)


def test_the_pin_stays_on_the_phone_and_is_shown_when_asked_for(
    page: Page, site: Server
) -> None:
    to_the_place(page)
    to_the_end(page)
    page.locator("#send").click()
    heading(page, "Reporte recibido")
    expect(page.locator(".pin-digits")).to_have_text("••••••")
    page.get_by_role("button", name="Mostrar").click()

    pin = page.locator(".pin-digits").inner_text()
    newest = "SELECT pin FROM cases_case ORDER BY id DESC LIMIT 1"
    assert site.rows(newest) == [(pin,)]
    page.get_by_role("link", name="Ver el caso").click()
    expect(page.get_by_role("button", name="Mostrar")).to_be_visible()


def test_the_gps_is_asked_for_the_place_only_and_off_afterwards(page: Page) -> None:
    page.context.add_init_script(GPS_WATCHED)
    page.goto("/reportar")
    page.get_by_role("link", name="Reportar un problema").click()
    heading(page, "Tome una foto")
    assert page.evaluate("watching") == 0
    page.get_by_role("button", name="Seguir sin foto").click()
    expect(page.locator("#place-exact")).to_contain_text("± 25 m")
    assert page.evaluate("watching") == 1
    expect(page.locator(".gps-circle")).to_be_visible()
    page.get_by_role("button", name="Es aquí").click()
    heading(page, "¿Qué pasa?")
    assert page.evaluate("watching") == 0


@gps_says({"latitude": 8.986347, "longitude": -79.524218, "accuracy": 12})
def test_a_place_is_told_smallest_first_and_to_the_metre(page: Page) -> None:
    to_the_place(page)

    expect(page.locator("#place-name")).to_have_text("Bella Vista, Panamá, Panamá")
    expect(page.locator("#place-exact")).to_have_text("8.98635, -79.52422 · ± 12 m")


@gps_says(None)
def test_without_permission_one_places_the_pin_by_a_tap(page: Page) -> None:
    to_the_place(page)
    expect(page.get_by_text("No hay permiso para usar su ubicación.")).to_be_visible()
    page.get_by_role("button", name="Es aquí").click()
    expect(page.get_by_text("Falta el lugar.")).to_be_visible()
    expect(page.locator(".place-label", has_text="Herrera")).to_be_visible()
    label = page.locator(".place-label", has_text="Chiriquí").bounding_box()
    assert label
    page.touchscreen.tap(label["x"] + 10, label["y"] + 20)

    expect(page.locator("#place-name")).to_contain_text("Chiriquí")
    draft = page.evaluate(DRAFT)
    assert draft["placed"] == "hand"
    assert draft["accuracy"] is None
    assert -83 < draft["location"]["lon"] < -82


@gps_says(FAR_OFF)
def test_a_position_that_may_be_kilometres_off_is_said_and_can_be_mended(
    page: Page,
) -> None:
    to_the_place(page)
    expect(page.get_by_text("puede fallar por 3.4 km")).to_be_visible()
    expect(page.locator(".gps-circle")).to_be_visible()
    before = page.evaluate(DRAFT)
    assert before["accuracy"] == FAR_OFF["accuracy"]
    page.locator("#map").tap(position={"x": 100, "y": 100})

    expect(page.get_by_text("puede fallar por")).to_have_count(0)
    expect(page.locator("#place-exact")).not_to_contain_text("±")
    after = page.evaluate(DRAFT)
    assert after["placed"] == "hand"
    assert after["location"] != before["location"]


@gps_says(ANYWHERE)
def test_a_position_that_may_be_anywhere_keeps_no_report_from_being_filed(
    page: Page, site: Server
) -> None:
    to_the_place(page)
    to_the_end(page, "Panamá")
    page.locator("#send").click()

    heading(page, "Reporte recibido")
    newest = "SELECT accuracy FROM cases_case ORDER BY id DESC LIMIT 1"
    assert site.rows(newest) == [(100_000.0,)]


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_who_moves_the_map_and_goes_on_at_once_has_moved_it(
    page: Page, motion: Literal["reduce", "no-preference"]
) -> None:
    page.emulate_media(reduced_motion=motion)
    to_the_place(page)
    expect(page.locator("#place-name")).to_contain_text("Bella Vista")
    before = page.evaluate(DRAFT)
    page.locator("#map").tap(position={"x": 60, "y": 60})
    page.get_by_role("button", name="Es aquí").tap()
    heading(page, "¿Qué pasa?")

    after = page.evaluate(DRAFT)
    assert after["placed"] == "hand"
    assert after["location"]["lon"] < before["location"]["lon"]
    # Nor does the map move on when it is gone.
    page.wait_for_timeout(500)


def test_the_gps_does_not_move_a_pin_that_was_placed_meanwhile(page: Page) -> None:
    held = Held(page, re.compile(r"limites\.json|\.geojson"))
    to_the_place(page)
    page.locator(".leaflet-control-zoom-in").wait_for()
    # Found already, but whether it is in Panama is not known before the outlines are.
    page.locator("#map").press("ArrowUp")
    soon_true(page, f"() => ({DRAFT})().then((draft) => draft.location !== null)")
    held.let_go()

    expect(page.locator("#place-name")).to_contain_text("Coclé")
    assert page.evaluate(DRAFT)["placed"] == "hand"
    expect(page.locator(".gps-circle")).to_have_count(0)
    expect(page.locator(".leaflet-control-scale")).to_contain_text("km")


@gps_says(IN_SAN_JOSE)
def test_outside_panama_nothing_can_be_sent_from_there(page: Page) -> None:
    to_the_place(page)
    expect(
        page.get_by_text("Su teléfono dice que está fuera de Panamá")
    ).to_be_visible()
    page.get_by_role("button", name="Es aquí").click()
    heading(page, "¿Dónde es?")
    assert page.evaluate(DRAFT)["location"] is None
    # The sea in front of Bocas del Toro: far from every shore.
    page.locator("#map").tap(position={"x": 60, "y": 30})
    expect(page.get_by_text("Ese punto está fuera de Panamá.")).to_be_visible()
    page.get_by_role("button", name="Es aquí").click()
    heading(page, "¿Dónde es?")


@gps_says(AT_THE_BORDER)
def test_near_a_border_the_person_says_which_side(page: Page, site: Server) -> None:
    to_the_place(page)
    expect(page.get_by_text("está a 4 m del límite con San Miguelito")).to_be_visible()
    page.get_by_role("button", name="San Miguelito").click()
    to_the_end(page, "Panamá")
    expect(page.locator(".summary")).to_contain_text("San Miguelito")
    page.locator("#send").click()
    heading(page, "Reporte recibido")

    newest = "SELECT district_id FROM cases_case ORDER BY id DESC LIMIT 1"
    assert site.rows(newest) == [("0810",)]


@gps_says({**AT_THE_BORDER, "accuracy": 3.6})  # The border is at 3.659 m.
def test_only_a_side_that_the_report_may_choose_is_asked_for(page: Page) -> None:
    to_the_place(page)
    expect(page.locator("#place-name")).to_contain_text("Betania")
    expect(page.locator("#place-exact")).to_have_text("9.03, -79.514 · ± 4 m")

    expect(page.get_by_text("¿De qué lado está?")).to_have_count(0)


def test_a_report_left_half_way_is_there_the_next_time(page: Page) -> None:
    page.goto("/reportar")
    page.get_by_role("link", name="Reportar un problema").click()
    page.locator("#pick-gallery").set_input_files([photo("una.jpg"), photo("dos.jpg")])
    expect(page.locator(".shot img")).to_have_count(2)
    page.get_by_role("button", name="Siguiente").click()
    expect(page.locator("#place-name")).to_contain_text("Bella Vista")
    page.get_by_label("Señas del lugar").fill("frente a la escuela")
    page.get_by_role("button", name="Es aquí").click()
    heading(page, "¿Qué pasa?")
    context = page.context
    page.close()

    again = context.new_page()
    StandIns().install(again)
    again.goto("/reportar")
    expect(again.get_by_text("Lo empezó ahora mismo.")).to_be_visible()
    again.get_by_role("button", name="Continuar").click()
    heading(again, "¿Qué pasa?")
    again.go_back()
    expect(again.get_by_label("Señas del lugar")).to_have_value("frente a la escuela")
    again.go_back()
    expect(again.locator(".shot img")).to_have_count(2)
    again.go_back()
    expect(again.get_by_role("button", name="Continuar")).to_be_visible()


def test_what_is_written_survives_a_tab_that_is_killed(page: Page) -> None:
    to_the_place(page)
    expect(page.locator("#place-name")).to_contain_text("Bella Vista")
    page.get_by_role("button", name="Es aquí").click()
    page.locator(".group", has_text="Calles y carreteras").locator("summary").click()
    page.locator(f'[data-code="{BUSY_ROAD}"]').click()
    words = page.get_by_label("Describa lo que pasa")
    words.fill("Se cayó una moto")
    # It writes by itself after a pause; then nobody says goodbye.
    wait_until(
        lambda: page.evaluate(DRAFT)["description"] == "Se cayó una moto",
        "the words are on the disk",
    )
    page.goto("about:blank")
    page.goto("/reportar#/nuevo/detalle")

    expect(page.get_by_label("Describa lo que pasa")).to_have_value("Se cayó una moto")


@pytest.mark.parametrize("browser", ["of today", "without dialogs"])
def test_an_emergency_shows_the_number_to_call_before_anything_else(
    page: Page, browser: str
) -> None:
    if browser == "without dialogs":  # as Safari before 15.4
        page.add_init_script("delete HTMLDialogElement.prototype.showModal")
    to_the_place(page)
    expect(page.locator("#place-name")).to_contain_text("Bella Vista")
    page.get_by_role("button", name="Es aquí").click()
    page.get_by_role("searchbox").fill("cable caido")
    page.locator('[data-code="ELE-04"]').click()

    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("link", name="Llamar al 911")).to_have_attribute(
        "href", "tel:911"
    )
    # In sight, and what is behind it waits.
    expect(dialog).to_be_in_viewport(ratio=0.9)
    with pytest.raises(PlaywrightTimeout):
        page.locator('[data-code="ELE-04"]').click(timeout=500)
    page.keyboard.press("Escape")
    heading(page, "¿Qué pasa?")
    assert page.evaluate(DRAFT)["category"] is None
    page.locator('[data-code="ELE-04"]').click()
    dialog.get_by_role("button", name="Ya llamé").click()
    heading(page, "Cuéntelo en pocas palabras")


def test_a_question_goes_with_the_screen_that_asked_it(page: Page) -> None:
    to_the_place(page)
    expect(page.locator("#place-name")).to_contain_text("Bella Vista")
    page.get_by_role("button", name="Es aquí").click()
    page.get_by_role("searchbox").fill("cable caido")
    page.locator('[data-code="ELE-04"]').click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.go_back()
    heading(page, "¿Dónde es?")

    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate(DRAFT)["category"] is None


def test_a_topic_that_needs_a_name_does_not_go_on_without(
    page: Page, server_side: StandIns
) -> None:
    to_the_place(page)
    expect(page.locator("#place-name")).to_contain_text("Bella Vista")
    page.get_by_role("button", name="Es aquí").click()
    page.get_by_role("searchbox").fill("contaminación de río")
    page.locator('[data-code="AMB-02"]').click()
    page.get_by_role("button", name="Siguiente").click()
    expect(page.get_by_text("Escriba su nombre.")).to_be_visible()
    expect(page.get_by_label("Nombre")).to_be_focused()
    page.get_by_label("Nombre").fill("Ana Pérez")
    page.get_by_label("Teléfono").fill("6000-0000")
    page.get_by_role("button", name="Siguiente").click()
    expect(page.get_by_text("Marque que acepta")).to_be_visible()
    page.get_by_label("Acepto").check()
    page.get_by_role("button", name="Siguiente").click()
    page.locator("#send").click()
    heading(page, "Reporte recibido")

    *_, sent = [body for _, path, body in server_side.asked if path == "reports/"]
    assert sent["contact"] == {"name": "Ana Pérez", "phone": "6000-0000", "email": ""}
    assert sent["consent"] == "2026-11"


def test_who_says_it_is_the_same_case_supports_it_and_files_nothing(
    page: Page, server_side: StandIns
) -> None:
    to_the_place(page)
    to_the_end(page)
    page.get_by_role("link", name="Ver el caso parecido").click()
    expect(page.get_by_role("heading", name="Hay un caso parecido")).to_be_focused()
    address = page.get_by_role("link", name="Ver el caso", exact=True)
    other = str(address.get_attribute("href")).split("/")[-1]
    page.get_by_role("button", name="Es el mismo").click()
    page.get_by_role("button", name="Sí, es el mismo").click()

    expect(page.locator(".big-number")).to_contain_text(other)
    asked = [(method, path) for method, path, _ in server_side.asked]
    assert ("POST", f"cases/{other}/support/") in asked
    assert ("POST", "reports/") not in asked
    assert page.evaluate(DRAFT) is None


@gps_says(None)
def test_a_place_can_be_found_by_its_name(page: Page) -> None:
    to_the_place(page)
    page.get_by_text("Buscar por provincia y distrito").click()
    page.get_by_label("Provincia o comarca").select_option(label="Veraguas")
    page.get_by_label("Distrito").select_option(label="Soná")

    expect(page.locator("#place-name")).to_contain_text("Soná")
    location = page.evaluate(DRAFT)["location"]
    assert -81.9 < location["lon"] < -81.1
    assert 7.2 < location["lat"] < 8.3


def test_no_look_up_that_fails_keeps_a_report_from_being_sent(
    page: Page, server_side: StandIns, watched: Watched
) -> None:
    watched.expected += (
        "ERR_INTERNET_DISCONNECTED",
        "Failed to load resource",
        "503: ",
    )
    server_side.down = {"places/", "cases/similar/"}
    server_side.refused = {"categories/": (503, {"title": "Ahora no"})}
    to_the_place(page)
    # The phone's own outlines say the district.
    expect(page.locator("#place-name")).to_have_text("Panamá, Panamá")
    page.get_by_role("button", name="Es aquí").click()
    expect(page.get_by_text("La lista de temas todavía no está")).to_be_visible()
    server_side.refused = {}
    page.get_by_role("button", name="Reintentar").click()
    page.get_by_role("searchbox").fill("bache")
    page.locator(f'[data-code="{BUSY_ROAD}"]').click()
    server_side.refused = {"categories/": (503, {"title": "Ahora no"})}
    page.get_by_role("button", name="Siguiente").click()
    expect(page.get_by_text("se sabrá al enviar")).to_be_visible()
    page.locator("#send").click()

    heading(page, "Reporte recibido")


def test_without_a_signal_it_says_where_the_report_is(
    page: Page, server_side: StandIns, watched: Watched
) -> None:
    watched.expected += ("ERR_INTERNET_DISCONNECTED",)
    to_the_place(page)
    to_the_end(page)
    server_side.down = {"reports/"}
    page.context.set_offline(True)
    page.locator("#send").click()
    heading(page, "Guardado en este teléfono")
    expect(page.get_by_text("1 reporte espera en este teléfono")).to_be_visible()
    page.get_by_role("link", name="Volver al inicio").click()
    expect(page.get_by_text("Se enviará solo cuando vuelva la señal.")).to_be_visible()
    page.go_back()
    server_side.down = set()
    page.context.set_offline(False)

    heading(page, "Reporte recibido")
    expect(page.locator("#net")).to_be_hidden()


def test_a_phone_without_room_shows_every_step(page: Page, watched: Watched) -> None:
    watched.expected += ("AbortError",)  # of the transaction that did not fit
    page.add_init_script(NO_ROOM)
    to_the_place(page)
    to_the_end(page)

    page.locator("#send").click()
    heading(page, "Reporte recibido")


def test_back_goes_one_step_back_and_after_sending_home(page: Page) -> None:
    to_the_place(page)
    to_the_end(page)
    page.go_back()
    heading(page, "Cuéntelo en pocas palabras")
    page.get_by_role("button", name="Atrás").click()
    heading(page, "¿Qué pasa?")
    page.go_forward()
    page.get_by_role("button", name="Siguiente").click()
    page.locator("#send").click()
    heading(page, "Reporte recibido")
    page.go_back()

    heading(page, "¿Qué problema hay donde usted está?")
    expect(page.get_by_text("Recibido:")).to_be_visible()


@gps_says(None)
def test_the_whole_way_with_the_keyboard_alone(
    page: Page, server_side: StandIns
) -> None:
    page.goto("/reportar")
    press(page, "Tab", until="Reportar un problema")
    page.keyboard.press("Enter")
    heading(page, "Tome una foto")
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    press(page, "Tab", until="Seguir sin foto")
    page.keyboard.press("Enter")
    heading(page, "¿Dónde es?")
    expect(page.locator(".place-label", has_text="Herrera")).to_be_visible()
    press(page, "Tab", until="Mapa para marcar el lugar")
    for key in ["+"] * 2 + ["ArrowUp"] * 2 + ["Shift+ArrowLeft"]:
        page.keyboard.press(key)
    expect(page.locator("#place-name")).to_contain_text("Capira")
    expect(page.locator("#said")).to_contain_text("Capira")
    press(page, "Tab", until="Es aquí")
    page.keyboard.press("Enter")
    heading(page, "¿Qué pasa?")
    press(page, "Tab", until="Dígalo con sus palabras")
    page.keyboard.type("bache")
    expect(page.locator(f'[data-code="{BUSY_ROAD}"]')).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    heading(page, "Cuéntelo en pocas palabras")
    press(page, "Tab", until="Siguiente")
    page.keyboard.press("Enter")
    heading(page, "Revise y envíe")
    press(page, "Tab", until="nviar")
    page.keyboard.press("Enter")

    heading(page, "Reporte recibido")
    expect(page.get_by_role("heading", level=1)).to_be_focused()


def test_whoever_is_faster_than_the_app_stays_on_what_they_have_reached(
    page: Page,
) -> None:
    held = Held(page, re.compile(r"/app/app\.[^/]*js"))
    page.goto("/reportar", wait_until="commit")
    link = page.get_by_role("link", name="Reportar un problema")
    link.focus()
    page.evaluate("document.activeElement.isThePages = true")
    held.let_go()
    soon_true(page, "!document.getElementById('report').isThePages")

    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    heading(page, "Tome una foto")


NAMED = """() => {
  const now = document.activeElement;
  const label = now.labels?.[0]?.textContent ?? "";
  return `${now.getAttribute("aria-label") ?? ""} ${label} ${now.textContent}`;
}"""


def press(page: Page, key: str, until: str) -> None:
    for _ in range(40):
        page.keyboard.press(key)
        if until in page.evaluate(NAMED):
            return
    pytest.fail(f"{until} cannot be reached by {key}")
