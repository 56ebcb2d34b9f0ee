"""How fast text becomes posts."""

import time
from collections.abc import Iterator
from statistics import median

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import archive
from threadcast.queue.compose import length as measure
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.rules import Rules
from threadcast.queue.text.parse import parse

LEAST = 20.0  # MB/s
RULES = {
    "telegram": Rules(limit=4096, measure=measure.telegram),
    "mastodon": Rules(limit=500, measure=measure.mastodon),
}


def figures(*, size: int = 1_000_000, rounds: int = 15) -> Iterator[Figure]:
    """`size` bytes of threads, parsed and composed `rounds` times for each network."""
    text = archive(size)
    megabytes = len(text.encode()) / 1e6
    parts = sum(len(thread.parts) for thread in parse(text))
    for name, rules in RULES.items():
        took: list[float] = []
        for _ in range(rounds):
            begun = time.perf_counter()
            for thread in parse(text):
                compose(thread, rules)
            took.append(time.perf_counter() - begun)
        yield Figure(
            f"parse and compose, {name}",
            megabytes / median(took),
            "MB/s",
            LEAST,
            "more",
            f"median of {rounds}; {megabytes:.1f} MB, {parts} parts",
        )
