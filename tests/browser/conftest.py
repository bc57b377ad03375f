"""A real browser on a real server, which may ask nobody else for anything."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from django.db import connections
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Request,
    Response,
    sync_playwright,
)
from pytest_django import DjangoDbBlocker

from tests.browser.line import Line
from tests.browser.phone_app import hide_what_was_filed, open_app, teach
from tests.servers import Server, server_of_its_own

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}
# Also says when the policy refused something that the console keeps quiet about.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Watched:
    """What went wrong in a page, unless the test expects it."""

    problems: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    def unexpected(self) -> list[str]:
        return [
            problem
            for problem in self.problems
            if not any(words in problem for words in self.expected)
        ]


@pytest.fixture(scope="package")
def site(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """A server as `./run serve` starts it, with a few cases in the capital."""
    folder = tmp_path_factory.mktemp("site")
    with server_of_its_own(django_db_blocker, folder) as running:
        running.manage(
            "shell", "-c", "from tests.browser.cases import file_all; file_all()"
        )
        yield running


@pytest.fixture(scope="package")
def chromium(site: Server) -> Iterator[Browser]:
    """After the server: its database cannot be copied once this loop runs."""
    if CHROMIUM is None:
        pytest.fail("chromium is not installed")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps a loop running in this thread; Django's tests do not mind.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()
        # Those of this loop: outside it, Django no longer finds them to close.
        connections.close_all()


@pytest.fixture(params=["desktop"])
def size(request: pytest.FixtureRequest) -> str:
    """How large the screen is; a test asks for others by `@on_both`."""
    return str(request.param)


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
def page(
    site: Server, chromium: Browser, watched: Watched, size: str
) -> Iterator[Page]:
    """A visitor's page: anything asked elsewhere or complained of fails the test."""
    width, height = SIZES[size]
    context = chromium.new_context(
        base_url=site.url,
        viewport={"width": width, "height": height},
        has_touch=size == "phone",
        is_mobile=size == "phone",
        locale="es-PA",
        timezone_id="America/Panama",
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    context.add_init_script(TELL_VIOLATIONS)
    opened = context.new_page()
    watch(opened, watched, urlsplit(site.url).netloc)
    yield opened
    context.close()
    assert watched.unexpected() == []


def watch(page: Page, watched: Watched, home: str) -> None:
    def on_request(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != home:
            watched.problems.append(f"asked elsewhere: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            watched.problems.append(f"{response.status}: {response.url}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("pageerror", lambda error: watched.problems.append(f"script: {error}"))
    page.on(
        "console",
        lambda line: (
            watched.problems.append(f"{line.type}: {line.text}")
            if line.type == "error"
            else None
        ),
    )


# ── The phone app, at the end of a bad line ──────────────────────────────────────


@pytest.fixture(scope="module")
def shared_line(site: Server) -> Iterator[Line]:
    line = Line(f"127.0.0.1:{site.port}")
    line.up()
    yield line
    line.down()


@pytest.fixture
def line(shared_line: Line) -> Iterator[Line]:
    shared_line.forget()
    yield shared_line
    shared_line.up()


@pytest.fixture
def handset(site: Server, line: Line, chromium: Browser) -> Iterator[BrowserContext]:
    """A phone's browser, which keeps what it has when pages close."""
    context = chromium.new_context(base_url=line.url, locale="es-PA")
    context.set_default_timeout(15_000)
    teach(context, site)
    yield context
    context.close()
    hide_what_was_filed(site)


@pytest.fixture
def app(handset: BrowserContext) -> Page:
    page = handset.new_page()
    open_app(page)
    return page
