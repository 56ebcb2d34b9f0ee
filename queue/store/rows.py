"""From values to rows and back."""

from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Row, Select, case, func, select

from threadcast.queue.compose.compose import Post
from threadcast.queue.model import (
    Adoption,
    AuditEvent,
    ChannelRow,
    Delivery,
    NewDelivery,
    PostRecord,
    StoredThread,
)
from threadcast.queue.states import Code, DeliveryState, PostState, Sent
from threadcast.queue.store.schema import DELIVERIES, THREADS
from threadcast.queue.text.thread import Thread

_THREAD = TypeAdapter(Thread)

DELIVERY: Select[Any] = select(
    DELIVERIES.c.id,
    DELIVERIES.c.thread_id,
    DELIVERIES.c.channel,
    DELIVERIES.c.state,
    DELIVERIES.c.reason,
    DELIVERIES.c.code,
    DELIVERIES.c.rank,
    DELIVERIES.c.due,
    DELIVERIES.c.created,
    DELIVERIES.c.started,
    DELIVERIES.c.finished,
    DELIVERIES.c.lease_owner,
    DELIVERIES.c.lease_until,
    DELIVERIES.c.fence,
    DELIVERIES.c.posts,
    DELIVERIES.c.sent,
    DELIVERIES.c.own_time,
    DELIVERIES.c.queued,
    DELIVERIES.c.adopted_parts,
    DELIVERIES.c.adopted_id,
    DELIVERIES.c.adopted_url,
    THREADS.c.title,
    THREADS.c.parts,
).join_from(DELIVERIES, THREADS, THREADS.c.id == DELIVERIES.c.thread_id)

QUEUE_ORDER = (
    DELIVERIES.c.channel,
    case((DELIVERIES.c.state == DeliveryState.PUBLISHING, 0), else_=1),
    DELIVERIES.c.rank,
    DELIVERIES.c.id,
)
NEWEST_FIRST = (func.coalesce(DELIVERIES.c.finished, DELIVERIES.c.created).desc(), DELIVERIES.c.id.desc())


def delivery_of(row: Row[Any]) -> Delivery:
    """A row of `DELIVERY`, other columns aside."""
    adoption = None
    if row.adopted_parts is not None:
        adoption = Adoption(row.adopted_parts, Sent(row.adopted_id, row.adopted_url))
    return Delivery(
        id=row.id,
        thread_id=row.thread_id,
        channel=row.channel,
        state=DeliveryState(row.state),
        reason=row.reason,
        rank=row.rank,
        due=row.due,
        created=row.created,
        started=row.started,
        finished=row.finished,
        lease_owner=row.lease_owner,
        lease_until=row.lease_until,
        fence=row.fence,
        posts=row.posts,
        sent=row.sent,
        title=row.title,
        own_time=row.own_time,
        queued=row.queued,
        parts=row.parts,
        adoption=adoption,
        code=Code(row.code),
    )


def post_of(row: Row[Any]) -> PostRecord:
    """A whole row of posts."""
    return PostRecord(
        position=row.position,
        post=Post(part=row.part, label=row.label, text=row.text, length=row.length),
        state=PostState(row.state),
        key=row.key,
        reply_to=row.reply_to,
        remote_id=row.remote_id,
        url=row.url,
        tries=row.tries,
        intended=row.intended,
        finished=row.finished,
        reason=row.reason,
        doubted=row.doubted,
        misses=row.misses,
        taken_down=row.taken_down,
    )


def thread_of(content: str) -> Thread:
    """A thread from its stored JSON."""
    return _THREAD.validate_json(content)


def stored_thread_of(row: Row[Any]) -> StoredThread:
    """A whole row of threads."""
    return StoredThread(id=row.id, thread=thread_of(row.content), source=row.source, created=row.created)


def event_of(row: Row[Any]) -> AuditEvent:
    """A whole row of events."""
    return AuditEvent(**row._asdict())


def channel_of(row: Row[Any]) -> ChannelRow:
    """A whole row of channels."""
    return ChannelRow(**row._asdict())


def content_row(thread: Thread) -> dict[str, Any]:
    """What is stored of a thread's text, again and again where its owner changes it."""
    return {
        "fingerprint": thread.fingerprint,
        "title": thread.title,
        "parts": len(thread.parts),
        "content": _THREAD.dump_json(thread).decode(),
    }


def thread_row(thread: Thread, source: str, *, now: datetime) -> dict[str, Any]:
    """A new thread as it is stored."""
    return content_row(thread) | {"source": source, "created": now}


def delivery_row(
    wish: NewDelivery, *, thread_id: int, fingerprint: str, rank: int, now: datetime
) -> dict[str, Any]:
    """A new delivery as it is stored."""
    adoption = wish.adoption
    return {
        "thread_id": thread_id,
        "fingerprint": fingerprint,
        "channel": wish.channel,
        "state": wish.state.value,
        "reason": wish.reason,
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


def post_row(post: Post, *, delivery_id: int, position: int) -> dict[str, Any]:
    """A planned post as it is stored."""
    return {
        "delivery_id": delivery_id,
        "position": position,
        "part": post.part,
        "label": post.label,
        "text": post.text,
        "length": post.length,
        "state": PostState.PLANNED.value,
        "remote_id": None,
        "url": None,
        "tries": 0,
        "reason": "",
    }


def adopt(rows: list[dict[str, Any]], adoption: Adoption) -> int:
    """Make the rows of the parts that are out `sent`, the last with its id; how many these are."""
    out = [row for row in rows if row["part"] <= adoption.parts]
    for row in out:
        row["state"] = PostState.SENT.value
    if out:
        out[-1] |= {"remote_id": adoption.last.remote_id, "url": adoption.last.url}
    return len(out)
