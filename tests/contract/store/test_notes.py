"""What a conversation remembers, in every notebook."""

from collections.abc import Callable

import pytest

from tests.contract.store.samples import MINUTE, NOON
from tests.contract.store.steps import OpenDatabase
from threadcast.queue.store.notes import Entry, Notes

OpenNotes = Callable[[], Notes]


@pytest.fixture
def open_book(open_one: OpenDatabase) -> OpenNotes:
    """Opens the same fresh notes again and again, as a service does that is started again."""
    return lambda: open_one().notes


@pytest.fixture
def book(open_book: OpenNotes) -> Notes:
    return open_book()


def test_a_page_keeps_its_lines_in_order(book: Notes) -> None:
    """Lines are read by number, whatever the order in which they were written; any 64-bit number goes."""
    for line in (7, -1_000_000_000_123, 2**62, 0):
        book.write("draft", line, f"line {line}", now=NOON)
    assert book.read("draft") == {line: f"line {line}" for line in (-1_000_000_000_123, 0, 7, 2**62)}


def test_a_line_is_written_again(book: Notes) -> None:
    """A text on a line takes the place of the one before, and the other lines stay."""
    book.write("draft", 1, "one", now=NOON)
    book.write("draft", 2, "two", now=NOON)
    book.write("draft", 1, "uno", now=NOON)
    assert book.read("draft") == {1: "uno", 2: "two"}


def test_pages_are_apart(book: Notes) -> None:
    """What is written on one page is on no other, and tearing one out leaves the others."""
    book.write("draft:1", 1, "one", now=NOON)
    book.write("draft:2", 1, "two", now=NOON)
    book.forget("draft:1")
    book.forget("no such page")
    assert (book.read("draft:1"), book.read("draft:2")) == ({}, {1: "two"})


def test_a_note_is_in_the_audit_log(open_one: OpenDatabase) -> None:
    """What is noted with an entry is in the audit log once, with who did it; so is what is struck out."""
    database = open_one()
    database.notes.write(
        "people", 1, "one", now=NOON, entry=Entry("admit", "telegram:1", NOON, detail="shell:ada")
    )
    gone = Entry("revoke", "telegram:2", NOON, "news")
    found = [database.notes.forget("people", line, entry=gone) for line in (1, 1)]
    assert (found, database.notes.read("people")) == ([True, False], {})
    assert [(one.what, one.actor, one.channel, one.detail) for one in database.reading.events()] == [
        ("admit", "telegram:1", "", "shell:ada"),
        ("revoke", "telegram:2", "news", ""),
    ]


def test_what_is_old_goes(book: Notes) -> None:
    """Pages go on which nothing was written since a moment; the beginning of a name is meant literally."""
    book.write("draft_a", 1, "old", now=NOON)
    book.write("draft_b", 1, "old", now=NOON)
    book.write("draft_b", 2, "new", now=NOON + MINUTE)
    book.write("draft%a", 1, "another kind", now=NOON)
    assert book.forget_old("draft_", before=NOON + MINUTE) == 1
    assert book.read("draft_a") == {}
    assert book.read("draft_b") == {1: "old", 2: "new"}
    assert book.read("draft%a") == {1: "another kind"}
    assert book.forget_old("draft_", before=NOON) == 0


def test_it_outlives_its_writer(open_book: OpenNotes) -> None:
    """Another program, or the next start, reads what was written."""
    open_book().write("marks", 0, "42 – ⬇️", now=NOON)
    assert open_book().read("marks") == {0: "42 – ⬇️"}


def test_a_page_is_replaced(book: Notes) -> None:
    """New lines take the place of all that stood on a page, and of no other; none are none."""
    book.write("a", 1, "old", now=NOON)
    book.write("b", 1, "other", now=NOON)
    book.replace("a", {-5: "new", 2: "more"}, now=NOON)
    assert (book.read("a"), book.read("b")) == ({-5: "new", 2: "more"}, {1: "other"})
    book.replace("a", {}, now=NOON)
    assert book.read("a") == {}
