from django.apps import AppConfig


class MapViewsConfig(AppConfig):
    name = "map_views"
