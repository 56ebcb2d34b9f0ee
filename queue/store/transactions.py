"""How each part of the queue reads and writes: one transaction each time; and the locks of an SQLite file.

Writers take turns by a lock of ours beside the file. SQLite has one of its own, but before 3.51.3 (and
3.50.7, 3.44.6) a checkpoint of the write-ahead log that runs while another connection commits can lose a
committed transaction (https://www.sqlite.org/wal.html#walresetbug). A connection checkpoints within its own
commit: where commits take turns, the two never meet, in whatever process they are.
"""

import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL

from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.store.engine import PATIENCE, explained, make_folder, parse_url, real_file, writing

PAUSE = 0.002  # seconds between two tries to take a lock
WRITE_LOCK = "-turn"  # of the file beside the database whose lock its writer holds; it stays, and stays empty
SERVICE_LOCK = "-service"  # the same for the service that works on the database


class Transactions:
    """The transactions of one database. They raise StoreError."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = writing(engine)
        # So that threads do not poll for the file's; a server's writers need not wait for one another.
        is_file = engine.url.drivername == "sqlite"
        self._threads: AbstractContextManager[object] = threading.Lock() if is_file else nullcontext()
        # The file that was opened: where a link leads elsewhere by now, the engine refuses to begin.
        self._file = real_file(engine.url) if is_file else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read, all as it is at one moment."""
        with explained(self.engine.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Write all of it, or nothing where an error is raised."""
        turn = nullcontext() if self._file is None else _turn(self._file, PATIENCE)
        with self._threads, turn, explained(self.engine.url), self._writer.begin() as connection:
            yield connection


@contextmanager
def one_writer(url: URL, *, patience: float = PATIENCE) -> Iterator[None]:
    """Be the only one who writes to an SQLite file; a server sees to that itself.

    Raises StoreError where another program writes for longer than `patience`, in seconds.
    """
    if url.drivername != "sqlite":
        yield
        return
    with _turn(real_file(url), patience):
        yield


@contextmanager
def _turn(file: Path, patience: float) -> Iterator[None]:
    with held(Path(f"{file}{WRITE_LOCK}"), patience=patience) as mine:
        if not mine:
            raise StoreError(Fault.HELD, path=file)
        yield


def service_lock(url: str) -> tuple[Path, Path] | None:
    """Return an SQLite file, after all links, and the lock that its service holds; None for a server.

    The folder is made where it is missing: the lock is taken before the database is there. Raises StoreError.
    """
    parsed = parse_url(url)
    if parsed.drivername != "sqlite":
        return None
    file = real_file(parsed)
    make_folder(file)
    return file, Path(f"{file}{SERVICE_LOCK}")


@contextmanager
def held(path: Path, *, patience: float = 0) -> Iterator[bool]:
    """Hold a file's lock until the end of the block; False where another process has it. Raises StoreError.

    Not a lock on the database itself: SQLite has its own there, and a process that closes any handle of the
    file loses those (https://www.sqlite.org/howtocorrupt.html#posix_close). The lock goes with the process,
    however it ends; the file stays.
    """
    until = time.monotonic() + patience
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(Fault.NO_LOCK, whose=_whose(path), path=path, cause=error.strerror) from error
    try:
        while not (mine := _lock(handle, path)) and time.monotonic() < until:
            time.sleep(PAUSE)
        yield mine
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems have no locks
        raise StoreError(Fault.LOCKLESS, whose=_whose(path), path=path, cause=error.strerror) from error
    return True


def _whose(path: Path) -> str:
    return "database" if path.name.endswith(WRITE_LOCK) else "service"
