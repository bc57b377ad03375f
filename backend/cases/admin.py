"""The catalogue, and the cases to look at; cases change through their workflow only."""

from django.contrib import admin
from django.http import HttpRequest

from backend.cases.models import Case, Category, Group, Photo, StatusChange
from provinces.admin import ReadOnlyAdmin

SHAPES = ["location", "public_location"]


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):
    list_display = ["code", "name_es", "name_en", "position"]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = [
        "code",
        "name_es",
        "duty",
        "precision",
        "private",
        "sla_amount",
        "sla_unit",
        "active",
    ]
    list_filter = ["group", "precision", "private", "active"]
    list_select_related = ["duty"]
    search_fields = ["code", "name_es", "keywords"]
    # A change of precision must republish stored cases: `load_catalogue` does both.
    readonly_fields = ["precision", "private"]


class StatusChangeInline(admin.TabularInline):
    model = StatusChange
    fields = ["changed_at", "status", "note", "changed_by"]
    extra = 0
    can_delete = False


class PhotoInline(admin.TabularInline):
    model = Photo
    fields = ["image", "added_at"]
    extra = 0
    can_delete = False


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    list_display = ["number", "category", "status", "entity", "district", "filed_at"]
    list_filter = ["status", "category__group", "province", "demo"]
    list_select_related = ["category", "entity", "district"]
    search_fields = ["number"]
    # GDAL must never read what somebody writes in an address.
    exclude = [*SHAPES, "pin", "report_digest"]
    inlines = [StatusChangeInline, PhotoInline]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.split("__")[0] not in SHAPES and super().lookup_allowed(
            lookup, value, request
        )
