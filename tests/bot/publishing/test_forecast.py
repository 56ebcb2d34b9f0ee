"""The forecast says of each delivery when it starts and why, as the scheduler will decide it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.bot.publishing.scripted import wish
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.budget import A_POST, Prospect, Window
from threadcast.bot.publishing.forecast import Forecast, Rhythm, forecast
from threadcast.config.schedule.quiet import parse_quiet
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.model import ChannelSeen, Claim
from threadcast.queue.outcomes import Code
from threadcast.queue.states import Change, DeliveryState, Event, PostState
from threadcast.queue.store.database import Database
from threadcast.queue.text.media import Media, MediaKind, StoredFile

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
UTC_ZONE = ZoneInfo("UTC")
AT_ONCE = Timetable("news", UTC_ZONE)
SLOTS = Timetable("news", UTC_ZONE, parse_schedule("13:00,18:00"))
HOUR = timedelta(hours=1)


def queue(*abouts: str) -> Database:
    database = fresh_database()
    database.changes.see_channels([ChannelSeen("news", "local", "here", "a schedule")], now=NOON)
    for about in abouts:
        database.threads.add([wish("news", about=about, due=NOON)], now=NOON, actor="test")
    return database


def foreseen(
    database: Database,
    table: Timetable = AT_ONCE,
    gap: timedelta = timedelta(0),
    now: datetime = NOON,
    prospect: Prospect = Prospect(),  # noqa: B008  # frozen
) -> list[Forecast]:
    waiting = frozenset({DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.PUBLISHING})
    rows = {row.name: row for row in database.reading.channels()}
    return list(
        forecast(
            database.reading.deliveries(states=waiting),
            rows,
            {"news": Rhythm(table, gap)},
            now,
            {"news": prospect},
        )
    )


def said(forecasts: list[Forecast]) -> list[tuple[str, timedelta | None, str]]:
    return [(one.delivery.title, one.start - NOON if one.start else None, one.why) for one in forecasts]


UPLOADS = Prospect(A_POST, files=Window(30, 30, NOON + HOUR / 2, HOUR / 2))


def with_files(database: Database, *counts: int) -> None:
    """Queue a thread of three parts and so many files, for each number."""
    for number, count in enumerate(counts):
        new = wish("news", about=f"p{number}", due=NOON)
        media = tuple(
            Media(
                "", f"{place}.jpg", 1, StoredFile(f"{number:02}{place:062}", MediaKind.IMAGE, "image/jpeg", 9)
            )
            for place in range(count)
        )
        parts = (replace(new.thread.parts[0], media=media), *new.thread.parts[1:])
        database.threads.add([replace(new, thread=replace(new.thread, parts=parts))], now=NOON, actor="test")


def test_files_that_are_uploaded_first() -> None:
    """A chain of 40 pictures begins when the last is uploaded; the next one counts with what is left then."""
    database = queue()
    with_files(database, 40, 20, 1)
    first, second, third = foreseen(database, prospect=UPLOADS)
    assert (first.start, first.end) == (NOON + HOUR / 2, NOON + HOUR / 2 + timedelta(seconds=3))
    assert (
        first.why
        == "waits for room: the server takes 30 files in 30 min, and the chain has 40: uploaded by 12:30 UTC"
    )
    assert (second.start, second.why) == (first.end, "in turn")
    assert (third.start, third.why) == (
        NOON + HOUR,
        "waits for room: the server takes 30 files in 30 min, and the chain has 1: uploaded by 13:00 UTC",
    )
    assert [one.start for one in foreseen(database)] == [NOON + timedelta(seconds=3 * n) for n in range(3)]


def test_files_that_are_being_uploaded() -> None:
    """A chain that waits before its first post goes on with the rest; one that has begun has all of them."""
    database = queue()
    with_files(database, 40)
    claim = database.work.claim("news", worker="w", now=NOON, until=NOON + HOUR)
    assert isinstance(claim, Claim)
    assert foreseen(database, prospect=UPLOADS)[0].start == NOON + HOUR / 2
    until = NOON + HOUR / 2
    wait = Change(Event.WAIT, None, "slow down", until, keeps_lease=False, code=Code.THROTTLED)
    database.work.record(claim, None, wait, now=NOON)
    (waiting,) = foreseen(database, now=NOON + HOUR / 4, prospect=UPLOADS)
    assert (waiting.start, waiting.why) == (until, "waits until then: slow down")


def test_in_turn() -> None:
    """Without a schedule, each thread starts when the one before is through."""
    first, second = foreseen(queue("a", "b"))
    assert (first.start, first.why, first.end) == (NOON, "in turn", NOON + 3 * A_POST)
    assert (second.start, second.end) == (NOON + 3 * A_POST, NOON + 6 * A_POST)


def test_a_pace_makes_it_longer() -> None:
    """A chain that rests between posts is through that much later."""
    (one,) = foreseen(queue("a"), gap=HOUR)
    assert one.end == NOON + 2 * HOUR + 3 * A_POST


def test_slots() -> None:
    """With slots, each thread has the next one, in the order of the queue."""
    assert said(foreseen(queue("a", "b", "c"), SLOTS)) == [
        ("a 1", HOUR, "slot"),
        ("b 1", 6 * HOUR, "slot"),
        ("c 1", 25 * HOUR, "slot"),
    ]


def test_a_time_of_its_own() -> None:
    """A thread with its own time starts then, and takes nobody's slot."""
    database = queue("a", "b")
    own = wish("news", about="own", due=NOON + 2 * HOUR, own_time=True)
    database.threads.add([own], now=NOON, actor="test")
    assert said(foreseen(database, SLOTS)) == [
        ("a 1", HOUR, "slot"),
        ("b 1", 6 * HOUR, "slot"),
        ("own 1", 2 * HOUR, "its own time"),
    ]


def test_quiet_hours() -> None:
    """A thread that waits for the end of quiet hours says so."""
    table = Timetable("news", UTC_ZONE, None, parse_quiet("11:00-15:00"))
    assert said(foreseen(queue("a"), table)) == [("a 1", 3 * HOUR, "after quiet hours")]


def test_a_chain_rests_in_quiet_hours() -> None:
    """A chain that is under way when quiet hours begin rests until their end, and only then."""
    rhythm = Rhythm(Timetable("news", UTC_ZONE, quiet=parse_quiet("11:00-13:30")), timedelta(0))
    assert rhythm.rest_until(NOON) == NOON + 1.5 * HOUR
    assert rhythm.rest_until(NOON + 1.5 * HOUR) is None
    assert rhythm.rest_until(NOON - 1.5 * HOUR) is None


def test_under_way() -> None:
    """A chain under way holds the channel until its last post is out."""
    database = queue("a", "b")
    database.work.claim("news", worker="w", now=NOON, until=NOON + HOUR)
    (first, second) = foreseen(database)
    assert (first.why, first.end) == ("under way", NOON + 3 * A_POST)
    assert second.start == first.end


def test_a_slow_chat() -> None:
    """A chat that takes a post every 20 seconds holds its threads up by that much."""
    first, second = foreseen(queue("a", "b"), prospect=Prospect(timedelta(seconds=20)))
    assert (first.end, second.start) == (NOON + timedelta(minutes=1), first.end)


def test_waiting_for_room() -> None:
    """Each chain takes its part of what is left; the one that finds too little waits, and says for what."""
    left = Window(300, 4, NOON + HOUR, 3 * HOUR)
    assert said(foreseen(queue("a", "b", "c"), prospect=Prospect(A_POST, (left,)))) == [
        ("a 1", timedelta(0), "in turn"),
        ("b 1", HOUR, "waits for room: the account may post 1 more until 13:00 UTC, and the chain has 3"),
        ("c 1", HOUR + 3 * A_POST, "in turn"),
    ]


def test_a_plan() -> None:
    """A chain of more than a window says how it will go."""
    left = Window(2, 2, NOON + HOUR, 3 * HOUR)
    (one,) = foreseen(queue("a"), prospect=Prospect(A_POST, (left,)))
    assert (one.start, one.end) == (NOON, NOON + HOUR + A_POST)
    assert one.why == "its 3 posts go over 2 windows of 2 in 3 h, until about 13:00 UTC"


def test_under_way_in_a_window() -> None:
    """A chain under way goes on with the next window where this one is used up, and so do those behind it."""
    database = queue("a", "b")
    database.work.claim("news", worker="w", now=NOON, until=NOON + HOUR)
    left = Window(4, 1, NOON + HOUR, 3 * HOUR)
    first, second = foreseen(database, prospect=Prospect(A_POST, (left,)))
    assert first.end == NOON + HOUR + 2 * A_POST
    assert second.start == NOON + 4 * HOUR


@pytest.mark.parametrize(
    ("reason", "code", "why"),
    [
        ("Telegram asks to wait 60 s", Code.THROTTLED, "waits until then: Telegram asks to wait 60 s"),
        ("waits for room: nothing left", Code.ROOM, "waits for room: nothing left"),
        ("", Code.NONE, "under way"),
    ],
)
def test_waiting_under_way(reason: str, code: Code, why: str) -> None:
    """A begun chain that waits says for what, in words that fit."""
    database = queue("a")
    claim = database.work.claim("news", worker="w", now=NOON, until=NOON + HOUR)
    assert isinstance(claim, Claim)
    later = Change(Event.WAIT, PostState.PLANNED, reason, NOON + HOUR, keeps_lease=False, code=code)
    database.work.record(claim, None, later, now=NOON)
    (one,) = foreseen(database)
    assert (one.start, one.why) == (NOON + HOUR, why)


def test_held() -> None:
    """A held thread has no time, only the reason why it is held."""
    database = queue("a", "b")
    database.changes.apply(database.reading.deliveries()[0].id, Event.HOLD, now=NOON, actor="test")
    starts = {one.delivery.title: one.start for one in foreseen(database)}
    assert starts == {"a 1": None, "b 1": NOON}


def test_a_paused_channel() -> None:
    """On a paused channel nothing has a time, and what to type is said."""
    database = queue("a")
    database.changes.pause("news", True, now=NOON, actor="test")
    assert said(foreseen(database)) == [("a 1", None, "the channel is paused")]
    assert [one.command for one in foreseen(database)] == ["resume news"]


def test_a_channel_that_is_gone() -> None:
    """Threads for a channel that is not configured any more have no time, and say why."""
    database = queue("a")
    rows = {row.name: row for row in database.reading.channels()}
    (one,) = forecast(database.reading.deliveries(), rows, {}, NOON)
    assert (one.start, one.why) == (None, "news is not configured any more")
