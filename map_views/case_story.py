"""What a case's page tells: where it stands, what happened, who answers and by when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.gis.geos import Point
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend.cases.citizens import supports_of
from backend.cases.models import Case, Photo, Reporter, StatusChange
from backend.cases.photo_links import url_of
from backend.cases.photos import shown
from backend.cases.workflow import PAUSED, RESOLVED
from provinces.models import in_reader_language


@dataclass(frozen=True)
class Picture:
    """A photo of the case, and its place among those of its kind."""

    url: str
    thumbnail: str
    width: int
    height: int
    position: int


@dataclass(frozen=True)
class Event:
    """A line of the history, with the photos that came with it."""

    status: str
    name: str
    at: datetime
    note: str
    pictures: list[Picture]


@dataclass(frozen=True)
class Story:
    """A case for its page: as the public sees it, or `own`, as its reporter does."""

    case: Case
    own: bool
    events: list[Event]
    before: list[Picture]
    after: list[Picture]
    supports: int

    @property
    def tone(self) -> str:
        """The colour of its status: as on the map."""
        if self.case.is_open:
            return "open"
        return "resolved" if self.case.status in RESOLVED else "other"

    @property
    def description(self) -> str:
        return self.case.description if self.own else self.case.public_description

    @property
    def point(self) -> Point | None:
        return self.case.location if self.own else self.case.public_location

    @property
    def point_is_approximate(self) -> bool:
        return not self.own and self.case.category.precision != "exact"

    @property
    def places(self) -> list[str]:
        """Names of its places, smallest first: without a public point, no corregimiento."""
        case = self.case
        names = [case.district.name, case.province.name]
        if self.point is not None and case.corregimiento:
            names.insert(0, case.corregimiento.name)
        return names

    @property
    def entity(self) -> str:
        entity = self.case.entity
        return in_reader_language(entity.name, entity.name_en) if entity else ""

    @property
    def reporter(self) -> Reporter | None:
        return Reporter.objects.filter(case=self.case).first() if self.own else None

    @property
    def paused(self) -> bool:
        return self.case.status in PAUSED

    @property
    def late(self) -> bool:
        """Past its day: now, if it is open, or when it was resolved."""
        done_at = self.case.resolved_at if self.tone == "resolved" else timezone.now()
        return self.tone != "other" and (done_at or timezone.now()) > self.case.due_at

    @property
    def promise(self) -> str:
        """How the day promised compares with today, in words."""
        if self.paused:
            return _(
                "El plazo está en pausa mientras se espera la respuesta de quien reportó."
            )
        if self.tone == "open":
            return time_left(days_between(timezone.now(), self.case.due_at), self.late)
        if self.tone == "resolved":
            return _("Resuelto fuera de plazo") if self.late else _("Resuelto a tiempo")
        return ""


def time_left(days: int, late: bool) -> str:
    if late and days == 0:
        return _("Venció hoy")
    if late:
        return ngettext("Atrasado %(days)s día", "Atrasado %(days)s días", -days) % {
            "days": -days
        }
    if days == 0:
        return _("Vence hoy")
    return ngettext("Falta %(days)s día", "Faltan %(days)s días", days) % {"days": days}


def days_between(start: datetime, end: datetime) -> int:
    """Whole days on Panama's calendar."""
    return (timezone.localdate(end) - timezone.localdate(start)).days


def story_of(case: Case, *, own: bool = False) -> Story:
    # What is not ready has no picture yet.
    ready = Photo.State.READY
    photos = [photo for photo in shown(case, own=own) if photo.state == ready]
    before = pictures([photo for photo in photos if photo.change_id is None])
    after = pictures([photo for photo in photos if photo.change_id is not None])
    events = [event_of(change, photos, own=own) for change in case.history.all()]
    return Story(case, own, events, before, after, supports_of(case))


def event_of(change: StatusChange, photos: list[Photo], *, own: bool) -> Event:
    came_with_it = [photo for photo in photos if photo.change_id == change.pk]
    return Event(
        status=change.status,
        name=change.get_status_display(),
        at=change.changed_at,
        note=change.note if own else change.public_note,
        pictures=pictures(came_with_it),
    )


def pictures(photos: list[Photo]) -> list[Picture]:
    return [
        Picture(
            url=url_of(photo),
            thumbnail=url_of(photo, thumbnail=True),
            width=photo.width,
            height=photo.height,
            position=position,
        )
        for position, photo in enumerate(photos, start=1)
    ]
