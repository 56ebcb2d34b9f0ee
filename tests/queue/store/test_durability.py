"""What is confirmed is on the disk; what was taken away is saved while it still can be."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.contract.store.samples import NOON, new
from tests.contract.store.steps import advance, intend, started
from tests.servers.postgres import Postgres
from threadcast.queue.model import GoneError, StoreError
from threadcast.queue.states import PostState
from threadcast.queue.store.copies import require_sound
from threadcast.queue.store.database import open_database
from threadcast.queue.store.durability import doubts
from threadcast.queue.store.engine import make_engine


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


def test_a_file_that_goes_in_the_middle_of_a_chain(tmp_path: Path) -> None:
    """The next step of a chain is refused where the file has gone; put back, it goes on from there."""
    path = tmp_path / "queue.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        claimed = started(database, 3)
        intend(database, claimed)
        advance(database, claimed)
        path.rename(tmp_path / "away.db")
        with pytest.raises(GoneError, match=r"queue\.db was removed while it was in use"):
            advance(database, claimed, 2)
        (tmp_path / "away.db").rename(path)
    with closing(open_database(f"sqlite:///{path}")) as database:
        states = [post.state for post in database.reading.posts(claimed.delivery.id)]
    assert states == [PostState.SENT, PostState.SENDING, PostState.PLANNED]


def test_nothing_is_told_to_a_file_that_has_gone(tmp_path: Path) -> None:
    """A queue whose file was taken away neither reads nor writes; the next one begins empty."""
    path = tmp_path / "queue.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        database.threads.add([new("A")], now=NOON, actor="ada")
        path.unlink()
        with pytest.raises(GoneError, match=r"queue\.db was removed while it was in use"):
            database.threads.add([new("B")], now=NOON, actor="ada")
        with pytest.raises(GoneError):
            database.reading.deliveries()
    with closing(open_database(f"sqlite:///{path}")) as database:
        assert database.reading.deliveries() == (), "what was lost does not come back out of side files"


def test_another_file_in_its_place(tmp_path: Path) -> None:
    """A file that was put in the place of the one in use is neither read nor written."""
    path = tmp_path / "queue.db"
    with closing(open_database(f"sqlite:///{path}")) as database:
        path.rename(tmp_path / "away.db")
        path.write_bytes(b"mine")
        with pytest.raises(GoneError, match="was replaced by another file"):
            database.reading.deliveries()
    assert path.read_bytes() == b"mine"


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
