import pytest

from tests.factories import make_category, make_territory


@pytest.fixture
def squares(db):
    """Two square districts and one category, PRU-01."""
    make_territory()
    make_category()
