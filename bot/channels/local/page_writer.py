"""Writes the page of the local timelines after they have changed: once for all channels of a folder."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from weakref import WeakValueDictionary

import structlog

from threadcast.bot.channels.local.page import render
from threadcast.bot.channels.local.timeline import Timeline, newest, read_newest

log = structlog.get_logger(__name__)

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
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._earliest = 0.0  # by the loop's clock

    def changed(self) -> None:
        """Have the page written: the timelines have changed."""
        self._stale = True
        self._schedule()

    async def close(self) -> None:
        """Write now what has changed. Another channel of the folder may go on."""
        for _ in range(2):  # a page that is being written may lack the last change
            if self._stale or self._is_writing():
                self._start()
            if self._task is not None:
                await self._task

    def _is_writing(self) -> bool:
        return self._task is not None and not self._task.done()

    def _schedule(self) -> None:
        if self._stale and self._timer is None and not self._is_writing():
            self._timer = asyncio.get_running_loop().call_at(self._earliest, self._start)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._is_writing():
            self._task = asyncio.create_task(self._write_changes())
            self._task.add_done_callback(lambda _: self._schedule())

    async def _write_changes(self) -> None:
        self._stale = False
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            await asyncio.to_thread(self._write)
        except OSError as error:
            log.warning("the page was not written", reason=error.strerror or "the system says no more")
        took = loop.time() - begun
        self._earliest = begun + max(SHORTEST_PAUSE, took / SHARE)


def page_writer(folder: Path) -> PageWriter:
    """Return the writer of a folder's page, which all channels of the folder share."""
    writer = _writers.get(folder)
    if writer is None:
        writer = _writers[folder] = PageWriter(partial(write_page, folder))
    return writer


def write_page(folder: Path) -> None:
    """Show every timeline of the folder on its page, the newest chains of each. Raises OSError.

    One process at a time writes: the page never goes back to an older state.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        found = (read_newest(path) for path in sorted(folder.glob("*.jsonl")) if path.is_file())
        page = render([in_local_time(newest(timeline, CHAINS_SHOWN)) for timeline in found if timeline])
        replace_file(folder / PAGE, page.encode())
    finally:
        os.close(descriptor)


def in_local_time(timeline: Timeline) -> Timeline:
    """Return the timeline with its times in the zone of this machine, where the page will be read."""
    return replace(timeline, entries=tuple(replace(e, at=e.at.astimezone()) for e in timeline.entries))


def replace_file(path: Path, content: bytes) -> None:
    """Put a file in place whole, readable by its owner only. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
