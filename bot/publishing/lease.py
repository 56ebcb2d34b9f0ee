"""A lease that lives as long as its holder is at work, however long a call takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from threadcast.bot.channels.port import Clock
from threadcast.bot.publishing.alongside import alongside
from threadcast.queue.model import Claim, LeaseLostError, StoreError
from threadcast.queue.store.database import Database

log = structlog.get_logger("threadcast.heartbeat")


@asynccontextmanager
async def beating(database: Database, claim: Claim, *, clock: Clock, lease: timedelta) -> AsyncIterator[None]:
    """While this is open the claim's lease is renewed, three times in the time it lasts.

    A lease that was lost stays lost: whoever works under it learns so at the next write, before
    anything more is sent.
    """
    async with alongside(_beat(database, claim, clock=clock, lease=lease), "heartbeat"):
        yield


async def _beat(database: Database, claim: Claim, *, clock: Clock, lease: timedelta) -> None:
    while True:
        await asyncio.sleep(lease.total_seconds() / 3)
        try:
            await asyncio.to_thread(database.work.renew, claim, until=clock() + lease)
        except LeaseLostError:
            return
        except StoreError as error:
            log.warning("the lease was not renewed", channel=claim.delivery.channel, reason=str(error))
