"""Photos in the administration: a person releases them, or takes them from sight."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from backend.cases.models import Photo
from backend.cases.photos import WITHHELD, clear_doubts, release, withhold
from backend.cases.storage import opened
from provinces.admin import ReadOnlyAdmin


class WaitingFilter(admin.SimpleListFilter):
    """What a person has to do: most of all, to look."""

    title = _("qué hacer")
    parameter_name = "hacer"
    CHOICES: dict[str, tuple[Any, Callable[[QuerySet[Photo]], QuerySet[Photo]]]] = {
        "publicar": (
            _("esperan que alguien las publique"),
            lambda photos: photos.filter(
                state=Photo.State.READY, released_at=None, refusal=""
            ),
        ),
        "dudas": (_("con dudas"), lambda photos: photos.exclude(doubts=[])),
        "retiradas": (_("retiradas"), lambda photos: photos.filter(refusal=WITHHELD)),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, words) for name, (words, _narrow) in self.CHOICES.items()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Photo]
    ) -> QuerySet[Photo]:
        chosen = self.CHOICES.get(self.value() or "")
        return chosen[1](queryset) if chosen else queryset


@admin.register(Photo)
class PhotoAdmin(ReadOnlyAdmin):
    """Photos to release or to withhold; nothing else of them changes by hand."""

    list_display = [
        "preview",
        "case",
        "state",
        "doubts",
        "refusal",
        "added_at",
        "released_at",
    ]
    list_filter = [WaitingFilter, "state"]
    list_select_related = ["case"]
    list_per_page = 40
    show_full_result_count = False  # of millions
    ordering = ["-added_at"]
    # Neither where the files are nor where the camera was.
    fields = [
        "large_preview",
        "case",
        "change",
        "state",
        "doubts",
        "refusal",
        "taken_at",
        "added_at",
        "released_at",
    ]
    readonly_fields = ["large_preview"]
    actions = ["release_them", "withhold_them", "clear_doubts_about_them"]

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # GDAL must never read what somebody writes in an address.
        return lookup in {WaitingFilter.parameter_name, "state", "state__exact"}

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("cases.change_photo")

    @admin.action(description=_("Publicar las fotos"), permissions=["moderate"])
    def release_them(self, request: HttpRequest, photos: QuerySet[Photo]) -> None:
        self.each(request, photos, release, "publicada")

    @admin.action(description=_("Retirar las fotos"), permissions=["moderate"])
    def withhold_them(self, request: HttpRequest, photos: QuerySet[Photo]) -> None:
        self.each(request, photos, withhold, "retirada")

    @admin.action(
        description=_("Dar las dudas por aclaradas"), permissions=["moderate"]
    )
    def clear_doubts_about_them(
        self, request: HttpRequest, photos: QuerySet[Photo]
    ) -> None:
        # As they were: the log is what remembers them.
        self.each(request, photos, clear_doubts, "dudas aclaradas: {doubts}")

    def each(
        self,
        request: HttpRequest,
        photos: QuerySet[Photo],
        change: Callable[[Photo], bool],
        what: str,
    ) -> None:
        changed = [photo for photo in photos if change(photo)]
        for photo in changed:
            doubts = ", ".join(photo.doubts)
            self.log_change(request, photo, what.format(doubts=doubts))
        told = ngettext(
            "Cambió %(count)s foto.", "Cambiaron %(count)s fotos.", len(changed)
        )
        messages.success(request, told % {"count": len(changed)})

    @admin.display(description=_("foto"))
    def preview(self, photo: Photo) -> str:
        return self.picture(photo, "thumbnail", 120)

    @admin.display(description=_("foto"))
    def large_preview(self, photo: Photo) -> str:
        return self.picture(photo, "image", 800)

    def picture(self, photo: Photo, size: str, width: int) -> str:
        if photo.state != Photo.State.READY:
            return "—"
        url = reverse("admin:cases_photo_preview", args=[photo.pk, size])
        return format_html('<img src="{}" width="{}" alt="">', url, width)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview_view)
        return [
            path("<uuid:pk>/<str:size>.jpg", view, name="cases_photo_preview"),
            *super().get_urls(),
        ]

    def preview_view(
        self, request: HttpRequest, pk: Any, size: str
    ) -> HttpResponseBase:
        """A cleaned picture, released or not, for who may moderate; never an original."""
        photo = self.get_object(request, str(pk))
        if photo is None or not self.has_view_permission(request, photo):
            raise Http404
        name = {"thumbnail": photo.thumbnail, "image": photo.image}.get(size)
        if not name:
            raise Http404
        try:
            file = opened(name)
        except FileNotFoundError as lost:
            raise Http404 from lost
        return FileResponse(file, content_type="image/jpeg")
