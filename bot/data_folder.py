"""The data folder and the queue in it: opened, held by one service, and looked through."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from secrets import token_hex

from threadcast.bot import wake
from threadcast.bot.channels.port import Clock
from threadcast.bot.media.bucket import AwayError
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.store import OWNER, open_store
from threadcast.config.logs import get_logger
from threadcast.config.settings import DATABASE, Settings
from threadcast.queue.errors import Fault, GoneError, QueueError, StoreError
from threadcast.queue.store import migrate
from threadcast.queue.store.backup import require_sound
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.engine import doubts, is_missing, is_sqlite, parse_url, place
from threadcast.queue.store.fleet.jobs import require_jobs
from threadcast.queue.store.notes import ANSWERS
from threadcast.queue.store.transactions import held, service_lock

UNNEEDED = timedelta(days=1)  # how long a file stays that no thread needs, or not yet
KEPT = timedelta(days=1)  # how long a request that comes again under its key is given its first answer
QUEUE_OF_FILES = "media"  # the note with the name by which the files know their queue

log = get_logger("threadcast.service")


class AlreadyRunningError(QueueError):
    """Another service works on the same data folder, or on the same SQLite file."""


def has_queue(settings: Settings) -> bool:
    """Return whether there is a queue; a server's is, or its own error says so.

    Raises StoreError, GoneError where a service has worked in the data folder, and its queue is not there.
    """
    url = settings.database_url.get_secret_value()
    if not is_missing(url):
        return True
    _require_none_in_use(settings)
    if wake.was_service(settings.data):
        raise GoneError(Fault.TAKEN_AWAY, place=place(parse_url(url)), path=settings.data)
    return False


def prepare(settings: Settings) -> Database:
    """Open the queue. An SQLite file is made and brought up to date; a server's tables are not.

    Raises StoreError, GoneError where the file was taken away.
    """
    url = settings.database_url.get_secret_value()
    if is_sqlite(url):
        has_queue(settings)  # raises where it was taken away
        upgrade(settings)
    return open_database(url)


@asynccontextmanager
async def open_queue(settings: Settings) -> AsyncIterator[Database]:
    """Open the queue for a service, and close it when no thread of its event loop uses it any more.

    A call in a thread goes on when the task that waits for it is cancelled. Raises StoreError, GoneError.
    """
    database = await asyncio.to_thread(prepare, settings)
    try:
        yield database
    finally:
        await asyncio.get_running_loop().shutdown_default_executor()
        database.close()


@contextmanager
def looked_at(settings: Settings) -> Iterator[Database]:
    """Open the queue to look at it: where there is none, one that is empty and leaves nothing behind."""
    if has_queue(settings):
        with contextlib.closing(prepare(settings)) as database:
            yield database
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(open_database(f"sqlite:///{folder}/{DATABASE}")) as database,
    ):
        yield database


def upgrade(settings: Settings) -> str:
    """`threadcast migrate`: bring the tables up to date; gives their version. Raises StoreError."""
    url = settings.database_url.get_secret_value()
    _require_none_in_use(settings)
    if is_sqlite(url):
        make_folder(settings.data)
    return migrate.upgrade(url)


def _require_none_in_use(settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    # Woken, the service sees it at once.
    if is_missing(url) and wake.wake_service(settings.data):
        raise GoneError(Fault.REMOVED_IN_USE, place=place(parse_url(url)))


def make_folder(path: Path) -> None:
    """Make the data folder, for its owner only. Raises StoreError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(Fault.FOLDER_NOT_MADE, path=path, cause=error.strerror) from None


@contextmanager
def only_one(settings: Settings) -> Iterator[None]:
    """Hold the locks of the data folder and of an SQLite database, by whatever path that is reached.

    Raises AlreadyRunningError where another service has one of them, StoreError. The locks go with the
    process, however it ends; the files stay, empty of meaning.
    """
    make_folder(settings.data)
    database = service_lock(settings.database_url.get_secret_value())
    with contextlib.ExitStack() as locks:
        if not locks.enter_context(held(settings.data / "service.lock")):
            raise AlreadyRunningError(Fault.RUNS_IN, path=settings.data)
        if database is not None and not locks.enter_context(held(database[1])):
            raise AlreadyRunningError(Fault.RUNS_ON, path=database[0])
        yield


def look_through(settings: Settings) -> None:
    """Before the queue is relied on: is it sound, and does it keep what it is told? Raises StoreError."""
    url = settings.database_url.get_secret_value()
    require_sound(url)
    require_jobs(url)
    for doubt in doubts(url):
        log.warning("the queue may lose what it was told last", reason=doubt.what, next=doubt.advice)


def remove_unneeded(settings: Settings, database: Database, clock: Clock) -> None:
    """Remove the files that no thread needs, and answers that nobody asks for any more.

    Blocks: the scheduler calls it in a thread.
    """
    try:
        database.notes.forget_old(ANSWERS, before=clock() - KEPT)
        _remove_unneeded(settings, database, clock())
    except AwayError as error:
        log.error("the files of threads cannot be used", reason=str(error), next=error.advice)  # noqa: TRY400
    except (StoreError, MediaError, OSError) as error:  # next time
        log.warning("files that no thread needs were not removed", reason=str(error))


def _remove_unneeded(settings: Settings, database: Database, now: datetime) -> None:
    store, notes = open_store(settings), database.notes
    queue = notes.read(QUEUE_OF_FILES).get(1) or token_hex(16)
    notes.write(QUEUE_OF_FILES, 1, queue, now=now)
    if not store.belongs_to(queue):
        log.error(
            "files that no thread needs stay: they may be another queue's",
            place=store.place,
            next=f"give this queue a place of its own, or, where there is no other, remove {OWNER} there",
        )
        return
    if removed := store.sweep(database.reading.files(), (now - UNNEEDED).timestamp()):
        log.info("removed files that no thread needs", files=removed)
