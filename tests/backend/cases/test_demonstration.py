"""A made-up month of reports."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from io import StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from backend.cases.deadlines import PANAMA
from backend.cases.demonstration import Demonstration
from backend.cases.filing import digest_of_report
from backend.cases.models import Case, Category, Photo
from backend.cases.workflow import FOLLOWED_BY, OPEN, RESOLVED, Status
from tests.factories import make_case
from tests.jobs import run_jobs

pytestmark = pytest.mark.django_db

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "demo"
NOW = datetime(2026, 11, 23, 10, tzinfo=PANAMA)


def test_a_month_of_cases_is_filed_and_handled_as_real_ones_are():
    filed = list(Demonstration(FOLDER, NOW, days=30, seed=311).file(120))
    cases = Case.objects.prefetch_related("history")
    assert len(filed) == len(cases) == 120
    assert all(case.demo for case in cases)
    for case in cases:
        assert NOW - timedelta(days=30) <= case.filed_at <= case.updated_at <= NOW
        history = list(case.history.all())
        assert history[-1].status == case.status
        for before, after in pairwise(history):
            assert Status(after.status) in FOLLOWED_BY[Status(before.status)]
            assert before.changed_at <= after.changed_at <= NOW


def test_its_photos_are_ready_at_once_and_raise_no_doubts():
    list(Demonstration(FOLDER, NOW, days=30, seed=311).file(120))
    photos = Photo.objects.all()
    assert len(photos) > 2
    for photo in photos:
        assert (photo.state, photo.doubts) == (Photo.State.READY, [])
        waits = photo.case.category.photos_need_release
        assert photo.released_at == (None if waits else photo.added_at)
        assert default_storage.exists(photo.thumbnail)
    before = list(photos.values())
    run_jobs()  # Those that were enqueued as for all photos: nothing is left to do.
    assert list(Photo.objects.values()) == before


def test_the_cases_lie_all_over_panama_in_many_categories_and_statuses():
    list(Demonstration(FOLDER, NOW, days=30, seed=311).file(120))
    cases = Case.objects.all()
    assert len({case.province_id for case in cases}) >= 6
    assert len({case.category_id for case in cases}) >= 12
    assert all(case.snapped is None or case.snapped < 15_000 for case in cases)
    statuses = Counter(
        "open" if case.status in OPEN else "resolved" if case.status in RESOLVED else ""
        for case in cases
    )
    assert statuses["open"] > 20
    assert statuses["resolved"] > 20
    assert cases.exclude(entity=None).count() > 100


def test_the_same_seed_and_moment_draw_the_same_reports():
    def drawn(seed: int) -> list[str]:
        demonstration = Demonstration(FOLDER, NOW, days=30, seed=seed)
        reports = [demonstration.report() for _ in range(30)]
        return [f"{report.id} {digest_of_report(report)}" for report in reports]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_every_town_and_every_kind_of_report_is_real():
    demonstration = Demonstration(FOLDER, NOW, days=30, seed=311)
    assert len(demonstration.towns) > 100
    assert all(-83.1 < t.lon < -77.1 and 7 < t.lat < 9.8 for t in demonstration.towns)
    assert all(kind.category.active for kind in demonstration.kinds)
    assert all(len(words) > 10 for k in demonstration.kinds for words in k.descriptions)


def test_some_cases_have_photos_that_say_what_they_are():
    demonstration = Demonstration(FOLDER, NOW, days=30, seed=311)
    reports = [demonstration.report() for _ in range(200)]
    with_photo = [report for report in reports if report.photos]
    assert 2 <= len(with_photo) <= 40


def test_the_command_files_as_many_as_it_is_told():
    assert demo_reports(count=7) == "7 casos de demostración.\n"
    assert Case.objects.filter(demo=True).count() == 7


def test_the_command_adds_others_the_second_time():
    demo_reports(count=5)
    demo_reports(count=5)
    assert Case.objects.count() == 10


def test_made_up_cases_are_not_mixed_with_real_ones():
    make_case((-79.5408, 8.9536))
    with pytest.raises(CommandError, match="casos reales"):
        demo_reports(count=1)
    assert not Case.objects.filter(demo=True).exists()


def test_without_a_catalogue_there_is_nothing_to_draw_from(monkeypatch):
    monkeypatch.setattr(Category.objects, "exists", lambda: False)
    with pytest.raises(CommandError, match="catálogo"):
        demo_reports(count=1)


def demo_reports(count: int) -> str:
    out = StringIO()
    call_command("demo_reports", count=count, stdout=out, stderr=StringIO())
    return out.getvalue()
