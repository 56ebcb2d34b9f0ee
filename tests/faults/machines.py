"""Machines that share a queue: a PostgreSQL, services that each reach it by a way of their own, a Bot API.

The ways can be cut and stopped; services can be killed, frozen and started again with a wrong clock.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Self
from urllib.parse import parse_qs, urlsplit

from tests.e2e.fork import Fork
from tests.e2e.house import Process
from tests.faults.judge import Recorded, Seen, Verdict, judge
from tests.faults.shifted import main as shifted
from tests.servers.http import Answer, Request
from tests.servers.postgres import Postgres
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.build import build_channels
from threadcast.bot.fleet.clock import clock_of
from threadcast.bot.requests.input import Intake
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.config.settings import load
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.text.parse import parse

PATIENCE = 120.0  # seconds that something may take on a busy machine
LOOK = 0.02


class TimedTelegram(TelegramServer):
    """Notes the moment at which each post arrived, by `time.monotonic`, with its chat."""

    def __init__(self) -> None:
        super().__init__()
        self.arrivals: list[tuple[float, str]] = []

    def answer(self, request: Request) -> Answer:
        if request.path.endswith("/sendMessage"):
            chat = request.form.get("chat_id", [""])[0]
            if chat.startswith("@"):
                self.arrivals.append((time.monotonic(), chat))
        return super().answer(request)


class Way:
    """The way of one machine to the database: a port that leads to its socket, until it is cut or stopped."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._flows = threading.Event()
        self._flows.set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self._flows.set()
        self.cut()

    def cut(self) -> None:
        """Break every connection; new ones are made at once."""
        with self._guard:
            for one in self._open:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def stop(self) -> None:
        """Let nothing through, and say nothing of it, until `go_on`."""
        self._flows.clear()

    def go_on(self) -> None:
        self._flows.set()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._listener.accept()
                there = socket.socket(socket.AF_UNIX)
                try:
                    there.connect(self._target)
                except OSError:
                    here.close()
                    there.close()
                    continue
                with self._guard:
                    self._open |= {here, there}
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=self._pump, args=ends, daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            with self._guard:
                self._open.discard(one)
        source.close()


class Machine:
    """One service, started again and again."""

    def __init__(self, number: int, folder: Path, env: dict[str, str], way: Way) -> None:
        self.name = f"machine {number}"
        self.way = way
        self._env = env
        self._folder = folder
        self._process: Process | None = None
        self.lines: list[str] = []  # of all its services that ended

    def start(self, clock: float = 0) -> None:
        """Begin to work, with a clock that is wrong by so many seconds."""
        if self._process is not None:
            self._process.put_an_end()
            self.lines += self._process.lines
        self._process = Process(Fork(shifted, [str(clock), "run"], folder=self._folder, env=self._env))

    def wait_until_it_runs(self) -> None:
        self.process.wait_for("running")

    @property
    def process(self) -> Process:
        assert self._process is not None
        return self._process

    def kill(self) -> None:
        """As SIGKILL and a power cut do."""
        self.process.put_an_end()

    def stop(self) -> int:
        """As a supervisor does; gives the exit code."""
        self.thaw()
        return self.process.stop()

    def freeze(self) -> None:
        self.process.popen.send_signal(SIGSTOP)

    def thaw(self) -> None:
        self.process.popen.send_signal(SIGCONT)

    def said(self) -> list[str]:
        """What it has said since its first start."""
        return [*self.lines, *self.process.lines]

    @property
    def id(self) -> str:
        """What it is called among the machines: the name that it said last."""
        lines = [line for line in self.process.lines if "joined the machines" in line]
        return lines[-1].partition('"machine": "')[2].partition('"')[0]


class Machines:
    """Several machines, the channels `c0`, `c1` … of one bot, and requests as a shell would ask them."""

    def __init__(
        self,
        folder: Path,
        url: str,
        telegram: TimedTelegram,
        *,
        machines: int,
        channels: int,
        rate: float,
        more: dict[str, str],
        stack: ExitStack,
    ) -> None:
        self.telegram = telegram
        telegram.add_bot()
        self.owner = telegram.add_chat("private")
        self.chats = [telegram.add_chat(username=f"channel_{number}") for number in range(channels)]
        self.names = [f"c{number}" for number in range(channels)]
        folder.mkdir(exist_ok=True)
        tables = (f'[{name}]\nkind = "telegram"\nchat = "@channel_{name[1:]}"\n' for name in self.names)
        (folder / "channels.toml").write_text("".join(tables), encoding="utf-8")
        self.env = {
            "THREADCAST_TELEGRAM__TOKEN": TOKEN,
            "THREADCAST_TELEGRAM__API_URL": telegram.url,
            "THREADCAST_TELEGRAM__RATE": f"{rate:g}",
            "THREADCAST_TELEGRAM__ADMINS": str(self.owner.id),
            "THREADCAST_CHANNELS_FILE": str(folder / "channels.toml"),
            "THREADCAST_LOG_FORMAT": "json",
            "THREADCAST_DATABASE_URL": url,
            **more,
        }
        parts = urlsplit(url)
        at = f"{parse_qs(parts.query)['host'][0]}/.s.PGSQL.5432"
        self.machines: list[Machine] = []
        for number in range(machines):
            way = stack.enter_context(Way(at))
            home = folder / f"machine-{number}"
            home.mkdir()
            mine = f"postgresql://{parts.username}@127.0.0.1:{way.port}{parts.path}"
            env = {**self.env, "THREADCAST_DATABASE_URL": mine, "THREADCAST_DATA": str(home / "data")}
            self.machines.append(Machine(number, home, env, way))
        self._settings = load(self.env, folder=folder)
        self.database: Database = stack.enter_context(closing(open_database(url)))

    def requests(self) -> Requests:
        """What a shell on yet another machine would ask."""
        clock = clock_of(self.database)
        channels = build_channels(self._settings)
        return build_requests(self._settings, self.database, channels, actor="tests", clock=clock)

    def add(self, text: str, names: Sequence[str] = (), requests: Requests | None = None) -> None:
        """Queue the threads of a text on these channels, or on all."""
        intake = Intake("tests", tuple(parse(text)), text)
        (requests or self.requests()).threads.add([intake], channels=list(names or self.names))

    def posts(self) -> int:
        with self.telegram.changed:
            return sum(len(chat.messages) for chat in self.chats)

    def states(self) -> dict[str, int]:
        """How many deliveries are in each state. Raises StoreError."""
        found: dict[str, int] = {}
        for one in self.database.reading.deliveries():
            found[one.state] = found.get(one.state, 0) + 1
        return found

    def judge(self, number: int, chains: Sequence[Sequence[str]]) -> Verdict:
        """What a reader of a channel sees, against what had to be there."""
        return judge(self.seen(number), chains)

    def seen(self, number: int) -> list[Seen]:
        return [
            (str(one.id), None if one.reply_to is None else str(one.reply_to), one.text)
            for one in self.telegram.seen(self.chats[number])
        ]

    def recorded(self, number: int) -> Recorded:
        """What the queue says of a channel."""
        states: dict[str, int] = {}
        posts: set[Seen] = set()
        mine = self.database.reading.deliveries(channel=self.names[number])
        for one in mine:
            states[one.state] = states.get(one.state, 0) + 1
        for records in self.database.reading.posts_of([one.id for one in mine]).values():
            posts |= {(p.remote_id or "", p.reply_to, p.post.text) for p in records if p.state == "sent"}
        return Recorded(states, frozenset(posts))


@contextmanager
def machines(
    folder: Path,
    postgres: Postgres,
    *,
    machines: int = 3,
    channels: int = 6,
    rate: float = 1000,
    more: dict[str, str] | None = None,
) -> Iterator[Machines]:
    """Machines that are not started yet, on a fresh database; at the end of the block they are ended."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres.database())
        telegram = stack.enter_context(TimedTelegram())
        fleet = Machines(
            folder,
            url,
            telegram,
            machines=machines,
            channels=channels,
            rate=rate,
            more=more or {},
            stack=stack,
        )
        try:
            yield fleet
        finally:
            for one in fleet.machines:
                if one._process is not None:
                    one._process.put_an_end()


def wait_until(done: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Look until it is so. Raises TimeoutError."""
    deadline = time.monotonic() + patience
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {patience:g} s")
        time.sleep(LOOK)
