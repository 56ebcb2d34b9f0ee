"""How much is on its way, in figures: one look, however long the queue is."""

from sqlalchemy import case, func, select

from threadcast.queue.model import Backlog
from threadcast.queue.store.rows import value
from threadcast.queue.store.schema import DELIVERIES, LIVE_ONLY, UtcTime
from threadcast.queue.store.transactions import Transactions

# When it may have begun: due, and in the queue.
_READY = case((DELIVERIES.c.due > DELIVERIES.c.queued, DELIVERIES.c.due), else_=DELIVERIES.c.queued)
_KINDS = (DELIVERIES.c.channel, DELIVERIES.c.state, DELIVERIES.c.own_time)
_BACKLOG = (
    select(
        *_KINDS,
        func.count().label("count"),
        func.min(_READY, type_=UtcTime).label("since"),
    )
    .where(LIVE_ONLY)  # as the index has it: what has ended is not walked
    .group_by(*_KINDS)
    .order_by(*_KINDS)
)


class Figures:
    """What the queue comes to. Each method is one transaction, and raises StoreError."""

    def __init__(self, transactions: Transactions) -> None:
        self._read = transactions.read

    def backlog(self) -> tuple[Backlog, ...]:
        """What is live, by channel, state and whether it has a time of its own; only where there is any."""
        with self._read() as connection:
            return tuple(value(Backlog, row) for row in connection.execute(_BACKLOG).mappings())
