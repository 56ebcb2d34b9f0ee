"""Hints where to look, through the jobs of a real PostgreSQL: any machine takes them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from threading import Event, Thread, current_thread

import psycopg
import pytest

from tests.servers.postgres import Postgres
from threadcast.bot.channels.port import now
from threadcast.bot.fleet import jobs as fleet_jobs
from threadcast.bot.fleet.jobs import Jobs, put_hints
from threadcast.bot.fleet.machine import any_heard_of
from threadcast.queue.errors import StoreError
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.fleet.jobs import SCHEMA, require_jobs
from threadcast.queue.store.migrate import upgrade

PATIENCE = 30  # seconds after which a test gives up waiting for an event
GIVEN = f"SELECT count(*) FROM {SCHEMA}.procrastinate_jobs"  # noqa: S608


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    with closing(open_database(url)) as database:
        yield database


class Looks:
    """The channels that were looked at."""

    def __init__(self, *known: str) -> None:
        self._known = known
        self.seen: list[str] = []

    def publish(self, channel: str) -> bool:
        if channel in self._known:
            self.seen.append(channel)
        return channel in self._known

    async def wait(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not done():  # noqa: ASYNC110  # jobs come from elsewhere
                await asyncio.sleep(0.01)


@asynccontextmanager
async def working(jobs: Jobs, looks: Looks) -> AsyncIterator[None]:
    task = asyncio.create_task(jobs.run(looks.publish))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def waiting(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(f"SELECT args->>'channel' FROM {SCHEMA}.procrastinate_jobs")  # noqa: S608
        return sorted(row[0] for row in rows)


@pytest.fixture
def handed_on_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a machine does not know is offered again until another takes it, which is chance."""
    monkeypatch.setattr(fleet_jobs, "HAND_ON", timedelta())
    monkeypatch.setattr(fleet_jobs, "TRIES", 10**6)


@pytest.mark.usefixtures("handed_on_at_once")
async def test_a_hint_reaches_another_machine(url: str) -> None:
    """What one machine is told, another one looks at."""
    looks = Looks("news", "daily")
    one, two = (Jobs(url, list, now) for _ in range(2))
    async with working(one, Looks()), working(two, looks):
        one.dispatch(["news", "daily"])
        await looks.wait(lambda: sorted(looks.seen) == ["daily", "news"])


async def test_a_command_reaches_a_machine(url: str, database: Database) -> None:
    """What a shell changed is looked at, and it knows whether a machine is there to do so."""
    looks = Looks("news")
    await asyncio.to_thread(put_hints, url, ["news"])
    assert not any_heard_of(database)
    database.machines.join("one", "1.0")
    assert any_heard_of(database)
    async with working(Jobs(url, list, now), looks):
        await looks.wait(lambda: looks.seen == ["news"])


def test_one_hint_waits_for_each_channel(url: str) -> None:
    """However often a channel is changed while nobody looks, one hint waits; those beside it come too."""
    for channels in (["a"], ["a", "b"], ["a", "b", "c"], ["c"]):
        put_hints(url, channels)
    assert waiting(url) == ["a", "b", "c"]


@pytest.mark.usefixtures("handed_on_at_once")
async def test_a_channel_that_a_machine_does_not_know(url: str) -> None:
    """It is handed on, until a machine is asked that knows it."""
    stranger, looks = Looks(), Looks("news")
    one, two = (Jobs(url, list, now) for _ in range(2))
    async with working(one, stranger):
        one.dispatch(["news"])
        async with working(two, looks):
            await looks.wait(lambda: looks.seen == ["news"])


def test_a_machine_that_halts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that halts before the hint it gives is committed keeps no other from giving the same."""
    halted, goes_on = Event(), Event()
    told: list[bool] = []
    frozen = Thread(target=put_hints, args=(url, ["news"]))
    commit = psycopg.Connection.commit

    def halt(connection: psycopg.Connection) -> None:
        if current_thread() is frozen and connection.execute(GIVEN).fetchone() == (1,):
            halted.set()
            told.append(goes_on.wait(PATIENCE))
        commit(connection)

    monkeypatch.setattr(psycopg.Connection, "commit", halt)
    frozen.start()
    assert halted.wait(PATIENCE)
    put_hints(url, ["news"])
    goes_on.set()
    frozen.join(PATIENCE)
    assert told == [True]
    assert waiting(url) == ["news"]


async def test_what_waits_is_left_to_the_others(url: str) -> None:
    """A machine that goes has all looked at for which it may have set a timer."""
    await Jobs(url, lambda: ["news", "daily"], now).finish()
    assert waiting(url) == ["daily", "news"]


async def test_a_cut_connection(url: str) -> None:
    """When every connection was broken, hints arrive again."""
    looks = Looks("a", "b")
    jobs = Jobs(url, list, now)
    async with working(jobs, looks):
        jobs.dispatch(["a"])
        await looks.wait(lambda: looks.seen == ["a"])
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        jobs.dispatch(["b"])
        await looks.wait(lambda: looks.seen == ["a", "b"])


def test_other_tables_of_jobs_are_made_anew(url: str) -> None:
    """Where the library's tables are other ones, a service does not begin, and `migrate` makes them anew."""
    require_jobs(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS 'older'")
    with pytest.raises(StoreError, match="migrate"):
        require_jobs(url)
    upgrade(url)
    require_jobs(url)
