"""The administration: categories can be added, the queue of jobs can only be looked at."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from backend.accounts.models import User
from backend.cases.models import Category
from backend.jobs import enqueue
from tests.factories import make_category
from tests.jobs import waiting_jobs

pytestmark = pytest.mark.django_db

JOBS = "/admin/procrastinate/procrastinatejob/"
TELL = "backend.cases.tasks.tell"


CATEGORY = {
    "code": "PRU-09",
    "name_es": "Árbol de prueba",
    "name_en": "Test tree",
    "act": "complaint",
    "precision": "none",
    "private": "on",
    "sla_amount": "3",
    "sla_unit": "working_days",
    "similar_metres": "0",
    "similar_days": "0",
    "contact_days": "365",
    "originals_days": "90",
}


@pytest.fixture
def category(squares) -> Category:
    return make_category()


def test_whoever_adds_a_category_says_what_is_public_of_it(chief, category):
    sent = {**CATEGORY, "group": category.group_id, "duty": category.duty_id}
    for wrong in ({"precision": ""}, {"precision": "exact"}):
        answer = chief.post("/admin/cases/category/add/", {**sent, **wrong})
        assert answer.status_code == 200
        assert not Category.objects.filter(code="PRU-09").exists()
    assert chief.post("/admin/cases/category/add/", sent).status_code == 302
    added = Category.objects.get(code="PRU-09")
    assert (added.precision, added.private) == ("none", True)


def test_what_is_public_of_a_category_and_its_code_are_not_changed_by_hand(
    chief, category
):
    """Its cases would have to be shown anew; and another code is another category."""
    sent = {**CATEGORY, "group": category.group_id, "duty": category.duty_id}
    page = f"/admin/cases/category/{category.pk}/change/"
    assert chief.post(page, sent).status_code == 302
    changed = Category.objects.get(name_es="Árbol de prueba")
    assert (changed.pk, changed.private) == (category.pk, category.private)
    assert changed.precision == category.precision != "none"


def test_the_queue_and_each_job_are_to_be_seen(chief):
    enqueue(TELL, change_id=31141)
    job = ProcrastinateJob.objects.get()
    pages = [chief.get(JOBS), chief.get(f"{JOBS}{job.pk}/change/")]
    for page in pages:
        assert page.status_code == 200
        assert TELL in page.content.decode()
        assert "31141" in page.content.decode()


def test_the_pages_have_nothing_that_the_csp_refuses(chief):
    enqueue(TELL, change_id=1)
    job = ProcrastinateJob.objects.get()
    for address in (JOBS, f"{JOBS}{job.pk}/change/"):
        page = chief.get(address)
        assert "unsafe-inline" not in page["Content-Security-Policy"]
        assert re.findall(r"<[^>]* (?:style|on\w+)=", page.content.decode()) == []


@pytest.mark.parametrize("action", ["retry", "cancel", "abort", "delete_selected"])
def test_nobody_touches_a_job_there(chief, action):
    enqueue(TELL, change_id=1)
    job = ProcrastinateJob.objects.get()
    chief.post(JOBS, {"action": action, "_selected_action": [job.pk], "post": "yes"})
    for door in ("change", "delete"):
        answer = chief.post(f"{JOBS}{job.pk}/{door}/", {"status": "failed"})
        assert answer.status_code == 403
    assert chief.post(f"{JOBS}add/", {}).status_code == 403
    assert waiting_jobs() == [(TELL, {"change_id": 1})]


def test_who_may_not_look_sees_nothing():
    staff = User.objects.create_user("mesa", is_staff=True)
    client = Client(HTTP_HOST="localhost")
    client.force_login(staff)
    assert client.get(JOBS).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_procrastinatejob"))
    assert client.get(JOBS).status_code == 200
