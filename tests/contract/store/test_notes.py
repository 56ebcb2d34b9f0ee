"""What a conversation remembers, in every notebook."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.store.memory_notebook import MemoryNotebook
from tests.contract.store.samples import MINUTE, NOON
from threadcast.queue.notebook import Notebook
from threadcast.queue.store.sql_store import SqlStore, open_store

OpenNotebook = Callable[[], Notebook]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_book(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenNotebook]:
    """Opens the same fresh notebook again and again, as a service does that is started again."""
    opened: list[SqlStore] = []

    def of(url: str) -> Notebook:
        opened.append(open_store(url))
        return opened[-1].notebook()

    if request.param == "memory":
        book = MemoryNotebook()
        yield lambda: book
    elif request.param == "sqlite":
        yield lambda: of(f"sqlite:///{tmp_path}/queue.db")
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield lambda: of(url)
            for store in opened:
                store.close()
    for store in opened:
        store.close()


@pytest.fixture
def book(open_book: OpenNotebook) -> Notebook:
    return open_book()


def test_a_page_keeps_its_lines_in_order(book: Notebook) -> None:
    """Lines are read by number, whatever the order in which they were written; any 64-bit number goes."""
    for line in (7, -1_000_000_000_123, 2**62, 0):
        book.write("draft", line, f"line {line}", now=NOON)
    assert book.read("draft") == {line: f"line {line}" for line in (-1_000_000_000_123, 0, 7, 2**62)}


def test_a_line_is_written_again(book: Notebook) -> None:
    """A text on a line takes the place of the one before, and the other lines stay."""
    book.write("draft", 1, "one", now=NOON)
    book.write("draft", 2, "two", now=NOON)
    book.write("draft", 1, "uno", now=NOON)
    assert book.read("draft") == {1: "uno", 2: "two"}


def test_pages_are_apart(book: Notebook) -> None:
    """What is written on one page is on no other, and tearing one out leaves the others."""
    book.write("draft:1", 1, "one", now=NOON)
    book.write("draft:2", 1, "two", now=NOON)
    book.tear_out("draft:1")
    book.tear_out("no such page")
    assert (book.read("draft:1"), book.read("draft:2")) == ({}, {1: "two"})


def test_what_is_old_goes(book: Notebook) -> None:
    """Pages go on which nothing was written since a moment; the beginning of a name is meant literally."""
    book.write("draft_a", 1, "old", now=NOON)
    book.write("draft_b", 1, "old", now=NOON)
    book.write("draft_b", 2, "new", now=NOON + MINUTE)
    book.write("draft%a", 1, "another kind", now=NOON)
    assert book.tear_out_old("draft_", before=NOON + MINUTE) == 1
    assert book.read("draft_a") == {}
    assert book.read("draft_b") == {1: "old", 2: "new"}
    assert book.read("draft%a") == {1: "another kind"}
    assert book.tear_out_old("draft_", before=NOON) == 0


def test_it_outlives_its_writer(open_book: OpenNotebook) -> None:
    """Another program, or the next start, reads what was written."""
    open_book().write("marks", 0, "42 – ⬇️", now=NOON)
    assert open_book().read("marks") == {0: "42 – ⬇️"}
