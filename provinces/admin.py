"""Rules and territory, for the authority that owns them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from provinces.models import (
    Corregimiento,
    District,
    Duty,
    Entity,
    Generation,
    Jurisdiction,
    Province,
)


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what comes from files: a load changes it whole, a hand does not."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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
class EntityAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "kind"]
    list_filter = ["kind"]
    search_fields = ["code", "name"]


@admin.register(Duty)
class DutyAdmin(admin.ModelAdmin):
    list_display = ["code", "name_es", "name_en"]
    search_fields = ["code", "name_es"]


@admin.register(Jurisdiction)
class JurisdictionAdmin(admin.ModelAdmin):
    list_display = [
        "duty",
        "level",
        "place",
        "entity",
        "valid_from",
        "valid_to",
        "confirmed",
    ]
    list_filter = ["level", "confirmed", "duty"]
    list_select_related = ["duty", "entity"]
    search_fields = ["place", "entity__code", "note"]
