"""A world in fast motion: the service's own lanes on a queue, networks that only judge, and no rest.

Time passes while this process computes, however busy the machine is, and is skipped where everybody waits.
"""

import asyncio
import selectors
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from tests.queue.store.fresh import fresh_database
from tests.servers.mastodon.budgets import REAL_BUDGETS, Budgets
from threadcast.bot.channels.media import NO_FILES
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Channel, Outgoing, Quota, Reach
from threadcast.bot.channels.telegram.pace import PER_BOT
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.publishing.scheduler import Scheduler
from threadcast.bot.service import CLAIMS
from threadcast.config import logs
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.compose.length import telegram
from threadcast.queue.compose.rules import Numbering, Rules
from threadcast.queue.model import ChannelSeen, NewDelivery, NewThread
from threadcast.queue.outcomes import Outcome, Sent, Settling, Throttled
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings
from threadcast.queue.text.thread import Thread

BEGIN = datetime(2026, 3, 28, 12, tzinfo=UTC)  # in the night that follows, Europe's clocks are set forward
SECOND = timedelta(seconds=1)
WAY = 0.05  # seconds to a server and back


class FastLoop(asyncio.SelectorEventLoop):
    """An event loop that waits for nothing; what blocks is done in its own thread, one after the other."""

    def __init__(self) -> None:
        self.skipped = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return time.process_time() + self.skipped

    def now(self) -> datetime:
        """Return the world's time: it began when the loop's clock stood at `begun`."""
        return BEGIN + timedelta(seconds=self.time() - self.begun)

    def start(self) -> None:
        """Let it be BEGIN now."""
        self.begun = self.time()

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # whoever awaits it gets it
            future.set_exception(error)
        return future


class _Skipping(selectors.SelectSelector):
    def __init__(self, loop: FastLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "everybody waits, and nothing is to come"
        self._loop.skipped += max(0.0, timeout)
        return super().select(0)


class Timers:
    """What the scheduler asks of APScheduler, by the loop's own time."""

    def __init__(self, loop: FastLoop) -> None:
        self._loop = loop
        self._jobs: dict[str, asyncio.TimerHandle] = {}

    def add_job(
        self,
        ring: Callable[..., Coroutine[Any, Any, None]],
        trigger: DateTrigger,
        *,
        args: Sequence[Any],
        id: str,  # noqa: A002  # APScheduler's name
        replace_existing: bool,
    ) -> None:
        after = (trigger.run_date - datetime.now(UTC)) / SECOND
        if (before := self._jobs.get(id)) is not None:
            before.cancel()
        self._jobs[id] = self._loop.call_later(after, lambda: self._loop.create_task(ring(*args)))


class Network:
    """A channel that takes what its network's limits allow, and notes when."""

    kind = "simulated"
    target = "nowhere"
    also = ""
    files = NO_FILES
    reach = Reach()
    quota: Quota | None = None
    limits_posts: bool | None = False
    settling = Settling(first_look=timedelta(0))

    def __init__(self, name: str) -> None:
        self.name = name
        self.posts: list[tuple[datetime, bool]] = []  # when, and whether a chain began with it

    async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
        return Rules(500, telegram, Numbering.KEEP)

    async def preflight(self) -> None:
        return None

    async def send(self, outgoing: Outgoing) -> Outcome:
        now = cast(FastLoop, asyncio.get_running_loop()).now()
        until = self.judged(now)
        await asyncio.sleep(WAY)
        if until is not None:
            return Throttled(until, "too many")
        self.posts.append((now, outgoing.parent is None))
        return Sent(f"{len(self.posts)}", None)

    def judged(self, now: datetime) -> datetime | None:
        """Take a post; until when it has to wait where it is one too many."""
        raise NotImplementedError


class Bot:
    """What Telegram counts for a bot over all its chats."""

    def __init__(self) -> None:
        self.throttled = 0
        self._last = deque[datetime](maxlen=int(PER_BOT))

    def judged(self, now: datetime) -> datetime | None:
        if len(self._last) == PER_BOT and now - self._last[0] < SECOND:
            self.throttled += 1
            return now + 3 * SECOND
        self._last.append(now)
        return None


class Chat(Network):
    def __init__(self, name: str, bot: Bot) -> None:
        super().__init__(name)
        self._bot = bot

    def judged(self, now: datetime) -> datetime | None:
        return self._bot.judged(now)


class Account(Network):
    """A Mastodon account, with its server's limits."""

    limits_posts = True
    counted = (("statuses", "mine"), ("token", "mine"))

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.throttled = 0
        self._budgets = Budgets(REAL_BUDGETS)

    def judged(self, now: datetime) -> datetime | None:
        taken = all(self._budgets.has_room(*one, now) for one in self.counted)
        for one in self.counted:
            self._budgets.take(*one, now)
        left = self._budgets.nearest(self.counted, now)
        self.quota = Quota(left.limit, left.remaining, left.reset)
        self.throttled += not taken
        return None if taken else left.reset


Lane = tuple[Network, Timetable, Callable[[Callable[[datetime], int]], Pace]]


class World:
    """Lanes on a queue of their own. Every lane has all of `threads` waiting. Only errors are logged."""

    def __init__(self, lanes: Sequence[Lane], threads: Sequence[Thread]) -> None:
        logs.configure("error", "json")
        self.lanes = lanes
        self.loop = FastLoop()
        self.database = fresh_database()
        self.database.changes.see_channels(
            [ChannelSeen(one.name, one.kind, one.target, "as simulated") for one, _, _ in lanes], now=BEGIN
        )
        deliveries = tuple(NewDelivery(one.name, DeliveryState.QUEUED, BEGIN) for one, _, _ in lanes)
        new = [NewThread(each, "simulated", deliveries) for each in threads]
        self.database.threads.add(new, now=BEGIN, actor="simulation")

    def run(self, span: timedelta) -> datetime:
        """Let so much time pass; return when every lane had looked at the queue for the first time."""
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            return runner.run(self._run(span / SECOND))

    async def _run(self, seconds: float) -> datetime:
        stop, claiming = Stop(), asyncio.Semaphore(CLAIMS)
        publishers = [
            (
                Publisher(
                    self.database,
                    cast(Channel, channel),
                    worker="simulation",
                    clock=self.loop.now,
                    stop=stop,
                    pace=pace(partial(self.database.reading.sent_since, channel.name)),
                    claiming=claiming,
                ),
                timetable,
            )
            for channel, timetable, pace in self.lanes
        ]
        timers = cast(AsyncIOScheduler, Timers(self.loop))
        scheduler = Scheduler(publishers, clock=self.loop.now, stop=stop, timers=timers)
        self.loop.start()
        end = self.loop.time() + seconds
        scheduler.wake()
        await asyncio.sleep(0)
        async with claiming:  # the turn behind all of theirs
            looked = self.loop.now()
        await asyncio.sleep(end - self.loop.time())
        stop.ask()
        await scheduler.drain()
        return looked
