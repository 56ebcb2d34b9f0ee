"""How a text will look to the readers of each channel: the look of the local timeline, with marks. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from threadcast.bot.channels.local.page import TimelineView, view
from threadcast.bot.channels.local.timeline import Entry, Like, Shown, Timeline
from threadcast.bot.media.store import SHORT
from threadcast.bot.requests.preview import Preview
from threadcast.config.channels import (
    ChannelSettings,
    LocalChannelSettings,
    MastodonChannelSettings,
    narrower,
)
from threadcast.queue.compose.rules import Post
from threadcast.queue.text.media import Media
from threadcast.queue.text.settings import ThreadSettings, Visibility
from threadcast.queue.text.thread import Thread


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said beside a post: its length of `limit`, and which of several pieces of a part it is."""

    post: Post
    limit: int
    piece: int
    pieces: int


@dataclass(frozen=True, slots=True)
class Look:
    """What the readers of some channels will see alike; `marks` by the anchors of the posts.

    `previews` are those of one of these channels, a thread each.
    """

    names: tuple[str, ...]
    timeline: TimelineView
    marks: Mapping[str, Mark]
    previews: tuple[Preview, ...]


def looks(
    threads: Sequence[Thread],
    previews: Sequence[Preview],
    usual: Mapping[str, ChannelSettings],
    now: datetime,
) -> tuple[Look, ...]:
    """Return how it will look, once for all channels on which that is the same."""
    by_channel: dict[str, list[Preview]] = {}
    for one in previews:
        by_channel.setdefault(one.channel, []).append(one)
    alike: dict[tuple[object, ...], list[str]] = {}
    for name, found in by_channel.items():
        seen = tuple((one.limit, one.posts, one.problem, one.seen, one.also) for one in found)
        alike.setdefault((_like(usual.get(name)), _audience(usual.get(name)), seen), []).append(name)
    return tuple(
        _look(tuple(names), threads, by_channel[names[0]], usual.get(names[0]), now)
        for names in alike.values()
    )


def _look(
    names: tuple[str, ...],
    threads: Sequence[Thread],
    previews: Sequence[Preview],
    usual: ChannelSettings | None,
    now: datetime,
) -> Look:
    entries: list[Entry] = []
    marks: list[Mark] = []
    for one in previews:
        settings = threads[one.thread - 1].settings
        for position, post in enumerate(one.posts):
            parent = entries[-1].remote_id if position else None
            entries.append(_entry(len(entries) + 1, post, parent, settings, usual, now))
            of_part = [each for each in one.posts if each.part == post.part]
            marks.append(Mark(post, one.limit, of_part.index(post) + 1, len(of_part)))
    shown = view(Timeline(names[0], _like(usual), tuple(entries)))
    anchors = (post.anchor for post in shown.posts)
    return Look(
        names,
        replace(shown, title=", ".join(names)),
        dict(zip(anchors, marks, strict=True)),
        tuple(previews),
    )


def _entry(
    number: int,
    post: Post,
    parent: str | None,
    wished: ThreadSettings,
    usual: ChannelSettings | None,
    now: datetime,
) -> Entry:
    first, replies, spoiler = _audience(usual)
    visibility = wished.visibility or first
    if parent is not None:
        visibility = wished.reply_visibility or narrower(wished.visibility, replies)
    warning = spoiler if wished.warning is None else wished.warning
    media = tuple(_shown(one) for one in post.media)
    sensitive = bool(wished.sensitive)
    return Entry(str(number), now, post.text, parent, visibility, "", warning, media, sensitive)


def _shown(media: Media) -> Shown:
    """A file that is not here yet goes by its name."""
    if media.file is None:
        return Shown("", "document", media.name)
    return Shown(media.file.digest[:SHORT], media.file.kind.value, media.description)


def _like(usual: ChannelSettings | None) -> Like:
    """What has been taken up in the chat is a chat."""
    match usual:
        case LocalChannelSettings(like=like):
            return like
        case MastodonChannelSettings():
            return "mastodon"
    return "telegram"


def _audience(usual: ChannelSettings | None) -> tuple[Visibility, Visibility, str]:
    """Who sees the first post and the others, and the warning, where the thread settles nothing else."""
    if isinstance(usual, MastodonChannelSettings):
        return usual.visibility, usual.reply_visibility, usual.spoiler
    return "public", "unlisted", ""
