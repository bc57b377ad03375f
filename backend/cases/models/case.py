"""A report that has become a case, whose it is, and its history."""

from __future__ import annotations

import secrets
from datetime import date, datetime, time
from typing import Self

from django.conf import settings
from django.contrib.gis.db import models
from django.contrib.postgres.indexes import GistIndex
from django.db.models import F, Q
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from backend.accounts.encryption import EncryptedTextField, Unreadable
from backend.accounts.models import Device
from backend.cases.deadlines import PANAMA
from backend.cases.models.catalogue import Category
from backend.cases.workflow import OPEN, PAUSED, RESOLVED, Status
from provinces.models import (
    Corregimiento,
    District,
    Entity,
    Jurisdiction,
    Province,
)

SEQUENCE = "cases_case_number"


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

    def under_review(self) -> Self:
        """Those that somebody flagged, or that carry a doubt: for a person to look at."""
        return self.filter(under_review=True)

    def unassigned(self) -> Self:
        """The queue of those for which the rules name nobody."""
        return self.open().filter(entity=None)

    def filed_since(self, day: date) -> Self:
        """Filed on that day in Panama or later."""
        return self.filter(filed_at__gte=datetime.combine(day, time.min, PANAMA))

    def overdue(self, at: datetime | None = None) -> Self:
        """Past their term, which rests while the citizen is asked something."""
        late = self.open().filter(due_at__lt=at or timezone.now())
        return late.exclude(status__in=PAUSED)

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

    number = models.CharField(_("número"), max_length=12, unique=True)
    pin = models.CharField(max_length=6, default=new_pin)
    report_id = models.UUIDField(unique=True)
    # SHA-256 of the report as it was understood: the same id with another is refused.
    report_digest = models.CharField(max_length=64)

    category = models.ForeignKey(
        Category, models.PROTECT, related_name="cases", verbose_name=_("categoría")
    )
    act = models.CharField(_("tipo de gestión"), max_length=20, choices=Category.Act)
    description = models.TextField(_("descripción"), blank=True, max_length=4000)
    # The description without what could be somebody's data: what the public reads.
    public_description = models.TextField(
        _("descripción pública"), blank=True, max_length=4000
    )
    place_hint = models.CharField(_("señas del lugar"), max_length=300, blank=True)

    location = models.PointField(srid=4326, spatial_index=False)
    accuracy = models.FloatField(
        _("exactitud del GPS"), null=True, blank=True, help_text=_("metros")
    )
    # At the category's public precision; empty where the public may see no point.
    public_location = models.PointField(
        srid=4326, null=True, blank=True, spatial_index=False
    )
    is_public = models.BooleanField(_("público"), default=True)
    demo = models.BooleanField(_("de demostración"), default=False)

    province = models.ForeignKey(
        Province,
        models.PROTECT,
        related_name="+",
        verbose_name=_("provincia o comarca"),
    )
    district = models.ForeignKey(
        District, models.PROTECT, related_name="+", verbose_name=_("distrito")
    )
    corregimiento = models.ForeignKey(
        Corregimiento,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("corregimiento"),
    )
    zones = models.JSONField(_("zonas de servicio"), default=list, blank=True)
    snapped = models.FloatField(
        _("llevado a tierra desde"), null=True, blank=True, help_text=_("metros")
    )
    near_border = models.ForeignKey(
        District,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("distrito vecino"),
    )
    near_border_metres = models.FloatField(
        _("metros hasta el distrito vecino"), null=True, blank=True
    )

    # Empty: nobody answers by the rules, and the case waits in the unassigned queue.
    entity = models.ForeignKey(
        Entity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        verbose_name=_("entidad"),
    )
    jurisdiction = models.ForeignKey(
        Jurisdiction,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("jurisdicción"),
    )

    status = models.CharField(
        _("estado"), max_length=20, choices=Status, default=Status.RECEIVED
    )
    filed_at = models.DateTimeField(_("reportado"))
    captured_at = models.DateTimeField(
        _("tomado en el teléfono"), null=True, blank=True
    )
    due_at = models.DateTimeField(_("plazo hasta"))
    updated_at = models.DateTimeField(_("último cambio"))
    resolved_at = models.DateTimeField(_("resuelto"), null=True, blank=True)
    language = models.CharField(_("idioma"), max_length=2, default="es")
    # Counts what happens to the case: a change that was meant for another is refused.
    version = models.PositiveIntegerField(_("versión"), default=1)
    # The phone that sent it, if it has a token.
    device = models.ForeignKey(
        Device, models.SET_NULL, null=True, blank=True, related_name="cases"
    )
    under_review = models.BooleanField(_("en revisión"), default=False)
    # When the person asked to be forgotten, or the time to keep their data was over.
    forgotten_at = models.DateTimeField(
        _("datos personales borrados"), null=True, blank=True
    )

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
            models.Index(
                fields=["updated_at"],
                condition=Q(under_review=True),
                name="cases_under_review",
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class Reporter(models.Model):
    """Who reported, where they said so: nobody sees it but who answers the case."""

    case = models.OneToOneField(Case, models.CASCADE, related_name="reporter")
    name = EncryptedTextField()
    phone = EncryptedTextField(blank=True)
    email = EncryptedTextField(blank=True)
    # The version of the text that was accepted: see `ConsentText`.
    consent = models.CharField(max_length=40)
    consented_at = models.DateTimeField()

    class Meta:
        verbose_name = _("quien reporta")
        verbose_name_plural = _("quienes reportan")

    def __str__(self) -> str:
        return f"{self.case_id}"

    @property
    def is_lost(self) -> bool:
        """Whether it is there, but encrypted under a key that is not."""
        return any(
            isinstance(text, Unreadable) for text in (self.name, self.phone, self.email)
        )


class StatusChange(models.Model):
    """One line of a case's history."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="history")
    status = models.CharField(_("estado"), max_length=20, choices=Status)
    note = models.TextField(_("nota"), blank=True, max_length=4000)
    public_note = models.TextField(_("nota pública"), blank=True, max_length=4000)
    changed_at = models.DateTimeField(_("cuándo"))
    # What the crew's phone said; it may have been without signal.
    reported_at = models.DateTimeField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("quién"),
    )
    # By whoever reported the case, from their phone or with its PIN.
    by_reporter = models.BooleanField(_("por quien reportó"), default=False)
    transition_id = models.UUIDField(null=True, blank=True, unique=True)
    transition_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("cambio de estado")
        verbose_name_plural = _("cambios de estado")
        indexes = [models.Index(fields=["changed_at", "id"], name="history_by_time")]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.status}"
