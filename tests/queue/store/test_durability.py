"""What is confirmed is on the disk; what was taken away is saved while it still can be."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.contract.store.samples import NOON, new
from tests.contract.store.steps import advance, intend, started
from tests.servers.postgres import Postgres
from threadcast.queue.errors import GoneError, StoreError
from threadcast.queue.store.backup import require_sound
from threadcast.queue.store.database import open_database
from threadcast.queue.store.engine import doubts, make_engine


def test_a_server_that_does_not_wait_for_its_disk(postgres: Postgres) -> None:
    """A PostgreSQL whose commits do not wait for the disk is told, with the command that mends it."""
    with postgres.database() as url:
        switch(url, "on")
        assert "synchronous_commit" not in " ".join(one.what for one in doubts(url))
        switch(url, "off")
        (doubt, *_) = doubts(url)
        assert doubt.what == "commits do not wait for the disk (synchronous_commit = off)"
        assert "ALTER ROLE … SET synchronous_commit = on" in doubt.advice
        require_sound(url)  # a server looks after its own pages


def switch(url: str, value: str) -> None:
    engine = make_engine(url, create=False)
    with engine.begin() as connection:
        name = connection.scalar(text("SELECT current_database()"))
        connection.execute(text(f'ALTER DATABASE "{name}" SET synchronous_commit = {value}'))
    engine.dispose()


def test_a_file_is_beyond_doubt(tmp_path: Path) -> None:
    """An SQLite file waits for the disk by our own settings: there is nothing to warn of."""
    assert doubts(f"sqlite:///{tmp_path}/queue.db") == ()


def test_nothing_is_told_to_a_file_that_has_gone(tmp_path: Path) -> None:
    """A queue whose file was taken away or replaced neither reads nor writes, not in mid chain either."""
    path = tmp_path / "queue.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        claimed = started(database, 3)
        intend(database, claimed)
        advance(database, claimed)
        path.unlink()
        with pytest.raises(GoneError, match=r"queue\.db was removed while it was in use"):
            advance(database, claimed, 2)
        with pytest.raises(GoneError):
            database.reading.deliveries()
        path.write_bytes(b"")
        with pytest.raises(GoneError, match="was replaced by another file"):
            database.threads.add([new("B")], now=NOON, actor="ada")


def test_what_a_removed_file_left_beside_it(tmp_path: Path) -> None:
    """The log of a file that was removed is not taken for that of the new one in its place."""
    path = tmp_path / "queue.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        database.threads.add([new("A")], now=NOON, actor="ada")
        path.unlink()
        with closing(open_database(f"sqlite:///{path}")) as fresh:
            assert fresh.reading.deliveries() == ()


def test_a_page_that_is_damaged(tmp_path: Path) -> None:
    """Looking through a file finds a damaged page wherever it is, and changes nothing."""
    path = tmp_path / "queue.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        database.threads.add([new(f"thread {number}") for number in range(300)], now=NOON, actor="ada")
    require_sound(f"sqlite:///{path}")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size - 4096)
        file.write(b"\xff" * 4096)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"queue\.db is damaged .*; put back a copy of it"):
        require_sound(f"sqlite:///{path}")
    path.write_bytes(b"no database at all")
    with pytest.raises(StoreError, match=r"queue\.db is damaged"):
        require_sound(f"sqlite:///{path}")
    assert before
