"""What is left of a budget, and when a chain finds room in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.bot.channels.budget import A_POST, WAITS, Prospect, Room, Window

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)

# The account's own window, as at noon, three hours after it began; the server's is over at 12:02.
ACCOUNT = Window(300, 300, NOON + 3 * HOUR, 3 * HOUR)
SERVER = Window(300, 300, NOON + timedelta(minutes=2), timedelta(minutes=5), "the server takes")


def of(account: int, server: int = 300) -> Prospect:
    return Prospect(A_POST, (replace(ACCOUNT, left=account), replace(SERVER, left=server)))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


HALF_A_MINUTE = 30 * SECOND
WINDOW = 3 * HOUR
ACCOUNTS = "waits for room: the account may post {} more until 15:00 UTC, and the chain has {}".format
SERVERS = "waits for room: the server takes 20 more until 12:02 UTC, and the chain has 30"
LONG = "its 700 posts go over 3 windows of 300 in 3 h, until about 18:01 UTC"
LONGER = (
    "waits for room: its 3000 posts go over 10 windows of 300 in 3 h, until about 03 Mar, 18:05 UTC; "
    "it begins with a fresh window at 15:00 UTC"
)
# From when on there is room, how long the chain then takes, why it waits, and over how many windows it goes.
ROOMS: dict[str, tuple[Prospect, int, timedelta, timedelta, str, int]] = {
    "no limits": (Prospect(), 30, 0 * SECOND, HALF_A_MINUTE, "", 1),
    "no time either": (Prospect(timedelta(0)), 30, 0 * SECOND, 0 * SECOND, "", 1),
    "nothing to send": (of(0), 0, 0 * SECOND, 0 * SECOND, "", 1),
    "just enough": (of(30), 30, 0 * SECOND, HALF_A_MINUTE, "", 1),
    "next window": (of(12), 30, WINDOW, HALF_A_MINUTE, ACCOUNTS(12, 30), 1),
    "used up": (of(-1), 1, WINDOW, SECOND, ACCOUNTS("no", 1), 1),
    "the server": (of(300, 20), 30, minutes(2), HALF_A_MINUTE, SERVERS, 1),
    "both": (of(12, 20), 30, WINDOW, HALF_A_MINUTE, ACCOUNTS(12, 30), 1),
    "untouched": (of(300), 700, 0 * SECOND, 6 * HOUR + 100 * SECOND, LONG, 3),
    "touched": (of(299), 3000, WINDOW, 27 * HOUR + 300 * SECOND, LONGER, 10),
}


@pytest.mark.parametrize("case", ROOMS)
def test_room(case: str) -> None:
    """A chain begins where the budget covers it; one of more than a window begins with an untouched one."""
    prospect, posts, begins, takes, reason, count = ROOMS[case]
    room = Room(NOON + begins, NOON + begins + takes, reason, count)
    assert prospect.room(posts, NOON) == room
    assert not room.reason or room.at == NOON or room.reason.startswith(WAITS)


def test_a_window_that_is_over() -> None:
    """After its end a window is whole again, however long after; its ends stay multiples apart."""
    used_up = replace(ACCOUNT, left=0)
    assert used_up.at(NOON) is used_up
    assert used_up.at(NOON + 3 * HOUR) == replace(ACCOUNT, ends=NOON + 6 * HOUR)
    assert used_up.at(NOON + 31 * HOUR) == replace(ACCOUNT, ends=NOON + 33 * HOUR)


def test_a_window_for_other_calls_too() -> None:
    """Where other calls may take some of each window, no chain waits for one that is untouched."""
    shared = replace(SERVER, left=299, spare=30)
    assert [shared.opens(posts, NOON) for posts in (270, 271, 300, 1000)] == [NOON] * 4
    used = replace(SERVER, left=100, spare=30)
    assert used.opens(270, NOON) == used.ends
    assert used.opens(271, NOON) == NOON


def test_one_chain_after_the_other() -> None:
    """What a chain takes is not there for the next one, until the window is over."""
    rest = of(50).after(30, NOON)
    assert rest.room(20, NOON + minutes(1)).at == NOON + minutes(1)
    assert rest.room(21, NOON + minutes(1)).at == NOON + 3 * HOUR


def test_a_chain_that_rests() -> None:
    """Rests between posts count, and posts behind the end of a window are the next one's."""
    prospect = of(30)
    assert prospect.ends(30, NOON, gap=HOUR) == NOON + 29 * (HOUR + SECOND) + SECOND
    assert prospect.after(4, NOON, gap=HOUR).windows[0] == Window(300, 299, NOON + 6 * HOUR, 3 * HOUR)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    whole = draw(st.integers(1, 40))
    length = draw(st.sampled_from([minutes(1), minutes(5), HOUR]))
    ends = NOON + draw(st.integers(1, int(length / SECOND))) * SECOND
    return Window(whole, draw(st.integers(-2, whole)), ends, length)


STEPS = st.sampled_from([timedelta(0), SECOND / 3, SECOND, minutes(2)])
PROSPECTS = st.builds(Prospect, STEPS, st.lists(windows(), max_size=3).map(tuple))
POSTS = st.integers(0, 150)
GAPS = st.sampled_from([timedelta(0), SECOND, minutes(7)])


@settings(deadline=None)
@given(PROSPECTS, POSTS, GAPS)
def test_it_begins_when_it_was_said(prospect: Prospect, posts: int, gap: timedelta) -> None:
    """Asked again at the time that was told, a chain begins at once, and ends when it was said."""
    room = prospect.room(posts, NOON, gap=gap)
    again = prospect.room(posts, room.at, gap=gap)
    assert NOON <= room.at <= room.ends
    assert (again.at, again.ends) == (room.at, room.ends)
    assert not again.reason.startswith(WAITS)
    assert room.reason.startswith(WAITS) == (room.at > NOON)


@settings(deadline=None)
@given(PROSPECTS, POSTS, GAPS)
def test_one_by_one(prospect: Prospect, posts: int, gap: timedelta) -> None:
    """The end that is told is that of a chain sent post by post, each as soon as every window lets it."""
    at = ends = NOON
    left = list(prospect.windows)
    for _ in range(posts):
        while True:
            left = [window.at(at) for window in left]
            shut = [window.ends for window in left if window.left <= 0]
            if not shut:
                break
            at = min(shut)
        ends = at + prospect.step
        at = ends + gap
        left = [replace(window, left=window.left - 1) for window in left]
    assert prospect.ends(posts, NOON, gap=gap) == ends
    if posts:
        assert prospect.after(posts, NOON, gap=gap) == replace(prospect, windows=tuple(left))


@settings(deadline=None)
@given(st.builds(Prospect, STEPS, st.tuples(windows())), POSTS, GAPS)
def test_never_half(prospect: Prospect, posts: int, gap: timedelta) -> None:
    """A chain that fits into one window never waits in its middle."""
    (window,) = prospect.windows
    room = prospect.room(posts, NOON, gap=gap)
    if 0 < posts <= window.whole:
        assert room.ends == room.at + posts * prospect.step + (posts - 1) * gap
        assert room.windows == 1
