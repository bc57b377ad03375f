"""The people who work on cases, for which entity, and the phones of citizens."""

from typing import Any
from uuid import uuid4

from django.contrib.auth.models import AbstractUser
from django.core.validators import MinValueValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from backend.accounts.encryption import EncryptedTextField
from provinces.models import Entity


class User(AbstractUser):
    """Somebody who signs in; citizens do not need to."""

    # Of a person who was read together with them.
    known_entities: list[str] | None = None
    # Since it was read.
    password_taken_away = False

    class Meta(AbstractUser.Meta):
        verbose_name = _("usuario")  # type: ignore[assignment]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """With another password, or none, no phone stays signed in by the one before."""
        is_another = self._password is not None  # type: ignore[attr-defined]
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_another or self.password_taken_away:
                self.auth_token_set.all().delete()  # type: ignore[attr-defined]
        self.password_taken_away = False

    def set_unusable_password(self) -> None:
        super().set_unusable_password()
        self.password_taken_away = True

    def entity_codes(self) -> list[str]:
        """The entities whose cases this person works on."""
        if self.known_entities is not None:
            return self.known_entities
        return list(self.memberships.values_list("entity_id", flat=True))


class Membership(models.Model):
    class Role(models.TextChoices):
        CREW = "crew", _("cuadrilla")
        LIAISON = "liaison", _("enlace operativo")
        EXECUTIVE = "executive", _("enlace ejecutivo")

    user = models.ForeignKey(
        User, models.CASCADE, related_name="memberships", verbose_name=_("usuario")
    )
    entity = models.ForeignKey(
        Entity, models.PROTECT, related_name="memberships", verbose_name=_("entidad")
    )
    role = models.CharField(_("papel"), max_length=10, choices=Role, default=Role.CREW)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "entity"], name="one_role_per_person_and_entity"
            )
        ]
        verbose_name = _("pertenencia a una entidad")
        verbose_name_plural = _("pertenencias a entidades")

    def __str__(self) -> str:
        return f"{self.user} · {self.entity_id}"


class Allowance(models.Model):
    """How much of a limit somebody has used: see `limits.py`."""

    key = models.CharField(max_length=120, primary_key=True)
    free_at = models.DateTimeField()

    class Meta:
        verbose_name = _("límite de uso")
        indexes = [models.Index(fields=["free_at"], name="allowances_by_time")]

    def __str__(self) -> str:
        return self.key


class Device(models.Model):
    """A citizen's phone or browser: no name, no number, one secret that it keeps."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    token_digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=2, default="es")
    # Where its browser takes pushes, as JSON: `endpoint` and `keys`; empty if nowhere.
    push = EncryptedTextField(blank=True)
    made_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("teléfono")
        verbose_name_plural = _("teléfonos")

    def __str__(self) -> str:
        return str(self.id)


class ApiKey(models.Model):
    """What another system signs with when it files reports or moves cases on.

    It is never deleted, only revoked: what was done with it goes on naming it.
    """

    name = models.CharField(
        _("de quién es"), max_length=120, help_text=_("El sistema y quién lo opera.")
    )
    contact = models.CharField(
        _("a quién se avisa"), max_length=200, help_text=_("Un correo o un teléfono.")
    )
    # The secret's first letters, to tell keys apart; and the digest of all of it.
    prefix = models.CharField(_("empieza por"), max_length=8)
    digest = models.CharField(max_length=64, unique=True)
    entity = models.ForeignKey(
        Entity,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="api_keys",
        verbose_name=_("entidad"),
        help_text=_(
            "Solo para el sistema de la propia entidad: con la clave mueve sus casos."
        ),
    )
    # The version of the consent text that its owner shows to people, and keeps proof of.
    consent = models.CharField(
        _("consentimiento"),
        max_length=40,
        blank=True,
        help_text=_(
            "El texto que su dueño se obligó por escrito a mostrar a cada persona antes "
            "de enviar su contacto. Sin él, no se guarda el contacto de nadie."
        ),
    )
    hourly = models.PositiveIntegerField(
        _("envíos por hora"), default=600, validators=[MinValueValidator(1)]
    )
    made_at = models.DateTimeField(_("creada"))
    revoked_at = models.DateTimeField(_("revocada"), null=True, blank=True)

    # Known only while the key is being made, to be told once: not a column.
    secret = ""

    class Meta:
        ordering = ["-made_at"]
        verbose_name = _("clave de Open311")
        verbose_name_plural = _("claves de Open311")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class ServerKey(models.Model):
    """A key that every machine of the installation shares, made on its first start."""

    name = models.CharField(max_length=40, primary_key=True)
    value = EncryptedTextField()
    made_at = models.DateTimeField()

    class Meta:
        verbose_name = _("clave del servidor")
        verbose_name_plural = _("claves del servidor")

    def __str__(self) -> str:
        return self.name
