"""The catalogue, and the cases to look at; cases change through their workflow only."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache

from backend.accounts.models import User
from backend.cases import (  # noqa: F401 - pages of their own
    api_key_admin,
    jobs_admin,
    photo_admin,
)
from backend.cases.access import NoContact, look_at_contact
from backend.cases.citizens import settle
from backend.cases.models import (
    AccessLog,
    Case,
    Category,
    ConsentText,
    DayOff,
    Flag,
    Group,
    Photo,
    StatusChange,
)
from backend.cases.my_data import contact_data
from backend.cases.numbers import NotANumber, beginning_of
from provinces.admin import KnownByKeyAdmin, ReadOnlyAdmin

SHAPES = ["location", "public_location"]


@admin.register(Group)
class GroupAdmin(KnownByKeyAdmin):
    list_display = ["code", "name_es", "name_en", "position"]


@admin.register(Category)
class CategoryAdmin(KnownByKeyAdmin):
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

    def get_readonly_fields(
        self, request: HttpRequest, obj: Category | None = None
    ) -> list[str]:
        """All can be said of a new one; of one that is there, not what it is known by.

        And a change of precision must republish stored cases: `load_catalogue` does both.
        """
        known_by = super().get_readonly_fields(request, obj)
        return [*known_by, "precision", "private"] if obj else known_by

    def save_model(
        self, request: HttpRequest, obj: Category, form: Any, change: bool
    ) -> None:
        """Only what was changed: the rest may be what it was before a load just now."""
        obj.save(update_fields=form.changed_data if change else None)


@admin.register(DayOff)
class DayOffAdmin(KnownByKeyAdmin):
    """Terms already promised stay; those promised from now on count it."""

    list_display = ["day", "name_es", "name_en", "worked"]
    list_filter = ["worked"]
    date_hierarchy = "day"
    # Each is deleted on its own page: Django's page for several writes a key that is a
    # date in words, and does not understand it when it comes back.
    actions = None


class StatusChangeInline(admin.TabularInline):
    model = StatusChange
    fields = ["changed_at", "status", "note", "changed_by", "by_reporter"]
    extra = 0
    can_delete = False


class PhotoInline(admin.TabularInline):
    model = Photo
    fields = ["id", "state", "added_at", "released_at"]
    readonly_fields = ["id", "state", "added_at", "released_at"]
    extra = 0
    can_delete = False
    show_change_link = True


@admin.register(Case)
class CaseAdmin(ReadOnlyAdmin):
    list_display = ["number", "category", "status", "entity", "district", "filed_at"]
    list_filter = ["under_review", "status", "category__group", "province", "demo"]
    list_select_related = ["category", "entity", "district"]
    search_fields = ["number"]  # as `get_search_results` finds it
    # Of millions, by what has an index.
    sortable_by = ["number", "filed_at"]
    show_full_result_count = False
    # GDAL must never read what somebody writes in an address.
    exclude = [*SHAPES, "pin", "report_id", "report_digest", "device"]
    inlines = [StatusChangeInline, PhotoInline]
    change_form_template = "admin/cases/case/with_contact.html"

    class Media:
        css = {"all": ["cases/admin.css"]}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Case], search_term: str
    ) -> tuple[QuerySet[Case], bool]:
        """By a number or how it begins, in its index; Django's way reads all cases."""
        if not search_term.strip():
            return queryset, False
        try:
            first = beginning_of(search_term)
        except NotANumber:
            return queryset.none(), False
        # Whatever may follow in a number comes before a colon.
        return queryset.filter(number__gte=first, number__lt=f"{first}:"), False

    def get_urls(self) -> list[URLPattern]:
        contact = self.admin_site.admin_view(never_cache(self.contact))
        return [
            path("<int:key>/contact/", contact, name="cases_case_contact"),
            *super().get_urls(),
        ]

    def contact(self, request: HttpRequest, key: int) -> HttpResponse:
        """Who reported a case, for who says why they want to know; it is written down."""
        if not request.user.has_perm("cases.view_reporter"):
            raise PermissionDenied
        case = Case.objects.filter(pk=key).first()
        if case is None:
            raise Http404
        # PostgreSQL keeps no NUL.
        why = request.POST.get("why", "").replace("\0", "").strip()
        page: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": str(case),
            "case": case,
        }
        if why:
            page |= self.looked_at(request, case, why)
        return TemplateResponse(request, "admin/cases/case/contact.html", page)

    def looked_at(self, request: HttpRequest, case: Case, why: str) -> dict[str, Any]:
        try:
            reporter = look_at_contact(case, member(request), why, timezone.now())
        except NoContact:
            return {"nobody": True}
        return {"contact": contact_data(reporter)}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.split("__")[0] not in SHAPES and super().lookup_allowed(
            lookup, value, request
        )


@admin.register(Flag)
class FlagAdmin(ReadOnlyAdmin):
    """What people say should not be shown, the oldest unsettled first."""

    list_display = ["raised_at", "case", "reason", "photo", "note", "settled_at"]
    list_filter = [("settled_at", admin.EmptyFieldListFilter), "reason"]
    list_select_related = ["case", "photo"]
    search_fields = ["case__number"]
    ordering = [F("settled_at").asc(nulls_first=True), "raised_at"]
    exclude = ["device"]
    actions = ["settle_them"]

    @admin.action(description=_("Marcar como vistos"), permissions=["settle"])
    def settle_them(self, request: HttpRequest, flags: QuerySet[Flag]) -> None:
        chosen = list(flags)
        settle(chosen, request.user)  # type: ignore[arg-type]
        said = ngettext(
            "%(count)d aviso visto.", "%(count)d avisos vistos.", len(chosen)
        )
        self.message_user(request, said % {"count": len(chosen)}, messages.SUCCESS)

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("cases.change_flag")


def member(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - `admin_view` has let it in
    return request.user


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    list_display = ["at", "who", "what", "case", "why"]
    list_filter = ["what"]
    list_select_related = ["case", "who"]
    search_fields = ["case__number", "who__username"]


@admin.register(ConsentText)
class ConsentTextAdmin(ReadOnlyAdmin):
    list_display = ["version", "valid_from"]
