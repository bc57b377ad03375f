"""What cannot be given, in the words of RFC 9457."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse


def problem(
    status: int, kind: str, title: str, detail: str = "", retry: int = 0, **more: Any
) -> HttpResponse:
    """`retry`: after how many seconds it is worth asking again; `more` is said as it is."""
    return JsonResponse(
        {
            "type": f"/problems/{kind}",
            "title": title,
            "status": status,
            **({"detail": detail} if detail else {}),
            **more,
        },
        status=status,
        content_type="application/problem+json",
        headers={"Retry-After": str(retry)} if retry else {},
    )
