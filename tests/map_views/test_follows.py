"""The pages behind the links of the letters."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from backend.cases.follow_links import confirm_url, leave_url
from backend.cases.models import Case, Follow
from tests.factories import make_case, make_category, make_territory
from tests.map_views.pages import Page

pytestmark = pytest.mark.django_db


@pytest.fixture
def follower() -> Follow:
    make_territory()
    return Follow.objects.create(
        case=make_case(),
        email="ana@example.com",
        email_fingerprint="0",
        followed_at=timezone.now(),
    )


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[-1]


def test_a_link_asks_and_a_button_says_yes(phone: Client, follower: Follow) -> None:
    link = path_of(confirm_url(follower))

    asked = phone.get(link)

    assert "¿Quiere que le escribamos" in asked.content.decode()
    assert follower.case.number in asked.content.decode()
    assert Page(asked).inline == []
    assert "no-cache" in asked["Cache-Control"]
    assert asked["X-Robots-Tag"] == "noindex"
    # Mail programs open links before their readers do.
    assert Follow.objects.get().confirmed_at is None
    assert "Listo" in phone.post(link).content.decode()
    assert Follow.objects.get().confirmed_at is not None


def test_who_has_enough_is_heard_with_one_post_and_no_cookie(follower: Follow) -> None:
    """As a mail program sends it: RFC 8058."""
    program = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    link = path_of(leave_url(follower))

    assert "¿Ya no quiere" in program.get(link).content.decode()
    assert Follow.objects.exists()
    for _ in range(2):
        answer = program.post(link, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert "no le escribiremos más" in answer.content.decode()
    assert not Follow.objects.exists()
    assert program.get(link).status_code == 200


@pytest.mark.parametrize("door", ["seguir", "dejar"])
def test_a_link_that_nobody_was_sent_opens_nothing(
    phone: Client, follower: Follow, door: str
) -> None:
    other = confirm_url if door == "dejar" else leave_url
    token = path_of(other(follower)).rsplit("/", 1)[-1]
    for made_up in (token, "x", "%00", "1", f"{token}x"):
        for answer in (
            phone.get(f"/{door}/{made_up}"),
            phone.post(f"/{door}/{made_up}"),
        ):
            assert answer.status_code == 404
            assert "Este enlace ya no vale" in answer.content.decode()
    assert Follow.objects.get().confirmed_at is None


def test_the_pages_tell_no_more_of_a_private_case_than_its_number(
    phone: Client, follower: Follow
) -> None:
    category = make_category("PRU-09", private=True, precision="none")
    Case.objects.update(category=category, is_public=False, public_location=None)
    text = phone.get(path_of(confirm_url(follower))).content.decode()
    assert follower.case.number in text
    assert "Categoría" not in text
    assert f"/casos/{follower.case.number}" not in text


def test_the_pages_are_english_for_who_reads_english(
    phone: Client, follower: Follow
) -> None:
    answer = phone.get(
        path_of(confirm_url(follower)), headers={"accept-language": "en"}
    )
    assert Page(answer).language == "en"
