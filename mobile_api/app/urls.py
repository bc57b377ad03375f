"""The addresses of the phone app, under /reportar."""

from django.urls import path

from mobile_api.app import pages

urlpatterns = [
    path("reportar", pages.shell, name="app"),
    path("reportar/", pages.shell),
    path("reportar/manifest.webmanifest", pages.manifest, name="app-manifest"),
    path("reportar/sw.js", pages.service_worker, name="app-service-worker"),
    path("reportar/limites.json", pages.outlines, name="app-outlines"),
]
