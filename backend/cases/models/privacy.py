"""What people accepted, and who has looked at what is theirs."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backend.cases.models.case import Case


class ConsentText(models.Model):
    """What a person accepts when they leave their contact, by version (Ley 81 de 2019)."""

    version = models.CharField(_("versión"), max_length=40, primary_key=True)
    text_es = models.TextField(_("texto en español"))
    text_en = models.TextField(_("texto en inglés"))
    valid_from = models.DateField(_("desde"))

    class Meta:
        ordering = ["-valid_from", "-version"]
        verbose_name = _("texto de consentimiento")
        verbose_name_plural = _("textos de consentimiento")

    def __str__(self) -> str:
        return self.version


class AccessLog(models.Model):
    """That somebody looked at, took or erased what is personal in a case."""

    class What(models.TextChoices):
        SEEN = "seen", _("vio el contacto")
        TAKEN = "taken", _("descargó sus datos")
        ERASED = "erased", _("borró sus datos")

    case = models.ForeignKey(
        Case, models.CASCADE, related_name="accesses", verbose_name=_("caso")
    )
    # Empty: whoever reported the case, with its PIN.
    who = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("quién"),
    )
    what = models.CharField(_("qué hizo"), max_length=6, choices=What)
    why = models.CharField(_("por qué"), max_length=300, blank=True)
    at = models.DateTimeField(_("cuándo"))

    class Meta:
        ordering = ["-at", "-id"]
        verbose_name = _("acceso a datos personales")
        verbose_name_plural = _("accesos a datos personales")
        constraints = [
            models.CheckConstraint(
                condition=Q(who=None) | ~Q(why=""),
                name="staff_says_why_it_looks",
            )
        ]
        indexes = [models.Index(fields=["at"], name="accesses_by_time")]

    def __str__(self) -> str:
        return f"{self.case_id}: {self.what}"
