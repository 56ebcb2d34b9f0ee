"""The Bot API test server reads markup as Telegram does."""

from typing import Any

import pytest

from tests.servers.telegram.html import MarkupError, parse_html
from tests.servers.telegram.text import part, tidy, written


def spans(text: str, entities: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(entity["type"], part(text, entity)) for entity in entities]


@pytest.mark.parametrize(
    ("markup", "text", "expected"),
    [
        ("<b>a</b> <strong>b</strong>", "a b", [("bold", "a"), ("bold", "b")]),
        ("<u>a</u> <s>b</s>", "a b", [("underline", "a"), ("strikethrough", "b")]),
        ("<code>a &lt; b</code>", "a < b", [("code", "a < b")]),
        ("<pre>a\nb</pre>", "a\nb", [("pre", "a\nb")]),
        ("<blockquote>a</blockquote>", "a", [("blockquote", "a")]),
        ("<b>a <i>b</i></b>", "a b", [("bold", "a b"), ("italic", "b")]),
        ("<B>a</> <b>a</B>", "a a", [("bold", "a"), ("bold", "a")]),
        ("🗼 <b>🗼a</b>", "🗼 🗼a", [("bold", "🗼a")]),
        ("<b></b>a", "a", []),
        ("<b>  a</b>  ", "a", [("bold", "a")]),
        ("&lt;&gt;&amp;&quot;&#65;&#x42;&nbsp;&lt", '<>&"AB&nbsp;<', []),
        ('<a href="nowhere">b</a>', "b", []),
    ],
)
def test_what_is_stored(markup: str, text: str, expected: list[tuple[str, str]]) -> None:
    """Markup becomes a plain text and what is how in it, counted in UTF-16 units."""
    found = tidy(*parse_html(markup))
    assert found.text == text
    assert spans(text, found.entities) == expected


def test_links() -> None:
    """A link keeps its address; a person is a mention."""
    found = tidy(*parse_html('<a href="example.org">a</a> <a href="tg://user?id=5">c</a>'))
    assert [(e["type"], e.get("url"), e.get("user", {}).get("id")) for e in found.entities] == [
        ("text_link", "http://example.org/", None),
        ("text_mention", None, 5),
    ]


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<br>", 'Unsupported start tag "br" at byte offset 0'),
        ("ä < b>", 'Unsupported start tag "" at byte offset 3'),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ('<a href="x"', "Unclosed start tag at byte offset 0"),
        ("<b class='x'>y</b>", 'Unexpected attribute in the tag "b" at byte offset 0'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("&#xD800;", "invalid Unicode characters"),
    ],
)
def test_what_is_refused(markup: str, words: str) -> None:
    """What is no markup of Telegram's is refused."""
    with pytest.raises(MarkupError) as caught:
        parse_html(markup)
    assert words in str(caught.value)


def test_what_telegram_finds() -> None:
    """Commands, mentions, hashtags and addresses are found in what people write, and not in code."""
    text = "/add@example_bot @ada_l #lamps https://example.org/a#b. a/b mail@example 5/6"
    assert spans(text, written(text).entities) == [
        ("bot_command", "/add@example_bot"),
        ("mention", "@ada_l"),
        ("hashtag", "#lamps"),
        ("url", "https://example.org/a#b"),
    ]
    markup = '<code>/add</code> <a href="https://example.org">#lamps</a>'
    assert [e["type"] for e in tidy(*parse_html(markup)).entities] == ["code", "text_link"]
