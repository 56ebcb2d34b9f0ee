"""What the service is measured on: the tests' house, whose servers note when each post arrives."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal

from tests.e2e.house import PATIENCE, RUN, House, Process
from tests.servers.http import Answer, LoopbackServer, Request
from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.channels.build import build_channels
from threadcast.bot.data_folder import prepare
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.config.settings import load

ROOT = Path(__file__).resolve().parents[2]
BOUNDLESS = {name: Budget(10**9, budget.window) for name, budget in REAL_BUDGETS.items()}

Network = Literal["telegram", "mastodon"]
NETWORKS: tuple[Network, ...] = ("telegram", "mastodon")
Bare = Callable[[Sequence[str]], None]  # sends one chain
CHANNELS: dict[Network, str] = {"telegram": "news", "mastodon": "masto"}


class _Timed(LoopbackServer):
    """Notes the moment at which each post's request was read, in seconds of `time.perf_counter`."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []

    def answer(self, request: Request) -> Answer:
        if request.method == "POST" and request.path.lower().endswith(("/sendmessage", "/statuses")):
            self.arrivals.append(time.perf_counter())
        return super().answer(request)


class TimedTelegram(_Timed, TelegramServer):
    def __init__(self) -> None:
        TelegramServer.__init__(self)
        _Timed.__init__(self)


class TimedMastodon(_Timed, MastodonServer):
    def __init__(self) -> None:
        MastodonServer.__init__(self, budgets=BOUNDLESS)
        _Timed.__init__(self)


class Stand:
    """The house and its two servers."""

    def __init__(self, folder: Path, telegram: TimedTelegram, mastodon: TimedMastodon) -> None:
        self.house = House(folder, telegram, mastodon)
        self._servers: dict[Network, TimedTelegram | TimedMastodon] = {
            "telegram": telegram,
            "mastodon": mastodon,
        }

    def url(self, network: Network) -> str:
        return self._servers[network].url

    def arrived(self, network: Network) -> int:
        """How many posts have arrived so far."""
        return len(self._servers[network].arrivals)

    def wait(self, network: Network, count: int) -> float:
        """The moment at which the post of this number (from 1) arrived. Raises TimeoutError."""
        server = self._servers[network]
        server.wait_for(lambda _: len(server.arrivals) >= count, PATIENCE)
        return server.arrivals[count - 1]

    @contextmanager
    def requests(self) -> Iterator[Requests]:
        """The requests that the shell would ask, on the queue of the house."""
        settings = load(self.house.env, folder=self.house.folder)
        with closing(prepare(settings)) as database:
            yield build_requests(settings, database, build_channels(settings), actor="benchmark")

    @contextmanager
    def service(self) -> Iterator[Process]:
        """The service, from the moment at which it waits for work."""
        with self.house.running(*RUN) as process:
            process.wait_for("running")
            yield process
            process.stop()

    @contextmanager
    def bare(self, network: Network) -> Iterator[Bare]:
        """Run the bare loop as a process of its own."""
        words = [sys.executable, "-m", "tests.benchmarks.bare", network, self.url(network)]
        with subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            asked, answers = process.stdin, process.stdout

            def chain(texts: Sequence[str]) -> None:
                print(json.dumps(texts), file=asked, flush=True)
                assert answers.readline() == "done\n"

            yield chain
            asked.close()


@contextmanager
def stand(delay: float = 0) -> Iterator[Stand]:
    """Yield a stand in a folder of its own; a request and its answer take `delay` seconds on their way."""
    with (
        tempfile.TemporaryDirectory(prefix="threadcast-bench-") as folder,
        TimedTelegram() as telegram,
        TimedMastodon() as mastodon,
    ):
        telegram.delay = mastodon.delay = delay
        yield Stand(Path(folder), telegram, mastodon)
