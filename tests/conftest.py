"""What tests in several folders share."""

from collections.abc import Iterator

import pytest

from tests.servers.postgres import Postgres, running


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One PostgreSQL server for the session (for each of its processes, where it runs in parallel)."""
    with running() as server:
        yield server
