"""An S3 for the tests: a real one, of moto's, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import boto3
from botocore.config import Config

from tests.servers import free_port, wait_until

KEY, SECRET, BUCKET = "clave", "secreta", "fotos-311"


@contextmanager
def s3_server() -> Iterator[str]:
    """Its address; the bucket is there, and empty."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers() -> bool:
        with suppress(OSError), urllib.request.urlopen(f"{url}/moto-api/"):  # noqa: S310
            return True
        return False

    try:
        wait_until(answers, "the S3 answers")
        client_of(url).create_bucket(Bucket=BUCKET)
        yield url
    finally:
        server.terminate()
        server.wait()


def client_of(endpoint: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        config=Config(signature_version="s3v4"),
    )


def environment_of(endpoint: str) -> dict[str, str]:
    return {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT": endpoint,
        "S3_REGION": "us-east-1",
        "S3_ACCESS_KEY": KEY,
        "S3_SECRET_KEY": SECRET,
    }
