"""What is held of a person in a case, for them to take along."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.accounts.models import Device
from backend.cases.models import (
    AccessLog,
    Case,
    ConsentText,
    Flag,
    Follow,
    Notice,
    Photo,
    Reporter,
    StatusChange,
)
from backend.cases.personal_data import (
    BY_REPORTER,
    REPORTER,
    by_own_phone,
    log_own_access,
    notices_to_reporter,
    own_follows,
    reporter_of,
)
from backend.cases.photo_links import url_of
from provinces.models import reads_english


def export_my_data(case: Case, at: datetime) -> dict[str, Any]:
    """All that is held of the person in this case, in the language of the moment.

    Their other cases are not in it: each opens with its own PIN.
    """
    with transaction.atomic():
        locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
        log_own_access(locked, AccessLog.What.TAKEN, at)
    reporter = reporter_of(case)
    follows = own_follows(case, reporter)
    return {
        "about": about(),
        "made_at": written(at),
        "forgotten_at": written(case.forgotten_at),
        "case": case_data(case),
        "contact": contact_data(reporter),
        "consent": consent_data(reporter),
        "report": report_data(case),
        "photos": [photo_data(photo) for photo in case.photos.filter(BY_REPORTER)],
        "history": [line_data(line) for line in case.history.all()],
        "device": device_data(case.device),
        "follows": [follow_data(follow) for follow in follows],
        "supports": [
            {"given_at": written(support.given_at)}
            for support in case.supports.filter(by_own_phone(case))
        ],
        "flags": [flag_data(flag) for flag in case.flags.filter(by_own_phone(case))],
        "notices": [
            notice_data(notice)
            for notice in notices_to_reporter(case, follows).order_by("pk")
        ],
        "accesses": [access_data(access) for access in case.accesses.all()],
    }


def about() -> str:
    return _(
        "Esto es todo lo que el 311 guarda de usted en este caso (Ley 81 de 2019). "
        "Los enlaces de las fotos pueden vencer en unos minutos; este archivo, no: "
        "guárdelo donde otros no lo lean. Lo demás de usted, si lo hay, está en sus "
        "otros casos, cada uno con su PIN."
    )


def case_data(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "category": case.category_id,
        "category_name": str(case.category),
        "act": case.act,
        "status": case.status,
        "status_name": case.get_status_display(),
        "filed_at": written(case.filed_at),
    }


def contact_data(reporter: Reporter | None) -> dict[str, Any] | None:
    if reporter is None:
        return None
    contact = {
        "name": reporter.name,
        "phone": reporter.phone,
        "email": reporter.email,
    }
    if reporter.is_lost:
        return {**contact, "unavailable": True}
    return contact


def consent_data(reporter: Reporter | None) -> dict[str, Any] | None:
    if reporter is None:
        return None
    text = ConsentText.objects.filter(version=reporter.consent).first()
    english = reads_english()
    return {
        "version": reporter.consent,
        "accepted_at": written(reporter.consented_at),
        "text": text and (text.text_en if english else text.text_es),
    }


def report_data(case: Case) -> dict[str, Any]:
    return {
        "id": str(case.report_id),
        "description": case.description,
        "place_hint": case.place_hint,
        "location": coordinates(case.location),
        "accuracy": case.accuracy,
        "captured_at": written(case.captured_at),
        "language": case.language,
    }


def photo_data(photo: Photo) -> dict[str, Any]:
    ready = photo.state == Photo.State.READY
    return {
        "id": str(photo.pk),
        "state": photo.state,
        "size": photo.size,
        "sha256": photo.sha256,
        "added_at": written(photo.added_at),
        "taken_at": written(photo.taken_at),
        "taken_location": coordinates(photo.taken_location),
        "doubts": photo.doubts,
        "original_kept": bool(photo.original),
        "url": f"{settings.PUBLIC_URL}{url_of(photo)}" if ready else None,
    }


def line_data(line: StatusChange) -> dict[str, Any]:
    return {
        "status": line.status,
        "status_name": line.get_status_display(),
        "note": line.note,
        "changed_at": written(line.changed_at),
        "by_reporter": line.by_reporter,
    }


def device_data(device: Device | None) -> dict[str, Any] | None:
    if device is None:
        return None
    push = orjson.loads(device.push) if device.push else {}
    return {
        "id": str(device.pk),
        "made_at": written(device.made_at),
        "language": device.language,
        "push_endpoint": push.get("endpoint"),
    }


def follow_data(follow: Follow) -> dict[str, Any]:
    return {
        "channel": "push" if follow.device_id else "email",
        "email": follow.email,
        "language": follow.language,
        "followed_at": written(follow.followed_at),
        "confirmed_at": written(follow.confirmed_at),
    }


def flag_data(flag: Flag) -> dict[str, Any]:
    return {
        "reason": flag.reason,
        "note": flag.note,
        "raised_at": written(flag.raised_at),
    }


def notice_data(notice: Notice) -> dict[str, Any]:
    return {
        "channel": notice.channel,
        "made_at": written(notice.made_at),
        "sent_at": written(notice.sent_at),
        "given_up": notice.given_up,
    }


def access_data(access: AccessLog) -> dict[str, Any]:
    return {
        "what": access.what,
        "by": "staff" if access.who_id else REPORTER,
        "why": access.why,
        "at": written(access.at),
    }


def coordinates(point: Point | None) -> list[float] | None:
    """Longitude and latitude in degrees (WGS 84)."""
    return [point.x, point.y] if point else None


def written(moment: datetime | None) -> str | None:
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else None
