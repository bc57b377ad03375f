"""What happened to cases (mySociety's `servicerequestupdates`), read and written.

A key that an entity holds for its own system moves that entity's cases, as its crews do.
What any other key says of a case waits for a person to read it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.accounts.api_keys import give_use_back, use_key
from backend.accounts.models import ApiKey
from backend.cases.access import public_case
from backend.cases.citizens import Complaint, flag
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Flag, Photo, StatusChange
from backend.cases.workflow import Status
from mobile_api.cases import in_panama
from mobile_api.open311.door import Door
from mobile_api.open311.errors import Invalid, NotYours, Wrong
from mobile_api.open311.forms import Form, signed_form
from mobile_api.open311.parameters import Parameters, period
from mobile_api.open311.requests import (
    LONGEST_PERIOD,
    MOST_PAGES,
    MOST_ROWS,
    by_number,
)
from mobile_api.open311.rows import link
from mobile_api.open311.statuses import (
    AS_IT_IS,
    ASKED,
    EXTENDED,
    asked_for,
    is_there,
    plain,
)

LONGEST_NOTE = 4000
LONGEST_COMMENT = 1000
KNOWN = {*EXTENDED.values(), *ASKED, *(status.upper() for status in Status)}


class UpdatesView(Door):
    root = "service_request_updates"

    def read(self, request: HttpRequest, **path: str) -> list[dict[str, Any]]:
        """The public lines of the histories, the oldest first.

        Within 90 days; of cases that are named, all of them.
        """
        parameters = Parameters(request.GET)
        lines = asked_lines(parameters, timezone.now())
        return [update_row(line, request) for line in lines]

    def post(self, request: HttpRequest, **path: str) -> HttpResponse:
        form = signed_form(request)  # all of it is here before it is now
        return self.done([{"update_id": take_update(form, timezone.now())}])


# ── Read ─────────────────────────────────────────────────────────────────────────


def asked_lines(parameters: Parameters, now: datetime) -> QuerySet[StatusChange]:
    """Raises Invalid."""
    ids = parameters.codes("service_request_id")
    start, end = parameters.moment("start_date"), parameters.moments("end_date")
    page = parameters.integer("page", 1, range(1, MOST_PAGES + 1))
    size = parameters.integer("page_size", MOST_ROWS, range(1, MOST_ROWS + 1))
    parameters.check()
    # Named cases have few lines, and who asks for one wants what happened to it.
    first, last = period(start, end, None if ids else LONGEST_PERIOD, now)
    cases = (
        by_number(ids) if ids else Case.objects.public().exclude(public_location=None)
    )
    released = Photo.objects.filter(released_at__isnull=False).select_related("case")
    lines = (
        StatusChange.objects.filter(changed_at__gte=first, changed_at__lte=last)
        .filter(case__in=cases.order_by())
        # To be received is the request itself, and no news of it.
        .exclude(status=Status.RECEIVED)
        .select_related("case")
        .prefetch_related(Prefetch("photos", released))
        .order_by("changed_at", "id")
    )
    return lines[(page - 1) * size : page * size]


def update_row(line: StatusChange, request: HttpRequest) -> dict[str, Any]:
    photos = list(line.photos.all())
    return {
        "update_id": str(line.pk),
        "service_request_id": line.case.number,
        "status": EXTENDED[Status(line.status)],
        "external_status_code": line.status,
        "updated_datetime": in_panama(line.changed_at),
        "description": line.public_note or str(line.get_status_display()),
        "media_url": link(photos[0], request) if photos else None,
    }


# ── Write ────────────────────────────────────────────────────────────────────────


def take_update(form: Form, now: datetime) -> str:
    """Do what a system asks for, once; the id of what came of it.

    Raises Invalid, NoSuchCase, NotYours, TooMany, and what `change_status` and `flag`
    do.
    """
    number = form.required("service_request_id", 40)
    word = form.text("status", 40)
    if word and plain(word) not in KNOWN:
        form.refuse("status", _("no es un estado que se conozca."))
    at = form.past("updated_datetime", now)
    form.check()
    case = public_case(number)
    if word.upper() in AS_IT_IS or not is_its_entitys(form.key, case):
        return commented(case, word, form, now)
    if is_there(Status(case.status), word) and not is_line(form, now):
        return commented(case, word, form, now)
    to = asked_for(word)
    if to is None:
        raise Invalid(
            Wrong("status", _("a ese estado no se llega por aquí, sino en la mesa."))
        )
    return moved(case, to, at, form, now)


def is_its_entitys(key: ApiKey, case: Case) -> bool:
    return key.entity_id is not None and key.entity_id == case.entity_id


def is_line(form: Form, now: datetime) -> bool:
    """Whether this has come before, and the case has taken the step."""
    id = form.id("update_id", now)
    return StatusChange.objects.filter(transition_id=id).exists()


def moved(
    case: Case, to: Status, at: datetime | None, form: Form, now: datetime
) -> str:
    step = Transition(
        to,
        note=form.note(LONGEST_NOTE),
        id=form.id("update_id", now),
        at=at,
        photos=form.photos(),
        key=form.key,
    )
    form.check()
    counted = not is_line(form, now)
    if counted:
        use_key(form.key)
    changed = change_status(case, step, None)
    if counted and not changed.is_new:
        give_use_back(form.key)  # sent twice at once
    return str(changed.change.pk)


def commented(case: Case, word: str, form: Form, now: datetime) -> str:
    """Words that a person will read; with a status, what the sender thinks of it."""
    said = form.note(LONGEST_COMMENT - 50)
    if form.photos():
        form.refuse("media", _("con un comentario no se reciben fotos."))
    id = form.id("update_id", now)
    form.check()
    if not said:
        return repeated(case, word, form.key)
    note = said if word.upper() in AS_IT_IS else f"[{word.upper()}] {said}"
    counted = not Flag.objects.filter(pk=id).exists()
    if counted:
        use_key(form.key)
    complaint = Complaint(id, Flag.Reason.OTHER, note)
    is_new = flag(case, None, complaint, now, key=form.key)
    if counted and not is_new:
        give_use_back(form.key)  # sent twice at once
    return str(id)


def repeated(case: Case, word: str, key: ApiKey) -> str:
    """The line that led to a status which its entity tells once more, without a word.

    Raises NotYours for what others say of it: it would be lost; Invalid without either.
    """
    if word.upper() in AS_IT_IS:
        raise Invalid(Wrong("description", _("falta.")))
    if not is_its_entitys(key, case):
        raise NotYours
    return str(case.history.filter(status=case.status).latest("id").pk)
