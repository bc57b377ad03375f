"""The app's first screen, on a line so slow that its scripts have not come yet."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.steps import Held
from tests.servers import Server

pytestmark = pytest.mark.django_db

SCRIPT = "**/*.js"
# What is called slow 3G: so many bytes a second, and milliseconds to and fro.
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}  # fmt: skip
PAINTED = """async () => {
  const paint = (name) => performance.getEntriesByName(name)[0]?.startTime;
  while (!paint("first-contentful-paint")) await new Promise((done) => setTimeout(done, 50));
  await new Promise((done) => (document.readyState === "complete" ? done() : addEventListener("load", done)));
  const at = paint("first-contentful-paint");
  const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const before = all.filter((entry) => entry.responseEnd <= at);
  return {
    at,
    bytes: before.reduce((sum, entry) => sum + entry.transferSize, 0),
    steps: Math.max(...before.map((entry) => (entry.initiatorType === "navigation" ? 1 : 2))),
  };
}"""


def test_the_first_screen_is_seen_before_any_script_has_come(
    site: Server, chromium: Browser
) -> None:
    context = chromium.new_context(
        base_url=site.url,
        viewport={"width": 360, "height": 740},
        locale="es-PA",
        service_workers="block",
    )
    page = context.new_page()
    held = Held(page, SCRIPT)
    page.goto("/reportar", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    report = page.get_by_role("link", name="Reportar un problema")
    expect(report).to_be_visible()
    report.click()  # before the app is there: it begins where the link leads
    assert urlsplit(page.url).fragment == "/nuevo/foto"
    assert held.routes
    held.let_go()
    expect(page.get_by_role("heading", name="Tome una foto")).to_be_visible()
    context.close()


def test_on_slow_3g_there_is_something_to_read_in_two_seconds_of_the_line(
    site: Server, chromium: Browser, record_property: Callable[[str, object], None]
) -> None:
    """The line's own time is counted, from what came before the first paint: how busy
    this machine is says nothing. What was measured is written beside it."""
    context = chromium.new_context(
        base_url=site.url,
        viewport={"width": 360, "height": 740},
        is_mobile=True,
        locale="es-PA",
    )
    page = context.new_page()
    line = context.new_cdp_session(page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", SLOW_3G)
    page.goto("/reportar", wait_until="commit")
    painted = page.evaluate(PAINTED)
    record_property("first_contentful_paint_ms", painted["at"])
    # Connecting, the page, and what it asks for at once; then the bytes, one by one.
    round_trips = 1 + painted["steps"]
    seconds = round_trips * 0.4 + painted["bytes"] / SLOW_3G["downloadThroughput"]
    assert seconds < 2
    expect(page.get_by_role("link", name="Reportar un problema")).to_be_visible()
    context.close()
