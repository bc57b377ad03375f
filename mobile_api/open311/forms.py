"""A form that another system sends with its key: its words, its photos, its identity."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _

from backend.accounts.api_keys import key_of
from backend.accounts.encryption import fingerprint_of
from backend.accounts.models import ApiKey
from backend.cases.deadlines import PANAMA
from backend.cases.photo_headers import MOST_PHOTOS
from backend.cases.photos import digest_of
from mobile_api.bodies import promised_length
from mobile_api.open311.errors import NotAForm
from mobile_api.open311.parameters import CONTROL, Parameters
from mobile_api.parsers import PhotosParser

FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
LONGEST_ID = 200
LONGEST_LINK = 2000
CLOCKS_DIFFER = timedelta(minutes=5)
# Every client has its name: `media`, `media[]`, `media[0]`, `photos`, and FixMyStreet's
# `photo1`, `photo2`…
PHOTO = re.compile(r"(media|photos?)(\d{1,3}|\[\d{0,3}\])?", re.ASCII | re.IGNORECASE)
ATTRIBUTE = re.compile(r"attribute\[([^\]]{1,80})\](\[\])?")
# No user and password, and nothing that a page could take for more than an address.
LINK = re.compile(
    r"https?://[\w.-]+(:\d{1,5})?([/?#][^\s<>\"'\\]*)?", re.ASCII | re.IGNORECASE
)


class Form(Parameters):
    """What was sent, and whose key signed it."""

    def __init__(self, request: HttpRequest, key: ApiKey) -> None:
        super().__init__(request.POST)
        self.key = key
        self.files = request.FILES

    def photos(self) -> list[BinaryIO]:
        """Of any of their names; a file of another is refused, not lost without a word."""
        names = sorted(filter(PHOTO.fullmatch, self.files), key=by_number)
        sent = [file for name in names for file in self.files.getlist(name)]
        if len(sent) > MOST_PHOTOS:
            self.refuse("media", _("el máximo es de %d fotos.") % MOST_PHOTOS)
        for name in self.files:
            if not PHOTO.fullmatch(name):
                self.refuse(
                    name[:40],
                    _(
                        "no se espera un archivo ahí. Las fotos van en «media», "
                        "«photo» o «photos», también con un número o con corchetes."
                    ),
                )
        for name in filter(PHOTO.fullmatch, self.sent):
            if any(str(value).strip() for value in self.sent.getlist(name)):
                self.refuse(name, _("debe ser un archivo de multipart/form-data."))
        return [content_of(file) for file in sent]

    def links(self) -> list[str]:
        """Photos that are elsewhere. Nobody goes there: an address from a stranger could
        lead into the authority's own network (OWASP API7)."""
        sent = [str(link).strip() for link in self.sent.getlist("media_url")]
        return [link for link in sent if link]

    def description(self, longest: int) -> tuple[str, list[str]]:
        """The words, and where photos that are elsewhere are, on lines of their own.

        And what of the latter cannot be kept: it is no address, or does not fit.
        """
        said = self.text("description", longest)
        lost: list[str] = []
        for link in self.links():
            longer = f"{said}\n{link}".strip()
            if is_link(link) and len(longer) <= longest:
                said = longer
            else:
                lost.append(link)
        return said, lost

    def note(self, longest: int) -> str:
        """The description, where no answer could tell that part of it was lost."""
        said, lost = self.description(longest)
        if lost:
            self.refuse(
                "media_url",
                _("debe ser una dirección http o https, y caber en la nota."),
            )
        return said

    def past(self, name: str, now: datetime) -> datetime | None:
        """A moment that has come, by a clock that may be a little fast."""
        moment = self.moment(name)
        if moment and moment > now + CLOCKS_DIFFER:
            self.refuse(name, _("ese momento no ha llegado."))
        return moment

    def attributes(self) -> list[str]:
        """Names of what was told beyond the standard's fields, and is asked nowhere."""
        found = (ATTRIBUTE.fullmatch(name) for name in self.sent)
        return sorted({match[1] for match in found if match})

    def id(self, name: str, now: datetime) -> UUID:
        """The same for the same submission, so that it is done once however often sent.

        By the sender's own `name`, if there is one; else all that was sent is the same
        as earlier that day in Panama. Nobody else can make it, nor read it backwards.
        """
        own = self.text(name, LONGEST_ID)
        day = now.astimezone(PANAMA).date()
        said = f"{name}:{own}" if own else f"{day}:{self.digest()}"
        return UUID(fingerprint_of(f"{self.key.pk}:{said}", "open311")[:32], version=4)

    def digest(self) -> str:
        fields = [
            [name, list(map(str, values))]
            for name, values in sorted(self.sent.lists())
            if name != "api_key"
        ]
        photos = [
            digest_of(content_of(file))
            for name in sorted(self.files)
            for file in self.files.getlist(name)
        ]
        # A lone surrogate is refused later, in its field's words.
        said = str([fields, photos]).encode("utf-8", "backslashreplace")
        return hashlib.sha256(said).hexdigest()


def signed_form(request: HttpRequest) -> Form:
    """Raises NotAKey, NotAForm, RequestDataTooBig; and what Django does for bad forms."""
    if request.content_type not in FORMS:
        raise NotAForm
    if (promised_length(request) or 0) > PhotosParser.longest:
        raise RequestDataTooBig
    # In the form alone: addresses end up in logs.
    return Form(request, key_of(str(request.POST.get("api_key", "")).strip()))


def is_link(text: str) -> bool:
    usual = len(text) <= LONGEST_LINK and not CONTROL.search(text)
    return usual and LINK.fullmatch(text) is not None


def by_number(name: str) -> tuple[str, int]:
    digits = re.sub(r"\D", "", name, flags=re.ASCII)
    return name.rstrip("0123456789[]").lower(), int(digits or 0)


def content_of(file: UploadedFile[bytes]) -> BinaryIO:
    content: BinaryIO = file.file  # type: ignore[assignment]  # Django's stubs say IO
    return content
