"""A simulated year: three channels with slots in three zones, by the scheduler's own rules and clock."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import count, takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.bot.publishing.scripted import FakeClock, ScriptedChannel, wish
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.port import Outgoing
from threadcast.bot.publishing.forecast import Rhythm, forecast
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.publishing.scheduler import timing
from threadcast.config.schedule.quiet import NEVER_QUIET, parse_quiet
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.model import ChannelSeen, Claim, Delivery
from threadcast.queue.outcomes import Outcome, Sent
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
TABLES = {
    "berlin": Timetable(
        "berlin",
        ZoneInfo("Europe/Berlin"),
        parse_schedule("mon,thu 02:30,18:30"),
        parse_quiet("22:00-01:00, sat-sun 00:00-10:00"),
    ),
    "york": Timetable(
        "york", ZoneInfo("America/New_York"), parse_schedule("0 9 * * tue"), jitter=timedelta(minutes=20)
    ),
    "howe": Timetable(
        "howe",
        ZoneInfo("Australia/Lord_Howe"),
        parse_schedule("wed 01:45; sun 12:00"),
        parse_quiet("sun 11:00-13:00"),
    ),
}


class Noted(ScriptedChannel):
    """Takes every post at once and notes when it came."""

    def __init__(self, name: str, folder: Path, clock: FakeClock) -> None:
        super().__init__(name, folder, clock)
        self.clock = clock
        self.numbers = count(1)
        self.seen: list[tuple[datetime, str, str | None, str]] = []

    async def send(self, outgoing: Outgoing) -> Outcome:
        sent = Sent(str(next(self.numbers)), None)
        self.seen.append((self.clock(), sent.remote_id, outgoing.parent, outgoing.text))
        return sent


@pytest.mark.parametrize("name", TABLES)
async def test_a_year(name: str, tmp_path: Path) -> None:
    """Every slot of the year starts one thread, none in quiet hours, and chains come out in order."""
    table = TABLES[name]
    assert table.schedule is not None
    of_the_year = takewhile(lambda slot: slot.utc < END, table.schedule.slots(BEGIN, table.zone))
    wanted = [slot for slot in of_the_year if not table.quiet.is_quiet(slot.utc, table.zone)]
    clock = FakeClock(BEGIN)
    database = fresh_database()
    database.changes.see_channels([ChannelSeen(name, "local", "here", "a schedule")], now=BEGIN)
    channel = Noted(name, tmp_path, clock)
    publisher = Publisher(database, channel, worker="w", clock=clock, stop=Stop())
    for number in range(len(wanted) + 3):
        database.threads.add(
            [wish(name, parts=2, about=f"thread {number}", due=BEGIN)], now=BEGIN, actor="test"
        )
    while clock() < END:
        came = await publisher.publish(timing(table))
        if not isinstance(came, Delivery):
            assert came is not None, "threads are left, so there is a next look"
            assert came > clock()
            clock.moment = min(came, END)
    starts = [at for at, _, parent, _ in channel.seen if parent is None]
    assert starts == [table.jittered(slot) for slot in wanted]
    assert [text for _, _, parent, text in channel.seen if parent is None] == [
        f"1/ thread {number} 1" for number in range(len(wanted))
    ]
    assert Counter(at.astimezone(table.zone).date() for at in starts).most_common(1)[0][1] <= 2
    for (_, first, _, _), (_, _, parent, _) in zip(channel.seen[::2], channel.seen[1::2], strict=True):
        assert parent == first
    assert not any(table.quiet.is_quiet(at, table.zone) for at in starts)
    assert database.reading.deliveries(states=frozenset({DeliveryState.QUEUED}), limit=4)[2:]


async def test_down_for_a_month(tmp_path: Path) -> None:
    """A service that was away starts one thread on its return, not one for each slot it missed."""
    table = TABLES["york"]
    clock = FakeClock(BEGIN)
    database = fresh_database()
    database.changes.see_channels([ChannelSeen("york", "local", "here", "a schedule")], now=BEGIN)
    for number in range(3):
        database.threads.add([wish("york", about=f"thread {number}", due=BEGIN)], now=BEGIN, actor="test")
    publisher = Publisher(database, Noted("york", tmp_path, clock), worker="w", clock=clock, stop=Stop())
    clock.advance(days=30)
    assert isinstance(await publisher.publish(timing(table)), Delivery)
    again = await publisher.publish(timing(table))
    assert isinstance(again, datetime)
    assert timedelta() < again - clock() <= timedelta(days=8)


async def test_a_clock_once_a_year_ahead(tmp_path: Path) -> None:
    """Once the clock is right again, the next slot starts a thread, as the forecast said."""
    table = TABLES["york"]
    clock = FakeClock(BEGIN)
    database = fresh_database()
    database.changes.see_channels([ChannelSeen("york", "local", "here", "a schedule")], now=BEGIN)
    for number in range(2):
        database.threads.add([wish("york", about=f"thread {number}", due=BEGIN)], now=BEGIN, actor="test")
    publisher = Publisher(database, Noted("york", tmp_path, clock), worker="w", clock=clock, stop=Stop())
    clock.advance(days=365)
    assert isinstance(await publisher.publish(timing(table)), Delivery)
    clock.moment = BEGIN
    (channel,) = database.reading.channels()
    waiting = database.reading.deliveries(states=frozenset({DeliveryState.QUEUED}))
    (foreseen,) = forecast(waiting, {"york": channel}, {"york": Rhythm(table, timedelta())}, clock())
    again = await publisher.publish(timing(table))
    assert isinstance(again, datetime)
    assert foreseen.start == again
    assert timedelta() < again - BEGIN < timedelta(days=8)
    clock.moment = again
    assert isinstance(await publisher.publish(timing(table)), Delivery)
    last_slot = database.reading.channels()[0].last_slot
    assert last_slot is not None
    assert BEGIN < last_slot <= again


async def test_a_new_schedule_makes_up_for_nothing(tmp_path: Path) -> None:
    """Slots that a changed schedule would have had in the past start nothing."""
    clock = FakeClock(BEGIN)
    database = fresh_database()
    database.changes.see_channels([ChannelSeen("york", "local", "here", "an old one")], now=BEGIN)
    database.threads.add([wish("york", due=BEGIN)], now=BEGIN, actor="test")
    clock.advance(days=30)
    database.changes.see_channels([ChannelSeen("york", "local", "here", "a new one")], now=clock())
    assert not isinstance(claim(database, "york", TABLES["york"], clock()), Claim)


def test_quiet_hours_without_a_schedule() -> None:
    """Without a schedule a thread waits for the end of quiet hours; one with its own time does not."""
    night = BEGIN + timedelta(hours=3)
    table = Timetable("news", ZoneInfo("UTC"), None, parse_quiet("22:00-07:00"))
    database = fresh_database()
    database.changes.see_channels([ChannelSeen("news", "local", "here")], now=night)
    database.threads.add([wish("news", due=night)], now=night, actor="test")
    assert claim(database, "news", table, night) == BEGIN + timedelta(hours=7)
    database.threads.add([wish("news", about="urgent", due=night, own_time=True)], now=night, actor="test")
    claimed = claim(database, "news", table, night)
    assert isinstance(claimed, Claim)
    assert claimed.delivery.title == "urgent 1"


def test_neither_schedule_nor_quiet_hours() -> None:
    """Without either a thread starts at once."""
    night = BEGIN + timedelta(hours=3)
    database = fresh_database()
    database.threads.add([wish("news", due=night)], now=night, actor="test")
    always = Timetable("news", ZoneInfo("UTC"), None, NEVER_QUIET)
    assert isinstance(claim(database, "news", always, night), Claim)


def claim(database: Database, channel: str, table: Timetable, now: datetime) -> Claim | datetime | None:
    until = now + timedelta(minutes=3)
    return database.work.claim(channel, worker="w", now=now, until=until, timing=timing(table))
