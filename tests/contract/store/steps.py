"""Steps through a store's life that many tests take."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from tests.contract.store.samples import LEASE, NOON, SECOND, new, posts
from threadcast.queue.model import ChannelSeen, Claim, Delivery, Intent, NewThread, Timing, Turn
from threadcast.queue.model import at_once as always
from threadcast.queue.outcomes import Outcome, Refused, Sent, Unknown
from threadcast.queue.states import DeliveryState, Event, decide
from threadcast.queue.store.database import Database

OpenDatabase = Callable[[], Database]
Value = TypeVar("Value")

HELD, QUEUED, PUBLISHING = DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.PUBLISHING
PUBLISHED = DeliveryState.PUBLISHED
SENT = Sent("100", "https://social.example/100")
REFUSED = Refused("chat not found")
UNKNOWN = Unknown("no answer")


def add(database: Database, *threads: NewThread, now: datetime = NOON, again: bool = False) -> list[Delivery]:
    added = database.threads.add(threads or (new(),), now=now, actor="ada", again=again)
    return [delivery for one in added for delivery in one.deliveries]


def ask(
    database: Database,
    delivery: Delivery,
    event: Event,
    *,
    now: datetime = NOON,
    actor: str = "ada",
    due: datetime | None = None,
) -> Delivery:
    """Change a delivery as a person asks."""
    return database.changes.apply(delivery.id, event, now=now, actor=actor, due=due)


def opening(*, turn: bool = True, slot: datetime | None = None) -> Timing:
    """The timing of a channel where the next in turn may begin now, or may not."""
    return lambda _last, _queued, now: Turn(now if turn else None, slot)


def look(
    database: Database,
    channel: str = "news",
    *,
    worker: str = "w1",
    now: datetime = NOON,
    timing: Timing = always,
) -> Claim | None:
    """A claim that may find nothing."""
    claimed = database.work.claim(channel, worker=worker, now=now, until=now + LEASE, timing=timing)
    return claimed if isinstance(claimed, Claim) else None


def claim(database: Database, channel: str = "news", *, worker: str = "w1", now: datetime = NOON) -> Claim:
    claimed = look(database, channel, worker=worker, now=now)
    assert claimed is not None
    return claimed


def started(database: Database, count: int = 2) -> Claim:
    """A claimed and planned delivery."""
    add(database)
    claimed = claim(database)
    database.work.plan(claimed, posts(count), now=NOON)
    return claimed


def intend(database: Database, claimed: Claim, position: int = 1, *, now: datetime = NOON) -> None:
    database.work.intend(claimed, position, key=f"key-{position}", reply_to=None, now=now, until=now + LEASE)


def advance(database: Database, claimed: Claim, position: int = 1, *, now: datetime = NOON) -> None:
    """Record that a post is out and intend the next, in one transaction."""
    change = decide(SENT, last=False, tries=1, now=now, chance=0)
    following = Intent(f"key-{position + 1}", now + LEASE)
    database.work.record(claimed, position, change, now=now, following=following)


def judge(
    database: Database, claimed: Claim, position: int, outcome: Outcome, *, last: bool = False
) -> Delivery:
    change = decide(outcome, last=last, tries=1, now=NOON + SECOND, chance=0)
    return database.work.record(claimed, position, change, now=NOON + SECOND)[0]


def send(
    database: Database, claimed: Claim, position: int, outcome: Outcome, *, last: bool = False
) -> Delivery:
    intend(database, claimed, position)
    return judge(database, claimed, position, outcome, last=last)


def at_once(*calls: Callable[[], Value]) -> list[Value]:
    """What the calls give, each made in a thread of its own, all let loose together."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Value]) -> Value:
        gate.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def finish(database: Database, claimed: Claim, count: int) -> Delivery:
    """Send what is planned, from the first post that is not out, up to the last of `count`."""
    for position in range(database.reading.delivery(claimed.delivery.id).sent + 1, count + 1):
        sent = Sent(str(100 * claimed.delivery.id + position), None)
        send(database, claimed, position, sent, last=position == count)
    return database.reading.delivery(claimed.delivery.id)


def published(database: Database, count: int = 2) -> Delivery:
    """A delivery whose every post is out."""
    return finish(database, started(database, count), count)


def see(database: Database, *names: str, schedule: str = "daily 09:00", now: datetime = NOON) -> None:
    database.changes.see_channels(
        [ChannelSeen(name, "local", name, schedule) for name in names or ("news",)], now=now
    )


def last_slot(database: Database, channel: str = "news") -> datetime | None:
    """The slot of the channel that was used last."""
    return next(row.last_slot for row in database.reading.channels() if row.name == channel)
