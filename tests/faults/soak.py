"""`make soak`: the real service is killed again and again while it publishes on both networks.

Kills come at random moments and at random steps; what is on its way to the servers is spoiled now and
then; with every start the clocks are some minutes later. The Mastodon servers have the manners of real ones,
one after the other. At the end the servers' own state is held against what was accepted.
"""

import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, astuple, dataclass, field, fields
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from signal import Signals

import click

from tests.bot.media.drawn import jpeg, put
from tests.e2e.house import House, chain, thread_text
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
from tests.faults.stand import FIRST, add, publish_the_first, publish_the_rest, running, seen
from tests.servers.mastodon.manners import FROM_4_6, MANNERS
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TelegramServer

CHANNELS = ("news", "masto")
SERVERS = (*reversed(MANNERS.values()), FROM_4_6)
LONGEST_RUN = 2.0  # seconds until a kill at a random moment
LONGEST_WAY = 0.02  # seconds between a service and a server
SETTLE_AFTER = 0.5  # seconds; what is on its way then is there long since
SPOILED_POSTS, SPOILED_OTHERS = 0.04, 0.003  # which share of requests
DOWN = 0.04  # the share of runs in which one server refuses connections
COLD = 0.03  # the share of starts in a Python of their own
LOWEST = 3  # unpublished threads on a channel, below which more are added
MORE = 6
FULL = 60  # posts on a channel, after which there is a new service with new servers
BEFORE = 260  # posts that are out before, where a server takes no more than 300 in three hours
STEP = 150.0  # seconds by which the clocks are later at each start: limits of requests begin anew
LONG_STEP = 3 * 3600.0  # and once nobody kills it any more, where a limit of posts is in the way
PATIENCE_WITHOUT = 30.0  # seconds until that is taken to be so
LAST_STARTS = 4

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


PLAIN = {FIRST[0], chain(8, BEFORE)[0]}  # the beginnings of threads without pictures


def with_pictures(posts: Sequence[str]) -> str:
    """A thread as it is written that has a picture in every third part."""
    lines = [f"{post}\n![A lamp](lamp.jpg)" if place % 3 == 1 else post for place, post in enumerate(posts)]
    return "\n".join(lines) + "\n"


def pictured(house: House, channel: str) -> set[str]:
    """The texts of the posts that show a picture."""
    if channel == "news":
        return {one.text for one in house.telegram.seen(house.chat) if "photo" in one.extra}
    return {one.text for one in house.mastodon.statuses(house.account) if one.files}


@dataclass
class Count:
    """What came of everything on the servers of one kind; all but `posts` has to be 0."""

    posts: int = 0
    duplicates: int = 0
    losses: int = 0
    wrong_parents: int = 0
    strangers: int = 0
    wrong_files: int = 0  # posts without the picture that they should show, or with one
    unfinished: int = 0
    not_as_recorded: int = 0
    provoked_429: int = 0

    def add(self, other: "Count") -> None:
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))


@dataclass
class Tally:
    """What was done, and what came of it by the kind of server."""

    runs: int = 0
    kills: int = 0
    spoiled: int = 0
    counts: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    faults: list[str] = field(default_factory=list)  # of the soak itself, or of a service that ended

    @property
    def flawless(self) -> bool:
        return not self.faults and not any(any(astuple(one)[1:]) for one in self.counts.values())

    def add(self, other: "Tally") -> None:
        self.runs += other.runs
        self.kills += other.kills
        self.spoiled += other.spoiled
        self.faults += other.faults
        for kind, found in other.counts.items():
            self.counts[kind].add(found)

    def table(self) -> str:
        heads = [one.name.replace("_", " ") for one in fields(Count)]
        lines = [f"{self.runs} runs, {self.kills} kills, {self.spoiled} spoiled requests", ""]
        lines.append(" " * 16 + "".join(f"{head:>{len(head) + 2}}" for head in heads))
        for kind, found in sorted(self.counts.items()):
            cells = zip(heads, astuple(found), strict=True)
            lines.append(f"{kind:<16}" + "".join(f"{number:>{len(head) + 2}}" for head, number in cells))
        return "\n".join([*lines, *(f"\n{fault}" for fault in self.faults)])


class Goal:
    """How many kills are wanted from all workers together, and until when."""

    def __init__(self, kills: int, seconds: float, report: Callable[[str], None]) -> None:
        self._wanted, self._done = kills, 0
        self._began = self._reported = time.monotonic()
        self._ends = self._began + seconds
        self._report = report
        self._guard = threading.Lock()
        self._servers = count()

    def reached(self) -> bool:
        return self._done >= self._wanted or time.monotonic() >= self._ends

    def next_server(self) -> int:
        """Return a number that no worker has had."""
        with self._guard:
            return next(self._servers)

    def count(self) -> None:
        with self._guard:
            self._done += 1
            now = time.monotonic()
            if now - self._reported >= 10 or self._done == self._wanted:
                self._reported = now
                pace = self._done / (now - self._began)
                self._report(f"{self._done} of {self._wanted} kills, {pace:.1f} a second")


class Worker:
    """Runs one service after the other, each with servers of its own, and kills it."""

    def __init__(self, folder: Path, seed: str, goal: Goal) -> None:
        self._folder = folder
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self._goal = goal
        self._chains = [FIRST]
        self._ahead = 0.0  # seconds by which the clocks are ahead of this machine's
        self._calm = True
        self.tally = Tally()

    def run(self) -> None:
        try:
            while not self._goal.reached():
                self._run_one(self._goal.next_server())
        except Exception as error:  # noqa: BLE001  # it is in the table, and the other workers go on
            self.tally.faults.append(f"{self._seed} in {self._folder}: {type(error).__name__}: {error}")

    def _now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def _run_one(self, number: int) -> None:
        """Kill one service until its channels are full, and judge."""
        folder = self._folder / f"service-{number}"
        folder.mkdir()
        self._chains, self._ahead = [FIRST], 0.0
        manners = SERVERS[number % len(SERVERS)]
        before = BEFORE if "statuses" in manners.budgets else 0
        with ExitStack() as stack:
            telegram = stack.enter_context(TelegramServer())
            mastodon = stack.enter_context(MastodonServer(manners=manners, clock=self._now))
            proxies = [
                stack.enter_context(Proxy(server.port, self._draw, closing=server.closing))
                for server in (telegram, mastodon)
            ]
            house = House(folder, telegram, mastodon)
            put(folder, lamp_jpg=jpeg())
            house.env |= {
                "THREADCAST_TELEGRAM__API_URL": proxies[0].url,
                "THREADCAST_TELEGRAM__ADMINS": str(telegram.add_chat("private").id),
                "THREADCAST_TELEGRAM__RATE": "1000",
                "THREADCAST_CHANNELS__MASTO__URL": proxies[1].url,
            }
            publish_the_first(house)
            if before:
                self._chains.append(chain(8, before))
                add(house, thread_text(8, before))
                publish_the_rest(house)
            self._calm = False
            while not self._goal.reached() and sum(map(len, self._chains)) < before + FULL:
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
            self._judge(house, "news", "telegram", 0)
            self._judge(house, "masto", f"{manners.software} {manners.version[:4]}", mastodon.throttled)

    def _draw(self, request: Message) -> tuple[Fault, float]:
        if self._calm:
            return WELL, 0
        share = SPOILED_POSTS if request.posts else SPOILED_OTHERS
        fault = self._random.choice(FAULTS) if self._random.random() < share else WELL
        return fault, self._random.uniform(0, LONGEST_WAY)

    def _fill(self, house: House) -> None:
        """See that there is something to publish on both channels."""
        if min(self._unpublished(house, channel) for channel in CHANNELS) >= LOWEST:
            return
        texts: list[str] = []
        for _ in range(MORE):
            index, size = 100 + len(self._chains), self._random.randint(2, 6)
            self._chains.append(chain(index, size))
            texts.append(with_pictures(self._chains[-1]))
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
            clock=self._ahead,
        )

    def _kill_one(self, house: House) -> None:
        self._ahead += STEP
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
        """Let the service publish what is left, starting it later where it waits for room."""
        ended = {"published", "unsure", "failed"}
        for _ in range(LAST_STARTS):
            with running(house, Plan(settle_after=SETTLE_AFTER, clock=self._ahead)) as service:
                self.tally.runs += 1
                service.wait_for("running")
                with service.said:
                    done = service.said.wait_for(
                        lambda: all(set(recorded(house.data, one).states) <= ended for one in CHANNELS),
                        PATIENCE_WITHOUT,
                    )
                service.stop()
            if done:
                return
            self._ahead += LONG_STEP

    def _judge(self, house: House, channel: str, kind: str, throttled: int) -> None:
        posts = seen(house, channel)
        verdict: Verdict = judge(posts, self._chains)
        record = recorded(house.data, channel)
        disagreeing = len(record.posts ^ frozenset(posts))
        unfinished = self._unpublished(house, channel)
        meant = {text for chain in self._chains if chain[0] not in PLAIN for text in chain[1::3]}
        found = Count(
            **asdict(verdict),
            wrong_files=len(pictured(house, channel) ^ (meant & {text for _, _, text in posts})),
            unfinished=unfinished,
            not_as_recorded=disagreeing,
            provoked_429=throttled,
        )
        self.tally.counts[kind].add(found)
        if any(astuple(found)[1:]):
            self.tally.faults.append(f"{kind} in {house.folder}: {found}")


def soak(
    folder: Path, *, kills: int, seconds: float, workers: int, seed: int, report: Callable[[str], None]
) -> Tally:
    """Kill until there were enough kills, or the time is over; then judge."""
    goal = Goal(kills, seconds, report)
    everybody = [Worker(folder, f"{seed}-{number}", goal) for number in range(workers)]
    threads = [threading.Thread(target=worker.run) for worker in everybody]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    total = Tally()
    for worker in everybody:
        total.add(worker.tally)
    return total


@click.command()
@click.option("--kills", default=1000, show_default=True, help="How many are enough.")
@click.option("--minutes", default=20.0, show_default=True, help="When to end where they take longer.")
@click.option("--workers", default=3, show_default=True, help="How many services run side by side.")
@click.option("--fleet", type=int, default=0, help="So many services share one queue on PostgreSQL.")
@click.option("--seed", type=int, default=None, help="Chooses what happens; the moments stay chance.")
def main(kills: int, minutes: float, workers: int, fleet: int, seed: int | None) -> None:
    """Kill the service again and again, and count what came of it. Exits 1 where anything is wrong."""
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    if fleet:
        from tests.faults.fleet import harm  # noqa: PLC0415  # which stands on this module

        if not harm(fleet, faults=kills, minutes=minutes, seed=seed, say=click.echo):
            raise SystemExit(1)
        return
    click.echo(f"seed {seed}; {workers} services, {kills} kills, {minutes:g} minutes at most")
    folder = Path(tempfile.mkdtemp(prefix="threadcast-soak-"))
    tally = soak(folder, kills=kills, seconds=minutes * 60, workers=workers, seed=seed, report=click.echo)
    click.echo(f"\n{tally.table()}")
    if not tally.flawless:
        click.echo(f"\nSomething is wrong. The queues are in {folder}")
        raise SystemExit(1)
    shutil.rmtree(folder)
