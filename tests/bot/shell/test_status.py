"""`threadcast status`: how things stand, and the machines that share a queue."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.bot.shell.typed import THREAD, Shell
from tests.servers.postgres import Postgres
from threadcast.bot.shell import context
from threadcast.queue.model import Claim
from threadcast.queue.store.database import Database, open_database


@pytest.fixture
def database(shell: Shell, postgres: Postgres) -> Iterator[Database]:
    """The queue of the shell, on a server."""
    with postgres.database() as url, closing(open_database(url)) as database:
        shell.env["THREADCAST_DATABASE_URL"] = url
        yield database


def test_the_status_of_one_machine(shell: Shell) -> None:
    """It says what `threadcast` alone says; no machines are listed, for one service works on a file."""
    shell.ok("add", shell.write(THREAD))
    assert shell.ok("status") == shell.ok()
    stands = shell.json("status")
    assert stands["running"] is False
    assert stands["counts"] == {"queued": 2}
    assert stands["machines"] == []


def test_the_machines_are_listed(shell: Shell, database: Database) -> None:
    """Each with its name and version, what it publishes and what it hears."""
    shell.ok("add", shell.write(THREAD))
    assert "not running" in shell.ok()
    for name in ("harbour:7:aa", "island:9:bb"):
        database.machines.join(name, "1.2.3")
    database.machines.lead("telegram 123456", "harbour:7:aa")
    now = database.machines.now()
    until = now + timedelta(minutes=3)
    assert isinstance(database.work.claim("news", worker="island:9:bb", now=now, until=until), Claim)
    said = shell.ok("status")
    assert "running" in said
    assert "not running" not in said
    harbour, island = (line for line in said.splitlines() if line.startswith("machine "))
    assert "harbour:7:aa (1.2.3), since " in harbour
    assert "publishes nothing now, hears telegram 123456; last heard of " in harbour
    assert "publishes #1 on news; last heard of " in island
    one, two = shell.json("status")["machines"]
    assert (one["name"], one["version"], one["leads"]) == ("harbour:7:aa", "1.2.3", ["telegram 123456"])
    assert two["works_at"] == [[1, "news"]]


def test_a_command_is_by_the_databases_clock(
    shell: Shell, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is added is due by the clock of the database, whatever this machine's says."""
    monkeypatch.setattr(context, "now", lambda: datetime.now(UTC) + timedelta(hours=1))
    shell.ok("add", "--at", "in 2h", shell.write(THREAD))
    for one in database.reading.deliveries():
        assert abs(one.due - database.machines.now() - timedelta(hours=2)) < timedelta(minutes=5)
