"""The phone's addresses, under /api/v1/."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from mobile_api.cases import CaseView
from mobile_api.crews import NearbyView, TransitionsView
from mobile_api.errors import nothing_here
from mobile_api.reports import ReportsView
from mobile_api.routing import ExplainView
from mobile_api.tokens import TokenView

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="token"),
    path("cases/<str:number>/", CaseView.as_view(), name="case"),
    path("crew/cases/nearby/", NearbyView.as_view(), name="crew-nearby"),
    path(
        "crew/cases/<str:number>/transitions/",
        TransitionsView.as_view(),
        name="crew-transitions",
    ),
    path("reports/", ReportsView.as_view(), name="reports"),
    path("routing/explain/", ExplainView.as_view(), name="routing-explain"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^(?P<rest>.*)$", nothing_here),
]
