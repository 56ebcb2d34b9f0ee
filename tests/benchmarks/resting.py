"""What the service takes while it has nothing to do. Read from /proc: Linux only."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.figures import Figure
from tests.benchmarks.samples import thread
from tests.benchmarks.stand import CHANNELS, NETWORKS, Stand, stand
from tests.e2e.house import Process

MOST_MEMORY = 120.0  # MB
BARE = "import asyncio; print('ready', flush=True); asyncio.run(asyncio.Event().wait())"


@contextmanager
def chatting(here: Stand) -> Iterator[Process]:
    """The service, with an owner whom it listens to and reports to."""
    owner = here.house.telegram.person("Ada", 1111)
    owner.starts()
    here.house.env["THREADCAST_TELEGRAM__ADMINS"] = "1111"
    with here.service() as service:
        yield service


def figures(*, seconds: float = 15.0) -> Iterator[Figure]:
    """A service with both networks and a chat, after it published a chain on each, alone for `seconds`."""
    if not Path("/proc/self/status").exists():
        return
    with (
        stand() as here,
        chatting(here) as service,
        subprocess.Popen([sys.executable, "-c", BARE], stdout=subprocess.PIPE, text=True) as bare,
    ):
        assert bare.stdout is not None
        assert bare.stdout.readline() == "ready\n"
        file = here.house.write(thread(1, 3))
        assert here.house.command("add", file).returncode == 0
        for network in NETWORKS:
            service.wait_for(f'"channel": "{CHANNELS[network]}"')
            here.wait(network, 3)
        here.wait("telegram", 3 + 2)  # the answer to Start, and the report
        time.sleep(min(seconds, 2.0))  # the chains' last steps
        before = [_switches(process.pid) for process in (service.popen, bare)]
        time.sleep(seconds)
        after = [_switches(process.pid) for process in (service.popen, bare)]
        used = memory(service.popen.pid)
        bare.kill()
    ours, theirs = (later - earlier for later, earlier in zip(after, before, strict=True))
    yield Figure(
        "idle: memory",
        used,
        "MB",
        MOST_MEMORY,
        detail="resident, both client libraries and the chat in use",
    )
    yield Figure(
        "idle: wake-ups",
        ours / seconds,
        "/s",
        0.1,
        detail=f"{ours} in {seconds:g} s over all threads; a bare asyncio process {theirs}",
    )


def wake_ups(pid: int, seconds: float) -> int:
    """How often a process wakes up in that time, over all its threads."""
    before = _switches(pid)
    time.sleep(seconds)
    return _switches(pid) - before


def memory(pid: int) -> float:
    """Resident memory, MB."""
    return _field(Path(f"/proc/{pid}/status"), "VmRSS") / 1000


def _switches(pid: int) -> int:
    """How often the threads of a process gave up the processor so far: each sleep ends with a wake-up."""
    return sum(
        _field(task / "status", "voluntary_ctxt_switches") for task in Path(f"/proc/{pid}/task").iterdir()
    )


def _field(file: Path, name: str) -> int:
    line = next(line for line in file.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1])
