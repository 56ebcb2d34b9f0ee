import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.bot.channels.local.page import anchor, render, rich
from threadcast.bot.channels.local.timeline import Entry, Like, Shown, Timeline

LIKES: tuple[Like, ...] = get_args(Like)
NOON = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
VOID = {"meta", "br", "hr", "img", "link", "input"}
HOSTILE = (
    "</span></p></style><script>alert(1)</script><img src=x onerror=alert(1)> {{ 7*7 }} {% raw %} &lt; \" '"
)


class Page(HTMLParser):
    """What a browser would make of a page; every tag has to be closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []  # the text of each post
        self.open: list[str] = []
        self._depth: int | None = None
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, attrs)
        attributes = {name: value or "" for name, value in attrs}
        self.tags.append((tag, attributes))
        if tag in VOID:
            return
        self.open.append(tag)
        if attributes.get("class") == "said":
            self._depth = len(self.open)
            self.texts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag
        if self._depth is not None and len(self.open) < self._depth:
            self._depth = None

    def handle_data(self, data: str) -> None:
        if self._depth is not None:
            self.texts[-1] += data

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


def entry(number: int, text: str, reply_to: int | None = None, at: datetime = NOON) -> Entry:
    parent = None if reply_to is None else str(reply_to)
    return Entry(str(number), at, text, parent, "public" if parent is None else "unlisted", f"key {number}")


def shown(like: Like, *entries: Entry, name: str = "news") -> Page:
    return Page(render([Timeline(name, like, entries)]))


@pytest.mark.parametrize("like", LIKES)
def test_texts_come_out_exactly(like: Like) -> None:
    """The text of every post is on the page exactly, once, in the order of the chain."""
    texts = [
        "1/ one\n\n two  blanks",
        "2/ 🇸🇨 منارة",
        HOSTILE,
        "see https://example.org/a?b=c&d=" + "e" * 50 + ", yes",
    ]
    page = shown(like, *(entry(n, text, n - 1 or None) for n, text in enumerate(texts, start=1)))
    assert page.texts == texts


@pytest.mark.parametrize("like", LIKES)
@settings(deadline=None, max_examples=40)
@given(
    text=st.text(st.characters(exclude_categories=["Cs", "Cc"]))
    | st.text("<>&\"'#@:/. \nhtps{}%a", max_size=40)
)
def test_any_text_comes_out(like: Like, text: str) -> None:
    """No text breaks the page or gets lost on it."""
    assert shown(like, entry(1, text)).texts == [text]


@pytest.mark.parametrize("like", LIKES)
def test_hostile_text_stays_text(like: Like) -> None:
    """Nothing in a post, a name or an id becomes a tag, an attribute or a template."""
    plain = shown(like, entry(1, "plain"), entry(2, "reply", 1))
    hostile = shown(like, entry(1, HOSTILE), entry(2, "reply", 1), name='"><script>alert(1)</script> {{ 1 }}')
    assert [tag for tag, _ in hostile.tags] == [tag for tag, _ in plain.tags]
    assert not [name for _, attributes in hostile.tags for name in attributes if name.startswith("on")]


def addresses(like: Like) -> Iterator[str]:
    text = "https://example.org/a, @lamp@tower.example, @keeper #fog https://tower.example/" + "x" * 60
    page = shown(like, entry(1, text), entry(2, "2/", 1), entry(3, "3/", 9))
    for name in ("href", "src", "action", "data", "poster", "srcset", "background"):
        yield from page.attributes(name)


@pytest.mark.parametrize("like", LIKES)
def test_it_asks_for_nothing(like: Like) -> None:
    """The page has no script, loads nothing, and leads out only where a post says so."""
    html = render([Timeline("news", like, (entry(1, "one"),))])
    page = Page(html)
    assert {"script", "link", "img", "iframe", "object", "form"}.isdisjoint(tag for tag, _ in page.tags)
    assert "@import" not in html
    assert all(url.startswith("data:") for url in re.findall(r"url\([\"']?([^\"')]{5})", html))
    outward = {address for address in addresses(like) if not address.startswith("#")}
    assert outward == {
        "https://example.org/a",
        "https://tower.example/@lamp",
        "https://tower.example/" + "x" * 60,
    }


@pytest.mark.parametrize("like", LIKES)
def test_anchors(like: Like) -> None:
    """Every post has an anchor of its own, and every link within the page leads to something on it."""
    page = shown(like, *(entry(n, f"{n}/", n - 1 or None) for n in range(1, 8)), name="my news")
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert {anchor("my news", str(n)) for n in range(1, 8)} <= set(ids)
    within = {address[1:] for address in page.attributes("href") if address.startswith("#")}
    assert within <= set(ids)
    assert not [each for each in ids if re.search(r"\s", each)]


def test_telegram_shows_what_is_replied_to() -> None:
    """Like Telegram, a reply is headed by the beginning of its parent, which leads there."""
    html = render([Timeline("news", "telegram", (entry(1, "a lamp\non a <tower>"), entry(2, "2/", 1)))])
    assert re.search(r'<a class="reply" href="#news-1">.*a lamp on a &lt;tower&gt;</span></a>', html)


@pytest.mark.parametrize("like", LIKES)
def test_a_parent_that_is_gone(like: Like) -> None:
    """A reply whose parent is not there any more says so, and leads nowhere."""
    html = render([Timeline("news", like, (entry(5, "5/", 4),))])
    assert "This post is not here any more" in html
    assert 'href="#news-4"' not in html


def test_telegram_has_days() -> None:
    """Like Telegram, each day is announced once, in the zone that the times carry."""
    late = datetime(2026, 11, 22, 23, 30, tzinfo=timezone(timedelta(hours=1)))
    html = render(
        [
            Timeline(
                "news",
                "telegram",
                (entry(1, "a", at=late), entry(2, "b", at=late), entry(3, "c", at=late + timedelta(hours=1))),
            )
        ]
    )
    assert re.findall(r'class="day"><span>([^<]*)', html) == ["22 November 2026", "23 November 2026"]
    assert ">23:30</time>" in html
    assert ">00:30</time>" in html


def test_mastodon_shows_the_newest_chain_first() -> None:
    """Like Mastodon's profile page, the newest chain stands first, and each chain reads downwards."""
    page = shown("mastodon", entry(1, "old 1"), entry(2, "new 1"), entry(3, "old 2", 1), entry(4, "new 2", 2))
    assert page.texts == ["new 1", "new 2", "old 1", "old 2"]


def test_telegram_shows_the_newest_post_last() -> None:
    """Like Telegram, posts stand in the order in which they came."""
    page = shown("telegram", entry(1, "old 1"), entry(2, "new 1"), entry(3, "old 2", 1), entry(4, "new 2", 2))
    assert page.texts == ["old 1", "new 1", "old 2", "new 2"]


def test_mastodon_connects_a_chain() -> None:
    """Like Mastodon, the thread line runs to the next post and ends at the last; visibility is shown."""
    html = render([Timeline("news", "mastodon", (entry(1, "1/"), entry(2, "2/", 1), entry(3, "3/", 2)))])
    assert re.findall(r'<li class="(toot[^"]*)"', html) == ["toot", "toot", "toot last"]
    assert re.findall(r"#icon-(public|unlisted)", html) == ["public", "unlisted", "unlisted"]
    assert html.count(">Public, <") == 1
    assert html.count(">Quiet public, <") == 2


@pytest.mark.parametrize("like", LIKES)
def test_scripts_of_either_direction(like: Like) -> None:
    """Each text takes its direction from itself, and claims no language."""
    page = shown(like, entry(1, "منارة"))
    (text,) = [attributes for _, attributes in page.tags if attributes.get("class") == "text"]
    assert (text["dir"], text["lang"]) == ("auto", "")
    assert page.tags[0] == ("html", {"lang": "en"})


def test_both_looks_stand_side_by_side() -> None:
    """Timelines of both kinds are on one page, each a section with a name of its own."""
    page = Page(
        render(
            [
                Timeline("news", "telegram", (entry(1, "a"),)),
                Timeline("my_masto", "mastodon", (entry(1, "b"),)),
            ]
        )
    )
    sections = [attributes["aria-label"] for tag, attributes in page.tags if tag == "section"]
    assert sections == ["News, like a Telegram channel", "My Masto, like a Mastodon account"]
    assert page.texts == ["a", "b"]


@pytest.mark.parametrize("like", LIKES)
def test_threads_have_numbers(like: Like) -> None:
    """Each thread is named by its number, the oldest first, and leads to the ones before and behind it."""
    page = shown(like, entry(1, "1/ a"), entry(2, "2/ a", 1), entry(3, "b"), entry(4, "c"))
    navs = [attributes["aria-label"] for tag, attributes in page.tags if tag == "nav"]
    assert sorted(navs) == ["Thread 1", "Thread 2", "Thread 3"]
    ways = {(each["rel"], each["href"]) for tag, each in page.tags if tag == "a" and "rel" in each}
    assert ways >= {("next", "#news-3"), ("next", "#news-4"), ("prev", "#news-1"), ("prev", "#news-3")}


def test_nothing_is_wider_than_a_telephone() -> None:
    """What a name or a text makes wide is broken or cut: no column is as wide as its longest word."""
    html = render([Timeline("news", "mastodon", (entry(1, "a"),))])
    grids = re.findall(r"grid-template-columns: ([^;}]+)", html)
    assert grids
    assert all("minmax(0, 1fr)" in grid or "minmax(min(100%" in grid for grid in grids)
    widths = re.findall(r"min-width: ([0-9.]+)rem", html)
    assert all(float(width) * 16 < 320 / 2 for width in widths), widths


LAMP = Shown("a" * 32 + ".png", "image", "A lamp <lit>")
SONG = Shown("b" * 32 + ".mp3", "audio", "A song")


def with_files(text: str, *, warning: str = "", sensitive: bool = False) -> Entry:
    return replace(entry(1, text), media=(LAMP, SONG), warning=warning, sensitive=sensitive)


def test_mastodon_shows_descriptions() -> None:
    """Like Mastodon, ALT shows what can be seen on a file; Telegram has it for nobody but a screen reader."""
    mastodon, telegram = (
        render([Timeline("news", like, (with_files("1/"),))]) for like in ("mastodon", "telegram")
    )
    assert re.findall(r'ALT</summary><p dir="auto">([^<]*)', mastodon) == ["A lamp &lt;lit&gt;", "A song"]
    assert "ALT" not in telegram
    for page in (mastodon, telegram):
        assert 'alt="A lamp &lt;lit&gt;"' in page
        assert 'aria-label="A song"' in page


@pytest.mark.parametrize("like", LIKES)
def test_files_are_hidden(like: Like) -> None:
    """Sensitive files are hidden at first; so are those below a warning, on Mastodon with the text."""

    def covered(one: Entry) -> bool:
        return '<div class="media many covered" tabindex="0">' in render([Timeline("news", like, (one,))])

    assert not covered(with_files("1/"))
    assert covered(with_files("1/", sensitive=True))
    warned = with_files("⚠ fire\n1/", warning="fire")
    assert covered(warned) == (like == "telegram")
    html = render([Timeline("news", like, (warned,))])
    assert bool(re.search(r"(?s)<details class=\"warned\">.*<img .*</details>", html)) == (like == "mastodon")


def test_telegram_hides_what_is_replied_to() -> None:
    """Like Telegram, a reply shows the warning of its parent, not its text; a file alone goes by its kind."""
    warned = replace(entry(1, "⚠ fire\n1/ a lamp\nfell"), warning="fire")
    file = replace(entry(2, "", 1), media=(LAMP,))
    html = render([Timeline("news", "telegram", (warned, file, entry(3, "3/", 2)))])
    assert '>⚠ fire <span class="spoiler">1/ a lamp fell</span></span></a>' in html
    assert ">Picture</span></a>" in html


def test_nothing_yet() -> None:
    """With no timeline, or an empty one, the page says so."""
    assert "No local timeline has a post yet" in render([])
    for like in LIKES:
        assert "Nothing here yet" in render([Timeline("news", like, ())])


@pytest.mark.parametrize("like", LIKES)
def test_left_out_posts_are_told(like: Like) -> None:
    """Older posts and unreadable lines that are left out are told, with the file's name."""
    html = render([Timeline("news", like, (entry(1, "a"),), earlier=True, unreadable=2)])
    assert "Older posts are in news.jsonl." in html
    assert "2 lines of news.jsonl could not be read." in html


LINKED = [
    pytest.param("http://example.org", ["http://example.org"], id="plain"),
    pytest.param("(see https://example.org/a_(b).)", ["https://example.org/a_(b"], id="brackets"),
    pytest.param("https://example.org/x?y=1&z=2.", ["https://example.org/x?y=1&z=2"], id="full-stop"),
    pytest.param("«https://example.org/»", ["https://example.org/"], id="quotes"),
    pytest.param("https://example.org/é/灯台。", ["https://example.org/é/灯台。"], id="letters"),
    pytest.param("@lamp@tower.example!", ["https://tower.example/@lamp"], id="mention"),
    pytest.param("javascript:alert(1) data:text/html,x ftp://x", [], id="other-schemes"),
    pytest.param("example.org is bare", [], id="bare-domain"),
    pytest.param("write to keeper@tower.example", [], id="e-mail"),
    pytest.param("https:// nothing", [], id="scheme-only"),
]


@pytest.mark.parametrize("like", LIKES)
@pytest.mark.parametrize(("text", "expected"), LINKED)
def test_links(like: Like, text: str, expected: list[str]) -> None:
    """Addresses and full mentions become links, and nothing else does."""
    page = shown(like, entry(1, text))
    assert [href for href in page.attributes("href") if not href.startswith("#")] == expected
    assert page.texts == [text]


TAGGED = [
    pytest.param("#fog and #灯台, #2nd", ["#fog", "#灯台", "#2nd"], id="hashtags"),
    pytest.param("number #5, C#sharp, &#38;, a/#b", [], id="no-hashtags"),
    pytest.param("@keeper, hello", ["@keeper"], id="mention"),
    pytest.param("a@b @ c", [], id="no-mention"),
]


@pytest.mark.parametrize(("text", "expected"), TAGGED)
def test_tags(text: str, expected: list[str]) -> None:
    """Hashtags and local mentions are coloured; numbers after a # are not."""
    assert re.findall(r'class="tag">([^<]*)', rich(text, "telegram")) == expected


def test_mastodon_shortens_addresses() -> None:
    """Like Mastodon, an address shows 30 characters without its scheme; Telegram shows all of it."""
    url = "https://example.org/" + "a" * 40
    assert f'<span class="cut">example.org/{"a" * 18}</span>' in rich(url, "mastodon")
    assert "cut" not in rich(url, "telegram")
    assert "cut" not in rich("https://example.org/short", "mastodon")
