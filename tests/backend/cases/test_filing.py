"""A report becomes a case."""

from __future__ import annotations

import logging
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.contrib.gis.geos import Point
from django.core.files.storage import default_storage
from django.db import DataError, IntegrityError, OperationalError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.accounts.devices import issue_device
from backend.accounts.limits import TooMany
from backend.cases.days_off import promised
from backend.cases.deadlines import PANAMA
from backend.cases.filing import (
    Contact,
    ContactRequired,
    Report,
    ReportIdReused,
    digest_of_report,
    file_case,
)
from backend.cases.models import (
    Case,
    Category,
    Follow,
    Photo,
    Reporter,
    StatusChange,
)
from backend.cases.notices import TELL
from backend.cases.numbers import parse_case_number
from backend.cases.photo_headers import ImageTooLarge, NotAnImage
from backend.cases.storage import DurableFileSystemStorage
from backend.cases.workflow import Status
from provinces.editions import edition_in_force
from provinces.models import Jurisdiction
from provinces.places import NotThisSide, OutsidePanama
from tests.backend.cases.failures import failing_at, failing_once, files
from tests.factories import (
    EAST,
    WEST,
    make_category,
    make_consent,
    make_duty,
    make_entity,
    make_jurisdiction,
    make_photo,
    make_report,
)
from tests.jobs import run_jobs, waiting_jobs

pytestmark = pytest.mark.usefixtures("squares")

# A Monday, at ten in the morning in Panama.
MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
ANA = Contact("Ana Pérez", phone="6612-3456", email="ana@example.org", consent="1")
with_database = hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_a_report_becomes_a_case_with_somebody_who_answers_and_a_day():
    category = make_category(sla_amount=3)
    filed = file_case(
        make_report(
            WEST,
            category=category,
            description="Hueco grande",
            place_hint="frente a la escuela",
            accuracy=12.5,
            captured_at=MONDAY - timedelta(minutes=5),
            language="en",
            contact=ANA,
            photos=[make_photo()],
        ),
        at=MONDAY,
    )
    assert filed.is_new
    case = Case.objects.get()
    assert case == filed.case
    assert parse_case_number(case.number) == case.number
    assert case.number.startswith("26-")
    assert case.pin.isdecimal()
    assert len(case.pin) == 6
    assert case.category == category
    assert case.act == Category.Act.COMPLAINT
    assert case.entity_id == "OBRAS"
    assert case.jurisdiction is not None
    assert case.jurisdiction.entity_id == "OBRAS"
    assert (case.province_id, case.district_id) == ("90", "9001")
    assert case.corregimiento_id == "900101"
    assert case.status == Status.RECEIVED
    assert case.filed_at == case.updated_at == MONDAY
    assert case.due_at == datetime(2026, 11, 26, 23, 59, 59, tzinfo=PANAMA)
    assert case.captured_at == MONDAY - timedelta(minutes=5)
    assert (case.accuracy, case.language, case.demo) == (12.5, "en", False)
    assert case.place_hint == "frente a la escuela"
    assert case.location.coords == WEST
    assert case.is_public
    assert case.resolved_at is None
    line = case.history.get()
    assert (line.status, line.changed_at, line.changed_by) == (
        Status.RECEIVED,
        MONDAY,
        None,
    )
    assert case.reporter.name == "Ana Pérez"
    assert case.reporter.consented_at == MONDAY
    photo = case.photos.get()
    assert (photo.state, photo.change) == (Photo.State.RECEIVED, None)
    assert default_storage.exists(photo.original)
    run_jobs()
    photo.refresh_from_db()
    assert (photo.width, photo.height, photo.change) == (640, 480, None)
    assert default_storage.exists(photo.image)
    assert default_storage.exists(photo.thumbnail)


# ── Once ─────────────────────────────────────────────────────────────────────────


def test_a_report_sent_twice_is_filed_once():
    report = make_report(description="Hueco", photos=[make_photo()], contact=ANA)
    first = file_case(report)
    second = file_case(report)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.case == first.case
    assert second.case.pin == first.case.pin
    assert counts() == {Case: 1, StatusChange: 1, Photo: 1, Reporter: 1}
    assert len(files()) == 1
    assert sorted(name for name, _ in waiting_jobs()) == [TELL, "clean_photo"]


def test_a_report_sent_again_after_work_began_gets_its_case_as_it_is():
    report = make_report()
    case = file_case(report).case
    Case.objects.filter(pk=case.pk).update(status=Status.RESOLVED)
    assert file_case(report).case.status == Status.RESOLVED


def test_a_report_sent_again_is_its_case_even_if_the_rules_have_changed_since():
    report = make_report(category=make_category(act=Category.Act.COMPLAINT))
    case = file_case(report).case
    Jurisdiction.objects.filter(duty=report.category.duty).delete()
    Category.objects.update(act=Category.Act.DENUNCIATION, active=False)
    report.category.refresh_from_db()
    assert file_case(report).case == case


CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "location": st.builds(
        lambda x, y: Point(x, y, srid=4326),
        st.floats(-79.94, -79.91),
        st.floats(8.51, 8.59),
    ),
    "accuracy": st.one_of(st.none(), st.floats(0, 1000)),
    "description": st.text(
        st.characters(codec="utf-8", exclude_characters="\0"), max_size=50
    ),
    "place_hint": st.sampled_from(["", "casa 4", "Casa 4", "casa 4 "]),
    "act": st.sampled_from(["", *Category.Act.values]),
    "captured_at": st.one_of(st.none(), st.datetimes(timezones=st.just(UTC))),
    "language": st.sampled_from(["es", "en"]),
    "district": st.sampled_from(["", "9001", "9002"]),
    "contact": st.one_of(
        st.none(),
        st.builds(
            Contact,
            st.sampled_from(["Ana", "ana"]),
            st.sampled_from(["", "6612-3456"]),
            st.sampled_from(["", "a@b.pa"]),
            st.sampled_from(["1", "2"]),
        ),
    ),
    "photos": st.sampled_from([(), ("teal",), ("olive",), ("teal", "olive")]),
}


def test_every_word_of_a_report_is_looked_at():
    """A new field must be added to the digest, or here with the reason."""
    # The key; tested below; not the phone's word; whoever has the words has the case;
    # of another system's the id says whose it is; and rules may change between the two.
    neither = {"id", "category", "demo", "device", "key", "edition"}
    assert set(CHANGES) | neither == {field.name for field in fields(Report)}


@with_database
@given(st.data())
def test_the_same_id_with_another_report_changes_nothing(data):
    report = make_report(photos=as_sent("photos", ["teal"]), contact=ANA)
    case = file_case(report).case
    name = data.draw(st.sampled_from(sorted(CHANGES)))
    other = changed(report, name, data.draw(CHANGES[name]))
    before = everything()
    if same_words(report, other):
        assert file_case(other).case == case
    else:
        with pytest.raises(ReportIdReused):
            file_case(other)
    assert everything() == before


def test_the_same_id_for_another_category_changes_nothing():
    report = make_report()
    file_case(report)
    before = everything()
    with pytest.raises(ReportIdReused):
        file_case(replace(report, category=make_category("PRU-02")))
    assert everything() == before


@hypothesis_settings(deadline=None, max_examples=60)
@given(st.data())
def test_equal_reports_have_equal_digests_and_others_others(data):
    category = Category(code="PRU-01")
    one, other = (
        Report(
            id=uuid4(),
            category=category,
            **{name: as_sent(name, data.draw(CHANGES[name])) for name in CHANGES},
        )
        for _ in range(2)
    )
    assert digest_of_report(one) == digest_of_report(replace(one, id=uuid4()))
    assert (digest_of_report(one) == digest_of_report(other)) == same_words(one, other)


def test_a_report_from_before_there_was_a_side_to_choose_is_still_the_same():
    at_noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    report = Report(
        uuid4(),
        Category(code="PRU-01"),
        Point(*WEST, srid=4326),
        description="Un hueco",
        contact=ANA,
        captured_at=at_noon,
    )
    before = "ba79a5c94f3951c3"  # by the code of that time
    assert digest_of_report(report)[:16] == before
    assert digest_of_report(replace(report, district="9001"))[:16] != before


def test_words_moved_from_one_field_to_the_next_are_another_report():
    category = Category(code="PRU-01")
    report = Report(uuid4(), category, Point(*WEST, srid=4326))
    one = replace(report, description="ab", place_hint="c")
    other = replace(report, description="a", place_hint="bc")
    assert digest_of_report(one) != digest_of_report(other)


def test_of_thirty_two_at_once_one_is_filed(elsewhere):
    assert elsewhere.play("same_report") == {"new": 1, "again": 31}
    assert elsewhere.rows(
        "SELECT h.status FROM cases_statuschange h JOIN cases_case c ON c.id = h.case_id"
        " WHERE c.description = 'a la vez'"
    ) == [("received",)]
    [photo] = elsewhere.rows(
        "SELECT p.original FROM cases_photo p"
        " JOIN cases_case c ON c.id = p.case_id WHERE c.description = 'a la vez'"
    )
    assert set(photo) <= elsewhere.files()
    named = elsewhere.rows("SELECT original FROM cases_photo")
    assert elsewhere.files() == {name for (name,) in named}


def test_of_thirty_two_without_a_transaction_one_is_filed_too(elsewhere):
    assert elsewhere.play("same_words") == {"new": 1, "again": 31}
    assert elsewhere.rows(
        "SELECT count(*), count(DISTINCT h.id) FROM cases_case c"
        " LEFT JOIN cases_statuschange h ON c.id = h.case_id"
        " WHERE c.description = 'solo palabras'"
    ) == [(1, 1)]


# ── All or nothing ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", [DataError, IntegrityError])
def test_whichever_statement_fails_nothing_is_left(error):
    report = make_report(photos=[make_photo()], contact=ANA)
    statements = 0
    while True:
        statements += 1
        with failing_at(statements, error("injected")) as failed:
            try:
                filed = file_case(report)
            except error:
                pass
            else:
                break
        assert failed
        assert counts() == {Case: 0, StatusChange: 0, Photo: 0, Reporter: 0}
        assert waiting_jobs() == []
        assert files() == []
        assert waiting_jobs() == []
    # The loop ended because it ran out of statements, and not for another reason.
    assert not failed
    assert statements > 8
    assert filed.is_new
    assert counts() == {Case: 1, StatusChange: 1, Photo: 1, Reporter: 1}
    line = filed.case.history.get()
    assert (TELL, {"change_id": line.pk}) in waiting_jobs()
    assert (len(files()), len(waiting_jobs())) == (1, 2)


def test_outside_of_any_transaction_a_case_and_its_jobs_are_one(elsewhere):
    """A case without the job that cleans its photo would show none for ever."""
    assert elsewhere.play("no_job_no_case") == {"refused": 1, "cases": 0, "new": 1}
    named = elsewhere.rows("SELECT original FROM cases_photo")
    assert elsewhere.files() == {name for (name,) in named}


def test_a_file_that_cannot_be_kept_files_nothing(monkeypatch):
    save = DurableFileSystemStorage.save

    def full_after_one(storage, name, content):
        if len(files()) == 1:
            raise OSError(28, "No space left on device")
        return save(storage, name, content)

    monkeypatch.setattr(DurableFileSystemStorage, "save", full_after_one)
    with pytest.raises(OSError, match="No space"):
        file_case(make_report(photos=[make_photo(), make_photo(colour="red")]))
    assert counts() == {Case: 0, StatusChange: 0, Photo: 0, Reporter: 0}
    assert files() == []


def test_a_case_is_of_when_its_photos_are_kept(monkeypatch):
    """Or whoever asked meanwhile for what is new would miss it, and the days are its."""
    begun = datetime(2026, 11, 24, 23, 59, 30, tzinfo=PANAMA)
    save = DurableFileSystemStorage.save
    with time_machine.travel(begun, tick=False) as clock:

        def slowly(storage, name, content):
            clock.shift(timedelta(seconds=20))
            return save(storage, name, content)

        monkeypatch.setattr(DurableFileSystemStorage, "save", slowly)
        case = file_case(make_report(photos=[make_photo(), make_photo()])).case
    kept_at = begun + timedelta(seconds=40)  # the day after
    assert (case.filed_at, case.updated_at) == (kept_at, kept_at)
    assert case.history.get().changed_at == kept_at
    assert {photo.added_at for photo in case.photos.all()} == {kept_at}
    assert case.due_at == promised(case.category, kept_at, edition_in_force())


def test_a_connection_lost_while_committing_keeps_the_files():
    """The commit may have happened: a file too many is better than one too few."""
    report = make_report(photos=[make_photo()])
    with (
        failing_once("RELEASE SAVEPOINT", OperationalError("server closed")),
        pytest.raises(OperationalError),
    ):
        file_case(report)
    assert len(files()) == 1
    # The phone sends it again, and whatever happened, it is filed once.
    assert file_case(report).is_new
    assert counts() == {Case: 1, StatusChange: 1, Photo: 1, Reporter: 0}
    photo = Photo.objects.get()
    assert {photo.original} < set(files())


@pytest.mark.parametrize(
    ("upload", "error"),
    [(b"<html>", NotAnImage), (b"\0" * (12 * 1024 * 1024 + 1), ImageTooLarge)],
)
def test_a_report_with_one_bad_photo_is_not_filed(upload, error):
    photos = [make_photo(), BytesIO(upload)]
    with pytest.raises(error):
        file_case(make_report(photos=photos))
    assert counts() == {Case: 0, StatusChange: 0, Photo: 0, Reporter: 0}
    assert files() == []


# ── What it costs ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "statements"),
    # Is it known, what is in force, its number, and all that is written; then the text
    # that was accepted, and that they are to be told; then the photos' jobs.
    [
        ({}, 4),
        ({"contact": ANA}, 6),
        ({"photos": 1}, 5),
        ({"photos": 4, "contact": ANA}, 7),
        ({"device": 1}, 4),
    ],
)
def test_filing_takes_few_statements(sent, statements, django_assert_num_queries):
    warm_up = make_report()
    file_case(warm_up)
    if "device" in sent:
        sent = {"device": issue_device().device}
    sent = {**sent, "photos": [make_photo() for _ in range(sent.get("photos", 0))]}
    report = make_report(category=warm_up.category, **sent)
    in_a_transaction = 2  # this test's own: there it takes a savepoint
    with django_assert_num_queries(statements + in_a_transaction):
        file_case(report)


def test_a_report_without_jobs_is_written_by_one_statement_alone(elsewhere):
    # What is in force, whether it is known, its number; then all of it.
    assert elsewhere.play("plain_report") == {"SELECT": 3, "WITH": 1}


@pytest.mark.parametrize("photos", [0, 2])
def test_a_category_that_became_private_since_it_was_read_is_private(photos):
    read = make_category()
    Category.objects.filter(pk=read.pk).update(private=True, precision="none")
    admitted = []
    report = make_report(category=read, photos=[make_photo() for _ in range(photos)])
    filed = file_case(report, admit=lambda: admitted.append("once"))
    stored = Case.objects.get()
    assert (stored.is_public, stored.public_location) == (False, None)
    assert not filed.case.is_public
    assert (filed.is_new, admitted) == (True, ["once"])
    assert len(files()) == stored.photos.count() == photos


def test_a_report_sent_again_takes_fewer(django_assert_num_queries):
    report = make_report(photos=[make_photo()])
    file_case(report)
    with django_assert_num_queries(2):
        file_case(report)


# ── Whose it is, and whether it may ──────────────────────────────────────────────


def test_the_phone_that_sent_it_has_it_and_follows_it():
    device = issue_device().device
    case = file_case(make_report(device=device, language="en"), at=MONDAY).case
    assert case.device == device
    follow = case.follows.get()
    assert (follow.device, follow.own, follow.language) == (device, True, "en")
    assert (follow.email, follow.followed_at) == ("", MONDAY)


def test_a_report_without_a_token_is_followed_by_nobody():
    case = file_case(make_report()).case
    assert case.device is None
    assert not Follow.objects.exists()


def test_whoever_may_not_report_now_files_nothing_and_may_later():
    report = make_report(photos=[make_photo()])

    def no() -> None:
        raise TooMany(60)

    with pytest.raises(TooMany):
        file_case(report, admit=no)
    assert counts() == {Case: 0, StatusChange: 0, Photo: 0, Reporter: 0}
    assert files() == []
    assert file_case(report).is_new
    # What is filed is told to whoever sends it again, however often they may report.
    assert not file_case(report, admit=no).is_new


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"act": "denunciation"}, ContactRequired),
        ({"at": (-84.08, 9.93)}, OutsidePanama),
        ({"district": "9002"}, NotThisSide),
    ],
)
def test_what_cannot_be_filed_costs_nothing(fields, error):
    admitted: list[bool] = []
    with pytest.raises(error):
        file_case(make_report(**fields), admit=lambda: admitted.append(True))
    assert admitted == []


# ── Where, who and when ──────────────────────────────────────────────────────────


def test_who_stands_by_a_border_chooses_the_side():
    category = make_category("PRU-09", duty=make_duty("by-district"))
    Jurisdiction.objects.filter(duty="by-district").delete()
    for code in ("9001", "9002"):
        make_jurisdiction(
            category.duty,
            make_entity(f"MUN-{code}"),
            Jurisdiction.Scope.DISTRICT,
            code,
        )
    sides = {"": "9001", "9001": "9001", "9002": "9002"}
    for chosen, district in sides.items():
        report = make_report(
            (-79.9001, 8.55), category=category, accuracy=50, district=chosen
        )
        case = file_case(report).case
        assert (case.district_id, case.entity_id) == (district, f"MUN-{district}")
        assert case.corregimiento_id == f"{district}01"
        assert (case.snapped is None) == (district == "9001")
        assert case.near_border_id == ({"9001", "9002"} - {district}).pop()
        # Where the phone said that it was stays where it said.
        assert case.location.coords == (-79.9001, 8.55)


def test_nobody_answers_and_the_case_waits_with_an_alert(caplog):
    duty = make_duty("only-east")
    make_jurisdiction(duty, make_entity(), Jurisdiction.Scope.DISTRICT, "9002")
    category = make_category("PRU-09", duty=duty)
    report = make_report(WEST, category=category)
    with caplog.at_level(logging.ERROR):
        case = file_case(report).case
    assert case.entity is None
    assert case.jurisdiction is None
    assert list(Case.objects.unassigned()) == [case]
    [alert] = caplog.records
    assert alert.levelno == logging.ERROR
    assert "unassigned" in alert.getMessage()
    assert case.number in alert.getMessage()
    assert str(report.id) not in alert.getMessage()
    assert "only-east" in alert.getMessage()


def test_somebody_answers_and_there_is_no_alert(caplog):
    duty = make_duty("only-east")
    make_jurisdiction(duty, make_entity(), Jurisdiction.Scope.DISTRICT, "9002")
    with caplog.at_level(logging.WARNING):
        case = file_case(
            make_report(EAST, category=make_category("PRU-09", duty=duty))
        ).case
    assert case.entity_id == "OBRAS"
    assert not Case.objects.unassigned().exists()
    assert caplog.records == []


def test_late_on_new_years_eve_it_is_still_the_old_year_in_panama():
    duty = make_duty("handed-over")
    old, new = make_entity("VIEJA"), make_entity("NUEVA")
    make_jurisdiction(duty, old, valid_to=date(2026, 12, 31))
    make_jurisdiction(duty, new, valid_from=date(2027, 1, 1))
    category = make_category("PRU-09", duty=duty, sla_amount=1)
    half_past_eleven = datetime(2027, 1, 1, 4, 30, tzinfo=UTC)
    before = file_case(make_report(category=category), at=half_past_eleven).case
    after = file_case(
        make_report(category=category), at=half_past_eleven + timedelta(minutes=30)
    ).case
    assert (before.number[:3], before.entity_id) == ("26-", "VIEJA")
    assert (after.number[:3], after.entity_id) == ("27-", "NUEVA")
    # From Thursday the 31st past the holiday, and from Friday the 1st, to Monday.
    monday = datetime(2027, 1, 4, 23, 59, 59, tzinfo=PANAMA)
    assert before.due_at == after.due_at == monday


def test_a_border_within_the_phones_accuracy_is_kept_with_the_case():
    near = (-79.9001, 8.55)
    unsure = file_case(make_report(near, accuracy=50)).case
    assert (unsure.district_id, unsure.near_border_id) == ("9001", "9002")
    assert unsure.near_border_metres == pytest.approx(11, abs=0.5)
    sure = file_case(make_report(near, accuracy=5)).case
    assert (sure.near_border, sure.near_border_metres) == (None, None)


def test_a_point_just_outside_every_outline_is_snapped_and_says_so():
    case = file_case(make_report((-79.95, 8.49))).case
    assert case.district_id == "9001"
    assert case.snapped == pytest.approx(1_112, rel=0.01)
    assert file_case(make_report()).case.snapped is None


def test_a_point_far_from_panama_is_refused():
    with pytest.raises(OutsidePanama):
        file_case(make_report((-74.08, 4.61)))
    assert counts() == {Case: 0, StatusChange: 0, Photo: 0, Reporter: 0}


def test_numbers_and_pins_differ_from_case_to_case():
    cases = [file_case(make_report()).case for _ in range(20)]
    assert len({case.number for case in cases}) == 20
    assert len({case.pin for case in cases}) > 15


# ── Who reports, and what the public sees ────────────────────────────────────────


def test_a_denunciation_needs_a_contact():
    category = make_category("PRU-09", act=Category.Act.DENUNCIATION)
    report = make_report(category=category)
    with pytest.raises(ContactRequired):
        file_case(report)
    make_consent(ANA.consent)
    assert file_case(replace(report, contact=ANA)).case.act == "denunciation"


def test_what_the_citizen_makes_of_it_counts_more_than_the_category():
    with pytest.raises(ContactRequired):
        file_case(make_report(act=Category.Act.DENUNCIATION))
    denounced = make_category("PRU-09", act=Category.Act.DENUNCIATION)
    case = file_case(make_report(category=denounced, act=Category.Act.REQUEST)).case
    assert case.act == Category.Act.REQUEST


@pytest.mark.parametrize(
    ("precision", "seen"),
    [
        (Category.Precision.EXACT, (-79.951235, 8.551235)),
        (Category.Precision.GRID, (-79.95105, 8.55135)),
        (Category.Precision.NONE, None),
    ],
)
def test_the_public_sees_the_point_at_the_categorys_precision(precision, seen):
    exactly = (-79.9512345678, 8.5512345678)
    category = make_category("PRU-09", precision=precision)
    case = file_case(make_report(exactly, category=category)).case
    case.refresh_from_db()
    assert case.location.coords == pytest.approx(exactly, abs=1e-12)
    public = case.public_location
    assert (public.coords if public else None) == (seen and pytest.approx(seen))
    assert case.is_public


def test_a_private_category_makes_a_case_that_is_not_public():
    category = make_category("PRU-09", private=True, precision=Category.Precision.NONE)
    case = file_case(make_report(category=category)).case
    assert not case.is_public
    assert case.public_location is None
    assert not Case.objects.public().exists()


def test_what_could_be_somebodys_data_is_not_in_the_public_description():
    words = "Llame a Ana al 6612-3456 o ana@example.org; hueco de 2 metros."
    case = file_case(make_report(description=words)).case
    assert case.description == words
    assert case.public_description == "Llame a Ana al […] o […]; hueco de 2 metros."


# ── What the tests are made of ────────────────────────────────────────────────────


def counts() -> dict[type, int]:
    models = (Case, StatusChange, Photo, Reporter)
    return {model: model.objects.count() for model in models}


def everything() -> list[Any]:
    tables = (Case, StatusChange, Photo, Reporter)
    return [list(table.objects.order_by("pk").values()) for table in tables] + [files()]


def changed(report: Report, name: str, value: Any) -> Report:
    return replace(report, **{name: as_sent(name, value)})


def as_sent(name: str, value: Any) -> Any:
    if name != "photos":
        return value
    return [make_photo((16, 16), colour) for colour in value]


def same_words(one: Report, other: Report) -> bool:
    """Equality, told in another way than by digests."""

    def words(report: Report) -> list[Any]:
        said = {name: getattr(report, name) for name in CHANGES}
        said["location"] = report.location.coords
        said["photos"] = [photo.getvalue() for photo in report.photos]  # type: ignore[attr-defined]
        return [repr(said[name]) for name in sorted(said)]

    return words(one) == words(other)
