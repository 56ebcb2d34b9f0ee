"""Files that are no queue of ours to work with: damaged, foreign, newer. Told, and not touched."""

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.house import House, thread_text

pytestmark = pytest.mark.e2e


def noise(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(path.stat().st_size))  # noqa: S311  # the same noise each time


def half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def odd_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(16)
        file.write(b"\x00\x03")  # a page size that is none


def a_text(path: Path) -> None:
    path.write_text("1/ I am no database.\n2/ Nor shall I become one. /end\n" * 40, encoding="utf-8")


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE threadcast_version SET version_num = '9999'")


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE recipes (name TEXT)")


DAMAGED = "put back a copy"


@pytest.mark.parametrize(
    ("harm", "cause", "step"),
    [
        (noise, "is not an SQLite database", "name another file, or move this one away"),
        (half, "is damaged", DAMAGED),
        (odd_header, "is not an SQLite database", "name another file, or move this one away"),
        (a_text, "is not an SQLite database", "name another file, or move this one away"),
        (newer, "was made by a newer Threadcast (version 9999", "use the newer program"),
        (foreign, "holds another program's tables (recipes)", "name another database"),
    ],
)
def test_told_and_left_alone(house: House, harm: Callable[[Path], None], cause: str, step: str) -> None:
    """Each command names file, cause and next step, exits with 5, and leaves every byte as it was."""
    house.command("add", house.write(thread_text(1, 3)))
    path = house.folder / "threadcast-data" / "queue.sqlite3"
    harm(path)
    before = path.read_bytes()
    for words in (["add", "threads.txt"], ["queue"], ["run"]):
        done = house.command(*words)
        assert done.returncode == 5, (words, done.stderr)
        assert f"the database {path} {cause}" in done.stderr
        assert step in done.stderr
        assert "Traceback" not in done.stderr
        assert path.read_bytes() == before
    assert house.on_telegram() == []


def test_a_bad_page_inside(house: House) -> None:
    """A service looks through the whole file before it relies on it; so does `check`."""
    house.command("add", house.write("".join(thread_text(number, 40) for number in range(1, 60))))
    path = house.folder / "threadcast-data" / "queue.sqlite3"
    with path.open("r+b") as file:
        file.seek(path.stat().st_size * 3 // 4 // 4096 * 4096)
        file.write(b"\xff" * 4096)
    before = path.read_bytes()
    done = house.command("run")
    assert done.returncode == 5
    assert f"the database {path} is damaged" in done.stderr
    assert "threadcast restore FILE" in done.stderr
    assert "is damaged" in house.command("check").stdout
    assert path.read_bytes() == before
    assert house.on_telegram() == []


def test_a_crash_of_the_newer_one(house: House) -> None:
    """What a crash left beside a newer Threadcast's file is not tidied up by the older one."""
    house.command("add", house.write(thread_text(1, 3)))
    path = house.folder / "threadcast-data" / "queue.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA wal_autocheckpoint = 0").close()
        with database:
            database.execute("UPDATE threadcast_version SET version_num = '9999'")
        files = {side: Path(f"{path}{side}").read_bytes() for side in ("", "-wal")}
    for side, content in files.items():  # as they were before the other one ended well
        Path(f"{path}{side}").write_bytes(content)
    for words in (["add", "threads.txt"], ["run"]):
        done = house.command(*words)
        assert done.returncode == 5
        assert "newer Threadcast" in done.stderr
    assert {side: Path(f"{path}{side}").read_bytes() for side in files} == files
