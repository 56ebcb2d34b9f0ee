"""The service beside a bare loop of the same calls, and how soon it begins.

Both are processes that have made a chain before, and take turns, so that a busy machine slows both.
"""

import json
import time
from collections.abc import Iterator, Mapping
from statistics import median, quantiles

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.benchmarks.stand import CHANNELS, NETWORKS, Bare, Network, Stand, stand
from threadcast.bot.requests.input import understand
from threadcast.bot.requests.requests import Requests

PARTS = 30
# By the seconds that a request and its answer are on their way together. Nobody's server is nearer than some
# 20 ms; on loopback the ratio says how long ours takes for itself, and is for information.
TARGETS = {0.06: 1.05, 0.02: 1.15}
PAIRS = {0.06: 5, 0.02: 9, 0.0: 9}  # with one to warm up at most 300 posts
MOST_WAIT = 0.25  # seconds


def figures(
    *,
    parts: int = PARTS,
    delays: Mapping[float, int] = PAIRS,
    warm: int = 1,
    adds: int = 100,
    commands: int = 5,
) -> Iterator[Figure]:
    """Pairs of chains of `parts`, so many for each of `delays`, after `warm` that do not count.

    Then `adds` threads one by one, and `commands` by the shell.
    """
    for network in NETWORKS:
        for delay, pairs in delays.items():
            # A new account each time: Mastodon's takes no more than 300 posts in three hours.
            with (
                stand(delay) as here,
                here.service(),
                here.requests() as requests,
                here.bare(network) as bare,
            ):
                yield _beside_bare(here, requests, network, bare, parts, delay, (warm, pairs))
    with stand() as here, here.service(), here.requests() as requests:
        for network in NETWORKS:
            yield _first_request(here, requests, network, adds=adds)
        yield _from_the_shell(here, commands=commands)


def _beside_bare(
    here: Stand,
    requests: Requests,
    network: Network,
    bare: Bare,
    parts: int,
    delay: float,
    rounds: tuple[int, int],
) -> Figure:
    ours: list[float] = []
    theirs: list[float] = []
    for pair in range(sum(rounds)):
        text = thread(1000 + here.arrived(network), parts).encode()
        begun = here.arrived(network)
        bare([part.text for part in understand("bare", text).threads[0].parts])
        middle = here.arrived(network)
        assert middle == begun + parts
        requests.threads.add([understand("service", text)], channels=[CHANNELS[network]])
        end = here.wait(network, middle + parts)
        if pair >= rounds[0]:
            theirs.append(here.wait(network, middle) - here.wait(network, begun + 1))
            ours.append(end - here.wait(network, middle + 1))
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    return Figure(
        f"{parts}-part chain beside a bare loop, {network}, {delay * 1000:g} ms away",
        ratio,
        "×",
        TARGETS.get(delay),
        detail=f"median of {rounds[1]} pairs; a chain {_ms(median(ours))} and {_ms(median(theirs))}",
    )


def _first_request(here: Stand, requests: Requests, network: Network, *, adds: int) -> Figure:
    waits: list[float] = []
    for number in range(adds):
        intake = understand("add", thread(2000 + number, 1).encode())
        count = here.arrived(network)
        begun = time.perf_counter()
        requests.threads.add([intake], channels=[CHANNELS[network]])
        waits.append(here.wait(network, count + 1) - begun)
    return Figure(
        f"add to first request, {network}",
        quantiles(waits, n=100, method="inclusive")[98],
        "s",
        MOST_WAIT,
        detail=f"p99 of {adds}, the add's transaction included; median {_ms(median(waits))}",
    )


def _from_the_shell(here: Stand, *, commands: int) -> Figure:
    waits: list[float] = []
    for number in range(commands):
        file = here.house.write(thread(3000 + number, 1))
        count = here.arrived("telegram")
        begun = time.perf_counter()
        done = here.house.command("add", "--channel", CHANNELS["telegram"], "--json", file)
        assert json.loads(done.stdout)["threads"], done.stderr
        waits.append(here.wait("telegram", count + 1) - begun)
    return Figure(
        "start of `threadcast add` to first request",
        median(waits),
        "s",
        detail=f"median of {commands}; longest {_ms(max(waits))}",
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms"
