"""What a queue holds and is asked, as frozen values; and what it raises.

All times are aware UTC datetimes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from threadcast.queue.compose.rules import Post
from threadcast.queue.outcomes import Code, Sent
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.text.thread import Thread

_Answer = TypeVar("_Answer")

# A slot is used when it has come: one noted further ahead than this was noted by a clock that was wrong.
CLOCK_ERROR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Adoption:
    """A chain that someone began by hand: its first `parts` parts are out, the last of them as `last`."""

    parts: int
    last: Sent


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A wish: this thread on that channel, `held` or `queued`, not before `due`.

    `reason` says why it is held, for a person, and `code` for programs; empty where it is queued. With
    `own_time` it starts at `due`, whatever the channel's schedule. With `adoption` its chain goes on from
    there.
    """

    channel: str
    state: DeliveryState
    due: datetime
    reason: str = ""
    own_time: bool = False
    adoption: Adoption | None = None
    code: Code = Code.NONE


@dataclass(frozen=True, slots=True)
class Turn:
    """When the next thread in turn may begin on a channel (UTC), by its timetable; None: it may not.

    `slot` is the slot it uses then; None where the channel has no schedule.
    """

    at: datetime | None
    slot: datetime | None = None


# The last slot used, when the first thread in turn joined the queue, and now.
Timing = Callable[[datetime | None, datetime, datetime], Turn]


@dataclass(frozen=True, slots=True)
class Intent:
    """That the next post is sent at once: its idempotency key, and until when the lease holds then.

    It replies to `parent`; None: to the post before it.
    """

    key: str
    until: datetime
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class NewThread:
    """A thread to be added. `source` is where it came from, for a person (a file's name, `-`)."""

    thread: Thread
    source: str
    deliveries: tuple[NewDelivery, ...]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the queue.

    `rank` orders a channel's queue, lowest first. `due` is the earliest moment at which it may start
    or go on. `queued` is when it last joined the queue. `parts` counts its thread's; `posts` and `sent`
    count its planned posts (0 before planning) and those that are out, adopted ones included. `fence`
    grows by one with each claim. `code` says what `reason` tells a person. `fingerprint` is its thread's, and
    `files` are the digests of that one's files.
    """

    id: int
    thread_id: int
    channel: str
    state: DeliveryState
    reason: str
    rank: int
    due: datetime
    created: datetime
    started: datetime | None
    finished: datetime | None
    lease_owner: str | None
    lease_until: datetime | None
    fence: int
    posts: int
    sent: int
    title: str
    own_time: bool
    queued: datetime
    parts: int
    adoption: Adoption | None
    code: Code = Code.NONE
    fingerprint: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PostRecord:
    """One post of a delivery. `position` counts from 1; `reply_to` is the remote id of its parent.

    `tries` counts the intents; `intended` is the time of the last one. `key` is the idempotency key,
    set by the first intent and kept. `doubted` is the time of the first intent whose post may be out,
    None where there was none; `misses` counts the looks in a row since that did not find it.
    `taken_down` is when it was deleted from the network. `album` are the ids of its further messages;
    `uploads` is what the network calls its files, as far as it has them. `edit` says how the last
    correction of its text stands, None where there was none; `edited` is when that was last begun.
    """

    position: int
    post: Post
    state: PostState
    key: str | None
    reply_to: str | None
    remote_id: str | None
    url: str | None
    tries: int
    intended: datetime | None
    finished: datetime | None
    reason: str
    doubted: datetime | None = None
    misses: int = 0
    taken_down: datetime | None = None
    album: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()
    edit: PostState | None = None
    edited: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoredThread:
    """A thread with its number in this queue."""

    id: int
    thread: Thread
    source: str
    created: datetime


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the audit log.

    `what` is an `Event`'s value, `add`, `plan`, `move`, `edit`, `edited`, `remove`, `take-down`, `pause`,
    `resume`, `moved`, `store`, `forget`, `admit`, `revoke`, `token`, `revoke-token`, `import`, `share` or
    `send-back`. Those from `pause` to `share` are about a channel, the queue, or who steers or may approve,
    and have neither thread nor delivery; `remove` has no delivery.
    """

    id: int
    at: datetime
    actor: str
    what: str
    thread_id: int | None
    delivery_id: int | None
    channel: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """A configured channel. `target` and `schedule` say where and when, in words, free of secrets.

    `also` is the channel that its chains name at their end, where the same thread is; empty: none.
    """

    name: str
    kind: str
    target: str
    schedule: str = ""
    also: str = ""


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel the queue has seen. `last_slot` (UTC) is the last slot of its schedule that was used.

    What was learned about its target, and is forgotten with another one: `rate`, how many posts a second
    it takes; `moved`, where the network says that the target is now.
    """

    name: str
    kind: str
    target: str
    schedule: str
    paused: bool
    last_slot: datetime | None
    first_seen: datetime
    last_seen: datetime
    rate: float | None = None
    moved: str | None = None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many deliveries of a channel stand in a state; `since` is when the first of them was ready.

    That is when it was due and in the queue.
    """

    channel: str
    state: DeliveryState
    own_time: bool
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on one delivery until its lease ends, proved by `delivery.fence`."""

    delivery: Delivery
    thread: Thread
    posts: tuple[PostRecord, ...]
    worker: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Why a wish was not taken: the same thread is live on that channel, or was published there."""

    channel: str
    existing: Delivery


@dataclass(frozen=True, slots=True)
class Added:
    """What became of one NewThread. `thread_id` is None where every wish was a duplicate."""

    thread_id: int | None
    deliveries: tuple[Delivery, ...]
    duplicates: tuple[Duplicate, ...]


@dataclass(frozen=True)  # with slots, Python 3.11 cannot make one of a kind
class Once(Generic[_Answer]):
    """That a request is met once, though it may come again: by whoever did not hear the answer.

    `page` is its page of the notes, which two requests share where they have the same key; `proof` tells
    whether they ask for the same. `said` is the answer, as it is kept for the next time.
    """

    page: str
    proof: str
    said: Callable[[tuple[_Answer, ...]], str]


def at_once(_last_slot: datetime | None, _queued: datetime, now: datetime) -> Turn:
    """The timing of a channel without a timetable."""
    return Turn(now)


def credible(last_slot: datetime | None, now: datetime) -> datetime | None:
    """The slot used last; None where it lies so far ahead that the clock that used it was wrong.

    Without this, a clock that was once a year ahead would keep its channels still for a year.
    """
    return None if last_slot is not None and last_slot > now + CLOCK_ERROR else last_slot


@dataclass(frozen=True, slots=True)
class Machine:
    """A service that shares a queue with others, and when it was last heard of.

    `works_at` are the threads that it publishes, each with its channel; `leads` is what only one may do.
    """

    name: str
    version: str
    since: datetime
    heard: datetime
    works_at: tuple[tuple[int, str], ...] = ()
    leads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Beat:
    """What a machine learns when it is heard of: the time, the newest event, the version of the tables."""

    at: datetime
    newest: int
    version: str
