import pytest

from backend.accounts.api_keys import issue_key
from backend.accounts.models import ApiKey
from tests.factories import make_consent


@pytest.fixture
def key(db) -> ApiKey:
    """Of a citizens' app that shows people the consent text."""
    return issue_key("FixMyStreet", consent=make_consent().version)
