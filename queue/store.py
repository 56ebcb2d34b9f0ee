"""The port: what a queue can do. These docstrings are the specification of every store.

All times are aware UTC datetimes given by the caller: a store has no clock. Methods are synchronous
and may be called from several threads; each is one transaction. What a store raises beside the
errors below is `StoreError`, whose message a person can act on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from threadcast.queue.compose import Post
from threadcast.queue.states import Change, DeliveryState, Event, PostState, Sent
from threadcast.queue.thread import Thread


class StoreError(Exception):
    """The queue cannot be used; the message names the thing, the cause and the next step."""


class NotFoundError(StoreError):
    """There is no such thread or delivery."""


class LeaseLostError(StoreError):
    """Another worker holds the delivery now: stop, and write nothing more."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A wish: this thread on that channel, `held` or `queued`, not before `due`.

    `reason` says why it is held, for a person; empty where it is queued.
    """

    channel: str
    state: DeliveryState
    due: datetime
    reason: str = ""


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
    or go on. `posts` and `sent` count its planned posts (0 before planning) and those that are out.
    `fence` grows by one with each claim.
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


@dataclass(frozen=True, slots=True)
class PostRecord:
    """One post of a delivery. `position` counts from 1; `reply_to` is the remote id of its parent.

    `tries` counts the intents; `intended` is the time of the last one. `key` is the idempotency key,
    set by the first intent and kept.
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


@dataclass(frozen=True, slots=True)
class StoredThread:
    """A thread with its number in this queue."""

    id: int
    thread: Thread
    source: str
    created: datetime


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One line of the audit log. `what` is an `Event`'s value, `add` or `plan`."""

    id: int
    at: datetime
    actor: str
    what: str
    thread_id: int
    delivery_id: int
    channel: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel the queue has seen. `target` says what it points at, free of secrets."""

    name: str
    kind: str
    target: str
    first_seen: datetime
    last_seen: datetime


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


class Store(Protocol):
    """A durable queue of deliveries."""

    def close(self) -> None:
        """Let go of files and connections. Idempotent."""
        ...

    def see_channels(self, channels: Sequence[tuple[str, str, str]], *, now: datetime) -> None:
        """Note the configured channels as (name, kind, target); new ones are added, others updated."""
        ...

    def channels(self) -> tuple[ChannelRow, ...]:
        """Every channel ever seen, by name."""
        ...

    def add(
        self,
        threads: Sequence[NewThread],
        *,
        now: datetime,
        actor: str,
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Added, ...]:
        """Add all threads or, on any error, none; one `Added` for each, in order.

        A wish whose fingerprint has a live delivery on its channel is a duplicate; so is, unless
        `again`, one whose fingerprint was published there (state `published`); so is, with `since`,
        one whose fingerprint was added there at `since` or later, whatever became of it: for a
        caller who may have died after this very wish was taken. The database itself
        guards the first rule against two callers at once. A wish that repeats an earlier one of the
        same call is a duplicate of that. A thread none of whose wishes is taken is not stored.
        Deliveries queue up behind all others of their channel (`rank`), in the order given. Each
        delivery taken gives an `add` event.
        """
        ...

    def claim(self, channel: str, *, worker: str, now: datetime, until: datetime) -> Claim | None:
        """Take the channel's next delivery, with a lease until `until`; None where there is none.

        First a `publishing` one that is due and whose lease is free or has ended (`lease_until` ≤
        now); else, where no delivery of the channel is `publishing`, the due `queued` one of lowest
        (rank, id). Due means `due` ≤ now. One statement; two callers never get the same delivery,
        nor two deliveries of one channel. Sets state, lease, fence + 1 and, the first time,
        `started`; gives a `claim` event.
        """
        ...

    def plan(self, claim: Claim, posts: Sequence[Post], *, now: datetime) -> tuple[PostRecord, ...]:
        """Store the posts of a claimed delivery, once, all `planned`. Raises LeaseLostError.

        Raises StoreError where it is planned already, or `posts` is empty. Gives a `plan` event.
        """
        ...

    def intend(
        self, claim: Claim, position: int, *, key: str, reply_to: str | None, now: datetime, until: datetime
    ) -> PostRecord:
        """Before a send: the `planned` post becomes `sending`, durably; the lease now ends at `until`.

        Adds a try, notes time and parent; keeps the key of an earlier try. Raises LeaseLostError,
        and StoreError where the post is not `planned`, or one before it is not out.
        """
        ...

    def record(self, claim: Claim, position: int | None, change: Change, *, now: datetime) -> Delivery:
        """After a send: write what `states.decide` decided, post and delivery together.

        `position` None is for what went wrong before any post (the rules could not be had): only the
        delivery changes. A post that was sent gets remote id, url and `finished`. The delivery takes
        the state that `states.follow` gives for `change.event`, `change.reason`, and `change.due`
        where there is one; a lease that is not kept is cleared; `finished` is set on `published` and
        `failed`. Gives an event, except for `go-on`.

        Changes nothing and raises LeaseLostError where the fence is no longer the delivery's, and
        StoreError where the change cannot be true: a post changes that is not the next of its chain,
        or goes out and was not being sent, the chain ends in its middle or goes on after its last
        post, or `position` is None with another event than `wait` and `refuse`.
        """
        ...

    def advance(
        self, claim: Claim, position: int, sent: Sent, *, key: str, now: datetime, until: datetime
    ) -> None:
        """Between two sends: record that this post is out and intend the next, in one transaction.

        The same as `record` of a `go-on` and then `intend`, of the next post and with `key` for it,
        as a reply to this one; but the disk is waited for once. Raises as they do, and changes
        nothing then.
        """
        ...

    def let_go(self, claim: Claim, *, now: datetime) -> None:
        """End the lease early: the delivery stays `publishing` and is due at once.

        Raises LeaseLostError.
        """
        ...

    def free_leases(self, *, now: datetime) -> int:
        """End every lease that runs, for a service that knows it is the only one; how many it ended."""
        ...

    def next_due(self, channel: str, *, now: datetime) -> datetime | None:
        """When `claim` will next find something on this channel if nobody writes meanwhile.

        At most `now` where it would find something at once; a held lease counts until it ends.
        None where nothing waits.
        """
        ...

    def apply(
        self, delivery_id: int, event: Event, *, now: datetime, actor: str, due: datetime | None = None
    ) -> Delivery:
        """A person's request: one of `states.REQUESTS`, as `states.follow` allows.

        `retry` makes a `refused` post `planned` again. `due` replaces the delivery's. Clears
        `reason` and `finished` where the new state is `queued`; sets `finished` on `cancelled`.
        Raises NotFoundError, states.NotAllowedError.
        """
        ...

    def settle(self, delivery_id: int, sent: Sent | None, *, now: datetime, actor: str) -> Delivery:
        """A person says of an `unsure` delivery's `unknown` post: it is out (`sent`), or it is not (None).

        The post becomes `sent` or `planned`; the delivery goes back to the queue, or is `published`
        where that was its last post. Gives a `settle` event, and with the last post a `finish` event.
        Raises NotFoundError, states.NotAllowedError.
        """
        ...

    def thread(self, thread_id: int) -> StoredThread:
        """Raises NotFoundError."""
        ...

    def delivery(self, delivery_id: int) -> Delivery:
        """Raises NotFoundError."""
        ...

    def deliveries(
        self,
        *,
        states: frozenset[DeliveryState] | None = None,
        channel: str | None = None,
        thread_id: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
    ) -> tuple[Delivery, ...]:
        """Those that fit every given filter.

        In the order of the queue (channel, begun ones first, rank, id); `newest_first`: by
        `finished` (else `created`) falling, then id falling.
        """
        ...

    def posts(self, delivery_id: int) -> tuple[PostRecord, ...]:
        """A delivery's posts by position; empty before planning."""
        ...

    def events(self, *, thread_id: int | None = None, limit: int | None = None) -> tuple[AuditEvent, ...]:
        """The audit log, oldest first; with `limit`, the newest that many."""
        ...
