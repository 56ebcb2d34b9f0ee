"""What a service does now and then beside publishing: files that nobody needs, what readers did."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.data_folder import remove_unneeded
from threadcast.bot.readers.lookup import EVERY, ReaderLookup
from threadcast.config.settings import Settings
from threadcast.queue.store.database import Database

SWEEP: Final = timedelta(hours=6)
LEADS: Final = "readers"  # what one of the machines that share a queue does for all


def keep_up(
    timers: AsyncIOScheduler,
    settings: Settings,
    database: Database,
    channels: Sequence[Channel],
    clock: Clock,
    *,
    machine: str,
) -> None:
    """Give the scheduler what is to be done; `channels` are those in use, whenever it is.

    The sweep is every machine's own; `machine` asks the networks where no other one does.
    """
    leads = (lambda: True) if database.is_file else partial(database.machines.lead, LEADS, machine)
    at_once = datetime.now(UTC)
    needs = [settings, database, clock]
    timers.add_job(remove_unneeded, "interval", needs, seconds=SWEEP.total_seconds(), next_run_time=at_once)
    lookup = ReaderLookup(database, channels, clock, leads)
    timers.add_job(lookup.run, "interval", seconds=EVERY.total_seconds())
