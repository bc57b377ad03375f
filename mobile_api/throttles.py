"""How often strangers may do what, all in one table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from rest_framework.request import Request

from backend.accounts.addresses import key_of_range
from backend.accounts.encryption import fingerprint_of
from backend.accounts.limits import (
    HOUR,
    Limit,
    ProofRequired,
    Use,
    give_all_back,
    take_all,
    wider,
)
from backend.accounts.proofs import key_of_proof
from mobile_api.callers import device_of_request

MB = 1024**2
COUNTRY_CODE = "507"
DIGITS_OF_A_PHONE = 7  # 8 of a mobile one


class What(StrEnum):
    """What is limited; the value is the beginning of the limits' names."""

    REPORT = "report"
    PHOTO = "photo"  # the amount is bytes
    SUPPORT = "support"
    FOLLOW = "follow"
    FLAG = "flag"
    ACT = "act"  # the reporter's own: confirm, reopen, answer, cancel
    DEVICE = "device"  # a new token, and what a phone says of itself
    PROOF = "proof-asked"


@dataclass(frozen=True)
class Rate:
    """So much an hour, all at once if they like; beyond `calm` with a proof of work."""

    hourly: int
    calm: int | None = None


@dataclass(frozen=True)
class Rates:
    device: Rate  # each phone with a token
    strangers: Rate  # all without a token from one range of addresses, together
    neighbours: Rate  # everybody from one range of addresses
    phone: Rate | None = None  # each telephone number that is left as a contact


RATES: dict[What, Rates] = {
    What.REPORT: Rates(Rate(30), Rate(60, calm=5), Rate(1500, calm=750), Rate(20)),
    # Four photos as the camera takes them are 48 MB; scaled on the phone, two.
    What.PHOTO: Rates(Rate(400 * MB), Rate(1000 * MB), Rate(20_000 * MB)),
    What.SUPPORT: Rates(Rate(60), Rate(60, calm=10), Rate(3000, calm=1500)),
    What.FOLLOW: Rates(Rate(60), Rate(60, calm=5), Rate(3000, calm=1500)),
    What.FLAG: Rates(Rate(20), Rate(30, calm=3), Rate(1000, calm=300)),
    What.ACT: Rates(Rate(60), Rate(600), Rate(3000)),
    What.DEVICE: Rates(Rate(60), Rate(3000, calm=1000), Rate(6000)),
    What.PROOF: Rates(Rate(120), Rate(6000), Rate(12_000)),
}
# A piece of a photo counts as if it had so many bytes at least.
SMALLEST_AMOUNT = {What.PHOTO: 16 * 1024}


def limit(
    request: Request,
    what: What,
    amount: int = 1,
    phone: str = "",
    suspicious: bool = False,
) -> Taken:
    """Use the caller's limits for this once, all of them in one statement.

    `phone` is the number left as a contact; `suspicious` asks for a proof of work
    whatever the limits say. The view has DeviceAuthentication; call it outside of a
    transaction. Raises TooMany and ProofRequired, which the table of errors answers.
    """
    proof = request.headers.get("X-Proof", "")
    if suspicious and not proof:
        raise ProofRequired
    amount = max(amount, SMALLEST_AMOUNT.get(what, 1))
    uses = uses_of(request, what, amount, phone)
    take_all(uses, key_of_proof(proof) if proof else "")
    return Taken(uses)


@dataclass(frozen=True)
class Taken:
    """What a call has used."""

    uses: list[Use]

    def give_back(self) -> None:
        """The call did nothing after all. A proof stays used."""
        give_all_back(self.uses)


def uses_of(request: Request, what: What, amount: int, phone: str) -> list[Use]:
    rates = RATES[what]
    device = device_of_request(request)
    near = key_of_range(request)
    uses = [Use(limit_of(what, "neighbours", rates.neighbours), near, amount)]
    if device:
        who = device.id.hex
        uses.append(Use(limit_of(what, "device", rates.device), who, amount))
    else:
        uses.append(Use(limit_of(what, "strangers", rates.strangers), near, amount))
    number = plain_number(phone)
    if rates.phone and number:
        who = fingerprint_of(number, "phone-limit")[:32]
        uses.append(Use(limit_of(what, "phone", rates.phone), who, amount))
    return uses


def limit_of(what: What, whose: str, rate: Rate) -> Limit:
    calm = None if rate.calm is None else wider(rate.calm)
    return Limit(f"{what}-{whose}", wider(rate.hourly), HOUR, calm)


def plain_number(phone: str) -> str:
    """The digits of a telephone number, the same with and without Panama's +507."""
    digits = re.sub(r"\D", "", phone, flags=re.ASCII).removeprefix("00")
    local = digits.removeprefix(COUNTRY_CODE)
    return local if len(local) >= DIGITS_OF_A_PHONE else digits
