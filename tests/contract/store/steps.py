"""Steps through a store's life that many tests take."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from tests.contract.store.samples import LEASE, NOON, SECOND, new, posts
from threadcast.queue.port import ANY, ChannelSeen, Claim, Delivery, NewThread, Opening, Store
from threadcast.queue.states import DeliveryState, Outcome, Refused, Sent, Unknown, decide

OpenStore = Callable[[], Store]
Value = TypeVar("Value")

HELD, QUEUED, PUBLISHING = DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.PUBLISHING
PUBLISHED = DeliveryState.PUBLISHED
SENT = Sent("100", "https://social.example/100")
REFUSED = Refused("chat not found")
UNKNOWN = Unknown("no answer")


def add(store: Store, *threads: NewThread, now: datetime = NOON, again: bool = False) -> list[Delivery]:
    added = store.add(threads or (new(),), now=now, actor="ada", again=again)
    return [delivery for one in added for delivery in one.deliveries]


def look(
    store: Store, channel: str = "news", *, now: datetime = NOON, opening: Opening = ANY
) -> Claim | None:
    """A claim that may find nothing."""
    return store.claim(channel, worker="w1", now=now, until=now + LEASE, opening=opening)


def claim(store: Store, channel: str = "news", *, worker: str = "w1", now: datetime = NOON) -> Claim:
    claimed = store.claim(channel, worker=worker, now=now, until=now + LEASE)
    assert claimed is not None
    return claimed


def started(store: Store, count: int = 2) -> Claim:
    """A claimed and planned delivery."""
    add(store)
    claimed = claim(store)
    store.plan(claimed, posts(count), now=NOON)
    return claimed


def intend(store: Store, claimed: Claim, position: int = 1, *, now: datetime = NOON) -> None:
    store.intend(claimed, position, key=f"key-{position}", reply_to=None, now=now, until=now + LEASE)


def advance(store: Store, claimed: Claim, position: int = 1, *, now: datetime = NOON) -> None:
    key = f"key-{position + 1}"
    store.advance(claimed, position, SENT, key=key, now=now, until=now + LEASE)


def judge(store: Store, claimed: Claim, position: int, outcome: Outcome, *, last: bool = False) -> Delivery:
    change = decide(outcome, last=last, tries=1, now=NOON + SECOND, chance=0)
    return store.record(claimed, position, change, now=NOON + SECOND)


def send(store: Store, claimed: Claim, position: int, outcome: Outcome, *, last: bool = False) -> Delivery:
    intend(store, claimed, position)
    return judge(store, claimed, position, outcome, last=last)


def at_once(*calls: Callable[[], Value]) -> list[Value]:
    """What the calls give, each made in a thread of its own, all let loose together."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Value]) -> Value:
        gate.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def finish(store: Store, claimed: Claim, count: int) -> Delivery:
    """Send what is planned, from the first post that is not out, up to the last of `count`."""
    for position in range(store.delivery(claimed.delivery.id).sent + 1, count + 1):
        sent = Sent(str(100 * claimed.delivery.id + position), None)
        send(store, claimed, position, sent, last=position == count)
    return store.delivery(claimed.delivery.id)


def published(store: Store, count: int = 2) -> Delivery:
    """A delivery whose every post is out."""
    return finish(store, started(store, count), count)


def see(store: Store, *names: str, schedule: str = "daily 09:00", now: datetime = NOON) -> None:
    store.see_channels([ChannelSeen(name, "local", name, schedule) for name in names or ("news",)], now=now)
