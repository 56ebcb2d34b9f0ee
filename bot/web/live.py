"""Tells open pages that something changed, by server-sent events: what it is, they ask for themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Final

ALIVE_EVERY: Final = 20.0  # seconds, so that a proxy does not take a quiet connection for a dead one
AT_MOST: Final = 0.5  # seconds between two changes that are told


class Live:
    """Every method is called on the service's loop."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Event] = set()
        self._ended = False

    def touch(self) -> None:
        """Tell every open page. Cheap: a page that was told already and has not asked is told once."""
        for one in self._listeners:
            one.set()

    def end(self) -> None:
        """End the streams: the service stops."""
        self._ended = True
        self.touch()

    async def stream(self) -> AsyncIterator[str]:
        """Give the lines of one page's stream until it is closed."""
        changed = asyncio.Event()
        self._listeners.add(changed)
        try:
            yield "retry: 2000\n\n"
            while not self._ended:
                told = ": alive\n\n"
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), ALIVE_EVERY)
                    told = "event: changed\ndata:\n\n"
                changed.clear()
                yield told
                await asyncio.sleep(AT_MOST)
        finally:
            self._listeners.discard(changed)
