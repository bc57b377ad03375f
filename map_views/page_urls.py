"""The addresses of the pages that people open, and of what these pages load."""

from django.templatetags.static import static
from django.urls import path
from django.utils.functional import lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from django.views.i18n import set_language

from map_views import basemap, cases, follows, pages, publish_pages, robots

# For pages that name none: the administration, an answer of the API in a browser.
icon = RedirectView.as_view(url=lazy(static, str)("map_views/icon.svg"))

urlpatterns = [
    path("", pages.public_map, name="public-map"),
    path("favicon.ico", icon),
    path("robots.txt", robots.robots),
    path("mapa/incrustar", pages.embedded_map, name="embedded-map"),
    path("mapa/folium.js", pages.folium_script, name="folium-script"),
    path(
        "mapa/<int:generation>/provincias.geojson",
        basemap.provinces,
        name="basemap-provinces",
    ),
    path(
        "mapa/<int:generation>/distritos.geojson",
        basemap.districts_of_the_country,
        name="basemap-all-districts",
    ),
    path(
        "mapa/<int:generation>/distritos/<slug:parent>.geojson",
        basemap.districts,
        name="basemap-districts",
    ),
    path(
        "mapa/<int:generation>/corregimientos/<slug:parent>.geojson",
        basemap.corregimientos,
        name="basemap-corregimientos",
    ),
    path("mapa-analista", publish_pages.publish_map, name="publish-map"),
    path(
        "mapa-analista/mapa.html", publish_pages.published_map, name="publish-map-file"
    ),
    path("casos/", cases.look_up, name="case-look-up"),
    path("casos/<str:number>", cases.case_page, name="case-page"),
    path("seguir/<str:token>", follows.say_yes, name="follow-confirm"),
    path("dejar/<str:token>", follows.say_no_more, name="follow-leave"),
    # It changes nothing but the visitor's own language: without a token, the public
    # pages need no cookie and can be cached.
    path("i18n/setlang/", csrf_exempt(set_language), name="set_language"),
]
