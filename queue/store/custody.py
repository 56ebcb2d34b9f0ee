"""One service on an SQLite file: a lock beside the file itself, wherever its path leads through.

Not a lock on the file: SQLite has its own there, and a process that closes any handle of the file loses
those (https://www.sqlite.org/howtocorrupt.html#posix_close).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from threadcast.queue.model import StoreError
from threadcast.queue.store.engine import make_folder, parse_url, real_file

SUFFIX = "-service"  # of the file beside the database whose lock a service holds; it stays, and stays empty


@dataclass(frozen=True, slots=True)
class Database:
    """An SQLite file, after all links, and the file whose lock its service holds."""

    file: Path
    lock: Path


def lock_file(url: str) -> Database | None:
    """Where a service on this database holds its lock; None where a server has many. Raises StoreError.

    The folder is made where it is missing: the lock is taken before the database is there.
    """
    parsed = parse_url(url)
    if parsed.drivername != "sqlite":
        return None
    file = real_file(parsed)
    make_folder(file)
    return Database(file, Path(f"{file}{SUFFIX}"))


@contextmanager
def held(path: Path) -> Iterator[bool]:
    """Hold a file's lock until the end of the block; False where another process has it. Raises StoreError.

    The lock goes with the process, however it ends; the file stays.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"the service's lock {path} cannot be opened: {error.strerror}; "
            "mend the rights of the file and of its folder"
        ) from error
    try:
        yield _lock(handle, path)
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems have no locks
        raise StoreError(
            f"the service's lock {path} cannot be taken: {error.strerror}; "
            "choose a folder on a disk of this machine"
        ) from error
    return True
