"""A digest comes once a day, whatever the clocks do, and says what was published and what waits."""

import asyncio
import itertools
from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bot.chat.samples import MOMENTS
from tests.bot.chat.stand import Stand, standing
from tests.queue.store.fresh import fresh_database
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.reports import MARKS
from threadcast.bot.chat.telling.digest import DIGESTED, DailyDigest, last_due, next_due
from threadcast.bot.chat.views.message import Message
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.store import MediaStore
from threadcast.bot.people.people import People
from threadcast.bot.requests.context import RequestContext
from threadcast.bot.requests.drafting.drafts import Drafts
from threadcast.bot.requests.requests import Requests
from threadcast.config.schedule.zones import wall
from threadcast.config.telegram import TelegramSettings
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.notes import Notes

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
TIMES = (time(0, 0), time(2, 0), time(2, 30), time(9, 0), time(23, 59))


@pytest.mark.parametrize("zone", [ZoneInfo(name) for name in ZONES], ids=str)
@pytest.mark.parametrize("at", TIMES, ids=str)
def test_a_year_of_digests(zone: ZoneInfo, at: time) -> None:
    """Over a year, each day of the wall has exactly one digest, those on which the clocks change too."""
    now = datetime(2026, 1, 1, tzinfo=zone).astimezone(UTC)
    end = datetime(2027, 1, 1, tzinfo=zone).astimezone(UTC)
    due = [] if wall(now, zone).time() != at else [now]
    while (now := next_due(at, now, zone)) < end:
        due.append(now)
        assert last_due(at, now, zone) == now
    days = [wall(each, zone).date() for each in due]
    assert days == sorted(set(days))
    assert len(days) == 365
    assert all(timedelta(hours=22) < b - a < timedelta(hours=26) for a, b in itertools.pairwise(due))


@given(MOMENTS, st.sampled_from(ZONES).map(ZoneInfo), st.times())
def test_a_moment_lies_between_two_digests(now: datetime, zone: ZoneInfo, at: time) -> None:
    """At any moment one was due, one will be, and there is none between them."""
    last, coming = last_due(at, now, zone), next_due(at, now, zone)
    assert last <= now < coming
    assert next_due(at, last, zone) == coming
    assert coming - last < timedelta(hours=26)


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    """A service that tells a digest at 13:00, started at noon."""
    with standing(tmp_path, {"TELEGRAM__DIGEST": "13:00", "TELEGRAM__CONFIRM": "false"}) as standing_:
        yield standing_


def digests(stand: Stand) -> list[str]:
    return [one.text for one in stand.people["Ada"].messages() if one.text and one.text.startswith("Since ")]


def go(stand: Stand, span: timedelta) -> None:
    stand.clock.advance(span)
    stand.wake()


def nothing_more(stand: Stand, count: int) -> None:
    """The service looks, and tells no more than there is."""
    with suppress(TimeoutError):
        stand.server.wait_for(lambda _: len(digests(stand)) > count, 0.5)
    assert len(digests(stand)) == count


def test_digests_of_a_service(stand: Stand) -> None:
    """None at the first start, one a day, one for missed days: with what was published, and what waits."""
    ada = stand.people["Ada"]
    nothing_more(stand, 0)
    ada.sends("rivers.txt", b"1/ The river rises.\n2/ It falls again. /end")
    stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)
    ada.sends("lakes.txt", b"1/ The lake rests.\n3/ And rests. /end")
    stand.wait_for_state(2, "news", DeliveryState.HELD)

    go(stand, timedelta(hours=1, minutes=1))
    stand.server.wait_for(lambda _: len(digests(stand)) == 1, 10)
    assert digests(stand)[0].split("\n") == [
        *("Since 12:00", "Published: 1 chain", "✅ #1 news The river rises.", ""),
        *(
            "Waiting for you",
            "✋ #2 news held: number 2 is missing between 1/ (line 1) and 3/ (line 2)",
            "",
            "Nothing is to be published.",
        ),
    ]
    go(stand, timedelta(hours=5))
    nothing_more(stand, 1)

    go(stand, timedelta(hours=19))
    stand.server.wait_for(lambda _: len(digests(stand)) == 2, 10)
    assert digests(stand)[1].split("\n")[:2] == ["Since yesterday 13:01", "Published: nothing"]

    stand.stop()
    stand.clock.advance(timedelta(days=3))
    stand.start()
    stand.server.wait_for(lambda _: len(digests(stand)) == 3, 10)
    assert digests(stand)[2].startswith("Since Tue 3 Mar 13:01\n")
    nothing_more(stand, 3)


class BusyNotes(Notes):
    """The notes of a queue that cannot be used at first."""

    def __init__(self) -> None:
        super().__init__(fresh_database().transactions)
        self.busy = True

    def read(self, page: str, lines: Collection[int] | None = None) -> dict[int, str]:
        if self.busy:
            raise StoreError(Fault.BUSY, place="the database", cause="locked")
        return super().read(page, lines)


async def test_a_queue_that_cannot_be_used_delays_the_digest(tmp_path: Path) -> None:
    """Where the queue cannot be used, the digest waits; however many looks there are, it is told once."""
    now = datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
    notes = BusyNotes()
    notes.write(MARKS, DIGESTED, "2026-03-01T13:00:00+00:00", now=now)
    requests = Requests(
        RequestContext(
            fresh_database(),
            [],
            frozenset(),
            {},
            lambda: now,
            "chat",
            lambda _: True,
            Attacher(MediaStore(tmp_path)),
        )
    )
    context = Context(
        lambda _: requests,
        [],
        Drafts(notes, lambda: now),
        notes,
        lambda: now,
        ZoneInfo("UTC"),
        People(TelegramSettings()),
    )
    told: list[Message] = []
    digest = DailyDigest(context, time(13, 0), tell=lambda say: told.append(say()))
    await digest.look()
    assert told == []
    notes.busy = False
    await asyncio.gather(*(digest.look() for _ in range(3)))
    assert [one.text.partition("\n")[0] for one in told] == ["<b>Since yesterday 13:00</b>"]
