"""What the queue says."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, case, func, or_, select, text, union_all

from threadcast.queue.compose.elsewhere import Elsewhere
from threadcast.queue.model import AuditEvent, ChannelRow, Delivery, PostRecord, StoredThread
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.store.rows import (
    DELIVERY,
    delivery_of,
    elsewhere,
    post_of,
    read_delivery,
    read_posts,
    read_thread,
    value,
)
from threadcast.queue.store.schema import (
    CHANNELS,
    DELIVERIES,
    EVENTS,
    LIVE_ONLY,
    NOTES,
    POSTS,
    QUEUED_ONLY,
    THREADS,
)
from threadcast.queue.store.transactions import Transactions

_NAMED = re.compile(r"\(<?files/([0-9a-f]+)/")  # a file, in what a person is pasting

_QUEUE_ORDER = (
    DELIVERIES.c.channel,
    case((DELIVERIES.c.state == DeliveryState.PUBLISHING, 0), else_=1),
    DELIVERIES.c.rank,
    DELIVERIES.c.id,
)
_NEWEST_FIRST = (func.coalesce(DELIVERIES.c.finished, DELIVERIES.c.created).desc(), DELIVERIES.c.id.desc())


def _ahead(fit: Sequence[ColumnElement[bool]], queued: int) -> CompoundSelect[Any]:
    """The ids of what is live, and of what is queued in turn only the first so many: each by its index."""
    number = select(DELIVERIES.c.id).where(*fit)
    waiting = number.where(QUEUED_ONLY)
    # In words and order of the index: else SQLite walks all that ever was, by rank.
    in_turn = waiting.where(text("NOT own_time"))
    order = (DELIVERIES.c.channel, DELIVERIES.c.own_time, DELIVERIES.c.rank, DELIVERIES.c.id)
    return union_all(
        select(in_turn.order_by(*order).limit(queued).subquery().c.id),
        waiting.where(DELIVERIES.c.own_time),
        number.where(LIVE_ONLY, DELIVERIES.c.state != DeliveryState.QUEUED),
    )


class Reading:
    """What the queue says, each answer as it is at one moment. Raises StoreError beside the errors named."""

    def __init__(self, transactions: Transactions) -> None:
        self._read = transactions.read

    def channels(self) -> tuple[ChannelRow, ...]:
        """Every channel ever seen, by name."""
        with self._read() as connection:
            rows = connection.execute(select(CHANNELS).order_by(CHANNELS.c.name)).mappings()
            return tuple(value(ChannelRow, row) for row in rows)

    def halted(self, delivery: Delivery) -> bool:
        """Whether a begun delivery goes no further: its channel is paused, or a person stopped it."""
        paused = select(CHANNELS.c.paused).where(CHANNELS.c.name == delivery.channel)
        code = select(DELIVERIES.c.code).where(DELIVERIES.c.id == delivery.id)
        with self._read() as connection:
            return bool(connection.scalar(paused)) or connection.scalar(code) is Code.PERSON

    def thread(self, thread_id: int) -> StoredThread:
        """Raises NotFoundError."""
        with self._read() as connection:
            return read_thread(connection, thread_id)

    def files(self) -> frozenset[str]:
        """The digests of all files that threads and posts need; of those in a note, how they begin."""
        with self._read() as connection:
            rows = connection.scalars(select(THREADS.c.files).where(THREADS.c.files != ()))
            needed = {digest for files in rows for digest in files}
            # A chain that was cancelled may go on as it was planned, whatever its thread shows now.
            planned = connection.scalars(select(POSTS.c.media).where(POSTS.c.media != ()))
            needed.update(one.file.digest for media in planned for one in media if one.file)
            for text in connection.scalars(select(NOTES.c.text).where(NOTES.c.text.contains("(files/"))):
                needed.update(_NAMED.findall(text))
            return frozenset(needed)

    def delivery(self, delivery_id: int) -> Delivery:
        """Raises NotFoundError."""
        with self._read() as connection:
            return read_delivery(connection, delivery_id)

    def deliveries(
        self,
        *,
        states: frozenset[DeliveryState] | None = None,
        channel: str | None = None,
        thread_id: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        threads: tuple[int, int | None] | None = None,
        queued: int | None = None,
    ) -> tuple[Delivery, ...]:
        """Those that fit every given filter.

        In the order of the queue (channel, begun ones first, rank, id); `newest_first`: by
        `finished` (else `created`) falling, then id falling. With `threads`, how many and before which
        number: those of the newest threads, by their numbers falling. With `queued`, what is live: of what
        is queued the first so many that go in turn, and what has a time of its own.
        """
        fit: list[ColumnElement[bool]] = []
        if channel is not None:
            fit.append(DELIVERIES.c.channel == channel)
        if thread_id is not None:
            fit.append(DELIVERIES.c.thread_id == thread_id)
        if queued is not None:
            fit.append(DELIVERIES.c.id.in_(_ahead(fit, queued)))
        if states is not None:
            fit.append(DELIVERIES.c.state.in_(sorted(states)))
        query = DELIVERY.order_by(*(_NEWEST_FIRST if newest_first else _QUEUE_ORDER)).limit(limit)
        if threads is not None:
            number = DELIVERIES.c.thread_id
            fit += [] if threads[1] is None else [number < threads[1]]
            newest = select(number).where(*fit).distinct().order_by(number.desc()).limit(threads[0])
            query = DELIVERY.order_by(number.desc(), DELIVERIES.c.id).where(number.in_(newest))
        with self._read() as connection:
            return tuple(delivery_of(row) for row in connection.execute(query.where(*fit)).mappings())

    def posts(self, delivery_id: int) -> tuple[PostRecord, ...]:
        """A delivery's posts by position; empty before planning."""
        return self.posts_of([delivery_id])[delivery_id]

    def elsewhere(self, delivery: Delivery) -> Elsewhere | None:
        """Where else its thread is, as its channel is to say; None where it says nothing."""
        with self._read() as connection:
            return elsewhere(connection, delivery)

    def posts_of(self, delivery_ids: Sequence[int]) -> dict[int, tuple[PostRecord, ...]]:
        """The posts of many deliveries, asked for at once; each of these ids has an entry."""
        with self._read() as connection:
            return read_posts(connection, *delivery_ids)

    def events(
        self,
        *,
        thread_id: int | None = None,
        limit: int | None = None,
        after: int | None = None,
        forward: bool = False,
    ) -> tuple[AuditEvent, ...]:
        """The audit log, oldest first; with `limit`, the newest that many (`forward`: the oldest).

        `after` the event of that id.
        """
        query = select(EVENTS).order_by(EVENTS.c.id if forward else EVENTS.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(EVENTS.c.id > after)
        if thread_id is not None:
            query = query.where(EVENTS.c.thread_id == thread_id)
        with self._read() as connection:
            rows = connection.execute(query).mappings().all()
            return tuple(value(AuditEvent, row) for row in (rows if forward else reversed(rows)))

    def landmark(self, channel: str) -> PostRecord | None:
        """The post that went out last on this channel (by `finished`) and was not taken down since.

        Of posts whose remote id is known, and which say what is stored; None where there is none.
        """
        query = (
            select(*POSTS.c)
            .join(DELIVERIES, DELIVERIES.c.id == POSTS.c.delivery_id)
            .where(
                DELIVERIES.c.channel == channel,
                POSTS.c.remote_id.is_not(None),
                POSTS.c.finished.is_not(None),
                POSTS.c.taken_down.is_(None),
                or_(POSTS.c.edit.is_(None), POSTS.c.edit == PostState.SENT),
            )
            .order_by(POSTS.c.finished.desc(), POSTS.c.delivery_id.desc(), POSTS.c.position.desc())
            .limit(1)
        )
        with self._read() as connection:
            row = connection.execute(query).mappings().one_or_none()
            return None if row is None else post_of(row)

    def sent_at(self, channel: str, since: datetime) -> tuple[datetime, ...]:
        """When each post of ours went out on this channel, since a moment, the oldest first."""
        query = (
            select(POSTS.c.finished)
            .join(DELIVERIES, DELIVERIES.c.id == POSTS.c.delivery_id)
            .where(DELIVERIES.c.channel == channel, POSTS.c.finished >= since)
        )
        with self._read() as connection:
            return tuple(connection.scalars(query.order_by(POSTS.c.finished)))

    def sent_since(self, channel: str, moment: datetime) -> int:
        """How many posts of ours went out, or were edited, on this channel at `moment` or later.

        Gone ones are counted too.
        """
        query = (
            select(func.count())
            .select_from(POSTS)
            .join(DELIVERIES, DELIVERIES.c.id == POSTS.c.delivery_id)
            .where(DELIVERIES.c.channel == channel, POSTS.c.remote_id.is_not(None))
        )
        with self._read() as connection:
            counts = [query.where(column >= moment) for column in (POSTS.c.finished, POSTS.c.edited)]
            return sum(int(connection.scalar(one) or 0) for one in counts)

    def files_since(self, channel: str, moment: datetime) -> int:
        """How many files the network took with posts of ours that went out there at `moment` or later."""
        query = (
            select(POSTS.c.uploads)
            .join(DELIVERIES, DELIVERIES.c.id == POSTS.c.delivery_id)
            .where(DELIVERIES.c.channel == channel, POSTS.c.finished >= moment, POSTS.c.uploads != ())
        )
        with self._read() as connection:
            return sum(map(len, connection.scalars(query)))
