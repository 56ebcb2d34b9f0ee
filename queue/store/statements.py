"""What the store says to the database, statement by statement, inside the caller's transaction."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Text,
    Update,
    and_,
    func,
    insert,
    literal,
    select,
    text,
    update,
)

from threadcast.queue.model import Claim, Delivery, LeaseLostError, NotFoundError, PostRecord, StoreError
from threadcast.queue.states import Change, DeliveryState, PostState, Sent
from threadcast.queue.store.rows import DELIVERY, delivery_of, post_of
from threadcast.queue.store.schema import DELIVERIES, EVENTS, POSTS

_CHUNK = 500  # values in one IN (…)
_Value = TypeVar("_Value")


# A delivery that nobody holds.
NO_LEASE: dict[str, Any] = {"lease_owner": None, "lease_until": None}


def take_turns(connection: Connection, what: str) -> None:
    """From here on one transaction after the other, of those that name the same thing.

    SQLite's writers take turns anyway. https://www.postgresql.org/docs/current/explicit-locking.html
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(sha256(f"threadcast: {what}".encode()).digest()[:8], signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": number})


def in_state(deliveries: FromClause, state: DeliveryState) -> ColumnElement[bool]:
    """The state as a literal: a bound value would hide from the planner that a partial index fits."""
    return deliveries.c.state == literal(state.value, Text, literal_execute=True)


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
    values: dict[str, Any] = {"state": change.post, "reason": change.reason, "misses": change.misses}
    if change.post is PostState.UNKNOWN:
        values["doubted"] = func.coalesce(POSTS.c.doubted, POSTS.c.intended)
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


def read_posts_of(connection: Connection, ids: Sequence[int]) -> dict[int, tuple[PostRecord, ...]]:
    """The posts of each of these deliveries, by position."""
    found: dict[int, list[PostRecord]] = {one: [] for one in ids}
    for chunk in chunks(list(found)):
        query = select(POSTS).where(POSTS.c.delivery_id.in_(chunk)).order_by(POSTS.c.position)
        for row in connection.execute(query):
            found[row.delivery_id].append(post_of(row))
    return {one: tuple(posts) for one, posts in found.items()}


def chunks(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """The values, as many at a time as one IN (…) shall hold."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def log(
    connection: Connection, delivery: Delivery, what: str, *, actor: str, now: datetime, detail: str = ""
) -> None:
    """Add a line about a delivery to the audit log."""
    note(
        connection,
        what,
        thread_id=delivery.thread_id,
        delivery_id=delivery.id,
        channel=delivery.channel,
        actor=actor,
        now=now,
        detail=detail,
    )


def note(
    connection: Connection,
    what: str,
    *,
    actor: str,
    now: datetime,
    thread_id: int | None = None,
    delivery_id: int | None = None,
    channel: str = "",
    detail: str = "",
) -> None:
    """Add a line to the audit log."""
    connection.execute(
        insert(EVENTS).values(
            at=now,
            actor=actor,
            what=what,
            thread_id=thread_id,
            delivery_id=delivery_id,
            channel=channel,
            detail=detail,
        )
    )


def described(delivery: Delivery) -> str:
    """What a person calls it."""
    return f"thread {delivery.thread_id} on {delivery.channel}"
