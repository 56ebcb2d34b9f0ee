"""The port: what a queue can do. These docstrings are the specification of every store.

All times are aware UTC datetimes given by the caller: a store has no clock. Methods are synchronous
and may be called from several threads; each is one transaction. What a store raises beside the
errors below is `StoreError`, whose message a person can act on.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from threadcast.queue.compose.compose import Post
from threadcast.queue.model import (
    ANY,
    Added,
    Adoption,
    AuditEvent,
    ChannelRow,
    ChannelSeen,
    Claim,
    Delivery,
    Duplicate,
    NewDelivery,
    NewThread,
    Opening,
    PostRecord,
    StoredThread,
    Waiting,
    credible,
)
from threadcast.queue.notebook import Notebook
from threadcast.queue.states import Change, DeliveryState, Event, Sent
from threadcast.queue.text.thread import Thread

__all__ = [
    "ANY",
    "Added",
    "Adoption",
    "AuditEvent",
    "ChannelRow",
    "ChannelSeen",
    "Claim",
    "Delivery",
    "Duplicate",
    "GoneError",
    "LeaseLostError",
    "NewDelivery",
    "NewThread",
    "NotFoundError",
    "Opening",
    "PostRecord",
    "Store",
    "StoreError",
    "StoredThread",
    "Waiting",
    "credible",
]


class StoreError(Exception):
    """The queue cannot be used; the message names the thing, the cause and the next step."""


class GoneError(StoreError):
    """The database was taken away while it was in use: whoever goes on would write what is lost."""


class NotFoundError(StoreError):
    """There is no such thread or delivery."""


class LeaseLostError(StoreError):
    """Another worker holds the delivery now: stop, and write nothing more."""


class Store(Protocol):
    """A durable queue of deliveries."""

    def close(self) -> None:
        """Let go of files and connections. Idempotent."""
        ...

    def notebook(self) -> Notebook:
        """The notebook beside this queue; it is closed with it."""
        ...

    def see_channels(self, channels: Sequence[ChannelSeen], *, now: datetime) -> None:
        """Note the configured channels; new ones are added, others updated.

        A channel that is new, or whose `schedule` is not the one noted, has used every slot up to `now`:
        slots of the past are not made up for under a schedule that was not in force then. With another
        `target` its `rate` and `moved` are forgotten.
        """
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
        delivery taken gives an `add` event. An adoption leaves at least one part to send. Numbers of
        threads and deliveries are never given twice, not even those of removed ones.
        """
        ...

    def add_to(
        self, thread_id: int, deliveries: Sequence[NewDelivery], *, now: datetime, actor: str
    ) -> Added:
        """Queue a stored thread on more channels, by the rules of `add`.

        `thread_id` of the answer is the thread's, None where every wish was a duplicate. Raises
        NotFoundError, and NotAllowedError where a delivery of the thread was meant for one of these
        channels already, whatever became of it.
        """
        ...

    def claim(
        self, channel: str, *, worker: str, now: datetime, until: datetime, opening: Opening = ANY
    ) -> Claim | None:
        """Take the channel's next delivery, with a lease until `until`; None where there is none.

        First a `publishing` one that is due and whose lease is free or has ended (`lease_until` ≤
        now); else, where no delivery of the channel is `publishing`, the `queued` one of lowest
        (rank, id) among those that may begin: with `own_time`, those that are due (`due` ≤ now);
        without, where `opening.turn` and `due` ≤ now, and where there is a slot, those with `queued` ≤
        slot while the slot is later than the channel's `credible` `last_slot` (or that is None). A delivery
        that begins by a slot makes it the `last_slot`. Nothing is taken on a paused channel.

        Two callers never get the same delivery, nor two deliveries of one channel, nor one slot twice.
        Sets state, lease, fence + 1 and, the first time, `started`; gives a `claim` event. Raises
        NotFoundError where there is a slot and the channel was never seen.
        """
        ...

    def plan(self, claim: Claim, posts: Sequence[Post], *, now: datetime) -> tuple[PostRecord, ...]:
        """Store the posts of a claimed delivery, all `planned`. Raises LeaseLostError.

        Where some are stored already (a published chain that was continued), these go behind them. Of
        an adopted chain the posts of the parts that are out are `sent`, the last with the remote id and
        url of `Adoption.last`, the others with none.

        Raises StoreError where a stored post is not `sent`, or nothing is left to send: no posts, or all of
        them of parts that are out. Gives a `plan` event.
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
        self,
        claim: Claim,
        position: int,
        sent: Sent,
        *,
        key: str,
        now: datetime,
        until: datetime,
        almost: Callable[[], None] = lambda: None,
    ) -> None:
        """Between two sends: record that this post is out and intend the next, in one transaction.

        The same as `record` of a `go-on` and then `intend`, of the next post and with `key` for it,
        as a reply to this one; but the disk is waited for once. Raises as they do, and changes
        nothing then. `almost` is called when the step is found to be right and only the disk is still
        to be waited for; it has to be quick, and nothing has changed yet for anybody else.
        """
        ...

    def let_go(self, claim: Claim, *, now: datetime, due: datetime | None = None) -> None:
        """End the lease early: the delivery stays `publishing` and goes on at `due`, or at once.

        Raises LeaseLostError.
        """
        ...

    def renew(self, claim: Claim, *, until: datetime) -> None:
        """Make the lease end at `until`, while its holder is at long work. Raises LeaseLostError."""
        ...

    def free_leases(self, *, now: datetime) -> int:
        """End every lease that runs, for a service that knows it is the only one; how many it ended."""
        ...

    def waiting(self, channel: str) -> Waiting:
        """What waits on this channel, in a few index look-ups however long the queue is."""
        ...

    def apply(
        self, delivery_id: int, event: Event, *, now: datetime, actor: str, due: datetime | None = None
    ) -> Delivery:
        """A person's request: one of `states.REQUESTS`, as `states.follow` allows.

        `schedule` gives the delivery a time of its own. So does `retry`, which makes a `refused` post
        `planned` again: a chain that is half out does not wait for a slot; `settle` does the same.
        `cancel` of a `publishing` delivery is refused while a lease on it holds. `due` replaces the
        delivery's, and is a time of its own. Where the new state is `queued`, clears `reason` and
        `finished`, and sets `queued` where the old one was another; sets `finished` on `cancelled`.
        Raises NotFoundError, states.NotAllowedError.
        """
        ...

    def pause(self, channel: str, paused: bool, *, now: datetime, actor: str) -> ChannelRow:
        """Stop claims on a channel, or let them go on. Gives a `pause` or `resume` event where it changed.

        Raises NotFoundError where the channel was never seen.
        """
        ...

    def move(self, delivery_id: int, after: int | None, *, now: datetime, actor: str) -> Delivery:
        """Put a held or queued delivery behind another of its channel, or (None) before all of them.

        Other deliveries keep their order. Raises NotFoundError, and NotAllowedError where either is not
        held or queued, or they are on different channels.
        """
        ...

    def edit(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        """Replace a thread's text.

        Gives an `edit` event for each delivery. Raises NotFoundError, and NotAllowedError where a delivery
        of it has posts or is `publishing`, the new text is live on one of its channels already, or has no
        more parts than an adopted chain has out.
        """
        ...

    def extend(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        """Replace a thread by one that has its parts and more.

        `published` deliveries are `queued` again (`continue`, at once: `own_time`, `due` now), `held` and
        `queued` ones are just longer. Each of these gives a `continue` event.

        Raises NotFoundError, and NotAllowedError where a delivery is `publishing`, `unsure` or `failed`, or
        has posts still to be sent (let it end first), where none is left to continue, where the new
        thread has no more parts than the old, or is live on one of its channels already.
        """
        ...

    def remove(self, thread_id: int, *, now: datetime, actor: str) -> None:
        """Forget a thread of which nothing was ever sent. Its events stay, with one more, `remove`.

        Raises NotFoundError, and NotAllowedError where a post of it is out, or may be.
        """
        ...

    def settle(self, delivery_id: int, sent: Sent | None, *, now: datetime, actor: str) -> Delivery:
        """A person says of an `unsure` delivery's `unknown` post: it is out (`sent`), or it is not (None).

        The post becomes `sent` or `planned`; the delivery goes back to the queue, or is `published`
        where that was its last post. Gives a `settle` event, and with the last post a `finish` event.
        Raises NotFoundError, states.NotAllowedError.
        """
        ...

    def skip(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        """Leave the `refused` post of a `failed` delivery out: those behind it move up by one position.

        The delivery goes back to the queue (at once: `own_time`, `due` now), or is `published` where that
        was its last post. Gives a `skip` event that names the post, and with the last post a `finish` event.
        Raises NotFoundError, and NotAllowedError where the state is another, no post is `refused`, or no
        other post would be left.
        """
        ...

    def withdraw(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        """A person wants its posts gone: it is `withdrawn` from now on; `note_gone` follows for each post.

        Gives a `withdraw` event. Raises NotFoundError, and NotAllowedError where the state does not allow
        it, or no post is out.
        """
        ...

    def note_gone(self, delivery_id: int, position: int, *, now: datetime, actor: str) -> None:
        """A `sent` post is on the network no more: sets `taken_down`, the first time.

        Of a `withdrawn` delivery, which is being taken down, or a `failed` one: it may have stopped for it.

        Gives a `take-down` event then. Raises NotFoundError, and StoreError for any other post.
        """
        ...

    def landmark(self, channel: str) -> PostRecord | None:
        """The post that went out last on this channel (by `finished`) and was not taken down since.

        Of posts whose remote id is known; None where there is none.
        """
        ...

    def sent_since(self, channel: str, moment: datetime) -> int:
        """How many posts of ours went out on this channel at `moment` or later, gone ones included."""
        ...

    def note_rate(self, channel: str, rate: float) -> None:
        """Remember how many posts a second the channel takes. Raises NotFoundError."""
        ...

    def note_moved(self, channel: str, moved: str, *, now: datetime, actor: str) -> None:
        """Remember where the channel's target is now. Gives a `moved` event where that is news.

        Raises NotFoundError.
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

    def posts_of(self, delivery_ids: Sequence[int]) -> dict[int, tuple[PostRecord, ...]]:
        """The posts of many deliveries, asked for at once; each of these ids has an entry."""
        ...

    def events(
        self, *, thread_id: int | None = None, limit: int | None = None, after: int | None = None
    ) -> tuple[AuditEvent, ...]:
        """The audit log, oldest first; with `limit`, the newest that many. `after` the event of that id."""
        ...
