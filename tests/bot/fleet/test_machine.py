"""A machine among others: heard of, missed, replaced; and its clock."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.servers.postgres import Postgres
from threadcast.bot.fleet import machine
from threadcast.bot.fleet.clock import DatabaseClock
from threadcast.bot.fleet.machine import ThisMachine, Told
from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.store.database import Database, open_database

PATIENCE = 30  # seconds after which a test gives up waiting for an event


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    with postgres.database() as url, closing(open_database(url)) as database:
        yield database


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the patience."""
    monkeypatch.setattr(machine, "BEAT", 0.15)
    monkeypatch.setattr(machine, "MISSED", timedelta(seconds=0.9))
    monkeypatch.setattr(machine, "SURE", 0.6)


@dataclass
class Heard:
    """What a service was told, in order."""

    words: list[str] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    def told(self, *parts: str) -> Told:
        async def changed() -> None:
            self.words.append("changed")

        def say(word: str) -> Callable[..., None]:
            return lambda *_: self.words.append(word)

        return Told(changed, say("look"), say("ended"), dict.fromkeys(parts or ("bot",), self))

    async def begin(self) -> None:
        self.words.append("lead")

    async def abandon(self) -> None:
        self.words.append("follow")

    async def wait(self, word: str, count: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.words.count(word) < count:  # noqa: ASYNC110  # it is told from elsewhere
                await asyncio.sleep(0.01)


def silence(database: Database, name: str) -> None:
    with database.transactions.write() as connection:
        connection.exec_driver_sql(
            f"UPDATE machines SET heard = heard - interval '1 hour' WHERE name = '{name}'"  # noqa: S608
        )


async def test_the_clock_is_the_databases(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever time it is on the machine, the clock shows the database's, and counts on from there."""
    clock = DatabaseClock(database).measure()
    assert abs(clock() - database.machines.now()) < timedelta(seconds=1)
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + 3600)
    assert abs(clock() - database.machines.now() - timedelta(hours=1)) < timedelta(seconds=1)


def test_a_late_answer_does_not_set_the_clock_back(database: Database) -> None:
    """An answer that agrees with the time counted so far, within the time it took, changes nothing."""
    clock = DatabaseClock(database)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    clock.set(moment, time.monotonic())
    before = clock()
    clock.set(moment - timedelta(seconds=1), time.monotonic() - 10)
    assert clock() >= before


async def test_another_machine_is_missed(database: Database) -> None:
    """What a silent machine held is looked for, once this one has been heard of for long enough itself."""
    database.machines.join("frozen", "1.0")
    silence(database, "frozen")
    heard, here = Heard(), ThisMachine(database, DatabaseClock(database))
    await here.join()
    running = asyncio.create_task(here.run(heard.told()))
    await heard.wait("look")
    running.cancel()
    assert [one.name for one in database.machines.all()] == [here.name]


async def test_a_machine_that_was_missed_begins_anew(database: Database) -> None:
    """It holds nothing of what it held, leads nothing any more, and is one of the machines again."""
    heard, here = Heard(), ThisMachine(database, DatabaseClock(database))
    await here.join()
    before = here.holding()
    assert before()
    running = asyncio.create_task(here.run(heard.told("bot", "hooks")))
    await heard.wait("lead", 2)
    assert [one.leads for one in database.machines.all()] == [("bot", "hooks")]
    database.machines.leave(here.name)  # as another one does that misses it
    await heard.wait("look")
    after = here.holding()
    running.cancel()
    assert heard.words[: heard.words.index("look")].count("follow") == 2
    assert not before()
    assert after()
    assert [one.name for one in database.machines.all()] == [here.name]


async def test_nothing_is_sent_while_nobody_hears_of_it(database: Database) -> None:
    """A machine that could not be heard of for a while does not take what it holds for its own."""
    here = ThisMachine(database, DatabaseClock(database))
    await here.join()
    holding = here.holding()
    assert holding()
    async with asyncio.timeout(PATIENCE):
        while holding():  # noqa: ASYNC110  # time alone brings it
            await asyncio.sleep(0.01)


async def test_its_own_clock_is_set(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Timers of a machine whose clock is set are late or early by as much: all that waits is looked at."""
    heard, here = Heard(), ThisMachine(database, DatabaseClock(database))
    await here.join()
    running = asyncio.create_task(here.run(heard.told()))
    await heard.wait("changed")
    assert "look" not in heard.words
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600)
    await heard.wait("look")
    running.cancel()


async def test_newer_tables_end_it(database: Database) -> None:
    """A machine is told when the tables have become a newer program's."""
    heard, here = Heard(), ThisMachine(database, DatabaseClock(database))
    await here.join()
    with database.transactions.write() as connection:
        connection.exec_driver_sql("UPDATE threadcast_version SET version_num = '9999'")
    running = asyncio.create_task(here.run(heard.told()))
    await heard.wait("ended")
    running.cancel()


async def test_a_database_that_is_away_is_waited_for(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the database does not answer nobody is missed; then everybody has time to be heard of."""
    heard, here = Heard(), ThisMachine(database, DatabaseClock(database))
    await here.join()
    database.machines.join("other", "1.0")
    silence(database, "other")
    beat, away, asked = database.machines.beat, True, asyncio.Semaphore(0)
    loop = asyncio.get_running_loop()

    def answer(name: str) -> object:
        if away:
            loop.call_soon_threadsafe(asked.release)
            raise StoreError(Fault.UNREACHED, place="x", cause="y")
        return beat(name)

    monkeypatch.setattr(database.machines, "beat", answer)
    running = asyncio.create_task(here.run(heard.told()))
    for _ in range(4):
        await asked.acquire()
    assert heard.words == []
    away = False
    await heard.wait("changed")
    assert "look" not in heard.words
    await heard.wait("look")
    running.cancel()
