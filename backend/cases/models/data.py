"""The public data that is taken away: what was withdrawn of it, and its files."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Withdrawal(models.Model):
    """That a case which anyone could take away is public no more.

    Written by a trigger on the cases, in the transaction that withdraws; whoever takes
    the data by increments learns from it what to delete. A case that is public again
    has none.
    """

    class Reason(models.TextChoices):
        # Not why: that a case became private tells something of it.
        HIDDEN = "hidden", _("ya no es público")
        DELETED = "deleted", _("se borró")

    number = models.CharField(max_length=12, primary_key=True)
    withdrawn_at = models.DateTimeField()
    reason = models.CharField(max_length=7, choices=Reason)

    class Meta:
        verbose_name = _("caso retirado de los datos")
        verbose_name_plural = _("casos retirados de los datos")
        indexes = [models.Index(fields=["withdrawn_at"], name="withdrawals_by_time")]

    def __str__(self) -> str:
        return self.number


class DataFile(models.Model):
    """A file of public data that is made by a job, and kept for a while."""

    class State(models.TextChoices):
        WAITING = "waiting", _("en espera")
        BUILDING = "building", _("en preparación")
        READY = "ready", _("listo")
        FAILED = "failed", _("no se pudo preparar")

    id = models.UUIDField(primary_key=True, default=uuid4)
    # What was asked for, in one form: who asks for the same gets the same file.
    request = models.TextField()
    format = models.CharField(max_length=10)
    # Every night's, for everybody; the others are for whoever asked.
    nightly = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    percent = models.PositiveSmallIntegerField(default=0)
    name = models.CharField(max_length=120, blank=True)
    size = models.PositiveBigIntegerField(default=0, help_text=_("bytes"))
    sha256 = models.CharField(max_length=64, blank=True)
    rows = models.PositiveIntegerField(default=0)
    asked_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        verbose_name = _("archivo de datos")
        verbose_name_plural = _("archivos de datos")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="ready")
                | (~Q(name="") & ~Q(sha256="") & Q(ready_at__isnull=False)),
                name="a_ready_data_file_is_there",
            )
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="data_files_by_end"),
            models.Index(fields=["name"], name="data_files_by_name"),
        ]

    def __str__(self) -> str:
        return self.name or str(self.pk)
