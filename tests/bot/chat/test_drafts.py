"""What was pasted in several messages is the thread that was meant."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.telegram_chats import clean
from tests.servers.telegram_people import _in_parts as as_clients_cut
from threadcast.bot.chat.drafts import join
from threadcast.queue.parse import parse
from threadcast.queue.thread import Thread

WORDS = st.text("abcdefghij", min_size=1, max_size=12)
PARAGRAPHS = st.lists(WORDS, min_size=1, max_size=40).map(" ".join)
LONG = st.tuples(PARAGRAPHS, st.integers(1, 60)).map(lambda pair: " ".join([pair[0]] * pair[1]))
PARTS = st.lists(PARAGRAPHS | LONG, min_size=1, max_size=4)


def meant(thread: Thread) -> tuple[str, list[tuple[int | None, str]]]:
    return thread.fingerprint, [(part.number, " ".join(part.text.split())) for part in thread.parts]


@settings(deadline=None, max_examples=60)
@given(st.lists(PARTS, min_size=1, max_size=12))
def test_a_paste_that_a_client_cut_is_whole_again(parts: list[list[str]]) -> None:
    """A long thread, cut by a client and cleaned by Telegram, is joined to the same parts and words."""
    text = "\n\n".join(f"{number}/ " + "\n".join(each) for number, each in enumerate(parts, 1)) + " /end"

    pieces = [clean(piece) for piece in as_clients_cut(text)]

    assert list(map(meant, parse(join(pieces)))) == list(map(meant, parse(text)))


@settings(deadline=None, max_examples=60)
@given(st.lists(PARAGRAPHS | LONG.filter(lambda each: len(each) > 9000), min_size=1, max_size=12))
def test_lines_stay_lines(lines: list[str]) -> None:
    """Where a client cut at a line's end, there is a line's end again; where it cut in a line, a blank."""
    text = "1/ " + "\n".join(lines)
    joined = join([clean(piece) for piece in as_clients_cut(text)])
    assert joined.split() == text.split()
    assert len(joined.split("\n")) <= len(text.split("\n"))


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ([], ""),
        (["1/ a"], "1/ a"),
        (["1/ a", "2/ b"], "1/ a\n2/ b"),
        (["1/ a", "and more of it", "2/ b"], "1/ a\nand more of it\n2/ b"),
        (["a"], "a"),
        (["a", "b", "c"], "a\n---\nb\n---\nc"),
        (["1/ " + "x" * 4090, "y", "2/ b"], "1/ " + "x" * 4090 + " y\n2/ b"),
        (["1/ " + "x" * 4090, "2/ b"], "1/ " + "x" * 4090 + "\n2/ b"),
        (["1/ a", "2/ " + "x" * 4090, "3/ b"], "1/ a\n2/ " + "x" * 4090 + "\n3/ b"),
        (["1/ a\n2/ " + "x" * 4090, "30 b"], "1/ a\n2/ " + "x" * 4090 + " 30 b"),
        (["1/ " + "x" * 4000 + "\n" + "x" * 90, "y"], "1/ " + "x" * 4000 + "\n" + "x" * 90 + "\ny"),
        (["x" * 4090, "y", "b"], "x" * 4090 + " y\n---\nb"),
    ],
)
def test_join(pieces: list[str], text: str) -> None:
    """Messages are lines of one text; without any number, a part each."""
    assert join(pieces) == text


@given(st.lists(st.text("abc ", min_size=1, max_size=30).filter(str.strip), min_size=1, max_size=6))
def test_messages_without_numbers_are_parts(pieces: list[str]) -> None:
    """Several messages without any number are a part each."""
    (thread,) = parse(join(pieces))
    assert [" ".join(part.text.split()) for part in thread.parts] == [
        " ".join(each.split()) for each in pieces
    ]
