"""When each channel's publisher runs: at once when something may start, else at the time when it may.

One lane a channel, so that a slow or broken one delays no other. Due times live in the queue;
APScheduler holds one timer a lane and nothing of ours. Where the publisher runs is the dispatcher's.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from threadcast.bot.channels.port import Clock
from threadcast.bot.publishing.dispatch import Dispatcher, Here
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.config.logs import get_logger
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.errors import GoneError, StoreError
from threadcast.queue.model import Delivery, Timing, Turn
from threadcast.queue.states import DeliveryState

log = get_logger("threadcast.scheduler")

# After the queue itself could not be used.
PAUSE = timedelta(seconds=5)


def timing(timetable: Timetable) -> Timing:
    """Return the timetable's answers as the queue asks for them."""

    def when(last_slot: datetime | None, queued: datetime, now: datetime) -> Turn:
        start = timetable.start_at(last_slot=last_slot, queued_at=queued, now=now)
        return Turn(start.at, start.slot.utc if start.slot is not None else None)

    return when


class Lane:
    """One channel's turn-taking: never two publishers of a channel at once in this service."""

    def __init__(self, publisher: Publisher, timetable: Timetable) -> None:
        self.name = publisher.channel.name
        self.publisher = publisher
        self.timetable = timetable
        self.again = False
        self.fault = ""
        self.task: asyncio.Task[None] | None = None


def _linking(lanes: Iterable[Lane]) -> dict[str, list[str]]:
    """Return the channels whose chains end with a link to another one, by that one's name."""
    found: dict[str, list[str]] = {}
    for lane in lanes:
        if lane.publisher.channel.also:
            found.setdefault(lane.publisher.channel.also, []).append(lane.name)
    return found


class Scheduler:
    """Runs the publishers, each by the service's `timers`. Every method is called on one event loop.

    `lost` is told of a channel whose delivery another worker took over while it was published here.
    """

    def __init__(
        self,
        publishers: Iterable[tuple[Publisher, Timetable]],
        *,
        clock: Clock,
        stop: Stop,
        timers: AsyncIOScheduler,
        pause: timedelta = PAUSE,
        dispatcher: Dispatcher | None = None,
        lost: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._stop = stop
        self._pause = pause
        lanes = [Lane(publisher, timetable) for publisher, timetable in publishers]
        self._lanes = {lane.name: lane for lane in lanes}
        self._linking = _linking(lanes)
        self._timers = timers
        self._lost = lost
        self._dispatcher = dispatcher or Here(self.run, self._lanes.keys)

    def add(self, publisher: Publisher, timetable: Timetable) -> None:
        """Begin a lane for one more channel."""
        lane = Lane(publisher, timetable)
        self._lanes[lane.name] = lane
        self._linking = _linking(self._lanes.values())
        if not self._stop.asked.is_set():
            self._dispatcher.dispatch([lane.name])

    async def remove(self, name: str) -> None:
        """End the lane of a channel; what it has in hand is finished first."""
        lane = self._lanes.pop(name)
        self._linking = _linking(self._lanes.values())
        if lane.task is not None:
            await asyncio.wait([lane.task])
        with suppress(JobLookupError):
            self._timers.remove_job(name)

    def wake(self) -> None:
        """Have work looked for on every channel, now and from then on whenever some is due. Cheap."""
        if not self._stop.asked.is_set():
            self._dispatcher.dispatch()

    def run(self, name: str) -> bool:
        """Look for work on a channel, here; False where there is none of that name, or nothing is begun."""
        lane = self._lanes.get(name)
        if lane is None or self._stop.asked.is_set():
            return False
        self._run(lane)
        return True

    def look_again(self) -> None:
        """Something changed in the queue: have what is being published here see whether it goes on."""
        for lane in self._lanes.values():
            if lane.task is not None and not lane.task.done():
                lane.publisher.look_again()

    async def drain(self) -> None:
        """After a stop was asked for, wait until every lane has let go of what it holds.

        Raise GoneError where the queue was taken away.
        """
        working = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for ended in await asyncio.gather(*working, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended

    @property
    def broken(self) -> dict[str, str]:
        """Return the channels whose lane broke when it was run last, each with why."""
        return {lane.name: lane.fault for lane in self._lanes.values() if lane.fault}

    async def _ring(self, lane: Lane) -> None:
        # A coroutine, or APScheduler would call it in a thread of its own.
        self._dispatcher.dispatch([lane.name])

    def _run(self, lane: Lane) -> None:
        if lane.task is not None and not lane.task.done():
            lane.again = True  # it may have looked just before the change
            lane.publisher.look_again()
            return
        lane.task = asyncio.create_task(self._work(lane), name=f"lane {lane.name}")

    async def _work(self, lane: Lane) -> None:
        try:
            due = await self._publish_all(lane)
            lane.fault = ""
        except GoneError:
            self._stop.ask()  # no lane has anything to go on with
            raise
        except StoreError as error:
            log.error("the queue cannot be used", channel=lane.name, reason=str(error))  # noqa: TRY400
            lane.fault = str(error)
            due = self._clock() + self._pause
        except Exception:
            # The lane's edge: whatever broke, this channel tries again and the others go on.
            log.exception("the lane broke", channel=lane.name)
            lane.fault = "broke; the log says why"
            due = self._clock() + self._pause
        if due is not None and not self._stop.asked.is_set():
            self._set_timer(lane, due)

    async def _publish_all(self, lane: Lane) -> datetime | None:
        """Publish whatever may start; gives when to look again."""
        while not self._stop.asked.is_set() and self._lanes.get(lane.name) is lane:
            lane.again = False
            came = await lane.publisher.publish(timing(lane.timetable))
            if isinstance(came, Delivery) and came.lease_owner is not None:  # it did not let go of it itself
                self._lost(lane.name)
            if isinstance(came, Delivery) and came.state is DeliveryState.PUBLISHED:
                self._dispatcher.dispatch(self._linking.get(lane.name, []))
            elif not isinstance(came, Delivery) and not lane.again:
                return came
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
