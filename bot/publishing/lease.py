"""How long work may go on: as long as its lease is renewed, and for a moment after a stop was asked for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from threadcast.bot.channels.port import Clock
from threadcast.config.logs import get_logger
from threadcast.queue.errors import LeaseLostError, StoreError
from threadcast.queue.model import Claim
from threadcast.queue.store.database import Database

log = get_logger("threadcast.lease")

# Of the ten seconds that a supervisor gives a stopping service, what the call in hand may take.
GRACE = 8.0


class Stop:
    """A request to stop: once `asked`, nothing new is begun, and a call in hand has `grace` seconds left."""

    def __init__(self, grace: float = GRACE) -> None:
        self.asked = asyncio.Event()
        self._grace = grace
        self._end: float | None = None  # by the loop's clock
        self._limits: set[asyncio.Timeout] = set()

    def ask(self) -> None:
        """Ask to stop; the first time counts."""
        if self.asked.is_set():
            return
        self.asked.set()
        self._end = asyncio.get_running_loop().time() + self._grace
        for limit in self._limits:
            limit.reschedule(self._end)

    async def wait(self, seconds: float, other: asyncio.Event) -> bool:
        """Wait so long, or until a stop is asked for or the other event comes; whether one of them did."""
        waiting = [asyncio.create_task(one.wait()) for one in (self.asked, other)]
        try:
            done, _ = await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return bool(done)
        finally:
            for one in waiting:
                one.cancel()

    @asynccontextmanager
    async def limit(self) -> AsyncIterator[None]:
        """Raise TimeoutError where what is done in here goes on after the grace of a stop has ended."""
        async with asyncio.timeout_at(self._end) as limit:
            self._limits.add(limit)
            try:
                yield
            finally:
                self._limits.discard(limit)


@asynccontextmanager
async def renewed(database: Database, claim: Claim, *, clock: Clock, lease: timedelta) -> AsyncIterator[None]:
    """Renew the claim's lease while this is open, three times in the time it lasts.

    A lease that was lost stays lost: whoever works under it learns so at the next write, before
    anything more is sent.
    """
    renewing = asyncio.create_task(_renew(database, claim, clock=clock, lease=lease), name="lease")
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing


async def let_go(database: Database, dropped: Claim | None, clock: Clock) -> None:
    """Let go of a claim whose work broke off because a server's queue could not be used. Raises StoreError.

    Others would wait until its lease has ended: this worker lives, and nobody misses it.
    """
    if dropped is not None and not database.is_file:
        with suppress(LeaseLostError):
            await asyncio.to_thread(database.work.let_go, dropped, now=clock())


async def _renew(database: Database, claim: Claim, *, clock: Clock, lease: timedelta) -> None:
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        try:
            await asyncio.to_thread(database.work.renew, claim, until=clock() + lease)
        except LeaseLostError:
            return
        except StoreError as error:
            log.warning("the lease was not renewed", channel=claim.delivery.channel, reason=str(error))
