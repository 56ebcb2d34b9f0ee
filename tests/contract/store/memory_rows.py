"""The rows of the queue in memory: what every method of the memory store reads and writes."""

import threading
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

from tests.contract.store.memory_notebook import MemoryNotebook
from threadcast.queue.port import (
    AuditEvent,
    ChannelRow,
    Delivery,
    NotFoundError,
    PostRecord,
    StoredThread,
    StoreError,
)
from threadcast.queue.states import LIVE, DeliveryState, PostState, Sent

STEP = 1 << 20  # between two ranks, as in the SQL stores: both give the same


class MemoryRows:
    """Rows are frozen values in dictionaries; one lock makes each method a transaction."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._notebook = MemoryNotebook()
        self._threads: dict[int, StoredThread] = {}
        self._deliveries: dict[int, Delivery] = {}
        self._posts: dict[int, tuple[PostRecord, ...]] = defaultdict(tuple)
        self._channels: dict[str, ChannelRow] = {}
        self._events: list[AuditEvent] = []
        self._last_thread = 0
        self._last_delivery = 0

    def _on(self, channel: str) -> list[Delivery]:
        rows = (row for row in self._deliveries.values() if row.channel == channel)
        return sorted(rows, key=lambda row: (row.rank, row.id))

    def _of(self, thread_id: int) -> list[Delivery]:
        if thread_id not in self._threads:
            raise NotFoundError(f"there is no thread {thread_id}; see: threadcast queue")
        rows = (row for row in self._deliveries.values() if row.thread_id == thread_id)
        return sorted(rows, key=lambda row: row.id)

    def _known(
        self, states: frozenset[DeliveryState] = LIVE, *, since: datetime | None = None
    ) -> dict[tuple[str, str], Delivery]:
        """By channel and fingerprint: a live delivery, else a published one, else any made since then."""
        known = {}
        order = {**dict.fromkeys(LIVE, 2), DeliveryState.PUBLISHED: 1}
        for row in sorted(self._deliveries.values(), key=lambda row: (order.get(row.state, 0), row.id)):
            if row.state in states or (since is not None and row.created >= since):
                known[row.channel, self._threads[row.thread_id].thread.fingerprint] = row
        return known

    def _find(self, delivery_id: int) -> Delivery:
        if delivery_id not in self._deliveries:
            raise NotFoundError(f"there is no delivery {delivery_id}")
        return self._deliveries[delivery_id]

    def _post(self, delivery: Delivery, position: int, *states: PostState) -> PostRecord:
        for record in self._posts[delivery.id]:
            if record.position == position and record.state in states:
                return record
        raise StoreError(f"post {position} is not {' or '.join(states)}")

    def _put(self, delivery: Delivery) -> Delivery:
        self._deliveries[delivery.id] = delivery
        return delivery

    def _put_post(self, delivery: Delivery, record: PostRecord) -> PostRecord:
        posts = self._posts[delivery.id]
        self._posts[delivery.id] = (*posts[: record.position - 1], record, *posts[record.position :])
        return record

    def _log(self, delivery: Delivery, what: str, *, actor: str, now: datetime, detail: str = "") -> None:
        about = (delivery.thread_id, delivery.id, delivery.channel)
        self._note(what, about, actor=actor, now=now, detail=detail)

    def _note(
        self,
        what: str,
        about: tuple[int | None, int | None, str],
        *,
        actor: str,
        now: datetime,
        detail: str = "",
    ) -> None:
        self._events.append(AuditEvent(len(self._events) + 1, now, actor, str(what), *about, detail))


def utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise StoreError("a time without a zone")
    return moment.astimezone(UTC)


def with_place(record: PostRecord, sent: Sent | None, *, now: datetime | None) -> PostRecord:
    if sent is None:
        return record
    return replace(record, remote_id=sent.remote_id, url=sent.url, finished=now)
