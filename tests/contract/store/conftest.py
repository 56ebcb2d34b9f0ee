"""What the contract suites share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.store.memory_store import MemoryStore
from tests.contract.store.steps import OpenStore
from threadcast.queue.port import Store
from threadcast.queue.store.sql_store import open_store

# Suites are not named `test_*`: without this, pytest would not explain their failed asserts.
pytest.register_assert_rewrite("tests.contract.channels.suite")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the same fresh queue again and again, as several programs would."""
    opened: list[Store] = []

    def keep(store: Store) -> Store:
        opened.append(store)
        return store

    if request.param == "memory":
        store = MemoryStore()
        yield lambda: store
    elif request.param == "sqlite":
        yield lambda: keep(open_store(f"sqlite:///{tmp_path}/queue.db"))
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield lambda: keep(open_store(url))
            for store_opened in opened:
                store_opened.close()
    for store_opened in opened:
        store_opened.close()


@pytest.fixture
def store(open_one: OpenStore) -> Store:
    return open_one()
