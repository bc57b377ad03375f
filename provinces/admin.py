"""Rules and territory, for the authority that owns them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from provinces.catalogue import known_places
from provinces.models import (
    Corregimiento,
    District,
    Duty,
    Entity,
    Generation,
    Jurisdiction,
    Province,
    Zone,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what comes from files: a load changes it whole, a hand does not."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class KnownByKeyAdmin(admin.ModelAdmin):
    """For what is known by a code, or a day: with another, both would be there."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        known_by = [self.opts.pk.name] if obj else []
        return [*super().get_readonly_fields(request, obj), *known_by]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """That first, where Django puts what cannot be changed last."""
        known_by = self.opts.pk.name
        fields = super().get_fields(request, obj)
        return [known_by, *(name for name in fields if name != known_by)]


@admin.register(Province)
class ProvinceAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "kind", "population", "population_year"]


@admin.register(District)
class DistrictAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "province", "population", "population_year"]
    list_filter = ["province"]
    search_fields = ["code", "name"]


@admin.register(Corregimiento)
class CorregimientoAdmin(ReadOnlyAdmin):
    list_display = ["code", "name", "district", "kind"]
    list_filter = ["district__province"]
    search_fields = ["code", "name"]


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    list_display = ["id", "source", "loaded_at", "is_active"]


@admin.register(Entity)
class EntityAdmin(KnownByKeyAdmin):
    list_display = ["code", "name", "kind"]
    list_filter = ["kind"]
    search_fields = ["code", "name"]


@admin.register(Duty)
class DutyAdmin(KnownByKeyAdmin):
    list_display = ["code", "name_es", "name_en"]
    search_fields = ["code", "name_es"]


class JurisdictionForm(forms.ModelForm):
    """A rule for a place that does not exist would be kept, and never decide."""

    def clean_place(self) -> str:
        level: str | None = self.cleaned_data.get("level")
        place: str = self.cleaned_data["place"]
        if level and place and place not in known_places()[level]:
            raise forms.ValidationError(_("No existe ese lugar en ese ámbito."))
        return place


@admin.register(Jurisdiction)
class JurisdictionAdmin(admin.ModelAdmin):
    form = JurisdictionForm
    list_display = [
        "duty",
        "level",
        "where",
        "entity",
        "valid_from",
        "valid_to",
        "confirmed",
    ]
    list_filter = ["level", "confirmed", "duty"]
    list_select_related = ["duty", "entity"]
    search_fields = ["place", "place_name", "entity__code", "entity__name", "note"]
    autocomplete_fields = ["duty", "entity"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Jurisdiction]:
        """With the name of each rule's place; a code says of which level it is."""
        names = [
            Subquery(level.objects.filter(code=OuterRef("place")).values("name"))
            for level in (Province, District, Corregimiento, Zone)
        ]
        rules: QuerySet[Jurisdiction] = super().get_queryset(request)
        return rules.annotate(place_name=Coalesce(*names))

    def has_delete_permission(
        self, request: HttpRequest, obj: Jurisdiction | None = None
    ) -> bool:
        """One that cases refer to ends by its last day: they would no longer say why."""
        if obj and obj.is_in_use:
            return False
        return super().has_delete_permission(request, obj)

    @admin.display(description=_("lugar"), ordering="place")
    def where(self, rule: Any) -> str:
        return f"{rule.place} {rule.place_name}" if rule.place else "—"
