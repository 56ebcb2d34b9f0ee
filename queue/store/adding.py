"""Adding threads: which wishes are taken, and what is stored for them.

The number of statements grows with every few hundred threads, not with each.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, insert, select, text

from threadcast.queue.model import (
    Added,
    Delivery,
    Duplicate,
    NewDelivery,
    NewThread,
    NotFoundError,
    StoreError,
)
from threadcast.queue.states import BEGINNINGS, LIVE, DeliveryState, NotAllowedError
from threadcast.queue.store.rows import DELIVERY, delivery_of, delivery_row, stored_thread_of, thread_row
from threadcast.queue.store.schema import DELIVERIES, EVENTS, THREADS
from threadcast.queue.store.statements import chunks, take_turns

RANK_STEP = 1 << 20  # between two neighbours, so that moving one between them leaves both alone
FREE_PLACES = "places in a queue"  # what one transaction finds free stays free until it commits

_Place = tuple[str, str]  # channel and fingerprint
_Rows = list[dict[str, Any]]


def add(
    connection: Connection,
    threads: Sequence[NewThread],
    *,
    now: datetime,
    actor: str,
    again: bool,
    since: datetime | None,
) -> tuple[Added, ...]:
    """See `add`; the caller's transaction is open."""
    _check(threads)
    take_turns(connection, FREE_PLACES)
    known = _known(connection, {new.thread.fingerprint for new in threads}, again=again, since=since)
    verdicts = _judge(threads, set(known))
    chosen = [
        (new, wishes)
        for new, taken in zip(threads, verdicts, strict=True)
        if (wishes := [wish for wish, is_taken in zip(new.deliveries, taken, strict=True) if is_taken])
    ]
    rows = [thread_row(new.thread, new.source, now=now) for new, _ in chosen]
    ids = _insert(connection, THREADS, rows) if rows else []
    entries = [(thread_id, new, wishes) for thread_id, (new, wishes) in zip(ids, chosen, strict=True)]
    return _answers(threads, verdicts, known | _enqueue(connection, entries, now=now, actor=actor))


def add_to(
    connection: Connection, thread_id: int, wishes: Sequence[NewDelivery], *, now: datetime, actor: str
) -> Added:
    """See `add_to`; the caller's transaction is open."""
    take_turns(connection, FREE_PLACES)
    row = connection.execute(select(THREADS).where(THREADS.c.id == thread_id)).one_or_none()
    if row is None:
        raise NotFoundError(f"there is no thread {thread_id}")
    stored = stored_thread_of(row)
    new = NewThread(stored.thread, stored.source, tuple(wishes))
    _check([new])
    meant_for = set(
        connection.scalars(select(DELIVERIES.c.channel).where(DELIVERIES.c.thread_id == thread_id))
    )
    for wish in wishes:
        if wish.channel in meant_for:
            raise NotAllowedError(f"thread {thread_id} is meant for {wish.channel} already")
    known = _known(connection, {stored.thread.fingerprint}, again=False, since=None)
    (taken,) = verdicts = _judge([new], set(known))
    fresh = [wish for wish, is_taken in zip(wishes, taken, strict=True) if is_taken]
    queued = _enqueue(connection, [(thread_id, new, fresh)], now=now, actor=actor)
    (answer,) = _answers([new], verdicts, known | queued)
    return answer


def _answers(
    threads: Sequence[NewThread], verdicts: list[list[bool]], there: dict[_Place, Delivery]
) -> tuple[Added, ...]:
    answers = []
    for new, taken in zip(threads, verdicts, strict=True):
        found = [(there[place], is_taken) for place, is_taken in zip(_places(new), taken, strict=True)]
        deliveries = tuple(delivery for delivery, is_taken in found if is_taken)
        duplicates = tuple(Duplicate(old.channel, old) for old, is_taken in found if not is_taken)
        answers.append(Added(deliveries[0].thread_id if deliveries else None, deliveries, duplicates))
    return tuple(answers)


def _check(threads: Sequence[NewThread]) -> None:
    for new in threads:
        for wish in new.deliveries:
            if wish.state not in BEGINNINGS:
                raise StoreError(f"a delivery begins as {' or '.join(BEGINNINGS)}, not as {wish.state}")
            if wish.adoption and not 0 < wish.adoption.parts < len(new.thread.parts):
                raise StoreError(
                    f"of the {len(new.thread.parts)} parts of an adopted thread at least one has to be out, "
                    f"and one has to be left: {wish.adoption.parts} is neither"
                )


def _places(new: NewThread) -> list[_Place]:
    return [(wish.channel, new.thread.fingerprint) for wish in new.deliveries]


def _known(
    connection: Connection, fingerprints: set[str], *, again: bool, since: datetime | None
) -> dict[_Place, Delivery]:
    """The deliveries that make a wish a duplicate: the live one, else a published, else any since then."""
    states = LIVE if again else LIVE | {DeliveryState.PUBLISHED}
    known: ColumnElement[bool] = DELIVERIES.c.state.in_(sorted(states))
    if since is not None:
        known |= DELIVERIES.c.created >= since
    found: dict[_Place, Delivery] = {}
    for chunk in chunks(sorted(fingerprints)):
        rows = connection.execute(
            DELIVERY.add_columns(DELIVERIES.c.fingerprint)
            .where(DELIVERIES.c.fingerprint.in_(chunk), known)
            .order_by(
                DELIVERIES.c.state.in_(sorted(LIVE)),
                DELIVERIES.c.state == DeliveryState.PUBLISHED,
                DELIVERIES.c.id,
            )
        )
        for row in rows:
            found[row.channel, row.fingerprint] = delivery_of(row)
    return found


def _judge(threads: Sequence[NewThread], occupied: set[_Place]) -> list[list[bool]]:
    """For each wish, whether it is taken: nothing stored and no earlier wish is in its place."""
    verdicts = []
    for new in threads:
        taken = []
        for place in _places(new):
            taken.append(place not in occupied)
            occupied.add(place)
        verdicts.append(taken)
    return verdicts


def _enqueue(
    connection: Connection,
    entries: Sequence[tuple[int, NewThread, list[NewDelivery]]],
    *,
    now: datetime,
    actor: str,
) -> dict[_Place, Delivery]:
    """Queue stored threads, by their number, as these wishes say."""
    ranks = {wish.channel: 0 for _, _, wishes in entries for wish in wishes}
    if not ranks:
        return {}
    for channel in ranks:
        highest = select(func.max(DELIVERIES.c.rank)).where(DELIVERIES.c.channel == channel)
        ranks[channel] = connection.scalar(highest) or 0
    rows: _Rows = []
    sources: list[str] = []
    for thread_id, new, wishes in entries:
        for wish in wishes:
            ranks[wish.channel] += RANK_STEP
            rows.append(
                delivery_row(
                    wish,
                    thread_id=thread_id,
                    fingerprint=new.thread.fingerprint,
                    rank=ranks[wish.channel],
                    now=now,
                )
            )
            sources.append(new.source)
    ids = _insert(connection, DELIVERIES, rows)
    stored = list(zip(rows, ids, sources, strict=True))
    connection.execute(
        insert(EVENTS),
        [
            {
                "at": now,
                "actor": actor,
                "what": "add",
                "thread_id": row["thread_id"],
                "delivery_id": delivery_id,
                "channel": row["channel"],
                "detail": source,
            }
            for row, delivery_id, source in stored
        ],
    )
    made = _read(connection, ids)
    return {(row["channel"], row["fingerprint"]): made[delivery_id] for row, delivery_id, _ in stored}


def _insert(connection: Connection, table: Table, rows: _Rows) -> list[int]:
    """Insert many rows; their ids, in order."""
    if connection.dialect.name == "sqlite":
        # To tell ids in order, rows would go in one by one; under the write lock we know them beforehand.
        # https://www.sqlite.org/autoinc.html
        last = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        first = (connection.scalar(last, {"name": table.name}) or 0) + 1
        ids = list(range(first, first + len(rows)))
        connection.execute(insert(table), [{"id": one} | row for one, row in zip(ids, rows, strict=True)])
        return ids
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(connection.scalars(statement, rows))


def _read(connection: Connection, ids: Sequence[int]) -> dict[int, Delivery]:
    found = {}
    for chunk in chunks(ids):
        for row in connection.execute(DELIVERY.where(DELIVERIES.c.id.in_(chunk))):
            found[row.id] = delivery_of(row)
    return found
