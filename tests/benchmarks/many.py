"""Many channels in one service: how soon all have published, how soon one stops, what a start takes."""

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.resting import memory
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
        tables = (f'[c{number}]\nkind = "telegram"\nchat = "@channel_{number}"\n' for number in range(chats))
        (Path(folder) / "channels.toml").write_text("".join(tables), encoding="utf-8")
        house.env["THREADCAST_CHANNELS_FILE"] = "channels.toml"
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
