"""When each channel's publisher runs: at once when something is due, else at the next due time.

One lane a channel, so that a slow or broken one delays no other. Due times live in the queue;
APScheduler holds one timer a lane and nothing of ours.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from threadcast.bot.channels.port import Clock
from threadcast.bot.publisher import Publisher, Stop
from threadcast.queue.store import Store, StoreError

log = structlog.get_logger("threadcast.scheduler")

# A look that no wake-up asked for: after a clock step, or a knock that never came (another machine).
AT_LEAST_EVERY = timedelta(minutes=5)
# After the queue itself could not be used.
PAUSE = timedelta(seconds=5)


class Lane:
    """One channel's turn-taking: never two publishers of a channel at once in this service."""

    def __init__(self, name: str, publisher: Publisher) -> None:
        self.name = name
        self.publisher = publisher
        self.again = False
        self.task: asyncio.Task[None] | None = None


class Scheduler:
    """Runs the publishers. Lives on one event loop; every method is called there."""

    def __init__(
        self,
        store: Store,
        publishers: Mapping[str, Publisher],
        *,
        clock: Clock,
        stop: Stop,
        pause: timedelta = PAUSE,
    ) -> None:
        self._store = store
        self._clock = clock
        self._stop = stop
        self._pause = pause
        self._lanes = {name: Lane(name, publisher) for name, publisher in publishers.items()}
        self._timers = AsyncIOScheduler(timezone="UTC")

    def start(self) -> None:
        """Look for work at once on every channel, and from now on whenever some is due."""
        self._timers.start()
        self.wake()

    def wake(self) -> None:
        """Something may have changed: look again on every channel. Cheap, and safe to call often."""
        if self._stop.asked.is_set():
            return
        for lane in self._lanes.values():
            self._run(lane)

    async def drain(self) -> None:
        """After `stop.asked`: no more timers; wait until every lane has let go of what it holds."""
        self._timers.shutdown(wait=False)
        working = [lane.task for lane in self._lanes.values() if lane.task is not None]
        await asyncio.gather(*working)

    async def _ring(self, lane: Lane) -> None:
        # A coroutine, or APScheduler would call it in a thread of its own.
        self._run(lane)

    def _run(self, lane: Lane) -> None:
        if lane.task is not None and not lane.task.done():
            lane.again = True  # it may have looked just before the change
            return
        lane.task = asyncio.create_task(self._work(lane), name=f"lane {lane.name}")

    async def _work(self, lane: Lane) -> None:
        try:
            due = await self._publish_all(lane)
        except StoreError as error:
            log.error("the queue cannot be used", channel=lane.name, reason=str(error))  # noqa: TRY400
            due = self._clock() + self._pause
        except Exception:
            # The lane's edge: whatever broke, this channel tries again and the others go on.
            log.exception("the lane broke", channel=lane.name)
            due = self._clock() + self._pause
        if not self._stop.asked.is_set():
            self._set_timer(lane, due)

    async def _publish_all(self, lane: Lane) -> datetime | None:
        while not self._stop.asked.is_set():
            lane.again = False
            if await lane.publisher.publish() is not None:
                continue
            due = await asyncio.to_thread(self._store.next_due, lane.name, now=self._clock())
            if not lane.again and (due is None or due > self._clock()):
                return due
        return None

    def _set_timer(self, lane: Lane, due: datetime | None) -> None:
        latest = self._clock() + AT_LEAST_EVERY
        self._timers.add_job(
            self._ring,
            DateTrigger(min(due, latest) if due else latest),
            args=[lane],
            id=lane.name,
            replace_existing=True,
            misfire_grace_time=None,  # the default drops a job that is a second late
        )
