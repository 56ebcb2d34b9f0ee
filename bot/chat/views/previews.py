"""A thread as it will be: its posts as messages, what is said below them, what was changed in it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import groupby

from threadcast.bot.channels.media import TELEGRAM_FILES
from threadcast.bot.channels.port import Outgoing
from threadcast.bot.chat.views.message import Message, bold, esc, split
from threadcast.bot.differences import differences
from threadcast.bot.languages import _, ngettext, translated
from threadcast.bot.media.words import shown as named
from threadcast.bot.requests.preview import Preview
from threadcast.bot.settled import linked, settled, unseen
from threadcast.bot.wording import several
from threadcast.queue.compose.compose import grouped
from threadcast.queue.compose.length import telegram
from threadcast.queue.compose.rules import Post, head_of
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings
from threadcast.queue.text.thread import Thread

NEARLY = 0.9  # of the limit: so long a post is named
NAMED = 5  # cuts and long posts that are named one by one


@dataclass(frozen=True, slots=True)
class Look:
    """How a thread will look on channels where its posts are the same; `limit` is the lowest of theirs."""

    thread: int
    channels: tuple[str, ...]
    limit: int
    posts: tuple[Post, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def looks(found: Sequence[Preview]) -> list[Look]:
    """Each thread once for all channels on which it looks the same, thread by thread."""
    alike: dict[tuple[int, tuple[str, ...]], list[Preview]] = {}
    for one in sorted(found, key=lambda each: each.thread):
        alike.setdefault((one.thread, tuple(post.text for post in one.posts)), []).append(one)
    return [
        Look(
            thread,
            tuple(one.channel for one in same),
            min(one.limit for one in same),
            same[0].posts,
            tuple(dict.fromkeys(one.problem for one in same if one.problem)),
            (
                *(unseen(one.channel, len(one.posts), one.seen) for one in same if one.seen is not None),
                *(linked(one.channel, one.also) for one in same if one.also),
            ),
        )
        for (thread, _texts), same in alike.items()
    ]


def messages(post: Post, settings: ThreadSettings = NO_SETTINGS, fault: str = "") -> list[Message]:
    """A post in words, its files by their names; one that is longer than a message of Telegram's as several.

    What stands below a content warning is hidden, as it will be. `fault` is why its files are not shown.
    """
    files = "".join(f"{escape(named(one), quote=False)}\n" for one in post.media)
    files += f"⚠️ {esc(translated(fault))}\n" if fault else ""
    head, text = head_of(settings), escape(post.text, quote=False)
    if head and post.text.startswith(head):
        shown = escape(head, quote=False)
        return [Message(f"{files}{shown}<tg-spoiler>{text.removeprefix(shown)}</tg-spoiler>", quiet=True)]
    return [Message(piece, quiet=True) for piece in split(files + text)]


def with_files(post: Post, settings: ThreadSettings) -> tuple[list[Outgoing], list[Message]]:
    """A post with files as Telegram shows it, whatever its network does; and its words, where they are long.

    An animation has a message of its own there.
    """
    short = telegram(post.text) <= TELEGRAM_FILES.caption
    groups = grouped(post.media, TELEGRAM_FILES)
    texts = [post.text if short else "", *[""] * len(groups)]
    shown = [
        Outgoing(text, None, "", settings=settings, media=group)
        for text, group in zip(texts, groups, strict=False)
    ]
    return shown, [] if short else messages(replace(post, media=()), settings)


def below(look: Look, thread: Thread, number: int | None, shown: int) -> str:
    """What is said below the posts of a thread of which so many are shown, as HTML."""
    name = bold(thread.title) if number is None else f"#{number} {bold(thread.title)}"
    where, count = esc(several(look.channels)), len(look.posts)
    if shown < count:
        said = _("⬆️ {thread} on {channels}: the first {shown} of {n} posts.")
    else:
        said = ngettext("⬆️ {thread} on {channels}: {n} post.", "⬆️ {thread} on {channels}: {n} posts.", count)
    lines = [said.format(thread=name, channels=where, shown=shown, n=count)]
    if not count:
        lines = [_("{thread} on {channels}:").format(thread=name, channels=where)]
    if settings := settled(thread.settings):
        lines.append(f"⚙️ {esc(settings)}")
    return "\n".join([*lines, *_said(look), *_lengths(look)])


def _said(look: Look) -> list[str]:
    return [
        *(f"⚠️ {esc(translated(one))}" for one in look.problems),
        *(f"👀 {esc(one)}" for one in look.notes),
    ]


def _lengths(look: Look) -> list[str]:
    """What was cut, and what is nearly as long as can be."""
    by_part = [list(group) for _part, group in groupby(look.posts, key=lambda post: post.part)]
    cuts = [group for group in by_part if len(group) > 1]
    long = [
        (place, post)
        for place, post in enumerate(look.posts, start=1)
        if post.length >= NEARLY * look.limit and not any(post in group for group in cuts)
    ]
    lines = [
        _("✂️ Part {part} is longer than {limit} and becomes {n} posts: {labels}").format(
            part=group[0].part,
            limit=look.limit,
            n=len(group),
            labels=esc(" ".join(post.label for post in group)),
        )
        for group in cuts
    ]
    lines += [
        _("📏 Post {place} is nearly full: {length} of {limit}").format(
            place=place, length=post.length, limit=look.limit
        )
        for place, post in long
    ]
    more = len(lines) - NAMED
    left = ngettext("… and {n} more like these", "… and {n} more like these", more).format(n=more)
    return lines if more <= 0 else [*lines[:NAMED], left]


def plain(look: Look, title: str) -> str:
    """The same as a text file."""
    lines = [
        f"{title} — {', '.join(look.channels)}, {len(look.posts)}/{look.limit}",
        *map(translated, look.problems),
        *look.notes,
    ]
    for place, post in enumerate(look.posts, start=1):
        lines += [f"-- {place}/{len(look.posts)}, {post.length}/{look.limit}"]
        lines += [*map(named, post.media), post.text]
    return "\n".join([*lines, ""])


def difference(before: Thread, after: Thread) -> list[str]:
    """The parts that were changed, as lines of HTML: `− 2/ It fals again.` and `+ 2/ It falls again.`"""
    return [esc(line) for line in differences(before, after)]
