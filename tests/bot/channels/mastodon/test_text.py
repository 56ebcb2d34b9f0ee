"""Telling a text from the HTML that a server made of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.mastodon.text import to_html
from threadcast.bot.channels.mastodon.text import alike, essence, plain

LINK = (
    '<a href="https://example.org/a/long/way/down/to/the/lighthouse?b=c" rel="nofollow">'
    '<span class="invisible">https://</span>'
    '<span class="ellipsis">example.org/a/long/way/down/to</span>'
    '<span class="invisible">/the/lighthouse?b=c</span></a>'
)
MENTION = (
    '<span class="h-card"><a href="https://a.example/@bob" class="u-url mention">@<span>bob</span></a></span>'
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param("<p>one</p><p>two<br />three</p>", "one\n\ntwo\nthree", id="mastodon"),
        pytest.param("one<br/>two", "one\ntwo", id="pleroma"),
        pytest.param("<p>a &lt;b&gt; &amp;amp; &quot;c&quot;</p>", 'a <b> &amp; "c"', id="entities"),
        pytest.param(
            f"<p>see {LINK}.</p>", "see https://example.org/a/long/way/down/to/the/lighthouse?b=c.", id="link"
        ),
        pytest.param(
            '<a href="https://example.org/a/long/way">example.org/a…</a>',
            "https://example.org/a/long/way",
            id="a-link-cut-short",
        ),
        pytest.param('<a href="https://example.org">here</a>', "here", id="a-link-with-words"),
        pytest.param("<a>well…</a>", "well…", id="a-link-to-nowhere"),
        pytest.param("</a>one</a>", "one", id="an-end-without-a-beginning"),
        pytest.param('<a href="https://example.org">one', "one", id="a-beginning-without-an-end"),
        pytest.param(f"<p>{MENTION} ahoy</p>", "@bob ahoy", id="mention"),
        pytest.param(
            '<a href="https://a.example/tags/sea" class="mention hashtag" rel="tag">#<span>sea</span></a>',
            "#sea",
            id="hashtag",
        ),
        pytest.param('<p><img class="emoji" alt=":ship:" src="x"></p>', ":ship:", id="the-servers-emoji"),
        pytest.param('<img src="x">', "", id="an-image-without-words"),
        pytest.param("<ul><li>one</li><li>two</li></ul>", "one\n\ntwo", id="list"),
        pytest.param("", "", id="nothing"),
        pytest.param("2 < 3", "2 < 3", id="no-html-at-all"),
    ],
)
def test_what_a_reader_sees(html: str, text: str) -> None:
    """The HTML of a status is read as its text, links in full."""
    assert plain(html) == text


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        pytest.param("1/ The lamp", " 1/ The lamp\n", id="stripped"),
        pytest.param("one  two\r\n\r\n\r\nthree", "one two\n\nthree", id="blanks"),
        pytest.param("one two", "one two", id="a-hard-blank"),
        pytest.param("ask @bob@a.example, please", "ask @bob, please", id="mention-without-host"),
        pytest.param("ask @Bob@A.Example.", "ask @bob.", id="mention-in-the-servers-case"),
        pytest.param("https://example.org/x", "example.org/x", id="link-without-scheme"),
        pytest.param("e\u0301", "é", id="composed"),
        pytest.param("☀️ 👨‍👩‍👧", "☀ 👨👩👧", id="joiners-and-variants"),
    ],
)
def test_alike(sent: str, shown: str) -> None:
    """What servers change makes no other text of it."""
    assert alike(sent, shown)
    assert alike(shown, sent)


@pytest.mark.parametrize(
    ("sent", "other"),
    [
        ("1/ The lamp", "2/ The lamp"),
        ("1/ The lamp", "1/ The lamps"),
        ("1/ The lamp", "1/ The lamp."),
        ("https://example.org/a", "https://example.org/b"),
        ("@bob@a.example", "@rob@a.example"),
        ("🗼", "🌊"),
        ("bob@a.example", "bob"),
        ("a", ""),
    ],
)
def test_not_alike(sent: str, other: str) -> None:
    """Another number, word, mark, path, name or emoji is another text."""
    assert not alike(sent, other)


@settings(deadline=None)
@given(st.text() | st.text(alphabet=list("ab@./: \n<>&#🗼é")))
def test_a_text_is_known_again(text: str) -> None:
    """Any text is known again in the HTML that Mastodon makes of it."""
    assert alike(plain(to_html(text.strip())), text)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["https://example.org/a?b=c&d=%20e#f", "@bob@a.example", "lamp", "\n", "é", "👩‍🚀", "&amp;"]
        )
    )
)
def test_links_and_mentions_are_known_again(words: list[str]) -> None:
    """So is one of links, mentions, line breaks and entities, in any order."""
    text = " ".join(words)
    assert alike(plain(to_html(text.strip())), text)


@settings(deadline=None)
@given(st.text(alphabet=list("<>/ap=\"'& br;#x1")))
def test_any_html(html: str) -> None:
    """No HTML, however broken, makes the reading fail."""
    assert isinstance(essence(plain(html)), str)
