"""`make soak FLEET=3`: machines that share a queue, and what happens to machines.

They are killed, frozen for longer than others wait and thawed, cut off from the database and cut short,
stopped as a supervisor does, started again with clocks set apart by minutes; PostgreSQL itself crashes. At
the end of each round all are left in peace, and what readers see is held against what was accepted.
"""

import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from tests.e2e.house import chain, thread_text
from tests.faults.machines import Machine, Machines, machines, wait_until
from tests.faults.soak import Count, Tally
from tests.servers.postgres import Postgres, running
from threadcast.bot.fleet.machine import MISSED
from threadcast.queue.errors import StoreError

CHANNELS = 6
ROUND = 60  # faults, after which there is a new queue
RATE = 6.0  # posts a second on a channel: of all together no more than a bot may send
WRONG = 600.0  # seconds by which a clock is wrong
PAUSE = 0.8  # seconds between two faults, at the most
MORE = 4  # threads at a time
LOWEST = 6  # posts to come on all channels together, below which threads are added
SETTLE = {"THREADCAST_SETTLE_AFTER": "1s"}  # what is on its way on loopback has arrived by then
FROZEN = MISSED.total_seconds()
PATIENCE = 240.0

FAULTS = {"kill": 8, "freeze": 4, "cut": 8, "silence": 3, "stop": 4, "restart of PostgreSQL": 1}


class Round:
    """Some faults on one queue."""

    def __init__(self, fleet: Machines, postgres: Postgres, chance: random.Random) -> None:
        self._fleet = fleet
        self._postgres = postgres
        self._random = chance
        self._chains = [chain(0, 2)]
        self._busy: dict[str, threading.Thread] = {}  # what has a fault that lasts, by its name
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []

    def run(self, faults: int, goal_reached: Callable[[], bool], count: Callable[[], None]) -> None:
        for one in self._fleet.machines:
            self._start(one)
        for one in self._fleet.machines:
            one.wait_until_it_runs()
        self._fleet.add(thread_text(0, 2))
        wait_until(lambda: self._fleet.posts() >= 2 * len(self._fleet.chats))
        while sum(self.done.values()) < faults and not goal_reached():
            self._fill()
            time.sleep(self._random.uniform(0, PAUSE))
            self._harm()
            count()
        for thread in self._busy.values():
            thread.join()
        for one in self._fleet.machines:
            if one.process.popen.poll() is not None:
                self._start(one)

    def judged(self) -> tuple[Count, list[str]]:
        """Let them finish in peace; then judge."""
        fleet = self._fleet

        def settled() -> bool:
            try:
                return set(fleet.states()) <= {"published", "unsure", "failed"}
            except StoreError:
                return False

        faults = self.wrong
        try:
            wait_until(settled, PATIENCE)
        except TimeoutError as error:
            faults.append(f"{error}: {fleet.states()}")
        found = Count()
        for number, name in enumerate(fleet.names):
            verdict, record = fleet.judge(number, self._chains), fleet.recorded(number)
            one = Count(
                **asdict(verdict),
                unfinished=sum(record.states.values()) - record.states.get("published", 0),
                not_as_recorded=len(record.posts ^ frozenset(fleet.seen(number))),
            )
            if any(value for key, value in asdict(one).items() if key != "posts"):
                faults.append(f"{name}: {one}")
            found.add(one)
        return found, faults

    def _start(self, one: Machine) -> None:
        one.start(self._random.uniform(-WRONG, WRONG))

    def _fill(self) -> None:
        total = sum(map(len, self._chains)) * len(self._fleet.chats)
        if total - self._fleet.posts() >= LOWEST * len(self._fleet.chats):
            return
        texts = []
        for _ in range(MORE):
            index, size = 100 + len(self._chains), self._random.randint(2, 6)
            self._chains.append(chain(index, size))
            texts.append(thread_text(index, size))
        while True:
            try:
                self._fleet.add("".join(texts))
            except StoreError:  # it was restarted just now
                time.sleep(0.2)
            else:
                return

    def _harm(self) -> None:
        kind = self._random.choices(list(FAULTS), list(FAULTS.values()))[0]
        free = [one for one in self._fleet.machines if not self._is_busy(one.name)]
        if kind == "restart of PostgreSQL":
            self._postgres.restart()
        elif not free:
            time.sleep(0.3)
            return
        else:
            self._hit(kind, self._random.choice(free))
        self.done[kind] += 1

    def _is_busy(self, name: str) -> bool:
        return name in self._busy and self._busy[name].is_alive()

    def _hit(self, kind: str, one: Machine) -> None:
        if kind == "kill":
            one.kill()
            self._start(one)
        elif kind == "stop":
            self._later(one, self._stop)
        elif kind == "cut":
            one.way.cut()
        elif kind == "freeze":
            one.freeze()
            self._later(one, self._thaw)
        else:
            one.way.stop()
            self._later(one, self._let_through)

    def _later(self, one: Machine, end: Callable[[Machine, float], None]) -> None:
        # Most of them for longer than the others wait, some for less.
        lasts = self._random.uniform(0.5, 1.6) * FROZEN
        self._busy[one.name] = threading.Thread(target=end, args=(one, lasts))
        self._busy[one.name].start()

    def _thaw(self, one: Machine, lasts: float) -> None:
        time.sleep(lasts)
        one.thaw()

    def _let_through(self, one: Machine, lasts: float) -> None:
        time.sleep(lasts)
        one.way.go_on()

    def _stop(self, one: Machine, _: float) -> None:
        try:
            one.stop()
        except subprocess.TimeoutExpired as error:
            self.wrong.append(f"{one.name} did not stop: {error}")
            one.kill()
        self._start(one)


def soak(
    folder: Path,
    *,
    faults: int,
    seconds: float,
    count: int,
    seed: int,
    report: Callable[[str], None],
    a_round: int = ROUND,
) -> tuple[Tally, Counter[str]]:
    """Harm machines until there were enough faults, or the time is over; then judge."""
    tally, done, began = Tally(), Counter[str](), time.monotonic()
    with running(crashes=True) as postgres:
        while sum(done.values()) < faults and time.monotonic() - began < seconds:
            number = tally.runs
            where = folder / f"queue-{number}"
            how = {"machines": count, "channels": CHANNELS, "rate": RATE, "more": SETTLE}
            with machines(where, postgres, **how) as fleet:  # type: ignore[arg-type]
                part = Round(fleet, postgres, random.Random(f"{seed}-{number}"))  # noqa: S311  # no secret
                part.run(
                    min(a_round, faults - sum(done.values())),
                    lambda: time.monotonic() - began >= seconds,
                    lambda: None,
                )
                found, wrong = part.judged()
                if wrong:
                    for one in fleet.machines:
                        (where / f"{one.name}.log").write_text("".join(one.said()))
            tally.runs += 1
            done += part.done
            tally.counts[f"{count} machines"].add(found)
            tally.faults += [f"queue {number} in {where}: {one}" for one in wrong]
            report(f"{sum(done.values())} of {faults} faults, {found.posts} posts, {wrong or 'all well'}")
            if not wrong:
                shutil.rmtree(where)
    return tally, done


def harm(count: int, *, faults: int, minutes: float, seed: int, say: Callable[[str], None]) -> bool:
    """Run it and tell; whether all is well."""
    folder = Path(tempfile.mkdtemp(prefix="threadcast-fleet-"))
    say(f"seed {seed}; {count} machines on one queue, {faults} faults, {minutes:g} minutes at most")
    tally, done = soak(folder, faults=faults, seconds=minutes * 60, count=count, seed=seed, report=say)
    say("\n" + ", ".join(f"{number} × {kind}" for kind, number in done.most_common()))
    say(tally.table().partition("\n\n")[2])
    if tally.flawless:
        shutil.rmtree(folder)
    else:
        say(f"\nSomething is wrong. What was said is in {folder}")
    return tally.flawless
