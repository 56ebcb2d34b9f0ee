"""Moments and numbers, as short as they can be told."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bot.chat.samples import BERLIN, MOMENTS, NOW
from threadcast.bot.requests.errors import (
    Problem,
    RefusedError,
    RequestError,
    UnknownChannelError,
    UnknownThreadError,
)
from threadcast.bot.wording import CHAT, SHELL, bar, count, exactly, lasting, sentence, shortly
from threadcast.queue.errors import Fault, NotAllowedError


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-03-02T11:00Z", "12:00"),
        ("2026-03-02T22:59Z", "23:59"),
        ("2026-03-02T23:00Z", "tomorrow 00:00"),
        ("2026-03-03T22:59Z", "tomorrow 23:59"),
        ("2026-03-01T22:59Z", "yesterday 23:59"),
        ("2026-03-03T23:00Z", "Wed 4 Mar 00:00"),
        ("2026-07-01T07:00Z", "Wed 1 Jul 09:00"),  # by the clocks of summer
        ("2026-12-31T22:59Z", "Thu 31 Dec 23:59"),
        ("2026-12-31T23:00Z", "1 Jan 2027 00:00"),
        ("2025-12-31T22:59Z", "31 Dec 2025 23:59"),
    ],
)
def test_shortly(moment: str, said: str) -> None:
    """A moment is told as short as it can be understood, seen from noon of a Monday in Berlin."""
    assert shortly(datetime.fromisoformat(moment), NOW, BERLIN) == said


def test_exactly() -> None:
    """In full there is the day of the week, the year and the zone."""
    assert exactly(NOW, BERLIN) == "Mon 2 Mar 2026, 12:00 CET"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "a few seconds"),
        (0, "a few seconds"),
        (9.9, "a few seconds"),
        (10, "10 s"),
        (33, "35 s"),
        (89, "90 s"),
        (90, "2 min"),
        (150, "2 min"),
        (89 * 60, "89 min"),
        (90 * 60, "2 h"),
        (47 * 3600, "47 h"),
        (48 * 3600, "2 days"),
        (168 * 3600, "7 days"),
    ],
)
def test_lasting(seconds: float, said: str) -> None:
    """How long something takes is told roughly."""
    assert lasting(timedelta(seconds=seconds)) == said


@given(st.integers(0, 400), st.integers(0, 400))
def test_a_bar(done: int, of: int) -> None:
    """A bar has ten cells, grows with what is done, and is full only where all is."""
    drawn = bar(done, of)
    assert len(drawn) == 10
    assert drawn == "▰" * drawn.count("▰") + "▱" * drawn.count("▱")
    assert (drawn.count("▱") == 0) == (0 < of <= done)
    assert bar(done + 1, of).count("▰") >= drawn.count("▰")


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 parts"), (1, "1 part"), (2, "2 parts"), (21, "21 parts")]
)
def test_count(number: int, said: str) -> None:
    """One part, any other number of parts."""
    assert count(number, "part") == said


def test_count_of_another_plural() -> None:
    """Where no s makes the plural, it is given."""
    assert count(1, "delivery", "deliveries") == "1 delivery"
    assert count(2, "delivery", "deliveries") == "2 deliveries"


@given(MOMENTS)
def test_any_moment_is_told_in_a_few_characters(moment: datetime) -> None:
    """No moment takes much of a line."""
    assert len(shortly(moment, NOW, BERLIN)) <= 17


@pytest.mark.parametrize("kind", [UnknownChannelError, UnknownThreadError, RefusedError])
def test_a_request_that_cannot_be_met_has_a_text(kind: type[RequestError]) -> None:
    """An error of a request can be logged by who takes it for one of the queue's."""
    assert str(kind(Problem.NEVER_MEANT, thread=7)) == "never-meant"


@pytest.mark.parametrize(
    ("words", "shell", "chat"),
    [
        (("show", 7), "threadcast show 7", "/show 7"),
        (("publish 7 --now", "-c", "news"), "threadcast publish 7 --now -c news", "/publish 7 now news"),
        (("stop 7 --channel news",), "threadcast stop 7 --channel news", "/stop 7 news"),
        (("add --continue",), "threadcast add --continue", "/continue"),
        (("restore FILE",), "threadcast restore FILE", "threadcast restore FILE"),
    ],
)
def test_a_command_as_it_is_typed(words: tuple[object, ...], shell: str, chat: str) -> None:
    """What is an option in a shell is a word in a chat; what only a shell has, is said as there."""
    assert (SHELL.command(*words), CHAT.command(*words)) == (shell, chat)


def test_a_refusal_names_its_place_once() -> None:
    """The place stands before a reason that does not name it, and nowhere else."""

    def said(cause: Exception) -> str:
        return sentence(RefusedError(Problem.NOT_HERE, thread=1, channel="news", cause=cause), CHAT)

    assert said(RefusedError(Problem.QUEUED, thread=1)).startswith("thread 1 is queued already")
    assert said(NotAllowedError(Fault.GOES_ON)) == "thread 1 on news: it goes on by itself, as soon as it may"
    none_out = NotAllowedError(Fault.NONE_OUT, thread_id=1, channel="news")
    assert said(none_out).startswith("no post of thread 1 on news is out")
