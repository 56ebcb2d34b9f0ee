"""The tables, and how a row becomes a value of the port.

Only what the rows must always obey stands here: keys, CHECKs, and the partial unique indexes that
guard the queue against two workers or two callers at once. `migrations/` builds the same tables step
by step; a test compares the two.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from threadcast.queue.outcomes import Code
from threadcast.queue.sentences import from_json, to_json
from threadcast.queue.states import LIVE, DeliveryState, PostState
from threadcast.queue.text.media import Media

MEDIA = TypeAdapter(tuple[Media, ...], config=ConfigDict(defer_build=True))  # few posts have files


class UtcTime(TypeDecorator[datetime]):
    """An aware moment: UTC in and UTC out.

    PostgreSQL: `timestamptz`. SQLite: text of fixed width with microseconds, so that it sorts and
    compares as time does. A moment without a zone is refused.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text where the database has no type for moments."""
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("a time without a zone")
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds") if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment = datetime.fromisoformat(value) if dialect.name == "sqlite" else value
        return moment.astimezone(UTC)


class Words(TypeDecorator[tuple[str, ...]]):
    """Several words without white space in them, in order."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, _dialect: Dialect) -> Any:
        return " ".join(value or ())

    def process_result_value(self, value: Any, _dialect: Dialect) -> tuple[str, ...]:
        return tuple((value or "").split())


class Files(TypeDecorator[tuple[Media, ...]]):
    """The files of a post, as JSON; empty where it has none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[Media, ...] | None, _dialect: Dialect) -> Any:
        return MEDIA.dump_json(value).decode() if value else ""

    def process_result_value(self, value: Any, _dialect: Dialect) -> tuple[Media, ...]:
        return MEDIA.validate_json(value) if value else ()


class Said(TypeDecorator[str]):
    """A sentence or other words, as JSON; empty where there are none."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Dialect) -> Any:
        return to_json(value or "")

    def process_result_value(self, value: Any, _dialect: Dialect) -> str:
        return from_json(value or "")


class Word(TypeDecorator[StrEnum]):
    """One of an enumeration's words."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, _dialect: Dialect) -> Any:
        return None if value is None else str(value)

    def process_result_value(self, value: Any, _dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.words(value)


def listed(states: Iterable[DeliveryState | PostState]) -> str:
    """States as an SQL list, in the order of their names."""
    return ", ".join(f"'{state}'" for state in sorted(states))


METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

# SQLite numbers rows by itself only where the key is called INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")

THREADS = Table(
    "threads",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("parts", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("files", Words, nullable=False, server_default=text("''")),  # the digests of its files
    sqlite_autoincrement=True,  # or the number of a removed row would be given again
)
Index("threads_fingerprint", THREADS.c.fingerprint)

CHANNELS = Table(
    "channels",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("last_slot", UtcTime),
    Column("first_seen", UtcTime, nullable=False),
    Column("last_seen", UtcTime, nullable=False),
    Column("rate", Float),  # posts a second
    Column("moved", Text),
    Column("also", Text, nullable=False, server_default=text("''")),  # where its chains say that they are too
)
Index("channels_also", CHANNELS.c.also)  # a chain ends

DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("thread_id", BigId, ForeignKey("threads.id"), nullable=False),
    Column("fingerprint", Text, nullable=False),  # the thread's, here for the guard below
    Column("channel", Text, nullable=False),
    Column("state", Word(DeliveryState), nullable=False),
    Column("reason", Said, nullable=False),
    Column("rank", BigInteger, nullable=False),
    Column("own_time", Boolean, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("queued", UtcTime, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("started", UtcTime),
    Column("finished", UtcTime),
    Column("lease_owner", Text),
    Column("lease_until", UtcTime),
    Column("fence", BigInteger, nullable=False),
    Column("posts", Integer, nullable=False),  # counted here, so that nobody has to count rows
    Column("sent", Integer, nullable=False),
    Column("adopted_parts", Integer),
    Column("adopted_id", Text),
    Column("adopted_url", Text),
    Column("code", Word(Code), nullable=False, server_default=text("''")),
    CheckConstraint(f"state IN ({listed(DeliveryState)})", name="state"),
    CheckConstraint(
        "(lease_owner IS NULL) = (lease_until IS NULL) AND (lease_owner IS NULL OR state = 'publishing')",
        name="lease",
    ),
    CheckConstraint(
        "sent BETWEEN 0 AND posts AND (state <> 'published' OR (posts > 0 AND sent = posts))", name="whole"
    ),
    CheckConstraint("(adopted_parts IS NULL) = (adopted_id IS NULL)", name="adopted"),
    sqlite_autoincrement=True,
)

PUBLISHING_ONLY = text(f"state = '{DeliveryState.PUBLISHING}'")
QUEUED_ONLY = text(f"state = '{DeliveryState.QUEUED}'")
LIVE_ONLY = text(f"state IN ({listed(LIVE)})")


def _partial(name: str, where: Any, *columns: str, unique: bool = False) -> Index:
    return Index(
        name,
        *(DELIVERIES.c[column] for column in columns),
        unique=unique,
        sqlite_where=where,
    )


ONE_PUBLISHING = _partial("deliveries_one_publishing", PUBLISHING_ONLY, "channel", unique=True)
ONE_LIVE = _partial("deliveries_one_live", LIVE_ONLY, "channel", "fingerprint", unique=True)
_partial("deliveries_turn", QUEUED_ONLY, "channel", "own_time", "rank", "id", "due", "queued")  # claim
_partial("deliveries_due", QUEUED_ONLY, "channel", "own_time", "due")  # waiting
_partial("deliveries_queued", QUEUED_ONLY, "channel", "own_time", "queued")  # waiting
_partial("deliveries_backlog", LIVE_ONLY, "channel", "state", "own_time", "due", "queued")  # backlog
Index("deliveries_thread", DELIVERIES.c.thread_id)
Index("deliveries_known", DELIVERIES.c.fingerprint, DELIVERIES.c.channel)  # add: duplicates
Index("deliveries_rank", DELIVERIES.c.channel, DELIVERIES.c.rank)  # add: the end of the queue; move

POSTS = Table(
    "posts",
    METADATA,
    Column("delivery_id", BigId, ForeignKey("deliveries.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("part", Integer, nullable=False),
    Column("label", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("length", Integer, nullable=False),
    Column("state", Word(PostState), nullable=False),
    Column("key", Text),
    Column("reply_to", Text),
    Column("remote_id", Text),
    Column("url", Text),
    Column("tries", Integer, nullable=False),
    Column("intended", UtcTime),
    Column("finished", UtcTime),
    Column("reason", Said, nullable=False),
    Column("doubted", UtcTime),
    Column("misses", Integer, nullable=False, server_default=text("0")),
    Column("taken_down", UtcTime),
    Column("media", Files, nullable=False, server_default=text("''")),
    Column("album", Words, nullable=False, server_default=text("''")),
    Column("uploads", Words, nullable=False, server_default=text("''")),
    Column("edit", Word(PostState)),  # how the correction of one that is out stands
    Column("edited", UtcTime),
    CheckConstraint(f"state IN ({listed(PostState)})", name="state"),
    # A post of an adopted chain is out, and was never tried by us.
    CheckConstraint("state <> 'sent' OR tries = 0 OR remote_id IS NOT NULL", name="found"),
)

Index(  # landmark, sent_since
    "posts_finished",
    POSTS.c.finished,
    sqlite_where=POSTS.c.finished.is_not(None),
)

Index(  # sent_since
    "posts_edited",
    POSTS.c.edited,
    sqlite_where=POSTS.c.edited.is_not(None),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("thread_id", BigId),  # no key of another table: events outlive what was removed
    Column("delivery_id", BigId),
    Column("channel", Text, nullable=False),
    Column("detail", Said, nullable=False),
)
Index("events_of_thread", EVENTS.c.thread_id, EVENTS.c.id)

NOTES = Table(
    "notes",
    METADATA,
    Column("page", Text, primary_key=True),
    Column("line", BigInteger, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# Of machines that share a queue on a server. An SQLite file has one service, and nothing in these.
MACHINES = Table(
    "machines",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("heard", UtcTime, nullable=False),
)

LEADERS = Table(  # whoever leads something leads it as long as it is heard of
    "leaders",
    METADATA,
    Column("what", Text, primary_key=True),
    Column("machine", Text, ForeignKey("machines.name", ondelete="CASCADE"), nullable=False),
)

SLOTS = Table(  # what all may use one after the other, and from when on it is free
    "slots",
    METADATA,
    Column("what", Text, primary_key=True),
    Column("next", UtcTime, nullable=False),
)


@event.listens_for(METADATA, "before_create")
def _same_where(metadata: MetaData, *_: object, **__: object) -> None:
    """Give PostgreSQL's partial indexes the conditions of SQLite's; above they would import its dialect."""
    for table in metadata.tables.values():
        for index in table.indexes:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
