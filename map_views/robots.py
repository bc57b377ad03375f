"""What well-behaved robots are asked to leave alone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

# Doors for programs. Some of them lead from one page to the next through all cases; what
# is in them, whoever wants it has whole from /data/.
FOR_PROGRAMS = [
    "/admin/",
    "/api/",
    "/data/cases.",
    "/mapa-analista/",
    "/ogc/collections/",
    "/open311/",
    "/tiles/",
]
ROBOTS = "\n".join(
    ["User-agent: *", *(f"Disallow: {door}" for door in FOR_PROGRAMS), ""]
)


@require_safe
@cache_control(public=True, max_age=24 * 60 * 60)
def robots(request: HttpRequest) -> HttpResponse:
    """`/robots.txt` (RFC 9309).

    The pages of cases and their photos are not among it: a robot has to read there that
    they are not to be kept (`X-Robots-Tag`), for what a person hides is to be gone.
    """
    return HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")
