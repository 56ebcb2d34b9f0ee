"""All of a queue as plain data that JSON can hold, and back into a queue that is empty.

Nothing is ever sent twice by it: what was out is out, and what would have gone on by itself is held.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, text, update

from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.store.rows import FREE_PLACES, note, take_turns
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, EVENTS, POSTS, THREADS
from threadcast.queue.store.transactions import Transactions
from threadcast.queue.store.transfer.plain import Row, plain, refused, row_of

TABLES: Final = (CHANNELS, THREADS, DELIVERIES, POSTS, EVENTS)  # each after those that its rows name
NUMBERED: Final = (THREADS, DELIVERIES)

GOES_ON: Final = frozenset({DeliveryState.QUEUED, DeliveryState.PUBLISHING})
CAME: Final = Sentence("it came from an export, and nobody has said here yet that it may go on")

Everything = Mapping[str, list[Row]]


class Transfer:
    """Reads all there is, as it is at one moment; writes it whole, or nothing. Raises StoreError."""

    def __init__(self, transactions: Transactions) -> None:
        self._read = transactions.read
        self._write = transactions.write

    def read(self) -> Everything:
        """Return the rows of every table but the notes, by the table's name, in the order of their keys."""
        with self._read() as connection:
            return {
                table.name: [
                    {column.name: plain(column, row[column.name]) for column in table.columns}
                    for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()
                ]
                for table in TABLES
            }

    def write(self, everything: Everything, *, now: datetime, actor: str) -> int:
        """Put rows into a queue that has no thread, with their numbers; return how many are held now.

        Raises BackupError where they are not such rows, StoreError where there are threads already.
        """
        rows = {
            table.name: [row_of(table, one) for one in everything.get(table.name, ())] for table in TABLES
        }
        held = _fit(rows)
        with self._write() as connection:
            take_turns(connection, FREE_PLACES)
            if connection.scalar(select(func.count()).select_from(THREADS)):
                raise StoreError(Fault.NOT_EMPTY)
            known = set(connection.scalars(select(CHANNELS.c.name)))
            for row in rows[CHANNELS.name]:
                if row["name"] in known:
                    learned = {"paused": row["paused"], "last_slot": row["last_slot"]}
                    connection.execute(update(CHANNELS).where(CHANNELS.c.name == row["name"]), learned)
            rows[CHANNELS.name] = [one for one in rows[CHANNELS.name] if one["name"] not in known]
            for table in TABLES:
                if rows[table.name]:
                    connection.execute(insert(table), rows[table.name])
            for table, column in zip(NUMBERED, (EVENTS.c.thread_id, EVENTS.c.delivery_id), strict=True):
                used = (connection.scalar(select(func.max(one))) for one in (table.c.id, column))
                _go_on_from(connection, table.name, max(one or 0 for one in used))
            note(connection, "import", actor=actor, now=now, detail=f"{len(rows[THREADS.name])}")
        return held


def _go_on_from(connection: Any, table: str, last: int) -> None:
    """Give no number again, not even that of a thread that was removed."""
    if connection.dialect.name == "postgresql":
        sequence = select(func.setval(func.pg_get_serial_sequence(table, "id"), max(last, 1), last > 0))
        connection.execute(sequence)
        return
    about = {"name": table, "seq": last}
    if not connection.execute(
        text("UPDATE sqlite_sequence SET seq = max(seq, :seq) WHERE name = :name"), about
    ).rowcount:
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), about)


def _fit(rows: dict[str, list[Row]]) -> int:
    """Make rows what they are in a queue that nobody works on yet; how many deliveries are held now."""
    threads = {one["id"]: one for one in rows[THREADS.name]}
    posts: dict[int, list[Row]] = {}
    for one in rows[POSTS.name]:
        posts.setdefault(one["delivery_id"], []).append(one)
    held = 0
    for one in rows[DELIVERIES.name]:
        if one["thread_id"] not in threads:
            raise refused(DELIVERIES.name, f"there is no thread {one['thread_id']}")
        mine = posts.get(one["id"], [])
        one |= {"fingerprint": threads[one["thread_id"]]["fingerprint"], "lease_owner": None}
        one |= {"lease_until": None, "posts": len(mine)}
        one["sent"] = sum(each["state"] is PostState.SENT for each in mine)
        if one["state"] in GOES_ON:
            one |= {"state": DeliveryState.HELD, "reason": CAME}
            held += 1
    for event in rows[EVENTS.name]:
        del event["id"]  # the queue has events of its own
    return held
