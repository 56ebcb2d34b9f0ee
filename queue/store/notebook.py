"""The notebook in an SQL database. `threadcast.queue.notebook.Notebook` is its specification."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from threadcast.queue.store.schema import NOTES

Transaction = Callable[[], AbstractContextManager[Connection]]


class SqlNotebook:
    """Notes in a store's database; `reading` and `writing` begin its transactions."""

    def __init__(self, reading: Transaction, writing: Transaction) -> None:
        self._reading = reading
        self._writing = writing

    def write(self, page: str, line: int, text: str, *, now: datetime) -> None:
        with self._writing() as connection:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            new = dialect.insert(NOTES).values(page=page, line=line, text=text, at=now)
            connection.execute(
                new.on_conflict_do_update(
                    index_elements=["page", "line"], set_={"text": new.excluded.text, "at": new.excluded.at}
                )
            )

    def read(self, page: str) -> dict[int, str]:
        query = select(NOTES.c.line, NOTES.c.text).where(NOTES.c.page == page).order_by(NOTES.c.line)
        with self._reading() as connection:
            return {row.line: row.text for row in connection.execute(query)}

    def tear_out(self, page: str) -> None:
        with self._writing() as connection:
            connection.execute(delete(NOTES).where(NOTES.c.page == page))

    def tear_out_old(self, beginning: str, *, before: datetime) -> int:
        old = (
            select(NOTES.c.page)
            .where(NOTES.c.page.startswith(beginning, autoescape=True))
            .group_by(NOTES.c.page)
            .having(func.max(NOTES.c.at) < before)
        )
        with self._writing() as connection:
            pages = connection.scalars(old).all()
            connection.execute(delete(NOTES).where(NOTES.c.page.in_(pages)))
            return len(pages)
