#!/usr/bin/env python3
"""Draws the phone app's icons from the mark of the pages (for maintainers).

    python scripts/icons.py

The committed PNGs are what it made; Chromium draws them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
MARK = ROOT / "map_views" / "static" / "map_views" / "icon.svg"
ICONS = ROOT / "mobile_api" / "static" / "app" / "icons"
BLUE = "#0a2a66"
# name: (side in pixels, background, colours of the shape and the digits, share of the
# side that the mark takes). A mask may cut away all but a circle of 80 %.
DRAWN = {
    "icon-192": (192, "transparent", BLUE, "#fff", 1.0),
    "icon-512": (512, "transparent", BLUE, "#fff", 1.0),
    "maskable-512": (512, BLUE, "#fff", BLUE, 0.6),
    "apple-180": (180, BLUE, "#fff", BLUE, 0.7),
    # Android shows where it is opaque, and nothing else of it.
    "badge-96": (96, "transparent", "#fff", "transparent", 1.0),
}


def main() -> None:
    ICONS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        for name, look in DRAWN.items():
            draw(page, name, *look)
        browser.close()


def draw(
    page: Page, name: str, side: int, ground: str, shape: str, digits: str, share: float
) -> None:
    mark = MARK.read_text().replace('"#fff"', '"DIGITS"').replace(BLUE, shape)
    if digits == "transparent":
        mark = cut_out(mark)
    page.set_viewport_size({"width": side, "height": side})
    page.set_content(
        f"<style>html,body{{margin:0;height:100%;background:{ground}}}"
        "body{display:grid;place-items:center}"
        f"svg{{width:{share:.0%};height:{share:.0%}}}</style>"
        + mark.replace("DIGITS", digits)
    )
    page.screenshot(path=ICONS / f"{name}.png", omit_background=True)


def cut_out(mark: str) -> str:
    """The digits as holes in the shape."""
    head, _, digits = mark.partition('<path fill="DIGITS"')
    first = head.index("<path")
    outline = head[first:].replace("<path", '<path mask="url(#m)"')
    mask = '<mask id="m"><rect width="40" height="40" fill="#fff"/>'
    return (
        head[:first]
        + mask
        + '<path fill="#000"'
        + digits.replace("</svg>", "</mask>")
        + outline
    )


if __name__ == "__main__":
    main()
