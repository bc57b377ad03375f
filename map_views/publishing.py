"""One file with the analyst's map, to keep or to mail: nothing is fetched to open it.

Scripts, styles, pictures and data are in the page. Its own policy lets run no script but
these, by their hashes, and lets nothing be asked of any machine.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.http import QueryDict
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backend.cases.models import Category, Group
from geo.filters import Filters
from map_views.analyst_data import MOST_CASES, STEPS, Findings, rate_text
from map_views.analyst_map import RAMP_OF_MONTHS, Drawn, draw
from map_views.folium_map import RAMPS
from map_views.parameters import Parameters
from provinces.models import Corregimiento, District, Entity, Province, reads_english

STATIC = Path(__file__).parent / "static"
OWN_SCRIPTS = ("map_views/density.js", "map_views/analyst.js")
OWN_STYLE = "map_views/analyst.css"
DATA_LICENCE = "https://creativecommons.org/licenses/by/4.0/"
# What makes a file a module; here they all are one script.
IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
EXPORT = re.compile(r"^export ", re.MULTILINE)
PICTURE = re.compile(r"url\((images/[\w.-]+\.png)\)")
PLACES: dict[int, type[Province] | type[District] | type[Corregimiento]] = {
    2: Province,
    4: District,
    6: Corregimiento,
}

Progress = Callable[[Iterable[Any], str], Iterable[Any]]


class Asked(NamedTuple):
    """The filters, and the same in words: pairs of what and which."""

    filters: Filters
    words: list[tuple[str, str]]


def read(query: QueryDict) -> Asked:
    """Raises InvalidParameters, also for a code that nothing has."""
    parameters = Parameters(query)
    filters = parameters.filters()
    words = Words(parameters)
    told = [
        (_("Casos"), words.state(filters)),
        (_("Temas"), words.names("group", Group, filters.groups)),
        (_("Categorías"), words.names("category", Category, filters.categories)),
        (_("Entidad"), words.names("entity", Entity, (filters.entity,))),
        (_("Lugar"), words.place(filters.place)),
        (_("Reportados desde"), parameters.text("since")),
        (_("Reportados hasta"), parameters.text("until")),
    ]
    parameters.check()
    return Asked(filters, [(name, value) for name, value in told if value])


class Words:
    def __init__(self, parameters: Parameters) -> None:
        self.problems = parameters.problems

    def state(self, filters: Filters) -> str:
        return {
            "open": _("abiertos"),
            "resolved": _("resueltos"),
            "all": _("todos, también los rechazados, unidos o retirados"),
        }[filters.state]

    def names(self, parameter: str, model: Any, codes: Iterable[str]) -> str:
        wanted = [code for code in codes if code]
        found = model._default_manager.in_bulk(wanted)
        missing = [code for code in wanted if code not in found]
        if missing:
            self.problems[parameter] = _("No existe: %s.") % ", ".join(missing)
        return ", ".join(str(found[code]) for code in wanted if code in found)

    def place(self, code: str) -> str:
        if not code:
            return ""
        place = PLACES[len(code)]._default_manager.filter(code=code).first()
        if place is None:
            self.problems["place"] = _("No existe: %s.") % code
            return ""
        if isinstance(place, District):
            return f"{place.name} ({place.province.name})"
        if isinstance(place, Corregimiento):
            return f"{place.name} ({place.district.name})"
        return place.name


def publish(asked: Asked, progress: Progress) -> str:
    """The file, in the language that is active."""
    english = reads_english()
    found = Findings(asked.filters, english, timezone.localtime())
    for step in progress(STEPS, _("Armando el mapa")):
        step(found)
    drawn = draw(found)
    scripts = [
        *(inline(STATIC / path) for path in drawn.js),
        bundle(OWN_SCRIPTS),
        harmless(f"{drawn.script}\nanalyst.start();\n"),
    ]
    context = {
        "found": found,
        "drawn": drawn,
        "words": asked.words,
        "policy": policy(scripts),
        "styles": [*(style(path) for path in drawn.css), style(OWN_STYLE)],
        "scripts": scripts,
        "config": config(found, drawn),
        "at": date_format(found.at, "DATETIME_FORMAT"),
        "total": f"{found.total:,}",
        "ramps": ramps(found),
        "legends": legends(found),
        "left_out": left_out(found),
        "licence": DATA_LICENCE,
        "site": settings.PUBLIC_URL,
    }
    return render_to_string("map_views/analyst_file.html", context)


def file_name() -> str:
    return f"311-movil-mapa-{timezone.localdate().isoformat()}.html"


# ── What goes into the file ──────────────────────────────────────────────────────


def inline(path: Path) -> str:
    return harmless(path.read_text(encoding="utf-8"))


def harmless(script: str) -> str:
    """The same script, without what would end the element that it stands in."""
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def bundle(paths: Iterable[str]) -> str:
    """Modules that import each other only, as one script."""
    text = "".join((STATIC / path).read_text(encoding="utf-8") for path in paths)
    plain = EXPORT.sub("", IMPORT.sub("", text))
    return harmless(f"(() => {{\n'use strict';\n{plain}}})();\n")


def style(path: str) -> str:
    """A style sheet with its pictures in it."""
    file = STATIC / path

    def picture(match: re.Match[str]) -> str:
        content = base64.b64encode((file.parent / match[1]).read_bytes()).decode()
        return f"url(data:image/png;base64,{content})"

    return PICTURE.sub(picture, file.read_text(encoding="utf-8"))


def policy(scripts: Iterable[str]) -> str:
    hashes = " ".join(f"'{digest(script)}'" for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def digest(script: str) -> str:
    content = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(content).decode()}"


def config(found: Findings, drawn: Drawn) -> dict[str, Any]:
    return {
        "map": drawn.element,
        "heats": drawn.heats,
        "clusters": drawn.clusters,
        "months": drawn.months,
        "bounds": found.bounds,
        "cases": settings.PUBLIC_URL + reverse("case-look-up"),
        "credit": _("Límites: geoBoundaries (CC BY 4.0)"),
        "texts": {
            "play": _("Reproducir"),
            "pause": _("Pausar"),
            "number": _("Número"),
            "status": _("Estado"),
            "filed": _("Reportado"),
            "entity": _("Responde"),
            "where": _("Lugar"),
            "follow": _("Ver el caso"),
            "zoom_in": _("Acercar"),
            "zoom_out": _("Alejar"),
            "layers": _("Capas"),
            "close": _("Cerrar"),
        },
    }


# ── What the reader is told beside the map ───────────────────────────────────────


def ramps(found: Findings) -> list[tuple[str, str]]:
    """Of each heat, its name and its colours from few to many."""
    names = {"open": _("Abiertos"), "resolved": _("Resueltos")}
    told = [(names[state], RAMPS["light"][state]) for state in found.heats]
    if len(found.slides) > 1:
        told.append((_("Mes a mes"), RAMP_OF_MONTHS[found.filters.state]))
    return [(name, ", ".join(ramp.values())) for name, ramp in told]


def legends(found: Findings) -> list[dict[str, Any]]:
    return [
        {
            "title": division.title,
            "note": division.note,
            "shades": [
                (shade.colour, span(shade.least, shade.most))
                for shade in division.shades
            ],
            "rows": [
                (row.name, f"{row.cases:,}", rate_text(row.rate))
                for row in division.rows
            ],
        }
        for division in found.divisions
    ]


def span(least: float, most: float) -> str:
    ends = {"least": rate_text(least), "most": rate_text(most)}
    if ends["least"] == ends["most"]:
        return ends["least"]
    return _("de %(least)s a %(most)s") % ends


def left_out(found: Findings) -> list[str]:
    """What there is and the map does not show, in words."""
    sentences = []
    if found.total > len(found.cases):
        sentences.append(
            _(
                "Uno por uno se ven los %(shown)s casos más recientes, de %(total)s; "
                "el calor y los colores cuentan todos."
            )
            % {
                "shown": f"{min(MOST_CASES, len(found.cases)):,}",
                "total": f"{found.total:,}",
            }
        )
    if found.months_left_out:
        sentences.append(
            _("Mes a mes se ven los últimos %(shown)s; faltan %(missing)s anteriores.")
            % {"shown": len(found.slides), "missing": found.months_left_out}
        )
    return sentences
