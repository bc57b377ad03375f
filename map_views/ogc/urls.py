"""The addresses under /ogc/."""

from django.urls import path

from map_views.ogc import views

urlpatterns = [
    path("", views.landing, name="ogc-landing"),
    path("conformance", views.conformance, name="ogc-conformance"),
    path("api", views.api, name="ogc-api"),
    path("311-movil.qgz", views.qgis_project, name="ogc-qgis"),
    path("collections", views.collections, name="ogc-collections"),
    path("collections/<str:collection>", views.collection, name="ogc-collection"),
    path("collections/<str:collection>/items", views.items, name="ogc-items"),
    path(
        "collections/<str:collection>/items/<str:feature>",
        views.item,
        name="ogc-item",
    ),
    path("<path:rest>", views.nothing, name="ogc-nothing"),
]
