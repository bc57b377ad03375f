"""What tests ask of a rendered page."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

ADDRESSES = {"href", "src", "action", "data", "poster", "srcset", "formaction"}


class Page(HTMLParser):
    """Collects what a strict Content-Security-Policy would refuse, and all addresses."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        self.text = response.content.decode()
        self.inline: list[str] = []
        self.addresses: list[str] = []
        self.language = ""
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "html":
            self.language = attributes.get("lang") or ""
        if tag == "style" or (tag == "script" and not attributes.get("src")):
            self.inline.append(tag)
        self.inline += [
            f"{tag}[{name}]"
            for name in attributes
            if name == "style" or name.startswith("on")
        ]
        self.addresses += [value or "" for name, value in attrs if name in ADDRESSES]

    @property
    def elsewhere(self) -> list[str]:
        """The addresses that leave this machine, or run something."""
        return [
            address
            for address in self.addresses
            if urlsplit(address).scheme not in {"", "tel"} or address.startswith("//")
        ]
