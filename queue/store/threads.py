"""Threads in the queue: added, changed, forgotten.

The number of statements grows with every few hundred threads added, not with each.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update

from threadcast.queue.errors import Fault, NotAllowedError, NotFoundError, StoreError
from threadcast.queue.model import Added, Delivery, Duplicate, NewDelivery, NewThread, Once, PostRecord
from threadcast.queue.outcomes import Code
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import BEGINNINGS, LIVE, DeliveryState, Event, PostState, request
from threadcast.queue.store.changes import RANK_STEP
from threadcast.queue.store.notes import refuse_repeated, remember
from threadcast.queue.store.rows import (
    DELIVERY,
    FREE_PLACES,
    chunks,
    content_row,
    correct,
    delivery_of,
    insert_rows,
    log,
    note,
    put,
    read_deliveries,
    read_thread,
    refuse_twins,
    take_turns,
    transition,
    which,
)
from threadcast.queue.store.schema import DELIVERIES, EVENTS, POSTS, THREADS
from threadcast.queue.store.transactions import Transactions
from threadcast.queue.text.thread import Thread

_MAY_BE_OUT = (PostState.SENDING, PostState.SENT, PostState.UNKNOWN)

NO_REASONS: Mapping[int, tuple[str, Code]] = {}

_Place = tuple[str, str]  # channel and fingerprint
_Rows = list[dict[str, Any]]
_Entry = tuple[int, NewThread, list[NewDelivery]]  # the number of a stored thread, and what is queued of it


class Threads:
    """Threads in the queue: added, changed, forgotten.

    All times are aware UTC datetimes given by the caller. Each method is one transaction, and may be called
    from several threads. What it raises beside the errors named is StoreError.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._write = transactions.write

    def add(
        self,
        threads: Sequence[NewThread],
        *,
        now: datetime,
        actor: str,
        again: bool = False,
        since: datetime | None = None,
        once: Once[Added] | None = None,
    ) -> tuple[Added, ...]:
        """Add all threads or, on any error, none; one `Added` for each, in order.

        A wish whose fingerprint has a live delivery on its channel is a duplicate; so is, unless
        `again`, one whose fingerprint was published there (state `published`); so is, with `since`,
        one whose fingerprint was added there at `since` or later, whatever became of it: for a
        caller who may have died after this very wish was taken. The database itself
        guards the first rule against two callers at once. A wish that repeats an earlier one of the
        same call is a duplicate of that. A thread none of whose wishes is taken is not stored.
        With `once`, the answer is kept with what is added; raises RepeatedError where one is kept already.
        Deliveries queue up behind all others of their channel (`rank`), in the order given. Each
        delivery taken gives an `add` event. An adoption leaves at least one part to send. Numbers of
        threads and deliveries are never given twice, not even those of removed ones.
        """
        _check(threads)
        with self._write() as connection:
            take_turns(connection, FREE_PLACES)
            if once is not None:
                refuse_repeated(connection, once)
            known = _known(connection, {new.thread.fingerprint for new in threads}, again=again, since=since)
            taken = _taken(threads, set(known))
            chosen = [(new, wishes) for new, wishes in zip(threads, taken, strict=True) if wishes]
            rows = [content_row(new.thread) | {"source": new.source, "created": now} for new, _ in chosen]
            ids = insert_rows(connection, THREADS, rows)
            entries = [(thread_id, *one) for thread_id, one in zip(ids, chosen, strict=True)]
            known |= _enqueue(connection, entries, now=now, actor=actor)
            added = tuple(_answer(*one, known) for one in zip(threads, taken, strict=True))
            if once is not None:
                remember(connection, once, added, now=now)
            return added

    def add_to(
        self, thread_id: int, deliveries: Sequence[NewDelivery], *, now: datetime, actor: str
    ) -> Added:
        """Queue a stored thread on more channels, by the rules of `add`.

        `thread_id` of the answer is the thread's, None where every wish was a duplicate. Raises
        NotFoundError, and NotAllowedError where a delivery of the thread was meant for one of these
        channels already, whatever became of it.
        """
        with self._write() as connection:
            take_turns(connection, FREE_PLACES)
            stored = read_thread(connection, thread_id)
            new = NewThread(stored.thread, stored.source, tuple(deliveries))
            _check([new])
            known_to = select(DELIVERIES.c.channel).where(DELIVERIES.c.thread_id == thread_id)
            meant_for = set(connection.scalars(known_to))
            for wish in deliveries:
                if wish.channel in meant_for:
                    raise NotAllowedError(Fault.MEANT_ALREADY, thread_id=thread_id, channel=wish.channel)
            known = _known(connection, {stored.thread.fingerprint}, again=False, since=None)
            (taken,) = _taken([new], set(known))
            known |= _enqueue(connection, [(thread_id, new, taken)], now=now, actor=actor)
            return _answer(new, taken, known)

    def edit(
        self,
        thread_id: int,
        thread: Thread,
        *,
        now: datetime,
        actor: str,
        reasons: Mapping[int, tuple[str, Code]] = NO_REASONS,
    ) -> tuple[Delivery, ...]:
        """Replace a thread's text. `reasons` say why a delivery of that id is held now, if it is.

        Gives an `edit` event for each delivery. Raises NotFoundError, and NotAllowedError where a delivery
        of it has posts or is `publishing`, the new text is live on one of its channels already, or has no
        more parts than an adopted chain has out.
        """
        with self._write() as connection:
            take_turns(connection, FREE_PLACES)
            mine = _of(connection, thread_id)
            for delivery in mine:
                if delivery.posts or delivery.state is DeliveryState.PUBLISHING:
                    raise NotAllowedError(Fault.BEGUN, **which(delivery))
                out = delivery.adoption.parts if delivery.adoption else 0
                if len(thread.parts) <= out:
                    raise NotAllowedError(Fault.PARTS_OUT, out=out, **which(delivery))
            refuse_twins(connection, thread, [delivery for delivery in mine if delivery.state in LIVE])
            _rewrite(connection, thread_id, thread)
            for one in mine:
                if one.state is DeliveryState.HELD and one.id in reasons:
                    reason, code = reasons[one.id]
                    put(connection, one, reason=reason, code=code)
            return _logged(connection, mine, thread, "edit", now=now, actor=actor)

    def extend(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        """Replace a thread by one that has its parts and more.

        `published` deliveries are `queued` again (`continue`, at once: `own_time`, `due` now), `held` and
        `queued` ones are just longer. Each of these gives a `continue` event.

        Raises NotFoundError, and NotAllowedError where a delivery is `publishing`, `unsure` or `failed`, or
        has posts still to be sent (let it end first), where none is left to continue, where the new
        thread has no more parts than the old, or is live on one of its channels already.
        """
        with self._write() as connection:
            take_turns(connection, FREE_PLACES)
            mine = _of(connection, thread_id)
            _require_ended(mine)
            going_on = [one for one in mine if one.state in {DeliveryState.PUBLISHED, *BEGINNINGS}]
            if not going_on:
                raise NotAllowedError(Fault.NOWHERE, thread_id=thread_id)
            if len(thread.parts) <= mine[0].parts:
                raise NotAllowedError(Fault.NO_PART, thread_id=thread_id, parts=_counted(mine[0].parts))
            refuse_twins(connection, thread, going_on)
            # Before the states: a published delivery comes back to life under its new fingerprint.
            _rewrite(connection, thread_id, thread)
            for one in going_on:
                if one.state is DeliveryState.PUBLISHED:
                    change = request(one.state, Event.CONTINUE, due=now)
                    transition(connection, one, change, now=now)
            return _logged(connection, going_on, thread, Event.CONTINUE, now=now, actor=actor)

    def correct(
        self,
        thread_id: int,
        before: Thread,
        thread: Thread,
        posts: Mapping[int, Mapping[int, PostRecord]],
        *,
        now: datetime,
        actor: str,
    ) -> tuple[Delivery, ...]:
        """Replace a thread's text, and by delivery and position those `posts` that are out: to be edited.

        Of each its `post` and `uploads` are taken, as they are to be.

        `published` deliveries whose posts change, or whose thread has more parts than `before`, are `queued`
        again (`correct` or `continue`, at once: `own_time`, `due` now). Gives an `edit` event for each
        delivery, and where posts change a `correct` event that names them.

        Raises NotFoundError, and NotAllowedError where the thread is not as it was `before`, where a
        delivery is as `extend` cannot have it, or where the new text is live on one of its channels already.
        """
        with self._write() as connection:
            take_turns(connection, FREE_PLACES)
            mine = _of(connection, thread_id)
            if read_thread(connection, thread_id).thread != before:
                raise NotAllowedError(Fault.OTHER_TEXT, thread_id=thread_id)
            _require_ended(mine)
            more = len(thread.parts) > len(before.parts)
            back = [
                one for one in mine if one.state is DeliveryState.PUBLISHED and (more or posts.get(one.id))
            ]
            refuse_twins(connection, thread, [*back, *(one for one in mine if one.state in LIVE)])
            _rewrite(connection, thread_id, thread)
            for one in mine:
                correct(connection, one, posts.get(one.id, {}))
            for one in back:
                change = request(one.state, Event.CONTINUE if more else Event.CORRECT, due=now)
                transition(connection, one, change, now=now)
            for one in mine:
                if places := posts.get(one.id):
                    detail = Sentence("posts {numbers}", numbers=", ".join(map(str, sorted(places))))
                    log(connection, one, Event.CORRECT, actor=actor, now=now, detail=detail)
            return _logged(connection, mine, thread, "edit", now=now, actor=actor)

    def remove(self, thread_id: int, *, now: datetime, actor: str) -> None:
        """Forget a thread of which nothing was ever sent. Its events stay, with one more, `remove`.

        Raises NotFoundError, and NotAllowedError where a post of it is out, or may be.
        """
        with self._write() as connection:
            take_turns(connection, FREE_PLACES)  # nobody queues it on another channel meanwhile
            mine = _of(connection, thread_id)
            for delivery in mine:
                out = exists().where(POSTS.c.delivery_id == delivery.id, POSTS.c.state.in_(_MAY_BE_OUT))
                if connection.scalar(select(out)):
                    raise NotAllowedError(Fault.MAY_BE_OUT, **which(delivery))
            ids = [delivery.id for delivery in mine]
            connection.execute(delete(POSTS).where(POSTS.c.delivery_id.in_(ids)))
            connection.execute(delete(DELIVERIES).where(DELIVERIES.c.id.in_(ids)))
            connection.execute(delete(THREADS).where(THREADS.c.id == thread_id))
            note(connection, "remove", thread_id=thread_id, actor=actor, now=now, detail=mine[0].title)


def _require_ended(mine: Sequence[Delivery]) -> None:
    """Raise NotAllowedError where a chain is under way, or has stopped in its middle."""
    for one in mine:
        if one.state in LIVE and (one.state not in BEGINNINGS or one.posts > one.sent):
            raise NotAllowedError(Fault.NOT_ENDED, **which(one))


def _check(threads: Sequence[NewThread]) -> None:
    for new in threads:
        for wish in new.deliveries:
            if wish.state not in BEGINNINGS:
                raise StoreError(Fault.BEGINNING, state=wish.state)
            if wish.adoption and not 0 < wish.adoption.parts < len(new.thread.parts):
                raise StoreError(Fault.ADOPTION, parts=len(new.thread.parts), out=wish.adoption.parts)


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
        query = DELIVERY.where(DELIVERIES.c.fingerprint.in_(chunk), known).order_by(
            DELIVERIES.c.state.in_(sorted(LIVE)),
            DELIVERIES.c.state == DeliveryState.PUBLISHED,
            DELIVERIES.c.id,
        )
        for row in connection.execute(query).mappings():
            found[row["channel"], row["fingerprint"]] = delivery_of(row)
    return found


def _taken(threads: Sequence[NewThread], occupied: set[_Place]) -> list[list[NewDelivery]]:
    """The wishes of each thread that are taken: nothing stored and no earlier wish is in their place."""
    verdicts = []
    for new in threads:
        taken = []
        for wish in new.deliveries:
            if (wish.channel, new.thread.fingerprint) not in occupied:
                occupied.add((wish.channel, new.thread.fingerprint))
                taken.append(wish)
        verdicts.append(taken)
    return verdicts


def _answer(new: NewThread, taken: list[NewDelivery], there: dict[_Place, Delivery]) -> Added:
    mine = {id(wish) for wish in taken}
    deliveries, duplicates = [], []
    for wish in new.deliveries:
        found = there[wish.channel, new.thread.fingerprint]
        if id(wish) in mine:
            mine.remove(id(wish))  # the same wish may have been given twice
            deliveries.append(found)
        else:
            duplicates.append(Duplicate(found.channel, found))
    return Added(deliveries[0].thread_id if deliveries else None, tuple(deliveries), tuple(duplicates))


def _enqueue(
    connection: Connection, entries: Sequence[_Entry], *, now: datetime, actor: str
) -> dict[_Place, Delivery]:
    """Queue stored threads, by their number, as these wishes say."""
    ranks = dict.fromkeys((wish.channel for _, _, wishes in entries for wish in wishes), 0)
    for channel in ranks:
        highest = select(func.max(DELIVERIES.c.rank)).where(DELIVERIES.c.channel == channel)
        ranks[channel] = connection.scalar(highest) or 0
    rows: _Rows = []
    events: _Rows = []
    for thread_id, new, wishes in entries:
        for wish in wishes:
            ranks[wish.channel] += RANK_STEP
            place = {"thread_id": thread_id, "channel": wish.channel}
            rows.append(place | _row(wish, new, ranks[wish.channel], now))
            events.append(place | {"at": now, "actor": actor, "what": "add", "detail": new.source})
    ids = insert_rows(connection, DELIVERIES, rows)
    if not ids:
        return {}
    told = [event | {"delivery_id": one} for event, one in zip(events, ids, strict=True)]
    connection.execute(insert(EVENTS), told)
    made = read_deliveries(connection, ids)
    return {(row["channel"], row["fingerprint"]): made[one] for row, one in zip(rows, ids, strict=True)}


def _row(wish: NewDelivery, new: NewThread, rank: int, now: datetime) -> dict[str, Any]:
    adoption = wish.adoption
    return {
        "fingerprint": new.thread.fingerprint,
        "state": wish.state,
        "reason": wish.reason,
        "code": wish.code,
        "rank": rank,
        "own_time": wish.own_time,
        "due": wish.due,
        "queued": now,
        "created": now,
        "fence": 0,
        "posts": 0,
        "sent": 0,
        "adopted_parts": adoption and adoption.parts,
        "adopted_id": adoption and adoption.last.remote_id,
        "adopted_url": adoption and adoption.last.url,
    }


def _of(connection: Connection, thread_id: int) -> Sequence[Delivery]:
    """The deliveries of a thread, locked. Raises NotFoundError."""
    query = DELIVERY.where(DELIVERIES.c.thread_id == thread_id).order_by(DELIVERIES.c.id)
    rows = connection.execute(query.with_for_update(of=DELIVERIES)).mappings()
    mine = [delivery_of(row) for row in rows]
    if not mine:
        raise NotFoundError(Fault.NO_THREAD, thread_id=thread_id)
    return mine


def _rewrite(connection: Connection, thread_id: int, thread: Thread) -> None:
    values = content_row(thread)
    mine = DELIVERIES.c.thread_id == thread_id
    connection.execute(update(THREADS).where(THREADS.c.id == thread_id).values(values))
    connection.execute(update(DELIVERIES).where(mine).values(fingerprint=values["fingerprint"]))


def _logged(
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
        detail = Sentence("{parts} now", parts=_counted(len(thread.parts)))
        log(connection, delivery, what, actor=actor, now=now, detail=detail)
    return tuple(_of(connection, changed[0].thread_id))


def _counted(parts: int) -> Sentence:
    return Sentence("{n} part", "{n} parts", n=parts)
