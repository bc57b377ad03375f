"""Whether this process lives, and whether it can serve."""

from __future__ import annotations

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from provinces.models import Generation


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"alive": True})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """The database answers, its migrations are done, boundaries are loaded."""
    try:
        checks = {
            "database": True,
            "migrations": not pending_migrations(),
            "boundaries": Generation.objects.active().exists(),
        }
    except DatabaseError:
        checks = {"database": False}
    return JsonResponse(checks, status=200 if all(checks.values()) else 503)


def pending_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
