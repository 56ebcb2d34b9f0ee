"""The stores that one suite is run over.

Suites are not named `test_*`: without the line below, pytest would not explain their failed asserts.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.contract.memory_store import MemoryStore
from tests.contract.store_steps import OpenStore
from threadcast.queue.sql.store import open_store
from threadcast.queue.store import Store

pytest.register_assert_rewrite("tests.contract.channel_suite")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the same fresh queue again and again, as several programs would."""
    with ExitStack() as opened:
        if request.param == "memory":
            memory = MemoryStore()
            yield lambda: memory
            return
        url = f"sqlite:///{tmp_path}/queue.db"
        if request.param == "postgresql":
            url = opened.enter_context(request.getfixturevalue("postgres").database())
        yield lambda: opened.enter_context(closing(open_store(url)))


@pytest.fixture
def store(open_one: OpenStore) -> Store:
    """One store, fresh and empty."""
    return open_one()
