"""`make soak`: the real service is killed again and again while it publishes on both networks.

Kills come at random moments and at random steps; what is on its way to the servers is spoiled now and
then. At the end the servers' own state is held against what was accepted.
"""

import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from signal import Signals

import click

from tests.e2e.house import House, Process, chain, thread_text
from tests.faults.judge import Verdict, judge, recorded
from tests.faults.killer import COMMIT, LOOKS, STEPS, Plan
from tests.faults.proxy import (
    CUT,
    RESET_AFTER,
    RESET_BEFORE,
    SILENT_AFTER,
    SILENT_BEFORE,
    WELL,
    Fault,
    Message,
    Proxy,
    answer,
)
from tests.faults.stand import FIRST, add, publish_the_first, running, seen
from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer

CHANNELS = {"news": "Telegram", "masto": "Mastodon"}
LONGEST_RUN = 1.0  # seconds until a kill at a random moment
LONGEST_WAY = 0.02  # seconds between a service and a server
SETTLE_AFTER = 0.5  # seconds; what is on its way then is there long since
SPOILED_POSTS, SPOILED_OTHERS = 0.04, 0.003  # which share of requests
DOWN = 0.04  # the share of runs in which one server refuses connections
COLD = 0.03  # the share of starts in a Python of their own
LOWEST = 4  # unpublished threads on a channel, below which more are added
MORE = 12
FULL = 220  # posts on a channel; an account may have 300 in three hours
LAST_PATIENCE = 120.0  # seconds until everything must be out, once nobody kills it any more
ENOUGH = {name: Budget(10**9, timedelta(hours=3)) for name in REAL_BUDGETS}

FAULTS = (
    RESET_BEFORE,
    RESET_AFTER,
    CUT,
    SILENT_BEFORE,
    SILENT_AFTER,
    Fault(
        passes=False, answer=answer(500, {"ok": False, "error_code": 500, "description": "x", "error": "x"})
    ),
    Fault(answer=answer(503, {"ok": False, "error_code": 503, "description": "x", "error": "x"})),
    Fault(answer=answer(502, b"<title>Bad gateway</title>")),
    Fault(answer=answer(200, b"<title>Welcome</title>")),
)


@dataclass
class Tally:
    """What was done, and what came of it by network."""

    runs: int = 0
    kills: int = 0
    spoiled: int = 0
    verdicts: dict[str, Verdict] = field(default_factory=lambda: dict.fromkeys(CHANNELS, Verdict()))
    unfinished: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    disagreeing: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHANNELS, 0))
    faults: list[str] = field(default_factory=list)  # of the soak itself, or of a service that ended

    @property
    def flawless(self) -> bool:
        return not (
            self.faults
            or any(self.unfinished.values())
            or any(self.disagreeing.values())
            or not all(verdict.flawless for verdict in self.verdicts.values())
        )

    def table(self) -> str:
        heads = (
            "posts",
            "duplicates",
            "losses",
            "wrong parents",
            "strangers",
            "unfinished",
            "not as recorded",
        )
        lines = [f"{self.runs} runs, {self.kills} kills, {self.spoiled} spoiled requests", ""]
        lines.append("          " + "".join(f"{head:>{len(head) + 2}}" for head in heads))
        for channel, network in CHANNELS.items():
            verdict = self.verdicts[channel]
            numbers = (
                *(
                    verdict.posts,
                    verdict.duplicates,
                    verdict.losses,
                    verdict.wrong_parents,
                    verdict.strangers,
                ),
                *(self.unfinished[channel], self.disagreeing[channel]),
            )
            cells = (f"{number:>{len(head) + 2}}" for head, number in zip(heads, numbers, strict=True))
            lines.append(f"{network:<10}" + "".join(cells))
        return "\n".join([*lines, *(f"\n{fault}" for fault in self.faults)])


class Goal:
    """How many kills are wanted from all places together, and until when."""

    def __init__(self, kills: int, seconds: float, said: Callable[[str], None]) -> None:
        self._wanted, self._done = kills, 0
        self._began = time.monotonic()
        self._ends = self._began + seconds
        self._told = self._began
        self._said = said
        self._guard = threading.Lock()

    def reached(self) -> bool:
        return self._done >= self._wanted or time.monotonic() >= self._ends

    def count(self) -> None:
        with self._guard:
            self._done += 1
            now = time.monotonic()
            if now - self._told >= 10 or self._done == self._wanted:
                self._told = now
                pace = self._done / (now - self._began)
                self._said(f"{self._done} of {self._wanted} kills, {pace:.1f} a second")


class Place:
    """One service with its own data folder, proxies and servers, and whoever kills it."""

    def __init__(self, folder: Path, seed: str, goal: Goal) -> None:
        self._folder = folder
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self._goal = goal
        self._chains = [FIRST]
        self._lives = 0
        self._calm = True
        self.tally = Tally()

    def run(self) -> Tally:
        try:
            self._run()
        except Exception as error:  # noqa: BLE001  # it is told in the table, and the other places go on
            self.tally.faults.append(f"{self._seed} in {self._folder}: {type(error).__name__}: {error}")
        return self.tally

    def _run(self) -> None:
        while not self._goal.reached():
            self._lives += 1
            folder = self._folder / f"life-{self._lives}"
            folder.mkdir()
            self._chains = [FIRST]
            self._live(folder)

    def _live(self, folder: Path) -> None:
        """Kill one service until it has had as many posts as an account may, and judge."""
        with ExitStack() as stack:
            telegram = stack.enter_context(TelegramServer())
            mastodon = stack.enter_context(MastodonServer(budgets=ENOUGH))
            proxies = [stack.enter_context(Proxy(server.port, self._draw)) for server in (telegram, mastodon)]
            house = House(folder, telegram, mastodon)
            house.env |= {
                "THREADCAST_TELEGRAM__API_URL": proxies[0].url,
                "THREADCAST_TELEGRAM__ADMINS": str(telegram.add_chat("private").id),
                "THREADCAST_TELEGRAM__RATE": "1000",
                "THREADCAST_CHANNELS__MASTO__URL": proxies[1].url,
            }
            publish_the_first(house)
            self._calm = False
            while not self._goal.reached() and sum(map(len, self._chains)) < FULL:
                self._fill(house)
                down = self._random.choice(proxies) if self._random.random() < DOWN else None
                if down is not None:
                    down.down()
                self._kill_one(house)
                if down is not None:
                    down.up()
            self._calm = True
            self._finish(house)
            self.tally.spoiled += sum(proxy.spoiled for proxy in proxies)

    def _draw(self, request: Message) -> tuple[Fault, float]:
        if self._calm:
            return WELL, 0
        share = SPOILED_POSTS if request.posts else SPOILED_OTHERS
        fault = self._random.choice(FAULTS) if self._random.random() < share else WELL
        return fault, self._random.uniform(0, LONGEST_WAY)

    def _fill(self, house: House) -> None:
        """See that there is something to publish on both channels."""
        waiting = (self._unpublished(house, channel) for channel in CHANNELS)
        if min(waiting) >= LOWEST:
            return
        texts: list[str] = []
        for _ in range(MORE):
            index, size = 100 + len(self._chains), self._random.randint(2, 6)
            self._chains.append(chain(index, size))
            texts.append(thread_text(index, size))
        add(house, "".join(texts))

    def _unpublished(self, house: House, channel: str) -> int:
        states = recorded(house.data, channel).states
        return sum(states.values()) - states.get("published", 0)

    def _plan(self) -> Plan:
        step = ""
        if self._random.random() < 0.5:
            step = self._random.choice((*STEPS, *LOOKS, COMMIT))
        return Plan(
            step=step,
            channel=self._random.choice(("", *CHANNELS)) if step != COMMIT else "",
            at=self._random.randint(1, 6),
            timeout=2.0,
            settle_after=SETTLE_AFTER,
        )

    def _kill_one(self, house: House) -> None:
        plan = self._plan()
        with running(house, plan, cold=self._random.random() < COLD) as service:
            if not plan.step and self._random.random() < 0.8:
                service.wait_for("running")  # the others die while they start
            try:
                code = service.popen.wait(self._random.uniform(0, LONGEST_RUN) if not plan.step else 3.0)
            except subprocess.TimeoutExpired:
                service.popen.kill()
                code = service.end()
            service.end()
            self.tally.runs += 1
            if code != -Signals.SIGKILL:
                self.tally.faults.append(f"{self._seed} {plan}: ended with {code}\n{''.join(service.lines)}")
                return
            self.tally.kills += 1
            self._goal.count()

    def _finish(self, house: House) -> None:
        """Let the service publish what is left, and judge."""
        with running(house, Plan(settle_after=SETTLE_AFTER)) as service:
            self.tally.runs += 1
            service.wait_for("running")
            self._wait(house, service)
            service.stop()
        for channel in CHANNELS:
            posts = seen(house, channel)
            record = recorded(house.data, channel)
            self.tally.verdicts[channel] += judge(posts, self._chains)
            self.tally.unfinished[channel] += self._unpublished(house, channel)
            self.tally.disagreeing[channel] += len(record.posts ^ frozenset(posts))

    def _wait(self, house: House, service: Process) -> None:
        ended = {"published", "unsure", "failed"}
        with service.said:
            service.said.wait_for(
                lambda: (
                    all(set(recorded(house.data, channel).states) <= ended for channel in CHANNELS)
                    or service.popen.poll() is not None
                ),
                LAST_PATIENCE,
            )


def soak(
    folder: Path, *, kills: int, seconds: float, places: int, seed: int, said: Callable[[str], None]
) -> Tally:
    """Kill until there were enough kills, or the time is over; then judge."""
    goal = Goal(kills, seconds, said)
    everywhere = []
    for number in range(places):
        own = folder / f"place-{number}"
        own.mkdir()
        everywhere.append(Place(own, f"{seed}-{number}", goal))
    threads = [threading.Thread(target=place.run, name=f"place {n}") for n, place in enumerate(everywhere)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = Tally()
    for place in everywhere:
        total.runs += place.tally.runs
        total.kills += place.tally.kills
        total.spoiled += place.tally.spoiled
        total.faults += place.tally.faults
        for channel in CHANNELS:
            total.verdicts[channel] += place.tally.verdicts[channel]
            total.unfinished[channel] += place.tally.unfinished[channel]
            total.disagreeing[channel] += place.tally.disagreeing[channel]
    return total


@click.command()
@click.option("--kills", default=1000, show_default=True, help="How many are enough.")
@click.option("--minutes", default=20.0, show_default=True, help="When to end where they take longer.")
@click.option("--places", default=3, show_default=True, help="How many services run side by side.")
@click.option("--seed", type=int, default=None, help="Chooses what happens; the moments stay chance.")
def main(kills: int, minutes: float, places: int, seed: int | None) -> None:
    """Kill the service again and again, and count what came of it. Exits 1 where anything is wrong."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    click.echo(f"seed {seed}; {places} services, {kills} kills, {minutes:g} minutes at most")
    folder = Path(tempfile.mkdtemp(prefix="threadcast-soak-"))
    tally = soak(folder, kills=kills, seconds=minutes * 60, places=places, seed=seed, said=click.echo)
    click.echo(f"\n{tally.table()}")
    if not tally.flawless:
        click.echo(f"\nSomething is wrong. The queues are in {folder}")
        raise SystemExit(1)
    shutil.rmtree(folder)
