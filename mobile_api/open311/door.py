"""What every address of Open311 does: a format, errors in it, a tag, an open door."""

from __future__ import annotations

import hashlib
import logging
from typing import Any, ClassVar

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.generic import View

from mobile_api.open311.errors import NothingHere, Refusal, refusal_of, told
from mobile_api.open311.formats import CONTENT_TYPES, written

log = logging.getLogger(__name__)

# No question of this door needs so long; one that does is somebody's attack, or a bug.
LONGEST_QUESTION_MS = 10_000
FOR_HALF_A_MINUTE = "public, max-age=30, stale-while-revalidate=300"
FOR_FIVE_MINUTES = "public, max-age=300, stale-while-revalidate=86400"
# Any page may read what is public, and send with a key; nothing here knows cookies.
OPEN_TO_ALL = {"Access-Control-Allow-Origin": "*"}


@method_decorator(csrf_exempt, name="dispatch")
@method_decorator(gzip_page, name="dispatch")
class Door(View):
    """A resource: `read` answers GET, `take` answers POST, where there is such a method.

    They return what is said; `root` is the XML element around it.
    """

    root: ClassVar[str]
    cache_control = FOR_HALF_A_MINUTE
    format = "json"

    def dispatch(
        self, request: HttpRequest, *args: Any, format: str = "json", **path: str
    ) -> HttpResponseBase:
        self.format = format
        try:
            return super().dispatch(request, *args, **path)
        except Exception as error:
            refusal = refusal_of(error)
            if refusal is None:
                raise
            if refusal.status == 503:
                log.error("open311 cannot answer: %s", error)
            return self.refused(refusal)

    def get(self, request: HttpRequest, **path: str) -> HttpResponseBase:
        answer = self.asked(request, **path)
        body = written(answer, self.root, self.format)
        response = HttpResponse(body, content_type=CONTENT_TYPES[self.format])
        response["Cache-Control"] = self.cache_control
        # Weak: the answer is zipped on its way out, or not, and has one tag.
        response["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        known = get_conditional_response(request, response["ETag"], None, response)
        assert known is not None  # noqa: S101 - it is given one
        known["Access-Control-Allow-Origin"] = "*"
        return known

    def asked(self, request: HttpRequest, **path: str) -> Any:
        """Within one transaction, which PostgreSQL ends if it takes too long."""
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {LONGEST_QUESTION_MS:d}")
            return self.read(request, **path)

    def read(self, request: HttpRequest, **path: str) -> Any:
        raise NotImplementedError

    def options(
        self, request: HttpRequest, *args: Any, **path: str
    ) -> HttpResponseBase:
        response = super().options(request)
        response["Access-Control-Allow-Origin"] = "*"
        methods = [name for name in self.allowed_methods() if name != "OPTIONS"]
        response["Access-Control-Allow-Methods"] = ", ".join(methods)
        if "POST" in methods:
            response["Access-Control-Allow-Headers"] = "Content-Type"
        return response

    def http_method_not_allowed(
        self, request: HttpRequest, *args: Any, **path: str
    ) -> HttpResponse:
        words = _("Ese método no existe en esta dirección.")
        headers = {"Allow": ", ".join(self.allowed_methods())}
        return self.refused(Refusal(405, [told(405, "", words)], headers))

    def allowed_methods(self) -> list[str]:
        return [name.upper() for name in self.http_method_names if hasattr(self, name)]

    def refused(self, refusal: Refusal) -> HttpResponse:
        return HttpResponse(
            written(refusal.errors, "errors", self.format),
            content_type=CONTENT_TYPES[self.format],
            status=refusal.status,
            headers={**OPEN_TO_ALL, "Cache-Control": "no-store", **refusal.headers},
        )

    def done(self, answer: Any) -> HttpResponse:
        """To who has sent something: 200, which is what clients look for."""
        return HttpResponse(
            written(answer, self.root, self.format),
            content_type=CONTENT_TYPES[self.format],
            headers={**OPEN_TO_ALL, "Cache-Control": "no-store"},
        )


@method_decorator(csrf_exempt, name="dispatch")
class Nowhere(Door):
    """What `/open311/…` says where there is nothing, in the format that is asked for."""

    root = "errors"

    def dispatch(
        self, request: HttpRequest, *args: Any, format: str = "json", **path: str
    ) -> HttpResponseBase:
        self.format = "xml" if request.path.endswith(".xml") else "json"
        refusal = refusal_of(NothingHere())
        assert refusal is not None  # noqa: S101 - it is in the table
        return self.refused(refusal)
