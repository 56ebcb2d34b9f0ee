"""The service beside a bare loop of the same calls, and how soon it begins.

Both are processes that have made a chain before, and take turns, so that a busy machine slows both.
"""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median, quantiles

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.benchmarks.stand import CHANNELS, NETWORKS, Network, Stand, stand
from threadcast.bot.requests.input import understand
from threadcast.bot.requests.requests import Requests

PARTS = 30
MOST_OF_BARE = 1.25
MOST_WAIT = 0.25  # seconds


def figures(
    *, parts: int = PARTS, pairs: int = 31, warm: int = 5, adds: int = 200, commands: int = 5
) -> Iterator[Figure]:
    """`pairs` chains of `parts` of each kind, after `warm` that do not count.

    Then `adds` threads through a requests, and `commands` by the shell.
    """
    with stand() as here, here.service(), here.requests() as requests:
        for network in NETWORKS:
            yield _beside_bare(here, requests, network, parts=parts, pairs=pairs, warm=warm)
        for network in NETWORKS:
            yield _first_request(here, requests, network, adds=adds)
        yield _from_the_shell(here, commands=commands)


def _beside_bare(
    here: Stand, requests: Requests, network: Network, *, parts: int, pairs: int, warm: int
) -> Figure:
    ours: list[float] = []
    bare: list[float] = []
    with ExitStack() as stack:
        chain = stack.enter_context(here.bare(network))
        for pair in range(warm + pairs):
            text = thread(1000 + pair, parts)
            begun = here.arrived(network)
            chain([part.text for part in understand("bare", text.encode()).threads[0].parts])
            middle = here.arrived(network)
            assert middle == begun + parts
            requests.threads.add([understand("service", text.encode())], channels=[CHANNELS[network]])
            end = here.wait(network, middle + parts)
            if pair >= warm:
                bare.append(here.wait(network, middle) - here.wait(network, begun + 1))
                ours.append(end - here.wait(network, middle + 1))
    ratio = median(one / other for one, other in zip(ours, bare, strict=True))
    return Figure(
        f"{parts}-part chain beside a bare loop, {network}",
        ratio,
        "×",
        MOST_OF_BARE,
        detail=f"median of {pairs} pairs; a chain {_ms(median(ours))} and {_ms(median(bare))}",
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
