"""The long run of kills, in short."""

from pathlib import Path

import pytest

from tests.faults.soak import soak

pytestmark = pytest.mark.e2e


def test_a_few_kills(tmp_path: Path) -> None:
    """Killed a few times at random, through a bad network, the service publishes each post once."""
    tally = soak(tmp_path, kills=12, seconds=120, workers=1, seed=1, report=print)
    assert tally.flawless, tally.table()
    assert tally.kills
