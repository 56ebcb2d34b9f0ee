"""What the bot says is markup that Telegram reads, whole, in messages that it takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.telegram.html import parse_html
from threadcast.bot.chat.views.message import (
    FEW,
    LIMIT,
    Button,
    Message,
    bold,
    code,
    esc,
    esc_lines,
    in_messages,
    link,
    rows,
    split,
    visible,
)
from threadcast.bot.plain import plain

TEXTS = st.text() | st.text(alphabet="<>&;\"'/ab# \n\u202e\x00🏳️‍🌈é\ud800", max_size=60)
LINES = st.one_of(
    TEXTS.map(esc),
    TEXTS.map(bold),
    TEXTS.map(code),
    st.tuples(st.sampled_from(["https://t.me/a?b=c&d=%22", "http://x.example/<>\"'"]), TEXTS).map(
        lambda pair: link(*pair)
    ),
)
MARKUP = st.lists(
    st.lists(LINES, max_size=4).map("".join) | LINES.map(lambda line: f"<i>{line} {line}</i>"), max_size=12
).map("\n".join)


def joined(text: str) -> str:
    return text.replace("\n", "")


@given(TEXTS)
def test_text_from_outside_stays_text(text: str) -> None:
    """Whatever comes from outside is read as it is, on one line, and nothing in it is markup."""
    assert parse_html(esc(text)) == (plain(text), [])
    assert visible(esc(text)) == plain(text)


@given(TEXTS)
def test_its_lines_stay_lines(text: str) -> None:
    """Of a text of several lines, each stays a line of its own."""
    assert parse_html(esc_lines(text)) == ("\n".join(plain(line) for line in text.split("\n")), [])


@given(TEXTS)
def test_bold_and_code(text: str) -> None:
    """Bold text and code are that from end to end."""
    for html, kind in ((bold(text), "bold"), (code(text), "code")):
        shown, entities = parse_html(html)
        assert shown == plain(text)
        assert [one["type"] for one in entities] == ([kind] if text else [])


@given(st.sampled_from(["https://", "http://"]), TEXTS, TEXTS)
def test_a_link_shows_its_text(scheme: str, rest: str, text: str) -> None:
    """A link shows its text, whatever its address is."""
    assert parse_html(link(scheme + rest, text))[0] == plain(text)


@pytest.mark.parametrize("address", ["javascript:alert(1)", "tg://user?id=1", "", "ftp://x.example"])
def test_only_the_web_is_linked(address: str) -> None:
    """What is no address of the web stays text."""
    assert link(address, "a <b>") == "a &lt;b&gt;"


@given(MARKUP, st.integers(1, 40) | st.just(LIMIT))
def test_a_text_is_split_and_nothing_is_lost(html: str, limit: int) -> None:
    """Each piece is markup of its own, short enough, and together they show all that the whole shows."""
    pieces = split(html, limit)
    for piece in pieces:
        assert len(parse_html(piece)[0]) <= limit
        assert parse_html(piece)[0] == visible(piece)
    assert joined("".join(map(visible, pieces))) == joined(visible(html))


@given(MARKUP)
def test_what_fits_is_one_piece(html: str) -> None:
    """A text that fits, or that fits in so many lines, is not cut in its lines."""
    longest = max(len(visible(line)) for line in html.split("\n"))
    lines = "\n".join(split(html, max(longest, 1))).split("\n")
    assert [line for line in lines if line] == [line for line in html.split("\n") if line]


def test_a_tag_goes_on_in_the_next_piece() -> None:
    """Where a line has to be cut inside a tag, the tag ends there and begins again."""
    html = '<b>ab<a href="https://x.example">cd&amp;</a>f</b>g'
    assert split(html, 3) == [
        '<b>ab<a href="https://x.example">c</a></b>',
        '<b><a href="https://x.example">d&amp;</a>f</b>',
        "g",
    ]


@pytest.mark.parametrize("html", ["", "\n", "a"])
def test_nothing_is_one_piece(html: str) -> None:
    """Even nothing is one piece: whoever says it has something to say it in."""
    assert split(html) == [html.strip("\n")]


class TestInMessages:
    def test_short(self) -> None:
        """What fits is one message, as it is."""
        said = Message("a", ((Button("b", "c"),),), quiet=True)
        assert in_messages(said) == (said,)

    def test_a_few(self) -> None:
        """What is longer is a few messages, with the buttons below the last."""
        buttons = ((Button("b", "c"),),)
        said = Message("\n".join(["x" * 3000] * FEW), buttons, quiet=True)
        assert in_messages(said) == (
            Message("x" * 3000, quiet=True),
            Message("x" * 3000, quiet=True),
            Message("x" * 3000, buttons, quiet=True),
        )

    @pytest.mark.parametrize(
        ("first", "caption"),
        [("<b>History</b>", "<b>History</b>"), ("", "The answer"), ("y" * 201, "The answer")],
    )
    def test_many(self, first: str, caption: str) -> None:
        """What is longer still is a file, under the first line where that is short."""
        said = Message("\n".join([first, *["&lt;" + "x" * 3000] * (FEW + 1)]), ((Button("b", "c"),),))
        (message,) = in_messages(said)
        assert message.text == f"{caption}\n(the whole answer is in the file)"
        assert message.file == ("answer.txt", f"{visible(said.text)}\n".encode())
        assert message.buttons == said.buttons


def test_rows() -> None:
    """Rows have no holes, and none is empty."""
    one, two = Button("1", "1"), Button("2", "2")
    assert rows((one, None, two), (None,), (), (two,)) == ((one, two), (two,))
