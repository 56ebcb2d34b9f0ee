"""Many local channels in one service: how soon all have published, and how soon a busy one stops."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.e2e.house import RUN, House, Process
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer

PARTS = 30
LONGEST = 20.0  # seconds until every channel has published
LONGEST_STOP = 10.0  # seconds from SIGTERM to the exit
PATIENCE = 300.0  # seconds that a figure may take on a busy machine
LOOK = 0.02  # seconds between two looks at the timelines


def figures(*, channels: int = 100, parts: int = PARTS, busy: int = 1_000) -> Iterator[Figure]:
    """A thread of `parts` on `channels` channels, and one on `busy` channels that is stopped midway."""
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
