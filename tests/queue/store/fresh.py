"""A new queue on a temporary SQLite file, for tests of whatever stands on one."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.migrate import upgrade
from threadcast.queue.store.notes import Notes

# In memory where the machine has a folder there: no test that takes one of these cuts the power.
_MEMORY = Path("/dev/shm")  # noqa: S108  # the file's name is drawn by tempfile
_opened: list[tuple[Database, tempfile.TemporaryDirectory[str]]] = []


@cache
def empty_file() -> bytes:
    """An SQLite file with tables: copied, since making them takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "queue.db"
        upgrade(f"sqlite:///{path}")
        return path.read_bytes()


def fresh_database() -> Database:
    """An empty queue, closed and forgotten after the test."""
    folder = _folder()
    database = open_database(fresh_file(Path(folder.name)))
    _opened.append((database, folder))
    return database


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None)


@contextmanager
def in_memory() -> Iterator[Path]:
    """A folder for what does not outlive its test."""
    with _folder() as folder:
        yield Path(folder)


def fresh_file(folder: Path) -> str:
    """The URL of a new SQLite file with tables in this folder."""
    path = folder / "queue.db"
    path.write_bytes(empty_file())
    return f"sqlite:///{path}"


def fresh_notes() -> Notes:
    """The notes of an empty queue, closed and forgotten after the test."""
    return fresh_database().notes


def close_all() -> None:
    """Close what the test opened."""
    while _opened:
        database, folder = _opened.pop()
        database.close()
        folder.cleanup()
