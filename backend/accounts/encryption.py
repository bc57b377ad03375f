"""Columns that say nothing to whoever finds the disk, or a copy of the database.

Fernet (AES-128-CBC and HMAC-SHA-256) under the keys of the setting `DATA_KEYS`: the first
one encrypts, all of them decrypt, so that a key can be replaced while serving.

What was written under a key that is lost reads as empty and `Unreadable`: a case is
served without its contact rather than not at all, and saving it loses nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

if TYPE_CHECKING:
    TextField = models.TextField[str, str]
else:
    TextField = models.TextField

log = logging.getLogger(__name__)


class DataKeyLost(Exception):
    """This was encrypted under a key that is not in `DATA_KEY`."""


class Unreadable(str):
    """The empty text in place of one whose key is lost; it keeps what is stored."""

    stored: str

    def __new__(cls, stored: str) -> Unreadable:
        text = super().__new__(cls)
        text.stored = stored
        return text


class EncryptedTextField(TextField):
    """Text that is encrypted in the database, where it can neither be read nor sought.

    What is empty stays empty: that there is nothing is no secret.
    """

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Unreadable):
            return value.stored
        text = super().get_prep_value(value)
        return encrypted(text) if text else text

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        if not value:
            return value
        try:
            return decrypted(value)
        except InvalidToken:
            log.error(
                "%s cannot be read: its key is not in DATA_KEY",
                f"{self.model._meta.db_table}.{self.column}",
            )
            return Unreadable(value)


def readable(text: str) -> str:
    """An encrypted column's text, where empty will not do. Raises DataKeyLost."""
    if isinstance(text, Unreadable):
        raise DataKeyLost
    return text


def encrypted(text: str) -> str:
    return fernet(tuple(settings.DATA_KEYS)).encrypt(text.encode()).decode()


def decrypted(token: str) -> str:
    """Raises cryptography.fernet.InvalidToken under other keys."""
    return fernet(tuple(settings.DATA_KEYS)).decrypt(token.encode()).decode()


@lru_cache(maxsize=4)
def fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def fingerprint_of(text: str, purpose: str) -> str:
    """The same for the same text, and no way back to it: to find, count or limit by.

    Under `SECRET_KEY`, or a list of all telephone numbers would tell whose it is.
    """
    key = f"{purpose}:{settings.SECRET_KEY}".encode()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
