"""The tests' own web push, by the examples in its standards: it is what pushes are read with."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec

from tests.web_push import CURVE, Browser, from_base64url, sender_of

# RFC 8291, 5.
PRIVATE_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
# RFC 8292, 2.4.
KEY = "BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
TOKEN = (
    "eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleH"
    "AiOjE0NTM1MjM3NjgsInN1YiI6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_H"
    "LGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA"
)


def test_the_standard_s_message_is_read():
    number = int.from_bytes(from_base64url(PRIVATE_KEY))
    browser = Browser(ec.derive_private_key(number, CURVE), from_base64url(SECRET))
    text = browser.decrypted(from_base64url(BODY))
    assert text == b"When I grow up, I want to be a watermelon"


def test_the_standard_s_sender_is_known():
    sender = sender_of({"authorization": f"vapid t={TOKEN}, k={KEY}"})
    assert sender.key == KEY
    assert sender.claims == {
        "aud": "https://push.example.net",
        "exp": 1453523768,
        "sub": "mailto:push@example.com",
    }


def test_somebody_else_s_signature_is_not_taken():
    forged = TOKEN.replace("eyJ0eXAiOiJKV1Qi", "eyJ0eXAiOiJqd3Qi")
    assert forged != TOKEN
    with pytest.raises(InvalidSignature):
        sender_of({"authorization": f"vapid t={forged}, k={KEY}"})
