"""The photos of a case, as they were sent and as they are shown."""

from __future__ import annotations

from uuid import uuid4

from django.contrib.gis.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from backend.cases.models.case import Case, StatusChange


class Photo(models.Model):
    """A photo that was sent, and the clean picture and thumbnail made of it.

    `id` is the phone's for what it uploads; the files have names of their own, which
    nobody can guess.
    """

    class State(models.TextChoices):
        UPLOADING = "uploading", _("llegando")
        RECEIVED = "received", _("recibida")
        READY = "ready", _("lista")
        REFUSED = "refused", _("rechazada")

    id = models.UUIDField(_("identificador"), primary_key=True, default=uuid4)
    case = models.ForeignKey(
        Case, models.CASCADE, related_name="photos", verbose_name=_("caso")
    )
    # The photo that shows the work came with a line of the history.
    change = models.ForeignKey(
        StatusChange,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="photos",
        verbose_name=_("cambio de estado"),
    )
    state = models.CharField(
        _("estado"), max_length=9, choices=State, default=State.RECEIVED
    )
    size = models.PositiveIntegerField(default=0, help_text=_("bytes de lo enviado"))
    received = models.PositiveIntegerField(default=0, help_text=_("bytes que llegaron"))
    sha256 = models.CharField(max_length=64, help_text=_("de lo que se envió"))
    # What was sent, byte for byte: never public, and not kept for ever.
    original = models.CharField(max_length=120, blank=True)
    image = models.CharField(max_length=120, blank=True)
    thumbnail = models.CharField(max_length=120, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    # What its EXIF says of when and where it was taken: private, and only a signal.
    taken_at = models.DateTimeField(_("tomada según la cámara"), null=True, blank=True)
    taken_location = models.PointField(
        srid=4326, null=True, blank=True, spatial_index=False
    )
    # A perceptual hash (dHash, 64 bits): near-duplicates differ in few of them.
    fingerprint = models.BigIntegerField(null=True, blank=True)
    # Why a person should look at it, in codes; and why it was refused.
    doubts = models.JSONField(_("dudas"), default=list, blank=True)
    refusal = models.CharField(_("por qué se rechazó"), max_length=40, blank=True)
    added_at = models.DateTimeField(_("recibida"))
    # Empty: not yet for the public's eyes.
    released_at = models.DateTimeField(_("publicada"), null=True, blank=True)

    class Meta:
        ordering = ["added_at", "id"]
        verbose_name = _("foto")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="ready") | (~Q(image="") & ~Q(thumbnail="")),
                name="a_ready_photo_has_its_files",
            ),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(state="ready"),
                name="only_a_ready_photo_is_released",
            ),
            models.CheckConstraint(
                condition=Q(state="uploading") | Q(received=F("size")),
                name="no_photo_is_half",
            ),
        ]
        indexes = [
            models.Index(
                fields=["added_at"],
                condition=Q(state__in=["uploading", "received"]),
                name="photos_under_way",
            ),
            models.Index(fields=["image"], name="photos_by_image"),
            # For the newest ones, and for a picture that has been seen before.
            models.Index(fields=["added_at"], name="photos_by_time"),
            # They wait for a person to look at them.
            models.Index(
                fields=["added_at"],
                condition=Q(state="ready", released_at=None, refusal=""),
                name="photos_to_release",
            ),
            models.Index(fields=["thumbnail"], name="photos_by_thumbnail"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def is_shown(self) -> bool:
        """Whether it may be seen with its case, by whoever may see the case."""
        return self.released_at is not None


class PhotoPart(models.Model):
    """A piece of a photo that is still arriving, kept in a file of its own."""

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="parts")
    offset = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["offset"]
        verbose_name = _("parte de una foto")
        verbose_name_plural = _("partes de fotos")
        constraints = [
            models.UniqueConstraint(
                fields=["photo", "offset"], name="one_part_per_photo_and_offset"
            )
        ]

    def __str__(self) -> str:
        return f"{self.photo_id} +{self.offset}"
