"""A row that is written or found by our own statement is the one that Django would have had."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.forms import model_to_dict

from backend.accounts.devices import issue_device
from backend.accounts.models import Device
from backend.cases.models import Case, Category, Follow, Photo, Reporter, StatusChange
from backend.rows import NotAsSeen, Seen, find, insert
from tests.factories import make_case, make_territory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def territory() -> None:
    make_territory()


def copy_of(row, **changes):
    """A second one, not stored yet."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.fields}
    del values[row._meta.pk.attname]
    return type(row)(**(values | changes))


def test_a_case_is_stored_as_django_stores_it():
    first = make_case()
    first.refresh_from_db()
    second = copy_of(
        first, number="26-9999999-9", report_id="0" * 8 + "-0000-4000-8000-000000000000"
    )
    insert(second)
    assert second.pk > first.pk
    stored = Case.objects.get(pk=second.pk)
    assert stored == second
    apart = {"id", "number", "report_id"}
    assert model_to_dict(stored, exclude=apart) == model_to_dict(first, exclude=apart)
    assert (stored.location.srid, stored.public_location) == (
        4326,
        first.public_location,
    )


def test_a_row_with_a_key_of_its_own_keeps_it():
    device = Device(token_digest="a" * 64, language="en", made_at=make_case().filed_at)
    before = device.pk
    insert(device)
    assert Device.objects.get().pk == before == device.pk
    device.language = "es"
    device.save()  # no second one: it is known to be stored
    assert Device.objects.get().language == "es"


def test_what_is_stored_encrypted_is_encrypted_here_too():
    case = make_case()
    reporter = Reporter(
        case=case,
        name="Ana",
        email="ana@example.org",
        consent="x",
        consented_at=case.filed_at,
    )
    insert(reporter)
    assert Reporter.objects.get().name == "Ana"
    (raw,) = Reporter.objects.extra(select={"raw": "name::text"}).values_list("raw")
    assert "Ana" not in raw[0]


def test_a_row_that_was_inserted_is_changed_by_saving_it():
    line = StatusChange(
        case=(case := make_case()), status="assigned", changed_at=case.filed_at
    )
    insert(line)
    line.note = "Nota"
    line.save()
    assert case.history.count() == 2
    assert case.history.last() == line


def test_what_the_database_refuses_is_refused():
    follow = {"case": (case := make_case()), "device": issue_device().device}
    insert(Follow(**follow, followed_at=case.filed_at))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(Follow(**follow, followed_at=case.filed_at))


# ── Several ──────────────────────────────────────────────────────────────────────


def new_case(**changes):
    first = make_case()
    return copy_of(first, **{"number": "26-9999999-9", "report_id": uuid4(), **changes})


def line_of(case):
    return StatusChange(case=case, status="received", changed_at=case.filed_at)


def test_rows_that_refer_to_each_other_are_stored_by_one_statement(
    django_assert_num_queries,
):
    case, device = new_case(), issue_device().device
    line = line_of(case)
    follow = Follow(case=case, device=device, own=True, followed_at=case.filed_at)
    photo = Photo(
        case=case, change=line, size=3, received=3, sha256="a", added_at=case.filed_at
    )
    with django_assert_num_queries(1):
        insert(case, line, follow, photo)
    assert (line.case_id, follow.case_id, photo.change_id) == (
        case.pk,
        case.pk,
        line.pk,
    )
    stored = Case.objects.get(report_id=case.report_id)
    assert (stored, stored.history.get()) == (case, line)
    assert (stored.follows.get(), stored.photos.get()) == (follow, photo)
    assert stored.follows.get().device == device
    assert line.photos.get() == photo


def test_two_rows_of_one_model_keep_apart():
    cases = [new_case(), new_case(number="26-9999998-8")]
    lines = [line_of(case) for case in reversed(cases)]
    insert(*cases, *lines)
    assert [line.case_id for line in lines] == [cases[1].pk, cases[0].pk]
    assert [case.history.get() for case in cases] == lines[::-1]


def test_if_one_is_refused_none_is_stored():
    case, other = new_case(), make_case()
    line = line_of(case)
    other.pk = None  # a second one with the number of the first
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(case, line, other)
    assert not Case.objects.filter(report_id=case.report_id).exists()
    assert (case.pk, line.pk) == (None, None)
    insert(case, line)  # and they can be stored still
    assert Case.objects.get(report_id=case.report_id).history.get() == line


# ── Only while another is as it was read ─────────────────────────────────────────


def test_what_was_read_and_still_is_so_lets_them_be_stored(django_assert_num_queries):
    case = new_case()
    line, read = line_of(case), case.category
    with django_assert_num_queries(1):
        insert(case, line, seen=Seen(read, ("precision", "private")))
    stored = Case.objects.get(report_id=case.report_id)
    assert (stored, stored.history.get()) == (case, line)
    assert model_to_dict(stored) == model_to_dict(case)
    alone = new_case(number="26-9999998-8")
    insert(alone, seen=Seen(read, ()))
    assert Case.objects.filter(pk=alone.pk).exists()


def test_what_is_otherwise_by_now_lets_nothing_be_stored():
    case = new_case()
    line = line_of(case)
    read = Category.objects.get(pk=case.category_id)
    Category.objects.filter(pk=read.pk).update(precision="grid")
    with pytest.raises(NotAsSeen):
        insert(case, line, seen=Seen(read, ("precision", "private")))
    assert not Case.objects.filter(report_id=case.report_id).exists()
    assert (case.pk, line.pk) == (None, None)
    insert(case, line, seen=Seen(read, ("private",)))
    assert Case.objects.get(report_id=case.report_id).history.get() == line


# ── Found ────────────────────────────────────────────────────────────────────────


def test_a_row_is_found_as_django_would_find_it(django_assert_num_queries):
    device = issue_device(language="en").device
    issue_device()
    device.push = '{"endpoint": "https://push.example"}'
    device.save()
    with django_assert_num_queries(1):
        found = find(Device, "id = %s", [device.id])
        assert found is not None
        assert model_to_dict(found) == model_to_dict(device)
    found.language = "es"
    found.save()  # no second one: it is known to be stored
    assert Device.objects.get(pk=device.pk).language == "es"


def test_what_the_database_keeps_otherwise_is_read_too():
    case = make_case()
    found = find(Case, "number = %s", [case.number])
    assert found == case
    assert (found.location.coords, found.location.srid) == (case.location.coords, 4326)
    assert found.zones == case.zones


def test_a_row_that_is_not_there_is_not_found():
    assert find(Device, "token_digest = %s", ["a" * 64]) is None
