"""The cases near a crew, and moving them on."""

import json
from math import asin, cos, radians, sin, sqrt
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.accounts.models import Membership
from backend.cases.filing import Contact
from backend.cases.models import Case, Photo, StatusChange
from backend.cases.workflow import CREW_MAY, OPEN, Status
from geo.nearby import Cursor
from mobile_api.crews import write_cursor
from tests.factories import (
    make_case,
    make_category,
    make_crew,
    make_duty,
    make_entity,
    make_jurisdiction,
    make_photo,
)
from tests.jobs import run_jobs
from tests.mobile_api.calls import (
    NEARBY,
    phone_of,
    problem_of,
    send,
    send_form,
    transition_body,
    transitions_of,
    wrong_fields,
)

pytestmark = pytest.mark.usefixtures("squares")

HERE: dict[str, Any] = {"lon": -79.95, "lat": 8.55}
PROPERTIES = {
    "number",
    "category",
    "category_name",
    "status",
    "version",
    "description",
    "place_hint",
    "filed_at",
    "due_at",
    "distance",
}


@pytest.fixture
def crew():
    """A phone of a crew of OBRAS, which answers for PRU-01."""
    return phone_of(make_crew())


def category_of(entity_code: str):
    """A category that another entity answers for."""
    duty = make_duty(f"duty-{entity_code}")
    if not duty.jurisdictions.exists():
        make_jurisdiction(duty, make_entity(entity_code))
    return make_category(f"P-{entity_code}", duty=duty)


def numbers(answer) -> list[str]:
    return [feature["id"] for feature in answer.json()["features"]]


# ── Near ─────────────────────────────────────────────────────────────────────────


def test_whose_phone_it_is_whose_cases_it_sees_and_which_are_two_statements(
    crew, django_assert_num_queries
):
    make_case()
    with django_assert_num_queries(2):
        assert len(numbers(crew.get(NEARBY, HERE))) == 1


def test_a_crew_sees_the_open_cases_around_it_nearest_first(crew):
    far = make_case(at=(-79.96, 8.55))
    near = make_case(at=(-79.951, 8.55), description="Un hueco", place_hint="Esquina")
    answer = crew.get(NEARBY, HERE)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    found = answer.json()
    assert found.keys() == {"type", "features", "next"}
    assert found["type"] == "FeatureCollection"
    assert found["next"] is None
    assert numbers(answer) == [near.number, far.number]
    first = found["features"][0]
    assert first.keys() == {"type", "id", "geometry", "properties"}
    assert first["geometry"] == {"type": "Point", "coordinates": [-79.951, 8.55]}
    assert first["properties"].keys() == PROPERTIES
    assert first["properties"]["distance"] == pytest.approx(109.96, abs=0.5)
    assert first["properties"]["description"] == "Un hueco"
    assert first["properties"]["place_hint"] == "Esquina"


def test_a_crew_gets_the_exact_place_of_a_private_case_but_not_who_reported(crew):
    category = make_category("P-1", private=True, precision="none")
    make_case(
        at=(-79.951234, 8.554321),
        category=category,
        contact=Contact("MARCA-nombre", "6999-1234", "marca@example.com", "MARCA"),
    )
    text = crew.get(NEARBY, HERE).content.decode()
    assert "[-79.951234,8.554321]" in text
    for mark in ("MARCA", "6999-1234", "marca@", "contact", "pin"):
        assert mark not in text


def metres(lon, lat, other_lon, other_lat) -> float:
    """The haversine formula on PostGIS's sphere."""
    a = (
        sin(radians(other_lat - lat) / 2) ** 2
        + cos(radians(lat))
        * cos(radians(other_lat))
        * sin(radians(other_lon - lon) / 2) ** 2
    )
    return 2 * 6_371_008.7714 * asin(sqrt(a))


places = st.tuples(
    st.floats(-79.999, -79.801).map(lambda number: round(number, 6)),
    st.floats(8.501, 8.599).map(lambda number: round(number, 6)),
)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    cases=st.lists(st.tuples(places, st.sampled_from(list(Status))), max_size=12),
    here=places,
    radius=st.integers(1, 25_000),
    page=st.integers(1, 5),
)
def test_the_pages_are_what_measuring_every_case_gives(crew, cases, here, radius, page):
    Case.objects.all().delete()
    expected = []
    for at, status in cases:
        case = make_case(at=at)
        Case.objects.filter(pk=case.pk).update(status=status)
        away = metres(*here, *at)
        # On the very edge two formulas may differ by the last bit.
        if abs(away - radius) < 0.001:
            Case.objects.filter(pk=case.pk).delete()
        elif status in OPEN and away < radius:
            expected.append((away, case.pk, case.number))
    asked = {"lon": here[0], "lat": here[1], "radius": radius, "limit": page}
    found = [feature for seen in pages(crew, asked) for feature in seen["features"]]
    assert len({feature["id"] for feature in found}) == len(found)
    assert {feature["id"] for feature in found} == {number for *_, number in expected}
    distances = [feature["properties"]["distance"] for feature in found]
    assert distances == sorted(distances)
    assert distances == pytest.approx([away for away, *_ in sorted(expected)], abs=0.06)


def pages(crew, asked):
    """Every page, following `next` to the end."""
    answer = crew.get(NEARBY, asked).json()
    yield answer
    for _ in range(50):
        if answer["next"] is None:
            return
        answer = crew.get(answer["next"]).json()
        yield answer
    pytest.fail("the pages do not end")


def test_cases_at_one_place_are_on_one_page_each(crew):
    made = [make_case().number for _ in range(7)]
    seen = list(pages(crew, {**HERE, "limit": 3}))
    assert [len(page["features"]) for page in seen] == [3, 3, 1]
    found = [feature["id"] for page in seen for feature in page["features"]]
    assert found == made


def test_a_case_resolved_between_two_pages_hides_no_other(crew):
    made = [make_case(at=(-79.95 - n / 1000, 8.55)) for n in range(6)]
    first = crew.get(NEARBY, {**HERE, "limit": 3})
    Case.objects.filter(pk=made[0].pk).update(status=Status.RESOLVED)
    second = crew.get(first.json()["next"])
    assert numbers(first) + numbers(second) == [case.number for case in made]


def test_the_next_page_keeps_the_question(crew):
    for _ in range(3):
        make_case()
    asked = {**HERE, "limit": 1, "radius": 700, "status": "received"}
    link = crew.get(NEARBY, asked).json()["next"]
    for piece in ("limit=1", "radius=700", "status=received", "lat=8.55", "cursor="):
        assert piece in link


def test_a_crew_sees_its_own_entity_alone(crew):
    own = make_case()
    make_case(category=category_of("IDAAN"))
    unassigned = make_case()
    Case.objects.filter(pk=unassigned.pk).update(entity=None)
    assert numbers(crew.get(NEARBY, HERE)) == [own.number]


def test_who_works_for_two_entities_sees_both_in_one_order():
    user = make_crew(make_entity("IDAAN"))
    Membership.objects.create(user=user, entity=make_entity("OBRAS"))
    water = category_of("IDAAN")
    made = [
        make_case(
            at=(-79.95 - n / 1000, 8.55), **({"category": water} if n % 2 else {})
        )
        for n in range(5)
    ]
    make_case(category=category_of("MOP"))
    phone = phone_of(user)
    assert numbers(phone.get(NEARBY, HERE)) == [case.number for case in made]
    found = [page["features"] for page in pages(phone, {**HERE, "limit": 2})]
    assert [len(page) for page in found] == [2, 2, 1]
    assert [one["id"] for page in found for one in page] == [c.number for c in made]


def test_who_is_of_no_entity_sees_nothing(phone):
    case = make_case()
    user = make_crew()
    Membership.objects.filter(user=user).delete()
    nobody = phone_of(user)
    assert crewless(nobody.get(NEARBY, HERE))
    refused = send(nobody, transition_body(), transitions_of(case.number))
    assert problem_of(refused, 404) == "no-such-case"


def crewless(answer) -> bool:
    found = answer.json()
    return bool(found == {"type": "FeatureCollection", "features": [], "next": None})


def test_who_has_not_signed_in_sees_nothing(phone):
    case = make_case()
    assert problem_of(phone.get(NEARBY, HERE), 401) == "not-authenticated"
    refused = send(phone, transition_body(), transitions_of(case.number))
    assert problem_of(refused, 401) == "not-authenticated"
    assert StatusChange.objects.count() == 1


def test_the_status_may_be_chosen_among_the_open_ones(crew):
    received = make_case()
    working = make_case(status=Status.IN_PROGRESS)
    make_case(status=Status.RESOLVED)
    both = {received.number, working.number}
    assert set(numbers(crew.get(NEARBY, HERE))) == both
    chosen = crew.get(NEARBY, {**HERE, "status": "in_progress"})
    assert numbers(chosen) == [working.number]
    chosen = crew.get(NEARBY, {**HERE, "status": "in_progress,received"})
    assert set(numbers(chosen)) == both
    for status in ("resolved", "received,closed", "nada"):
        refused = crew.get(NEARBY, {**HERE, "status": status})
        assert wrong_fields(refused) == {"/status": "not-open"}


def test_names_come_in_the_readers_language(crew):
    make_case()
    english = crew.get(NEARBY, HERE, headers={"Accept-Language": "en"}).json()
    assert english["features"][0]["properties"]["category_name"] == "Category PRU-01"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lat", ""),
        ("lat", "NaN"),
        ("lat", "90.1"),
        ("lat", "1_0"),
        ("lon", "Infinity"),
        ("lon", "-181"),
        ("lon", "1" * 41),
        ("radius", "0"),
        ("radius", "500001"),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "1e3"),
        ("status", "a\0"),
        ("cursor", "a" * 101),
        ("cursor", "é"),
        ("cursor", "AAAA"),
        ("cursor", write_cursor(Cursor(float("nan"), 1))),
        ("cursor", write_cursor(Cursor(float("inf"), 1))),
        ("cursor", write_cursor(Cursor(1.0, 0))),
        ("cursor", write_cursor(Cursor(1.0, 2**63))),
        ("cursor", write_cursor(Cursor(1.0, -(10**40)))),
    ],
)
def test_a_wrong_parameter_is_named(crew, name, value):
    refused = crew.get(NEARBY, {**HERE, name: value})
    assert wrong_fields(refused).keys() == {f"/{name}"}


def test_the_place_must_be_said(crew):
    assert wrong_fields(crew.get(NEARBY)) == {"/lat": "required", "/lon": "required"}


def test_a_cursor_at_the_end_of_the_world_is_an_empty_page(crew):
    make_case()
    cursor = write_cursor(Cursor(1e300, 2**63 - 1))
    assert crewless(crew.get(NEARBY, {**HERE, "cursor": cursor}))


# ── Moving on ────────────────────────────────────────────────────────────────────


def test_a_crew_moves_its_case_on(crew):
    case = make_case()
    body = transition_body("in_progress", note="Vamos", at="2026-11-20T08:00:00-05:00")
    answer = send(crew, body, transitions_of(case.number))
    assert answer.status_code == 201
    changed = answer.json()
    assert changed.keys() == {
        "number",
        "status",
        "status_name",
        "note",
        "at",
        "changed_at",
        "version",
    }
    assert changed["number"] == case.number
    assert changed["status"] == "in_progress"
    assert changed["at"] == "2026-11-20T08:00:00-05:00"
    # The server's time beside the phone's.
    assert changed["changed_at"] > changed["at"]
    case.refresh_from_db()
    assert case.status == Status.IN_PROGRESS
    line: Any = case.history.last()
    assert line.note == "Vamos"
    assert line.changed_by.username == "cuadrilla"


def test_a_transition_sent_again_is_done_once(crew):
    case = make_case()
    body = transition_body("resolved", note="Tapado")
    first = send(crew, body, transitions_of(case.number))
    for _ in range(2):
        again = send(crew, body, transitions_of(case.number))
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.content == first.content
    assert case.history.count() == 2


def test_a_transition_sent_again_much_later_is_still_the_same(crew):
    case = make_case()
    body = transition_body("in_progress")
    first = send(crew, body, transitions_of(case.number))
    send(crew, transition_body("resolved"), transitions_of(case.number))
    again = send(crew, body, transitions_of(case.number))
    assert again.status_code == 200
    assert again.content == first.content
    case.refresh_from_db()
    assert case.status == Status.RESOLVED


@pytest.mark.parametrize(
    ("name", "other"),
    [("to", "resolved"), ("note", "Otra"), ("at", "2026-11-20T08:00:01-05:00")],
)
def test_an_id_is_not_used_for_another_transition(crew, name, other):
    case = make_case()
    body = transition_body(note="Vamos", at="2026-11-20T08:00:00-05:00")
    send(crew, body, transitions_of(case.number))
    refused = send(crew, {**body, name: other}, transitions_of(case.number))
    assert problem_of(refused, 409) == "transition-id-reused"
    assert case.history.count() == 2


def test_an_id_is_not_used_for_another_case(crew):
    case, other = make_case(), make_case()
    body = transition_body()
    send(crew, body, transitions_of(case.number))
    refused = send(crew, body, transitions_of(other.number))
    assert problem_of(refused, 409) == "transition-id-reused"
    assert other.history.count() == 1


def test_the_photo_of_the_work_comes_in_a_form(crew, phone):
    case = make_case(photos=[make_photo(colour="red")])
    body, photo = transition_body("resolved", note="Listo"), make_photo(colour="green")
    path = transitions_of(case.number)
    first = send_form(crew, body, photo, path=path)
    again = send_form(crew, body, photo, path=path)
    assert (first.status_code, again.status_code) == (201, 200)
    assert Photo.objects.filter(case=case, change__status="resolved").count() == 1
    run_jobs()
    shown = phone.get(f"/api/v1/cases/{case.number}/").json()["photos"]
    assert [photo["of"] for photo in shown] == ["received", "resolved"]


def test_a_transition_with_a_broken_photo_changes_nothing(crew):
    case = make_case()
    cut = make_photo()
    cut.truncate(900)
    refused = send_form(
        crew, transition_body("resolved"), cut, path=transitions_of(case.number)
    )
    assert problem_of(refused, 422) == "not-an-image"
    case.refresh_from_db()
    assert case.status == Status.RECEIVED


@pytest.mark.parametrize("to", sorted(set(Status) - CREW_MAY))
def test_a_crew_may_not_do_what_is_the_desks_or_the_citizens(crew, to):
    case = make_case()
    refused = send(crew, transition_body(to), transitions_of(case.number))
    assert wrong_fields(refused) == {"/to": "invalid_choice"}
    assert case.history.count() == 1


@pytest.mark.parametrize("to", sorted(CREW_MAY))
def test_a_crew_may_do_its_own_part(crew, to):
    case = make_case()
    body = transition_body(to, note="Nota")
    assert send(crew, body, transitions_of(case.number)).status_code == 201


def test_a_step_that_the_workflow_does_not_have_is_refused(crew):
    case = make_case(status=Status.RESOLVED)
    refused = send(crew, transition_body("in_progress"), transitions_of(case.number))
    assert problem_of(refused, 409) == "transition-not-allowed"


@pytest.mark.parametrize("note", ["", "   "])
@pytest.mark.parametrize("to", ["rejected", "waiting_for_citizen"])
def test_what_the_citizen_must_understand_needs_a_note(crew, to, note):
    case = make_case()
    refused = send(crew, transition_body(to, note=note), transitions_of(case.number))
    assert problem_of(refused, 422) == "note-required"


def test_another_entitys_case_is_not_there(crew):
    case = make_case(category=category_of("IDAAN"))
    path = transitions_of(case.number)
    refused = send(crew, transition_body("resolved"), path)
    assert problem_of(refused, 404) == "no-such-case"
    unused = send(crew, transition_body("resolved"), transitions_of("26-9999999-8"))
    assert refused.content == unused.content
    # Nor does a bad body tell that it is.
    assert problem_of(send(crew, "{", path), 404) == "no-such-case"
    assert case.history.count() == 1


def test_the_replay_of_a_transition_is_not_shown_to_another_entity(crew):
    case = make_case()
    body = transition_body("resolved", note="Tapado")
    send(crew, body, transitions_of(case.number))
    other = phone_of(make_crew(make_entity("IDAAN"), "otra"))
    refused = send(other, body, transitions_of(case.number))
    assert problem_of(refused, 404) == "no-such-case"


def test_a_mistyped_number_is_told(crew):
    wrong = send(crew, {}, transitions_of("26-0000123-4"))
    assert problem_of(wrong, 404) == "wrong-digit"
    assert problem_of(send(crew, {}, transitions_of("x")), 404) == "not-a-case-number"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"id": None}, {"/id": "null"}),
        ({"id": True}, {"/id": "invalid"}),
        ({"id": 5}, {"/id": "invalid"}),
        ({"to": None}, {"/to": "null"}),
        ({"to": ["resolved"]}, {"/to": "invalid_choice"}),
        ({"note": "a" * 4001}, {"/note": "max_length"}),
        ({"note": "a\0"}, {"/note": "null_characters_not_allowed"}),
        ({"note": None}, {"/note": "null"}),
        ({"at": "9999-12-31T23:59:59"}, {"/at": "overflow"}),
        ({"at": "ayer"}, {"/at": "invalid"}),
        ({"photo": "x"}, {"/photo": "not_a_list"}),
    ],
)
def test_a_wrong_field_is_named(crew, fields, wrong):
    case = make_case()
    refused = send(crew, {**transition_body(), **fields}, transitions_of(case.number))
    assert wrong_fields(refused) == wrong
    assert case.history.count() == 1


def test_a_private_case_may_be_worked_on_like_any_other(crew, phone):
    case = make_case(category=make_category("P-1", private=True, precision="none"))
    body = {"id": str(uuid4()), "to": "resolved"}
    assert send(crew, body, transitions_of(case.number)).status_code == 201
    assert case.number not in json.dumps(phone.get("/api/v1/heat/").json())


def test_a_crew_is_no_staff(crew):
    refused = crew.get("/api/v1/routing/explain/", {**HERE, "category": "PRU-01"})
    assert problem_of(refused, 403) == "not-permitted"
