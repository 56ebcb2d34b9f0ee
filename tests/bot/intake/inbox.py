"""An intake folder for the tests, the queue behind it, and a timer that is moved by hand."""

import queue
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.bot.publishing.scripted import ScriptedChannel
from tests.queue.store.fresh import fresh_database
from threadcast.bot.intake.folder import SETTLE, IntakeFolder
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.store import MediaStore
from threadcast.bot.requests.context import RequestContext
from threadcast.bot.requests.requests import Requests
from threadcast.queue.model import Added, NewThread, Once
from threadcast.queue.store.database import Database
from threadcast.queue.store.threads import Threads

LAMP = "1/ The lamp was lit at dusk. ⬇️\n2/ The keeper slept by day. /end\n"
FOG = "1/ Fog came in.\n2/ The horn answered. /end\n"
GAP = "1/ The buoy.\n3/ The bell. /end\n"


def now() -> datetime:
    return datetime.now(UTC)


class FailingThreads(Threads):
    """A queue that can be out of order, and whose caller can die after an add."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.transactions)
        self.error: Exception | None = None
        self.after_adding: Callable[[], None] = lambda: None

    def add(
        self,
        threads: Sequence[NewThread],
        *,
        now: datetime,
        actor: str,
        again: bool = False,
        since: datetime | None = None,
        once: Once[Added] | None = None,
    ) -> tuple[Added, ...]:
        if self.error is not None:
            raise self.error
        added = super().add(threads, now=now, actor=actor, again=again, since=since, once=once)
        self.after_adding()
        return added


class CountedFolder(IntakeFolder):
    """An intake folder that tells when it was looked at."""

    looks: queue.SimpleQueue[float]

    def look(self, stopping: Callable[[], bool] = lambda: False) -> float:
        after = super().look(stopping)
        self.looks.put(after)
        return after


class Inbox:
    """The folder of a service with two channels, of which `masto` holds every thread."""

    def __init__(
        self,
        path: Path,
        *channels: str,
        settle: float = SETTLE,
        timer: Callable[[], float] | None = None,
    ) -> None:
        self.path = path / "intake"
        self.database = fresh_database()
        self.store = MediaStore(path)
        self.database.threads = self.threads = FailingThreads(self.database)
        self.looks: queue.SimpleQueue[float] = queue.SimpleQueue()
        self.seconds = 0.0
        self._settle = settle
        self._timer = timer or (lambda: self.seconds)
        self._channels = [ScriptedChannel(name, path, now) for name in channels or ("masto", "news")]
        self.restart()

    def restart(self) -> None:
        self.intake = CountedFolder(
            self.path,
            channels=[channel.name for channel in self._channels],
            requests=self.requests,
            zone=ZoneInfo("Europe/Berlin"),
            clock=now,
            timer=self._timer,
            settle=self._settle,
        )
        self.intake.looks = self.looks

    def requests(self, actor: str) -> Requests:
        return Requests(
            RequestContext(
                self.database,
                self._channels,
                frozenset({"masto"}),
                {},
                now,
                actor,
                lambda _: True,
                Attacher(self.store),
            )
        )

    def look(self, after: float = 0) -> float:
        self.seconds += after
        return self.intake.look()

    def settle(self) -> None:
        """Look, wait until what is there counts as whole, and look again."""
        self.look()
        self.look(after=SETTLE)

    def drop(self, name: str, content: str | bytes = LAMP) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def files(self) -> set[str]:
        """Return everything in the folder but its own empty folders, by path."""
        return {
            str(path.relative_to(self.path))
            for path in self.path.rglob("*")
            if path.is_symlink() or not path.is_dir()
        }

    def report(self, name: str) -> str:
        return (self.path / f"{name}.report.txt").read_text(encoding="utf-8")

    def queued(self) -> list[tuple[int, str, str]]:
        return [(one.thread_id, one.channel, one.state) for one in self.database.reading.deliveries()]

    def sources(self) -> list[str]:
        numbers = sorted({number for number, _, _ in self.queued()})
        return [self.database.reading.thread(number).source for number in numbers]
