"""What an address asks is UTF-8, whatever a header says.

Django reads it in the encoding that `Content-Type` names: one address would have two
answers, and a cache in front would keep the one for the other. Of an encoding that is
none of texts (`rot13`) Django fails before anything could answer.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# What forms of Western languages are sent in. Of any other a body is read as UTF-8 too.
WRITTEN_SOMEWHERE = {"ascii", "cp1252", "iso8859-1", "iso8859-15", "utf-8"}
WITHOUT_A_BODY = {"GET", "HEAD", "OPTIONS"}
CHARSET = re.compile(r";\s*charset\s*=\s*\"?([^\";]*)\"?", re.IGNORECASE)


def reads_addresses_as_utf8(application: WSGIApplication) -> WSGIApplication:
    """The application, told nothing of the type of a body that is not there."""

    def answers(
        environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        kind = environ.get("CONTENT_TYPE", "")
        if environ["REQUEST_METHOD"] in WITHOUT_A_BODY:
            environ["CONTENT_TYPE"] = ""
        elif (named := CHARSET.search(kind)) and not is_written_somewhere(named[1]):
            environ["CONTENT_TYPE"] = CHARSET.sub("", kind)
        return application(environ, start_response)

    return answers


def is_written_somewhere(charset: str) -> bool:
    try:
        return codecs.lookup(charset.strip()).name in WRITTEN_SOMEWHERE
    except (LookupError, ValueError):  # unknown, or no name at all
        return False
