"""What the owner of the queue changes, inside the store's transaction."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, exists, func, select, tuple_, update

from threadcast.queue.model import ChannelRow, Delivery, NotFoundError
from threadcast.queue.states import (
    BEGINNINGS,
    LIVE,
    REQUESTS,
    Code,
    DeliveryState,
    Event,
    NotAllowedError,
    PostState,
    Sent,
    follow,
)
from threadcast.queue.store.adding import FREE_PLACES, RANK_STEP
from threadcast.queue.store.rows import DELIVERY, channel_of, content_row, delivery_of
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, POSTS, THREADS
from threadcast.queue.store.statements import (
    NO_LEASE,
    described,
    log,
    note,
    read_delivery,
    sent_values,
    take_turns,
)
from threadcast.queue.text.thread import Thread

_AFRESH: dict[str, Any] = {"reason": "", "code": Code.NONE, "finished": None}
_MAY_BE_OUT = (PostState.SENDING, PostState.SENT, PostState.UNKNOWN)


def apply(
    connection: Connection, delivery_id: int, event: Event, *, now: datetime, actor: str, due: datetime | None
) -> Delivery:
    """See `apply`."""
    if event not in REQUESTS:
        raise NotAllowedError(f"{event} is nothing to ask for; possible: {', '.join(sorted(REQUESTS))}")
    delivery = read_delivery(connection, delivery_id, lock=True)
    state = follow(delivery.state, event)
    if delivery.lease_until is not None and delivery.lease_until > now:
        raise NotAllowedError(
            f"{described(delivery)} is being published right now; "
            f"pause the channel first: threadcast pause {delivery.channel}"
        )
    values: dict[str, Any] = {"state": state}
    detail = ""
    if state is DeliveryState.QUEUED:
        values |= _AFRESH
        if delivery.state is not DeliveryState.QUEUED:
            values["queued"] = now
    if state is DeliveryState.CANCELLED:
        values |= {"finished": now, **NO_LEASE}
    if event is Event.RETRY:
        refused = update(POSTS).where(POSTS.c.delivery_id == delivery_id, POSTS.c.state == PostState.REFUSED)
        connection.execute(refused.values(state=PostState.PLANNED, reason=""))
    if event in {Event.RETRY, Event.SCHEDULE}:
        values["own_time"] = True
    if due is not None:
        values |= {"due": due, "own_time": True}
        if due > now:
            detail = f"at {due.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(values))
    log(connection, delivery, event, actor=actor, now=now, detail=detail)
    return read_delivery(connection, delivery_id)


def settle(
    connection: Connection, delivery_id: int, sent: Sent | None, *, now: datetime, actor: str
) -> Delivery:
    """See `settle`."""
    delivery = read_delivery(connection, delivery_id, lock=True)
    last = sent is not None and delivery.sent + 1 == delivery.posts
    follow(delivery.state, Event.SETTLE)
    state = follow(delivery.state, Event.FINISH if last else Event.SETTLE)
    doubtful = update(POSTS).where(POSTS.c.delivery_id == delivery_id, POSTS.c.state == PostState.UNKNOWN)
    values: dict[str, Any] = {"state": state, "reason": "", "code": Code.NONE}
    if sent is None:
        connection.execute(doubtful.values(state=PostState.PLANNED, reason=""))
        detail = "not out"
    else:
        connection.execute(doubtful.values({"reason": "", **sent_values(sent, now=now)}))
        values["sent"] = delivery.sent + 1
        detail = f"out as {sent.remote_id}"
    values |= {"finished": now} if last else {"own_time": True, "queued": now}
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(values))
    log(connection, delivery, Event.SETTLE, actor=actor, now=now, detail=detail)
    if last:
        log(connection, delivery, Event.FINISH, actor=actor, now=now)
    return read_delivery(connection, delivery_id)


def pause(connection: Connection, channel: str, paused: bool, *, now: datetime, actor: str) -> ChannelRow:
    """See `pause`."""
    take_turns(connection, f"claims on {channel}")
    one = select(CHANNELS).where(CHANNELS.c.name == channel)
    row = connection.execute(one.with_for_update()).one_or_none()
    if row is None:
        raise NotFoundError(f"the queue has never seen a channel called {channel}")
    if row.paused != paused:
        connection.execute(update(CHANNELS).where(CHANNELS.c.name == channel).values(paused=paused))
        note(connection, "pause" if paused else "resume", channel=channel, actor=actor, now=now)
    return channel_of(connection.execute(one).one())


def move(
    connection: Connection, delivery_id: int, after: int | None, *, now: datetime, actor: str
) -> Delivery:
    """See `move`."""
    # In the order of their ids, so that two callers cannot deadlock.
    ids = sorted({delivery_id, delivery_id if after is None else after})
    rows = {one: read_delivery(connection, one, lock=True) for one in ids}
    delivery, ahead = rows[delivery_id], rows[delivery_id if after is None else after]
    for one in (delivery, ahead):
        if one.state not in BEGINNINGS:
            raise NotAllowedError(
                f"{described(one)} is {one.state}: it has no place in the queue, "
                f"as what is {' or '.join(BEGINNINGS)} has"
            )
    if after is None:
        rank, detail = _before_all(connection, delivery), "before all others"
    elif after == delivery_id:
        raise NotAllowedError(f"{described(delivery)} cannot go behind itself")
    elif ahead.channel != delivery.channel:
        raise NotAllowedError(f"{described(delivery)} cannot go behind {described(ahead)}: name one channel")
    else:
        rank, detail = _behind(connection, delivery, ahead), f"behind thread {ahead.thread_id}"
    connection.execute(update(DELIVERIES).where(DELIVERIES.c.id == delivery_id).values(rank=rank))
    log(connection, delivery, "move", actor=actor, now=now, detail=detail)
    return read_delivery(connection, delivery_id)


def _before_all(connection: Connection, delivery: Delivery) -> int:
    others = (DELIVERIES.c.channel == delivery.channel, DELIVERIES.c.id != delivery.id)
    lowest = connection.scalar(select(func.min(DELIVERIES.c.rank)).where(*others))
    return delivery.rank if lowest is None else lowest - RANK_STEP


def _behind(connection: Connection, delivery: Delivery, ahead: Delivery) -> int:
    """A rank between a delivery and the next; where there is none, what follows makes room."""
    place = tuple_(DELIVERIES.c.rank, DELIVERIES.c.id)
    later = (
        DELIVERIES.c.channel == delivery.channel,
        DELIVERIES.c.id != delivery.id,
        place > tuple_(ahead.rank, ahead.id),
    )
    following = connection.scalar(select(func.min(DELIVERIES.c.rank)).where(*later))
    if following is None:
        return ahead.rank + RANK_STEP
    room = int(following) - ahead.rank
    if room <= 1:
        connection.execute(update(DELIVERIES).where(*later).values(rank=DELIVERIES.c.rank + RANK_STEP))
        room += RANK_STEP
    return ahead.rank + room // 2


def edit(
    connection: Connection, thread_id: int, thread: Thread, *, now: datetime, actor: str
) -> tuple[Delivery, ...]:
    """See `edit`."""
    take_turns(connection, FREE_PLACES)
    mine = _of(connection, thread_id)
    for delivery in mine:
        if delivery.posts or delivery.state is DeliveryState.PUBLISHING:
            raise NotAllowedError(
                f"{described(delivery)} is {delivery.state}, and has begun: its text is fixed; "
                "more parts can be added with: threadcast add --continue"
            )
        out = delivery.adoption.parts if delivery.adoption else 0
        if len(thread.parts) <= out:
            raise NotAllowedError(
                f"{out} parts of {described(delivery)} are out: keep them, and at least one more"
            )
    _refuse_twins(connection, thread, [delivery for delivery in mine if delivery.state in LIVE])
    _rewrite(connection, thread_id, thread)
    return _told(connection, mine, thread, "edit", now=now, actor=actor)


def extend(
    connection: Connection, thread_id: int, thread: Thread, *, now: datetime, actor: str
) -> tuple[Delivery, ...]:
    """See `extend`."""
    take_turns(connection, FREE_PLACES)
    mine = _of(connection, thread_id)
    for delivery in mine:
        if delivery.state in LIVE and (delivery.state not in BEGINNINGS or delivery.posts > delivery.sent):
            raise NotAllowedError(
                f"{described(delivery)} is {delivery.state}, "
                f"with {delivery.sent} of {delivery.posts} posts out: let it end first"
            )
    going_on = [one for one in mine if one.state in {DeliveryState.PUBLISHED, *BEGINNINGS}]
    if not going_on:
        raise NotAllowedError(
            f"thread {thread_id} is nowhere queued or published: there is nothing to continue"
        )
    if len(thread.parts) <= mine[0].parts:
        raise NotAllowedError(
            f"thread {thread_id} has {_counted(mine[0].parts)} already: there is no part to add"
        )
    _refuse_twins(connection, thread, going_on)
    # Before the states: a published delivery comes back to life under its new fingerprint.
    _rewrite(connection, thread_id, thread)
    published = [one.id for one in going_on if one.state is DeliveryState.PUBLISHED]
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.id.in_(published))
        .values(
            state=follow(DeliveryState.PUBLISHED, Event.CONTINUE),
            own_time=True,
            due=now,
            queued=now,
            **_AFRESH,
        )
    )
    return _told(connection, going_on, thread, Event.CONTINUE, now=now, actor=actor)


def remove(connection: Connection, thread_id: int, *, now: datetime, actor: str) -> None:
    """See `remove`."""
    take_turns(connection, FREE_PLACES)  # nobody queues it on another channel meanwhile
    mine = _of(connection, thread_id)
    for delivery in mine:
        out = exists().where(POSTS.c.delivery_id == delivery.id, POSTS.c.state.in_(_MAY_BE_OUT))
        if connection.scalar(select(out)):
            raise NotAllowedError(
                f"{described(delivery)} is {delivery.state}, and posts of it are out or may be: it is kept"
            )
    ids = [delivery.id for delivery in mine]
    connection.execute(delete(POSTS).where(POSTS.c.delivery_id.in_(ids)))
    connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id.in_(ids)))
    connection.execute(delete(THREADS).where(THREADS.c.id == thread_id))
    note(connection, "remove", thread_id=thread_id, actor=actor, now=now, detail=mine[0].title)


def _of(connection: Connection, thread_id: int) -> Sequence[Delivery]:
    """The deliveries of a thread, locked. Raises NotFoundError."""
    query = DELIVERY.where(DELIVERIES.c.thread_id == thread_id).order_by(DELIVERIES.c.id)
    mine = [delivery_of(row) for row in connection.execute(query.with_for_update(of=DELIVERIES))]
    if not mine:
        raise NotFoundError(f"there is no thread {thread_id}; see: threadcast queue")
    return mine


def _refuse_twins(connection: Connection, thread: Thread, mine: Iterable[Delivery]) -> None:
    """Raise NotAllowedError where another thread of the same text is live on one of these channels."""
    for delivery in mine:
        twin = connection.execute(
            DELIVERY.where(
                DELIVERIES.c.channel == delivery.channel,
                DELIVERIES.c.fingerprint == thread.fingerprint,
                DELIVERIES.c.state.in_(sorted(LIVE)),
                DELIVERIES.c.id != delivery.id,
            )
        ).one_or_none()
        if twin is not None:
            raise NotAllowedError(f"{described(delivery_of(twin))} is {twin.state}, and has the same text")


def _rewrite(connection: Connection, thread_id: int, thread: Thread) -> None:
    values = content_row(thread)
    connection.execute(update(THREADS).where(THREADS.c.id == thread_id).values(values))
    connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.thread_id == thread_id)
        .values(fingerprint=values["fingerprint"])
    )


def _told(
    connection: Connection,
    changed: Sequence[Delivery],
    thread: Thread,
    what: str,
    *,
    now: datetime,
    actor: str,
) -> tuple[Delivery, ...]:
    """Log the change of a text, and read its deliveries again."""
    for delivery in changed:
        detail = f"{_counted(len(thread.parts))} now"
        log(connection, delivery, what, actor=actor, now=now, detail=detail)
    return tuple(_of(connection, changed[0].thread_id))


def _counted(parts: int) -> str:
    return f"{parts} part{'' if parts == 1 else 's'}"
