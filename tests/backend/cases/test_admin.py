"""The queue of jobs can be looked at in the administration, and not touched."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from backend.accounts.models import User
from backend.jobs import enqueue
from tests.jobs import waiting_jobs

pytestmark = pytest.mark.django_db

JOBS = "/admin/procrastinate/procrastinatejob/"
TELL = "backend.cases.tasks.tell"


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
