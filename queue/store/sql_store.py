"""The queue in an SQL database, SQLite or PostgreSQL.

`threadcast.queue.port.Store` is its specification.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from threadcast.queue.compose.compose import Post
from threadcast.queue.port import (
    ANY,
    Added,
    AuditEvent,
    ChannelRow,
    ChannelSeen,
    Claim,
    Delivery,
    NewDelivery,
    NewThread,
    NotFoundError,
    Opening,
    PostRecord,
    StoredThread,
    StoreError,
    Waiting,
)
from threadcast.queue.states import (
    Change,
    DeliveryState,
    Event,
    Sent,
)
from threadcast.queue.store import adding, claiming, learning, migrate, owning, publishing, stopping
from threadcast.queue.store.database import (
    explained,
    is_sqlite,
    make_engine,
    normalise_url,
    parse_url,
    writing,
)
from threadcast.queue.store.notebook import SqlNotebook
from threadcast.queue.store.rescue import rescue
from threadcast.queue.store.rows import (
    DELIVERY,
    NEWEST_FIRST,
    QUEUE_ORDER,
    channel_of,
    delivery_of,
    event_of,
    stored_thread_of,
    thread_of,
)
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, EVENTS, THREADS
from threadcast.queue.store.statements import (
    NO_LEASE,
    held,
    hold,
    in_state,
    log,
    read_delivery,
    read_posts,
    read_posts_of,
)
from threadcast.queue.store.steps import Steps
from threadcast.queue.store.turns import turns
from threadcast.queue.text.thread import Thread

__all__ = ["SqlStore", "is_sqlite", "normalise_url", "open_store"]


def open_store(url: str, *, create: bool = True) -> "SqlStore":
    """Open the queue at an SQLAlchemy URL, `sqlite:///FILE` or `postgresql://…`.

    `create` makes an SQLite file that is not there yet, with its tables. A database without tables,
    or with tables of another version, is left alone. Raises StoreError.
    """
    parsed = parse_url(url)
    if create and parsed.drivername == "sqlite" and not Path(parsed.database or "").exists():
        migrate.upgrade(url)
    migrate.look_first(parsed)
    engine = make_engine(url, create=False)
    try:
        with explained(parsed), engine.begin() as connection:
            migrate.require_head(connection, parsed)
    except StoreError:
        engine.dispose()
        raise
    return SqlStore(engine)


class SqlStore:
    """A queue in tables of the current version. May be used from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._reader = engine
        self._writer = writing(engine)
        self._turn = turns(engine.url)
        self._steps = Steps(engine, self._turn)

    def close(self) -> None:
        self._steps.close()
        self._reader.dispose()

    def notebook(self) -> SqlNotebook:
        """The notebook in this database. It is closed with the store."""
        return SqlNotebook(self._read, self._write)

    def rescue(self) -> tuple[Path, Path]:
        """Save what an SQLite file held that was taken away; gives where it is now, and its old place.

        Works while this store is open. Raises StoreError.
        """
        return rescue(self._reader)

    def see_channels(self, channels: Sequence[ChannelSeen], *, now: datetime) -> None:
        rows = [
            asdict(seen) | {"paused": False, "last_slot": now, "first_seen": now, "last_seen": now}
            for seen in sorted(channels, key=lambda seen: seen.name)  # so that two callers cannot deadlock
        ]
        if not rows:
            return
        with self._write() as connection:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            seen = dialect.insert(CHANNELS)
            fresh: dict[str, Any] = {
                name: seen.excluded[name] for name in ("kind", "target", "schedule", "last_seen")
            }
            kept = or_(
                CHANNELS.c.schedule == seen.excluded.schedule,
                CHANNELS.c.last_slot > seen.excluded.last_slot,  # the clock was set back
            )
            same_place = CHANNELS.c.target == seen.excluded.target
            for learned in ("rate", "moved"):
                fresh[learned] = case((same_place, CHANNELS.c[learned]), else_=None)
            fresh["last_slot"] = case((kept, CHANNELS.c.last_slot), else_=seen.excluded.last_slot)
            connection.execute(seen.on_conflict_do_update(index_elements=["name"], set_=fresh), rows)

    def channels(self) -> tuple[ChannelRow, ...]:
        with self._read() as connection:
            rows = connection.execute(select(CHANNELS).order_by(CHANNELS.c.name))
            return tuple(channel_of(row) for row in rows)

    def add(
        self,
        threads: Sequence[NewThread],
        *,
        now: datetime,
        actor: str,
        again: bool = False,
        since: datetime | None = None,
    ) -> tuple[Added, ...]:
        with self._write() as connection:
            return adding.add(connection, threads, now=now, actor=actor, again=again, since=since)

    def add_to(
        self, thread_id: int, deliveries: Sequence[NewDelivery], *, now: datetime, actor: str
    ) -> Added:
        with self._write() as connection:
            return adding.add_to(connection, thread_id, deliveries, now=now, actor=actor)

    def claim(
        self, channel: str, *, worker: str, now: datetime, until: datetime, opening: Opening = ANY
    ) -> Claim | None:
        with self._write() as connection:
            try:
                taken = claiming.claim(
                    connection, channel, worker=worker, now=now, until=until, opening=opening
                )
            except IntegrityError:
                # Another worker began a delivery of this channel in the same moment: its turn, not ours.
                connection.get_transaction().rollback()  # type: ignore[union-attr]  # `_write` has begun it
                return None
            if taken is None:
                return None
            row = connection.execute(
                DELIVERY.add_columns(THREADS.c.content).where(DELIVERIES.c.id == taken)
            ).one()
            claim = Claim(delivery_of(row), thread_of(row.content), read_posts(connection, taken), worker)
            log(connection, claim.delivery, Event.CLAIM, actor=worker, now=now)
            return claim

    def plan(self, claim: Claim, posts: Sequence[Post], *, now: datetime) -> tuple[PostRecord, ...]:
        with self._write() as connection:
            return publishing.plan(connection, claim, posts, now=now)

    def intend(
        self, claim: Claim, position: int, *, key: str, reply_to: str | None, now: datetime, until: datetime
    ) -> PostRecord:
        with self._write() as connection:
            return publishing.intend(
                connection, claim, position, key=key, reply_to=reply_to, now=now, until=until
            )

    def record(self, claim: Claim, position: int | None, change: Change, *, now: datetime) -> Delivery:
        with self._write() as connection:
            return publishing.record(connection, claim, position, change, now=now)

    def advance(
        self,
        claim: Claim,
        position: int,
        sent: Sent,
        *,
        key: str,
        now: datetime,
        until: datetime,
        almost: Callable[[], None] = lambda: None,
    ) -> None:
        self._steps.advance(claim, position, sent, key=key, now=now, until=until, almost=almost)

    def let_go(self, claim: Claim, *, now: datetime, due: datetime | None = None) -> None:
        with self._write() as connection:
            hold(connection, claim)
            connection.execute(held(claim).values(due=due or now, **NO_LEASE))

    def renew(self, claim: Claim, *, until: datetime) -> None:
        with self._write() as connection:
            hold(connection, claim)
            connection.execute(held(claim).values(lease_owner=claim.worker, lease_until=until))

    def free_leases(self, *, now: datetime) -> int:
        with self._write() as connection:
            ended = connection.execute(
                update(DELIVERIES)
                .where(in_state(DELIVERIES, DeliveryState.PUBLISHING), DELIVERIES.c.lease_until > now)
                .values(NO_LEASE)
            )
            return ended.rowcount

    def waiting(self, channel: str) -> Waiting:
        with self._read() as connection:
            return claiming.look(connection, channel)

    def apply(
        self, delivery_id: int, event: Event, *, now: datetime, actor: str, due: datetime | None = None
    ) -> Delivery:
        with self._write() as connection:
            return owning.apply(connection, delivery_id, event, now=now, actor=actor, due=due)

    def pause(self, channel: str, paused: bool, *, now: datetime, actor: str) -> ChannelRow:
        with self._write() as connection:
            return owning.pause(connection, channel, paused, now=now, actor=actor)

    def move(self, delivery_id: int, after: int | None, *, now: datetime, actor: str) -> Delivery:
        with self._write() as connection:
            return owning.move(connection, delivery_id, after, now=now, actor=actor)

    def edit(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        with self._write() as connection:
            return owning.edit(connection, thread_id, thread, now=now, actor=actor)

    def extend(self, thread_id: int, thread: Thread, *, now: datetime, actor: str) -> tuple[Delivery, ...]:
        with self._write() as connection:
            return owning.extend(connection, thread_id, thread, now=now, actor=actor)

    def remove(self, thread_id: int, *, now: datetime, actor: str) -> None:
        with self._write() as connection:
            owning.remove(connection, thread_id, now=now, actor=actor)

    def settle(self, delivery_id: int, sent: Sent | None, *, now: datetime, actor: str) -> Delivery:
        with self._write() as connection:
            return owning.settle(connection, delivery_id, sent, now=now, actor=actor)

    def skip(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        with self._write() as connection:
            return stopping.skip(connection, delivery_id, now=now, actor=actor)

    def withdraw(self, delivery_id: int, *, now: datetime, actor: str) -> Delivery:
        with self._write() as connection:
            return stopping.withdraw(connection, delivery_id, now=now, actor=actor)

    def note_gone(self, delivery_id: int, position: int, *, now: datetime, actor: str) -> None:
        with self._write() as connection:
            stopping.note_gone(connection, delivery_id, position, now=now, actor=actor)

    def landmark(self, channel: str) -> PostRecord | None:
        with self._read() as connection:
            return learning.landmark(connection, channel)

    def sent_since(self, channel: str, moment: datetime) -> int:
        with self._read() as connection:
            return learning.sent_since(connection, channel, moment)

    def note_rate(self, channel: str, rate: float) -> None:
        with self._write() as connection:
            learning.note_rate(connection, channel, rate)

    def note_moved(self, channel: str, moved: str, *, now: datetime, actor: str) -> None:
        with self._write() as connection:
            learning.note_moved(connection, channel, moved, now=now, actor=actor)

    def thread(self, thread_id: int) -> StoredThread:
        with self._read() as connection:
            row = connection.execute(select(THREADS).where(THREADS.c.id == thread_id)).one_or_none()
        if row is None:
            raise NotFoundError(f"there is no thread {thread_id}; see: threadcast queue")
        return stored_thread_of(row)

    def delivery(self, delivery_id: int) -> Delivery:
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
        with self._read() as connection:
            return read_posts(connection, delivery_id)

    def posts_of(self, delivery_ids: Sequence[int]) -> dict[int, tuple[PostRecord, ...]]:
        with self._read() as connection:
            return read_posts_of(connection, delivery_ids)

    def events(
        self, *, thread_id: int | None = None, limit: int | None = None, after: int | None = None
    ) -> tuple[AuditEvent, ...]:
        query = select(EVENTS).order_by(EVENTS.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(EVENTS.c.id > after)
        if thread_id is not None:
            query = query.where(EVENTS.c.thread_id == thread_id)
        with self._read() as connection:
            return tuple(event_of(row) for row in reversed(connection.execute(query).all()))

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        with explained(self._reader.url), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with self._turn(), explained(self._writer.url), self._writer.begin() as connection:
            yield connection
