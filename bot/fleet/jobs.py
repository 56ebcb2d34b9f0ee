"""Where a channel is published, on a server: by a job that any machine takes.

The library's job is a hint: look at this channel. It is done when a machine has begun to look. What is lost
with a machine is found by the others when they miss it; what comes twice finds the claim taken.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from procrastinate import App, PsycopgConnector, SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, Status

from threadcast.bot.channels.port import Clock
from threadcast.config.logs import get_logger
from threadcast.queue.errors import StoreError
from threadcast.queue.store.engine import LONGEST_PAUSE
from threadcast.queue.store.fleet.jobs import SCHEMA, conninfo

log = get_logger("threadcast.fleet")

TASK = "publish"
QUEUE = "threadcast"
AT_ONCE = 1000  # jobs that are put to the queue in one statement, or taken at a time
PAUSE = 0.5  # seconds until another try where the database does not answer
PATIENCE = 5.0  # seconds to wait for a connection
SWEEP = "*/30 * * * *"  # for hints that nobody could give: every half hour
HAND_ON = timedelta(seconds=2)  # until another machine is asked about a channel that this one does not know
# How often somebody is asked. Which machine answers is chance: where one of three knows a channel, ten times
# were in vain for one hint in sixty, which then waited for the sweep.
TRIES = 40

Waiting = Callable[[], Sequence[str]]


class Jobs:
    """Puts hints to the queue of jobs, and takes those of all machines.

    `waiting` gives the channels on which there is something to publish; it may block.
    """

    def __init__(self, url: str, waiting: Waiting, clock: Clock) -> None:
        self._waiting = waiting
        self._clock = clock
        self._publish: Callable[[str], bool] = lambda _: False
        self._app = App(connector=PsycopgConnector(conninfo=conninfo(url), **_pool(_prepare)))
        self._app.task(name=TASK, queue=QUEUE)(self._take)
        # One of the machines, each time.
        self._app.periodic(cron=SWEEP)(self._app.task(name="sweep", queue=QUEUE)(self._sweep))
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wanted: set[str] = set()
        self._all = False
        self._asked = asyncio.Event()

    def dispatch(self, channels: Collection[str] | None = None) -> None:
        """Have these channels looked at, on whatever machine; None: all on which something waits.

        Never blocks; from any thread.
        """
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._want, channels)

    async def run(self, publish: Callable[[str], bool]) -> None:
        """Take jobs, and put those to the queue that are asked for, until it is cancelled.

        `publish` begins to look at a channel; False where there is none of that name here.
        """
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._asked.set()  # what was asked for before, or when it broke
        async with self._app.open_async(), asyncio.TaskGroup() as group:
            group.create_task(self._put())
            group.create_task(self._work())

    async def finish(self) -> None:
        """Leave what waits to the others."""
        self._all = True
        with suppress(ConnectorException, StoreError):
            async with self._app.open_async():
                await self._put_all()

    def _want(self, channels: Collection[str] | None) -> None:
        self._all = self._all or channels is None
        self._wanted.update(channels or ())
        self._asked.set()

    async def _put(self) -> None:
        while not _is_cancelled():
            await self._asked.wait()
            self._asked.clear()
            try:
                await self._put_all()
            except (ConnectorException, StoreError):
                self._asked.set()
                await asyncio.sleep(PAUSE)

    async def _put_all(self) -> None:
        if self._all:
            self._wanted.update(await asyncio.to_thread(self._waiting))
            self._all = False
        while self._wanted:
            some = sorted(self._wanted)[:AT_ONCE]
            await self._defer([_job(one) for one in some])
            self._wanted.difference_update(some)

    async def _defer(self, jobs: Sequence[Job]) -> None:
        try:
            await self._app.job_manager.batch_defer_jobs_async(list(jobs))
        except AlreadyEnqueued:
            for half in _halves(jobs):
                await self._defer(half)

    async def _work(self) -> None:
        while not _is_cancelled():  # the library may answer to that with what else went wrong
            with suppress(ConnectorException):
                await self._app.run_worker_async(
                    queues=[QUEUE], concurrency=AT_ONCE, delete_jobs="always", install_signal_handlers=False
                )
            await asyncio.sleep(PAUSE)

    async def _sweep(self, timestamp: int) -> None:  # noqa: ARG002  # as the library calls it
        self._want(None)
        for job in await self._app.job_manager.get_stalled_jobs():  # of machines that are gone
            await self._app.job_manager.finish_job(job, status=Status.FAILED, delete_job=True)

    async def _take(self, channel: str, tries: int = 0) -> None:
        if self._publish(channel):
            return
        if tries < TRIES:
            await self._defer([_job(channel, tries=tries + 1, at=self._clock() + HAND_ON)])
        else:
            log.warning("no machine knows this channel: have them all use the same settings", channel=channel)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def put_hints(url: str, channels: Collection[str]) -> None:
    """Have machines look at these channels, from a process that is none.

    The change is made: where no hint can be given, they find it when they next look.
    """
    app = App(connector=SyncPsycopgConnector(conninfo=conninfo(url), **_pool(_prepare_sync)))
    with suppress(ConnectorException), app.open():
        _defer_sync(app, [_job(one) for one in sorted(channels)])


def _defer_sync(app: App, jobs: Sequence[Job]) -> None:
    try:
        app.job_manager.batch_defer_jobs(list(jobs))
    except AlreadyEnqueued:
        for half in _halves(jobs):
            _defer_sync(app, half)


def _halves(jobs: Sequence[Job]) -> tuple[Sequence[Job], ...]:
    """What to put to the queue in place of jobs of which one is there already."""
    middle = len(jobs) // 2
    return (jobs[:middle], jobs[middle:]) if middle else ()


def _job(channel: str, *, tries: int = 0, at: datetime | None = None) -> Job:
    return Job(
        queue=QUEUE,
        lock=None,
        queueing_lock=channel if at is None else None,  # one waits for each channel
        task_name=TASK,
        task_kwargs={"channel": channel, "tries": tries},
        scheduled_at=at,
    )


def _pool(configure: Callable[[Any], object]) -> dict[str, Any]:
    return {
        "min_size": 1,
        "max_size": 4,
        "timeout": PATIENCE,
        "reconnect_timeout": PATIENCE,
        "configure": configure,
    }


# A machine that is frozen in the middle of giving a hint would keep the others from giving the same.
_SESSION = f"SET search_path TO {SCHEMA}; SET idle_in_transaction_session_timeout = {LONGEST_PAUSE}"


async def _prepare(connection: Any) -> None:
    await connection.execute(_SESSION)
    await connection.commit()


def _prepare_sync(connection: Any) -> None:
    connection.execute(_SESSION)
    connection.commit()
