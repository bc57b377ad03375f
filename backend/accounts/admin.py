"""People, and the entities whose cases they work on."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from knox import admin as knox_admin  # noqa: F401
from knox.models import get_token_model

from backend.accounts.models import Membership, User
from provinces.admin import ReadOnlyAdmin


class MembershipInline(admin.TabularInline):
    model = Membership
    extra = 1
    autocomplete_fields = ["entity"]


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    inlines = [MembershipInline]


# Importing its module has registered knox's own, which makes tokens for anybody, tells
# them by a cookie, and gives one person's to another.
admin.site.unregister(get_token_model())


@admin.register(get_token_model())
class TokenAdmin(ReadOnlyAdmin):
    """Who is signed in on a phone: to look at, and to sign them out at once."""

    list_display = ["user", "created", "expiry"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    ordering = ["-created"]
    fields = ["user", "created", "expiry"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)
