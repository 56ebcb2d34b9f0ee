"""The benchmarks run, on tiny sizes. What they find is nobody's business here: no test asserts times."""

import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from tests.benchmarks import (
    answers,
    chains,
    composing,
    day,
    fleet,
    many,
    page,
    queue_size,
    resting,
    samples,
    shell,
    simulation,
)
from tests.benchmarks.figures import Figure, as_json, show
from threadcast.queue.text.parse import parse

SMALL: dict[str, Callable[[], Iterator[Figure]]] = {
    "answers": lambda: answers.figures(chains=2, requests=2, parts=30),
    "composing": lambda: composing.figures(size=2_000, rounds=1),
    "queue": lambda: queue_size.figures(few=100, many=200, rounds=2, postgres_many=100),
    "shell": lambda: shell.figures(rounds=1),
    "chains": lambda: chains.figures(parts=3, delays={0.01: 1}, warm=1, adds=2, commands=1),
    # The others stand on the same services, and a start of three takes its time.
    "fleet": lambda: islice(fleet.figures(adds=3, kills=1), 1),
    "many": lambda: many.figures(channels=3, parts=3, busy=4, chats=[5]),
    "page": lambda: page.figures(threads=20, parts=3, rounds=2, pages=3, seconds=0.1, rate=1000, chains=1),
    "resting": lambda: resting.figures(seconds=0.1),
    "simulation": lambda: simulation.figures(channels=20, chats=5, posts=2, hours=3),
}
FIGURES = {
    "answers": 1,
    "composing": 2,
    "queue": 2,
    "shell": 6,
    "chains": 5,
    "fleet": 1,
    "many": 7,
    "page": 7,
    "resting": 2,
    "simulation": 5,
}


SLOW = {"fleet", "many", "page", "queue"}


@pytest.mark.e2e
@pytest.mark.parametrize(
    "group", [pytest.param(one, marks=pytest.mark.slow if one in SLOW else ()) for one in SMALL]
)
def test_a_group_finds_its_figures(group: str) -> None:
    """Each group measures what it is there for."""
    found = list(SMALL[group]())
    if group == "resting" and sys.platform != "linux":
        assert found == []
        return
    assert len(found) == FIGURES[group]
    assert all(figure.value >= 0 and figure.what and figure.detail for figure in found)


@pytest.mark.slow
@pytest.mark.e2e
def test_a_newcomer_soon_publishes() -> None:
    """From the token to the first chain it takes few taps; how long, the day's log tells."""
    assert sum(taps for _, taps, _ in day.first_contact()) <= day.MOST_TAPS


@pytest.mark.slow
def test_a_day_is_answered() -> None:
    """Every message of a day gets its answer."""
    took = list(day.played(1, rest=(0, 0)))
    assert len(took) == day.STEPS
    assert all(seconds > 0 for _, seconds in took)


def test_a_target_is_met_on_its_own_side() -> None:
    """A time has to stay below its target and a speed above; without a target there is nothing to meet."""
    assert Figure("time", 1.25, target=1.25).met is True
    assert Figure("time", 1.26, target=1.25).met is False
    assert Figure("speed", 20, target=20, better="more").met is True
    assert Figure("speed", 19, target=20, better="more").met is False
    assert Figure("time", 5).met is None


def test_the_table_is_plain_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    """In a pipe a figure is a line of columns, whole however wide."""
    show([Figure("a chain", 1.5, "×", 1.25, detail="x" * 200), Figure("an add", 0.5, "s")])
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["figure", "value", "target", "met", "how", "it", "was", "taken"]
    assert first.split()[:7] == ["a", "chain", "1.5", "×", "≤", "1.25", "NO"]
    assert first.endswith("x" * 200)
    assert second == "an add   0.5 s"


def test_the_table_as_json() -> None:
    """The same for scripts."""
    (row,) = json.loads(as_json([Figure("speed", 30, "MB/s", 20, "more", "median of 5")]))["figures"]
    assert row == {
        "what": "speed",
        "value": 30,
        "unit": "MB/s",
        "target": 20,
        "better": "more",
        "met": True,
        "detail": "median of 5",
    }


def test_the_sample_is_an_archivists() -> None:
    """The sample text is what it says: many threads that differ, each whole, with nothing to notice."""
    threads = parse(samples.archive(50_000))
    assert {len(thread.parts) for thread in threads} == {3, 30}
    assert len({thread.fingerprint for thread in threads}) == len(threads)
    assert not any(thread.notices for thread in threads)
