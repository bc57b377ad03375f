"""One table, one view that stores a row with the ORM; run by gunicorn alone."""

from __future__ import annotations

import os

import django
import environ
import orjson
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    DATABASES={
        "default": {
            **environ.Env().db("DATABASE_URL", engine="django.db.backends.postgresql"),
            "CONN_MAX_AGE": 60,
            "CONN_HEALTH_CHECKS": True,
        }
    },
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ["SECRET_KEY"],
    USE_TZ=True,
)
django.setup()

from django.contrib.gis.geos import Point  # noqa: E402 - loads GEOS, as ours does
from django.db import models  # noqa: E402

ORIGIN = Point(0, 0)


class Row(models.Model):
    objects = models.Manager()

    report_id = models.UUIDField(unique=True)
    category = models.CharField(max_length=8)
    description = models.TextField()
    lon = models.FloatField()
    lat = models.FloatField()
    filed_at = models.DateTimeField()

    class Meta:
        app_label = "bare"
        db_table = "bench_row"

    def __str__(self) -> str:
        return str(self.report_id)


def store(request: HttpRequest) -> HttpResponse:
    row = Row._default_manager.create(**orjson.loads(request.body))
    return JsonResponse({"id": row.pk}, status=201)


def ready(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


urlpatterns = [path("rows/", store), path("readyz", ready)]
application = WSGIHandler()
