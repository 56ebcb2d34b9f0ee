"""Which channels stand still, and which only seem to."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from threadcast.bot.publishing.forecast import Rhythm
from threadcast.bot.requests.figures.stuck import stuck
from threadcast.config.schedule.quiet import parse_quiet
from threadcast.config.schedule.slots import parse_schedule
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.model import Backlog, ChannelRow, Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NEWS = ChannelRow("news", "local", "news", "", False, None, NOON, NOON)
BEGUN = Delivery(
    *(7, 3, "news", DeliveryState.PUBLISHING, "", 1, NOON, NOON, NOON, None, "a machine", NOON, 1, 5, 2),
    *("A title", False, NOON, 5, None),
)


@dataclass
class Look:
    """A look at one channel at `now`."""

    schedule: str = ""
    quiet: str = ""
    channel: ChannelRow = NEWS
    now: datetime = NOON

    def __call__(self, *waiting: tuple[bool, datetime], begun: Delivery | None = None) -> dict[str, str]:
        table = Timetable("news", ZoneInfo("UTC"))
        if self.schedule:
            table = replace(table, schedule=parse_schedule(self.schedule))
        if self.quiet:
            table = replace(table, quiet=parse_quiet(self.quiet))
        backlog = [Backlog("news", DeliveryState.QUEUED, own, 4, since) for own, since in waiting]
        rhythms = {"news": Rhythm(table, timedelta(0))}
        return stuck(backlog, [begun] if begun else [], {"news": self.channel}, rhythms, self.now)


def test_in_turn() -> None:
    """What could have begun a minute ago is late, not what joined the queue just now."""
    assert Look()((False, NOON - 2 * MINUTE)) == {"news": "what was due at 11:58 UTC was not taken up"}
    assert Look()((False, NOON - timedelta(seconds=59))) == {}


def test_a_time_of_its_own() -> None:
    """A thread with a time of its own is late a minute after it, whatever the schedule says."""
    for look in (Look(), Look(schedule="daily 18:00")):
        assert look((True, NOON - 2 * MINUTE)) == {"news": "what was due at 11:58 UTC was not taken up"}
        assert look((True, NOON + MINUTE)) == {}


@pytest.mark.parametrize("used", [None, NOON - timedelta(days=1)])
def test_a_slot_that_passed(used: datetime | None) -> None:
    """A thread that waits for a slot is well until a minute after it; then the slot is named."""
    channel, joined = replace(NEWS, last_slot=used), (False, NOON - timedelta(days=3))
    look = Look(schedule="daily 12:00", channel=channel)
    for later, found in ((-5, used is None), (0.5, used is None), (2, True)):
        look.now = NOON + later * MINUTE
        assert bool(look(joined)) is found
    assert look(joined) == {"news": "what was due at 12:00 UTC was not taken up"}
    look.channel = replace(NEWS, last_slot=NOON)
    assert look(joined) == {}


def test_quiet_hours() -> None:
    """What waits for the end of quiet hours is well, however long it has been due."""
    look = Look(quiet="11:00-13:00")
    assert look((False, NOON - timedelta(hours=3))) == {}
    look.now = NOON + timedelta(hours=1, minutes=2)
    assert look((False, NOON - timedelta(hours=3)))


def test_a_pause() -> None:
    """A paused channel does as it was told, and so does one that is not configured any more."""
    look = Look(channel=replace(NEWS, paused=True))
    assert look((False, NOON - 5 * MINUTE), (True, NOON - 5 * MINUTE)) == {}
    assert look(begun=replace(BEGUN, due=NOON - 5 * MINUTE)) == {}
    assert Look()(begun=replace(BEGUN, channel="old", code=Code.TOKEN)) == {}


def test_what_has_begun() -> None:
    """A chain in somebody's hands is well, and so is what waits behind it; without, it is late."""
    held = replace(BEGUN, lease_until=NOON + MINUTE, due=NOON - 5 * MINUTE)
    assert Look()((False, NOON - 5 * MINUTE), begun=held) == {}
    left = replace(held, lease_until=NOON - 2 * MINUTE)
    assert Look()(begun=left) == {"news": "thread 3 was due at 11:55 UTC, and waits"}
    assert Look()((False, NOON - 5 * MINUTE), begun=replace(left, due=NOON + MINUTE)) == {}


@pytest.mark.parametrize("code", [Code.TOKEN, Code.RIGHTS, Code.GONE])
def test_a_fault_of_the_channel(code: Code) -> None:
    """A refused token, a lost right, a chat that is gone: the channel is named with why, at once."""
    refused = replace(BEGUN, code=code, reason="the token is not accepted", due=NOON + MINUTE)
    assert Look()(begun=refused) == {"news": "the token is not accepted"}
