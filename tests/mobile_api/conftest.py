import pytest

from tests.factories import make_category, make_territory


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A hash that takes a fifth of a second protects nothing here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def squares(db):
    """Two square districts and one category, PRU-01."""
    make_territory()
    make_category()
