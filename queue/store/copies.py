"""SQLite files as files: made for their owner alone, opened without an engine, looked through."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from threadcast.queue.model import StoreError
from threadcast.queue.store.engine import PATIENCE, parse_url, place, real_file

# What may stand beside a database file, and belongs to it.
SIDES = ("-wal", "-shm", "-journal")


class BackupError(StoreError):
    """The file of a backup cannot be written or used; the message names it, the cause and the next step."""


@contextmanager
def made(target: Path) -> Iterator[None]:
    """A new, empty file, which goes again where it was not filled."""
    try:
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise BackupError(f"{target} is there already, and is not overwritten: name another file") from None
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}; name another file") from error
    try:
        yield
    except BaseException:
        for name in ("", *SIDES):
            Path(f"{target}{name}").unlink(missing_ok=True)
        raise


@contextmanager
def told(path: Path, kind: type[StoreError]) -> Iterator[None]:
    """Say in a person's words that a file cannot be copied, as this kind of error."""
    try:
        yield
    except sqlite3.Error as error:
        raise kind(f"{path} cannot be copied ({error}); check the file and the room on the disk") from error


def sync_folder(folder: Path) -> None:
    """A file's new name is on the disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def open_file(path: Path, mode: str, patience: float = PATIENCE) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)


def require_sound_copy(connection: sqlite3.Connection, path: Path) -> None:
    """Raise BackupError where a page is damaged or a row points nowhere."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise BackupError(f"{path} is damaged ({found[0]}); use a backup made before")
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise BackupError(f"{path} is damaged (rows are missing); use a backup made before")


def require_sound(url: str) -> None:
    """Raise StoreError where a page of an SQLite file is damaged. Reads the whole file, and only reads."""
    parsed = parse_url(url)
    if parsed.drivername != "sqlite":
        return
    path = real_file(parsed)
    try:
        with closing(open_file(path, "ro")) as connection:
            found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        raise StoreError(
            f"{place(parsed)} is damaged ({' '.join(found[0].split())}); "
            "put back a copy of it (threadcast restore FILE), or move it away to begin anew"
        )


def url_of(path: Path) -> str:
    """The URL of a queue in this file."""
    return f"sqlite:///{path}"
