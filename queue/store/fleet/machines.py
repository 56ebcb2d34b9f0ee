"""The machines that share a queue on PostgreSQL: who is heard of, who leads, whose turn it is.

All times are the database's: no machine's own clock counts. An SQLite file has one service; there nothing
of this is written.
"""

from datetime import datetime, timedelta

from sqlalchemy import (
    Interval,
    bindparam,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)

from threadcast.queue.model import Beat, Machine
from threadcast.queue.states import GOES_ON, DeliveryState
from threadcast.queue.store.engine import LONGEST_PAUSE
from threadcast.queue.store.migrate import VERSION_TABLE
from threadcast.queue.store.rows import upsert
from threadcast.queue.store.schema import DELIVERIES, EVENTS, LEADERS, MACHINES, SLOTS, UtcTime
from threadcast.queue.store.transactions import Transactions

_NOW = func.clock_timestamp(type_=UtcTime)


class Machines:
    """What machines know of one another. Each method is one transaction, and raises StoreError."""

    def __init__(self, transactions: Transactions) -> None:
        self._read, self._write = transactions.read, transactions.write

    def now(self) -> datetime:
        """The database's time."""
        with self._read() as connection:
            moment: datetime = connection.execute(select(_NOW)).scalar_one()
            return moment

    def join(self, name: str, version: str) -> None:
        """A machine begins to work. It is heard of from now on."""
        with self._write() as connection:
            connection.execute(insert(MACHINES).values(name=name, version=version, since=_NOW, heard=_NOW))

    def beat(self, name: str) -> Beat | None:
        """A machine is heard of; None where it was missed meanwhile, and holds nothing any more."""
        with self._write() as connection:
            row = connection.execute(_BEAT, {"who": name}).one_or_none()
            return None if row is None else Beat(*row)

    def leave(self, name: str) -> None:
        """A machine ends its work, and lets go of what it still holds."""
        with self._write() as connection:
            connection.execute(_FREE.where(DELIVERIES.c.lease_owner == name))
            connection.execute(delete(MACHINES).where(MACHINES.c.name == name))

    def miss(self, patience: timedelta) -> tuple[tuple[str, ...], int]:
        """Miss the machines that were not heard of for so long, and free what nobody holds any more.

        Gives their names, and how many leases of machines that are not there were ended. What they led is
        free, too. One that wakes up later finds its fence outdated as soon as somebody has claimed what it
        held.
        """
        silent = (
            delete(MACHINES)
            .where(MACHINES.c.heard < _NOW - literal(patience, Interval()))
            .returning(MACHINES.c.name)
        )
        with self._write() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '1s'"))  # the next beat tries again
            connection.execute(_END_SILENT)
            names = tuple(connection.scalars(silent))
            there = select(MACHINES.c.name)
            return names, connection.execute(_FREE.where(DELIVERIES.c.lease_owner.not_in(there))).rowcount

    def all(self) -> tuple[Machine, ...]:
        """Every machine that was heard of and not missed since, the oldest first."""
        working = (
            select(DELIVERIES.c.lease_owner, DELIVERIES.c.thread_id, DELIVERIES.c.channel)
            .where(DELIVERIES.c.lease_owner.is_not(None))
            .order_by(DELIVERIES.c.channel)
        )
        leading = select(LEADERS.c.machine, LEADERS.c.what).order_by(LEADERS.c.what)
        with self._read() as connection:
            works, leads = connection.execute(working).all(), connection.execute(leading).all()
            return tuple(
                Machine(
                    **row,
                    works_at=tuple((thread, channel) for who, thread, channel in works if who == row["name"]),
                    leads=tuple(what for who, what in leads if who == row["name"]),
                )
                for row in connection.execute(select(MACHINES).order_by(MACHINES.c.since)).mappings()
            )

    def waiting(self) -> tuple[str, ...]:
        """The channels on which something is queued or goes out, by name."""
        query = select(DELIVERIES.c.channel).distinct().where(DELIVERIES.c.state.in_(sorted(GOES_ON)))
        with self._read() as connection:
            return tuple(connection.scalars(query.order_by(DELIVERIES.c.channel)))

    def lead(self, what: str, name: str) -> bool:
        """Lead something that only one machine may do, if nobody does; whether this one leads now."""
        leader = select(LEADERS.c.machine).where(LEADERS.c.what == what)
        with self._write() as connection:
            if connection.scalar(leader) is None:
                taken = upsert(connection, LEADERS).values(what=what, machine=name)
                connection.execute(taken.on_conflict_do_nothing())
            return bool(connection.scalar(leader) == name)

    def take_slot(self, what: str, earliest: datetime, apart: timedelta) -> datetime:
        """Take the next free slot of what all share, not before `earliest`; the one after it is `apart`."""
        free = func.greatest(SLOTS.c.next, literal(earliest, UtcTime), type_=UtcTime)
        following_free = {"next": free + literal(apart, Interval())}
        with self._write() as connection:
            first = upsert(connection, SLOTS).values(what=what, next=earliest + apart)
            take = first.on_conflict_do_update(index_elements=["what"], set_=following_free)
            following: datetime = connection.execute(take.returning(SLOTS.c.next)).scalar_one()
            return following - apart


# One that was frozen between the statements that the driver sends as one keeps its locks: the server waits
# for the rest of them, however long, for its own limit counts from the end of a statement.
_END_SILENT = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"  # noqa: S608  # our own number
    " AND usename = current_user AND application_name = 'threadcast' AND state = 'idle in transaction'"
    f" AND state_change < clock_timestamp() - interval '{LONGEST_PAUSE} milliseconds'"
)
_FREE = (
    update(DELIVERIES)
    .where(DELIVERIES.c.state == literal_column(f"'{DeliveryState.PUBLISHING}'"))
    .values(lease_owner=None, lease_until=None)
)
_BEAT = (
    update(MACHINES)
    .where(MACHINES.c.name == bindparam("who"))
    .values(heard=_NOW)
    .returning(
        MACHINES.c.heard,
        select(func.coalesce(func.max(EVENTS.c.id), 0)).scalar_subquery(),
        select(text("version_num")).select_from(text(VERSION_TABLE)).scalar_subquery(),
    )
)
