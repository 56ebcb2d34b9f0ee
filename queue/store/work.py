"""What a worker does with a delivery: claim, plan, intend, record."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from threadcast.queue.compose.compose import Post
from threadcast.queue.model import ANY, Claim, Delivery, Opening, PostRecord, Waiting
from threadcast.queue.states import (
    Change,
    DeliveryState,
    Event,
    Sent,
)
from threadcast.queue.store import claiming, publishing
from threadcast.queue.store.rows import (
    DELIVERY,
    delivery_of,
    thread_of,
)
from threadcast.queue.store.schema import DELIVERIES, THREADS
from threadcast.queue.store.statements import (
    NO_LEASE,
    held,
    hold,
    in_state,
    log,
    read_posts,
)
from threadcast.queue.store.steps import Steps
from threadcast.queue.store.transactions import Transactions


class Work:
    """What a worker does with a delivery: claim, plan, intend, record.

    All times are aware UTC datetimes given by the caller. Each method is one transaction, and may be called
    from several threads. What it raises beside the errors named is StoreError.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._read, self._write = transactions.read, transactions.write
        self.steps = Steps(transactions.engine, transactions.turn)

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
        with self._write() as connection:
            try:
                taken = claiming.claim(
                    connection, channel, worker=worker, now=now, until=until, opening=opening
                )
            except IntegrityError:
                # Another worker began a delivery of this channel in the same moment: its turn, not ours.
                connection.get_transaction().rollback()  # type: ignore[union-attr]  # `_write` has begun it
                return None
            if taken is None:
                return None
            row = connection.execute(
                DELIVERY.add_columns(THREADS.c.content).where(DELIVERIES.c.id == taken)
            ).one()
            claim = Claim(delivery_of(row), thread_of(row.content), read_posts(connection, taken), worker)
            log(connection, claim.delivery, Event.CLAIM, actor=worker, now=now)
            return claim

    def waiting(self, channel: str) -> Waiting:
        """What waits on this channel, in a few index look-ups however long the queue is."""
        with self._read() as connection:
            return claiming.look(connection, channel)

    def plan(self, claim: Claim, posts: Sequence[Post], *, now: datetime) -> tuple[PostRecord, ...]:
        """Store the posts of a claimed delivery, all `planned`. Raises LeaseLostError.

        Where some are stored already (a published chain that was continued), these go behind them. Of
        an adopted chain the posts of the parts that are out are `sent`, the last with the remote id and
        url of `Adoption.last`, the others with none.

        Raises StoreError where a stored post is not `sent`, or nothing is left to send: no posts, or all of
        them of parts that are out. Gives a `plan` event.
        """
        with self._write() as connection:
            return publishing.plan(connection, claim, posts, now=now)

    def intend(
        self, claim: Claim, position: int, *, key: str, reply_to: str | None, now: datetime, until: datetime
    ) -> PostRecord:
        """Before a send: the `planned` post becomes `sending`, durably; the lease now ends at `until`.

        Adds a try, notes time and parent; keeps the key of an earlier try. Raises LeaseLostError,
        and StoreError where the post is not `planned`, or one before it is not out.
        """
        with self._write() as connection:
            return publishing.intend(
                connection, claim, position, key=key, reply_to=reply_to, now=now, until=until
            )

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
        with self._write() as connection:
            return publishing.record(connection, claim, position, change, now=now)

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
        self.steps.advance(claim, position, sent, key=key, now=now, until=until, almost=almost)

    def let_go(self, claim: Claim, *, now: datetime, due: datetime | None = None) -> None:
        """End the lease early: the delivery stays `publishing` and goes on at `due`, or at once.

        Raises LeaseLostError.
        """
        with self._write() as connection:
            hold(connection, claim)
            connection.execute(held(claim).values(due=due or now, **NO_LEASE))

    def renew(self, claim: Claim, *, until: datetime) -> None:
        """Make the lease end at `until`, while its holder is at long work. Raises LeaseLostError."""
        with self._write() as connection:
            hold(connection, claim)
            connection.execute(held(claim).values(lease_owner=claim.worker, lease_until=until))

    def free_leases(self, *, now: datetime) -> int:
        """End every lease that runs, for a service that knows it is the only one; how many it ended."""
        with self._write() as connection:
            ended = connection.execute(
                update(DELIVERIES)
                .where(in_state(DELIVERIES, DeliveryState.PUBLISHING), DELIVERIES.c.lease_until > now)
                .values(NO_LEASE)
            )
            return ended.rowcount
