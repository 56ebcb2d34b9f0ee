"""Putting a backup in the place of the queue, so that nothing goes out twice: while a service runs too."""

import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path

from threadcast.bot import wake
from threadcast.bot.channels.build import build_channels, seen
from threadcast.bot.channels.port import now
from threadcast.bot.data_folder import AlreadyRunningError, only_one, prepare
from threadcast.config.settings import Settings
from threadcast.queue.model import Delivery, GoneError, StoreError
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.backup import fresh_copy, look_through, one_restore, restore
from threadcast.queue.store.database import Database
from threadcast.queue.store.engine import parse_url, real_file
from threadcast.queue.store.exchange import exchange
from threadcast.queue.store.since import Since, since

PATIENCE = 90.0  # seconds; a call to a server takes 60 at the most

Sight = Callable[[Collection[Delivery]], None]


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the replaced queue is kept, and what that one knows; None where there is none."""

    kept: Path | None
    running: bool
    since: Since | None


def put_back(
    settings: Settings,
    source: Path,
    *,
    actor: str,
    see: Sight,
    pause: Callable[[], object],
    patience: float = PATIENCE,
) -> Restored:
    """Restore a backup, and pause every channel: what it has as waiting may be out since.

    Where a service runs, its channels are paused first, and `see` is shown what is still in its hands;
    `pause` lets time pass between two looks, for `patience` seconds in all. Whatever ends that early, a
    KeyboardInterrupt out of `pause` too, the pauses are undone and nothing else was changed.

    Raises BackupError, StoreError.
    """
    url = settings.database_url.get_secret_value()
    look_through(url, source)
    file = real_file(parse_url(url))
    keep = file.with_name(f"{file.name}.replaced-{now():%Y%m%dT%H%M%S.%f}")
    with one_restore(url), ExitStack() as locks:
        if not _alone(settings, locks):
            running = _Alongside(settings, source, keep, actor, see).work(locks, pause, patience)
            return Restored(keep, running, since(file, keep))
        kept = restore(url, source, keep=keep)
        with closing(prepare(settings)) as database:
            database.changes.see_channels(seen(settings, build_channels(settings)), now=now())
            _pause(database, actor)
    return Restored(keep, False, since(file, keep)) if kept else Restored(None, False, None)


def _alone(settings: Settings, locks: ExitStack) -> bool:
    """Whether no service works here; then none can begin to before `locks` are let go."""
    try:
        locks.enter_context(only_one(settings))
    except AlreadyRunningError:
        return False
    return True


class _Alongside:
    """A restore while a service has the queue open: it goes on with what is in its file then."""

    def __init__(self, settings: Settings, source: Path, keep: Path, actor: str, see: Sight) -> None:
        self._settings = settings
        self._url = settings.database_url.get_secret_value()
        self._source = source
        self._keep = keep
        self._actor = actor
        self._see = see
        self._paused: set[str] = set()

    def work(self, locks: ExitStack, pause: Callable[[], object], patience: float) -> bool:
        """Exchange the content of the queue; whether the service still runs."""
        with closing(self._open()) as database, fresh_copy(self._url, self._source) as fresh:
            try:
                running = self._exchange(database, fresh, locks, pause, patience)
            except BaseException:
                self._undo(database)
                raise
        wake.wake_service(self._settings.data)
        return running

    def _open(self) -> Database:
        try:
            return prepare(self._settings)
        except GoneError:
            raise
        except StoreError as error:
            raise StoreError(f"{error}. To restore in spite of that, stop the service first") from error

    def _exchange(
        self, database: Database, fresh: Path, locks: ExitStack, pause: Callable[[], object], patience: float
    ) -> bool:
        until = time.monotonic() + patience
        running = True
        while True:
            # Anew at each look: another command may let a channel go on, or a new service note another one.
            paused = _pause(database, self._actor)
            self._paused |= paused
            if paused:
                wake.wake_service(self._settings.data)
            # A service that was killed leaves its leases; what it had in hand nobody will record.
            running = running and not _alone(self._settings, locks)
            held = _in_hand(database) if running else []
            if not held and exchange(
                self._url,
                fresh,
                keep=self._keep,
                at_rest=lambda running=running: not (running and _in_hand(database)),  # type: ignore[misc]
                now=now(),
                actor=self._actor,
            ):
                return running
            if time.monotonic() > until:
                where = ", ".join(f"thread {one.thread_id} on {one.channel}" for one in held)
                raise StoreError(
                    f"the running service still has a post in hand ({where}) after {patience:g} s, so "
                    "nothing was changed; try again, or stop the service first"
                )
            self._see(held)
            pause()

    def _undo(self, database: Database) -> None:
        for name in sorted(self._paused):
            with suppress(StoreError):  # it stays paused then, which harms nobody
                database.changes.pause(name, False, now=now(), actor=self._actor)
        wake.wake_service(self._settings.data)


def _pause(database: Database, actor: str) -> set[str]:
    """Pause every channel that the queue knows; the names of those that were not paused before."""
    going = {row.name for row in database.reading.channels() if not row.paused}
    for name in sorted(going):
        database.changes.pause(name, True, now=now(), actor=actor)
    return going


def _in_hand(database: Database) -> list[Delivery]:
    """The deliveries that a worker is at."""
    moment = now()
    under_way = database.reading.deliveries(states=frozenset({DeliveryState.PUBLISHING}))
    return [one for one in under_way if one.lease_until is not None and one.lease_until > moment]
