"""What a citizen can report, and who decides what becomes of it."""

from __future__ import annotations

from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backend.cases.deadlines import Unit
from provinces.models import (
    Duty,
    in_reader_language,
)


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
    # How near and how new another open case must be to perhaps be the same problem.
    similar_metres = models.PositiveSmallIntegerField(default=60)
    similar_days = models.PositiveSmallIntegerField(default=60)
    # The public sees a photo once a person has released it, not as soon as it is clean.
    photos_need_release = models.BooleanField(default=False)
    # How long after the case is closed what is personal is kept.
    contact_days = models.PositiveSmallIntegerField(default=365)
    originals_days = models.PositiveSmallIntegerField(default=90)
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
