"""The content of a queue in use, exchanged for that of a backup: in one step, for all who have it open.

SQLite's online backup writes into a file as any writer does, in one transaction. So whoever has the file
open goes on with what is in it then, and a kill leaves the old content or the new, and no mix.
https://www.sqlite.org/c3ref/backup_finish.html
"""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from threadcast.queue.model import StoreError
from threadcast.queue.store.copies import made, open_file, sync_folder, told, url_of
from threadcast.queue.store.database import open_database
from threadcast.queue.store.engine import PATIENCE, parse_url, prepare_sqlite, real_file
from threadcast.queue.store.schema import CHANNELS
from threadcast.queue.store.turns import turns

_KNOWN = [name for name in CHANNELS.c.keys() if name not in {"name", "paused"}]  # noqa: SIM118  # not a dict

# What the backup cannot know, and the queue in use does; that one is attached as `live`.
_MERGE = (
    # No claim on what was replaced can write here: neither by its fence, nor by a number given twice.
    """UPDATE main.deliveries SET lease_owner = NULL, lease_until = NULL, fence = 1 + max(fence, coalesce(
           (SELECT old.fence FROM live.deliveries AS old WHERE old.id = deliveries.id),
           (SELECT max(fence) FROM live.deliveries), 0))""",
    """UPDATE main.sqlite_sequence SET seq = max(seq, coalesce(
           (SELECT old.seq FROM live.sqlite_sequence AS old WHERE old.name = sqlite_sequence.name), 0))""",
    """INSERT INTO main.sqlite_sequence (name, seq) SELECT name, seq FROM live.sqlite_sequence
           WHERE name NOT IN (SELECT name FROM main.sqlite_sequence)""",
    # Slots used, rates learned, chats that moved: that is how the world is, and the service has it in mind.
    f"""INSERT INTO main.channels (name, paused, {", ".join(_KNOWN)})
            SELECT name, 0, {", ".join(_KNOWN)} FROM live.channels WHERE true
            ON CONFLICT (name) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in _KNOWN)}
    """,  # noqa: S608  # our own names
)


def exchange(
    url: str,
    fresh: Path,
    *,
    keep: Path,
    at_rest: Callable[[], bool],
    now: datetime,
    actor: str,
    patience: float = PATIENCE,
) -> bool:
    """Put the content of `fresh`, a copy of a backup with current tables, into the queue's own file.

    A copy of what it replaces is kept as `keep`. All channels are paused in it, nothing is leased, and no
    claim on the replaced queue holds. False, and nothing is changed, where not `at_rest`, which is asked
    when nobody else can write any more. `fresh` is changed too.

    Raises BackupError where `keep` cannot be written, StoreError where the queue cannot be.
    """
    parsed = parse_url(url)
    path = real_file(parsed)
    with turns(parsed, patience=patience)():
        if not at_rest():
            return False
        with told(path, StoreError):
            merge(fresh, path)
        _pause_all(fresh, now=now, actor=actor)
        # `keep` goes again where this fails: then nothing was replaced.
        with made(keep), told(path, StoreError):
            with closing(open_file(path, "ro")) as old, closing(open_file(keep, "rw")) as copy:
                old.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE").close()
            sync_folder(keep.parent)
            _replace_content(path, fresh, patience)
    return True


def merge(fresh: Path, live: Path) -> None:
    """Have a copy of a backup know what only the queue knows that it replaces. Raises sqlite3.Error."""
    with closing(open_file(fresh, "rw")) as connection:
        connection.execute("ATTACH DATABASE ? AS live", (f"{live.as_uri()}?mode=ro",))
        connection.execute("BEGIN")
        for statement in _MERGE:
            connection.execute(statement)
        connection.execute("COMMIT")


def _pause_all(fresh: Path, *, now: datetime, actor: str) -> None:
    with closing(open_database(url_of(fresh), create=False)) as store:
        for row in store.reading.channels():
            store.changes.pause(row.name, True, now=now, actor=actor)


def _replace_content(path: Path, fresh: Path, patience: float) -> None:
    """All of it, or an error and nothing."""
    with (
        closing(open_file(fresh, "rw")) as new,
        closing(open_file(path, "ro")) as watch,
        closing(open_file(path, "rw", patience)) as live,
    ):
        prepare_sqlite(live)
        _take_page_size(new, live)
        before = _changes(watch)
        try:
            pour(new, live, patience)
            # The log is as long as the whole queue now; who reads an old page keeps it so for a while.
            live.execute("PRAGMA busy_timeout = 1000").close()
            live.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        except BaseException:
            # What came after the commit undoes nothing: the answer has to be that it is done.
            if _changes(watch) == before:
                raise


def _changes(connection: sqlite3.Connection) -> int:
    """Another number once another connection has committed. Nobody does now but we."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    return int(version)


def _take_page_size(new: sqlite3.Connection, live: sqlite3.Connection) -> None:
    """Pages of another size do not go into a file in write-ahead mode."""
    (size,) = live.execute("PRAGMA page_size").fetchone()
    if new.execute("PRAGMA page_size").fetchone() != (size,):
        new.execute("PRAGMA journal_mode = DELETE").close()
        new.execute(f"PRAGMA page_size = {int(size)}").close()
        new.execute("VACUUM").close()


def pour(new: sqlite3.Connection, live: sqlite3.Connection, patience: float) -> None:
    """Every page, in one transaction of the one that takes them."""
    until = time.monotonic() + patience

    def judge(status: int, _left: int, _all: int) -> None:
        # Python asks for a lock for ever; so does it where a program that knows no turns has it.
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and time.monotonic() > until:
            raise sqlite3.OperationalError("another program holds it")

    new.backup(live, progress=judge)
