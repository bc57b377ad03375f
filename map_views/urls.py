"""The public's addresses."""

from django.urls import include, path

from map_views.exports import cases_geojson
from map_views.health import alive, ready
from map_views.heat_map import heat_cells
from map_views.photos import photo

urlpatterns = [
    path("api/v1/heat/", heat_cells, name="heat"),
    path("data/cases.geojson", cases_geojson, name="cases-geojson"),
    path("fotos/<path:name>", photo, name="photo"),
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
    path("", include("map_views.page_urls")),
]
