"""A copy of a queue in an SQLite file, made while it is in use, and its way back while it is not.

https://www.sqlite.org/backup.html
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from threadcast.queue.errors import BackupError, Fault, StoreError
from threadcast.queue.store.engine import (
    PATIENCE,
    SIDES,
    make_engine,
    make_folder,
    parse_url,
    place,
    real_file,
)
from threadcast.queue.store.migrate import VERSION_TABLE, head, upgrade
from threadcast.queue.store.schema import CHANNELS
from threadcast.queue.store.transactions import one_writer

_MAGIC = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat.html#magic_header_string
_LEARNED = ", ".join(name for name in CHANNELS.columns.keys() if name not in {"name", "paused"})  # noqa: SIM118

# What the backup cannot know, and the queue that it replaces does; that one is attached as `live`.
_MERGE = (
    # No claim on what was replaced can write here: neither by its fence, nor by a number given twice.
    """UPDATE main.deliveries SET lease_owner = NULL, lease_until = NULL, fence = 1 + max(fence, coalesce(
           (SELECT old.fence FROM live.deliveries AS old WHERE old.id = deliveries.id),
           (SELECT max(fence) FROM live.deliveries), 0))""",
    """UPDATE main.sqlite_sequence SET seq = max(seq, coalesce(
           (SELECT old.seq FROM live.sqlite_sequence AS old WHERE old.name = sqlite_sequence.name), 0))""",
    """INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM live.sqlite_sequence
           WHERE name NOT IN (SELECT name FROM main.sqlite_sequence)""",
    # Slots used, rates learned, chats that moved: that is how the world is.
    f"""INSERT INTO main.channels (name, paused, {_LEARNED})
            SELECT name, 0, {_LEARNED} FROM live.channels WHERE true
            ON CONFLICT (name) DO UPDATE SET
            {", ".join(f"{name} = excluded.{name}" for name in _LEARNED.split(", "))}
    """,  # noqa: S608  # our own names
)
# What waits in the backup, and of which more is out by the replaced queue: as the same delivery, or
# as another of the same text on the same channel.
_WENT_OUT = """
    SELECT * FROM (
        SELECT new.thread_id, new.channel, threads.title, max(
            coalesce((SELECT old.sent - new.sent FROM live.deliveries AS old
                WHERE (old.id, old.channel, old.created) = (new.id, new.channel, new.created)), 0),
            coalesce((SELECT sum(old.sent) FROM live.deliveries AS old
                WHERE (old.channel, old.fingerprint) = (new.channel, new.fingerprint)), 0)
            - (SELECT sum(same.sent) FROM main.deliveries AS same
                WHERE (same.channel, same.fingerprint) = (new.channel, new.fingerprint))
        ) AS posts
        FROM main.deliveries AS new
        JOIN main.threads ON threads.id = new.thread_id
        WHERE new.state NOT IN ('published', 'cancelled', 'withdrawn')
    ) WHERE posts > 0
    ORDER BY thread_id, channel
"""
_ADDED = """
    SELECT old.id, old.title FROM live.threads AS old
    WHERE NOT EXISTS (SELECT 1 FROM main.threads AS new
                      WHERE (new.id, new.created) = (old.id, old.created))
    ORDER BY old.id
"""


@dataclass(frozen=True, slots=True)
class WentOut:
    """Posts of a chain that are out, and that a restored queue has as still to be sent."""

    thread: int
    channel: str
    title: str
    posts: int


@dataclass(frozen=True, slots=True)
class Since:
    """What went out after a backup was made, and which threads were added: their numbers and titles."""

    out: tuple[WentOut, ...] = ()
    added: tuple[tuple[int, str], ...] = ()


def backup(url: str, target: Path) -> None:
    """Copy the queue, as it is at one moment, into a new file for its owner only (mode 0600).

    Others may go on reading and writing meanwhile. Raises BackupError where `target` is there already,
    cannot be written, or the copy is not sound; StoreError where the queue is not an SQLite file.
    """
    path = _file(url, "pg_dump")
    make_engine(url, create=False).dispose()  # says what to do where there is no database
    with _made(target), _explained(path, StoreError):
        _copy(path, target)


def restore(url: str, source: Path, *, keep: Path, patience: float = PATIENCE) -> bool:
    """Put a backup in the place of the queue; the replaced file is kept as `keep`, whatever is in it.

    The caller sees to it that no service works on the queue, and no other restore. The copy is made and
    looked through before anything is replaced, and takes its place in one step: a kill leaves the old queue
    or the new. `patience` is how long to wait for another program's lock, in seconds. False where there was
    nothing to keep.

    Raises BackupError where `source` cannot be used or `keep` is there already, and StoreError where
    another program has the queue open.
    """
    path = _file(url, "pg_restore")
    _look_through(source)
    make_folder(path)
    with _fresh_copy(path, source) as fresh, one_writer(parse_url(url), patience=patience):
        try:
            kept = path.exists()
            if kept:
                if _settle(path, patience):
                    with suppress(sqlite3.Error):  # one that cannot be read, or is older, has nothing to tell
                        _merge(fresh, path)
                _keep(path, keep)
            _settle(fresh, patience)
            fresh.replace(path)
            _sync_folder(path.parent)
        except OSError as error:
            raise StoreError(Fault.NOT_REPLACED, place=place(parse_url(url)), cause=error.strerror) from error
    return kept


def since(restored: Path, replaced: Path) -> Since | None:
    """Compare two queues; None where the replaced one cannot be read, as where it is damaged."""
    try:
        with closing(_open(restored, "ro")) as connection:
            _attach(connection, replaced)
            out = tuple(WentOut(*row) for row in connection.execute(_WENT_OUT))
            return Since(out, tuple(connection.execute(_ADDED)))
    except sqlite3.DatabaseError:
        return None


def require_sound(url: str) -> None:
    """Raise StoreError where a page of an SQLite file is damaged. Reads the whole file, and only reads."""
    parsed = parse_url(url)
    if parsed.drivername != "sqlite":
        return
    try:
        with closing(_open(real_file(parsed), "ro")) as connection:
            found = [row[0] for row in connection.execute("PRAGMA quick_check(1)")]
    except sqlite3.DatabaseError as error:
        found = [str(error)]
    if found != ["ok"]:
        raise StoreError(Fault.DAMAGED, place=place(parsed), cause=" ".join(found[0].split()))


@contextmanager
def _fresh_copy(path: Path, source: Path) -> Iterator[Path]:
    """A copy of a backup with tables of the current version, near the queue's file; it goes at the end."""
    folder = path.with_name(f"{path.name}.restoring")
    _clear(folder)  # what a restore left that was killed
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise BackupError(Fault.PLACE_NOT_MADE, path=folder, cause=error.strerror) from error
    try:
        fresh = folder / path.name
        with _made(fresh), _explained(source, BackupError):
            _copy(source, fresh)
        upgrade(f"sqlite:///{fresh}")
        yield fresh
    finally:
        _clear(folder)


def _clear(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    else:
        folder.unlink(missing_ok=True)


def _file(url: str, instead: str) -> Path:
    parsed = parse_url(url)
    if parsed.drivername != "sqlite":
        raise StoreError(Fault.OTHER_TOOL, place=place(parsed), tool=instead)
    return real_file(parsed)


@contextmanager
def _made(target: Path) -> Iterator[None]:
    """A new, empty file, which goes again where it was not filled."""
    try:
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        raise BackupError(Fault.THERE_ALREADY, path=target) from None
    except OSError as error:
        raise BackupError(Fault.NOT_WRITTEN, path=target, cause=error.strerror) from error
    try:
        yield
    except BaseException:
        for name in ("", *SIDES):
            Path(f"{target}{name}").unlink(missing_ok=True)
        raise


@contextmanager
def _explained(path: Path, kind: type[StoreError]) -> Iterator[None]:
    """Say as this kind of error that a file cannot be copied."""
    try:
        yield
    except sqlite3.Error as error:
        raise kind(Fault.NOT_COPIED, path=path, cause=str(error)) from error


def _open(path: Path, mode: str, patience: float = PATIENCE) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None)


def _attach(connection: sqlite3.Connection, live: Path) -> None:
    connection.execute("ATTACH DATABASE ? AS live", (f"{live.resolve().as_uri()}?mode=ro",))


def _copy(source: Path, target: Path) -> None:
    """Every page of one moment; then one file without side files, on the disk and sound."""
    with closing(_open(source, "ro")) as old, closing(_open(target, "rw")) as new:
        old.backup(new)
        new.execute("PRAGMA journal_mode = DELETE").close()
        _require_sound_copy(new, source)


def _require_sound_copy(connection: sqlite3.Connection, path: Path) -> None:
    """Raise BackupError where a page is damaged or a row points nowhere."""
    found = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise BackupError(Fault.COPY_DAMAGED, path=path, cause=found[0])
    if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
        raise BackupError(Fault.COPY_DAMAGED, path=path, cause="rows are missing")


def _look_through(source: Path) -> None:
    """Raise BackupError where this is not a sound backup that this program can work with."""
    try:
        with source.open("rb"):
            pass
    except OSError as error:
        raise BackupError(Fault.NOT_READ, path=source, cause=error.strerror) from None
    not_ours = BackupError(Fault.NO_BACKUP, path=source)
    try:
        with closing(_open(source, "ro")) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
            if VERSION_TABLE not in tables:
                raise not_ours
            row = connection.execute(f"SELECT version_num FROM {VERSION_TABLE}").fetchone()  # noqa: S608  # our own name
            _require_sound_copy(connection, source)
    except sqlite3.DatabaseError as error:
        raise BackupError(Fault.UNREADABLE_BACKUP, path=source, cause=str(error)) from None
    if row is None or not str(row[0]).isdecimal():
        raise not_ours
    if str(row[0]) > head():
        raise BackupError(Fault.NEWER_BACKUP, path=source, version=row[0], head=head())


def _merge(fresh: Path, live: Path) -> None:
    """Have a copy of a backup know what only the queue knows that it replaces. Raises sqlite3.Error."""
    with closing(_open(fresh, "rw")) as connection:
        _attach(connection, live)
        connection.execute("BEGIN")
        for statement in _MERGE:
            connection.execute(statement)
        connection.execute("COMMIT")


def _settle(path: Path, patience: float) -> bool:
    """Bring what is in side files into the database file; whether it can be read.

    What is no database is kept as it is, side files and all: SQLite would take them away at a look. Raises
    StoreError where somebody has it open.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            return False
    try:
        with closing(_open(path, "rw", patience)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE").close()
    except sqlite3.DatabaseError as error:
        # Other than that it is in use there is nothing that would be a reason to keep it in its place.
        if error.sqlite_errorname.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreError(Fault.IN_USE, path=path) from None
        return False
    return True


def _keep(path: Path, keep: Path) -> None:
    """Give the file a second name. The first stays until the copy takes it: there always is a queue."""
    try:
        keep.hardlink_to(path)
    except FileExistsError:
        raise BackupError(Fault.KEPT_ALREADY, path=keep) from None
    for name in SIDES:
        with suppress(FileNotFoundError):
            Path(f"{path}{name}").rename(f"{keep}{name}")


def _sync_folder(folder: Path) -> None:
    """A file's new name is on the disk once its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
