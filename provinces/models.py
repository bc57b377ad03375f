"""The territory of Panama, and who answers for what in it."""

from __future__ import annotations

from typing import Self

from django.contrib.gis.db import models
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.db.models import Func, ManyToOneRel, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


def reads_english() -> bool:
    """Whether whoever reads has asked for English; else they read Spanish."""
    return (get_language() or "").startswith("en")


def in_reader_language(spanish: str, english: str) -> str:
    """The text in the language of whoever reads, Spanish unless English is asked for."""
    return english if english and reads_english() else spanish


class Populated(models.Model):
    """A place whose people a census has counted, or not yet: all three, or none."""

    population = models.PositiveIntegerField(_("población"), null=True, blank=True)
    population_year = models.PositiveSmallIntegerField(
        _("año del censo"), null=True, blank=True
    )
    population_source = models.CharField(
        _("fuente de la población"), max_length=300, blank=True
    )

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    population__isnull=True,
                    population_year__isnull=True,
                    population_source="",
                )
                | (
                    Q(population__isnull=False, population__gt=0)
                    & Q(population_year__isnull=False)
                    & ~Q(population_source="")
                ),
                name="a_%(class)s_is_populated_by_a_source",
            )
        ]


class Province(Populated):
    """A province or a comarca of that rank; `code` is INEC's (two digits)."""

    class Kind(models.TextChoices):
        PROVINCE = "province", _("provincia")
        COMARCA = "comarca", _("comarca")

    code = models.CharField(_("código"), max_length=2, primary_key=True)
    name = models.CharField(_("nombre"), max_length=80)
    kind = models.CharField(
        _("tipo"), max_length=10, choices=Kind, default=Kind.PROVINCE
    )
    note = models.TextField(_("nota"), blank=True)

    class Meta(Populated.Meta):
        ordering = ["code"]
        verbose_name = _("provincia o comarca")
        verbose_name_plural = _("provincias y comarcas")

    def __str__(self) -> str:
        return self.name


class District(Populated):
    """A district; `code` is INEC's, four digits that begin with its province's."""

    code = models.CharField(_("código"), max_length=4, primary_key=True)
    name = models.CharField(_("nombre"), max_length=80)
    province = models.ForeignKey(
        Province,
        models.PROTECT,
        related_name="districts",
        verbose_name=_("provincia o comarca"),
    )
    note = models.TextField(_("nota"), blank=True)

    class Meta(Populated.Meta):
        ordering = ["code"]
        verbose_name = _("distrito")

    def __str__(self) -> str:
        return self.name


class Corregimiento(models.Model):
    """A corregimiento, or a comarca of that rank (Madugandí, Wargandí)."""

    class Kind(models.TextChoices):
        CORREGIMIENTO = "corregimiento", _("corregimiento")
        COMARCA = "comarca", _("comarca")

    code = models.CharField(_("código"), max_length=6, primary_key=True)
    name = models.CharField(_("nombre"), max_length=80)
    district = models.ForeignKey(
        District,
        models.PROTECT,
        related_name="corregimientos",
        verbose_name=_("distrito"),
    )
    kind = models.CharField(
        _("tipo"), max_length=13, choices=Kind, default=Kind.CORREGIMIENTO
    )

    class Meta:
        ordering = ["code"]
        verbose_name = _("corregimiento")

    def __str__(self) -> str:
        return self.name


class Zone(models.Model):
    """An area drawn for a duty: a concession, a service area."""

    code = models.CharField(max_length=30, primary_key=True)
    name = models.CharField(max_length=120)

    class Meta:
        ordering = ["code"]
        verbose_name = _("zona de servicio")
        verbose_name_plural = _("zonas de servicio")

    def __str__(self) -> str:
        return self.name


class GenerationQuerySet(models.QuerySet["Generation"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def in_force(self) -> int | None:
        """The key of the active one, if boundaries have been loaded."""
        return self.active().values_list("pk", flat=True).first()


class Generation(models.Model):
    """All boundaries as they were loaded together.

    A change of boundaries is a new generation, never an edit: it is loaded whole,
    then switched on, and the earlier ones stay answerable.
    """

    source = models.CharField(_("fuente"), max_length=300)
    loaded_at = models.DateTimeField(_("cargada"), auto_now_add=True)
    is_active = models.BooleanField(_("en vigor"), default=False)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        get_latest_by = "id"
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=Q(is_active=True),
                name="one_generation_is_active",
            )
        ]
        verbose_name = _("generación de límites")
        verbose_name_plural = _("generaciones de límites")

    def __str__(self) -> str:
        return f"{self.pk}: {self.source}"


class Level(models.TextChoices):
    """The levels of the territory that have outlines, and what lies just abroad."""

    PROVINCE = "province", _("provincia o comarca")
    DISTRICT = "district", _("distrito")
    CORREGIMIENTO = "corregimiento", _("corregimiento")
    ZONE = "zone", _("zona de servicio")
    ABROAD = "abroad", _("país vecino")


# The length of a code says of which level its place is.
LEVEL_BY_DIGITS = {2: Level.PROVINCE, 4: Level.DISTRICT, 6: Level.CORREGIMIENTO}


class Boundary(models.Model):
    """An outline (WGS 84), apart from its place's row so that listing stays light."""

    generation = models.ForeignKey(
        Generation, models.CASCADE, related_name="boundaries"
    )
    level = models.CharField(max_length=13, choices=Level)
    code = models.CharField(max_length=30)
    outline = models.MultiPolygonField(srid=4326)
    approximate = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["generation", "level", "code"],
                name="one_outline_per_place_and_generation",
            )
        ]
        verbose_name = _("límite")

    def __str__(self) -> str:
        return f"{self.level} {self.code}"


class Entity(models.Model):
    """A body that answers citizens: a ministry, an agency, a company, a municipality."""

    class Kind(models.TextChoices):
        MINISTRY = "ministry", _("ministerio")
        AGENCY = "agency", _("entidad descentralizada")
        COMPANY = "company", _("empresa pública")
        CONCESSION = "concession", _("empresa concesionaria")
        SECURITY = "security", _("seguridad y protección civil")
        UNIVERSITY = "university", _("universidad")
        COURT = "court", _("justicia y control")
        MUNICIPALITY = "municipality", _("municipio")

    code = models.CharField(_("código"), max_length=16, primary_key=True)
    name = models.CharField(_("nombre"), max_length=160)
    name_en = models.CharField(_("nombre en inglés"), max_length=160, blank=True)
    kind = models.CharField(_("tipo"), max_length=12, choices=Kind)
    district = models.OneToOneField(
        District,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="municipality",
        verbose_name=_("distrito"),
    )

    class Meta:
        ordering = ["code"]
        verbose_name = _("entidad")
        verbose_name_plural = _("entidades")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="municipality", district__isnull=False)
                | (~Q(kind="municipality") & Q(district__isnull=True)),
                name="a_municipality_has_a_district",
                violation_error_message=_(
                    "Un municipio tiene su distrito; las demás entidades, ninguno."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Duty(models.Model):
    """A public service that the law gives to someone (*competencia*)."""

    code = models.CharField(_("código"), max_length=40, primary_key=True)
    name_es = models.CharField(_("nombre en español"), max_length=120)
    name_en = models.CharField(_("nombre en inglés"), max_length=120)
    description = models.TextField(_("descripción"), blank=True)

    class Meta:
        ordering = ["code"]
        verbose_name = _("competencia")

    def __str__(self) -> str:
        return in_reader_language(self.name_es, self.name_en)


class Jurisdiction(models.Model):
    """Who answers for a duty in a place, from one day to another (both included)."""

    class Scope(models.TextChoices):
        CORREGIMIENTO = "corregimiento", _("corregimiento")
        ZONE = "zone", _("zona de servicio")
        DISTRICT = "district", _("distrito")
        PROVINCE = "province", _("provincia o comarca")
        NATION = "nation", _("todo el país")

    duty = models.ForeignKey(
        Duty,
        models.PROTECT,
        related_name="jurisdictions",
        verbose_name=_("competencia"),
    )
    level = models.CharField(_("ámbito"), max_length=13, choices=Scope)
    place = models.CharField(
        _("lugar"),
        max_length=30,
        blank=True,
        help_text=_("código del lugar; vacío: todo el país"),
    )
    entity = models.ForeignKey(
        Entity, models.PROTECT, related_name="jurisdictions", verbose_name=_("entidad")
    )
    valid_from = models.DateField(_("desde"), null=True, blank=True)
    valid_to = models.DateField(_("hasta"), null=True, blank=True)
    legal_basis = models.CharField(_("base legal"), max_length=300, blank=True)
    note = models.TextField(_("nota"), blank=True)
    confirmed = models.BooleanField(_("confirmada"), default=False)

    class Meta:
        ordering = ["duty", "level", "place", "valid_from"]
        verbose_name = _("jurisdicción")
        verbose_name_plural = _("jurisdicciones")
        constraints = [
            models.CheckConstraint(
                condition=Q(level="nation", place="")
                | (~Q(level="nation") & ~Q(place="")),
                name="only_the_nation_needs_no_place",
                violation_error_message=_(
                    "Indique el código del lugar; solo lo que vale para todo el país va sin lugar."
                ),
            ),
            models.CheckConstraint(
                # On the day before it begins: it was withdrawn, and holds on no day.
                condition=Q(valid_from=None)
                | Q(valid_to=None)
                | Q(
                    valid_to__gte=Func(
                        "valid_from",
                        template="%(expressions)s::date - 1",
                        output_field=models.DateField(),
                    )
                ),
                name="a_jurisdiction_ends_after_it_begins",
            ),
            ExclusionConstraint(
                name="one_entity_per_duty_and_place_at_a_time",
                violation_error_message=_(
                    "Ya responde alguien por esa competencia en ese lugar y en esos días."
                ),
                # A change of rules is judged whole, whatever the order of its rows.
                deferrable=models.Deferrable.DEFERRED,
                expressions=[
                    ("duty", RangeOperators.EQUAL),
                    ("level", RangeOperators.EQUAL),
                    ("place", RangeOperators.EQUAL),
                    (
                        Func(
                            "valid_from",
                            "valid_to",
                            # The last day is in it; one that was withdrawn has none.
                            template="daterange(%(expressions)s::date + 1)",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.duty_id} · {self.level} {self.place} → {self.entity_id}"

    @property
    def is_in_use(self) -> bool:
        """Whether something of a floor above refers to it, as the cases that it routed."""
        return any(
            one.related_model._base_manager.filter(**{one.field.name: self}).exists()
            for one in self._meta.get_fields(include_hidden=True)
            if isinstance(one, ManyToOneRel)
        )

    def clean(self) -> None:
        # Before PostgreSQL is asked what else there is on its days: it knows no such range.
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise ValidationError(
                {"valid_to": _("La fecha final no puede ser anterior a la inicial.")}
            )


class RulesVersion(models.Model):
    """One row: its number is another after any change of the rules (see `editions`)."""

    id = models.SmallIntegerField(primary_key=True)
    version = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.version}"
