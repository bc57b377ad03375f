"""Web push as its standards say it, by hand: nothing of what the application sends with.

The browser's side of RFC 8291 (encryption) and the push service's of RFC 8292 (who sends).
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()


class Browser:
    """The keys of a phone's browser, and what it alone can read."""

    def __init__(
        self,
        key: ec.EllipticCurvePrivateKey | None = None,
        secret: bytes = b"sixteen bytes...",
    ) -> None:
        self.key = key or ec.generate_private_key(CURVE)
        self.secret = secret

    def subscription(self, endpoint: str) -> dict[str, Any]:
        keys = {"p256dh": base64url(point(self.key)), "auth": base64url(self.secret)}
        return {"endpoint": endpoint, "keys": keys}

    def read(self, body: bytes) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self.decrypted(body))
        return said

    def decrypted(self, body: bytes) -> bytes:
        """RFC 8291, 3.4, for a message of one record."""
        salt, size, length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, record = body[21 : 21 + length], body[21 + length :]
        assert len(record) <= size
        shared = self.key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender)
        )
        info = b"WebPush: info\0" + point(self.key) + sender
        secret = derived(shared, self.secret, info, 32)
        key = derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        nonce = derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        text, last, _ = AESGCM(key).decrypt(nonce, record, None).rpartition(b"\2")
        assert last
        return text


class Sender(NamedTuple):
    """Whoever sent a push: its public key, and what it claims under its signature."""

    key: str
    claims: dict[str, Any]


def sender_of(headers: Mapping[str, str]) -> Sender:
    """RFC 8292, 2 and 3; raises InvalidSignature when somebody else signed."""
    scheme, _, parameters = headers["authorization"].partition(" ")
    said = dict(one.strip().split("=", 1) for one in parameters.split(","))
    signed, _, signature = said["t"].rpartition(".")
    head, claims = (json.loads(from_base64url(part)) for part in signed.split("."))
    assert (scheme, head["alg"]) == ("vapid", "ES256")
    raw = from_base64url(signature)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_base64url(said["k"]))
    key.verify(encode_dss_signature(r, s), signed.encode(), ec.ECDSA(hashes.SHA256()))
    return Sender(said["k"], claims)


def derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(secret)


def point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
