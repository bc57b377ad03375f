"""The queue of jobs in the administration, to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from procrastinate.contrib.django import admin as procrastinate_admin  # noqa: F401
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from provinces.admin import ReadOnlyAdmin


class EventInline(admin.TabularInline):
    """What happened to a job, and when."""

    model = ProcrastinateEvent
    fields = ["type", "at"]
    readonly_fields = ["type", "at"]
    ordering = ["id"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# Importing its module has registered procrastinate's own, whose pages have styles that
# the CSP refuses, and actions that let anyone who may look at a job cancel it.
admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin):
    """The queue, to look at: what waits, what is under way, what has failed."""

    list_display = ["id", "task_name", "args", "status", "attempts", "scheduled_at"]
    list_filter = ["status", "task_name"]
    ordering = ["-id"]
    inlines = [EventInline]
