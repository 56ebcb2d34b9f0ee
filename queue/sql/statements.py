"""What the store says to the database, statement by statement, inside the caller's transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Text,
    Update,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from threadcast.queue.sql.rows import DELIVERY, delivery_of, post_of
from threadcast.queue.sql.tables import DELIVERIES, EVENTS, POSTS
from threadcast.queue.states import Change, DeliveryState, PostState, Sent
from threadcast.queue.store import Claim, Delivery, LeaseLostError, NotFoundError, PostRecord, StoreError


def in_state(deliveries: FromClause, state: DeliveryState) -> ColumnElement[bool]:
    """The state as a literal: a bound value would hide from the planner that a partial index fits."""
    return deliveries.c.state == literal(state.value, Text, literal_execute=True)


def take_turns(connection: Connection, channel: str) -> None:
    """Let one claim of a channel at a time in, until the transaction ends.

    Without this, PostgreSQL's second of two claims in the same moment would skip the row that the first
    has locked and begin the one behind it: one delivery at a time, but not in the order of the queue.
    SQLite has one writer anyway.
    """
    if connection.dialect.name == "postgresql":
        key = func.hashtextextended(f"threadcast claim {channel}", 0)
        connection.execute(select(func.pg_advisory_xact_lock(key)))


def claiming(channel: str, *, worker: str, now: datetime, until: datetime) -> ReturningUpdate[int]:
    """One statement that takes the delivery to go on with, else the next one to begin."""
    begun, waiting, rival = (DELIVERIES.alias(name) for name in ("begun", "waiting", "rival"))
    go_on = (
        select(begun.c.id)
        .where(
            begun.c.channel == channel,
            in_state(begun, DeliveryState.PUBLISHING),
            begun.c.due <= now,
            or_(begun.c.lease_until.is_(None), begun.c.lease_until <= now),
        )
        .with_for_update(skip_locked=True)
    )
    taken = exists().where(rival.c.channel == channel, in_state(rival, DeliveryState.PUBLISHING))
    # An expression hides `due` from its own index: the planner shall walk the queue in its order and stop
    # at the first, and not sort all that is due.
    due = func.coalesce(waiting.c.due, now) <= now
    begin = (
        select(waiting.c.id)
        .where(waiting.c.channel == channel, in_state(waiting, DeliveryState.QUEUED), due, ~taken)
        .order_by(waiting.c.rank, waiting.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return (
        update(DELIVERIES)
        .where(DELIVERIES.c.id == func.coalesce(go_on.scalar_subquery(), begin.scalar_subquery()))
        .values(
            state=DeliveryState.PUBLISHING,
            lease_owner=worker,
            lease_until=until,
            fence=DELIVERIES.c.fence + 1,
            started=func.coalesce(DELIVERIES.c.started, now),
        )
        .returning(DELIVERIES.c.id)
    )


def _mine(claim: Claim) -> ColumnElement[bool]:
    return and_(
        DELIVERIES.c.id == claim.delivery.id,
        DELIVERIES.c.fence == claim.delivery.fence,
        DELIVERIES.c.state == DeliveryState.PUBLISHING,
    )


def hold(connection: Connection, claim: Claim) -> tuple[int, int]:
    """Lock the claimed delivery for this transaction; its counts of posts and of sent ones.

    Raises LeaseLostError where the claim's fence is not the delivery's any more.
    """
    counts = select(DELIVERIES.c.posts, DELIVERIES.c.sent).where(_mine(claim)).with_for_update()
    row = connection.execute(counts).one_or_none()
    if row is None:
        raise LeaseLostError(f"{described(claim.delivery)} is no longer {claim.worker}'s")
    return row.posts, row.sent


def held(claim: Claim) -> Update:
    """An update of the claimed delivery, and of no other."""
    return update(DELIVERIES).where(_mine(claim))


def one_post(delivery_id: int, position: int, *states: PostState) -> Update:
    """An update of one post, where it is in one of these states."""
    return update(POSTS).where(
        POSTS.c.delivery_id == delivery_id, POSTS.c.position == position, POSTS.c.state.in_(states)
    )


def sent_values(sent: Sent, *, now: datetime) -> dict[str, Any]:
    """What is written of a post that is out."""
    return {"state": PostState.SENT, "remote_id": sent.remote_id, "url": sent.url, "finished": now}


def record_post(
    connection: Connection, delivery: Delivery, position: int, change: Change, *, now: datetime
) -> None:
    """Write what became of a post. Raises StoreError where it was not being sent."""
    values: dict[str, Any] = {"state": change.post, "reason": change.reason}
    before = {PostState.SENDING, PostState.UNKNOWN}
    if change.sent is None:
        before.add(PostState.PLANNED)  # what went wrong before the call
    else:
        values |= sent_values(change.sent, now=now)
    written = connection.execute(one_post(delivery.id, position, *before).values(values))
    if not written.rowcount:
        raise StoreError(f"post {position} of {described(delivery)} was not being sent")


def read_delivery(connection: Connection, delivery_id: int, *, lock: bool = False) -> Delivery:
    """One delivery; `lock` keeps others from changing it in this transaction. Raises NotFoundError."""
    query = DELIVERY.where(DELIVERIES.c.id == delivery_id)
    if lock:
        query = query.with_for_update(of=DELIVERIES)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no delivery {delivery_id}")
    return delivery_of(row)


def read_posts(connection: Connection, delivery_id: int) -> tuple[PostRecord, ...]:
    """The posts of a delivery, by position."""
    query = select(POSTS).where(POSTS.c.delivery_id == delivery_id).order_by(POSTS.c.position)
    return tuple(post_of(row) for row in connection.execute(query))


def log(
    connection: Connection, delivery: Delivery, what: str, *, actor: str, now: datetime, detail: str = ""
) -> None:
    """Add a line to the audit log."""
    connection.execute(
        insert(EVENTS).values(
            at=now,
            actor=actor,
            what=what,
            thread_id=delivery.thread_id,
            delivery_id=delivery.id,
            channel=delivery.channel,
            detail=detail,
        )
    )


def described(delivery: Delivery) -> str:
    """What a person calls it."""
    return f"thread {delivery.thread_id} on {delivery.channel}"
