"""What citizens and other systems do with a case, and what they are told of it."""

from __future__ import annotations

from django.conf import settings
from django.contrib.gis.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backend.accounts.encryption import EncryptedTextField
from backend.accounts.models import ApiKey, Device
from backend.cases.models.case import Case, StatusChange
from backend.cases.models.photo import Photo


class Support(models.Model):
    """«A mí también me afecta»: once per phone."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="supports")
    device = models.ForeignKey(Device, models.CASCADE, related_name="supports")
    given_at = models.DateTimeField()

    class Meta:
        verbose_name = _("apoyo")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "device"], name="one_support_per_case_and_device"
            )
        ]

    def __str__(self) -> str:
        return f"{self.case_id}"


class Follow(models.Model):
    """Who is told of what happens to a case: a phone by push, or an address by e-mail."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="follows")
    device = models.ForeignKey(
        Device, models.CASCADE, null=True, blank=True, related_name="follows"
    )
    email = EncryptedTextField(blank=True)
    # To find the address without being able to read it.
    email_fingerprint = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=2, default="es")
    # The phone's own case, whatever its category.
    own = models.BooleanField(default=False)
    followed_at = models.DateTimeField()
    # An address counts once its owner has followed the link that was sent there.
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("seguimiento")
        constraints = [
            models.CheckConstraint(
                condition=Q(device__isnull=False) ^ ~Q(email=""),
                name="a_follower_is_a_device_or_an_address",
            ),
            models.UniqueConstraint(
                fields=["case", "device"],
                condition=Q(device__isnull=False),
                name="one_follow_per_case_and_device",
            ),
            models.UniqueConstraint(
                fields=["case", "email_fingerprint"],
                condition=~Q(email_fingerprint=""),
                name="one_follow_per_case_and_address",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}"


class Flag(models.Model):
    """Somebody says that a case or a photo has what it should not: for a person to see."""

    class Reason(models.TextChoices):
        PERSONAL_DATA = "personal_data", _("muestra datos de una persona")
        OFFENSIVE = "offensive", _("es ofensivo")
        FALSE_REPORT = "false_report", _("es falso o no es un problema")
        WRONG_PLACE = "wrong_place", _("está en otro lugar")
        OTHER = "other", _("otra razón")

    id = models.UUIDField(_("identificador"), primary_key=True)
    case = models.ForeignKey(
        Case, models.CASCADE, related_name="flags", verbose_name=_("caso")
    )
    photo = models.ForeignKey(
        Photo,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="flags",
        verbose_name=_("foto"),
    )
    device = models.ForeignKey(
        Device, models.SET_NULL, null=True, blank=True, related_name="flags"
    )
    reason = models.CharField(_("razón"), max_length=13, choices=Reason)
    note = models.TextField(_("nota"), blank=True, max_length=1000)
    raised_at = models.DateTimeField(_("cuándo"))
    settled_at = models.DateTimeField(_("visto"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("visto por"),
    )

    class Meta:
        ordering = ["raised_at"]
        verbose_name = _("aviso de contenido")
        verbose_name_plural = _("avisos de contenido")

    def __str__(self) -> str:
        return f"{self.case_id}: {self.reason}"


class PartnerAct(models.Model):
    """What another system did with its key: filed a case, moved it, or said something."""

    key = models.ForeignKey(ApiKey, models.PROTECT, related_name="acts")
    case = models.ForeignKey(Case, models.CASCADE, related_name="partner_acts")
    # The line of the history that it made, or the words that wait for a person to read
    # them; neither, when it filed the case.
    change = models.OneToOneField(
        StatusChange,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="partner_act",
    )
    flag = models.OneToOneField(
        Flag, models.CASCADE, null=True, blank=True, related_name="partner_act"
    )
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        verbose_name = _("acto con una clave")
        verbose_name_plural = _("actos con claves")

    def __str__(self) -> str:
        return f"{self.case_id}: {self.key_id}"


class Notice(models.Model):
    """That somebody is told of a line of a case's history: each of them once."""

    class Channel(models.TextChoices):
        EMAIL = "email", _("correo")
        PUSH = "push", _("aviso en el teléfono")

    change = models.ForeignKey(StatusChange, models.CASCADE, related_name="notices")
    channel = models.CharField(max_length=5, choices=Channel)
    # `reporter`, or `follow:` and its key: no address stands here.
    recipient = models.CharField(max_length=40)
    made_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    # Why it will never be sent: the address or the phone is gone.
    given_up = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("notificación")
        verbose_name_plural = _("notificaciones")
        constraints = [
            models.UniqueConstraint(
                fields=["change", "channel", "recipient"],
                name="everybody_is_told_once",
            )
        ]
        indexes = [
            models.Index(
                fields=["made_at"],
                condition=Q(sent_at=None, given_up=""),
                name="notices_to_send",
            )
        ]

    def __str__(self) -> str:
        return f"{self.change_id}: {self.channel}"
