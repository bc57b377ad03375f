"""Other systems' keys."""

import pytest

from backend.accounts.api_keys import (
    NotAKey,
    give_use_back,
    issue_key,
    key_of,
    revoke_key,
    use_key,
)
from backend.accounts.limits import TooMany
from backend.accounts.models import ApiKey


def test_a_key_is_known_by_its_secret_which_is_stored_nowhere(db):
    key = issue_key("FixMyStreet", "soporte@example.org")
    assert key_of(key.secret) == key
    assert key_of(key.secret).secret == ""
    stored = ApiKey.objects.values().get()
    assert key.secret not in map(str, stored.values())
    assert stored["prefix"] == key.secret[:8]
    assert len(key.secret) >= 43  # 256 bits


def test_two_keys_are_never_the_same(db):
    first, second = issue_key("Uno"), issue_key("Uno")
    assert first.secret != second.secret
    assert key_of(second.secret) == second


@pytest.mark.parametrize("secret", ["", "x", "ñandú", "\0", "a" * 101])
def test_what_is_no_secret_is_no_key(db, secret):
    issue_key("Uno")
    with pytest.raises(NotAKey):
        key_of(secret)


def test_a_key_is_revoked_at_once_and_once(db):
    key = issue_key("Uno")
    assert revoke_key(key)
    with pytest.raises(NotAKey):
        key_of(key.secret)
    assert not revoke_key(key)


def test_a_key_has_a_limit_of_its_own(db):
    key, other = issue_key("Uno", hourly=2), issue_key("Otra", hourly=2)
    use_key(key)
    use_key(key)
    with pytest.raises(TooMany):
        use_key(key)
    use_key(other)
    give_use_back(key)
    use_key(key)


def test_its_limit_is_exact_also_when_all_come_at_once(elsewhere):
    assert elsewhere.play("use_a_key_of_ten", 20) == {"used": 10, "TooMany": 10}
