"""The scheduler starts what is due at once, and lets no channel wait for another."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from structlog.testing import capture_logs

from tests.bot.publishing.scripted import ScriptedChannel, Step, wish
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.port import Clock
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.publishing.scheduler import Scheduler
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.model import ChannelSeen, Claim, Delivery
from threadcast.queue.outcomes import Refused
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database
from threadcast.queue.store.work import Work

LONG_ENOUGH = 10  # seconds after which a test gives up waiting for an event

FULL = StoreError(Fault.FULL, place="the database", cause="no space")


def now() -> datetime:
    return datetime.now(UTC)


class House:
    """A scheduler with one publisher a channel, and the deliveries that ended."""

    def __init__(
        self,
        folder: Path,
        database: Database,
        *,
        clock: Clock = now,
        **channels: list[Step],
    ) -> None:
        self.database = database
        self.stop = Stop(grace=0)
        self.ended: asyncio.Queue[Delivery] = asyncio.Queue()
        self.rested: asyncio.Queue[Delivery] = asyncio.Queue()
        self.channels = {name: ScriptedChannel(name, folder, now, *steps) for name, steps in channels.items()}
        self.timers = AsyncIOScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})
        self.scheduler = Scheduler(
            [
                (
                    Publisher(database, channel, worker="w", clock=now, stop=self.stop, observe=self.see),
                    Timetable(name, ZoneInfo("UTC")),
                )
                for name, channel in self.channels.items()
            ],
            clock=clock,
            stop=self.stop,
            pause=timedelta(milliseconds=10),
            timers=self.timers,
        )

    def see(self, delivery: Delivery) -> None:
        if delivery.state is not DeliveryState.PUBLISHING:
            self.ended.put_nowait(delivery)
        elif delivery.lease_owner is None:
            self.rested.put_nowait(delivery)

    def add(self, channel: str, *, about: str = "lamp", after: float = 0) -> datetime:
        due = now() + timedelta(seconds=after)
        new = wish(channel, about=about, due=due, own_time=after > 0)
        self.database.threads.add([new], now=now(), actor="test")
        return due

    async def next_end(self) -> Delivery:
        return await asyncio.wait_for(self.ended.get(), LONG_ENOUGH)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self.timers.start()
        self.scheduler.wake()
        try:
            yield
        finally:
            self.timers.shutdown(wait=False)
            self.stop.ask()
            await asyncio.wait_for(self.scheduler.drain(), LONG_ENOUGH)
            for channel in self.channels.values():
                await channel.close()


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., House]:
    return lambda database=None, **channels: House(tmp_path, database or fresh_database(), **channels)


async def test_what_waits_at_the_start(house: Callable[..., House]) -> None:
    """What is due when the service starts is published without anybody asking."""
    at = house(news=[])
    at.add("news")
    async with at.running():
        assert (await at.next_end()).state is DeliveryState.PUBLISHED


async def test_woken(house: Callable[..., House]) -> None:
    """A thread added while the service idles starts as soon as the service is woken."""
    at = house(news=[])
    async with at.running():
        at.add("news")
        at.scheduler.wake()
        assert (await at.next_end()).state is DeliveryState.PUBLISHED


async def test_its_own_time(house: Callable[..., House]) -> None:
    """A thread with a time of its own starts then, without a wake-up, and not before."""
    at = house(news=[])
    due = at.add("news", after=0.3)
    async with at.running():
        ended = await at.next_end()
    assert ended.started is not None
    assert ended.started >= due


async def test_one_after_the_other(house: Callable[..., House]) -> None:
    """All threads due on a channel are published, in the order of the queue."""
    at = house(news=[])
    for about in ("first", "second", "third"):
        at.add("news", about=about)
    async with at.running():
        titles = [(await at.next_end()).title for _ in range(3)]
    assert titles == ["first 1", "second 1", "third 1"]


async def test_a_slow_channel_delays_no_other(house: Callable[..., House]) -> None:
    """While one channel's server does not answer, the other channel's thread is published."""
    at = house(slow=[Step(gate=asyncio.Event())], fast=[])
    at.add("slow")
    at.add("fast")
    async with at.running():
        assert (await at.next_end()).channel == "fast"
        await at.channels["slow"].script.started.wait()


async def test_a_broken_channel_breaks_no_other(house: Callable[..., House]) -> None:
    """A chain that stops ends neither its channel's next thread nor another channel's."""
    at = house(bad=[Step(Refused("too rude"))], good=[])
    at.add("bad")
    at.add("bad", about="next")
    at.add("good")
    async with at.running():
        ends = {(end.channel, end.title): end.state for end in [await at.next_end() for _ in range(3)]}
    assert ends == {
        ("bad", "lamp 1"): DeliveryState.FAILED,
        ("bad", "next 1"): DeliveryState.PUBLISHED,
        ("good", "lamp 1"): DeliveryState.PUBLISHED,
    }


async def test_woken_while_working(house: Callable[..., House]) -> None:
    """A wake-up that comes while a channel is busy is not lost."""
    gate = asyncio.Event()
    at = house(news=[Step(gate=gate)])
    at.add("news")
    async with at.running():
        await at.channels["news"].script.started.wait()
        at.add("news", about="later")
        at.scheduler.wake()
        gate.set()
        assert [(await at.next_end()).title for _ in range(2)] == ["lamp 1", "later 1"]


async def test_a_paused_channel(house: Callable[..., House]) -> None:
    """A channel that is paused in mid-chain rests after the post in hand, and goes on when resumed."""
    gate = asyncio.Event()
    at = house(news=[Step(gate=gate)])
    at.database.changes.see_channels([ChannelSeen("news", "local", "here")], now=now())
    at.add("news")
    async with at.running():
        await at.channels["news"].script.started.wait()
        at.database.changes.pause("news", True, now=now(), actor="test")
        at.scheduler.wake()
        gate.set()
        paused = await asyncio.wait_for(at.rested.get(), LONG_ENOUGH)
        assert (paused.sent, at.database.reading.halted(paused)) == (1, True)
        at.database.changes.pause("news", False, now=now(), actor="test")
        at.scheduler.wake()
        assert (await at.next_end()).state is DeliveryState.PUBLISHED


class Flaky(Work):
    """A queue that cannot be used the first time it is asked for work."""

    def __init__(self, database: Database, error: Exception) -> None:
        super().__init__(database.transactions)
        self._error: Exception | None = error

    def claim(self, channel: str, **more: Any) -> Claim | datetime | None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return super().claim(channel, **more)


@pytest.mark.parametrize(
    "error", [StoreError(Fault.FULL, place="the database", cause="no space"), RuntimeError("a fault of ours")]
)
async def test_a_queue_that_cannot_be_used_now(house: Callable[..., House], error: Exception) -> None:
    """A queue that fails is tried again after a pause, and the failure is logged."""
    with capture_logs() as logs:
        database = fresh_database()
        database.work = Flaky(database, error)
        at = house(database, news=[])
        at.add("news")
        async with at.running():
            assert (await at.next_end()).state is DeliveryState.PUBLISHED
    assert [entry["log_level"] for entry in logs].count("error") == 1


async def test_stopped(house: Callable[..., House]) -> None:
    """After a stop nothing more is started, woken or not."""
    at = house(news=[])
    async with at.running():
        pass
    at.add("news")
    at.scheduler.wake()
    assert at.channels["news"].script.asked == []
