"""The page of a case: what the public sees, and what its reporter does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import escape
from pytest_django import DjangoAssertNumQueries

from backend.accounts.devices import issue_device
from backend.cases.citizens import support
from backend.cases.filing import Contact
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Category
from backend.cases.numbers import case_number
from backend.cases.workflow import Status
from map_views import context
from tests.factories import (
    make_case,
    make_category,
    make_photo,
    make_territory,
)
from tests.jobs import run_jobs
from tests.map_views.pages import Page

pytestmark = pytest.mark.django_db
CONTACT = Contact("Ana Pérez", "6000-0000", "ana@example.com", "v1")


@pytest.fixture(autouse=True)
def _squares() -> Iterator[None]:
    context.forget()
    make_territory()
    yield
    context.forget()


def open_page(phone: Client, case: Case, **headers: str) -> Page:
    response = phone.get(f"/casos/{case.number}", headers=headers)
    assert response.status_code == 200
    return Page(response)


def own_page(phone: Client, case: Case, pin: str = "") -> Page:
    form = {"numero": case.number, "pin": pin or case.pin}
    return Page(phone.post("/casos/", form))


def test_a_case_s_page_tells_where_it_stands_who_answers_and_by_when(
    phone: Client,
) -> None:
    case = make_case(description="Hay un hueco grande.")

    page = open_page(phone, case)

    for words in (case.number, "Recibido", "Entidad OBRAS", "Hay un hueco grande."):
        assert words in page.text
    assert "Oeste Uno, Oeste, Cuadrados" in page.text
    assert f'datetime="{timezone.localtime(case.due_at).isoformat()}"' in page.text
    assert 'data-lat="8.550000" data-lon="-79.950000"' in page.text
    assert page.inline == []
    assert page.elsewhere == []


def test_no_robot_keeps_what_a_person_may_hide_tomorrow(phone: Client) -> None:
    case = make_case()
    form = {"numero": case.number, "pin": case.pin}
    for page in (phone.get(f"/casos/{case.number}"), phone.post("/casos/", form)):
        assert page.status_code == 200
        assert page["X-Robots-Tag"] == "noindex"


def test_the_history_is_a_line_of_steps_the_last_one_marked(phone: Client) -> None:
    case = make_case()
    move(case, Status.ASSIGNED, "Va la cuadrilla.")
    move(case, Status.RESOLVED, "Quedó listo.")

    text = open_page(phone, case).text

    assert text.index("Recibido") < text.index("Va la cuadrilla.")
    assert text.index("Va la cuadrilla.") < text.index("Quedó listo.")
    assert text.count('aria-current="step"') == 1
    assert "Resuelto a tiempo" in text


def test_hours_are_told_as_panama_tells_them_and_as_the_app_does(
    phone: Client,
) -> None:
    case = make_case(filed_at=datetime(2026, 3, 2, 20, 5, tzinfo=UTC))

    assert "2 de marzo de 2026 a las 3:05\xa0p.m." in open_page(phone, case).text


def test_photos_before_and_after_the_work_are_told_apart(phone: Client) -> None:
    case = make_case(photos=[make_photo()])
    move(case, Status.RESOLVED, photos=[make_photo(colour="navy")])
    run_jobs()

    page = open_page(phone, case)

    assert "foto 1, como se reportó" in page.text
    assert "foto 1, después del trabajo" in page.text
    photos = [address for address in page.addresses if address.startswith("/fotos/")]
    assert photos
    assert all(opens(phone, address) for address in photos)


def test_the_page_tells_how_many_others_it_affects_and_leads_to_the_app(
    phone: Client,
) -> None:
    case = make_case()

    alone = open_page(phone, case)
    support(case, issue_device().device)
    with_one = open_page(phone, case)
    support(case, issue_device().device)
    with_two = open_page(phone, case)

    assert "también le" not in alone.text
    assert "A 1 persona también le afecta." in with_one.text
    assert "A 2 personas también les afecta." in with_two.text
    assert f"/reportar#/casos/{case.number}" in alone.addresses


def test_a_case_past_its_day_says_so_and_by_how_much(phone: Client) -> None:
    filed_at = timezone.now() - timedelta(days=30)
    case = make_case(filed_at=filed_at)

    text = open_page(phone, case).text

    assert "Atrasado" in text
    assert "Debía estar resuelto" in text


@pytest.mark.parametrize(
    "status", [Status.REJECTED, Status.DUPLICATE, Status.CANCELLED]
)
def test_what_is_no_longer_worked_on_promises_no_day(
    phone: Client, status: Status
) -> None:
    case = make_case(filed_at=timezone.now() - timedelta(days=30))
    Case.objects.update(status=status)
    case.history.create(status=status, changed_at=timezone.now())

    page = open_page(phone, case)

    assert "A más tardar" not in page.text
    assert "estar resuelto" not in page.text
    assert 'data-tone="other"' in page.text
    assert f"event-{status} is-last is-other" in page.text


def test_while_the_citizen_is_awaited_the_clock_stands_still(phone: Client) -> None:
    case = make_case(filed_at=timezone.now() - timedelta(days=30))
    move(case, Status.WAITING_FOR_CITIZEN, "¿En qué calle?")

    assert "El plazo está en pausa" in open_page(phone, case).text


def test_when_nobody_answers_by_the_rules_the_311_is_finding_out(phone: Client) -> None:
    case = make_case()
    Case.objects.update(entity=None)

    text = open_page(phone, case).text

    assert "El 311 está determinando quién responde." in text


def test_what_is_dangerous_begins_with_whom_to_call(phone: Client) -> None:
    category = make_category(
        "PRU-02", emergency_es="Llame al 911.", emergency_en="Call 911."
    )
    case = make_case(category=category)

    assert "Llame al 911." in open_page(phone, case).text
    english = open_page(phone, case, **{"accept-language": "en"})
    assert "Call 911." in english.text


def test_the_page_is_english_for_who_reads_english(phone: Client) -> None:
    page = open_page(phone, make_case(), **{"accept-language": "en"})

    assert page.language == "en"
    assert "Category PRU-01" in page.text
    assert "Who answers" in page.text
    assert "Quién responde" not in page.text


def test_a_case_of_a_private_category_does_not_exist_without_its_pin(
    phone: Client,
) -> None:
    private = make_category("PRV-01", private=True, precision=Category.Precision.NONE)
    case = make_case(category=private, description="Algo muy personal")

    response = phone.get(f"/casos/{case.number}")
    guessed = phone.post("/casos/", {"numero": case.number, "pin": wrong_pin(case)})

    assert response.status_code == guessed.status_code == 404
    assert "Algo muy personal" not in response.content.decode()
    assert "Categoría PRV-01" not in guessed.content.decode()


def test_a_private_case_says_the_same_as_one_that_never_was(phone: Client) -> None:
    private = make_category("PRV-01", private=True, precision=Category.Precision.NONE)
    hidden = make_case(category=private)
    never = make_case()
    Case.objects.filter(pk=never.pk).delete()

    pages = [phone.get(f"/casos/{case.number}") for case in (hidden, never)]
    texts = [
        page.content.decode().replace(case.number, "")
        for page, case in zip(pages, (hidden, never), strict=True)
    ]

    assert without_tokens(texts[0]) == without_tokens(texts[1])


def test_where_no_point_is_public_the_page_names_the_district_at_most(
    phone: Client,
) -> None:
    category = make_category("PRU-03", precision=Category.Precision.NONE)
    case = make_case(category=category)

    page = open_page(phone, case)

    assert "Oeste, Cuadrados" in page.text
    assert "Oeste Uno" not in page.text
    assert "data-lat" not in page.text
    assert "#map=" not in page.text


def test_an_approximate_place_is_shown_as_one(phone: Client) -> None:
    category = make_category("PRU-04", precision=Category.Precision.GRID)
    case = make_case((-79.951234, 8.551234), category=category)

    page = open_page(phone, case)

    assert "data-approximate" in page.text
    assert "8.551234" not in page.text


def test_the_public_page_holds_nothing_personal(phone: Client) -> None:
    case = make_case(
        description="Llámeme al 6123-4567 o a ana@example.com",
        place_hint="La casa verde",
        contact=CONTACT,
    )
    move(case, Status.ASSIGNED, "Se llamó al 6123-4567.")

    text = open_page(phone, case).text

    secrets = [
        "6123-4567",
        "ana@example.com",
        "Ana Pérez",
        "6000-0000",
        "La casa verde",
    ]
    secrets += [case.pin, str(case.report_id), case.report_digest]
    assert [secret for secret in secrets if secret in text] == []


def test_with_the_pin_the_reporter_sees_all_there_is(phone: Client) -> None:
    case = make_case(
        description="Llámeme al 6123-4567", place_hint="La casa verde", contact=CONTACT
    )
    move(case, Status.ASSIGNED, "Se llamó al 6123-4567.")

    page = own_page(phone, case)

    for words in ("Llámeme al 6123-4567", "La casa verde", "Ana Pérez", "6000-0000"):
        assert words in page.text
    assert "Se llamó al 6123-4567." in page.text
    assert case.pin not in page.text


def test_what_the_reporter_sees_is_kept_by_nobody(phone: Client) -> None:
    case = make_case(contact=CONTACT)

    response = phone.post("/casos/", {"numero": case.number, "pin": case.pin})

    assert "no-store" in response["Cache-Control"]


def test_a_private_case_opens_with_its_pin(phone: Client) -> None:
    private = make_category("PRV-01", private=True, precision=Category.Precision.NONE)
    case = make_case(category=private, photos=[make_photo()])
    run_jobs()

    page = own_page(phone, case)

    assert case.number in page.text
    photos = [address for address in page.addresses if address.startswith("/fotos/")]
    assert photos
    assert all(opens(phone, address) for address in photos)


def test_a_pin_in_the_address_opens_nothing(phone: Client) -> None:
    case = make_case(contact=CONTACT)

    page = Page(phone.get(f"/casos/{case.number}?pin={case.pin}"))

    assert "Ana Pérez" not in page.text


def test_a_wrong_pin_brings_the_form_again(phone: Client) -> None:
    case = make_case(contact=CONTACT)

    response = phone.post("/casos/", {"numero": case.number, "pin": wrong_pin(case)})

    assert response.status_code == 403
    assert "Ese no es el PIN de este caso." in response.content.decode()
    assert case.number in response.content.decode()


def test_after_too_many_guesses_the_page_says_when_to_try_again(phone: Client) -> None:
    case = make_case()

    for _ in range(11):
        response = phone.post(
            "/casos/", {"numero": case.number, "pin": wrong_pin(case)}
        )

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0
    assert "Demasiados intentos" in response.content.decode()


def test_a_stranger_elsewhere_does_not_shut_the_owner_out(phone: Client) -> None:
    case = make_case()
    wrong = {"numero": case.number, "pin": wrong_pin(case)}

    for _ in range(11):
        response = phone.post("/casos/", wrong, REMOTE_ADDR="200.46.1.7")

    assert response.status_code == 429
    own = phone.post("/casos/", {"numero": case.number, "pin": case.pin})
    assert own.status_code == 200


def test_the_form_with_the_pin_is_protected_from_other_sites() -> None:
    case = make_case()
    browser = Client(enforce_csrf_checks=True, headers={"host": "localhost"})

    response = browser.post("/casos/", {"numero": case.number, "pin": case.pin})

    assert response.status_code == 403
    assert case.number not in response.content.decode()


def test_a_number_with_a_wrong_digit_says_so(phone: Client) -> None:
    case = make_case()
    last = (int(case.number[-1]) + 1) % 10

    response = phone.get(f"/casos/{case.number[:-1]}{last}")

    assert response.status_code == 404
    assert "Ese número tiene un dígito equivocado" in response.content.decode()


def test_the_cursor_is_where_the_mistake_is(phone: Client) -> None:
    case = make_case()
    last = (int(case.number[-1]) + 1) % 10

    number, pin = 'id="number"', 'id="pin"'
    mistaken = fields(phone.get(f"/casos/{case.number[:-1]}{last}"))
    form = {"numero": case.number, "pin": wrong_pin(case)}
    guessed = fields(phone.post("/casos/", form))
    asked = fields(phone.get("/casos/", {"propio": case.number}))

    wrong = ("aria-invalid", 'aria-describedby="problem ', "autofocus")
    assert all(words in mistaken[number] for words in wrong)
    assert not any(words in mistaken[pin] for words in wrong)
    assert all(words in guessed[pin] for words in wrong)
    assert not any(words in guessed[number] for words in wrong)
    assert "autofocus" in asked[pin]
    assert "autofocus" not in asked[number]


def test_the_language_is_changed_on_the_same_page_with_all_that_it_was_asked(
    phone: Client,
) -> None:
    asked = "/casos/?propio=26-0000123-2&x=1"

    page = phone.get(asked)
    assert f'name="next" value="{escape(asked)}"' in page.content.decode()
    form = {"language": "en", "next": asked}
    assert phone.post("/i18n/setlang/", form)["Location"] == asked


def test_what_is_no_number_shows_what_one_looks_like(phone: Client) -> None:
    response = phone.get("/casos/mi-caso")

    assert response.status_code == 404
    assert case_number(2026, 123) in response.content.decode()


@pytest.mark.parametrize("written", ["as it is", " spaced ", "plain"])
def test_the_form_leads_to_a_number_however_it_is_written(
    phone: Client, written: str
) -> None:
    case = make_case()
    number = {
        "as it is": case.number,
        " spaced ": f"  {case.number.replace('-', ' ')} ",
        "plain": case.number.replace("-", ""),
    }[written]

    response = phone.get("/casos/", {"numero": number}, follow=True)

    assert response.redirect_chain[-1][0] == f"/casos/{case.number}"
    assert response.status_code == 200


@pytest.mark.parametrize("number", ["../../etc", "a/b", "%00", "ñ" * 500, "\n", "?x=1"])
def test_the_form_takes_whatever_is_typed(phone: Client, number: str) -> None:
    for response in (
        phone.get("/casos/", {"numero": number}, follow=True),
        phone.post("/casos/", {"numero": number, "pin": "1"}, follow=True),
        phone.post("/casos/", {"numero": number}, follow=True),
    ):
        assert response.status_code in {200, 404}


def test_a_made_up_case_says_that_it_is_one(phone: Client) -> None:
    assert "Caso de demostración" in open_page(phone, make_case(demo=True)).text
    assert "Caso de demostración" not in open_page(phone, make_case()).text


def test_the_public_page_can_be_cached_and_leaves_no_cookie(phone: Client) -> None:
    response = phone.get(f"/casos/{make_case().number}")

    assert response["Cache-Control"] == "public, max-age=60"
    assert {"Accept-Language", "Cookie"} <= set(response["Vary"].split(", "))
    assert not response.cookies


def test_a_case_s_page_asks_the_database_little(
    phone: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    case = make_case(photos=[make_photo(), make_photo(colour="navy")])
    for status in (Status.ASSIGNED, Status.IN_PROGRESS, Status.RESOLVED):
        move(case, status, photos=[make_photo()])
    run_jobs()
    open_page(phone, case)

    with django_assert_max_num_queries(5):
        open_page(phone, case)


def test_pages_are_only_read(phone: Client) -> None:
    case = make_case()

    assert phone.post(f"/casos/{case.number}").status_code == 405
    assert phone.delete("/casos/").status_code == 405
    assert phone.post("/").status_code == 405


def opens(phone: Client, address: str) -> bool:
    photo = phone.get(address)
    return photo.status_code == 200 and b"".join(photo)[:2] == b"\xff\xd8"


def move(case: Case, to: Status, note: str = "", **fields: Any) -> None:
    change_status(case, Transition(to, note=note, **fields), by=None)
    case.refresh_from_db()


def fields(response: Any) -> dict[str, str]:
    """The inputs of the form, by their ids."""
    found = re.findall(r"<input (id=\"\w+\")([^>]*)>", response.content.decode())
    return dict(found)


def wrong_pin(case: Case) -> str:
    return f"{(int(case.pin) + 1) % 1_000_000:06}"


def without_tokens(text: str) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", text)
