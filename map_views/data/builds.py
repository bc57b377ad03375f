"""Files that a job makes: asked for, made one at a time, kept for a while, thrown away."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.signing import BadSignature, TimestampSigner
from django.db import connection, transaction
from django.urls import reverse
from django.utils import timezone
from procrastinate.types import JSONValue

from backend.cases.models import DataFile
from backend.cases.storage import StorageAway, keep, storage_errors
from backend.cases.sweeping import is_old, listed
from backend.jobs import Hopeless, TryLater, alone_with, enqueue
from geo.filters import Box, Filters
from map_views.data.formats import FORMATS, Format, file_name
from map_views.data.making import NotMade, make

log = logging.getLogger(__name__)

FOLDER = "data"
# Who asks for the same within this time gets the file that is there.
SAME_FOR = timedelta(hours=1)
# An increment is asked for from the last one on, with some minutes to spare: what is
# given must be of now, give or take less than these.
SAME_INCREMENT_FOR = timedelta(minutes=1)
LINK_SECONDS = 3600
MOST_UNFINISHED = 20
UNFINISHED = (DataFile.State.WAITING, DataFile.State.BUILDING)
TELL_SECONDS = 1.0


class TooMany(Exception):
    """As many files as may wait to be made are waiting."""


# ── Asking ───────────────────────────────────────────────────────────────────────


def ask(form: Format, request: str, at: datetime) -> DataFile:
    """The file for this request: one that is there or on its way, or a new one.

    Raises TooMany.
    """
    with transaction.atomic():
        # Whoever asks at the same moment waits, and finds it.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('data files', 0))"
            )
        if found := there_is(form, request, at):
            return found
        if DataFile.objects.filter(state__in=UNFINISHED).count() >= MOST_UNFINISHED:
            raise TooMany
        return begin(form, request, at, timedelta(hours=settings.DATA_FILE_HOURS))


def there_is(form: Format, request: str, at: datetime) -> DataFile | None:
    """One that was asked for a little while ago, ready or on its way."""
    filters, *_ = read(request)
    same_for = SAME_INCREMENT_FOR if filters.changed_since else SAME_FOR
    return (
        DataFile.objects.filter(
            request=request,
            format=form.extension,
            nightly=False,
            asked_at__gt=at - same_for,
            expires_at__gt=at,
        )
        .exclude(state=DataFile.State.FAILED)
        .first()
    )


def ask_for_tonight(at: datetime) -> None:
    """One file of all cases in every format there is; to repeat it adds none."""
    day = timezone.localdate(at)
    for form in FORMATS.values():
        request = f"nightly {day}"
        with transaction.atomic():
            same = DataFile.objects.filter(request=request, format=form.extension)
            if form.is_here and not same.exists():
                kept = timedelta(days=settings.DATA_SNAPSHOT_DAYS)
                begin(form, request, at, kept, nightly=True)


def begin(
    form: Format,
    request: str,
    at: datetime,
    kept: timedelta,
    *,
    nightly: bool = False,
) -> DataFile:
    file = DataFile.objects.create(
        request=request,
        format=form.extension,
        nightly=nightly,
        asked_at=at,
        expires_at=at + kept,
    )
    enqueue("build_data_file", file=str(file.pk))
    return file


def written(filters: Filters, limit: int | None, *, english: bool) -> str:
    said = {"english": english, "limit": limit, **asdict(filters)}
    return json.dumps(said, sort_keys=True, default=datetime.isoformat)


def read(request: str) -> tuple[Filters, int | None, bool]:
    """The filters, how many cases at most, and whether names are in English."""
    if request.startswith("nightly"):
        return Filters(), None, False
    said = json.loads(request)
    english, limit = bool(said.pop("english")), said.pop("limit", None)
    for name in ("since", "until", "changed_since"):
        said[name] = datetime.fromisoformat(said[name]) if said[name] else None
    said["box"] = Box(*said["box"]) if said["box"] else None
    for name in ("categories", "groups"):
        said[name] = tuple(said[name])
    return Filters(**said), limit, english


# ── Making ───────────────────────────────────────────────────────────────────────


def build(key: UUID) -> None:
    """Make the file, if it is still wanted and not yet there.

    Raises TryLater while another is made, or the storage is away; Hopeless.
    """
    with alone_with("data files"):
        file = DataFile.objects.filter(pk=key, state__in=UNFINISHED).first()
        if file:
            make_and_keep(file)


def make_and_keep(file: DataFile) -> None:
    form = FORMATS[file.format]
    filters, limit, english = read(file.request)
    mark(file, state=DataFile.State.BUILDING, percent=0)
    with TemporaryDirectory(prefix="311-movil-data-") as folder:
        path = Path(folder) / name_of(file)
        try:
            with telling(file) as tell:
                rows = make(form, filters, path, tell.set, english=english, limit=limit)
            name = f"{FOLDER}/{uuid4().hex}-{path.name}"
            with path.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()
                content.seek(0)
                keep(name, content)
        except NotMade as failure:
            mark(file, state=DataFile.State.FAILED)
            log.error("data file %s was not made: %s", file.pk, failure)
            raise Hopeless("not made") from failure
        except StorageAway as away:
            raise TryLater("the storage is away") from away
        mark(
            file,
            state=DataFile.State.READY,
            percent=100,
            name=name,
            size=path.stat().st_size,
            sha256=digest,
            rows=rows,
            ready_at=timezone.now(),
        )


def mark(file: DataFile, **values: object) -> None:
    DataFile.objects.filter(pk=file.pk).update(**values)


def name_of(file: DataFile) -> str:
    """As it is called when it is downloaded."""
    form = FORMATS[file.format]
    day: date = timezone.localdate(file.asked_at)
    return file_name(form, day) + (".gz" if form.stream else "")


class Told:
    """How far a file is; written down by a thread, while COPY has the connection."""

    def __init__(self, file: DataFile) -> None:
        self.file = file
        self.percent = 0
        self.over = Event()

    def set(self, percent: int) -> None:
        self.percent = percent

    def write_down(self) -> None:
        try:
            while not self.over.wait(TELL_SECONDS):
                mark(self.file, percent=self.percent)
        finally:
            connection.close()  # this thread's own


@contextmanager
def telling(file: DataFile) -> Iterator[Told]:
    told = Told(file)
    thread = Thread(target=told.write_down, name="progress", daemon=True)
    thread.start()
    try:
        yield told
    finally:
        told.over.set()
        thread.join()


# ── Giving ───────────────────────────────────────────────────────────────────────


def latest_nightly() -> list[DataFile]:
    """Of each format the newest that is ready, in the order of the formats."""
    ready = DataFile.objects.filter(nightly=True, state=DataFile.State.READY)
    newest = {file.format: file for file in ready.order_by("asked_at")}
    return [newest[extension] for extension in FORMATS if extension in newest]


def url_of(file: DataFile) -> str:
    """Where a file is: the nightly ones for all, the others by a link that expires."""
    url = reverse("data-file", args=[file.pk, name_of(file)])
    if file.nightly:
        return url
    signed = signer().sign(str(file.pk))
    return f"{url}?s={signed.removeprefix(f'{file.pk}:')}"


def withdrawals_url(file: DataFile) -> str:
    """What an increment of this format does not say, if it is one."""
    filters, limit, _ = read(file.request)
    held = FORMATS[file.format].holds_rows_without_a_point
    if held or limit or not filters.changed_since:
        return ""
    since = filters.changed_since.isoformat()
    return f"{reverse('data-withdrawals')}?{urlencode({'changed_since': since})}"


def may_take(file: DataFile, signature: str) -> bool:
    if file.nightly:
        return True
    try:
        signer().unsign(f"{file.pk}:{signature}", max_age=LINK_SECONDS)
    except BadSignature:
        return False
    return True


def signer() -> TimestampSigner:
    return TimestampSigner(salt="data-file")


# ── Throwing away ────────────────────────────────────────────────────────────────


def throw_away(at: datetime) -> None:
    """Files that have expired, and those that no row names: their maker died."""
    old = DataFile.objects.filter(expires_at__lt=at)
    with transaction.atomic():
        names: list[JSONValue] = [
            name for name in old.values_list("name", flat=True) if name
        ]
        old.delete()
        if names:
            enqueue("backend.cases.tasks.delete_files", names=names)
    for name in (f"{FOLDER}/{file}" for file in listed(FOLDER)[1]):
        if is_old(name, at) and not DataFile.objects.filter(name=name).exists():
            with storage_errors():
                default_storage.delete(name)
