"""The service as a whole, on its own loop, with one local channel."""

import asyncio
import os
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from tests.bot.publishing.scripted import wish
from tests.servers.bucket import SECRET, running
from threadcast.bot.channels.build import open_channels
from threadcast.bot.channels.port import now
from threadcast.bot.data_folder import open_queue
from threadcast.bot.service import Service, hint_at_files
from threadcast.config.settings import load
from threadcast.queue.errors import GoneError
from threadcast.queue.model import Delivery

SOON = timedelta(milliseconds=10)
WITHOUT_PAGE = {"THREADCAST_WEB__LISTEN": "off"}
PATIENCE = 20  # seconds after which a test gives up waiting for an event


async def test_a_queue_that_is_taken_away_at_rest(tmp_path: Path) -> None:
    """A service that nobody wakes finds out that its queue is gone, and ends."""
    settings = load(WITHOUT_PAGE, folder=tmp_path)
    async with open_queue(settings) as database, open_channels(settings, database) as channels:
        service = Service(settings, database, channels, look_every=SOON)
        running = asyncio.create_task(service.run())
        (settings.data / "queue.sqlite3").unlink()
        with pytest.raises(GoneError, match="was removed while it was in use"):
            await asyncio.wait_for(running, PATIENCE)


async def test_a_thread_that_outlives_its_task(tmp_path: Path) -> None:
    """What a thread still does in the queue when its task was cancelled is done before the queue closes."""
    begun, go = asyncio.Event(), threading.Event()
    done: list[str] = []
    loop = asyncio.get_running_loop()
    async with open_queue(load(WITHOUT_PAGE, folder=tmp_path)) as database:

        def read() -> None:
            with database.transactions.read():
                loop.call_soon_threadsafe(begun.set)
                assert go.wait(PATIENCE)
            done.append("read")

        reading = asyncio.create_task(asyncio.to_thread(read))
        await begun.wait()
        reading.cancel()
        loop.call_soon(go.set)
    assert done == ["read"]


async def test_a_clock_that_is_set_back(tmp_path: Path) -> None:
    """However far ahead the clock was, and its timers with it, what is added unheard is published."""
    settings = load(WITHOUT_PAGE, folder=tmp_path)
    ahead = [timedelta(days=365)]
    published = asyncio.Event()

    def see(delivery: Delivery) -> None:
        if delivery.state == "published":
            published.set()

    async with open_queue(settings) as database, open_channels(settings, database) as channels:
        service = Service(
            settings,
            database,
            channels,
            observe=see,
            clock=lambda: now() + ahead[0],
            look_every=SOON,
        )
        running = asyncio.create_task(service.run())
        await asyncio.sleep(0)
        ahead[0] = timedelta()
        database.threads.add([wish(channels[0].name, due=now())], now=now(), actor="ada")
        await asyncio.wait_for(published.wait(), PATIENCE)
        service.stop.ask()
        await asyncio.wait_for(running, PATIENCE)


@pytest.mark.parametrize(
    ("wrong", "event", "step"),
    [
        ({"secret": "wrong-secret"}, "the files of threads cannot be used", "check THREADCAST_MEDIA_SECRET"),
        ({}, "files that no thread needs stay: they may be another queue's", "a place of its own"),
    ],
)
async def test_a_store_that_is_not_ours(tmp_path: Path, wrong: dict[str, str], event: str, step: str) -> None:
    """A service says at its start that its store is closed, or another queue's: then nothing is removed."""
    told: list[structlog.typing.EventDict] = []
    heard = asyncio.Event()

    def hear(_logger: object, level: str, said: structlog.typing.EventDict) -> str:
        told.append(said)
        if level == "error":
            heard.set()
        raise structlog.DropEvent

    structlog.configure(processors=[hear])
    with running(tmp_path / "server") as server:
        owner = server.bucket / "a" / "prefix" / "queue"
        owner.parent.mkdir(parents=True)
        owner.write_text("another queue")
        spare = owner.parent / "ab" / ("ab" * 32)
        spare.parent.mkdir()
        spare.write_bytes(b"theirs")
        os.utime(spare, (1, 1))
        settings = load(server.environ(**wrong), folder=tmp_path)
        async with open_queue(settings) as database, open_channels(settings, database) as channels:
            service = Service(settings, database, channels)
            running_one = asyncio.create_task(service.run())
            await asyncio.wait_for(heard.wait(), PATIENCE)
            service.stop.ask()
            await asyncio.wait_for(running_one, PATIENCE)
        assert spare.exists()
    (said,) = [one for one in told if one["event"] == event]
    assert step in said["next"]
    assert not {SECRET, "wrong-secret"} & set(str(told).split())


@pytest.mark.parametrize(
    ("environ", "hints"),
    [
        ({}, []),
        ({"DATABASE_URL": "postgres://db.example/queue"}, ["files of threads are kept on this machine"]),
        ({"DATABASE_URL": "postgres://db.example/queue", "THREADCAST_MEDIA_URL": "s3://bucket"}, []),
    ],
)
def test_files_that_another_machine_would_not_see(
    tmp_path: Path, environ: dict[str, str], hints: list[str]
) -> None:
    """On a database that several machines may share, files in a folder are a hint at the start."""
    with structlog.testing.capture_logs() as said:
        hint_at_files(load(environ, folder=tmp_path))
    assert [one["event"] for one in said] == hints
