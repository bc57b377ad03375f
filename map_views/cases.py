"""The page of a case, and the form that finds one by its number."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from backend.accounts.addresses import key_of_range
from backend.accounts.limits import TooMany
from backend.cases.access import NoSuchCase, WrongPin, own_case, public_case
from backend.cases.numbers import NotANumber, WrongDigit
from map_views.basemap import basemap_addresses
from map_views.case_story import Story, story_of

FOR_A_MINUTE = "public, max-age=60"
NotFound = (NoSuchCase, NotANumber, WrongDigit)
# Nobody's number is longer; what is longer is not worth repeating on a page.
LONGEST_NUMBER = 20


@require_safe
@vary_on_headers("Accept-Language", "Cookie")
def case_page(request: HttpRequest, number: str) -> HttpResponse:
    """A case as anyone may see it; a private one does not exist."""
    try:
        case = public_case(number)
    except NotFound as problem:
        return no_case(request, number, problem)
    if case.number != number:
        return redirect("case-page", case.number, permanent=True)
    response = story_page(request, story_of(case))
    response["Cache-Control"] = FOR_A_MINUTE
    return response


@never_cache
@sensitive_post_parameters("pin")
@require_http_methods(["GET", "HEAD", "POST"])
def look_up(request: HttpRequest) -> HttpResponse:
    """A number leads to its case; with its PIN, sent in a form, to all there is of it."""
    if request.method == "POST":
        return own_page(request)
    number = request.GET.get("numero", "").strip()
    if number:
        return redirect("case-page", number[:LONGEST_NUMBER].replace("/", "-"))
    return form_page(request, number=request.GET.get("propio", ""))


def own_page(request: HttpRequest) -> HttpResponse:
    number = request.POST.get("numero", "").strip()
    pin = request.POST.get("pin", "").strip()
    if not pin:
        return redirect("case-page", number[:LONGEST_NUMBER].replace("/", "-") or "-")
    try:
        case = own_case(number, pin, key_of_range(request))
    except NotFound as missing:
        return no_case(request, number, missing)
    except WrongPin:
        problem = _("Ese no es el PIN de este caso.")
        return form_page(request, number, problem, wrong="pin", status=403)
    except TooMany as limit:
        return too_many(request, limit.retry_after)
    return story_page(request, story_of(case, own=True))


def story_page(request: HttpRequest, story: Story) -> HttpResponse:
    context = {"story": story, "case": story.case, "basemap": basemap_addresses()}
    response = render(request, "map_views/case.html", context)
    response["X-Robots-Tag"] = "noindex"  # what a person hides is gone at once
    return response


def form_page(
    request: HttpRequest,
    number: str,
    problem: str = "",
    *,
    wrong: str = "",
    status: int = 200,
) -> HttpResponse:
    """The form; `wrong` is the field that the problem is with."""
    context = {"number": number[:LONGEST_NUMBER], "problem": problem, "wrong": wrong}
    return render(request, "map_views/look_up.html", context, status=status)


def no_case(request: HttpRequest, number: str, problem: Exception) -> HttpResponse:
    """What is wrong with the number, and the form to write it again: always a 404."""
    said = sentence_for(problem)
    return form_page(request, number, said, wrong="number", status=404)


def sentence_for(problem: Exception) -> str:
    match problem:
        case WrongDigit():
            return _("Ese número tiene un dígito equivocado. Revíselo, por favor.")
        case NotANumber():
            return _("Eso no es un número de caso: se escribe así, 26-0000123-2.")
        case _other:
            return _("No hay ningún caso público con ese número.")


def too_many(request: HttpRequest, retry_after: int) -> HttpResponse:
    context = {"minutes": -(-retry_after // 60)}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(retry_after)
    return response
