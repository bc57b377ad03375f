"""Where messages end up in tests: a mail server and a push service, both of this process."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from tests.servers import free_port

# ── Mail ─────────────────────────────────────────────────────────────────────────


@dataclass
class MailSink:
    """What arrived; and by recipient, what the server says instead of taking it."""

    letters: list[tuple[str, Message]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    # How long it thinks about each recipient, and about how many it has begun to.
    thinks_seconds: float = 0
    asked: int = 0
    url: str = ""

    async def handle_RCPT(
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        self.asked += 1
        await asyncio.sleep(self.thinks_seconds)
        if address in self.refusals:
            return self.refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        for address in envelope.rcpt_tos:
            self.letters.append((address, message_from_bytes(content)))
        return "250 OK"


@contextmanager
def mail_sink() -> Iterator[MailSink]:
    """A mail server on the loopback; its `url` is for EMAIL_URL."""
    sink = MailSink()
    controller = Controller(sink, hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        sink.url = f"smtp://127.0.0.1:{controller.port}"
        yield sink
    finally:
        controller.stop()


# ── Push ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class PushSink:
    """What was sent; and by path, what the service answers instead of 201."""

    url: str
    certificate: Path
    received: list[Received] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """With its port."""
        return urlsplit(self.url).netloc

    def environment(self) -> dict[str, str]:
        """With it a process trusts this service and no other."""
        return {
            "PUSH_HOSTS": self.host,
            "REQUESTS_CA_BUNDLE": str(self.certificate),
            "NO_PROXY": "127.0.0.1",
        }


@contextmanager
def push_sink(folder: Path) -> Iterator[PushSink]:
    """A push service on the loopback, over TLS as they all are."""
    certificate = self_signed(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), PushHandler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    # A caller that dies in the handshake fails its own thread, and not the server's.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    sink = PushSink(f"https://127.0.0.1:{server.server_port}", certificate)
    server.sink = sink  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class PushHandler(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self) -> None:
        sink: PushSink = self.server.sink  # type: ignore[attr-defined]
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # Whoever died half-way has sent nothing.
            return
        names = {name.lower(): value for name, value in self.headers.items()}
        sink.received.append(Received(self.path, names, body))
        status, headers = sink.answers.get(self.path, (201, {}))
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        return


def self_signed(folder: Path) -> Path:
    """A certificate of 127.0.0.1's and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    file = folder / "push-service.pem"
    file.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + certificate.public_bytes(Encoding.PEM)
    )
    return file
