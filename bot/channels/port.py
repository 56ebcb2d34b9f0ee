"""What every channel can do. An adapter makes the call; a pure function judges what came of it."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Literal, Protocol, Self

from threadcast.bot.channels.media import ChannelFiles
from threadcast.queue.compose.rules import Rules
from threadcast.queue.outcomes import (
    Blind,
    Look,
    Obstacle,
    Outcome,
    Sent,
    Settling,
    TakeDown,
    Throttled,
    Unreached,
)
from threadcast.queue.text.media import UNNAMED, Media
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings

Clock = Callable[[], datetime]
Standing = Callable[[], bool]


def always() -> bool:
    return True


# Of whoever sends something: whether what it holds is surely its own still. A call that comes too late for
# that must not be made: the machine was frozen, or nobody has heard of it, and another one has taken over.
STANDING: ContextVar[Standing] = ContextVar("standing", default=always)


def now() -> datetime:
    """Return the time, in UTC: the clock of everything that is not under test."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One post on its way.

    `parent` is the remote id of the post before it in the chain, None for the first. `key` is the
    same for every try of the same post on the same channel, and never used for another. `settings` are its
    thread's. `uploads` is what the network calls its files `media`, as far as it has them: one that took them
    before, or shows the post. `album` are the ids of the further messages of one that is out.
    """

    text: str
    parent: str | None
    key: str
    settings: ThreadSettings = field(default=NO_SETTINGS, kw_only=True)
    media: tuple[Media, ...] = field(default=(), kw_only=True)
    uploads: tuple[str, ...] = field(default=(), kw_only=True)
    album: tuple[str, ...] = field(default=(), kw_only=True)


@dataclass(frozen=True, slots=True)
class Landmark:
    """A post of ours that is out on the channel: its remote id and its text."""

    remote_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Sought(Outgoing):
    """A post that may be out, as it was sent.

    `since` is when its first try began (UTC, by this machine's clock). `landmark` is the newest post
    that went out on the channel before it, by whatever thread; None where none is known.
    """

    since: datetime
    landmark: Landmark | None

    @classmethod
    def of(cls, sent: Outgoing, *, since: datetime, landmark: Landmark | None) -> Self:
        """Return what is sought of a post that was sent like this."""
        as_sent = {each.name: getattr(sent, each.name) for each in fields(sent)}
        return cls(**as_sent, since=since, landmark=landmark)


@dataclass(frozen=True, slots=True)
class Expected:
    """A post of a chain as we know it: `position` from 1, `text`, `parent` and files as they were sent."""

    position: int
    remote_id: str
    text: str
    parent: str | None
    media: tuple[Media, ...] = ()
    album: tuple[str, ...] = ()
    uploads: tuple[str, ...] = ()

    @property
    def descriptions(self) -> list[str]:
        """What is said of its files."""
        return [one.description for one in self.media]

    def others(self, names: Sequence[str]) -> list[int]:
        """Return the places, from 0, of files that have other names now; not where one was never told.

        A file that an edit was to show, and that the network refused, is another.
        """
        pairs = enumerate(zip(self.uploads, names, strict=False))
        return [place for place, pair in pairs if pair[0] != pair[1] and UNNAMED not in pair]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a chain on the network is not what was sent; `unseen`: where visitors see no further.

    `position` is the post's, None for one that is no post of ours. `detail` is for a person: what is
    there instead, with its address where it has one. `file` is the place of a file that is another, from 0.
    """

    kind: Literal["missing", "edited", "out-of-order", "extra", "unseen"]
    position: int | None
    detail: str
    file: int | None = None


Comparison = tuple[Difference, ...] | Throttled | Unreached | Blind


@dataclass(frozen=True, slots=True)
class Named:
    """A post that a person named. `sent` is None where it cannot be one of this channel.

    `doubt` says why then; or why it may not be the post that is meant: it could not be looked at, or shows
    another text. Empty: it is there, ours, and fits.
    """

    sent: Sent | None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `threadcast check`: what was looked at, what was found, what to do about it.

    `advice` is empty where all is well.
    """

    level: Literal["ok", "warning", "error"]
    what: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """What an answer says of the rate limit nearest to its end: `remaining` of `limit` calls until `reset`.

    `reset` is UTC, on our clock. Which of a server's limits it is, an answer does not say.
    """

    limit: int
    remaining: int
    reset: datetime


@dataclass(frozen=True, slots=True)
class Reach:
    """How far somebody sees who opens the first post of a chain, and is not logged in.

    `depth` replies deep, and `most` in all; None: as far as there are. After `branches` posts the next one of
    a chain replies to its first again; None: never.
    """

    depth: int | None = None
    most: int | None = None
    branches: int | None = None

    def seen(self, posts: int) -> int:
        """Return how many of so many posts are seen."""
        deep = self.depth if self.branches is None else None
        return min([posts, *(1 + one for one in (deep, self.most) if one is not None)])

    def branch(self, position: int) -> bool:
        """Whether the post of this number, from 1, replies to the first again."""
        return self.branches is not None and position > 1 and (position - 1) % self.branches == 0


@dataclass(frozen=True, slots=True)
class Readers:
    """What readers did with a post, as its network tells; what its own chain replies does not count."""

    favourites: int
    boosts: int
    replies: int


NOBODY = Readers(0, 0, 0)


class Readership(Protocol):
    """What a network tells of the readers of posts."""

    async def of(self, remote_ids: Sequence[str]) -> Mapping[str, Readers] | Throttled | Unreached | Blind:
        """Return what is told of these posts of a chain now; one that is gone is left out.

        Never raises for the network; changes nothing.
        """
        ...


class NotReadyError(Exception):
    """A channel could not tell its rules; `outcome` says whether asking again later helps."""

    def __init__(self, outcome: Obstacle) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome


class Destination(Protocol):
    """What a person recognises a channel by.

    `name` is the owner's name for it (lower case), `kind` the platform, `target` where on it (`@news`,
    `https://social.example`), free of secrets.
    """

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def target(self) -> str: ...


class Channel(Destination, Protocol):
    """A configured destination, and what can be done there.

    `files` makes its files ready. `readership` tells of readers; None: the network does not.
    `also` is the channel that its chains name at their end; empty: none.
    """

    also: str
    files: ChannelFiles
    reach: Reach

    @property
    def readership(self) -> Readership | None: ...

    async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
        """Limit, measure and numbering for a thread with these settings of its own.

        They are asked of the server where it tells them, then remembered.

        Raises NotReadyError where the server has to be asked and does not answer.
        """
        ...

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Send one post, once. Never raises for what a server or a network does; never retries.

        `Unreached` is for a post of which certainly nothing left this machine: no connection was made.
        """
        ...

    @property
    def quota(self) -> Quota | None:
        """What the server last said is left of its tightest limit; None where it never says."""
        ...

    @property
    def limits_posts(self) -> bool | None:
        """Whether the server is known to limit how much an account posts; None while it was not asked."""
        ...

    @property
    def settling(self) -> Settling: ...

    async def look_up(self, sought: Sought) -> Look:
        """Whether a post that may be out is. Posts nothing that stays; never raises for the network.

        `Sent` is for a post with this text under this parent that was not there before `since`. One in
        the wrong place, or two that fit, are `Blind`: a person judges them. Nothing is `Absent` unless
        everywhere it can be was looked at.
        """
        ...

    async def find(self, address: str, texts: Sequence[str]) -> Named:
        """The post that a person means by its id or its link, which should have one of these texts.

        Never raises for the network; leaves nothing behind.
        """
        ...

    async def edit(self, remote_id: str, outgoing: Outgoing) -> Outcome:
        """Make a post that is out say and show this, where it stands; its place stays as it is.

        Its `uploads` are as `files.accept` left them: files that are NOT_THERE are shown in place of others.
        `Sent` where it is so now, by this call or before. Safe to repeat; never raises for the network.
        """
        ...

    async def take_down(self, remote_id: str) -> TakeDown:
        """Delete one post. Never raises for the network; safe to repeat."""
        ...

    async def audit(self, chain: Sequence[Expected]) -> Comparison:
        """Compare a chain with what the network shows. Never raises for the network; changes nothing."""
        ...

    async def preflight(self) -> Obstacle | None:
        """Whether a chain could be posted now, told without posting; None: it could. Never raises."""
        ...

    async def check(self) -> tuple[Finding, ...]:
        """Credentials, rights and reachability, without posting anything. Never raises."""
        ...

    async def close(self) -> None:
        """Let go of connections. The channel is not used afterwards."""
        ...
