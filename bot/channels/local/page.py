"""The page of the local timelines: one HTML file that looks as a reader of either network would see them.

Pure: values in, text out. The page asks for nothing from anywhere, and runs no script.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from threadcast.bot.channels.local.timeline import FILES, Entry, Like, Timeline, chains
from threadcast.bot.languages import DEFAULT, speaking
from threadcast.bot.languages.templates import CALLS
from threadcast.bot.media.words import kind

if TYPE_CHECKING:
    from jinja2 import Template

QUOTE_LENGTH = 90  # code points of the replied post that a reply shows
LINK_LENGTH = 30  # code points of an address that Mastodon shows

# What a reader sees as a link. Punctuation that ends a sentence is not part of an address.
LINKS = re.compile(
    r"(?P<url>https?://[^\s<>\"“”«»]*[^\s<>\"“”«».,;:!?'’)\]}…])"
    r"|(?<![\w/@.])(?P<mention>@(?P<user>\w[\w.-]*\w|\w)(?:@(?P<host>\w[\w.-]*\.\w+))?)"
    r"|(?<![\w/#&])(?P<hashtag>#(?=\w*[^\W\d])\w+)"
)


@dataclass(frozen=True, slots=True)
class Quote:
    """The head of a reply. `anchor` is empty where the parent is not on the page."""

    anchor: str
    text: Markup | str


@dataclass(frozen=True, slots=True)
class PostView:
    entry: Entry
    anchor: str
    body: Markup
    quote: Quote | None
    first: bool  # of its chain
    last: bool  # of its chain
    new_day: bool  # nothing of that day stands above it
    chain: int  # its place among the timeline's, from 0


@dataclass(frozen=True, slots=True)
class TimelineView:
    """One timeline as the template shows it. `hue` (0 to 11) colours its picture."""

    timeline: Timeline
    title: str
    hue: int
    chains: tuple[tuple[PostView, ...], ...]
    posts: tuple[PostView, ...]  # in the order of the file

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.title.split()[:2]).upper()


def render(timelines: Sequence[Timeline]) -> str:
    """Return the whole page, in English. Times are shown in the zones that the entries carry."""
    with speaking(DEFAULT):  # whoever publishes or takes down writes it anew, each in another language
        return _template().render(timelines=[view(each) for each in timelines], files=FILES)


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415  # no other command needs it

    environment = Environment(
        loader=PackageLoader("threadcast.bot.channels.local", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= CALLS
    return environment.get_template("page.html.j2")


def anchor(name: str, remote_id: str) -> str:
    """Return a post's id on the page, as `#…` in its address."""
    return f"{'-'.join(name.split())}-{remote_id}"


def view(timeline: Timeline) -> TimelineView:
    entries = timeline.entries
    by_id = {entry.remote_id: entry for entry in entries}
    new_days = {entries[0].remote_id} if entries else set()
    new_days |= {
        later.remote_id for earlier, later in pairwise(entries) if earlier.at.date() != later.at.date()
    }
    grouped = tuple(
        tuple(
            PostView(
                entry=entry,
                anchor=anchor(timeline.name, entry.remote_id),
                body=_body(entry, timeline.like),
                quote=_quote(timeline, entry, by_id),
                first=entry is chain[0],
                last=entry is chain[-1],
                new_day=entry.remote_id in new_days,
                chain=number,
            )
            for entry in chain
        )
        for number, chain in enumerate(chains(entries))
    )
    posts = {post.entry.remote_id: post for chain in grouped for post in chain}
    return TimelineView(
        timeline=timeline,
        title=re.sub(r"[-_\s]+", " ", timeline.name).strip().title(),
        hue=sum(timeline.name.encode()) * 47 // 30 % 12,
        chains=grouped,
        posts=tuple(posts[entry.remote_id] for entry in entries),
    )


def _quote(timeline: Timeline, entry: Entry, by_id: dict[str, Entry]) -> Quote | None:
    if entry.reply_to is None:
        return None
    parent = by_id.get(entry.reply_to)
    if parent is None:
        return Quote("", "This post is not here any more")
    head, rest = _divided(parent, timeline.like)
    shown = " ".join(head.split())[:QUOTE_LENGTH]
    hidden = " ".join(rest.split())[:QUOTE_LENGTH]
    if not shown and parent.media:
        shown = kind(parent.media[0].kind).capitalize()
    text = Markup('{} <span class="spoiler">{}</span>').format(shown, hidden) if hidden else shown
    return Quote(anchor(timeline.name, parent.remote_id), text)


def _body(entry: Entry, like: Like) -> Markup:
    """Return the text; below a warning it is hidden until a reader asks for it."""
    head, rest = _divided(entry, like)
    if not rest:
        return rich(head, like)
    return rich(head, like) + Markup('<span class="spoiler" tabindex="0">{}</span>').format(rich(rest, like))


def _divided(entry: Entry, like: Like) -> tuple[str, str]:
    """Return what everybody sees of a text, and what is a spoiler: all below a warning, on Telegram."""
    head, line, rest = entry.text.partition("\n")
    return (entry.text, "") if like == "mastodon" or not entry.warning else (head + line, rest)


def rich(text: str, like: Like) -> Markup:
    """Return the text with its links, mentions and hashtags marked; everything else stays as it is."""
    pieces: list[Markup] = []
    end = 0
    for match in LINKS.finditer(text):
        pieces += [escape(text[end : match.start()]), _link(match, like)]
        end = match.end()
    return Markup().join([*pieces, escape(text[end:])])


def _link(match: re.Match[str], like: Like) -> Markup:
    found = match[0]
    if match["url"]:
        shown = _shortened(found) if like == "mastodon" else escape(found)
        return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(found, shown)
    if match["host"]:
        address = f"https://{match['host']}/@{match['user']}"
        return Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(address, found)
    return Markup('<span class="tag">{}</span>').format(found)


def _shortened(url: str) -> Markup:
    """Return an address as Mastodon shows it: no scheme, a bounded length; all of it can be copied."""
    scheme = url[: url.index("://") + 3]
    rest = url.removeprefix(scheme)
    if len(rest) <= LINK_LENGTH:
        return Markup('<span class="unseen">{}</span>{}').format(scheme, rest)
    return Markup(
        '<span class="unseen">{}</span><span class="cut">{}</span><span class="unseen">{}</span>'
    ).format(scheme, rest[:LINK_LENGTH], rest[LINK_LENGTH:])
