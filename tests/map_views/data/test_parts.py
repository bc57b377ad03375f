"""A download that was cut goes on where it stopped."""

from __future__ import annotations

import pytest
from django.utils import timezone

from map_views.data import builds
from map_views.tasks import make_nightly_data
from tests.factories import make_case
from tests.jobs import run_jobs


@pytest.fixture
def nightly(squares):
    """The address of last night's table."""
    make_case()
    make_nightly_data(int(timezone.now().timestamp()))
    run_jobs("build_data_file")
    files = {file.format: file for file in builds.latest_nightly()}
    return builds.url_of(files["csv"])


@pytest.fixture
def whole(phone, nightly):
    answer = phone.get(nightly)
    assert answer["Accept-Ranges"] == "bytes"
    body = answer.getvalue()
    assert answer["Content-Length"] == str(len(body))
    return body


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=7-", slice(7, None)),
        ("bytes=0-0", slice(0, 1)),
        ("bytes=5-9", slice(5, 10)),
        ("bytes=5-999999999", slice(5, None)),
        ("bytes=-4", slice(-4, None)),
        ("bytes=-999999999", slice(None)),
        ("Bytes=7-", slice(7, None)),
    ],
)
def test_a_part_is_given_to_whoever_asks_for_it(phone, nightly, whole, asked, part):
    answer = phone.get(nightly, headers={"Range": asked})
    assert answer.status_code == 206
    body = answer.getvalue()
    assert body == whole[part]
    assert answer["Content-Length"] == str(len(body))
    first = range(len(whole))[part].start
    last = first + len(body) - 1
    assert answer["Content-Range"] == f"bytes {first}-{last}/{len(whole)}"
    for name in ("ETag", "Link", "Content-Disposition", "Content-Type"):
        assert answer[name]


@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=-", "bytes=9-5", "bytes=0-1,4-5", "lines=0-1", "bytes=٣-", "7-"],
)
def test_what_is_no_part_is_the_whole(phone, nightly, whole, asked):
    answer = phone.get(nightly, headers={"Range": asked})
    assert (answer.status_code, answer.getvalue()) == (200, whole)


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_beyond_its_end_there_is_nothing(phone, nightly, whole, asked):
    answer = phone.get(nightly, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{len(whole)}"
    assert answer["Content-Type"] == "application/problem+json"


def test_whoever_has_the_beginning_of_another_file_gets_this_one_whole(
    phone, nightly, whole
):
    tag = phone.head(nightly)["ETag"]
    for has, status in ((tag, 206), ('"another"', 200), (f"W/{tag}", 200)):
        answer = phone.get(nightly, headers={"Range": "bytes=7-", "If-Range": has})
        assert answer.status_code == status
        assert answer.getvalue() == whole[7 if status == 206 else 0 :]
