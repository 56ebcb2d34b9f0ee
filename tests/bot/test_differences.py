"""What was changed in a thread, in a few lines."""

import pytest

from threadcast.bot.differences import SHOWN, WIDTH, differences
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Thread


def thread(*texts: str) -> Thread:
    (found,) = parse("\n".join(f"{place}/ {text}" for place, text in enumerate(texts, start=1)))
    return found


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        (["a", "b"], ["a", "b"], []),
        (["It fals", "b"], ["It falls", "b"], ["− 1/ It fals", "+ 1/ It falls"]),
        (["a", "b"], ["a", "b", "<c>"], ["+ 3/ <c>"]),
        (["a", "b", "c"], ["a", "b"], ["− 3/ c"]),
        (["a", "b\nc"], ["a", "b"], ["− 2/ b c", "+ 2/ b"]),
    ],
)
def test_what_was_and_what_is(before: list[str], after: list[str], lines: list[str]) -> None:
    """A part that is as it was is not shown; what is new and what is gone has one line, a change two."""
    assert differences(thread(*before), thread(*after)) == lines


def test_of_a_long_part_the_place_of_the_change_is_shown() -> None:
    """With its marker, and as much as fits on a line."""
    word = "water " * 40
    old, new = differences(thread("a", f"{word}fals {word}"), thread("a", f"{word}falls {word}"))
    assert old.startswith("− 2/ …")
    assert "fals" in old
    assert "falls" in new
    assert new.endswith("…")
    assert len(new) <= WIDTH + len("+ 2/ ……")
    (gone,) = differences(thread("a", word), thread("a"))
    assert gone.startswith("− 2/ water")


def test_the_end_of_a_long_part_is_shown_where_it_was_changed() -> None:
    """Without a mark of what does not follow."""
    word = "water " * 40
    _old, new = differences(thread(f"{word}fals", "b"), thread(f"{word}falls", "b"))
    assert new.startswith("+ 1/ …")
    assert new.endswith("falls")


def test_many_changes_are_counted() -> None:
    """The first are shown, and how many there are beside them."""
    before, after = [f"a{place}" for place in range(9)], [f"b{place}" for place in range(9)]
    lines = differences(thread(*before), thread(*after))
    assert len(lines) == 2 * SHOWN + 1
    assert lines[-1] == "… and 5 more changes"


def test_settings_and_descriptions_that_were_changed() -> None:
    """What is settled is shown before the parts, and what is said of a file with its part."""
    (before,) = parse("1/ a\n![lamp](a.jpg)\n2/ b")
    (after,) = parse("---\nwarning: sea\n---\n1/ a\n![a lamp](a.jpg)\n2/ b")
    assert differences(before, after) == [
        "+ warning: sea",
        "− 1/ a ![lamp](a.jpg)",
        "+ 1/ a ![a lamp](a.jpg)",
    ]
