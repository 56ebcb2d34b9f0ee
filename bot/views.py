"""How answers look in a shell: dictionaries for `--json`, tables and sentences for a person.

Text that came from outside is shown without control characters, so that a thread cannot drive the
terminal it is listed on.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from threadcast.bot.channels.port import Finding
from threadcast.bot.desk import Chain, Dossier, Preview, Receipt
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.store import ChannelRow, Delivery, PostRecord
from threadcast.queue.thread import Notice, Severity, Thread

Json = dict[str, Any]

COLOURS: dict[str, str] = {
    DeliveryState.HELD: "yellow",
    DeliveryState.QUEUED: "cyan",
    DeliveryState.PUBLISHING: "blue",
    DeliveryState.UNSURE: "bold magenta",
    DeliveryState.PUBLISHED: "green",
    DeliveryState.FAILED: "bold red",
    DeliveryState.CANCELLED: "dim",
    DeliveryState.WITHDRAWN: "dim",
    PostState.PLANNED: "dim",
    PostState.SENDING: "blue",
    PostState.SENT: "green",
    PostState.UNKNOWN: "bold magenta",
    PostState.REFUSED: "bold red",
    "ok": "green",
    "warning": "yellow",
    "error": "bold red",
}
# Unicode categories that move the cursor, reorder text or show nothing: controls, and what has no glyph.
HIDDEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
WIDE = 10_000  # columns; a pipe has no edge to wrap at


def safe(text: str) -> str:
    """Text for one line of a terminal: nothing in it can drive the terminal or be read as markup."""
    shown = (
        "�" if unicodedata.category(char) in HIDDEN or char in BIDI else char
        for char in text.replace("\n", " ")
    )
    return escape("".join(shown))


class Screen:
    """Where answers go. Coloured and as wide as the window on a terminal, plain in a pipe."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        terminal = sys.stdout.isatty()
        self.console = Console(width=None if terminal else WIDE, highlight=False, emoji=False)

    def say(self, line: str = "") -> None:
        """One line; markup is the caller's, what came from outside must be `safe`."""
        self.console.print(line, soft_wrap=True)

    def json(self, value: object) -> None:
        """A value as JSON, for scripts."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")

    def when(self, moment: datetime | None) -> str:
        """A moment in the owner's time zone, to the second."""
        if moment is None:
            return "-"
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S %Z")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Rows under headings. Cells are markup: `safe` or `state` made them."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in head:
            table.add_column(name, justify="right" if name in {"id", "posts", "post", "length"} else "left")
        for row in rows:
            table.add_row(*row)
        if self.console.is_terminal:
            self.console.print(table)
            return
        with self.console.capture() as capture:
            self.console.print(table)
        sys.stdout.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))


def state(value: str) -> str:
    """A state's name in its colour."""
    colour = COLOURS.get(value, "default")
    return f"[{colour}]{value}[/]"


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


# Dictionaries


def notice_json(notice: Notice) -> Json:
    return {
        "severity": notice.severity,
        "kind": notice.kind,
        "line": notice.line,
        "part": notice.part,
        "message": notice.message,
    }


def thread_json(thread: Thread) -> Json:
    return {
        "parts": [{"number": part.number, "marker": part.marker, "text": part.text} for part in thread.parts],
        "preamble": thread.preamble,
        "complete": thread.complete,
        "fingerprint": thread.fingerprint,
        "notices": [notice_json(notice) for notice in thread.notices],
    }


def delivery_json(delivery: Delivery) -> Json:
    return {
        "thread": delivery.thread_id,
        "channel": delivery.channel,
        "title": delivery.title,
        "state": delivery.state,
        "reason": delivery.reason,
        "due": delivery.due,
        "created": delivery.created,
        "started": delivery.started,
        "finished": delivery.finished,
        "sent": delivery.sent,
        "of": delivery.posts,
    }


def post_json(record: PostRecord) -> Json:
    return {
        "position": record.position,
        "part": record.post.part,
        "label": record.post.label,
        "text": record.post.text,
        "length": record.post.length,
        "state": record.state,
        "remote_id": record.remote_id,
        "url": record.url,
        "reply_to": record.reply_to,
        "tries": record.tries,
        "finished": record.finished,
        "reason": record.reason,
    }


def chain_json(chain: Chain) -> Json:
    return delivery_json(chain.delivery) | {"posts": [post_json(post) for post in chain.posts]}


def receipt_json(receipt: Receipt) -> Json:
    return thread_json(receipt.thread) | {
        "id": receipt.added.thread_id,
        "source": receipt.source,
        "deliveries": [delivery_json(delivery) for delivery in receipt.added.deliveries],
        "duplicates": [
            {"channel": double.channel, "thread": double.existing.thread_id, "state": double.existing.state}
            for double in receipt.added.duplicates
        ],
    }


def preview_json(previews: Sequence[Preview]) -> list[Json]:
    """One object a channel; the posts of all its threads in order, each with its `thread` from 1."""
    channels: dict[str, Json] = {}
    for preview in previews:
        entry = channels.setdefault(
            preview.channel, {"channel": preview.channel, "limit": preview.limit, "posts": [], "problems": []}
        )
        entry["posts"].extend(
            {
                "thread": preview.thread,
                "part": post.part,
                "label": post.label,
                "text": post.text,
                "length": post.length,
            }
            for post in preview.posts
        )
        if preview.problem:
            entry["problems"].append({"thread": preview.thread, "message": preview.problem})
    return list(channels.values())


def channel_json(row: ChannelRow, configured: frozenset[str]) -> Json:
    return {
        "channel": row.name,
        "kind": row.kind,
        "target": row.target,
        "configured": row.name in configured,
        "first_seen": row.first_seen,
        "last_seen": row.last_seen,
    }


def dossier_json(dossier: Dossier) -> Json:
    return {
        "id": dossier.stored.id,
        "title": dossier.stored.thread.title,
        "source": dossier.stored.source,
        "created": dossier.stored.created,
        "thread": thread_json(dossier.stored.thread),
        "deliveries": [chain_json(chain) for chain in dossier.chains],
        "events": [
            {
                "at": event.at,
                "actor": event.actor,
                "what": event.what,
                "channel": event.channel,
                "detail": event.detail,
            }
            for event in dossier.events
        ],
    }


# Sentences and tables


def notices(screen: Screen, found: Sequence[Notice]) -> None:
    """Notices, worst first, with their lines."""
    for notice in sorted(found, key=lambda one: (one.severity is not Severity.WARNING, one.line)):
        screen.say(f"  {state(notice.severity)} line {notice.line}: {safe(notice.message)}")


def receipt(screen: Screen, one: Receipt, now: datetime) -> None:
    """What became of one added thread."""
    count = len(one.thread.parts)
    parts = f"{count} part{'s' if count != 1 else ''}"
    number = f"#{one.added.thread_id} " if one.added.thread_id is not None else ""
    screen.say(f"[bold]{number}{safe(one.thread.title)}[/] ({parts})")
    notices(screen, one.thread.warnings)
    for delivery in one.added.deliveries:
        if delivery.state is DeliveryState.HELD:
            then = f"{safe(delivery.reason)}; when it is right: threadcast release {delivery.thread_id}"
        elif delivery.due > now:
            then = f"starts {screen.when(delivery.due)}"
        else:
            then = "starts in turn"
        screen.say(f"  {delivery.channel}: {state(delivery.state)}, {then}")
    for double in one.added.duplicates:
        known = double.existing
        then = (
            "to publish it once more: add it with --again"
            if known.state is DeliveryState.PUBLISHED
            else f"see: threadcast show {known.thread_id}"
        )
        same = f"thread {known.thread_id} is the same ({state(known.state)})"
        screen.say(f"  {double.channel}: not added, {same}; {then}")


def preview(screen: Screen, one: Preview, title: str) -> None:
    """One thread's posts on one channel."""
    screen.say(f"[bold]{safe(title)}[/] on [bold]{one.channel}[/]: {len(one.posts)} posts, limit {one.limit}")
    if one.problem:
        screen.say(f"  {state('warning')} {safe(one.problem)}")
    for index, post in enumerate(one.posts, start=1):
        screen.say(f"[dim]── {index} of {len(one.posts)} · {post.length} of {one.limit}[/]")
        for line in post.text.split("\n"):
            screen.say(safe(line))
    screen.say()


def queue(screen: Screen, deliveries: Sequence[Delivery], now: datetime) -> None:
    """The queue as a table."""

    def then(delivery: Delivery) -> str:
        if delivery.state in {DeliveryState.HELD, DeliveryState.UNSURE}:
            return safe(delivery.reason)
        if delivery.due > now:
            return f"{screen.when(delivery.due)} {safe(delivery.reason)}".rstrip()
        return "now" if delivery.state is DeliveryState.PUBLISHING else "in turn"

    screen.table(
        ("id", "channel", "state", "posts", "next", "title"),
        (
            (
                str(delivery.thread_id),
                delivery.channel,
                state(delivery.state),
                progress(delivery),
                then(delivery),
                safe(delivery.title),
            )
            for delivery in deliveries
        ),
    )


def progress(delivery: Delivery) -> str:
    """How many posts are out, of how many."""
    return f"{delivery.sent}/{delivery.posts}" if delivery.posts else "-"


def history(screen: Screen, chains: Sequence[Chain]) -> None:
    """What ended, as a table."""
    screen.table(
        ("id", "channel", "state", "posts", "when", "first post", "title"),
        (
            (
                str(chain.delivery.thread_id),
                chain.delivery.channel,
                state(chain.delivery.state),
                progress(chain.delivery),
                screen.when(chain.delivery.finished),
                safe(chain.posts[0].url or chain.posts[0].remote_id or "-") if chain.posts else "-",
                safe(chain.delivery.reason or chain.delivery.title),
            )
            for chain in chains
        ),
    )


def dossier(screen: Screen, one: Dossier) -> None:
    """One thread whole."""
    thread = one.stored.thread
    screen.say(f"[bold]#{one.stored.id} {safe(thread.title)}[/]")
    screen.say(
        f"{len(thread.parts)} parts from {safe(one.stored.source)}, added {screen.when(one.stored.created)}"
    )
    notices(screen, thread.notices)
    for chain in one.chains:
        delivery = chain.delivery
        reason = f": {safe(delivery.reason)}" if delivery.reason else ""
        screen.say()
        screen.say(f"[bold]{delivery.channel}[/] {state(delivery.state)} {progress(delivery)}{reason}")
        if chain.posts:
            screen.table(
                ("post", "label", "state", "length", "id", "replies to", "url"),
                (
                    (
                        str(post.position),
                        safe(post.post.label),
                        state(post.state),
                        str(post.post.length),
                        safe(post.remote_id or "-"),
                        safe(post.reply_to or "-"),
                        safe(post.url or "-"),
                    )
                    for post in chain.posts
                ),
            )


def channels(screen: Screen, rows: Sequence[ChannelRow], configured: frozenset[str]) -> None:
    """The channels as a table."""
    screen.table(
        ("channel", "kind", "target", "configured"),
        (
            (
                row.name,
                row.kind,
                safe(row.target),
                "yes" if row.name in configured else "[yellow]no longer[/]",
            )
            for row in rows
        ),
    )


def finding(screen: Screen, about: str, one: Finding) -> None:
    """One line of a check, and what to do about it."""
    screen.say(f"{state(one.level)}  {safe(about)}: {safe(one.what)}")
    if one.advice:
        screen.say(f"    → {safe(one.advice)}")
