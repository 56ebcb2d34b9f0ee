"""Machines that share a queue: one takes over from another, whatever becomes of that one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import chain, thread_text
from tests.faults.fleet import SETTLE, soak
from tests.faults.machines import PATIENCE, Machines, machines, wait_until
from tests.servers.postgres import Postgres
from tests.servers.telegram.people import Person
from threadcast.queue.states import Event

pytestmark = pytest.mark.e2e


@pytest.fixture
def fleet(postgres: Postgres, tmp_path: Path) -> Iterator[Machines]:
    """Two machines, and channels on which a first thread is out."""
    more = {**SETTLE, "THREADCAST_TELEGRAM__CONFIRM": "false"}
    with machines(tmp_path / "fleet", postgres, machines=2, channels=2, rate=20, more=more) as fleet:
        yield fleet


def begin(fleet: Machines, *clocks: float) -> None:
    for one, clock in zip(fleet.machines, clocks or (0, 0), strict=True):
        one.start(clock)
    for one in fleet.machines:
        one.wait_until_it_runs()
    fleet.add(thread_text(0, 2))
    wait_until(lambda: set(fleet.states()) == {"published"})


def check(fleet: Machines, *chains: list[str]) -> None:
    """Every chain is whole on every channel, once and in order; and the queue says the same."""
    wait_until(lambda: set(fleet.states()) == {"published"})
    for number in range(len(fleet.chats)):
        verdict = fleet.judge(number, [chain(0, 2), *chains])
        assert verdict.flawless, verdict
        assert fleet.recorded(number).posts == frozenset(fleet.seen(number))


def working(fleet: Machines) -> str:
    """The name of a machine that publishes now."""
    found: list[str] = []

    def look() -> bool:
        found[:] = [one.name for one in fleet.database.machines.all() if one.works_at]
        return bool(found)

    wait_until(look)
    return found[0]


def test_another_machine_goes_on(fleet: Machines) -> None:
    """Killed in the middle of chains, a machine is missed, and the other one publishes the rest of them."""
    begin(fleet)
    fleet.add(thread_text(1, 60))
    name = working(fleet)
    next(one for one in fleet.machines if one.id == name).kill()
    check(fleet, chain(1, 60))


def test_a_frozen_machine_wakes_up(fleet: Machines) -> None:
    """Frozen until others have published what it was at, a machine sends none of it when it wakes up."""
    begin(fleet)
    fleet.add(thread_text(1, 60))
    name = working(fleet)
    frozen = next(one for one in fleet.machines if one.id == name)
    frozen.freeze()
    # Frozen in the middle of a call, it leaves a post in doubt: that is looked for twice, a minute apart.
    wait_until(lambda: set(fleet.states()) == {"published"}, 2 * PATIENCE)
    frozen.thaw()
    frozen.process.wait_for("was missed")
    fleet.add(thread_text(2, 3))
    check(fleet, chain(1, 60), chain(2, 3))


def test_a_machine_that_is_stopped_lets_go(fleet: Machines) -> None:
    """Stopped one after the other and started again, machines hand on what they are at."""
    begin(fleet)
    fleet.add(thread_text(1, 60))
    for one in fleet.machines:
        assert one.stop() == 0
        one.start()
        one.wait_until_it_runs()
    check(fleet, chain(1, 60))


def test_clocks_that_are_wrong(fleet: Machines) -> None:
    """Whatever their clocks say, machines publish at once what is due, and nothing twice."""
    begin(fleet, 3600, -3600)
    fleet.add(thread_text(1, 30))
    check(fleet, chain(1, 30))
    sent = fleet.database.reading.sent_at("c0", fleet.database.machines.now().replace(year=2000))
    assert max(sent) <= fleet.database.machines.now()


def test_a_chain_is_stopped_from_elsewhere(fleet: Machines) -> None:
    """`stop` reaches the machine that publishes, wherever it was typed."""
    begin(fleet)
    fleet.add(thread_text(1, 200), ["c0"])
    working(fleet)
    requests = fleet.requests()
    requests.changes.apply(2, Event.STOP, channels=["c0"])
    wait_until(lambda: fleet.states().get("failed") == 1)
    assert fleet.posts() < 2 * len(fleet.chats) + 200


def ada(fleet: Machines) -> Person:
    person = fleet.telegram.person("Ada", fleet.owner.id)
    person.starts()
    return person


def test_one_machine_hears_the_bot(fleet: Machines) -> None:
    """What is said to the bot is heard once, also when the machine that hears it is killed."""
    owner = ada(fleet)
    begin(fleet)
    owner.says(thread_text(1, 3))
    wait_until(lambda: fleet.posts() == (2 + 3) * len(fleet.chats))
    (leader,) = [one.name for one in fleet.database.machines.all() if one.leads]
    next(one for one in fleet.machines if one.id == leader).kill()
    owner.says(thread_text(2, 3))
    wait_until(lambda: fleet.posts() == (2 + 3 + 3) * len(fleet.chats))
    check(fleet, chain(1, 3), chain(2, 3))
    (other,) = [one.name for one in fleet.database.machines.all() if one.leads]
    assert other != leader


def test_a_newer_program_took_over_the_tables(fleet: Machines) -> None:
    """A service whose tables have become a newer program's says so, and ends."""
    begin(fleet)
    with fleet.database.transactions.write() as connection:
        connection.exec_driver_sql("UPDATE threadcast_version SET version_num = '9999'")
    for one in fleet.machines:
        assert one.process.end() != 0
        assert any("newer Threadcast" in line for line in one.said())


def test_a_few_faults(tmp_path: Path) -> None:
    """Harmed a few times at random, machines publish each post once."""
    tally, done = soak(tmp_path, faults=10, seconds=120, count=3, seed=1, report=print, a_round=10)
    assert tally.flawless, tally.table()
    assert sum(done.values())
