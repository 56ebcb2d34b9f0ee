"""Fixtures of these tests."""

import pytest

from threadcast.queue import measure


@pytest.fixture(scope="session", autouse=True)
def measures_ready() -> None:
    """A law's first example shall not wait for patterns: each example has a deadline."""
    measure.get_ready()
