"""The intake folder: a text file put there is added once it is whole, then put away with a report.

A file is added first and moved then. A service that dies in between finds the file again; what it
added before is known by its fingerprint, and by the time of the file's last change even where it has
failed or was cancelled meanwhile (`Threads.add`, `since`). So nothing is added twice, and nothing lost.
"""

import asyncio
import os
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from zoneinfo import ZoneInfo

from watchfiles import Change, awatch

from threadcast.bot.channels.port import Clock
from threadcast.bot.intake import files
from threadcast.bot.intake.report import added_report, refused_report
from threadcast.bot.media.store import MAX_FILE
from threadcast.bot.plain import plain
from threadcast.bot.requests.errors import InputError, NotNowError, UnknownChannelError
from threadcast.bot.requests.input import MAX_INPUT, understand
from threadcast.bot.requests.requests import Requests
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.documented import nearest
from threadcast.config.logs import get_logger
from threadcast.queue.errors import StoreError

log = get_logger("threadcast.intake")

DONE, FAILED = "done", "failed"
SETTLE = 3.0  # seconds without a change, after which a file counts as whole
RETRY = 30.0  # seconds until another try where the folder, a move or the queue failed
AT_LEAST_EVERY = 300.0  # seconds; some file systems tell of nothing (NFS)
NAMED = 5  # texts of a folder
STEP = 0.5  # seconds; what comes within one is seen together, and a stop waits for its end


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a file came to: the folder it belongs into now, and the report."""

    where: str
    report: str


@dataclass(slots=True)
class Seen:
    """What is known of a file in the folder. `due`: seconds of the timer, before which it is left alone."""

    snapshot: files.Snapshot
    due: float
    verdict: Verdict | None = None  # it is dealt with, and could not be moved
    left: str = ""  # why it is left where it is


@dataclass(frozen=True, slots=True)
class Source:
    """An open folder that files are taken from: the intake folder itself (`root`), or a channel's own."""

    handle: int
    root: int
    channel: str = ""

    def named(self, name: str) -> str:
        """Return a file's name with its folder, fit to be shown and stored."""
        return files.shown(f"{self.channel}/{name}" if self.channel else name)


class IntakeFolder:
    """Takes the files of one folder. `requests` gives the requests of an actor; `timer` counts seconds."""

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
        self.know(channels)
        self._requests = requests
        self._zone = zone
        self._clock = clock
        self._timer = timer
        self._settle = settle
        self._seen: dict[tuple[str, str], Seen] = {}
        self._troubles: dict[str, str] = {}

    def know(self, channels: Collection[str]) -> None:
        """Each of these has a folder of its own from now on."""
        self._channels = sorted(set(channels) - {DONE, FAILED})
        for name in sorted(set(channels) & {DONE, FAILED}):
            log.warning("channel has no intake folder of its own: the name is in use", channel=name)

    async def run(self, stop: asyncio.Event) -> None:
        """Take what is there and then what comes, until `stop` is set and the file in hand is done."""
        while not stop.is_set():
            after = await asyncio.to_thread(self.look, stop.is_set)
            due = self._timer()  # what came before the watch began is not told
            try:
                async for changes in awatch(
                    self.path,
                    watch_filter=None,
                    step=int(STEP * 1000),
                    rust_timeout=int(max(self._settle, STEP) * 1000),
                    yield_on_timeout=True,
                    stop_event=stop,
                ):
                    self._recovered("watch")
                    if changes or due <= self._timer():
                        due = self._timer() + await asyncio.to_thread(self.look, stop.is_set)
                    if (Change.deleted, str(self.path)) in changes:
                        break  # made again it is another folder, of which this watch would not hear
            except (OSError, RuntimeError) as error:  # of the kernel, of watchfiles
                self._trouble(
                    "watch", "the intake folder cannot be watched: it is looked at now and then", error
                )
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), min(after, RETRY))

    def look(self, stopping: Callable[[], bool] = lambda: False) -> float:
        """Deal with every file that is whole; return the seconds until the next look. Blocks."""
        try:
            with ExitStack() as stack:
                sources = self._open(stack)
                self._recovered("folder")
                return self._look_into(sources, stopping)
        except OSError as error:
            self._trouble("folder", "the intake folder cannot be used", error)
        except Exception:
            # The folder's edge: whatever broke, the service goes on publishing.
            log.exception("the intake broke")
        return RETRY

    def _open(self, stack: ExitStack) -> list[Source]:
        root = stack.enter_context(files.open_folder(self.path))
        sources = [Source(root, root)]
        for channel in self._channels:
            try:
                handle = stack.enter_context(files.open_folder(channel, within=root))
            except OSError as error:
                self._trouble(f"folder {channel}", "a channel's intake folder cannot be used", error)
            else:
                sources.append(Source(handle, root, channel))
                self._recovered(f"folder {channel}")
        return sources

    def _look_into(self, sources: list[Source], stopping: Callable[[], bool]) -> float:
        after = AT_LEAST_EVERY
        found: set[tuple[str, str]] = set()
        for source in sources:
            for name in sorted(os.listdir(source.handle)):  # noqa: PTH208 - an open folder has no path
                if stopping():
                    return 0.0
                if files.is_unfinished(name) or self._is_ours(source, name):
                    continue
                found.add((source.channel, name))
                after = min(after, self._consider(source, name))
        for gone in self._seen.keys() - found:
            del self._seen[gone]
        return after

    def _is_ours(self, source: Source, name: str) -> bool:
        return not source.channel and (name in {DONE, FAILED} or name in self._channels)

    def _consider(self, source: Source, name: str) -> float:
        """Deal with one file if it is time; return the seconds until it is."""
        key = (source.channel, name)
        snapshot = files.snapshot(source.handle, name, deep=True)
        if snapshot is None:
            return AT_LEAST_EVERY
        now = self._timer()
        seen = self._seen.get(key)
        if reason := self._why_left(name, snapshot):
            if seen is None or seen.left != reason:
                self._seen[key] = Seen(snapshot, now, left=reason)
                log.warning("left where it is", file=source.named(name), reason=reason)
            return AT_LEAST_EVERY
        if seen is None or seen.snapshot != snapshot:
            seen = self._seen[key] = Seen(snapshot, now + self._settle)
        if seen.due <= now:
            try:
                if seen.verdict is None:
                    seen.verdict = self._add(source, name, snapshot)
                seen.due = now + self._put_away(source, name, seen.verdict)
            except files.ChangedError:
                seen.due = now + self._settle
            except FileNotFoundError:
                return AT_LEAST_EVERY  # somebody took it away: their good right
            except (StoreError, NotNowError) as error:
                self._wait(source.named(name), error)
                seen.due = now + RETRY
        return seen.due - now

    def _why_left(self, name: str, snapshot: files.Snapshot) -> str:
        """Why it is nothing to take, as a log says it; "" where it is.

        A folder is taken with one text and files beside it. One that may be meant for a channel is not: its
        text would go to all of them.
        """
        if files.is_text(name) or files.is_archive(name):
            return ""
        if not snapshot.is_folder:
            return "not a .txt, .md or .zip file"
        if like := nearest(name.lower(), self._channels):
            return f"no channel has this name; {like} may be meant"
        texts = [path for path in snapshot.holds if files.is_text(path)]
        if len(texts) > 1:
            named = ", ".join(files.shown(path) for path in texts[:NAMED])
            return f"it holds {len(texts)} texts ({named}): put each into a folder of its own, with its files"
        if not texts or len(snapshot.holds) == 1:
            return "no channel has this name, and it holds no text with files beside it"
        unfinished = any(map(files.is_unfinished, (PurePath(path).name for path in snapshot.holds)))
        return "a program is still at work in it" if unfinished else ""

    def _add(self, source: Source, name: str, snapshot: files.Snapshot) -> Verdict:
        """Add a file's threads. Raise ChangedError, FileNotFoundError, StoreError."""
        shown = source.named(name)
        try:
            is_folder = snapshot.is_folder and not files.is_text(name) and not files.is_archive(name)
            has_files = is_folder or files.is_archive(name)
            limit = (MAX_FILE if has_files else MAX_INPUT) + 1
            read = files.pack if is_folder else files.read
            data, changed = read(source.handle, name, snapshot, limit=limit)
            threads = self._requests(f"intake:{shown}").threads
            understood = (threads.unpacked if has_files else understand)(shown, data)
            channels = [source.channel] if source.channel else []
            receipts = threads.add([understood], channels=channels, since=changed)
        except files.UnfitError as error:
            return self._refuse(shown, f"{shown} {error}")
        except NotNowError:
            raise
        except InputError as error:
            return self._refuse(shown, str(error))
        except UnknownChannelError as error:  # by the settings before a thread
            return self._refuse(shown, sentence(error, SHELL))
        except (files.ChangedError, FileNotFoundError, StoreError):
            raise
        except Exception:
            # The file's edge: whatever broke, the other files are dealt with.
            log.exception("the file could not be dealt with", file=shown)
            return self._refuse(shown, f"Threadcast broke on {shown}; its log says where")
        self._recovered("queue")
        self._recovered(f"files of {shown}")
        log.info(
            "taken",
            file=shown,
            threads=[one.added.thread_id for one in receipts if one.added.thread_id is not None],
            known=sum(1 for one in receipts if not one.added.deliveries),
        )
        return Verdict(DONE, added_report(shown, receipts, moment=self._clock(), zone=self._zone))

    def _refuse(self, shown: str, reason: str) -> Verdict:
        log.warning("not taken", file=shown, reason=plain(reason))
        return Verdict(FAILED, refused_report(shown, reason, moment=self._clock(), zone=self._zone))

    def _put_away(self, source: Source, name: str, verdict: Verdict) -> float:
        shown = source.named(name)
        try:
            with ExitStack() as stack:
                target = stack.enter_context(files.open_folder(verdict.where, within=source.root))
                if source.channel:
                    target = stack.enter_context(files.open_folder(source.channel, within=target))
                free = files.put_away(source.handle, name, target, verdict.report)
        except FileNotFoundError:
            raise
        except OSError as error:
            self._trouble(f"move {shown}", "left where it is: it cannot be moved", error, file=shown)
            return RETRY
        self._recovered(f"move {shown}")
        del self._seen[source.channel, name]  # the same file may come back, and is news then
        moved = PurePath(verdict.where, source.channel, free)
        log.info("put away", file=shown, to=files.shown(moved))
        return AT_LEAST_EVERY

    def _wait(self, shown: str, error: StoreError | NotNowError) -> None:
        if isinstance(error, StoreError):
            self._trouble("queue", "the queue cannot be used: files wait", error)
        else:
            self._trouble(f"files of {shown}", "left where it is for now", error, file=shown)

    def _trouble(self, what: str, event: str, error: Exception, **more: str) -> None:
        """Log a trouble once, until it is over or another."""
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        if self._troubles.get(what) != reason:
            self._troubles[what] = reason
            log.error(event, folder=str(self.path), reason=reason, **more)

    def _recovered(self, what: str) -> None:
        if self._troubles.pop(what, None) is not None:
            log.info("mended", what=what, folder=str(self.path))
