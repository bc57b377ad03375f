"""The phone's addresses, under /api/v1/."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from mobile_api.cases import CaseView
from mobile_api.categories import CategoriesView
from mobile_api.citizens import (
    AnswerView,
    CancelView,
    ConfirmView,
    FlagView,
    FollowView,
    ReopenView,
    SupportView,
)
from mobile_api.config import ConfigView
from mobile_api.crews import NearbyView, TransitionsView
from mobile_api.devices import DevicesView, OwnDeviceView
from mobile_api.docs import docs
from mobile_api.my_data import MyDataView
from mobile_api.photos import PhotoView
from mobile_api.places import PlaceView
from mobile_api.problems import nothing_here
from mobile_api.proofs import ProofView
from mobile_api.reports import ReportsView
from mobile_api.routing import ExplainView
from mobile_api.similar import SimilarView
from mobile_api.tokens import TokenView

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="token"),
    path("cases/similar/", SimilarView.as_view(), name="cases-similar"),
    path("cases/<str:number>/", CaseView.as_view(), name="case"),
    path("categories/", CategoriesView.as_view(), name="categories"),
    path("config/", ConfigView.as_view(), name="config"),
    path("cases/<str:number>/answer/", AnswerView.as_view(), name="case-answer"),
    path("cases/<str:number>/cancel/", CancelView.as_view(), name="case-cancel"),
    path("cases/<str:number>/confirm/", ConfirmView.as_view(), name="case-confirm"),
    path("cases/<str:number>/flag/", FlagView.as_view(), name="case-flag"),
    path("cases/<str:number>/follow/", FollowView.as_view(), name="case-follow"),
    path("cases/<str:number>/reopen/", ReopenView.as_view(), name="case-reopen"),
    path("cases/<str:number>/support/", SupportView.as_view(), name="case-support"),
    path("cases/<str:number>/my-data/", MyDataView.as_view(), name="my-data"),
    path("crew/cases/nearby/", NearbyView.as_view(), name="crew-nearby"),
    path(
        "crew/cases/<str:number>/transitions/",
        TransitionsView.as_view(),
        name="crew-transitions",
    ),
    path("devices/", DevicesView.as_view(), name="devices"),
    path("devices/me/", OwnDeviceView.as_view(), name="own-device"),
    path("docs/", docs, name="docs"),
    path("places/at/", PlaceView.as_view(), name="place"),
    path("proof/", ProofView.as_view(), name="proof"),
    path("reports/", ReportsView.as_view(), name="reports"),
    path(
        "reports/<str:report_id>/photos/<str:photo_id>/",
        PhotoView.as_view(),
        name="report-photo",
    ),
    path("routing/explain/", ExplainView.as_view(), name="routing-explain"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^(?P<rest>.*)$", nothing_here),
]
