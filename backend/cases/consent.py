"""Which text a person accepts when they leave their contact, and whether they have.

The texts are files: `versions.csv` (version, first day) and `<version>.es.md`,
`<version>.en.md` beside it. A text that is loaded stays as it is, for people have
accepted those words: other words are another version.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from django.utils.translation import gettext as _

from backend.cases.deadlines import PANAMA
from backend.cases.models import ConsentText
from provinces.catalogue import (
    Changes,
    InvalidCatalogue,
    Row,
    built,
    day_of,
    differences,
    read_rows,
    upsert,
)


class NoConsentText(Exception):
    """No text is in force: contacts cannot be taken before one is loaded."""


class UnknownConsent(Exception):
    """Nobody can have accepted this version by then: there was no such text."""


def current(at: datetime) -> ConsentText:
    """The text in force. Raises NoConsentText."""
    text = ConsentText.objects.filter(valid_from__lte=day(at)).first()
    if text is None:
        raise NoConsentText
    return text


def check_accepted(version: str, at: datetime) -> None:
    """Whether a person can have accepted this version by then. Raises UnknownConsent.

    Older versions too: a phone without signal shows the text that it has.
    """
    known = ConsentText.objects.filter(version=version, valid_from__lte=day(at))
    if not known.exists():
        raise UnknownConsent(version)


def day(at: datetime) -> date:
    return at.astimezone(PANAMA).date()


def load_consent_texts(folder: Path, changes: Changes) -> None:
    """Add the folder's new texts. Raises InvalidCatalogue, also for changed words."""
    wanted = built(read_rows(folder / "versions.csv"), lambda row: text_of(row, folder))
    stored = ConsentText.objects.in_bulk([text.version for text in wanted])
    changed = [
        text.version
        for text in wanted
        if text.version in stored and differences(stored[text.version], text)
    ]
    if changed:
        raise InvalidCatalogue(
            [
                _(
                    "el texto de consentimiento %s ya está cargado y no se cambia: "
                    "haga otra versión"
                )
                % version
                for version in changed
            ]
        )
    upsert(wanted, changes)


def text_of(row: Row, folder: Path) -> ConsentText:
    first_day = day_of(row, "valid_from")
    if first_day is None:
        raise row.wrong("valid_from", _("es un día (AAAA-MM-DD)"))
    return ConsentText(
        version=row["version"],
        text_es=words(folder / f"{row['version']}.es.md"),
        text_en=words(folder / f"{row['version']}.en.md"),
        valid_from=first_day,
    )


def words(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise InvalidCatalogue([f"{path.name}: {problem}"]) from problem
