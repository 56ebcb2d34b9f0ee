"""Tells open pages that something changed, by server-sent events: what it is, they ask for themselves.

What pages of one kind then ask for is made once: see `shared` in `rendering`.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import suppress
from math import inf
from threading import Lock
from time import monotonic
from typing import Final

ALIVE_EVERY: Final = 20.0  # seconds, so that a proxy does not take a quiet connection for a dead one
AT_MOST: Final = 0.5  # seconds between two changes that a page is told
# Seconds between two changes: what pages are shown is made anew once for all that happened within, or for
# each post twice.
TOGETHER: Final = 1.0
# Seconds between two pages that are told: each asks for its view then, in the process that publishes. A
# hundred of them see a change within half a minute, and take less than 5 % of a core so; one sees it
# at once.
APART: Final = 0.3


class Live:
    """Every method is called on the service's loop."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._ended = asyncio.Event()
        self._free = 0.0  # when the next page may be told, by the loop's clock
        self._changed = -inf  # when pages were told last that something changed
        self._more: asyncio.TimerHandle | None = None  # something changed since then
        self.made: dict[Hashable, bytes] = {}  # the views since the last change, by what tells them apart
        self.making = Lock()

    def touch(self) -> None:
        """Tell every open page, one after the other. Cheap: one that has not been told yet is told once."""
        wait = self._changed + TOGETHER - monotonic()
        if wait <= 0:
            self._tell()
        elif self._more is None:
            self._more = asyncio.get_running_loop().call_later(wait, self._tell)

    def _tell(self) -> None:
        if self._more is not None:
            self._more.cancel()
        self._more, self._changed, self.made = None, monotonic(), {}
        for one in self._listeners:
            one.set()

    def end(self) -> None:
        """End the streams: the service stops."""
        self._ended.set()
        self._tell()

    async def stream(self) -> AsyncIterator[str]:
        """Give the lines of one page's stream until it is closed."""
        changed = asyncio.Event()
        self._listeners.add(changed)
        try:
            yield "retry: 2000\n\n"
            while not self._ended.is_set():
                told = ": alive\n\n"
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), ALIVE_EVERY)
                    await self._turn()
                    changed.clear()
                    told = "event: changed\ndata:\n\n"
                yield told
                await asyncio.sleep(AT_MOST)
        finally:
            self._listeners.discard(changed)

    async def _turn(self) -> None:
        """Wait until the pages that were before this one have been told, or the service stops."""
        now = asyncio.get_running_loop().time()
        mine = max(now, self._free)
        self._free = mine + APART
        if mine > now:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), mine - now)
