"""What the contract suites share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.store.steps import OpenDatabase
from tests.queue.store.fresh import fresh_file
from threadcast.queue.store.database import Database, open_database


@pytest.fixture(params=["sqlite", "postgresql"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenDatabase]:
    """Opens the same fresh queue again and again, as several programs would."""
    opened: list[Database] = []

    def keep(database: Database) -> Database:
        opened.append(database)
        return database

    if request.param == "sqlite":
        url = fresh_file(tmp_path)
        yield lambda: keep(open_database(url))
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield lambda: keep(open_database(url))
            for store_opened in opened:
                store_opened.close()
    for store_opened in opened:
        store_opened.close()


@pytest.fixture
def database(open_one: OpenDatabase) -> Database:
    return open_one()
