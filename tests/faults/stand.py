"""Starts the real service with faults in it, a thousand times if need be.

A fork server that has imported everything once makes a service process in a tenth of the time that a
new Python takes. What runs in it is the same: `threadcast run`, from its settings to its end.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as until_dead
from pathlib import Path
from signal import Signals
from typing import IO

from tests.e2e.house import PATIENCE, House, Process, chain, thread_text
from tests.faults.judge import Recorded, Seen, Verdict, judge, recorded
from tests.faults.killer import Plan
from tests.faults.killer import main as threadcast

KILLER = Path(__file__).with_name("killer.py")
NO_PLAN = Plan()

_forks = get_context("forkserver")
_forks.set_forkserver_preload(["tests.faults.stand", "threadcast.queue.store.migrate", "logging.config"])
# A fork's state may be read by one thread at a time only, and starting one looks at all the others.
_guard = threading.Lock()


class Fork:
    """A `threadcast` command in a fork, with the manners of a `Popen` whose standard error is read."""

    def __init__(self, words: Sequence[str], plan: Plan, folder: Path, env: Mapping[str, str]) -> None:
        reading, writing = _forks.Pipe(duplex=False)
        self._process = _forks.Process(
            target=_run, args=(tuple(words), plan.to_json(), str(folder), dict(env), writing), daemon=True
        )
        with _guard:
            self._process.start()
        writing.close()
        self.stderr: IO[str] = os.fdopen(os.dup(reading.fileno()), encoding="utf-8", errors="replace")
        reading.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        with _guard:
            return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Its exit code. Raises TimeoutExpired."""
        until_dead([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("threadcast", timeout)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(Signals.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(Signals.SIGTERM)


def _run(words: Sequence[str], plan: str, folder: str, env: Mapping[str, str], stderr: Connection) -> None:
    """What a fork does: become the command in its own folder and environment."""
    for output in (1, 2):
        os.dup2(stderr.fileno(), output)
    stderr.close()
    # Those that the fork server left believe that they can be sought in, which a pipe cannot.
    sys.stdout, sys.stderr = (os.fdopen(one, "w", 1, encoding="utf-8", closefd=False) for one in (1, 2))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["threadcast", plan, *words]
    threadcast()


@contextmanager
def running(house: House, plan: Plan = NO_PLAN, *, cold: bool = False) -> Iterator[Process]:
    """The service with this in it, from its start until the end of the block at the latest.

    `cold`: in a Python of its own, as a person starts it.
    """
    words = [sys.executable, "-P", str(KILLER), plan.to_json(), "run"]
    if cold:
        with house.running(*words) as process:
            yield process
        return
    process = Process(Fork(["run"], plan, house.folder, house.environment()))
    try:
        yield process
    finally:
        process.put_an_end()


def add(house: House, text: str, *channels: str) -> None:
    """Queue the threads of a text, on these channels or on all."""
    words = ["add", *(word for channel in channels for word in ("--channel", channel)), house.write(text)]
    command = Process(Fork(words, NO_PLAN, house.folder, house.environment()))
    assert command.end() == 0, "".join(command.lines)


def kill(house: House, plan: Plan) -> None:
    """Run the service until it kills itself as planned."""
    with running(house, plan) as service:
        with service.said:
            service.said.wait_for(
                lambda: service.popen.poll() is not None or said_any(service, "unsure", "stopped"), PATIENCE
            )
        code = service.popen.poll()
        assert code == -Signals.SIGKILL, f"ended with {code}, not as {plan}:\n{''.join(service.lines)}"


def said_any(service: Process, *words: str) -> bool:
    """Whether it has said one of these; the caller holds `said`."""
    return any(word in line for word in words for line in service.lines)


def wait_until(service: Process, done: Callable[[], bool]) -> None:
    """Wait until it is so; looked at after each line that the service says."""
    with service.said:
        found = service.said.wait_for(lambda: done() or service.popen.poll() is not None, PATIENCE)
    assert found, f"not within {PATIENCE:g} s:\n{''.join(service.lines)}"
    assert done(), "".join(service.lines)


def states(house: House) -> set[str]:
    """Which states the deliveries are in, by their queue."""
    return {state for channel in ("news", "masto") for state in recorded(house.data, channel).states}


def publish_the_rest(house: House, plan: Plan = NO_PLAN) -> None:
    """Run the service until nothing is queued any more, and stop it as a supervisor does."""
    with running(house, plan) as service:
        service.wait_for("running")  # from then on it stops gracefully
        ended = {"published", "unsure", "failed"}
        wait_until(service, lambda: states(house) <= ended)
        assert states(house) <= {"published"}, "".join(service.lines)
        assert service.stop() == 0


FIRST = chain(9, 2)


def publish_the_first(house: House) -> None:
    """Publish a thread on all channels: a Telegram post is looked for behind one that is known to be out."""
    add(house, thread_text(9, len(FIRST)))
    publish_the_rest(house)


def seen(house: House, channel: str) -> list[Seen]:
    """What a reader of a channel sees."""
    return house.on_telegram() if channel == "news" else house.on_mastodon()


def check(house: House, channel: str, chains: Sequence[Sequence[str]]) -> None:
    """The first chain and these are there, every post once, under its parent; and the queue says the same."""
    posts = seen(house, channel)
    chains = [FIRST, *chains]
    assert judge(posts, chains) == Verdict(posts=sum(map(len, chains)))
    assert recorded(house.data, channel) == Recorded({"published": len(chains)}, frozenset(posts))
