"""What the phone app says: every text that a screen asks for is there, and none is idle."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.translation import override

APP = Path(settings.BASE_DIR) / "mobile_api" / "static" / "app"
# t("key"…), and the keys that a condition chooses between.
ASKED = re.compile(r"""\bt\(\s*(?:[^()"'`]*\?\s*)?"(\w+)"(?:\s*:\s*"(\w+)")?""")
COUNTED = re.compile(r"""\btn\(\s*(?:[^()"'`]*\?\s*)?"(\w+)"(?:\s*:\s*"(\w+)")?""")
# Put together from the case's own words: t(`done_${action}`).
BUILT = re.compile(r"\bt\(`(\w*)\$\{[^}]*\}(\w*)`")


def texts(language: str = "es") -> dict[str, str]:
    with override(language):
        said: dict[str, str] = json.loads(render_to_string("app/texts.html"))
    return said


def source() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted(APP.rglob("*.js")))


def found(pattern: re.Pattern[str]) -> set[str]:
    return {key for match in pattern.findall(source()) for key in match if key}


def test_every_text_that_a_screen_asks_for_is_there() -> None:
    known = texts()

    assert found(ASKED) - set(known) == set()
    assert {key for key in found(COUNTED) if f"{key}_n" not in known} == set()


def test_no_text_is_there_for_nothing() -> None:
    code = source()
    built = [re.compile(f"{before}.+{after}") for before, after in BUILT.findall(code)]
    quoted = set(re.findall(r'"(\w+)"', code))

    def is_asked_for(key: str) -> bool:
        return (
            key in quoted
            or re.sub(r"_(0|1|n)$", "", key) in quoted
            or any(pattern.fullmatch(key) for pattern in built)
        )

    assert [key for key in texts() if not is_asked_for(key)] == []


def test_what_is_counted_has_a_word_for_one_and_for_many() -> None:
    known = texts()
    many = {key[:-2] for key in known if key.endswith("_n")}

    # "Hasta 4 fotos": never one.
    assert {key for key in many if f"{key}_1" not in known} == {"photos_most"}


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_values_are_the_same_in_both_languages(language: str) -> None:
    names = re.compile(r"\{(\w+)\}")
    source_words = texts("es")

    for key, words in texts(language).items():
        assert set(names.findall(words)) == set(names.findall(source_words[key])), key
