"""Who reported a case, in the administration: on purpose only, and written down."""

from __future__ import annotations

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from backend.accounts.models import User
from backend.cases.filing import Contact
from backend.cases.models import AccessLog, Case
from tests.factories import make_case

pytestmark = pytest.mark.usefixtures("squares")
ANA = Contact("Zoraida Quintero", "6612-3456", "zoraida@example.org", "1")
MARKS = (ANA.name, ANA.phone, ANA.email)


def somebody(*permissions: str) -> Client:
    user = User.objects.create_user("mesa", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


@pytest.fixture
def case() -> Case:
    return make_case(contact=ANA)


def page(case: Case, name: str = "contact") -> str:
    return f"/admin/cases/case/{case.pk}/{name}/"


def test_who_says_why_sees_the_contact_and_it_is_written_down(case):
    staff = somebody("view_case", "view_reporter")
    assert page(case) in staff.get(page(case, "change")).content.decode()
    asked = staff.get(page(case)).content.decode()
    assert not any(mark in asked for mark in MARKS)
    assert not AccessLog.objects.exists()
    seen = staff.post(page(case), {"why": "La cuadrilla no encuentra el 6612-3456"})
    assert all(mark in seen.content.decode() for mark in MARKS)
    assert "no-store" in seen["Cache-Control"]
    access = AccessLog.objects.get()
    assert (access.case, access.what) == (case, "seen")
    assert access.who is not None
    assert access.who.username == "mesa"
    assert access.why == "La cuadrilla no encuentra el […]"


def test_whatever_stands_in_a_reason_it_is_kept(case):
    staff = somebody("view_case", "view_reporter")
    assert staff.post(page(case), {"why": "\0Llamada\0 "}).status_code == 200
    assert AccessLog.objects.get().why == "Llamada"


@pytest.mark.parametrize("why", [{}, {"why": ""}, {"why": "   "}, {"why": "\0"}])
def test_without_a_reason_nothing_is_seen(case, why):
    staff = somebody("view_case", "view_reporter")
    seen = staff.post(page(case), why).content.decode()
    assert not any(mark in seen for mark in MARKS)
    assert not AccessLog.objects.exists()


def test_without_the_permission_there_is_no_contact(case):
    staff = somebody("view_case", "change_case")
    assert page(case) not in staff.get(page(case, "change")).content.decode()
    refused = staff.post(page(case), {"why": "curiosidad"})
    assert refused.status_code == 403
    assert not AccessLog.objects.exists()


def test_a_stranger_is_sent_to_sign_in(case):
    answer = Client(HTTP_HOST="localhost").post(page(case), {"why": "x"})
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]


def test_nobody_left_a_contact_and_nothing_was_seen():
    seen = somebody("view_reporter").post(page(make_case()), {"why": "x"})
    assert "no tiene un contacto" in seen.content.decode()
    assert not AccessLog.objects.exists()
    assert Client(HTTP_HOST="localhost").get("/admin/cases/case/0/contact/").status_code


def test_no_page_of_the_case_shows_the_contact_by_itself(case):
    chief = Client(HTTP_HOST="localhost")
    chief.force_login(User.objects.create_superuser("jefa"))
    for address in ("/admin/cases/case/", page(case, "change"), page(case, "history")):
        seen = chief.get(address).content.decode()
        assert case.number in seen
        assert not any(mark in seen for mark in MARKS), address


def test_without_the_key_the_page_says_so(case, settings):
    settings.DATA_KEYS = [Fernet.generate_key().decode()]
    seen = somebody("view_reporter").post(page(case), {"why": "x"}).content.decode()
    assert "no se puede leer" in seen


def test_staff_that_gives_no_reason_is_refused_by_the_database(case):
    user = User.objects.create_user("mesa")
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessLog.objects.create(case=case, who=user, what="seen", at=timezone.now())


def test_who_looked_can_be_looked_up(case):
    somebody("view_reporter").post(page(case), {"why": "Preguntar por el hueco"})
    chief = Client(HTTP_HOST="localhost")
    chief.force_login(User.objects.create_superuser("jefa"))
    listed = chief.get("/admin/cases/accesslog/", {"q": case.number}).content.decode()
    assert "Preguntar por el hueco" in listed
    key = AccessLog.objects.get().pk
    chief.post(f"/admin/cases/accesslog/{key}/delete/", {"post": "yes"})
    assert AccessLog.objects.exists()
