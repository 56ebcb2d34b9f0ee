"""The intake folder: a text file put there is added once it is whole, then put away with a report.

A file is added first and moved then. A service that dies in between finds the file again; what it
added before is known by its fingerprint, and by the time of the file's last change even where it has
failed or was cancelled meanwhile (`Threads.add`, `since`). So nothing is added twice, and nothing lost.
"""

import asyncio
import os
import stat
import threading
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

import structlog

from threadcast.bot.channels.port import Clock
from threadcast.bot.intake import files as drops
from threadcast.bot.intake import report as reports
from threadcast.bot.intake.watch import Identity, Watcher
from threadcast.bot.plain import plain
from threadcast.bot.requests.input import MAX_INPUT, InputError, understand
from threadcast.bot.requests.requests import Requests
from threadcast.queue.model import StoreError

log = structlog.get_logger("threadcast.intake")

DONE, FAILED = "done", "failed"
SETTLE = 2.0  # seconds without a change, after which a file counts as whole
BUSY = 30.0  # seconds until a file with a writer is looked at again, if its end is not heard
RETRY = 30.0  # seconds until another try where the folder, a move or the queue failed
AT_LEAST_EVERY = 300.0  # seconds; some file systems tell nothing (NFS), and a folder may be swapped
BURST = 0.25  # seconds in which many files that come at once are heard as one


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file came to: the folder it belongs into now, and the report."""

    where: str
    report: str


@dataclass(slots=True)
class Seen:
    """What we know of a file in the folder. `again`: not to be looked at before."""

    stamp: drops.Stamp
    again: float
    verdict: Verdict | None = None  # it is dealt with, and could not be moved
    trouble: str = ""  # why not, as it was last logged


@dataclass(frozen=True, slots=True)
class Room:
    """A folder that files are taken from: the intake folder itself, or a channel's own."""

    handle: int
    root: int
    channel: str = ""

    def named(self, name: str) -> str:
        """A file's name with its folder, fit to be shown and stored."""
        fit = os.fsencode(name).decode("utf-8", "replace")
        return plain(f"{self.channel}/{fit}" if self.channel else fit)


class Inbox:
    """Looks into the folder, and deals with what is there. All of it blocks: not for an event loop.

    `requests` gives the requests for an actor; `timer` counts seconds; `watch` is told the folders to watch.
    """

    def __init__(
        self,
        path: Path,
        *,
        channels: Collection[str],
        requests: Callable[[str], Requests],
        zone: ZoneInfo,
        clock: Clock,
        timer: Callable[[], float] = time.monotonic,
        settle: float = SETTLE,
    ) -> None:
        self.path = path
        self._channels = sorted(set(channels) - {DONE, FAILED})
        self._requests = requests
        self._zone = zone
        self._clock = clock
        self._timer = timer
        self._settle = settle
        self._seen: dict[tuple[str, str], Seen] = {}
        self._troubles: dict[str, str] = {}
        for name in sorted(set(channels) & {DONE, FAILED}):
            log.warning("channel has no intake folder of its own: the name is in use", channel=name)

    def look(
        self,
        *,
        watch: Callable[[dict[Path, Identity]], None] = lambda _: None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> float:
        """Deal with every file that is whole; the seconds after which to look again. Never raises OSError."""
        try:
            with ExitStack() as stack:
                rooms = self._open(stack)
                self._well("folder")
                return self._look_into(rooms, watch, stopping)
        except OSError as error:
            self._ill("folder", "the intake folder cannot be used", error)
            return RETRY

    def _open(self, stack: ExitStack) -> list[Room]:
        root = stack.enter_context(drops.folder(self.path))
        rooms = [Room(root, root)]
        for channel in self._channels:
            try:
                handle = stack.enter_context(drops.folder(channel, within=root))
            except OSError as error:
                self._ill(f"room {channel}", "a channel's intake folder cannot be used", error)
            else:
                rooms.append(Room(handle, root, channel))
                self._well(f"room {channel}")
        return rooms

    def _look_into(
        self,
        rooms: list[Room],
        watch: Callable[[dict[Path, Identity]], None],
        stopping: Callable[[], bool],
    ) -> float:
        after = AT_LEAST_EVERY
        try:
            watch({self.path / room.channel: _identity(room.handle) for room in rooms})
        except OSError as error:
            self._ill("watch", "the intake folder cannot be watched, but is looked at now and then", error)
            after = RETRY
        else:
            self._well("watch")
        # Only after the watch has begun: what comes while we look is heard.
        found: set[tuple[str, str]] = set()
        for room in rooms:
            for name in sorted(os.listdir(room.handle)):  # noqa: PTH208 - an open folder has no path
                if stopping():
                    return 0.0
                if drops.unfinished(name) or self._is_ours(room, name):
                    continue
                found.add((room.channel, name))
                after = min(after, self._consider(room, name))
        for gone in self._seen.keys() - found:
            del self._seen[gone]
        return after

    def _is_ours(self, room: Room, name: str) -> bool:
        return not room.channel and (name in {DONE, FAILED} or name in self._channels)

    def _consider(self, room: Room, name: str) -> float:
        """Deal with one file if it is time; the seconds until it is."""
        key = (room.channel, name)
        stamp = drops.stamp(room.handle, name)
        if stamp is None:
            return AT_LEAST_EVERY
        now = self._timer()
        seen = self._seen.get(key)
        if not drops.is_text(name):
            if seen is None:
                self._seen[key] = Seen(stamp, now)
                what = "no channel has this name" if stat.S_ISDIR(stamp.mode) else "not a .txt or .md file"
                log.warning("left where it is", file=room.named(name), reason=what)
            return AT_LEAST_EVERY
        if seen is None or seen.stamp != stamp:
            seen = self._seen[key] = Seen(stamp, now + self._settle)
        if seen.again <= now:
            try:
                seen.again = now + self._deal(room, name, seen)
            except drops.BusyError:
                return BUSY  # or as soon as its end is heard
            except FileNotFoundError:
                return AT_LEAST_EVERY  # somebody took it away: their good right
        return seen.again - now

    def _deal(self, room: Room, name: str, seen: Seen) -> float:
        """Add a file and put it away; the seconds after which to look at it again if it is still there.

        Raises drops.BusyError, FileNotFoundError.
        """
        shown = room.named(name)
        try:
            if seen.verdict is not None:
                return self._move(room, name, seen, seen.verdict)
            try:
                with drops.whole(room.handle, name, seen.stamp, limit=MAX_INPUT + 1) as content:
                    seen.verdict = self._add(room, shown, content)
                    return self._move(room, name, seen, seen.verdict)
            except drops.UnfitError as error:
                seen.verdict = self._refuse(shown, f"{shown} {error}")
                return self._move(room, name, seen, seen.verdict)
        except (drops.BusyError, FileNotFoundError):
            raise
        except StoreError as error:
            self._ill("queue", "the queue cannot be used: the file waits", error, file=shown)
            return RETRY
        except Exception:
            # The file's edge: whatever broke, the other files are dealt with.
            log.exception("the file could not be dealt with", file=shown)
            seen.verdict = self._refuse(shown, f"Threadcast broke on {shown}; its log says where")
            return RETRY

    def _add(self, room: Room, shown: str, content: drops.Content) -> Verdict:
        try:
            intake = understand(shown, content.data)
        except InputError as error:
            return self._refuse(shown, str(error))
        receipts = self._requests(f"intake:{shown}").threads.add(
            [intake], channels=[room.channel] if room.channel else [], since=content.changed
        )
        self._well("queue")
        log.info(
            "taken",
            file=shown,
            threads=[one.added.thread_id for one in receipts if one.added.thread_id is not None],
            known=sum(1 for one in receipts if not one.added.deliveries),
        )
        return Verdict(DONE, reports.taken(shown, receipts, moment=self._clock(), zone=self._zone))

    def _refuse(self, shown: str, reason: str) -> Verdict:
        log.warning("not taken", file=shown, reason=plain(reason))
        return Verdict(FAILED, reports.refused(shown, reason, moment=self._clock(), zone=self._zone))

    def _move(self, room: Room, name: str, seen: Seen, verdict: Verdict) -> float:
        shown = room.named(name)
        try:
            with ExitStack() as stack:
                target = stack.enter_context(drops.folder(verdict.where, within=room.root))
                if room.channel:
                    target = stack.enter_context(drops.folder(room.channel, within=target))
                free = drops.put_away(room.handle, name, target, verdict.report)
        except FileNotFoundError:
            raise
        except OSError as error:
            reason = error.strerror or str(error)
            if seen.trouble != reason:
                seen.trouble = reason
                log.warning(
                    "left where it is", file=shown, reason=f"it cannot be moved to {verdict.where}: {reason}"
                )
            return RETRY
        del self._seen[room.channel, name]  # the same file may come back, and is news then
        moved = PurePath(verdict.where, room.channel, free)
        log.info("put away", file=shown, to=plain(os.fsencode(moved).decode("utf-8", "replace")))
        return AT_LEAST_EVERY

    def _ill(self, what: str, said: str, error: Exception, **more: str) -> None:
        """Log a trouble once, until it is over or another."""
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        if self._troubles.get(what) != reason:
            self._troubles[what] = reason
            log.error(said, folder=str(self.path), reason=reason, **more)

    def _well(self, what: str) -> None:
        if self._troubles.pop(what, None) is not None:
            log.info("mended", what=what, folder=str(self.path))


def _identity(handle: int) -> Identity:
    status = os.fstat(handle)
    return status.st_dev, status.st_ino


class IntakeWatch:
    """Looks into the inbox whenever something may have come. Lives on one event loop."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._heard = asyncio.Event()
        self._stopping = threading.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take what is there already, and from now on what comes."""
        self._task = asyncio.create_task(self._run(), name="intake")

    async def close(self) -> None:
        """Take nothing more; wait for the file in hand."""
        self._stopping.set()
        self._heard.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()

        def heard() -> None:
            loop.call_soon_threadsafe(self._heard.set)

        watcher = Watcher(heard)
        try:
            while not self._stopping.is_set():
                self._heard.clear()
                after = await asyncio.to_thread(self._look, watcher)
                with suppress(TimeoutError):
                    async with asyncio.timeout(after):
                        await self._heard.wait()
                        await asyncio.sleep(0 if self._stopping.is_set() else BURST)
        finally:
            await asyncio.to_thread(watcher.close)

    def _look(self, watcher: Watcher) -> float:
        try:
            return self._inbox.look(watch=watcher.follow, stopping=self._stopping.is_set)
        except Exception:
            # The folder's edge: whatever broke, the service goes on publishing.
            log.exception("the intake broke")
            return RETRY
