"""A phone in somebody's hand: its screen, its GPS, and what it complains of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Geolocation, Page, ViewportSize

from tests.browser.conftest import TELL_VIOLATIONS, Watched, watch
from tests.browser.phone_app import hide_what_was_filed
from tests.servers import Server

# Chromium's words for a worker that these tests do without, and for the small proof of
# work that whoever fills in a form in two seconds has to do.
QUIET = ("blocked by Playwright", "403: ", "status of 403")
SCREEN: ViewportSize = {"width": 360, "height": 740}
# Bella Vista, Panama City; metres of accuracy.
IN_THE_CAPITAL: Geolocation = {"latitude": 8.986, "longitude": -79.524, "accuracy": 25}
FAR_OFF: Geolocation = {"latitude": 8.986, "longitude": -79.524, "accuracy": 3400}
# By the address of a computer alone: more than the API takes.
ANYWHERE: Geolocation = {"latitude": 8.986, "longitude": -79.524, "accuracy": 150_000}
# 4 m from San Miguelito, on the capital's side.
AT_THE_BORDER: Geolocation = {"latitude": 9.03, "longitude": -79.514, "accuracy": 40}
IN_SAN_JOSE: Geolocation = {"latitude": 9.933, "longitude": -84.083, "accuracy": 25}


@contextmanager
def phone(
    site: Server,
    chromium: Browser,
    watched: Watched,
    gps: Geolocation | None = IN_THE_CAPITAL,
    **options: Any,
) -> Iterator[Page]:
    """An old phone's page; without `gps`, its owner has refused."""
    context = chromium.new_context(
        **{
            "base_url": site.url,
            "viewport": SCREEN,
            "screen": SCREEN,
            "has_touch": True,
            "is_mobile": True,
            "locale": "es-PA",
            "timezone_id": "America/Panama",
            "reduced_motion": "reduce",
            "geolocation": gps or IN_THE_CAPITAL,
            "permissions": ["geolocation"] if gps else [],
            # What these tests watch must not be answered by the worker instead.
            "service_workers": "block",
            **options,
        }
    )
    context.set_default_timeout(15_000)
    context.add_init_script(TELL_VIOLATIONS)
    page = context.new_page()
    watch(page, watched, urlsplit(site.url).netloc)
    yield page
    context.close()
    hide_what_was_filed(site)
    assert watched.unexpected() == []
