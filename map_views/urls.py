"""The public's addresses."""

from django.urls import include, path

from map_views.health import alive, ready
from map_views.heat_map import heat_by_month, heat_by_place, heat_cells
from map_views.photos import photo
from map_views.place_search import search_places
from map_views.tiles import tile

urlpatterns = [
    path("api/v1/heat/", heat_cells, name="heat"),
    path("api/v1/heat/months/", heat_by_month, name="heat-months"),
    path("api/v1/heat/places/", heat_by_place, name="heat-places"),
    path("api/v1/places/search/", search_places, name="place-search"),
    path("tiles/<str:layer>/<int:zoom>/<int:x>/<int:y>.mvt", tile, name="tile"),
    path("ogc/", include("map_views.ogc.urls")),
    path("data/", include("map_views.data.urls")),
    path("fotos/<path:name>", photo, name="photo"),
    path("healthz", alive, name="alive"),
    path("readyz", ready, name="ready"),
    path("", include("map_views.page_urls")),
]
