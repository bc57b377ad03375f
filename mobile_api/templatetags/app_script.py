"""Values in a script that Django renders."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe

register = template.Library()


@register.filter
def script(value: Any) -> SafeString:
    """The value as JavaScript writes it."""
    return mark_safe(json.dumps(value))  # noqa: S308 - JSON is JavaScript
