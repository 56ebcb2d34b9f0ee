"""What an owner does about a chain that stopped, or that is not wanted any more."""

from datetime import datetime

from sqlalchemy import Connection, delete, exists, select, update

from threadcast.queue.model import Delivery, StoreError
from threadcast.queue.states import Code, DeliveryState, Event, NotAllowedError, PostState, follow
from threadcast.queue.store.schema import DELIVERIES, POSTS
from threadcast.queue.store.statements import described, log, one_post, read_delivery


def skip(connection: Connection, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
    """See `skip`."""
    delivery = read_delivery(connection, delivery_id, lock=True)
    last = delivery.sent + 1 == delivery.posts
    follow(delivery.state, Event.SKIP)
    state = follow(delivery.state, Event.FINISH if last else Event.SKIP)
    mine = POSTS.c.delivery_id == delivery_id
    refused = connection.execute(
        delete(POSTS)
        .where(mine, POSTS.c.state == PostState.REFUSED)
        .returning(POSTS.c.position, POSTS.c.part, POSTS.c.reason)
    ).one_or_none()
    if refused is None:
        raise NotAllowedError(f"no post of {described(delivery)} was refused: there is none to skip")
    if delivery.posts == 1:
        raise NotAllowedError(f"{described(delivery)} has no other post: cancel it instead")
    # By way of negative numbers: each position is taken until its post has moved.
    behind = (mine, POSTS.c.position > refused.position)
    connection.execute(update(POSTS).where(*behind).values(position=-POSTS.c.position))
    connection.execute(update(POSTS).where(mine, POSTS.c.position < 0).values(position=-POSTS.c.position - 1))
    values = {"state": state, "reason": "", "code": Code.NONE, "posts": delivery.posts - 1}
    if last:
        values["finished"] = now
    else:
        values |= {"finished": None, "own_time": True, "due": now, "queued": now}
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(values))
    detail = f"post {refused.position} (part {refused.part}) is left out: {refused.reason}"
    log(connection, delivery, Event.SKIP, actor=actor, now=now, detail=detail)
    if last:
        log(connection, delivery, Event.FINISH, actor=actor, now=now)
    return read_delivery(connection, delivery_id)


def withdraw(connection: Connection, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
    """See `withdraw`."""
    delivery = read_delivery(connection, delivery_id, lock=True)
    state = follow(delivery.state, Event.WITHDRAW)
    out = exists().where(POSTS.c.delivery_id == delivery_id, POSTS.c.remote_id.is_not(None))
    if not connection.scalar(select(out)):
        raise NotAllowedError(f"no post of {described(delivery)} is out: there is nothing to take down")
    connection.execute(
        update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(state=state, finished=now)
    )
    log(connection, delivery, Event.WITHDRAW, actor=actor, now=now)
    return read_delivery(connection, delivery_id)


def note_gone(connection: Connection, delivery_id: int, position: int, *, now: datetime, actor: str) -> None:
    """See `note_gone`."""
    delivery = read_delivery(connection, delivery_id, lock=True)
    if delivery.state not in {DeliveryState.WITHDRAWN, DeliveryState.FAILED}:
        raise StoreError(f"{described(delivery)} is {delivery.state}, neither withdrawn nor failed")
    known = select(POSTS.c.taken_down).where(
        POSTS.c.delivery_id == delivery_id,
        POSTS.c.position == position,
        POSTS.c.state == PostState.SENT,
    )
    row = connection.execute(known).one_or_none()
    if row is None:
        raise StoreError(f"post {position} of {described(delivery)} was not out")
    if row.taken_down is None:
        connection.execute(one_post(delivery_id, position, PostState.SENT).values(taken_down=now))
        log(connection, delivery, "take-down", actor=actor, now=now, detail=f"post {position}")
