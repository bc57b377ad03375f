"""Whether a photo fits its report. A doubt decides nothing: a person looks."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.gis.geos import Point
from django.contrib.gis.measure import D
from django.db import connection

from backend.cases.deadlines import PANAMA
from backend.cases.models import Case, Photo
from backend.cases.photo_cleaning import CleanPhoto

TAKEN_ELSEWHERE = "taken-elsewhere"
TAKEN_EARLIER = "taken-earlier"
SEEN_BEFORE = "seen-before"

FARTHEST = D(km=1)
EARLIEST = timedelta(days=7)
# Near-duplicates differ in few of the 64 bits; those of other photos in some 32.
NEAR_BITS = 6
RECENT = timedelta(days=60)

NEAR_DUPLICATES = """
    SELECT EXISTS (
        SELECT FROM cases_photo
        WHERE fingerprint IS NOT NULL AND added_at >= %(since)s
          AND case_id <> %(case)s AND state = 'ready'
          AND bit_count((fingerprint # %(fingerprint)s)::bit(64)) <= %(bits)s
    )
"""


def doubts_about(photo: Photo, made: CleanPhoto, at: datetime) -> list[str]:
    """Codes of what a person should look at; none of a made-up photo, all alike."""
    if photo.case.demo:
        return []
    found = {
        TAKEN_ELSEWHERE: is_elsewhere(photo, made),
        TAKEN_EARLIER: is_earlier(photo, made),
        SEEN_BEFORE: seen_before(photo, made, at),
    }
    return [code for code, doubted in found.items() if doubted]


def is_elsewhere(photo: Photo, made: CleanPhoto) -> bool:
    if made.taken_location is None:
        return False
    taken = Point(*made.taken_location, srid=4326)
    far = Case.objects.filter(pk=photo.case_id, location__distance_gt=(taken, FARTHEST))
    return far.exists()


def is_earlier(photo: Photo, made: CleanPhoto) -> bool:
    taken_at = camera_moment(made)
    # Not `said - EARLIEST`: a phone's clock may be in the first days of the calendar.
    return taken_at is not None and said_moment(photo) - taken_at > EARLIEST


def said_moment(photo: Photo) -> datetime:
    """When the phone says that what the photo shows was so."""
    if photo.change is not None:
        return photo.change.reported_at or photo.change.changed_at
    return photo.case.captured_at or photo.case.filed_at


def camera_moment(made: CleanPhoto) -> datetime | None:
    """When the camera says it was taken: without an offset, by Panama's clocks."""
    if made.taken_at is None or made.taken_at.tzinfo is not None:
        return made.taken_at
    return made.taken_at.replace(tzinfo=PANAMA)


def seen_before(photo: Photo, made: CleanPhoto, at: datetime) -> bool:
    if made.fingerprint is None:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            NEAR_DUPLICATES,
            {
                "since": at - RECENT,
                "case": photo.case_id,
                "fingerprint": made.fingerprint,
                "bits": NEAR_BITS,
            },
        )
        (found,) = cursor.fetchone()
    return bool(found)
