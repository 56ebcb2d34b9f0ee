"""Answers as typed data, for `--json` and the API. Keys may be added, and are not taken away."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    AliasChoices,
    AliasGenerator,
    AliasPath,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from threadcast.bot.channels import port
from threadcast.bot.noticed import noticed
from threadcast.bot.publishing import takedown
from threadcast.bot.requests import preview
from threadcast.bot.requests.errors import RefusedError
from threadcast.bot.wording import SHELL, sentence
from threadcast.queue import model
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.text import thread
from threadcast.queue.text.settings import ThreadSettings
from threadcast.queue.text.thread import Severity

M = TypeVar("M", bound="Model")
Moment = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]


def _at(*names: str) -> Any:
    """Return a field that is read from an attribute of an attribute."""
    return Field(validation_alias=AliasPath(*names))


class Model(BaseModel):
    """Made of any object that has these attributes."""

    model_config = ConfigDict(from_attributes=True, frozen=True, defer_build=True)  # most answers are no JSON


def _within(name: str) -> ConfigDict:
    """Return a configuration by which fields are read from the object's own `name`, where it has one."""
    return ConfigDict(
        alias_generator=AliasGenerator(
            validation_alias=lambda field: AliasChoices(AliasPath(name, field), field)
        )
    )


class Media(Model):
    name: str
    description: str
    source: str
    kind: str | None = Field(default=None, validation_alias=AliasPath("file", "kind"))
    size: int | None = Field(default=None, validation_alias=AliasPath("file", "size"))


class Notice(Model):
    severity: Severity
    kind: str
    line: int
    part: int | None
    message: str

    @model_validator(mode="before")
    @classmethod
    def _in_words(cls, one: thread.Notice) -> Any:
        return {name: getattr(one, name) for name in ("severity", "kind", "line", "part")} | {
            "message": noticed(one)
        }


class Part(Model):
    number: int | None
    marker: str
    text: str
    media: list[Media]


Settings = Annotated[ThreadSettings, PlainSerializer(ThreadSettings.given, return_type=dict[str, Any])]


class Thread(Model):
    model_config = _within("thread")

    parts: list[Part]
    preamble: str
    complete: bool
    fingerprint: str
    notices: list[Notice]
    settings: Settings


class Delivery(Model):
    model_config = _within("delivery")

    thread: int = Field(validation_alias=AliasChoices(AliasPath("delivery", "thread_id"), "thread_id"))
    channel: str
    title: str
    state: DeliveryState
    reason: str
    due: Moment
    created: Moment
    started: Moment | None
    finished: Moment | None
    sent: int
    of: int = Field(validation_alias=AliasChoices(AliasPath("delivery", "posts"), "posts"))


class Refused(Model):
    thread: int
    channel: str
    message: str

    @model_validator(mode="before")
    @classmethod
    def _in_words(cls, one: RefusedError) -> Any:
        return {"thread": one.thread, "channel": one.channel, "message": sentence(one, SHELL)}


class Forecast(Delivery):
    starts: Moment | None = _at("start")
    why: str
    ends: Moment | None = _at("end")


class Post(Model):
    position: int
    part: int = _at("post", "part")
    label: str = _at("post", "label")
    text: str = _at("post", "text")
    length: int = _at("post", "length")
    state: PostState
    remote_id: str | None
    url: str | None
    album: list[str]
    media: list[Media] = _at("post", "media")
    reply_to: str | None
    tries: int
    finished: Moment | None
    taken_down: Moment | None
    reason: str


class Chain(Delivery):
    posts: list[Post] = _at("posts")


class Listed(Model):
    id: int
    title: str
    deliveries: list[Delivery]


class Undoing(Delivery):
    gone: int
    out: int
    left: list[takedown.Left]


class Audit(Delivery):
    looked_at: int = _at("posts")
    problem: str
    differences: list[port.Difference]
    unseen: port.Difference | None


class Duplicate(Model):
    channel: str
    thread: int = _at("existing", "thread_id")
    state: DeliveryState = _at("existing", "state")


class Receipt(Thread):
    id: int | None = _at("added", "thread_id")
    source: str
    deliveries: list[Delivery] = _at("added", "deliveries")
    duplicates: list[Duplicate] = _at("added", "duplicates")


class Channel(Model):
    channel: str = _at("name")
    kind: str
    target: str
    configured: bool = False
    schedule: str
    paused: bool
    last_slot: Moment | None
    first_seen: Moment
    last_seen: Moment


class Event(Model):
    id: int
    at: Moment
    actor: str
    what: str
    thread: int | None = _at("thread_id")
    channel: str | None
    detail: str


class Dossier(Model):
    id: int = _at("stored", "id")
    title: str = _at("stored", "thread", "title")
    source: str = _at("stored", "source")
    created: Moment = _at("stored", "created")
    thread: Thread = _at("stored", "thread")
    deliveries: list[Chain] = _at("chains")
    events: list[Event]


class PreviewedPost(Model):
    thread: int
    part: int
    label: str
    text: str
    length: int


class Problem(Model):
    thread: int
    message: str


class Seen(Model):
    """How many posts of a thread visitors see who are not logged in."""

    thread: int
    posts: int


class Preview(Model):
    channel: str
    limit: int
    posts: list[PreviewedPost]
    problems: list[Problem]
    seen: list[Seen]
    also: str


class Finding(Model):
    about: str
    level: str
    what: str
    advice: str


class Machine(Model):
    """A service that shares the queue; `works_at` are its threads, each with its channel."""

    name: str
    version: str
    since: Moment
    heard: Moment
    works_at: list[tuple[int, str]]
    leads: list[str]


class Overview(Model):
    """How things stand; `counts` by state."""

    running: bool
    channels: list[tuple[str, str]]
    paused: list[str]
    counts: dict[DeliveryState, int]
    machines: list[Machine]


def many(kind: type[M], found: Iterable[object]) -> list[M]:
    """Return a model of this kind for each."""
    return [kind.model_validate(one) for one in found]


def channels(rows: Iterable[model.ChannelRow], configured: frozenset[str]) -> list[Channel]:
    """Return the channels, each with whether it is configured now."""
    return [one.model_copy(update={"configured": one.channel in configured}) for one in many(Channel, rows)]


def previews(found: Iterable[preview.Preview]) -> list[Preview]:
    """Return one object a channel; the posts of all its threads in order, each with its `thread` from 1."""
    made: dict[str, Preview] = {}
    for one in found:
        new = Preview(channel=one.channel, limit=one.limit, posts=[], problems=[], seen=[], also=one.also)
        entry = made.setdefault(one.channel, new)
        entry.posts.extend(
            PreviewedPost(
                thread=one.thread, part=post.part, label=post.label, text=post.text, length=post.length
            )
            for post in one.posts
        )
        if one.seen is not None:
            entry.seen.append(Seen(thread=one.thread, posts=one.seen))
        if one.problem:
            entry.problems.append(Problem(thread=one.thread, message=one.problem))
    return list(made.values())
