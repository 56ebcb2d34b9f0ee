"""The publisher's writes, inside the store's transaction; the commonest of them is in `steps`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert

from threadcast.queue.compose.compose import Post
from threadcast.queue.model import Claim, Delivery, PostRecord, StoreError
from threadcast.queue.states import Change, DeliveryState, Event, PostState, follow
from threadcast.queue.store.rows import adopt, post_of, post_row
from threadcast.queue.store.schema import POSTS
from threadcast.queue.store.statements import (
    NO_LEASE,
    described,
    held,
    hold,
    log,
    one_post,
    read_delivery,
    read_posts,
    record_post,
)


def plan(
    connection: Connection, claim: Claim, posts: Sequence[Post], *, now: datetime
) -> tuple[PostRecord, ...]:
    """See `plan`."""
    delivery = claim.delivery
    stored, sent = hold(connection, claim)
    if stored > sent:
        raise StoreError(f"{described(delivery)} is planned already, with {stored} posts")
    rows = [
        post_row(post, delivery_id=delivery.id, position=position)
        for position, post in enumerate(posts, stored + 1)
    ]
    out = 0
    if delivery.adoption is not None and not stored:
        out = adopt(rows, delivery.adoption)
        if not out:
            raise StoreError(f"{described(delivery)} has no post of the parts that are out")
    if len(rows) == out:
        raise StoreError(f"{described(delivery)} has nothing to post")
    connection.execute(held(claim).values(posts=stored + len(rows), sent=sent + out))
    connection.execute(insert(POSTS), rows)
    detail = f"{len(rows)} posts" + (f", {out} of them out" if out else "")
    log(connection, delivery, "plan", actor=claim.worker, now=now, detail=detail)
    return read_posts(connection, delivery.id)


def intend(
    connection: Connection,
    claim: Claim,
    position: int,
    *,
    key: str,
    reply_to: str | None,
    now: datetime,
    until: datetime,
) -> PostRecord:
    """See `intend`."""
    delivery = claim.delivery
    _, sent = hold(connection, claim)
    connection.execute(held(claim).values(lease_owner=claim.worker, lease_until=until))
    row = connection.execute(
        one_post(delivery.id, position, PostState.PLANNED)
        .values(
            state=PostState.SENDING,
            tries=POSTS.c.tries + 1,
            key=func.coalesce(POSTS.c.key, key),
            reply_to=reply_to,
            intended=now,
        )
        .returning(*POSTS.c)
    ).one_or_none()
    if row is None:
        raise StoreError(f"post {position} of {described(delivery)} is not planned")
    if position != sent + 1:
        raise StoreError(f"post {position} of {described(delivery)} is not the next: {sent} are out")
    return post_of(row)


def record(
    connection: Connection, claim: Claim, position: int | None, change: Change, *, now: datetime
) -> Delivery:
    """See `record`."""
    delivery = claim.delivery
    state = follow(DeliveryState.PUBLISHING, change.event)
    posts, sent = hold(connection, claim)
    if position is not None:
        if position != sent + 1:
            raise StoreError(f"post {position} of {described(delivery)} is not the next: {sent} are out")
        record_post(connection, delivery, position, change, now=now)
    elif change.event not in {Event.WAIT, Event.REFUSE}:
        raise StoreError(f"{change.event} of {described(delivery)} names no post")
    if change.sent is not None:
        sent += 1
        if (state is DeliveryState.PUBLISHED) != (sent == posts):
            raise StoreError(
                f"{described(delivery)} has {sent} of {posts} posts out: {change.event} is wrong"
            )
    values: dict[str, Any] = {"state": state, "reason": change.reason, "code": change.code, "sent": sent}
    if change.due is not None:
        values["due"] = change.due
    if not change.keeps_lease:
        values |= NO_LEASE
    if state in {DeliveryState.PUBLISHED, DeliveryState.FAILED}:
        values["finished"] = now
    connection.execute(held(claim).values(values))
    if change.event is not Event.GO_ON:
        log(connection, delivery, change.event, actor=claim.worker, now=now, detail=change.reason)
    return read_delivery(connection, delivery.id)
