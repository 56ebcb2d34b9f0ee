"""When a thread is told of, and what was told of it."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bot.chat.samples import CHANNELS, MOMENTS, NOW
from threadcast.bot.chat.views.report import BETWEEN_REPORTS, FIRST_REPORT, Debounce, Report
from threadcast.queue.states import DeliveryState


def test_a_chain_in_progress_is_told_of_now_and_then() -> None:
    """The first report waits, in case the chain is through at once; the next ones keep a distance."""
    threads = Debounce()
    threads.touch(7, 0.0, urgent=False)
    assert threads.take(FIRST_REPORT - 0.1) == {}
    assert list(threads.take(FIRST_REPORT)) == [7]
    threads.touch(7, FIRST_REPORT + 0.1, urgent=False)
    assert threads.next_at() == FIRST_REPORT + BETWEEN_REPORTS
    assert list(threads.take(FIRST_REPORT + BETWEEN_REPORTS)) == [7]
    assert threads.next_at() is None


def test_what_a_person_has_to_know_is_told_at_once() -> None:
    """What is in a hurry waits for nothing, and takes along what waited; the first event is kept."""
    threads = Debounce()
    threads.touch(7, 0.0, urgent=False, event=11)
    threads.touch(7, 0.1, urgent=True, event=12)
    threads.touch(8, 0.1, urgent=False, event=13)
    assert threads.events() == [11, 13]
    (one,) = threads.take(0.1).values()
    assert one.event == 11
    assert threads.events() == [13]


STATES = st.frozensets(st.builds("{}={}".format, CHANNELS, st.sampled_from(DeliveryState)))


@given(st.integers(1), MOMENTS, STATES)
def test_what_was_told_is_read_back(message: int, said: datetime, states: frozenset[str]) -> None:
    """The note of a report is read back to the same."""
    assert Report.read(Report(message, said, states).written()) == Report(message, said, states)


@pytest.mark.parametrize(
    ("states", "later", "serves"),
    [
        ({"news=held"}, timedelta(hours=9), True),
        ({"news=queued"}, timedelta(hours=9), True),
        ({"news=published"}, timedelta(minutes=9), True),
        ({"news=published"}, timedelta(hours=9), False),
        ({"news=failed"}, timedelta(minutes=9), False),
        ({"news=returned"}, timedelta(minutes=9), False),
    ],
)
def test_when_a_card_comes_anew(states: set[str], later: timedelta, serves: bool) -> None:
    """A card goes on to tell of its thread, unless somebody is called, or it stands far above by now."""
    assert Report(9, NOW, frozenset({"news=held"})).serves(frozenset(states), NOW + later) is serves
