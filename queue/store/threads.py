"""Threads in the queue: added, changed, forgotten."""

from collections.abc import Sequence
from datetime import datetime

from threadcast.queue.model import (
    Added,
    Delivery,
    NewDelivery,
    NewThread,
)
from threadcast.queue.store import adding, owning
from threadcast.queue.store.transactions import Transactions
from threadcast.queue.text.thread import Thread


class Threads:
    """Threads in the queue: added, changed, forgotten.

    All times are aware UTC datetimes given by the caller. Each method is one transaction, and may be called
    from several threads. What it raises beside the errors named is StoreError.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._read, self._write = transactions.read, transactions.write

    def add(
        self,
        threads: Sequence[NewThread],
        *,
        now: datetime,
        actor: str,
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Added, ...]:
        """Add all threads or, on any error, none; one `Added` for each, in order.

        A wish whose fingerprint has a live delivery on its channel is a duplicate; so is, unless
        `again`, one whose fingerprint was published there (state `published`); so is, with `since`,
        one whose fingerprint was added there at `since` or later, whatever became of it: for a
        caller who may have died after this very wish was taken. The database itself
        guards the first rule against two callers at once. A wish that repeats an earlier one of the
        same call is a duplicate of that. A thread none of whose wishes is taken is not stored.
        Deliveries queue up behind all others of their channel (`rank`), in the order given. Each
        delivery taken gives an `add` event. An adoption leaves at least one part to send. Numbers of
        threads and deliveries are never given twice, not even those of removed ones.
        """
        with self._write() as connection:
            return adding.add(connection, threads, now=now, actor=actor, again=again, since=since)

    def add_to(
        self, thread_id: int, deliveries: Sequence[NewDelivery], *, now: datetime, actor: str
    ) -> Added:
        """Queue a stored thread on more channels, by the rules of `add`.

        `thread_id` of the answer is the thread's, None where every wish was a duplicate. Raises
        NotFoundError, and NotAllowedError where a delivery of the thread was meant for one of these
        channels already, whatever became of it.
        """
        with self._write() as connection:
            return adding.add_to(connection, thread_id, deliveries, now=now, actor=actor)

    def edit(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        """Replace a thread's text.

        Gives an `edit` event for each delivery. Raises NotFoundError, and NotAllowedError where a delivery
        of it has posts or is `publishing`, the new text is live on one of its channels already, or has no
        more parts than an adopted chain has out.
        """
        with self._write() as connection:
            return owning.edit(connection, thread_id, thread, now=now, actor=actor)

    def extend(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        """Replace a thread by one that has its parts and more.

        `published` deliveries are `queued` again (`continue`, at once: `own_time`, `due` now), `held` and
        `queued` ones are just longer. Each of these gives a `continue` event.

        Raises NotFoundError, and NotAllowedError where a delivery is `publishing`, `unsure` or `failed`, or
        has posts still to be sent (let it end first), where none is left to continue, where the new
        thread has no more parts than the old, or is live on one of its channels already.
        """
        with self._write() as connection:
            return owning.extend(connection, thread_id, thread, now=now, actor=actor)

    def remove(self, thread_id: int, *, now: datetime, actor: str) -> None:
        """Forget a thread of which nothing was ever sent. Its events stay, with one more, `remove`.

        Raises NotFoundError, and NotAllowedError where a post of it is out, or may be.
        """
        with self._write() as connection:
            owning.remove(connection, thread_id, now=now, actor=actor)
