from __future__ import annotations

import pytest

from tests.backend.elsewhere import Elsewhere
from tests.factories import make_territory
from tests.servers import cloned_database


@pytest.fixture
def squares(db):
    """The two square districts of the factories instead of Panama."""
    make_territory()


@pytest.fixture(scope="module")
def elsewhere(django_db_setup, django_db_blocker, tmp_path_factory):
    """A process and a database of its own, for what threads do at once."""
    with cloned_database(django_db_blocker) as url:
        yield Elsewhere(url, tmp_path_factory.mktemp("elsewhere"))
