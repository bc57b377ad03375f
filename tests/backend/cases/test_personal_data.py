"""What of a case is a person's, and how it goes when they ask; the case stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError

from backend.accounts.models import Device
from backend.cases.access import own_case
from backend.cases.filing import Contact, ReportIdReused, file_case
from backend.cases.handling import Transition, change_status
from backend.cases.models import (
    AccessLog,
    Case,
    Category,
    Flag,
    Follow,
    Notice,
    Photo,
    Reporter,
)
from backend.cases.personal_data import (
    DELETE_FILES,
    Cleaner,
    NeededWhileOpen,
    erase_me,
)
from backend.cases.photos import WITHHELD
from backend.cases.workflow import Status
from tests.backend.cases import people
from tests.backend.cases.failures import failing_at, files
from tests.backend.cases.people import FILED, WORDS, make_person, marks_left
from tests.factories import (
    WEST,
    make_case,
    make_category,
    make_crew,
    make_photo,
    make_report,
)
from tests.jobs import run_jobs, waiting_jobs

pytestmark = pytest.mark.usefixtures("squares")
LATER = FILED + timedelta(days=10)


def test_the_person_goes_and_the_case_stays():
    case = make_person()
    before = row()
    digests = people.digests_of(case)
    # All that is looked for can be found: nothing below is found absent by mistake.
    assert marks_left(digests) == {*WORDS, *digests, "where taken"}

    erase_me(case, LATER)
    # Who was still to be told of the case is not found any more.
    assert run_jobs().count(DELETE_FILES) == 1

    assert marks_left(digests) == set()
    after = row()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {
        "description",
        "public_description",
        "place_hint",
        "accuracy",
        "captured_at",
        "device_id",
        "report_digest",
        "forgotten_at",
        "updated_at",
    }
    assert case.location.coords == after["location"].coords == WEST
    assert after["category_id"] == "PRU-01"
    assert after["description"] == "Soy […], cédula […]: llame al […]."
    assert [line.note for line in case.history.all()] == [
        "",
        "Llamé a […] al […]",
        "Mi correo es […]",
        "Listo",
    ]
    photo = case.photos.get()
    assert (photo.original, photo.taken_at, photo.taken_location) == ("", None, None)
    assert files() == sorted([photo.image, photo.thumbnail])
    assert not Notice.objects.exists()


@pytest.mark.parametrize("refusal", ["", WITHHELD])
def test_pictures_that_nobody_may_see_go_and_what_was_said_of_them_stays(refusal):
    case = make_person()
    photo = case.photos.get(state="ready")
    work = Photo.objects.create(
        case=case,
        change=case.history.latest("pk"),
        state="ready",
        image=people.saved("2026/11/2.jpg", b"work"),
        thumbnail=people.saved("2026/11/2-320.jpg", b"work"),
        added_at=FILED,
    )
    Photo.objects.filter(pk=photo.pk).update(released_at=None, refusal=refusal)
    Flag.objects.update(photo=photo)
    erase_me(case, LATER)
    run_jobs(DELETE_FILES)
    assert case.photos.get() == work
    assert files() == sorted([work.image, work.thumbnail])
    assert Flag.objects.get().photo is None


def test_why_somebody_looked_no_longer_tells_who_it_was():
    case = make_person()
    looked = {"who": make_crew(), "what": "seen", "at": FILED}
    AccessLog.objects.create(case=case, why="Llamo a Zoraida Quintero", **looked)
    erase_me(case, LATER)
    run_jobs(DELETE_FILES)
    assert marks_left({}) == set()
    assert AccessLog.objects.get(what="seen").why == "Llamo a […]"


def row() -> dict[str, Any]:
    """The only case, as its columns."""
    return dict(Case.objects.values().get())


def test_the_pin_still_opens_the_case_without_anybody_in_it():
    case = make_person()
    erase_me(case, LATER)
    own = own_case(case.number, case.pin, "here")
    assert own.forgotten_at == LATER
    assert not Reporter.objects.filter(case=own).exists()


def test_sent_again_the_report_brings_nothing_back():
    report = make_report(
        description="Llame al 6987-6543",
        contact=Contact("Zoraida", "6987-6543", "", "1"),
    )
    case = file_case(report).case
    erase_me(case, LATER)
    before = row()
    again = file_case(report)
    assert (again.is_new, again.case) == (False, case)
    with pytest.raises(ReportIdReused):
        file_case(make_report(id=report.id, description="Llame al 6987-6544"))
    assert row() == before
    assert not Reporter.objects.exists()


def test_an_answer_sent_again_brings_nothing_back():
    case = make_case()
    step = Transition(Status.IN_REVIEW, "Mi número es 6987-6543", uuid4())
    first = change_status(case, step, None)
    erase_me(case, LATER)
    again = change_status(case, step, None)
    assert (again.is_new, again.version) == (False, first.version)
    assert case.history.latest("pk").note == "Mi número es […]"


def test_erased_twice_it_is_erased_once():
    case = make_person()
    erase_me(case, LATER)
    run_jobs()
    before = row()
    erase_me(case, LATER + timedelta(days=1))
    after = row()
    assert after == before
    assert after["forgotten_at"] == LATER
    assert waiting_jobs(DELETE_FILES) == []


def test_what_comes_after_is_erased_too():
    case = make_case()
    erase_me(case, LATER)
    change_status(case, Transition(Status.IN_REVIEW, "Soy 8-765-4321"), None)
    erase_me(case, LATER + timedelta(days=1))
    assert case.history.latest("pk").note == "Soy […]"


def test_other_people_go_on_following():
    case = make_person()
    other = people.other_follower(case)
    stranger = Follow.objects.create(
        case=case, email="otra@example.com", followed_at=FILED
    )
    erase_me(case, LATER)
    assert {follow.device for follow in case.follows.exclude(device=None)} == {other}
    assert case.follows.get(device=None) == stranger
    assert case.supports.get().device == other


def test_a_phone_with_other_cases_keeps_them():
    case, other = make_person(), make_case()
    Case.objects.filter(pk=other.pk).update(device=case.device)
    erase_me(case, LATER)
    assert list(Device.objects.all()) == [Case.objects.get(pk=other.pk).device]


@pytest.mark.parametrize("by", ["follows", "supports", "flags"])
def test_a_phone_that_has_to_do_with_another_case_still_has(by):
    """Or whom that case affects would be one person less."""
    case, other = make_person(), make_case()
    device = case.device
    assert device is not None
    people.tie(device, other, by)
    erase_me(case, LATER)
    assert getattr(other, by).get().device == device


def test_who_keeps_a_copy_hears_of_it_whatever_has_changed_meanwhile():
    case = make_person()
    since = LATER + timedelta(seconds=1)
    Case.objects.filter(pk=case.pk).update(updated_at=since)
    erase_me(case, LATER)
    assert Case.objects.get(updated_at__gte=since).forgotten_at == LATER


def test_what_a_crew_sent_stays():
    case = make_person(Status.ASSIGNED)
    done = Transition(Status.RESOLVED, "Listo", photos=[make_photo()])
    work = change_status(case, done, None, LATER).change.photos
    erase_me(case, LATER)
    run_jobs(DELETE_FILES)
    assert work.get().original in files()


def test_an_open_denunciation_needs_to_know_whose_it_is():
    denounced = make_category("PRU-09", act=Category.Act.DENUNCIATION)
    case = make_person(Status.ASSIGNED, category=denounced)
    before = people.everything_stored()
    with pytest.raises(NeededWhileOpen):
        erase_me(case, LATER)
    assert people.everything_stored() == before
    change_status(case, Transition(Status.REJECTED, "No procede"), None)
    erase_me(case, LATER)
    assert not Reporter.objects.exists()


def test_what_fails_half_way_has_erased_nothing():
    case = make_person()
    before = people.everything_stored()
    number = 1
    while True:
        with failing_at(number, OperationalError("power cut")) as failed:
            try:
                erase_me(case, LATER)
            except OperationalError:
                assert people.everything_stored() == before, failed
            else:
                break
        number += 3
    assert number > 10
    assert marks_left({}) == {"camera"}  # until the job has run


def test_the_files_go_after_the_rows_and_surely():
    case = make_person()
    original = case.photos.get(state="ready").original
    erase_me(case, LATER)
    assert default_storage.exists(original)
    [(task, arguments)] = waiting_jobs(DELETE_FILES)
    default_storage.delete(original)  # a job that had died half-way
    assert run_jobs(task) == [task]
    names = arguments["names"]
    assert isinstance(names, list)
    assert len(names) == 2
    assert not any(default_storage.exists(name) for name in names)


@pytest.mark.parametrize(
    ("name", "written", "left"),
    [
        ("Ana Pérez", "Soy ana  PEREZ de aquí", "Soy […] de aquí"),
        ("José Ñato", "jose nato y josé ñato.", "[…] y […]."),
        ("Ana", "Ana cruza la Anamá", "[…] cruza la Anamá"),
        ("Li", "Li limpia", "Li limpia"),
        (".*", "todo (.*) queda", "todo (.*) queda"),
        ("a+(b)", "fue a+(b), sí", "fue […], sí"),
        ("", "Nadie", "Nadie"),
    ],
)
def test_a_name_is_taken_out_however_it_is_written(name, written, left):
    assert Cleaner(Reporter(name=name))(written) == left
