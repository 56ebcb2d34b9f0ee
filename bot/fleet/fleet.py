"""A service as one of several on a queue: its clock, its name among the others, the jobs that it takes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress

from threadcast.bot.fleet.clock import DatabaseClock
from threadcast.bot.fleet.jobs import Jobs
from threadcast.bot.fleet.machine import ThisMachine, Told
from threadcast.config.logs import get_logger
from threadcast.queue.store.database import Database

log = get_logger("threadcast.fleet")

LEAVE = 2.0  # seconds to say that it goes
PAUSE = 1.0  # seconds until a part that broke begins anew


class Fleet:
    """What a service shares with others on PostgreSQL. It blocks while it is made, and raises StoreError."""

    def __init__(self, url: str, database: Database) -> None:
        self.clock = DatabaseClock(database).measure()
        self.machine = ThisMachine(database, self.clock)
        self.jobs = Jobs(url, database.machines.waiting, self.clock)

    def hint(self, channels: Collection[str]) -> bool:
        """What was asked of this service itself changed these channels; there is somebody who looks."""
        self.jobs.dispatch(channels)
        return True

    @asynccontextmanager
    async def joined(self, told: Told, publish: Callable[[str], bool]) -> AsyncIterator[None]:
        """Be one of the machines while this is open; at its end what waited here is the others'.

        `publish`: see `Jobs.run`. Raises StoreError.
        """
        await self.machine.join()
        parts = [
            asyncio.create_task(_restarted("beat", lambda: self.machine.run(told))),
            asyncio.create_task(_restarted("jobs", lambda: self.jobs.run(publish))),
        ]
        try:
            yield
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)
            with suppress(TimeoutError):  # where the database does not answer, it is missed
                async with asyncio.timeout(LEAVE):
                    await self.jobs.finish()
                    await self.machine.leave()


async def _restarted(name: str, part: Callable[[], Awaitable[None]]) -> None:
    while (task := asyncio.current_task()) is not None and not task.cancelling():
        try:
            await part()
        except Exception:
            # A part's edge: whatever broke, the service goes on, and so does it after a moment.
            log.exception("a part of the fleet broke, and begins anew", part=name)
        await asyncio.sleep(PAUSE)
