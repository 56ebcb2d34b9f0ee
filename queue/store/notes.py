"""What a conversation has to remember over a restart: drafts, messages shown, marks.

No rule of the queue rests on it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, delete, func, insert, select

from threadcast.queue.errors import Fault, RepeatedError
from threadcast.queue.model import Once
from threadcast.queue.store.rows import note, upsert
from threadcast.queue.store.schema import NOTES
from threadcast.queue.store.transactions import Transactions

ANSWERS: Final = "answer:"  # how pages begin that keep the answer to a request that may come again
ASKED: Final = 0  # their lines: the proof of what was asked for, and the answer
ANSWERED: Final = 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit log about no thread, for a note that says who steers or what is a channel."""

    what: str
    actor: str
    now: datetime
    channel: str = ""
    detail: str = ""


class Notes:
    """Pages by name, each with numbered lines of text. Each method is one transaction. Raises StoreError."""

    def __init__(self, transactions: Transactions) -> None:
        self._read, self._write = transactions.read, transactions.write

    def write(self, page: str, line: int, text: str, *, now: datetime, entry: Entry | None = None) -> None:
        """Put a text on a line of a page, in place of what stood there. `line` is any 64-bit integer.

        With an `entry` for the audit log.
        """
        with self._write() as connection:
            new = upsert(connection, NOTES).values(page=page, line=line, text=text, at=now)
            connection.execute(
                new.on_conflict_do_update(
                    index_elements=["page", "line"], set_={"text": new.excluded.text, "at": new.excluded.at}
                )
            )
            if entry is not None:
                _log(connection, entry)

    def replace(self, page: str, lines: Mapping[int, str], *, now: datetime) -> None:
        """Put these lines in the place of all that stands on a page."""
        rows = [{"page": page, "line": line, "text": text, "at": now} for line, text in lines.items()]
        with self._write() as connection:
            connection.execute(delete(NOTES).where(NOTES.c.page == page))
            if rows:
                connection.execute(insert(NOTES), rows)

    def read(self, page: str, lines: Collection[int] | None = None) -> dict[int, str]:
        """The lines of a page by number, lowest first, or only these `lines`; none without such a page."""
        query = select(NOTES.c.line, NOTES.c.text).where(NOTES.c.page == page).order_by(NOTES.c.line)
        if lines is not None:
            query = query.where(NOTES.c.line.in_(sorted(lines)))
        with self._read() as connection:
            return {row.line: row.text for row in connection.execute(query)}

    def forget(self, page: str, line: int | None = None, *, entry: Entry | None = None) -> bool:
        """Forget a page, or one line of it; whether there was anything to forget.

        With an `entry` for the audit log where there was.
        """
        lines = [] if line is None else [NOTES.c.line == line]
        with self._write() as connection:
            found = connection.execute(delete(NOTES).where(NOTES.c.page == page, *lines)).rowcount > 0
            if found and entry is not None:
                _log(connection, entry)
            return found

    def forget_old(self, beginning: str, *, before: datetime) -> int:
        """Forget the pages whose names begin like this and on which nothing was written since; how many."""
        old = (
            select(NOTES.c.page)
            .where(NOTES.c.page.startswith(beginning, autoescape=True))
            .group_by(NOTES.c.page)
            .having(func.max(NOTES.c.at) < before)
        )
        with self._write() as connection:
            pages = connection.scalars(old).all()
            connection.execute(delete(NOTES).where(NOTES.c.page.in_(pages)))
            return len(pages)


def refuse_repeated(connection: Connection, once: Once[Any]) -> None:
    """Raise RepeatedError where its page has an answer: within the transaction that writes one."""
    if connection.scalar(select(NOTES.c.line).where(NOTES.c.page == once.page).limit(1)) is not None:
        raise RepeatedError(Fault.REPEATED)


def remember(connection: Connection, once: Once[T], answer: tuple[T, ...], *, now: datetime) -> None:
    """Keep what a request asked for and was answered, in the transaction that meets it."""
    kept = ((ASKED, once.proof), (ANSWERED, once.said(answer)))
    rows = [{"page": once.page, "line": line, "text": text, "at": now} for line, text in kept]
    connection.execute(insert(NOTES), rows)


def _log(connection: Connection, one: Entry) -> None:
    note(connection, one.what, actor=one.actor, now=one.now, channel=one.channel, detail=one.detail)
