"""The real service on its own loop, with a clock that was set, between people and a Bot API server."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import httpx
import pytest

from tests.bot.chat.direct import Direct
from tests.queue.store.fresh import empty_file
from tests.servers.http import PATIENCE
from tests.servers.telegram.chats import Chat
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot import wake
from threadcast.bot.channels.build import open_channels
from threadcast.bot.data_folder import make_folder, open_queue
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.bot.service import Service
from threadcast.config.settings import DATABASE, Settings, load
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database

START = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)  # a Monday, noon in Berlin

GROUP = -1_000_000_000_042
PEOPLE = {"Ada": 1111, "Bob": 2222, "Eddie": 3333, "Eve": 6666}
CHANNEL = {"CHANNELS__NEWS__KIND": "telegram", "CHANNELS__NEWS__CHAT": "@my_channel"}
BASE = {
    "TELEGRAM__TOKEN": TOKEN,
    "TELEGRAM__RATE": "1000",  # this server has none of Telegram's limits
    "TELEGRAM__ADMINS": "1111",
    "TELEGRAM__EDITORS": "3333",
    "TIMEZONE": "Europe/Berlin",
}


CERTIFICATES = httpx.create_ssl_context()


class SetClock:
    """A clock that goes as clocks do, from where it was set to."""

    def __init__(self, moment: datetime = START) -> None:
        self._set = moment
        self._since = time.monotonic()

    def __call__(self) -> datetime:
        return self._set + timedelta(seconds=time.monotonic() - self._since)

    def advance(self, step: timedelta) -> None:
        self._set += step


class SetTimer:
    """A timer that stands still until it is advanced: what waits for it waits for the transcript."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Stand:
    """One service and the people around it. `given` are its variables, without the prefix.

    Its reports are as calm as they are for everybody, or wait for a `timer` to be advanced. With `direct` its
    calls need no sockets.
    """

    def __init__(
        self,
        folder: Path,
        given: Mapping[str, str],
        *,
        bare: bool = False,
        timer: SetTimer | None = None,
        direct: bool = False,
    ) -> None:
        self.folder = folder
        self.server = TelegramServer()
        self.clock = SetClock()
        self.timer = timer
        self._direct = direct
        self._stack = ExitStack()
        self._given = {**BASE, **({} if bare else CHANNEL), **given}
        self._service: Service | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.database: Database | None = None
        self.groups: list[Chat] = []
        self.code = ""  # of the newest link that lets somebody in

    def __enter__(self) -> Self:
        self._stack.enter_context(self.server)
        self.bot = self.server.add_bot()
        names = [value for name, value in self._given.items() if name.endswith("__CHAT")]
        self.channels = {
            one: self.server.add_chat(username=one[1:]) for one in dict.fromkeys(["@my_channel", *names])
        }
        self.channel = self.channels["@my_channel"]
        self.people: dict[str, Person] = {
            name: self.server.person(name, number) for name, number in PEOPLE.items()
        }
        for name in ("Ada", "Bob", "Eddie"):
            self.people[name].starts()
            self.people[name].deletes(self.people[name].messages()[0])
        self.forget_updates()
        # What takes long and is the same for each: certificates that nobody here asks for, and tables.
        patched = self._stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(httpx, "create_ssl_context", lambda: CERTIFICATES)
        if self._direct:
            patched.setattr(httpx, "AsyncHTTPTransport", lambda *_, **__: Direct(self.server))
        make_folder(self.settings.data)
        queue = self.settings.data / DATABASE
        if not queue.exists():
            queue.write_bytes(empty_file())
        self.start()
        self._stack.callback(self.stop)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def forget_updates(self) -> None:
        """What was said while the stage was set is heard by nobody."""
        with self.server.changed:
            for waiting in self.server.api.updates.waiting.values():
                waiting.clear()

    def chat_of(self, channel: str) -> Chat:
        """Where a Telegram channel publishes."""
        return self.channels[self._given[f"CHANNELS__{channel.upper()}__CHAT"]]

    def wait_until_heard(self) -> None:
        """Wait until the service has dealt with all that people did."""
        self.server.wait_for(lambda server: not server.api.updates.waiting[self.bot.id], PATIENCE)

    @property
    def settings(self) -> Settings:
        given = {f"THREADCAST_{name}": value for name, value in self._given.items()}
        given["THREADCAST_TELEGRAM__API_URL"] = self.server.url
        given.setdefault("THREADCAST_WEB__LISTEN", "off")  # one port, and many services at once
        return load(given, folder=self.folder)

    def found_group(self, *people: Person) -> None:
        """A group of these people and the bot; its id is -1000000000042, for `with TELEGRAM__GROUP=…`."""
        group = self.server.group("The newsroom", *people)
        with self.server.changed:
            del self.server.api.chats[group.id]
            group.id = GROUP
            self.server.api.chats[GROUP] = group
        self.groups.append(group)
        self.forget_updates()

    def wait_for_state(self, thread: int, channel: str, state: DeliveryState) -> None:
        """Wait until a delivery stands so, as the service's own queue has it."""
        self.wait_until(thread, channel, lambda one: one.state is state)

    def wait_until(self, thread: int, channel: str, holds: Callable[[Delivery], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        assert self.database is not None
        while True:
            found = self.database.reading.deliveries(thread_id=thread)
            if any(one.channel == channel and holds(one) for one in found):
                return
            assert time.monotonic() < deadline, f"thread {thread} is {found}"
            with self.server.changed:
                self.server.changed.wait(0.05)

    def wake(self) -> None:
        """A clock was set: look at the queue."""
        wake.wake_service(self.settings.data)

    def in_a_shell(self, request: Callable[[Requests], object]) -> None:
        """Ask for something as somebody does in a shell on the same machine, beside the service."""

        async def ask() -> None:
            settings = self.settings
            async with (
                open_queue(settings) as database,
                open_channels(settings, database, self.clock) as channels,
            ):
                request(build_requests(settings, database, channels, actor="cli:ada", clock=self.clock))

        asyncio.run(ask())

    @property
    def is_running(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        """Start the service, and wait until it runs."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(ready)), name="service", daemon=True
        )
        self._thread.start()
        assert ready.wait(PATIENCE)

    def stop(self) -> None:
        """Stop it as SIGTERM does."""
        if self._thread is None:
            return
        assert self._loop is not None
        assert self._service is not None
        self._loop.call_soon_threadsafe(self._service.stop.ask)
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self._thread = None

    async def _run(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        settings = self.settings
        async with open_queue(settings) as database:
            self.database = database
            async with open_channels(settings, database, self.clock) as channels:
                self._service = Service(
                    settings, database, channels, clock=self.clock, timer=self.timer or time.monotonic
                )
                self._loop.call_soon(ready.set)
                await self._service.run()


@contextmanager
def standing(
    folder: Path,
    given: Mapping[str, str],
    *,
    bare: bool = False,
    timer: SetTimer | None = None,
    direct: bool = False,
) -> Iterator[Stand]:
    """A stand, for as long as this is open."""
    with Stand(folder, given, bare=bare, timer=timer, direct=direct) as stand:
        yield stand
