"""The cases: what citizens bring, what was promised, what became of it."""

from __future__ import annotations

import secrets
from datetime import date, datetime, time
from typing import Self
from uuid import uuid4

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.indexes import GistIndex
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.cases.deadlines import PANAMA, Unit
from backend.cases.workflow import OPEN, RESOLVED, Status
from provinces.models import (
    Corregimiento,
    District,
    Duty,
    Entity,
    Jurisdiction,
    Province,
    in_reader_language,
)

SEQUENCE = "cases_case_number"


class Group(models.Model):
    """Categories that a citizen looks for together."""

    code = models.CharField(max_length=3, primary_key=True)
    name_es = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "code"]
        verbose_name = _("grupo de categorías")
        verbose_name_plural = _("grupos de categorías")

    def __str__(self) -> str:
        return in_reader_language(self.name_es, self.name_en)


class Category(models.Model):
    """What is wrong, in the citizen's words; its duty decides who answers."""

    class Act(models.TextChoices):
        COMPLAINT = "complaint", _("queja")
        DENUNCIATION = "denunciation", _("denuncia")
        REQUEST = "request", _("solicitud")
        SUGGESTION = "suggestion", _("sugerencia")
        QUESTION = "question", _("consulta")
        PRAISE = "praise", _("felicitación")
        INFORMATION_REQUEST = "information_request", _("solicitud de información")

    class Precision(models.TextChoices):
        EXACT = "exact", _("punto exacto")
        GRID = "grid", _("cuadrícula de 100 m")
        NONE = "none", _("sin punto")

    class SlaUnit(models.TextChoices):
        HOURS = Unit.HOURS.value, _("horas")
        WORKING_DAYS = Unit.WORKING_DAYS.value, _("días hábiles")
        CALENDAR_DAYS = Unit.CALENDAR_DAYS.value, _("días calendario")

    code = models.CharField(max_length=8, primary_key=True)
    group = models.ForeignKey(Group, models.PROTECT, related_name="categories")
    name_es = models.CharField(max_length=120)
    name_en = models.CharField(max_length=120)
    duty = models.ForeignKey(Duty, models.PROTECT, related_name="categories")
    act = models.CharField(max_length=20, choices=Act)
    precision = models.CharField(max_length=5, choices=Precision)
    private = models.BooleanField(default=False)
    emergency_es = models.CharField(max_length=300, blank=True)
    emergency_en = models.CharField(max_length=300, blank=True)
    sla_amount = models.PositiveSmallIntegerField()
    sla_unit = models.CharField(max_length=13, choices=SlaUnit)
    place_based = models.BooleanField(default=True)
    keywords = models.TextField(blank=True)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["group__position", "code"]
        verbose_name = _("categoría")
        verbose_name_plural = _("categorías")
        constraints = [
            models.CheckConstraint(
                condition=Q(private=False) | Q(precision="none"),
                name="a_private_category_shows_no_point",
            )
        ]

    def __str__(self) -> str:
        return in_reader_language(self.name_es, self.name_en)

    @property
    def emergency(self) -> str:
        return in_reader_language(self.emergency_es, self.emergency_en)


class CaseQuerySet(models.QuerySet["Case"]):
    def open(self) -> Self:
        return self.filter(status__in=OPEN)

    def resolved(self) -> Self:
        return self.filter(status__in=RESOLVED)

    def public(self) -> Self:
        """What anyone may know of."""
        return self.filter(is_public=True)

    def of_entities(self, codes: list[str]) -> Self:
        return self.filter(entity__in=codes)

    def unassigned(self) -> Self:
        """The queue of those for which the rules name nobody."""
        return self.open().filter(entity=None)

    def filed_since(self, day: date) -> Self:
        """Filed on that day in Panama or later."""
        return self.filter(filed_at__gte=datetime.combine(day, time.min, PANAMA))

    def overdue(self, at: datetime | None = None) -> Self:
        return self.open().filter(due_at__lt=at or timezone.now())

    def with_names(self) -> Self:
        """With what a person reads of a case, in one statement."""
        return self.select_related(
            "category__group",
            "entity",
            "province",
            "district",
            "corregimiento",
            "near_border",
        )


def new_pin() -> str:
    return f"{secrets.randbelow(1_000_000):06}"


class Case(models.Model):
    """A report with a number, somebody who must answer, and a day by which."""

    number = models.CharField(max_length=12, unique=True)
    pin = models.CharField(max_length=6, default=new_pin)
    report_id = models.UUIDField(unique=True)
    # SHA-256 of the report as it was understood: the same id with another is refused.
    report_digest = models.CharField(max_length=64)

    category = models.ForeignKey(Category, models.PROTECT, related_name="cases")
    act = models.CharField(max_length=20, choices=Category.Act)
    description = models.TextField(blank=True, max_length=4000)
    # The description without what could be somebody's data: what the public reads.
    public_description = models.TextField(blank=True, max_length=4000)
    place_hint = models.CharField(max_length=300, blank=True)

    location = models.PointField(srid=4326, spatial_index=False)
    accuracy = models.FloatField(null=True, blank=True, help_text=_("metros"))
    # At the category's public precision; empty where the public may see no point.
    public_location = models.PointField(
        srid=4326, null=True, blank=True, spatial_index=False
    )
    is_public = models.BooleanField(default=True)
    demo = models.BooleanField(default=False)

    province = models.ForeignKey(Province, models.PROTECT, related_name="+")
    district = models.ForeignKey(District, models.PROTECT, related_name="+")
    corregimiento = models.ForeignKey(
        Corregimiento, models.PROTECT, null=True, blank=True, related_name="+"
    )
    zones = models.JSONField(default=list, blank=True)
    snapped = models.FloatField(null=True, blank=True, help_text=_("metros"))
    near_border = models.ForeignKey(
        District, models.PROTECT, null=True, blank=True, related_name="+"
    )
    near_border_metres = models.FloatField(null=True, blank=True)

    # Empty: nobody answers by the rules, and the case waits in the unassigned queue.
    entity = models.ForeignKey(
        Entity, models.PROTECT, null=True, blank=True, related_name="cases"
    )
    jurisdiction = models.ForeignKey(
        Jurisdiction, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    status = models.CharField(max_length=20, choices=Status, default=Status.RECEIVED)
    filed_at = models.DateTimeField()
    captured_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=2, default="es")

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("caso")
        constraints = [
            models.CheckConstraint(
                condition=Q(public_location__isnull=True) | Q(is_public=True),
                name="what_is_not_public_shows_no_point",
            ),
            models.CheckConstraint(
                condition=Q(updated_at__gte=F("filed_at")),
                name="nothing_happens_before_filing",
            ),
        ]
        indexes = [
            # The public's map: only what it may see.
            GistIndex(
                fields=["public_location"],
                condition=Q(public_location__isnull=False),
                name="public_cases_by_place",
            ),
            # A crew's walk outwards from where it stands, through its own open cases.
            GistIndex(
                "entity",
                Cast("location", models.PointField(geography=True)),
                condition=Q(status__in=sorted(OPEN)),
                name="open_cases_by_entity_and_place",
            ),
            models.Index(fields=["updated_at", "id"], name="cases_by_change"),
            models.Index(fields=["filed_at"], name="cases_by_filing"),
            models.Index(fields=["demo"], condition=Q(demo=True), name="demo_cases"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class Reporter(models.Model):
    """Who reported, where they said so: nobody sees it but who answers the case."""

    case = models.OneToOneField(Case, models.CASCADE, related_name="reporter")
    name = models.CharField(max_length=160)
    phone = models.CharField(max_length=30, blank=True)
    email = models.EmailField(blank=True)
    consent = models.CharField(max_length=40)
    consented_at = models.DateTimeField()

    class Meta:
        verbose_name = _("quien reporta")
        verbose_name_plural = _("quienes reportan")

    def __str__(self) -> str:
        return f"{self.case_id}"


class StatusChange(models.Model):
    """One line of a case's history."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="history")
    status = models.CharField(max_length=20, choices=Status)
    note = models.TextField(blank=True, max_length=4000)
    public_note = models.TextField(blank=True, max_length=4000)
    changed_at = models.DateTimeField()
    # What the crew's phone said; it may have been without signal.
    reported_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True
    )
    transition_id = models.UUIDField(null=True, blank=True, unique=True)
    transition_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("cambio de estado")
        verbose_name_plural = _("cambios de estado")

    def __str__(self) -> str:
        return f"{self.case_id}: {self.status}"


class Photo(models.Model):
    """A cleaned photo and its thumbnail; `id` is its unguessable name."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    case = models.ForeignKey(Case, models.CASCADE, related_name="photos")
    # The photo that shows the work came with a line of the history.
    change = models.ForeignKey(
        StatusChange, models.CASCADE, null=True, blank=True, related_name="photos"
    )
    image = models.CharField(max_length=120)
    thumbnail = models.CharField(max_length=120)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, help_text=_("de lo que se envió"))
    added_at = models.DateTimeField()

    class Meta:
        ordering = ["added_at", "id"]
        verbose_name = _("foto")

    def __str__(self) -> str:
        return self.image
