"""GeoReport v2's addresses, under /open311/: each with `.xml`, `.json` or neither."""

from __future__ import annotations

from django.urls import URLPattern, path, re_path

from mobile_api.open311.discovery import DiscoveryView
from mobile_api.open311.door import Door, Nowhere
from mobile_api.open311.location import LocationView
from mobile_api.open311.requests import RequestsView, RequestView
from mobile_api.open311.services import DefinitionView, ServicesView
from mobile_api.open311.tokens import TokenView
from mobile_api.open311.updates import UpdatesView


def in_each_format(route: str, view: type[Door], name: str) -> list[URLPattern]:
    """Without an extension the standard says nothing: then it is JSON."""
    answer = view.as_view()
    return [
        path(f"{route}.xml", answer, {"format": "xml"}, f"open311-{name}-xml"),
        path(f"{route}.json", answer, {"format": "json"}, f"open311-{name}-json"),
        path(route, answer, {"format": "json"}, f"open311-{name}"),
    ]


urlpatterns = [
    *in_each_format("discovery", DiscoveryView, "discovery"),
    # Some clients look for it beside the resources.
    *in_each_format("v2/discovery", DiscoveryView, "discovery-beside"),
    *in_each_format("v2/location", LocationView, "location"),
    *in_each_format("v2/services", ServicesView, "services"),
    *in_each_format("v2/services/<str:code>", DefinitionView, "definition"),
    *in_each_format("v2/requests", RequestsView, "requests"),
    *in_each_format("v2/requests/<str:number>", RequestView, "request"),
    *in_each_format("v2/tokens/<str:token>", TokenView, "token"),
    *in_each_format("v2/servicerequestupdates", UpdatesView, "updates"),
    re_path(r"^(?P<rest>.*)$", Nowhere.as_view(), name="open311-nowhere"),
]
