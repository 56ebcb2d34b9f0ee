"""From rows to values and back, column by name; what is read and written in several places."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib import import_module
from typing import Any, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    Table,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError

from threadcast.queue.compose.elsewhere import Elsewhere
from threadcast.queue.compose.rules import Post
from threadcast.queue.errors import Fault, LeaseLostError, NotAllowedError, NotFoundError, StoreError
from threadcast.queue.model import Adoption, Claim, Delivery, Intent, PostRecord, StoredThread
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import LIVE, Change, DeliveryState, Event, PostState, request, written
from threadcast.queue.store.schema import CHANNELS, DELIVERIES, EVENTS, POSTS, THREADS
from threadcast.queue.text.thread import Thread

_Value = TypeVar("_Value")


@cache
def threads() -> TypeAdapter[Thread]:
    """Return what reads and writes a thread as JSON. Made when it is first needed: lists do without."""
    return TypeAdapter(Thread)


_CHUNK = 500  # values in one IN (…)

FREE_PLACES = "places in a queue"  # what one transaction finds free stays free until it commits

DELIVERY: Select[Any] = select(DELIVERIES, THREADS.c.title, THREADS.c.parts, THREADS.c.files).join_from(
    DELIVERIES, THREADS, THREADS.c.id == DELIVERIES.c.thread_id
)

# What is done for each post is built once: building takes longer than the rest of it.
_ONE = DELIVERY.where(DELIVERIES.c.id == bindparam("one"))
_ONE_LOCKED = _ONE.with_for_update(of=DELIVERIES)
_SAME = update(DELIVERIES).where(
    DELIVERIES.c.id == bindparam("same_id"),
    DELIVERIES.c.fence == bindparam("same_fence"),
    DELIVERIES.c.state == bindparam("same_state"),
)
_POST = update(POSTS).where(
    POSTS.c.delivery_id == bindparam("of_delivery"), POSTS.c.position == bindparam("at_position")
)
# Not IN, whose list is put into the statement each time.
_IN_DOUBT = or_(POSTS.c.state == PostState.SENDING, POSTS.c.state == PostState.UNKNOWN)
_BEING_SENT = _POST.where(_IN_DOUBT)
_NOT_SENT = _POST.where(or_(_IN_DOUBT, POSTS.c.state == PostState.PLANNED))
_EVENT = insert(EVENTS)
_THREAD_ROW = select(THREADS).where(THREADS.c.id == bindparam("one"))
_INTENDED = (
    _POST.where(POSTS.c.state == PostState.PLANNED)
    .values(
        state=PostState.SENDING,
        tries=POSTS.c.tries + 1,
        key=func.coalesce(POSTS.c.key, bindparam("new_key")),
        reply_to=bindparam("parent"),
        intended=bindparam("at"),
    )
    .returning(*POSTS.c)
)


def value(kind: type[_Value], row: RowMapping, **more: object) -> _Value:
    """A value whose fields are the row's columns of the same names, or given."""
    return kind(**{name: row[name] for name in kind.__match_args__ if name not in more}, **more)  # type: ignore[attr-defined]  # every dataclass has it


def delivery_of(row: RowMapping) -> Delivery:
    """A row of `DELIVERY`, other columns aside."""
    parts = row["adopted_parts"]
    adoption = None if parts is None else Adoption(parts, Sent(row["adopted_id"], row["adopted_url"]))
    return value(Delivery, row, adoption=adoption)


def post_of(row: RowMapping) -> PostRecord:
    return value(PostRecord, row, post=value(Post, row))


def thread_of(row: RowMapping) -> StoredThread:
    return value(StoredThread, row, thread=threads().validate_json(row["content"]))


def content_row(thread: Thread) -> dict[str, Any]:
    """What is stored of a thread's text, again and again where its owner changes it."""
    return {
        "fingerprint": thread.fingerprint,
        "title": thread.title,
        "parts": len(thread.parts),
        "content": threads().dump_json(thread).decode(),
        "files": tuple(dict.fromkeys(one.file.digest for one in thread.media if one.file)),
    }


def post_row(post: Post, *, delivery_id: int, position: int) -> dict[str, Any]:
    """A planned post as it is stored."""
    values = {field.name: getattr(post, field.name) for field in fields(post)}
    place = {"delivery_id": delivery_id, "position": position, "state": PostState.PLANNED}
    return values | place | {"remote_id": None, "url": None, "tries": 0, "reason": ""}


def adopt(rows: list[dict[str, Any]], adoption: Adoption) -> int:
    """Make the rows of the parts that are out `sent`, the last with its id; how many these are."""
    out = [row for row in rows if row["part"] <= adoption.parts]
    for row in out:
        row["state"] = PostState.SENT
    if out:
        out[-1] |= {"remote_id": adoption.last.remote_id, "url": adoption.last.url}
    return len(out)


def post_at(delivery: Delivery, position: int) -> tuple[ColumnElement[bool], ...]:
    """One post of a delivery."""
    return POSTS.c.delivery_id == delivery.id, POSTS.c.position == position


def _place(delivery: Delivery, position: int) -> dict[str, Any]:
    """One post of a delivery, for a statement that was built before."""
    return {"of_delivery": delivery.id, "at_position": position}


def intend(
    connection: Connection,
    delivery: Delivery,
    position: int,
    intent: Intent,
    reply_to: str | None,
    now: datetime,
) -> PostRecord:
    """Make the next post of a chain `sending`; return it. Raises StoreError where it is not `planned`."""
    values = {"new_key": intent.key, "parent": reply_to, "at": now}
    row = connection.execute(_INTENDED, _place(delivery, position) | values).mappings().one_or_none()
    if row is None:
        raise StoreError(Fault.NOT_PLANNED, position=position, **which(delivery))
    if position != delivery.sent + 1:
        raise not_next(delivery, position)
    return post_of(row)


def not_next(delivery: Delivery, position: int) -> StoreError:
    """Return what is raised for a post whose turn it is not."""
    return StoreError(Fault.NOT_NEXT, position=position, **which(delivery))


def record_post(
    connection: Connection, delivery: Delivery, position: int, change: Change, now: datetime
) -> None:
    """Write what came of a send of a post. Raises StoreError where it was not being sent."""
    values: dict[str, Any] = {"state": change.post, "reason": change.reason, "misses": change.misses}
    here = _NOT_SENT  # what went wrong before the call
    if change.post is PostState.UNKNOWN:
        here = here.values(doubted=func.coalesce(POSTS.c.doubted, POSTS.c.intended))
    if change.sent is not None:
        here, sent = _BEING_SENT, change.sent
        values |= {"remote_id": sent.remote_id, "url": sent.url, "album": sent.album, "finished": now}
        if sent.uploads:
            values["uploads"] = sent.uploads
    if not connection.execute(here, _place(delivery, position) | values).rowcount:
        raise StoreError(Fault.NOT_SENDING, position=position, **which(delivery))


def read_delivery(connection: Connection, delivery_id: int, *, lock: bool = False) -> Delivery:
    """One delivery; `lock` keeps others from changing it in this transaction. Raises NotFoundError."""
    found = _find(connection, delivery_id, lock=lock)
    if found is None:
        raise NotFoundError(Fault.NO_DELIVERY, delivery_id=delivery_id)
    return found


def _find(connection: Connection, delivery_id: int, *, lock: bool) -> Delivery | None:
    row = connection.execute(_ONE_LOCKED if lock else _ONE, {"one": delivery_id}).mappings().one_or_none()
    return None if row is None else delivery_of(row)


def read_deliveries(connection: Connection, ids: Sequence[int], *, lock: bool = False) -> dict[int, Delivery]:
    """Deliveries by their ids; locked in the order of those, so that two callers cannot deadlock."""
    found: dict[int, Delivery] = {}
    for chunk in chunks(sorted(ids)):
        query = DELIVERY.where(DELIVERIES.c.id.in_(chunk))
        if len(chunk) > 1:
            query = query.order_by(DELIVERIES.c.id)
        if lock:
            query = query.with_for_update(of=DELIVERIES)
        found.update((row["id"], delivery_of(row)) for row in connection.execute(query).mappings())
    return found


def read_thread(connection: Connection, thread_id: int) -> StoredThread:
    """One thread. Raises NotFoundError."""
    row = connection.execute(_THREAD_ROW, {"one": thread_id}).mappings().one_or_none()
    if row is None:
        raise NotFoundError(Fault.NO_THREAD, thread_id=thread_id)
    return thread_of(row)


def read_posts(connection: Connection, *ids: int) -> dict[int, tuple[PostRecord, ...]]:
    """The posts of each of these deliveries, by position."""
    found: dict[int, list[PostRecord]] = {one: [] for one in ids}
    for chunk in chunks(list(found)):
        query = select(POSTS).where(POSTS.c.delivery_id.in_(chunk)).order_by(POSTS.c.position)
        for row in connection.execute(query).mappings():
            found[row["delivery_id"]].append(post_of(row))
    return {one: tuple(posts) for one, posts in found.items()}


def held(connection: Connection, claim: Claim) -> Delivery:
    """The claimed delivery as it is now, locked for this transaction. Raises LeaseLostError."""
    found = _find(connection, claim.delivery.id, lock=True)
    if found is None or found.fence != claim.delivery.fence or found.state is not DeliveryState.PUBLISHING:
        raise LeaseLostError(Fault.LEASE_LOST, worker=claim.worker, **which(claim.delivery))
    return found


def transition(
    connection: Connection, before: Delivery, change: Change, *, now: datetime, **more: Any
) -> Delivery:
    """Write what a change makes of a delivery that this transaction has locked; `more`: other columns.

    Nothing else writes a delivery's state. Where a chain is whole now, others of its thread may have to say
    so. Raises NotAllowedError, and LeaseLostError where the delivery is not as it was.
    """
    after = put(connection, before, **{**written(before.state, change, now), **more})
    if after.state is DeliveryState.PUBLISHED:
        point(connection, after, now)
    return after


def elsewhere(connection: Connection, delivery: Delivery) -> Elsewhere | None:
    """Where else the thread of a delivery is, as its channel is to say; None where it says nothing."""
    here, there = CHANNELS.alias("here"), CHANNELS.alias("there")
    row = connection.execute(
        select(DELIVERIES.c.id, DELIVERIES.c.state, there.c.kind)
        .join(here, here.c.also == DELIVERIES.c.channel)
        .join(there, there.c.name == DELIVERIES.c.channel)
        .where(DELIVERIES.c.thread_id == delivery.thread_id, here.c.name == delivery.channel)
    ).one_or_none()
    if row is None:
        return None
    first = next((post for post in read_posts(connection, row.id)[row.id] if post.url), None)
    if first is None:
        return None
    gone = row.state is DeliveryState.WITHDRAWN and first.taken_down is not None
    is_out = True if row.state is DeliveryState.PUBLISHED else False if gone else None
    return Elsewhere.at(row.kind, first.url, is_out=is_out)


def point(connection: Connection, delivery: Delivery, now: datetime) -> None:
    """Queue those chains of a thread that have to say where else it is, or no more, for their last post."""
    channel, thread = delivery.channel, delivery.thread_id
    names = select(CHANNELS.c.name).where(
        or_(CHANNELS.c.also == channel, (CHANNELS.c.name == channel) & (CHANNELS.c.also != ""))
    )
    if connection.execute(names.limit(1)).first() is None:
        return
    take_turns(connection, f"chains of thread {thread}")  # of two that end at once, the second sees both
    whole = DELIVERY.where(
        DELIVERIES.c.thread_id == thread,
        DELIVERIES.c.channel.in_(names),
        DELIVERIES.c.state == DeliveryState.PUBLISHED,
    ).with_for_update(of=DELIVERIES, skip_locked=True)  # whoever changes one looks here afterwards
    for one in [delivery_of(row) for row in connection.execute(whole).mappings().all()]:
        where, posts = elsewhere(connection, one), read_posts(connection, one.id)[one.id]
        if where is None or not where.is_due([post.post for post in posts]):
            continue
        with suppress(IntegrityError), connection.begin_nested():  # its text was added again, and is live
            put(connection, one, **written(one.state, request(one.state, Event.CORRECT, due=now), now))
            log(connection, one, Event.CORRECT, actor="service", now=now, detail=where.line)


def correct(connection: Connection, delivery: Delivery, posts: Mapping[int, PostRecord]) -> None:
    """Store what posts that are out are to say and show, by position: their edits are planned."""
    for position, record in posts.items():
        post = record.post
        values = {"text": post.text, "length": post.length, "media": post.media, "reason": ""}
        values["uploads"] = record.uploads
        here = update(POSTS).where(*post_at(delivery, position), POSTS.c.state == PostState.SENT)
        connection.execute(here.values(values | {"edit": PostState.PLANNED}))


def refuse_twins(connection: Connection, thread: Thread, mine: Iterable[Delivery]) -> None:
    """Raise NotAllowedError where another thread of the same text is live on one of these channels."""
    for delivery in mine:
        query = DELIVERY.where(
            DELIVERIES.c.channel == delivery.channel,
            DELIVERIES.c.fingerprint == thread.fingerprint,
            DELIVERIES.c.state.in_(sorted(LIVE)),
            DELIVERIES.c.id != delivery.id,
        )
        row = connection.execute(query).mappings().one_or_none()
        if row is not None:
            raise NotAllowedError(Fault.SAME_TEXT, **which(delivery_of(row)))


def put(connection: Connection, before: Delivery, **values: Any) -> Delivery:
    """Write what is no change of state: the lease, the place in the queue, when to go on.

    Return the delivery as it is then.
    """
    same = {"same_id": before.id, "same_fence": before.fence, "same_state": before.state}
    if not connection.execute(_SAME, same | values).rowcount:
        raise LeaseLostError(Fault.CHANGED, **which(before))
    return replace(before, **values)


def take_turns(connection: Connection, what: str) -> None:
    """From here on one transaction after the other, of those that name the same thing.

    SQLite's writers take turns anyway. https://www.postgresql.org/docs/current/explicit-locking.html
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(sha256(f"threadcast: {what}".encode()).digest()[:8], signed=True)
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": number})


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that can update the row that is there: each dialect has its own."""
    return import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Insert many rows; their ids, in order."""
    if not rows:
        return []
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


def chunks(values: Sequence[_Value]) -> Iterator[Sequence[_Value]]:
    """The values, as many at a time as one IN (…) shall hold."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def log(
    connection: Connection, delivery: Delivery, what: str, *, actor: str, now: datetime, detail: str = ""
) -> None:
    """Add a line about a delivery to the audit log."""
    about = {"thread_id": delivery.thread_id, "delivery_id": delivery.id, "channel": delivery.channel}
    note(connection, what, actor=actor, now=now, detail=detail, **about)


def note(
    connection: Connection, what: str, *, actor: str, now: datetime, detail: str = "", **about: Any
) -> None:
    values = {"at": now, "actor": actor, "what": what, "detail": detail, "channel": ""}
    connection.execute(_EVENT, values | about)


def which(delivery: Delivery) -> dict[str, object]:
    """What an error says of a delivery."""
    names = ("thread_id", "channel", "state", "posts", "sent")
    return {name: getattr(delivery, name) for name in names}
