"""When each channel's publisher runs: at once when something may start, else at the time when it may.

One lane a channel, so that a slow or broken one delays no other. Due times live in the queue;
APScheduler holds one timer a lane and nothing of ours.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from threadcast.bot.channels.port import Clock
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.model import GoneError, Opening, StoreError, Waiting, credible
from threadcast.queue.store.database import Database

log = structlog.get_logger("threadcast.scheduler")

# After the queue itself could not be used.
PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a channel says: what may be claimed now, or (None) when to look again.

    Both None: nothing waits that time alone will start.
    """

    opening: Opening | None
    again: datetime | None


def look(waiting: Waiting, timetable: Timetable, now: datetime) -> Look:
    """Whether something may start or go on now, by the queue and the channel's timetable."""
    if waiting.paused:
        return Look(None, None)
    if waiting.under_way is not None:
        ready = waiting.under_way <= now
        return Look(Opening(turn=False), None) if ready else Look(None, waiting.under_way)
    start = None
    if waiting.in_turn is not None:
        last_slot = credible(waiting.last_slot, now)
        start = timetable.start_at(last_slot=last_slot, queued_at=waiting.in_turn, now=now)
    turn = start is not None and start.at <= now
    if turn or (waiting.own_time is not None and waiting.own_time <= now):
        slot = start.slot.utc if turn and start is not None and start.slot is not None else None
        return Look(Opening(turn=turn, slot=slot), None)
    times = [] if waiting.own_time is None else [waiting.own_time]
    times += [] if start is None else [start.at]
    return Look(None, min(times, default=None))


class Lane:
    """One channel's turn-taking: never two publishers of a channel at once in this service."""

    def __init__(self, publisher: Publisher, timetable: Timetable) -> None:
        self.name = publisher.channel.name
        self.publisher = publisher
        self.timetable = timetable
        self.again = False
        self.task: asyncio.Task[None] | None = None


class Scheduler:
    """Runs the publishers, each by the service's `timers`. Every method is called on one event loop."""

    def __init__(
        self,
        database: Database,
        publishers: Iterable[tuple[Publisher, Timetable]],
        *,
        clock: Clock,
        stop: Stop,
        timers: AsyncIOScheduler,
        pause: timedelta = PAUSE,
    ) -> None:
        self._database = database
        self._clock = clock
        self._stop = stop
        self._pause = pause
        self._lanes = [Lane(publisher, timetable) for publisher, timetable in publishers]
        self._timers = timers

    def wake(self) -> None:
        """Look for work on every channel, now and from then on whenever some is due. Cheap."""
        if self._stop.asked.is_set():
            return
        for lane in self._lanes:
            self._run(lane)

    async def drain(self) -> None:
        """After a stop was asked for, wait until every lane has let go of what it holds.

        Raise GoneError where the queue was taken away.
        """
        working = [lane.task for lane in self._lanes if lane.task is not None]
        for ended in await asyncio.gather(*working, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    async def _ring(self, lane: Lane) -> None:
        # A coroutine, or APScheduler would call it in a thread of its own.
        self._run(lane)

    def _run(self, lane: Lane) -> None:
        if lane.task is not None and not lane.task.done():
            lane.again = True  # it may have looked just before the change
            lane.publisher.look_again()
            return
        lane.task = asyncio.create_task(self._work(lane), name=f"lane {lane.name}")

    async def _work(self, lane: Lane) -> None:
        try:
            due = await self._publish_all(lane)
        except GoneError:
            self._stop.ask()  # no lane has anything to go on with
            raise
        except StoreError as error:
            log.error("the queue cannot be used", channel=lane.name, reason=str(error))  # noqa: TRY400
            due = self._clock() + self._pause
        except Exception:
            # The lane's edge: whatever broke, this channel tries again and the others go on.
            log.exception("the lane broke", channel=lane.name)
            due = self._clock() + self._pause
        if due is not None and not self._stop.asked.is_set():
            self._set_timer(lane, due)

    async def _publish_all(self, lane: Lane) -> datetime | None:
        """Publish whatever may start; gives when to look again."""
        while not self._stop.asked.is_set():
            lane.again = False
            waiting = await asyncio.to_thread(self._database.work.waiting, lane.name)
            seen = look(waiting, lane.timetable, self._clock())
            if seen.opening is None:
                if not lane.again:
                    return seen.again
            elif await lane.publisher.publish(seen.opening) is None and not lane.again:
                return self._clock() + self._pause  # another service was quicker
        return None

    def _set_timer(self, lane: Lane, due: datetime) -> None:
        after = due - self._clock()  # by our clock, which need not be the timers' own
        self._timers.add_job(
            self._ring,
            DateTrigger(datetime.now(UTC) + after),
            args=[lane],
            id=lane.name,
            replace_existing=True,
        )
