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

    code = models.CharField(_("código"), max_length=3, primary_key=True)
    name_es = models.CharField(_("nombre en español"), max_length=80)
    name_en = models.CharField(_("nombre en inglés"), max_length=80)
    position = models.PositiveSmallIntegerField(_("posición"), default=0)

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

    code = models.CharField(_("código"), max_length=8, primary_key=True)
    group = models.ForeignKey(
        Group, models.PROTECT, related_name="categories", verbose_name=_("grupo")
    )
    name_es = models.CharField(_("nombre en español"), max_length=120)
    name_en = models.CharField(_("nombre en inglés"), max_length=120)
    duty = models.ForeignKey(
        Duty, models.PROTECT, related_name="categories", verbose_name=_("competencia")
    )
    act = models.CharField(_("tipo de gestión"), max_length=20, choices=Act)
    precision = models.CharField(
        _("precisión pública"), max_length=5, choices=Precision
    )
    private = models.BooleanField(_("privada"), default=False)
    emergency_es = models.CharField(
        _("aviso de emergencia en español"), max_length=300, blank=True
    )
    emergency_en = models.CharField(
        _("aviso de emergencia en inglés"), max_length=300, blank=True
    )
    sla_amount = models.PositiveSmallIntegerField(_("plazo"))
    sla_unit = models.CharField(_("unidad del plazo"), max_length=13, choices=SlaUnit)
    place_based = models.BooleanField(_("pide un lugar"), default=True)
    keywords = models.TextField(_("palabras clave"), blank=True)
    # How near and how new another open case must be to perhaps be the same problem.
    similar_metres = models.PositiveSmallIntegerField(
        _("parecidos: a cuántos metros"), default=60
    )
    similar_days = models.PositiveSmallIntegerField(
        _("parecidos: de cuántos días"), default=60
    )
    # The public sees a photo once a person has released it, not as soon as it is clean.
    photos_need_release = models.BooleanField(
        _("alguien publica sus fotos"), default=False
    )
    # How long after the case is closed what is personal is kept.
    contact_days = models.PositiveSmallIntegerField(
        _("días que se guarda el contacto"), default=365
    )
    originals_days = models.PositiveSmallIntegerField(
        _("días que se guardan las fotos originales"), default=90
    )
    active = models.BooleanField(_("activa"), default=True)

    class Meta:
        ordering = ["group__position", "code"]
        verbose_name = _("categoría")
        verbose_name_plural = _("categorías")
        constraints = [
            models.CheckConstraint(
                condition=Q(private=False) | Q(precision="none"),
                name="a_private_category_shows_no_point",
                violation_error_message=_(
                    "Una categoría privada no muestra punto alguno."
                ),
            )
        ]

    def __str__(self) -> str:
        return in_reader_language(self.name_es, self.name_en)

    @property
    def emergency(self) -> str:
        return in_reader_language(self.emergency_es, self.emergency_en)


class DayOff(models.Model):
    """What the authority changes in the law's holidays: see `days_off.py`."""

    day = models.DateField(_("día"), primary_key=True)
    name_es = models.CharField(_("nombre en español"), max_length=120)
    name_en = models.CharField(_("nombre en inglés"), max_length=120)
    worked = models.BooleanField(
        _("se trabaja"),
        default=False,
        help_text=_("Un feriado de la ley que se trabaja, por ejemplo trasladado."),
    )

    class Meta:
        ordering = ["-day"]
        verbose_name = _("día no laborable")
        verbose_name_plural = _("días no laborables")

    def __str__(self) -> str:
        return f"{self.day} {in_reader_language(self.name_es, self.name_en)}"
