"""People, and the entities whose cases they work on."""

from math import ceil
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.http import HttpRequest
from django.utils.translation import ngettext
from knox import admin as knox_admin  # noqa: F401
from knox.models import get_token_model

from backend.accounts.limits import TooMany
from backend.accounts.models import Membership, User
from backend.accounts.passwords import counted_guess
from provinces.admin import ReadOnlyAdmin


class SignInForm(AdminAuthenticationForm):
    """The administration's, where a password can be guessed no more often either."""

    def clean(self) -> dict[str, Any]:
        username = self.cleaned_data.get("username")
        if not username or not self.cleaned_data.get("password"):
            return super().clean()
        assert self.request is not None  # noqa: S101 - it is of the page's own view
        try:
            with counted_guess(self.request, username):
                return super().clean()
        except TooMany as many:
            minutes = ceil(many.retry_after / 60)
            said = ngettext(
                "Demasiados intentos. Espere %(minutes)d minuto.",
                "Demasiados intentos. Espere %(minutes)d minutos.",
                minutes,
            )
            raise forms.ValidationError(
                said % {"minutes": minutes}, code="too-many-requests"
            ) from many


admin.site.login_form = SignInForm


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
