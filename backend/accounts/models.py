"""The people who work on cases, and for which entity."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from provinces.models import Entity


class User(AbstractUser):
    """Somebody who signs in; citizens do not need to."""

    class Meta(AbstractUser.Meta):
        verbose_name = _("usuario")  # type: ignore[assignment]

    def entity_codes(self) -> list[str]:
        """The entities whose cases this person works on."""
        return list(self.memberships.values_list("entity_id", flat=True))


class Membership(models.Model):
    class Role(models.TextChoices):
        CREW = "crew", _("cuadrilla")
        LIAISON = "liaison", _("enlace operativo")
        EXECUTIVE = "executive", _("enlace ejecutivo")

    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    entity = models.ForeignKey(Entity, models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.CREW)

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
