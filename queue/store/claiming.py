"""Which delivery of a channel a worker may take, and when to look again.

Every question is a few look-ups in an index, however long the queue.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    exists,
    func,
    or_,
    select,
    union_all,
    update,
)

from threadcast.queue.model import NotFoundError, Opening, Waiting, credible
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.schema import CHANNELS, DELIVERIES
from threadcast.queue.store.statements import in_state, take_turns


def look(connection: Connection, channel: str) -> Waiting:
    """See `waiting`."""
    return _waiting_of(_look(connection, channel))


def claim(
    connection: Connection, channel: str, *, worker: str, now: datetime, until: datetime, opening: Opening
) -> int | None:
    """Take the delivery to go on with, else the next one to begin; its id. See `claim`.

    Raises IntegrityError where another worker begins a delivery of the channel in the same moment.
    """
    # No slot is used twice, nobody is overtaken by who begins after them, and no claim outruns a pause.
    take_turns(connection, f"claims on {channel}")
    row = _look(connection, channel)
    if opening.slot is not None and row.paused is None:
        raise NotFoundError(f"the queue has never seen the channel {channel}: its slots cannot be noted")
    seen = _waiting_of(row)
    if seen.paused:
        return None
    if seen.under_way is not None:
        chosen = _going_on(channel, now)
    else:
        may_begin = _may_begin(channel, seen, opening, now)
        if not may_begin:
            return None
        chosen = _first_of(may_begin)
    taken = connection.execute(
        update(DELIVERIES)
        .where(DELIVERIES.c.id == chosen.scalar_subquery())
        .values(
            state=DeliveryState.PUBLISHING,
            lease_owner=worker,
            lease_until=until,
            fence=DELIVERIES.c.fence + 1,
            started=func.coalesce(DELIVERIES.c.started, now),
        )
        .returning(DELIVERIES.c.id, DELIVERIES.c.own_time)
    ).one_or_none()
    if taken is None:
        return None
    if opening.slot is not None and seen.under_way is None and not taken.own_time:
        connection.execute(update(CHANNELS).where(CHANNELS.c.name == channel).values(last_slot=opening.slot))
    return int(taken.id)


def _question() -> Select[Any]:
    """What waits on the channel given as `channel`: always one row."""
    begun, own, turn = (DELIVERIES.alias(name) for name in ("begun", "own", "turn"))
    here = bindparam("channel", type_=Text)
    is_begun = (begun.c.channel == here, in_state(begun, DeliveryState.PUBLISHING))
    is_own = (own.c.channel == here, in_state(own, DeliveryState.QUEUED), own.c.own_time)
    is_in_turn = (turn.c.channel == here, in_state(turn, DeliveryState.QUEUED), ~turn.c.own_time)
    columns: dict[str, Select[Any]] = {
        "due": select(begun.c.due).where(*is_begun),
        "lease_until": select(begun.c.lease_until).where(*is_begun),
        "own_time": select(func.min(own.c.due)).where(*is_own),
        "in_turn": select(func.min(turn.c.queued)).where(*is_in_turn),
        "last_slot": select(CHANNELS.c.last_slot).where(CHANNELS.c.name == here),
        "paused": select(CHANNELS.c.paused).where(CHANNELS.c.name == here),
    }
    return select(*(query.scalar_subquery().label(name) for name, query in columns.items()))


_QUESTION = _question()  # built once: building takes longer than the answer


def _look(connection: Connection, channel: str) -> Row[Any]:
    return connection.execute(_QUESTION, {"channel": channel}).one()


def _waiting_of(row: Row[Any]) -> Waiting:
    begun = row.due is not None
    return Waiting(
        under_way=max(row.due, row.lease_until or row.due) if begun else None,
        own_time=None if begun else row.own_time,
        in_turn=None if begun else row.in_turn,
        last_slot=row.last_slot,
        paused=bool(row.paused),
    )


def _going_on(channel: str, now: datetime) -> Select[Any]:
    begun = DELIVERIES.alias("begun")
    return (
        select(begun.c.id)
        .where(
            begun.c.channel == channel,
            in_state(begun, DeliveryState.PUBLISHING),
            begun.c.due <= now,
            or_(begun.c.lease_until.is_(None), begun.c.lease_until <= now),
        )
        .with_for_update()
    )


def _may_begin(channel: str, seen: Waiting, opening: Opening, now: datetime) -> list[Select[Any]]:
    """The first of each kind that has one that may begin: a queue of which none may is not walked."""
    slot = opening.slot
    firsts = []
    if seen.own_time is not None and seen.own_time <= now:
        firsts.append(_first(channel, now, own_time=True))
    if opening.turn and seen.in_turn is not None:
        last_slot = credible(seen.last_slot, now)
        unused = slot is None or last_slot is None or last_slot < slot
        if unused and (slot is None or seen.in_turn <= slot):
            firsts.append(_first(channel, now, own_time=False, slot=slot))
    return firsts


def _first(channel: str, now: datetime, *, own_time: bool, slot: datetime | None = None) -> Select[Any]:
    waiting, rival = DELIVERIES.alias("own" if own_time else "turn"), DELIVERIES.alias("rival")
    # Expressions hide the times from their own indexes: the planner shall walk the queue in its order and
    # stop at the first, and not sort all that fits.
    fits: list[ColumnElement[bool]] = [func.coalesce(waiting.c.due, now) <= now]
    if slot is not None:
        fits.append(func.coalesce(waiting.c.queued, now) <= slot)
    taken = exists().where(rival.c.channel == channel, in_state(rival, DeliveryState.PUBLISHING))
    return (
        select(waiting.c.id, waiting.c.rank)
        .where(
            waiting.c.channel == channel,
            in_state(waiting, DeliveryState.QUEUED),
            waiting.c.own_time if own_time else ~waiting.c.own_time,
            *fits,
            ~taken,
        )
        .order_by(waiting.c.rank, waiting.c.id)
        .limit(1)
        .with_for_update()
    )


def _first_of(firsts: list[Select[Any]]) -> Select[Any]:
    rows = [first.subquery(f"first_{number}") for number, first in enumerate(firsts)]
    if len(rows) == 1:
        return select(rows[0].c.id)
    first = union_all(*map(select, rows)).subquery("first")
    return select(first.c.id).order_by(first.c.rank, first.c.id).limit(1)
