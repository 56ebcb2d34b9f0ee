"""`make fleet`: three services on a real PostgreSQL publish 300 chains, and one is killed in the middle.

Also the figures of `make bench ARGS=fleet`.
"""

import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from statistics import median

import click
import psycopg

from tests.benchmarks.figures import Figure
from tests.e2e.house import chain, thread_text
from tests.faults.machines import Machine, Machines, machines, wait_until
from tests.servers.postgres import running

CHANNELS = 30
CHAINS = 10  # on each channel
SIZE = 5
LONG = 40  # posts of a chain in whose middle a machine is killed
SETTLE = {"THREADCAST_SETTLE_AFTER": "1s"}  # what is on its way on loopback has arrived by then

LONGEST_START = 0.25  # seconds from `add` to the first request of another machine, of 99 in 100
LONGEST_GAP = 10.0  # seconds from SIGKILL to the next post
IDLE = 0.05  # of a core
FASTER = 1.7  # times one service
SHARE = 0.4  # of a core: three services, their database and their server are to find room on two


def figures(
    *,
    adds: int = 100,
    kills: int = 3,
    idle_channels: int = 10_000,
    seconds: float = 20,
    busy: int = 60,
    parts: int = 20,
) -> Iterator[Figure]:
    """What machines gain from one another, and what it costs that there are several."""
    with stand(channels=20) as fleet:
        begin(fleet)
        yield soon(fleet, adds)
    with stand(channels=1, rate=4.0) as fleet:
        begin(fleet)
        yield replaced(fleet, kills)
    yield idle(idle_channels, seconds)
    yield against(busy // 2, parts // 2, SHARE, FASTER)
    yield against(busy, parts)


def against(channels: int, parts: int, share: float | None = None, target: float | None = None) -> Figure:
    """How much more three services publish than one, each with so much of a core, or with all there is."""
    (one, then), (three, now) = throughput(1, channels, parts, share), throughput(3, channels, parts, share)
    cores = f"of {os.cpu_count()} cores {then:.1f} were busy with one, {now:.1f} with three"
    detail = f"{three:.0f} posts/s against {one:.0f}; {cores}, database and server on them too"
    name = "three services against one" + (f", each with {share:g} of a core" if share else "")
    return Figure(name, three / one, "×", target, "more", detail)


@contextmanager
def stand(*, count: int = 3, channels: int, rate: float = 1000) -> Iterator[Machines]:
    with (
        tempfile.TemporaryDirectory(prefix="threadcast-fleet-") as folder,
        running() as postgres,
        machines(Path(folder), postgres, machines=count, channels=channels, rate=rate, more=SETTLE) as fleet,
    ):
        yield fleet


def soon(fleet: Machines, adds: int) -> Figure:
    """How soon a machine begins what was added on another one."""
    requests, took = fleet.requests(), []
    for number in range(adds):
        begun, before = time.monotonic(), len(fleet.telegram.arrivals)
        fleet.add(thread_text(100 + number, 1), [fleet.names[number % len(fleet.names)]], requests)
        fleet.telegram.wait_for(lambda server: len(server.arrivals) > before)  # noqa: B023  # called in here
        took.append(fleet.telegram.arrivals[before][0] - begun)
    took.sort()
    worst = took[min(len(took) - 1, len(took) * 99 // 100)]
    detail = f"p99 of {adds}, `add` itself and all; half within {median(took):.3f} s"
    return Figure("add on one machine, first request from another", worst, "s", LONGEST_START, detail=detail)


def replaced(fleet: Machines, kills: int) -> Figure:
    """How long a chain stands still when the machine is killed that publishes it."""
    fleet.add(thread_text(100, LONG))
    gaps = []
    for _ in range(kills):
        before = fleet.posts()
        wait_until(lambda: fleet.posts() >= before + 3)  # noqa: B023  # called in here
        # Between two posts: one that was in doubt would be looked for first.
        out = fleet.posts()
        wait_until(lambda: fleet.posts() > out)  # noqa: B023
        time.sleep(0.1)
        working = at_work(fleet)
        working.kill()
        killed = time.monotonic()
        wait_until(lambda: fleet.telegram.arrivals[-1][0] > killed)  # noqa: B023
        gaps.append(next(at for at, _ in fleet.telegram.arrivals if at > killed) - killed)
        working.start()
        working.wait_until_it_runs()
    detail = f"the longest of {kills}, in the middle of a chain, between two posts"
    return Figure("SIGKILL of the working machine, next post", max(gaps), "s", LONGEST_GAP, detail=detail)


def at_work(fleet: Machines) -> Machine:
    """The machine that publishes now."""
    found: list[Machine] = []

    def look() -> bool:
        working = {one.name for one in fleet.database.machines.all() if one.works_at}
        found[:] = [one for one in fleet.machines if one.id in working]
        return bool(found)

    wait_until(look)
    return found[0]


def idle(channels: int, seconds: float) -> Figure:
    """What machines and their database take of a core while there is nothing to do."""
    with stand(channels=channels) as fleet:
        for one in fleet.machines:
            one.start()
            one.wait_until_it_runs()
        time.sleep(min(seconds, 10.0))  # what was to be done at the start
        services = [one.process.popen.pid for one in fleet.machines]
        with psycopg.connect(fleet.env["THREADCAST_DATABASE_URL"], autocommit=True) as connection:
            row = connection.execute("SELECT pg_backend_pid()").fetchone()
            assert row is not None
            postmaster = parent(row[0])
        before = spent(services), spent(children(postmaster))
        time.sleep(seconds)
        after = spent(services), spent(children(postmaster))
    ours, theirs = ((later - earlier) / seconds for later, earlier in zip(after, before, strict=True))
    detail = f"three services {ours:.3f}, PostgreSQL {theirs:.3f}, over {seconds:g} s"
    return Figure(f"{channels} idle channels on three machines", ours + theirs, "cores", IDLE, detail=detail)


def throughput(count: int, channels: int, parts: int, share: float | None = None) -> tuple[float, float]:
    """How many posts a second so many services publish, and how many cores are busy meanwhile."""
    with stand(count=count, channels=channels) as fleet:
        begin(fleet)
        before, total = fleet.posts(), channels * parts
        fleet.add(thread_text(100, parts))
        services = [one.process.popen.pid for one in fleet.machines]
        with slowed(services, share) if share else nullcontext():
            begun, used = time.monotonic(), busy_time()
            wait_until(lambda: fleet.posts() >= before + total)
            took = time.monotonic() - begun
        return total / took, (busy_time() - used) / took


@contextmanager
def slowed(pids: list[int], share: float) -> Iterator[None]:
    """Let each of these processes have no more than so much of a core, as on a slower machine."""
    over = threading.Event()

    def hold() -> None:
        begun, before = time.monotonic(), {pid: ran(pid) for pid in pids}
        while not over.wait(0.002):
            allowed = share * (time.monotonic() - begun)
            for pid in pids:
                os.kill(pid, SIGSTOP if ran(pid) - before[pid] > allowed else SIGCONT)

    holding = threading.Thread(target=hold)
    holding.start()
    try:
        yield
    finally:
        over.set()
        holding.join()
        for pid in pids:
            os.kill(pid, SIGCONT)


def ran(pid: int) -> float:
    """The processor time of a process, in seconds, exactly.

    Its clock is made of its number: https://man7.org/linux/man-pages/man3/clock_getcpuclockid.3.html
    """
    return time.clock_gettime(~pid << 3 | 2)


def busy_time() -> float:
    """For how many seconds the cores of this machine have worked, taken together."""
    user, nice, system = map(int, Path("/proc/stat").read_text().split()[1:4])  # the first line is of all
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def spent(pids: list[int]) -> float:
    """The processor time of these processes, in seconds."""
    total = 0
    for pid in pids:
        path = Path(f"/proc/{pid}/stat")
        if path.exists():
            total += sum(map(int, path.read_text().rpartition(")")[2].split()[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, found)]


def begin(fleet: Machines) -> None:
    """Start the machines, and have a first post on every channel: behind it others can be looked for."""
    for one in fleet.machines:
        one.start()
    for one in fleet.machines:
        one.wait_until_it_runs()
    fleet.add(thread_text(0, 2))
    wait_until(lambda: fleet.posts() == 2 * len(fleet.chats))


def longest_gap(fleet: Machines, since: float) -> float:
    """How long nothing arrived, of the time from then until the last post."""
    times = [since, *(at for at, _ in fleet.telegram.arrivals if at >= since)]
    return max(after - before for before, after in pairwise(times))


@click.command()
@click.option("--machines", "count", default=3, show_default=True)
@click.option("--channels", default=CHANNELS, show_default=True)
@click.option("--chains", default=CHAINS, show_default=True, help="On each channel.")
def main(count: int, channels: int, chains: int) -> None:
    """Publish chains on machines that share a queue, and kill one of them in the middle."""
    with tempfile.TemporaryDirectory(prefix="threadcast-fleet-") as folder, running() as postgres:
        how = {"machines": count, "channels": channels, "more": SETTLE}
        with machines(Path(folder), postgres, **how) as fleet:  # type: ignore[arg-type]
            click.echo(f"PostgreSQL, a Bot API and {count} services with {channels} channels are starting …")
            begin(fleet)
            show(fleet, chains)


def show(fleet: Machines, chains: int) -> None:
    texts = [thread_text(100 + number, SIZE) for number in range(chains)]
    wanted = [chain(0, 2), *(chain(100 + number, SIZE) for number in range(chains))]
    total, before = chains * len(fleet.chats), fleet.posts()
    click.echo(f"publishing {total} chains of {SIZE} posts; {fleet.machines[0].name} is killed in the middle")
    fleet.add("".join(texts))
    began = time.monotonic()
    told = time.monotonic()
    killed: float | None = None
    while (out := fleet.posts() - before) < total * SIZE:
        if killed is None and out >= total * SIZE // 2:
            fleet.machines[0].kill()
            killed = time.monotonic()
            click.echo(f"  {out} posts are out: {fleet.machines[0].name} is killed (SIGKILL)")
        if time.monotonic() - told > 2:
            told = time.monotonic()
            click.echo(f"  {out} of {total * SIZE} posts are out")
        if time.monotonic() - began > 600:
            click.echo("  it takes too long")
            break
        time.sleep(0.05)
    took = time.monotonic() - began
    wait_until(lambda: set(fleet.states()) == {"published"})
    click.echo(f"\n{total} chains, {out} posts in {took:.1f} s")
    for one in fleet.machines:
        done = Counter("published" in line for line in one.said())[True]
        click.echo(f"  {one.name}: published {done} chains{' (killed)' if one is fleet.machines[0] else ''}")
    click.echo(f"longest time in which nothing arrived: {longest_gap(fleet, began):.2f} s")
    if killed is not None:
        theirs = [at for at, _ in fleet.telegram.arrivals if at > killed]
        click.echo(f"from the kill to the next post: {theirs[0] - killed:.2f} s")
    verdicts = [fleet.judge(number, wanted) for number in range(len(fleet.chats))]
    broken = [one for one in verdicts if not one.flawless]
    click.echo(
        f"channels on which every chain is whole, once and in order: {len(verdicts) - len(broken)}"
        f" of {len(verdicts)}"
    )
    if broken:
        click.echo("\n".join(map(str, broken)))
        raise SystemExit(1)


if __name__ == "__main__":
    main()
