"""Many channels in one service: how soon all have published, how soon one stops, what a start takes."""

import multiprocessing
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.resting import memory, wake_ups
from tests.benchmarks.samples import thread
from tests.e2e.house import RUN, House, Process
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer

PARTS = 30
LONGEST = 20.0  # seconds until every channel has published
LONGEST_STOP = 10.0  # seconds from SIGTERM to the exit
# Chats of one bot: seconds until a thread is added for all, seconds from the start of their service to the
# first post, MB of it then.
ONE_BOT = {1_000: (1.5, 5.0, 200.0), 10_000: (6.0, 30.0, 500.0)}
BOTS = 20  # of the chats at full speed: one may send 30 messages a second
FULL_SPEED = 250.0  # posts a second
PATIENCE = 300.0  # seconds that a figure may take on a busy machine
LOOK = 0.02  # seconds between two looks at the timelines


def figures(
    *, channels: int = 100, parts: int = PARTS, busy: int = 1_000, chats: Sequence[int] = tuple(ONE_BOT)
) -> Iterator[Figure]:
    """A thread on `channels` channels, one on `busy` that is stopped midway, and one on a bot's `chats`."""
    with publishing(channels, parts) as (service, begun, _):
        wait_until(lambda: published(service) >= channels)
        took = time.perf_counter() - begun
    yield Figure(
        f"{channels} local channels, {parts} posts each",
        took,
        "s",
        LONGEST,
        detail=f"from `add` on; {channels * parts / took:.0f} posts a second",
    )
    with publishing(busy, parts) as (service, _, posts):
        wait_until(lambda: posts() >= busy * parts // 10)
        begun = time.perf_counter()
        service.popen.terminate()
        assert service.popen.wait(PATIENCE) == 0, "".join(service.lines[-20:])
        took = time.perf_counter() - begun
        out = posts()
    yield Figure(
        f"SIGTERM to exit, {busy} local channels at work",
        took,
        "s",
        LONGEST_STOP,
        detail=f"with {out} of {busy * parts} posts out",
    )
    for number in chats:
        yield from of_one_bot(number)
    yield at_full_speed(2 * channels, parts)
    yield idle(max(chats))


def of_one_bot(chats: int) -> Iterator[Figure]:
    """What a cold start takes where one bot has many chats: of `add`, and of a service."""
    longest_add, longest_start, most_memory = ONE_BOT.get(chats, (None, None, None))
    with (
        tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder,
        TelegramServer() as telegram,
        MastodonServer() as mastodon,
    ):
        house = House(Path(folder), telegram, mastodon)
        house.env = {name: value for name, value in house.env.items() if "CHANNELS" not in name}
        for number in range(chats):
            telegram.add_chat(username=f"channel_{number}")
        list_chats(house, chats)
        add = [*RUN[:-1], "add", house.write(thread(1, 3))]
        begun = time.perf_counter()
        subprocess.run(add, cwd=folder, env=house.environment(), check=True, capture_output=True)
        took = time.perf_counter() - begun
        yield Figure(
            f"`add` for {chats} chats of one bot", took, "s", longest_add, detail="a process of its own"
        )
        begun = time.perf_counter()
        with house.running(*RUN) as service:
            telegram.wait_for(
                lambda server: any("sendMessage" in one.path for one in server.requests), PATIENCE
            )
            took = time.perf_counter() - begun
            used = memory(service.popen.pid)
        how = "a service of its own; each chat has a thread of 3 posts"
        yield Figure(f"start to first post, {chats} chats of one bot", took, "s", longest_start, detail=how)
        yield Figure(f"memory, {chats} chats of one bot", used, "MB", most_memory, detail="resident, then")


def at_full_speed(chats: int, parts: int) -> Figure:
    """How many posts a second go out where no limit of the platform holds them back, the server elsewhere."""
    mine, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, chats), daemon=True)
    server.start()
    with tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder, TelegramServer() as none:
        house = House(Path(folder), none, MastodonServer())
        house.env = {"THREADCAST_TELEGRAM__API_URL": mine.recv(), "THREADCAST_TELEGRAM__RATE": "1000"}
        list_chats(house, chats)
        for number in range(chats):
            house.env[f"THREADCAST_CHANNELS__C{number}__TOKEN"] = bot_token(number)
        done = house.command("add", house.write(thread(1, parts)))
        assert done.returncode == 0, done.stderr

        def posts() -> int:
            mine.send(None)
            return int(mine.recv())

        with house.running(*RUN):
            wait_until(lambda: posts() > 0)
            begun, before = time.perf_counter(), posts()
            wait_until(lambda: posts() >= chats * parts)
            took = time.perf_counter() - begun
    server.terminate()
    server.join()
    what = f"{chats} chats of {BOTS} bots, {parts} posts each"
    detail = f"in {took:.1f} s from the first post on, the server in a process of its own"
    return Figure(what, (chats * parts - before) / took, "posts/s", FULL_SPEED, "more", detail)


def idle(chats: int, *, seconds: float = 5.0) -> Figure:
    """How often a service wakes up that has many chats and nothing to do."""
    with (
        tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder,
        TelegramServer() as telegram,
        MastodonServer() as mastodon,
    ):
        house = House(Path(folder), telegram, mastodon)
        house.env = {name: value for name, value in house.env.items() if "CHANNELS" not in name}
        list_chats(house, chats)
        with house.running(*RUN) as service:
            service.wait_for("running")
            woken = partial(wake_ups, service.popen.pid)
            wait_until(lambda: woken(1.0) == 0)  # it has looked at all its chats
            count = woken(seconds)
    detail = f"{count} in {seconds:g} s over all threads, after its first look at each"
    return Figure(f"idle: wake-ups, {chats} chats of one bot", count / seconds, "/s", 0.1, detail=detail)


def serve(asked: Connection, chats: int) -> None:
    """Be a Bot API server in a process of its own: say its address, then at each question how many posts."""
    with TelegramServer() as server:
        for number in range(BOTS):
            server.add_bot(bot_token(number), f"example_{number}_bot")
        for number in range(chats):
            server.add_chat(username=f"channel_{number}")
        asked.send(server.url)
        while True:
            asked.recv()
            asked.send(sum(len(chat.messages) for chat in server.api.chats.values()))


def bot_token(number: int) -> str:
    return f"{123456 + number % BOTS}:{'x' * 35}"


def list_chats(house: House, chats: int) -> None:
    """Write a file of the channels `c0`, `c1` … for the chats `@channel_0`, `@channel_1` …"""
    tables = (f'[c{number}]\nkind = "telegram"\nchat = "@channel_{number}"\n' for number in range(chats))
    (house.folder / "channels.toml").write_text("".join(tables), encoding="utf-8")
    house.env["THREADCAST_CHANNELS_FILE"] = "channels.toml"


def published(service: Process) -> int:
    """Return how many chains the service says it has published."""
    return sum("published" in line for line in service.lines)


@contextmanager
def publishing(channels: int, parts: int) -> Iterator[tuple[Process, float, Callable[[], int]]]:
    """Run a service whose channels all have a thread, added at the moment that comes with it.

    The last of the three counts the posts that are out.
    """
    with tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder:
        house = House(Path(folder), TelegramServer(), MastodonServer())
        house.env = {f"THREADCAST_CHANNELS__C{number}__KIND": "local" for number in range(channels)}

        def posts() -> int:
            return sum(path.read_bytes().count(b"\n") - 1 for path in house.data.glob("*.jsonl"))

        with house.running(*RUN) as service:
            service.wait_for("running")
            done = house.command("add", house.write(thread(1, parts)))
            assert done.returncode == 0, done.stderr
            yield service, time.perf_counter(), posts


def wait_until(done: Callable[[], bool]) -> None:
    """Look until it is so. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {PATIENCE:g} s")
        time.sleep(LOOK)
