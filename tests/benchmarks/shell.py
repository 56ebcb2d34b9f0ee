"""How soon the command answers."""

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.figures import Figure

MOST = 0.3  # seconds


def _took(*words: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, capture_output=True)
    return time.perf_counter() - begun


def figures(*, rounds: int = 15) -> Iterator[Figure]:
    """`threadcast --help`, as a process, beside Python that does nothing."""
    help_, nothing = (
        median(_took(*words) for _ in range(rounds))
        for words in (("-m", "threadcast.bot", "--help"), ("-c", "pass"))
    )
    yield Figure(
        "threadcast --help",
        help_,
        "s",
        MOST,
        detail=f"median of {rounds}; Python doing nothing {nothing:.3f} s",
    )
