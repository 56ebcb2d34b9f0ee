"""Starts the real service with faults in it, a thousand times if need be."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from signal import Signals

from tests.e2e.fork import Fork
from tests.e2e.house import PATIENCE, House, Process, chain, thread_text
from tests.faults.judge import Recorded, Seen, Verdict, judge, recorded
from tests.faults.killer import Plan
from tests.faults.killer import main as threadcast

KILLER = Path(__file__).with_name("killer.py")
NO_PLAN = Plan()


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
    process = Process(Fork(threadcast, [plan.to_json(), "run"], folder=house.folder, env=house.environment()))
    try:
        yield process
    finally:
        process.put_an_end()


def add(house: House, text: str, *channels: str) -> None:
    """Queue the threads of a text, on these channels or on all."""
    words = ["add", *(word for channel in channels for word in ("--channel", channel)), house.write(text)]
    done = house.command(*words)
    assert done.returncode == 0, done.stderr


def correct(house: House, text: str, *options: str) -> None:
    """A person edits thread 1, and says yes."""
    done = subprocess.run(
        [sys.executable, "-m", "threadcast.bot", "edit", "1", "--yes", *options],
        input=text,
        cwd=house.folder,
        env=dict(house.environment()),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr


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
