"""Writes the page of the local timelines after they have changed: once for all channels of a folder."""

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import tzinfo
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

from threadcast.bot.channels.local.page import render
from threadcast.bot.channels.local.timeline import Timeline, newest, read_newest
from threadcast.bot.durable import write_whole
from threadcast.config.logs import get_logger

log = get_logger(__name__)

PAGE = "timeline.html"
CHAINS_SHOWN = 200  # a timeline
SHORTEST_PAUSE = 1.0  # seconds between two pages: nobody reloads sooner
SHARE = 0.1  # of the time may go into pages, where there is much to show

_writers: "WeakValueDictionary[Path, PageWriter]" = WeakValueDictionary()


class PageWriter:
    """Writes a page in the background: soon after the first change, and then at most once a second.

    `write` may raise OSError: posts do not depend on the page, so that is logged, and tried again after
    the next change.
    """

    def __init__(self, write: Callable[[], None]) -> None:
        self._write = write
        self._stale = False
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._earliest = 0.0  # by the loop's clock

    def changed(self) -> None:
        """Have the page written: the timelines have changed."""
        self._stale = True
        if self._task is None or self._task.done():
            self._hurry = asyncio.Event()
            self._task = asyncio.create_task(self._write_changes())

    async def close(self) -> None:
        """Write now what has changed. Another channel of the folder may go on."""
        if self._task is not None:
            self._hurry.set()
            await self._task

    async def _write_changes(self) -> None:
        loop = asyncio.get_running_loop()
        while self._stale:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._earliest - loop.time())
            self._stale, begun = False, loop.time()
            try:
                await asyncio.to_thread(self._write)
            except OSError as error:
                log.warning("the page was not written", reason=error.strerror or "the system says no more")
            self._earliest = begun + max(SHORTEST_PAUSE, (loop.time() - begun) / SHARE)


def page_writer(folder: Path, zone: tzinfo | None = None) -> PageWriter:
    """Return the writer of a folder's page, which all channels of the folder share.

    Times are those of `zone`, or of this machine's.
    """
    writer = _writers.get(folder)
    if writer is None:
        writer = _writers[folder] = PageWriter(partial(write_page, folder, zone))
    return writer


def write_page(folder: Path, zone: tzinfo | None = None) -> None:
    """Show every timeline of the folder on its page, the newest chains of each. Raises OSError.

    One process at a time writes: the page never goes back to an older state.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        found = (read_newest(path) for path in sorted(folder.glob("*.jsonl")) if path.is_file())
        page = render([in_zone(newest(timeline, CHAINS_SHOWN), zone) for timeline in found if timeline])
        write_whole(folder / PAGE, page.encode())
    finally:
        os.close(descriptor)


def in_zone(timeline: Timeline, zone: tzinfo | None) -> Timeline:
    """Return the timeline with its times in a zone, or in that of this machine."""
    return replace(timeline, entries=tuple(replace(e, at=e.at.astimezone(zone)) for e in timeline.entries))
