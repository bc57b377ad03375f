"""Photos in an S3 instead of a folder: a real one, of moto's, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoDbBlocker

from backend.cases import sweeping
from backend.cases.models import Case, Photo
from backend.cases.photo_links import url_of
from backend.cases.photos import withhold
from backend.cases.storage import StorageAway, keep, opened, remove
from backend.cases.uploads import receive, whole
from backend.config.photo_storage import storage_of_photos
from tests.backend.cases.test_uploads import PHOTO, THIRD, piece
from tests.factories import make_case, make_category, make_photo
from tests.faults.uploads import ask, file_report, new_photo, put_piece
from tests.jobs import run_jobs
from tests.s3 import BUCKET, KEY, SECRET, client_of, environment_of, s3_server
from tests.servers import ROOT, Server, cloned_database, free_port

# botocore's, which says more than it needs to of the clock.
pytestmark = pytest.mark.filterwarnings(
    "ignore:datetime.datetime.utc:DeprecationWarning"
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with s3_server() as url:
        yield url


@pytest.fixture
def bucket(endpoint: str, settings: Any) -> Iterator[Any]:
    """An empty bucket as the storage of this test, set up as the settings do it."""
    said = {
        name.removeprefix("S3_"): value
        for name, value in environment_of(endpoint).items()
    }
    photos = storage_of_photos(
        said, signed_links=False, link_seconds=settings.S3_LINK_SECONDS
    )
    settings.STORAGES = {**settings.STORAGES, "default": photos}
    s3 = boto3.resource(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
    ).Bucket(BUCKET)
    s3.objects.all().delete()
    yield s3
    s3.objects.all().delete()


@pytest.fixture
def case(squares: None, bucket: Any) -> Case:
    return make_case(category=make_category())


def names(bucket: Any) -> set[str]:
    return {thing.key for thing in bucket.objects.all()}


def test_a_photo_goes_through_the_s3_from_its_first_piece_to_the_public(
    endpoint: str,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path: Path,
) -> None:
    """The whole road, with a real server that has it from its environment."""
    with cloned_database(django_db_blocker) as url:
        server = Server(url, tmp_path)
        server.environment |= environment_of(endpoint)
        with server:
            photo = new_photo(file_report(server))
            size = len(photo.content)
            assert put_piece(server, photo, 0, 5_000).status == 202
            assert put_piece(server, photo, 5_000, size).status == 201
            server.do_jobs()
            assert ask(server, photo)["state"] == "ready"
            [(original, image)] = server.rows("SELECT original, image FROM cases_photo")
            shown = server.send(f"/fotos/{image}")
            assert shown.status == 200
            assert Image.open(BytesIO(shown.body)).format == "JPEG"
            assert server.send(f"/fotos/{original}").status == 404
            kept = client_of(endpoint).get_object(Bucket=BUCKET, Key=original)
            assert kept["Body"].read() == photo.content
            assert not (tmp_path / "media").exists()


def test_what_is_sent_with_a_report_is_kept_there_too(phone, case, bucket):
    other = make_case(photos=[make_photo((2000, 1000))])
    receive(case.report_id, photo_id := uuid4(), piece(0, THIRD))
    receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    run_jobs()
    photos = [*other.photos.all(), *case.photos.all()]
    assert names(bucket) == {
        name
        for photo in photos
        for name in (photo.original, photo.image, photo.thumbnail)
    }
    for photo in photos:
        answer = phone.get(url_of(photo))
        assert answer.getvalue().startswith(b"\xff\xd8")
        assert answer["Cache-Control"] == "public, no-cache"
        again = phone.get(url_of(photo), headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304


def test_nothing_in_it_is_public_by_itself(case, bucket, endpoint):
    receive(case.report_id, uuid4(), whole(BytesIO(PHOTO), len(PHOTO)))
    acl = client_of(endpoint).get_object_acl(
        Bucket=BUCKET, Key=next(iter(names(bucket)))
    )
    assert [grant["Grantee"]["Type"] for grant in acl["Grants"]] == ["CanonicalUser"]


def test_with_signed_links_the_s3_serves_who_may_see(phone, case, bucket, settings):
    settings.S3_SIGNED_LINKS = True
    photo = make_case(photos=[make_photo()]).photos.get()
    run_jobs()
    photo.refresh_from_db()
    answer = phone.get(url_of(photo))
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    link = urlsplit(answer["Location"])
    query = parse_qs(link.query)
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == ["300"]
    assert photo.image in link.path
    with urllib.request.urlopen(answer["Location"]) as picture:  # noqa: S310
        assert picture.headers["Content-Type"] == "image/jpeg"
        with opened(photo.image) as kept:
            assert picture.read() == kept.read()
    # Who may not see gets no link.
    withhold(photo)
    assert phone.get(f"/fotos/{photo.image}").status_code == 404
    assert phone.get(f"/fotos/{photo.original}").status_code == 404


def test_signed_links_are_allowed_by_the_pages_policy(endpoint):
    told = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import django; django.setup(); from django.conf import settings;"
            "print(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['img-src'])",
        ],
        env={**os.environ, **environment_of(endpoint), "S3_SIGNED_LINKS": "yes"},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert endpoint in told.stdout


def test_the_sweeper_finds_what_belongs_to_nobody_there_too(case, bucket):
    make_case(photos=[make_photo()])
    run_jobs()
    named = names(bucket)
    keep(f"originals/2026/11/{uuid4()}", b"nobody's")
    keep("copias/base.dump", b"somebody's")
    assert sweeping.sweep(timezone.now()).removed == 0
    later = timezone.now() + timedelta(hours=25)
    assert sweeping.sweep(later).removed == 1
    assert names(bucket) == named | {"copias/base.dump"}
    photo = Photo.objects.get()
    remove(photo.thumbnail)
    assert sweeping.sweep(later).lost == {photo.pk}


def test_what_is_not_there_and_who_is_not_there_are_told_apart(
    phone, case, bucket, settings
):
    with pytest.raises(FileNotFoundError):
        opened("originals/x")
    remove("originals/x")
    options = settings.STORAGES["default"]["OPTIONS"]
    nowhere = {**options, "endpoint_url": f"http://127.0.0.1:{free_port()}"}
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": nowhere},
    }
    default_storage.client_config = Config(  # type: ignore[attr-defined]
        retries={"max_attempts": 0}, signature_version="s3v4"
    )
    with pytest.raises(StorageAway):
        opened("originals/x")
    address = f"/api/v1/reports/{case.report_id}/photos/{uuid4()}/"
    answer = phone.put(address, PHOTO, "image/jpeg")
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert not Photo.objects.exists()


def test_what_is_large_is_not_held_in_memory_while_it_is_given(bucket):
    keep("data/todo.gpkg", b"x" * (9 * 1024 * 1024))
    with opened("data/todo.gpkg") as large:
        assert large.read(1) == b"x"
        assert large.file._rolled  # type: ignore[attr-defined]
