"""config/: what the phone must know before it sends anything."""

from __future__ import annotations

from datetime import timedelta

from cryptography.fernet import Fernet
from django.utils import timezone

from backend.cases.models import ConsentText
from backend.cases.photo_headers import MOST_BYTES, MOST_PHOTOS
from tests.factories import make_category, make_territory
from tests.mobile_api.calls import CONFIG, full_body, send, wrong_fields


def consent(version: str, days: int) -> None:
    ConsentText.objects.create(
        version=version,
        text_es=f"Texto {version}",
        text_en=f"Text {version}",
        valid_from=timezone.localdate() + timedelta(days=days),
    )


def test_it_says_what_may_be_sent_and_whom_to_call(phone):
    answer = phone.get(CONFIG)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=300"
    said = answer.json()
    assert said.keys() == {"consent", "push", "limits", "emergency_numbers"}
    assert said["push"].keys() == {"public_key"}
    assert said["limits"] == {
        "photos": MOST_PHOTOS,
        "photo_bytes": MOST_BYTES,
        "chunk_bytes": 524_288,
        "description": 4000,
    }
    numbers = [one["number"] for one in said["emergency_numbers"]]
    assert numbers == ["911", "104", "103", "*335"]


def test_while_the_key_of_pushes_cannot_be_read_all_the_rest_is_told(phone, settings):
    known = phone.get(CONFIG).json()
    assert known["push"]["public_key"]
    settings.DATA_KEYS = [Fernet.generate_key().decode()]
    assert phone.get(CONFIG).json() == {**known, "push": {"public_key": ""}}


def test_what_it_says_of_the_description_is_what_is_accepted(phone):
    make_territory()
    make_category()
    longest = phone.get(CONFIG).json()["limits"]["description"]
    assert send(phone, full_body(description="a" * longest)).status_code == 201
    refused = send(phone, full_body(description="a" * (longest + 1)))
    assert wrong_fields(refused) == {"/description": "max_length"}


def test_the_text_to_consent_to_is_the_newest_that_is_valid(phone):
    ConsentText.objects.all().delete()
    assert phone.get(CONFIG).json()["consent"] is None
    consent("2026-01", days=-300)
    consent("2027-01", days=1)
    assert phone.get(CONFIG).json()["consent"]["version"] == "2026-01"
    consent("2026-11", days=0)
    assert phone.get(CONFIG).json()["consent"] == {
        "version": "2026-11",
        "text_es": "Texto 2026-11",
        "text_en": "Text 2026-11",
    }


def test_it_is_sent_again_only_when_it_is_another(phone):
    first = phone.get(CONFIG)
    asked = {"If-None-Match": first["ETag"]}
    assert phone.get(CONFIG, headers=asked).status_code == 304
    consent("9", days=0)
    assert phone.get(CONFIG, headers=asked).status_code == 200
