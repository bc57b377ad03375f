"""Where photos are kept: in a folder of this machine, or in any S3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured


def storage_of_photos(
    s3: Mapping[str, str], signed_links: bool, link_seconds: int
) -> dict[str, Any]:
    """As Django's STORAGES wants it; `s3` is what the S3_… variables say, or nothing.

    Raises ImproperlyConfigured.
    """
    if not s3["BUCKET"]:
        if any(s3.values()) or signed_links:
            raise ImproperlyConfigured("S3_… settings without S3_BUCKET")
        return {"BACKEND": "backend.cases.storage.DurableFileSystemStorage"}
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", s3["BUCKET"]):
        raise ImproperlyConfigured("S3_BUCKET is no name of a bucket")
    endpoint = urlsplit(s3["ENDPOINT"])
    if s3["ENDPOINT"] and not (
        endpoint.scheme in {"http", "https"} and endpoint.netloc
    ):
        raise ImproperlyConfigured("S3_ENDPOINT begins with http:// or https://")
    if bool(s3["ACCESS_KEY"]) != bool(s3["SECRET_KEY"]):
        raise ImproperlyConfigured("S3_ACCESS_KEY and S3_SECRET_KEY go together")
    if signed_links and not s3["ENDPOINT"]:
        raise ImproperlyConfigured("S3_SIGNED_LINKS needs S3_ENDPOINT")
    if find_spec("storages") is None:
        raise ImproperlyConfigured("S3_BUCKET needs the package django-storages[s3]")
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": s3["BUCKET"],
            "endpoint_url": s3["ENDPOINT"] or None,
            "region_name": s3["REGION"] or "us-east-1",
            "access_key": s3["ACCESS_KEY"] or None,
            "secret_key": s3["SECRET_KEY"] or None,
            "addressing_style": "path" if s3["ENDPOINT"] else None,
            # Without it links are signed in the old way, which newer S3s refuse.
            "signature_version": "s3v4",
            "file_overwrite": False,
            "default_acl": None,
            "querystring_expire": link_seconds,
            # Bytes of a file that is read; what is larger waits on the disk.
            "max_memory_size": 8 * 1024 * 1024,
        },
    }
