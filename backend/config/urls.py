"""Every address, by the door that answers it."""

from django.contrib import admin
from django.urls import include, path
from django.utils.translation import gettext_lazy as _

admin.site.site_header = admin.site.site_title = "311 móvil"
admin.site.index_title = _("Administración")

urlpatterns = [
    # The map's door first: /api/v1/heat/ is its own.
    path("", include("map_views.urls")),
    path("", include("mobile_api.app.urls")),
    path("api/v1/", include("mobile_api.urls")),
    path("open311/", include("mobile_api.open311.urls")),
    path("admin/", admin.site.urls),
]
