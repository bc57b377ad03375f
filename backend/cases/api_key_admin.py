"""Keys for other systems: made here, shown once, revoked at once."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backend.accounts.api_keys import give_secret, revoke_key
from backend.accounts.models import ApiKey
from backend.cases.models import ConsentText


class ApiKeyForm(forms.ModelForm):
    """The consent is one of the texts that there are: see `consent.py`."""

    consent = forms.ChoiceField(
        label=ApiKey._meta.get_field("consent").verbose_name,
        help_text=ApiKey._meta.get_field("consent").help_text,
        required=False,
        choices=lambda: [
            ("", "—"),
            *ConsentText.objects.values_list("version", "version"),
        ],
    )

    class Meta:
        model = ApiKey
        fields = ["name", "contact", "entity", "consent", "hourly"]


@admin.register(ApiKey)
class ApiKeyAdmin(admin.ModelAdmin):
    form = ApiKeyForm
    list_display = ["name", "prefix", "entity", "hourly", "made_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter), "entity"]
    list_select_related = ["entity"]
    search_fields = ["name", "prefix"]
    readonly_fields = ["prefix", "made_at", "revoked_at"]
    autocomplete_fields = ["entity"]
    actions = ["revoke_them"]

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: Any, change: bool
    ) -> None:
        if not change:
            give_secret(obj, timezone.now())
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The secret, on a page that nothing keeps: it is in no message, cookie or log."""
        page = {
            **self.admin_site.each_context(request),
            "title": str(obj),
            "key": obj,
        }
        response = TemplateResponse(request, "admin/accounts/apikey/made.html", page)
        add_never_cache_headers(response)
        return response

    @admin.action(description=_("Revocar de inmediato"), permissions=["change"])
    def revoke_them(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        revoked = [key for key in keys if revoke_key(key)]
        for key in revoked:
            self.log_change(request, key, "revoked")
        said = ngettext(
            "%(count)d clave revocada.", "%(count)d claves revocadas.", len(revoked)
        )
        self.message_user(request, said % {"count": len(revoked)}, messages.SUCCESS)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
