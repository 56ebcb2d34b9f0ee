"""This machine among those that share a queue: it is heard of every second or so, and misses others.

Liveness is apart from leases: whoever was not heard of for `MISSED` loses what it holds, whatever its leases
say. Until a little before that a machine knows that nobody has missed it, and sends nothing later.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.metadata import version
from typing import Protocol

from threadcast.bot.channels.port import Standing
from threadcast.bot.fleet.clock import DatabaseClock
from threadcast.config.logs import get_logger
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.model import Beat
from threadcast.queue.store.database import Database
from threadcast.queue.store.engine import place
from threadcast.queue.store.migrate import head

log = get_logger("threadcast.fleet")

BEAT = 1.5  # seconds between two times that it is heard of
MISSED = timedelta(seconds=6)  # of silence, after which another machine takes over
STEP = 1.0  # seconds by which a clock was set if it was set at all
SURE = 4.5  # seconds after it was heard of, in which a machine can count on not being missed


class Part(Protocol):
    """What one machine alone does, from `begin` until it has to `abandon` that to another one."""

    async def begin(self) -> None: ...
    async def abandon(self) -> None: ...


@dataclass(frozen=True)
class Told:
    """What the service is told, on its loop.

    `changed`: something happened in the queue. `look`: nobody may have seen to what waits, for others are
    gone, say. `ended`: it may not go on, and why. `parts`, by their names, begin where no other machine does
    that.
    """

    changed: Callable[[], Awaitable[None]]
    look: Callable[[], None]
    ended: Callable[[StoreError], None]
    parts: Mapping[str, Part] = field(default_factory=dict)


def any_heard_of(database: Database) -> bool:
    """Whether a machine works on this queue. Raises StoreError."""
    machines = database.machines.all()
    return bool(machines) and max(one.heard for one in machines) > database.machines.now() - MISSED


class ThisMachine:
    """A row in the table of machines. Every method is called on one event loop."""

    def __init__(self, database: Database, clock: DatabaseClock) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._place = place(database.transactions.engine.url)
        self._machines = database.machines
        self._clock = clock
        self._life = 0  # a new one begins where it was missed
        self._sure_until = 0.0
        self._steady: float | None = None  # since when every beat has succeeded
        self._newest: int | None = None
        self._leads: set[str] = set()

    def standing(self) -> bool:
        """Whether nobody can have missed this machine."""
        return time.monotonic() < self._sure_until

    def holding(self) -> Standing:
        """Return what tells whether that has been so without a break from now on."""
        life = self._life
        return lambda: self._life == life and self.standing()

    async def join(self) -> None:
        """Be heard of for the first time. Raises StoreError."""
        began = time.monotonic()
        await asyncio.to_thread(self._machines.join, self.name, version("threadcast"))
        self._sure_until = began + SURE
        log.info("joined the machines of this queue", machine=self.name)

    async def run(self, told: Told) -> None:
        """Be heard of until it is cancelled."""
        wall = time.time() - time.monotonic()
        while True:
            began = time.monotonic()
            if abs(time.time() - began - wall) > STEP:
                wall = time.time() - began
                told.look()  # this machine's own clock was set, and with it the timers are wrong
            try:
                await self._heard(await asyncio.to_thread(self._machines.beat, self.name), began, told)
            except StoreError as error:
                if self._steady is not None:
                    log.warning(
                        "this machine is not heard of: the database does not answer", reason=str(error)
                    )
                self._steady = None
            await asyncio.sleep(max(0.0, began + BEAT - time.monotonic()))

    async def leave(self) -> None:
        """Say that it ends its work."""
        self._sure_until = 0.0
        with suppress(StoreError):  # then it is missed
            await asyncio.to_thread(self._machines.leave, self.name)

    async def _heard(self, beat: Beat | None, began: float, told: Told) -> None:
        if beat is None:
            log.warning("this machine was missed: it lets go of all it held, and begins anew")
            self._life += 1
            self._steady, self._sure_until = None, 0.0
            await self._follow(told)
            await self.join()
            told.look()
            return
        if self._steady is None or began - self._steady < 0:
            self._steady = began
        self._clock.set(beat.at, began)
        self._sure_until = began + SURE
        if beat.version > head():
            told.ended(StoreError(Fault.NEWER_TABLES, place=self._place, version=beat.version, head=head()))
            return
        # Where the database was away, the others have had no chance to be heard of either.
        if began - self._steady >= MISSED.total_seconds():
            names, freed = await asyncio.to_thread(self._machines.miss, MISSED)
            for name in names:
                log.warning("a machine is missed, and what it held is free", machine=name)
            if names or freed:
                told.look()
        for name, part in told.parts.items():
            if name not in self._leads and await asyncio.to_thread(self._machines.lead, name, self.name):
                self._leads.add(name)
                await part.begin()
        if beat.newest != self._newest:
            self._newest = beat.newest
            await told.changed()

    async def _follow(self, told: Told) -> None:
        for name in sorted(self._leads):
            self._leads.discard(name)
            await told.parts[name].abandon()
