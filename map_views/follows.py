"""The pages behind the links of the letters: yes, tell me; and no more, please.

A link alone changes nothing: mail programs open links before their readers do. It opens
a page with one button. The token in the address is all that is needed, so that a mail
program's own «unsubscribe», which carries no cookie, is heard (RFC 8058).
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from backend.cases.citizens import confirm
from backend.cases.follow_links import DeadLink, invited, leaving


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def say_yes(request: HttpRequest, token: str) -> HttpResponse:
    title = _("Seguir un caso por correo")
    try:
        follower = invited(token)
    except DeadLink:
        return dead_link(request, title)
    number = follower.case.number
    if request.method == "POST":
        confirm(follower)
        said = _("Listo: le escribiremos cuando algo cambie en el caso %s.") % number
        return page(request, title, said)
    said = _("¿Quiere que le escribamos cuando algo cambie en el caso %s?") % number
    return page(request, title, said, button=_("Sí, quiero seguirlo"))


@never_cache
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def say_no_more(request: HttpRequest, token: str) -> HttpResponse:
    """Said twice, it is as good as said once."""
    title = _("Dejar de seguir un caso")
    try:
        follower = leaving(token)
    except DeadLink:
        return dead_link(request, title)
    if follower and request.method != "POST":
        said = _("¿Ya no quiere correos sobre el caso %s?") % follower.case.number
        return page(request, title, said, button=_("No me escriban más"))
    if follower:
        follower.delete()
    return page(request, title, _("Listo: no le escribiremos más sobre ese caso."))


def dead_link(request: HttpRequest, title: str) -> HttpResponse:
    said = _("Este enlace ya no vale. Desde la página del caso puede pedir otro.")
    return page(request, title, said, status=404)


def page(
    request: HttpRequest, title: str, said: str, button: str = "", status: int = 200
) -> HttpResponse:
    context = {"title": title, "said": said, "button": button}
    response = render(request, "map_views/follow.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response
