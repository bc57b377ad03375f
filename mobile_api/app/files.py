"""Which files the phone app is made of, and which of them its first screen needs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.templatetags.static import static

START = "app/app.js"
FIRST_SCREEN = "app/screens/home.js"
WORKER_SENDS_WITH = "app/outbox.js"
# What the modules use of others: kept with them for when there is no signal.
VENDORED = (
    "vendor/idb-8.0.4/index.js",
    "vendor/leaflet-1.9.4/leaflet.js",
    "vendor/leaflet-1.9.4/leaflet.css",
)
# The public map's, which the app draws its own with.
LENT = ("map_views/basemap.js",)
KEPT_SUFFIXES = {".css", ".js", ".png", ".svg", ".webp", ".woff2"}
# Asked for by the system when it installs the app, not by the app.
ICONS = "app/icons/"
# `import … from "./x.js"`, `export … from "./x.js"`, `import "./x.js"`; not `import(…)`.
IMPORT = re.compile(
    r"""^\s*(?:import|export)\b[^"'();]*["'](\.{1,2}/[^"']+)["']""", re.M
)


@cache
def names() -> tuple[str, ...]:
    """All that the app needs without a signal, by their names under static/."""
    own = {
        name
        for finder in finders.get_finders()
        for name, _ in finder.list([])
        if name.startswith("app/")
        and not name.startswith(ICONS)
        and Path(name).suffix in KEPT_SUFFIXES
    }
    return with_imports([*sorted(own), *VENDORED, *LENT])


@cache
def first_modules() -> tuple[str, ...]:
    """What the first screen needs, nearest first: fetched at once, not one by one."""
    return with_imports([START, FIRST_SCREEN])


def with_imports(names: list[str]) -> tuple[str, ...]:
    """And all that they import, and what that imports: one that is missing fails them all."""
    found = list(names)
    for name in found:
        if name.endswith(".js"):
            found += [other for other in imports_of(name) if other not in found]
    return tuple(found)


def imports_of(name: str) -> Iterator[str]:
    """Raises FileNotFoundError when there is no such module."""
    path = finders.find(name)
    if path is None:
        raise FileNotFoundError(name)
    for relative in dict.fromkeys(IMPORT.findall(Path(path).read_text("utf-8"))):
        yield posixpath.normpath(posixpath.join(posixpath.dirname(name), relative))


def addresses(of: tuple[str, ...]) -> list[str]:
    return [static(name) for name in of]
