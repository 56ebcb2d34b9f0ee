"""Transactions that write, on the driver's own cursor, for what SQLAlchemy would only slow down."""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from threadcast.queue.store.engine import BEGIN_WRITING, SqliteConnection, beside


class Direct(Protocol):
    """One database's transactions. They raise what SQLAlchemy would."""

    def writing(self) -> AbstractContextManager[Any]:
        """A transaction that writes, around what is done with its cursor; undone where that raises."""
        ...

    def close(self) -> None: ...


def direct(engine: Engine) -> Direct:
    """For SQLite they have to take turns, as all that write do."""
    return _OnFile(engine) if engine.dialect.name == "sqlite" else _OnServer(engine)


class _OnServer:
    """Each on a connection of the pool, which sees whether the server still has it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def writing(self) -> Iterator[Any]:
        try:
            connection = self._engine.raw_connection()
            try:
                yield connection.cursor()
                connection.commit()
            finally:
                connection.close()  # which undoes what was not committed
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy(error, self._engine) from error

    def close(self) -> None:
        """The pool closes them."""


class _OnFile:
    """All on one connection, kept open: to take it from the pool each time is as much work as a step."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: SqliteConnection | None = None

    @contextmanager
    def writing(self) -> Iterator[Any]:
        try:
            if self._kept is None:
                self._kept = beside(self._engine)
            self._kept.file.require()
            try:
                yield self._kept.execute(BEGIN_WRITING)
                self._kept.commit()
            except BaseException:
                self.close()  # which undoes what was not committed
                raise
        except sqlite3.Error as error:
            raise _as_sqlalchemy(error, self._engine) from error

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def _as_sqlalchemy(error: Exception, engine: Engine) -> BaseException:
    fault = engine.dialect.loaded_dbapi.Error
    return DBAPIError.instance(None, None, error, fault, hide_parameters=True, dialect=engine.dialect)
