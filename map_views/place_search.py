"""Which places of the country answer to what somebody typed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

from django.contrib.gis.db.models.functions import Envelope
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from map_views.parameters import InvalidParameters, Parameters
from provinces.models import (
    LEVEL_BY_DIGITS,
    Boundary,
    Corregimiento,
    District,
    Level,
    Province,
)

MOST_FOUND = 10
LONGEST_QUESTION = 80
DECIMALS = 4


class Named(NamedTuple):
    """A place by its name; `within` are the places around it, the nearest first."""

    code: str
    name: str
    kind: str
    within: tuple[str, ...] = ()

    @property
    def level(self) -> str:
        return LEVEL_BY_DIGITS[len(self.code)].value


@require_safe
def search_places(request: HttpRequest) -> HttpResponse:
    """Places whose names begin like the words of `q`, the likeliest first."""
    parameters = Parameters(request.GET)
    words = parameters.text("q")
    if len(words) > LONGEST_QUESTION:
        parameters.problems["q"] = _("No es un valor que se pueda buscar.")
    try:
        parameters.check()
    except InvalidParameters as invalid:
        return invalid.response()
    return JsonResponse(
        {"places": with_boxes(found(words))},
        headers={"Cache-Control": "public, max-age=3600"},
    )


def found(question: str) -> list[Named]:
    """At most ten: a name that is what was typed, one that begins so, any other."""
    words = folded(question).split()
    if not words:
        return []
    typed = " ".join(words)
    likely = [place for place in all_places() if answers(place, words)]
    likely.sort(key=lambda place: (rank(place, typed), len(place.code), place.name))
    return likely[:MOST_FOUND]


def answers(place: Named, words: list[str]) -> bool:
    """Whether each word begins one of the place's names, and one of them its own."""
    own = beginnings(place.name)
    known = [*own, *(word for name in place.within for word in beginnings(name))]
    return any(begins(word, own) for word in words) and all(
        begins(word, known) for word in words
    )


def rank(place: Named, typed: str) -> int:
    name = folded(place.name)
    if name == typed:
        return 0
    return 1 if name.startswith(typed) else 2


def begins(word: str, names: list[str]) -> bool:
    return any(name.startswith(word) for name in names)


def beginnings(name: str) -> list[str]:
    return folded(name).replace("-", " ").split()


def folded(text: str) -> str:
    """Without accents or capitals: most people type neither."""
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def all_places() -> Iterator[Named]:
    """Some seven hundred: reading them all costs less than an index of words."""
    for code, name, kind in Province.objects.values_list("code", "name", "kind"):
        yield Named(code, name, kind)
    for code, name, province in District.objects.values_list(
        "code", "name", "province__name"
    ):
        yield Named(code, name, Level.DISTRICT.value, (province,))
    for code, name, kind, district, province in Corregimiento.objects.values_list(
        "code", "name", "kind", "district__name", "district__province__name"
    ):
        yield Named(code, name, kind, (district, province))


def with_boxes(places: list[Named]) -> list[dict[str, Any]]:
    """As the map needs them; `bbox` is null for a place that has no outline yet."""
    boxes = dict(
        Boundary.objects.filter(
            generation__is_active=True,
            level__in=LEVEL_BY_DIGITS.values(),
            code__in=[place.code for place in places],
        )
        .annotate(box=Envelope("outline"))
        .values_list("code", "box")
    )
    return [
        {
            "code": place.code,
            "name": place.name,
            "level": place.level,
            "kind": place.kind,
            "within": ", ".join(place.within),
            "bbox": sides(boxes.get(place.code)),
        }
        for place in places
    ]


def sides(box: Any) -> list[float] | None:
    return box and [round(side, DECIMALS) for side in box.extent]
