"""A copy of a queue in an SQLite file, made while it is in use, and its way back.

https://www.sqlite.org/backup.html
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from threadcast.queue.model import StoreError
from threadcast.queue.store.copies import (
    SIDES,
    BackupError,
    made,
    open_file,
    require_sound_copy,
    sync_folder,
    told,
    url_of,
)
from threadcast.queue.store.custody import held
from threadcast.queue.store.engine import (
    PATIENCE,
    is_sqlite,
    make_engine,
    make_folder,
    parse_url,
    place,
    real_file,
)
from threadcast.queue.store.exchange import merge
from threadcast.queue.store.migrate import VERSION_TABLE, head, upgrade
from threadcast.queue.store.turns import turns

__all__ = ["BackupError", "backup", "fresh_copy", "look_through", "one_restore", "restore"]

RESTORE = "-restore"  # of the file beside the database whose lock a restore holds; it stays, and stays empty

_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#magic_header_string


def backup(url: str, target: Path) -> None:
    """Copy the queue, as it is at one moment, into a new file for its owner only (mode 0600).

    Others may go on reading and writing meanwhile. Raises BackupError where `target` is there already,
    cannot be written, or the copy is not sound; StoreError where the queue is not an SQLite file.
    """
    path = _file(url, "pg_dump")
    make_engine(url, create=False).dispose()  # says what to do where there is no database
    with made(target), told(path, StoreError):
        _copy(path, target)


def look_through(url: str, source: Path) -> None:
    """Raise BackupError where `source` cannot be restored, StoreError where the queue is no SQLite file."""
    _file(url, "pg_restore")
    _look_through(source)


@contextmanager
def one_restore(url: str) -> Iterator[None]:
    """One restore at a time, by a lock beside the file. Raises StoreError where there is another."""
    path = _file(url, "pg_restore")
    make_folder(path)
    with held(Path(f"{path}{RESTORE}")) as mine:
        if not mine:
            raise StoreError(f"another restore is at work on {path}; wait until it has ended")
        yield


@contextmanager
def fresh_copy(url: str, source: Path) -> Iterator[Path]:
    """A copy of a backup with tables of the current version, near the queue's file; it goes at the end.

    Raises BackupError. The caller sees to it that there is only one.
    """
    path = _file(url, "pg_restore")
    folder = path.with_name(f"{path.name}.restoring")
    _clear(folder)  # what a restore left that was killed
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise BackupError(
            f"{folder} cannot be made: {error.strerror}; mend the rights of its folder"
        ) from error
    try:
        fresh = folder / path.name
        with made(fresh), told(source, BackupError):
            _copy(source, fresh)
        upgrade(url_of(fresh))
        yield fresh
    finally:
        _clear(folder)


def restore(url: str, source: Path, *, keep: Path, patience: float = PATIENCE) -> bool:
    """Put a backup in the place of the queue; the replaced file is kept as `keep`, whatever is in it.

    The caller sees to it that no service works on the queue, and no other restore. The copy is made and
    looked through before anything is replaced, and takes its place in one step. `patience` is how long to
    wait for another program's lock, in seconds. False where there was nothing to keep.

    Raises BackupError where `source` cannot be used or `keep` is there already, and StoreError where
    another program has the queue open.
    """
    path = _file(url, "pg_restore")
    _look_through(source)
    with fresh_copy(url, source) as fresh, turns(parse_url(url), patience=patience)():
        try:
            kept = path.exists()
            if kept:
                if _settle(path, patience):
                    with suppress(sqlite3.Error):  # one that cannot be read, or is older, has nothing to tell
                        merge(fresh, path)
                _keep(path, keep)
            _settle(fresh, patience)
            fresh.replace(path)
            sync_folder(path.parent)
        except OSError as error:
            raise StoreError(f"{place(parse_url(url))} cannot be replaced: {error.strerror}") from error
    return kept


def _clear(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)


def _file(url: str, instead: str) -> Path:
    parsed = parse_url(url)
    if not is_sqlite(url):
        raise StoreError(f"{place(parsed)} has tools of its own for this: use {instead}")
    return real_file(parsed)


def _copy(source: Path, target: Path) -> None:
    """Every page of one moment; then one file without side files, on the disk and sound."""
    with closing(open_file(source, "ro")) as old, closing(open_file(target, "rw")) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE").close()
        require_sound_copy(new, source)


def _look_through(source: Path) -> None:
    """Raise BackupError where this is not a sound backup that this program can work with."""
    try:
        with source.open("rb"):
            pass
    except OSError as error:
        raise BackupError(f"{source} cannot be read: {error.strerror}; check the path") from None
    not_ours = f"{source} is not a backup of a Threadcast queue; name the file that `threadcast backup` made"
    try:
        with closing(open_file(source, "ro")) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
            if VERSION_TABLE not in tables:
                raise BackupError(not_ours)
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608  # our own name
            require_sound_copy(connection, source)
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{not_ours} ({error})") from None
    if row is None or not str(row[0]).isdecimal():
        raise BackupError(not_ours)
    if str(row[0]) > head():
        raise BackupError(
            f"{source} was made by a newer Threadcast (version {row[0]}, this one knows {head()}): "
            "use the newer program"
        )


def _settle(path: Path, patience: float) -> bool:
    """Bring what is in side files into the database file; whether it can be read.

    What is no database is kept as it is, side files and all: SQLite would take them away at a look. Raises
    StoreError where somebody has it open.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return False
    try:
        with closing(open_file(path, "rw", patience)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").close()
    except sqlite3.DatabaseError as error:
        # Other than that it is in use there is nothing that would be a reason to keep it in its place.
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreError(
                f"the database {path} is held by another program; end it, and try again"
            ) from None
        return False
    return True


def _keep(path: Path, keep: Path) -> None:
    """Give the file a second name. The first stays until the copy takes it: there always is a queue."""
    try:
        keep.hardlink_to(path)
    except FileExistsError:
        raise BackupError(f"{keep} is there already, and is not overwritten: move it away") from None
    for name in SIDES:
        with suppress(FileNotFoundError):
            Path(f"{path}{name}").rename(f"{keep}{name}")
