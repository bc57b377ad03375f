"""The public map on a phone whose line is slow: how soon it says something."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.django_db

# What WebPageTest calls 3G: seconds to and fro, and 1.6 Mbit/s.
ROUND_TRIP_SECONDS = 0.3
BYTES_A_SECOND = 200_000
# All that came before the view's cells, and they: they are asked for by the scripts, the
# scripts by the page; what is asked for otherwise would be one more way to and fro.
BEFORE_THE_HEAT = """async () => {
  const all = () => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  const isHeat = ({ name }) => new URL(name).pathname === "/api/v1/heat/";
  while (!all().some((entry) => isHeat(entry) && entry.responseEnd)) await new Promise((done) => setTimeout(done, 50));
  const at = all().find(isHeat).responseEnd;
  const before = all().filter(({ responseEnd }) => responseEnd && responseEnd <= at);
  const named = new Set([...document.querySelectorAll("link[href], script[src]")].map((tag) => tag.href || tag.src));
  const isScript = ({ name }) => new URL(name).pathname.endsWith(".js");
  return {
    bytes: before.reduce((sum, entry) => sum + entry.transferSize, 0),
    unnamed: before.filter((entry) => isScript(entry) && !named.has(entry.name)).map(({ name }) => name),
  };
}"""


@pytest.mark.parametrize("size", ["phone"], indirect=True)
def test_on_3g_the_map_says_how_many_cases_there_are_in_three_seconds_of_the_line(
    page: Page, record_property: Callable[[str, object], None]
) -> None:
    """The line's own time is counted: how busy this machine is says nothing."""
    page.goto("/", wait_until="commit")
    before = page.evaluate(BEFORE_THE_HEAT)
    expect(page.locator("#counter")).to_have_text(re.compile(r"\d"))
    assert before["unnamed"] == []
    # Connecting, the page, its scripts, the cells; then the bytes, one by one.
    seconds = 4 * ROUND_TRIP_SECONDS + before["bytes"] / BYTES_A_SECOND
    record_property("seconds_of_the_line", seconds)
    assert before["bytes"] > 50_000  # else it is not all that was counted
    assert seconds < 3
