"""Answers as dictionaries, for `--json`. Keys may be added, and are not taken away."""

from collections.abc import Sequence
from typing import Any

from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.publishing.takedown import Audit, Undoing
from threadcast.bot.requests.preview import Preview
from threadcast.bot.requests.queries import Chain, Dossier
from threadcast.bot.requests.threads import Receipt
from threadcast.queue.model import AuditEvent, ChannelRow, Delivery, PostRecord
from threadcast.queue.text.thread import Notice, Thread

Json = dict[str, Any]


def notice(one: Notice) -> Json:
    return {
        "severity": one.severity,
        "kind": one.kind,
        "line": one.line,
        "part": one.part,
        "message": one.message,
    }


def thread(one: Thread) -> Json:
    return {
        "parts": [{"number": part.number, "marker": part.marker, "text": part.text} for part in one.parts],
        "preamble": one.preamble,
        "complete": one.complete,
        "fingerprint": one.fingerprint,
        "notices": [notice(each) for each in one.notices],
    }


def delivery(one: Delivery) -> Json:
    return {
        "thread": one.thread_id,
        "channel": one.channel,
        "title": one.title,
        "state": one.state,
        "reason": one.reason,
        "due": one.due,
        "created": one.created,
        "started": one.started,
        "finished": one.finished,
        "sent": one.sent,
        "of": one.posts,
    }


def forecast(one: Forecast) -> Json:
    return delivery(one.delivery) | {"starts": one.start, "why": one.why, "ends": one.end}


def deliveries(many: Sequence[Delivery]) -> Json:
    return {"deliveries": [delivery(one) for one in many]}


def post(one: PostRecord) -> Json:
    return {
        "position": one.position,
        "part": one.post.part,
        "label": one.post.label,
        "text": one.post.text,
        "length": one.post.length,
        "state": one.state,
        "remote_id": one.remote_id,
        "url": one.url,
        "reply_to": one.reply_to,
        "tries": one.tries,
        "finished": one.finished,
        "taken_down": one.taken_down,
        "reason": one.reason,
    }


def chain(one: Chain) -> Json:
    return delivery(one.delivery) | {"posts": [post(each) for each in one.posts]}


def undoing(one: Undoing) -> Json:
    """How far a chain was taken down."""
    left = [{"position": post.position, "url": post.url, "reason": post.reason} for post in one.left]
    return {**delivery(one.delivery), "gone": one.gone, "out": one.out, "left": left}


def audit(one: Audit) -> Json:
    """What the network shows of a chain."""
    differences = [
        {"kind": found.kind, "position": found.position, "detail": found.detail} for found in one.differences
    ]
    return {
        **delivery(one.delivery),
        "looked_at": one.posts,
        "problem": one.problem,
        "differences": differences,
    }


def receipt(one: Receipt) -> Json:
    return thread(one.thread) | {
        "id": one.added.thread_id,
        "source": one.source,
        "deliveries": [delivery(each) for each in one.added.deliveries],
        "duplicates": [
            {"channel": double.channel, "thread": double.existing.thread_id, "state": double.existing.state}
            for double in one.added.duplicates
        ],
    }


def previews(many: Sequence[Preview]) -> list[Json]:
    """One object a channel; the posts of all its threads in order, each with its `thread` from 1."""
    channels: dict[str, Json] = {}
    for preview in many:
        entry = channels.setdefault(
            preview.channel, {"channel": preview.channel, "limit": preview.limit, "posts": [], "problems": []}
        )
        entry["posts"].extend(
            {
                "thread": preview.thread,
                "part": each.part,
                "label": each.label,
                "text": each.text,
                "length": each.length,
            }
            for each in preview.posts
        )
        if preview.problem:
            entry["problems"].append({"thread": preview.thread, "message": preview.problem})
    return list(channels.values())


def channel(row: ChannelRow, configured: frozenset[str]) -> Json:
    return {
        "channel": row.name,
        "kind": row.kind,
        "target": row.target,
        "configured": row.name in configured,
        "schedule": row.schedule,
        "paused": row.paused,
        "last_slot": row.last_slot,
        "first_seen": row.first_seen,
        "last_seen": row.last_seen,
    }


def event(one: AuditEvent) -> Json:
    return {
        "id": one.id,
        "at": one.at,
        "actor": one.actor,
        "what": one.what,
        "thread": one.thread_id,
        "channel": one.channel,
        "detail": one.detail,
    }


def dossier(one: Dossier) -> Json:
    return {
        "id": one.stored.id,
        "title": one.stored.thread.title,
        "source": one.stored.source,
        "created": one.stored.created,
        "thread": thread(one.stored.thread),
        "deliveries": [chain(each) for each in one.chains],
        "events": [event(each) for each in one.events],
    }
