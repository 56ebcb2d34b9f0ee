"""What machines that share a queue know of one another, on a real PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.bot.publishing.scripted import wish
from tests.servers.postgres import Postgres
from threadcast.queue.errors import LeaseLostError
from threadcast.queue.model import ChannelSeen, Claim
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.migrate import head

LONG = timedelta(minutes=3)


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    with postgres.database() as url, closing(open_database(url)) as database:
        database.changes.see_channels([ChannelSeen("news", "local", "here", "")], now=datetime.now(UTC))
        yield database


def claim(database: Database, worker: str) -> Claim:
    now = database.machines.now()
    found = database.work.claim("news", worker=worker, now=now, until=now + LONG)
    assert isinstance(found, Claim)
    return found


def silence(database: Database, name: str) -> None:
    """Let a machine not be heard of for an hour."""
    with database.transactions.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE machines SET heard = heard - interval '1 hour' WHERE name = '{name}'"  # noqa: S608
        )


def test_a_machine_is_heard_of(database: Database) -> None:
    """A beat tells the database's time, the newest event and the version of the tables."""
    database.machines.join("one", "1.0")
    beat = database.machines.beat("one")
    assert beat is not None
    assert abs(beat.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert (beat.newest, beat.version) == (0, head())
    database.threads.add([wish("news")], now=beat.at, actor="ada")
    after = database.machines.beat("one")
    assert after is not None
    assert after.newest > 0


def test_what_a_missed_machine_held_is_free(database: Database) -> None:
    """Whoever was not heard of loses its leases before they end; its fence keeps it from writing."""
    database.machines.join("one", "1.0")
    database.machines.join("two", "1.0")
    database.threads.add([wish("news")], now=database.machines.now(), actor="ada")
    lost = claim(database, "one")
    assert database.machines.miss(timedelta(seconds=6)) == ((), 0)
    silence(database, "one")
    assert database.machines.miss(timedelta(seconds=6)) == (("one",), 1)
    assert database.machines.beat("one") is None
    assert claim(database, "two").delivery.fence == lost.delivery.fence + 1
    with pytest.raises(LeaseLostError):
        database.work.renew(lost, until=database.machines.now() + LONG)


def test_what_nobody_holds_is_free(database: Database) -> None:
    """What a machine still held when it left, or claimed when it had been missed, waits for no lease."""
    database.machines.join("one", "1.0")
    database.threads.add([wish("news")], now=database.machines.now(), actor="ada")
    claim(database, "one")
    database.machines.leave("one")
    claim(database, "a zombie")
    assert database.machines.miss(timedelta(seconds=6)) == ((), 1)
    claim(database, "two")


def test_the_machines_are_listed(database: Database) -> None:
    """Each with its version, what it publishes and what it leads, until it leaves."""
    database.machines.join("one", "1.0")
    database.machines.join("two", "2.0")
    database.threads.add([wish("news")], now=database.machines.now(), actor="ada")
    number = claim(database, "two").delivery.thread_id
    assert database.machines.lead("telegram 1", "one")
    one, two = database.machines.all()
    assert (one.name, one.version, one.works_at, one.leads) == ("one", "1.0", (), ("telegram 1",))
    assert (two.name, two.version, two.works_at, two.leads) == ("two", "2.0", ((number, "news"),), ())
    database.machines.leave("one")
    assert [each.name for each in database.machines.all()] == ["two"]


def test_one_machine_leads(database: Database) -> None:
    """Of two that would lead the same one does; the other one when the first has left, or was missed."""
    for name in ("one", "two", "three"):
        database.machines.join(name, "1.0")
    assert database.machines.lead("bot", "one")
    assert not database.machines.lead("bot", "two")
    assert database.machines.lead("another bot", "two")
    database.machines.leave("one")
    assert database.machines.lead("bot", "two")
    silence(database, "two")
    database.machines.miss(timedelta(seconds=6))
    assert database.machines.lead("bot", "three")
    assert database.machines.lead("bot", "three")


def test_slots_are_taken_one_after_the_other(database: Database) -> None:
    """Whoever takes them, slots are apart, and none is before the time that was asked for."""
    now, apart = database.machines.now(), timedelta(milliseconds=100)
    slots = [database.machines.take_slot("bot", now, apart) for _ in range(3)]
    assert slots == [now, now + apart, now + 2 * apart]
    assert database.machines.take_slot("another", now, apart) == now
    assert database.machines.take_slot("bot", now + 10 * apart, apart) == now + 10 * apart
