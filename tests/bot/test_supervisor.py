"""Who started the service hears that it runs, that its loop turns, and that it stops."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from threadcast.bot.channels.build import open_channels
from threadcast.bot.data_folder import open_queue
from threadcast.bot.lifecycle.supervisor import told_until
from threadcast.bot.service import Service
from threadcast.config.settings import load

PATIENCE = 20  # seconds after which a test gives up waiting to be told


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The supervisor's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        hearing.bind(str(tmp_path / "notify"))
        hearing.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        yield hearing


async def heard(told: socket.socket) -> str:
    said = asyncio.get_running_loop().sock_recv(told, 100)
    return (await asyncio.wait_for(said, PATIENCE)).decode()


async def test_a_service_says_how_it_is(told: socket.socket, tmp_path: Path) -> None:
    """A service says that it is ready when it runs, then that it turns, and when it stops."""
    settings = load({"THREADCAST_WEB__LISTEN": "off"}, folder=tmp_path)
    async with open_queue(settings) as database, open_channels(settings, database) as channels:
        service = Service(settings, database, channels)
        running = asyncio.create_task(service.run())
        assert await heard(told) == "READY=1"
        assert [await heard(told) for _ in range(3)] == ["WATCHDOG=1"] * 3
        service.stop.ask()
        while (last := await heard(told)) == "WATCHDOG=1":
            pass
        assert last == "STOPPING=1"
        await running


async def test_a_socket_without_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket without a file is told as well; a watchdog that is another process's hears nothing."""
    name = f"threadcast-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as hearing:
        try:
            hearing.bind(f"\0{name}")
        except OSError:
            pytest.skip("there is no such namespace here")
        hearing.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        monkeypatch.setenv("WATCHDOG_USEC", "20000")
        monkeypatch.setenv("WATCHDOG_PID", "1")
        stop = asyncio.Event()
        telling = asyncio.create_task(told_until(stop))
        assert await heard(hearing) == "READY=1"
        stop.set()
        assert await heard(hearing) == "STOPPING=1"
        await telling


async def test_nobody_to_be_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nobody listens, or nobody is there to be told, the service works as ever."""
    stop = asyncio.Event()
    stop.set()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    await told_until(stop)
    monkeypatch.delenv("NOTIFY_SOCKET")
    await told_until(stop)
