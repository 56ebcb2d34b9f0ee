"""What the queue says."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from threadcast.queue.model import (
    AuditEvent,
    ChannelRow,
    Delivery,
    NotFoundError,
    PostRecord,
    StoredThread,
)
from threadcast.queue.states import (
    DeliveryState,
)
from threadcast.queue.store import learning
from threadcast.queue.store.rows import (
    DELIVERY,
    NEWEST_FIRST,
    QUEUE_ORDER,
    channel_of,
    delivery_of,
    event_of,
    stored_thread_of,
)
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, EVENTS, THREADS
from threadcast.queue.store.statements import (
    read_delivery,
    read_posts,
    read_posts_of,
)
from threadcast.queue.store.transactions import Transactions


class Reading:
    """What the queue says.

    All times are aware UTC datetimes given by the caller. Each method is one transaction, and may be called
    from several threads. What it raises beside the errors named is StoreError.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._read, self._write = transactions.read, transactions.write

    def channels(self) -> tuple[ChannelRow, ...]:
        """Every channel ever seen, by name."""
        with self._read() as connection:
            rows = connection.execute(select(CHANNELS).order_by(CHANNELS.c.name))
            return tuple(channel_of(row) for row in rows)

    def thread(self, thread_id: int) -> StoredThread:
        """Raises NotFoundError."""
        with self._read() as connection:
            row = connection.execute(select(THREADS).where(THREADS.c.id == thread_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no thread {thread_id}; see: threadcast queue")
        return stored_thread_of(row)

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
    ) -> tuple[Delivery, ...]:
        """Those that fit every given filter.

        In the order of the queue (channel, begun ones first, rank, id); `newest_first`: by
        `finished` (else `created`) falling, then id falling.
        """
        query = DELIVERY.order_by(*(NEWEST_FIRST if newest_first else QUEUE_ORDER)).limit(limit)
        if states is not None:
            query = query.where(DELIVERIES.c.state.in_(sorted(states)))
        if channel is not None:
            query = query.where(DELIVERIES.c.channel == channel)
        if thread_id is not None:
            query = query.where(DELIVERIES.c.thread_id == thread_id)
        with self._read() as connection:
            return tuple(delivery_of(row) for row in connection.execute(query))

    def posts(self, delivery_id: int) -> tuple[PostRecord, ...]:
        """A delivery's posts by position; empty before planning."""
        with self._read() as connection:
            return read_posts(connection, delivery_id)

    def posts_of(self, delivery_ids: Sequence[int]) -> dict[int, tuple[PostRecord, ...]]:
        """The posts of many deliveries, asked for at once; each of these ids has an entry."""
        with self._read() as connection:
            return read_posts_of(connection, delivery_ids)

    def events(
        self, *, thread_id: int | None = None, limit: int | None = None, after: int | None = None
    ) -> tuple[AuditEvent, ...]:
        """The audit log, oldest first; with `limit`, the newest that many. `after` the event of that id."""
        query = select(EVENTS).order_by(EVENTS.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(EVENTS.c.id > after)
        if thread_id is not None:
            query = query.where(EVENTS.c.thread_id == thread_id)
        with self._read() as connection:
            return tuple(event_of(row) for row in reversed(connection.execute(query).all()))

    def landmark(self, channel: str) -> PostRecord | None:
        """The post that went out last on this channel (by `finished`) and was not taken down since.

        Of posts whose remote id is known; None where there is none.
        """
        with self._read() as connection:
            return learning.landmark(connection, channel)

    def sent_since(self, channel: str, moment: datetime) -> int:
        """How many posts of ours went out on this channel at `moment` or later, gone ones included."""
        with self._read() as connection:
            return learning.sent_since(connection, channel, moment)
