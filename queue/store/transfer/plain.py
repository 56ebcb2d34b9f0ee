"""A row as JSON holds it, for a person to read; and a row of what may be anything. Pure."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from string import Formatter
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Table

from threadcast.queue.errors import BackupError, Fault
from threadcast.queue.sentences import Sentence, from_json, to_json
from threadcast.queue.store.rows import content_row, threads
from threadcast.queue.store.schema import MEDIA, THREADS, Files, Said, UtcTime, Word, Words

LARGEST: Final = 2**53  # what every reader of JSON takes for a whole number

Row = dict[str, Any]


def plain(column: "Column[Any]", value: Any) -> Any:
    """Return a value as JSON holds it, for a person to read."""
    if column is THREADS.c.content:
        return json.loads(value)
    write = WRITERS.get(type(column.type))
    return value if value is None or write is None else write(value)


def _said(value: str) -> Any:
    return json.loads(to_json(value)) if isinstance(value, Sentence) else value


def row_of(table: Table, given: Row) -> Row:
    """Return a row of what may be anything. Raises BackupError."""
    row: Row = {}
    for column in table.columns:
        try:
            row[column.name] = _value(column, given.get(column.name))
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError, MemoryError) as error:
            cause = "no such value" if isinstance(error, ValidationError) else str(error)
            raise refused(f"{table.name}, {column.name}", cause) from None
    if table is THREADS:
        row |= content_row(row["content"])
    return row


def _value(column: "Column[Any]", raw: Any) -> Any:
    if raw is None:
        if not column.nullable:
            raise ValueError("missing")
        return None
    if column is THREADS.c.content:
        return threads().validate_json(json.dumps(raw))
    kind = column.type
    read = kind.words if isinstance(kind, Word) else READERS.get(type(kind), _text)
    return read(raw)


def _moment(raw: Any) -> datetime:
    moment = datetime.fromisoformat(raw)
    if moment.utcoffset() is None:
        raise ValueError("a time without a zone")
    return moment


def _whole(raw: Any) -> int:
    if isinstance(raw, bool) or abs(_of(int, raw)) > LARGEST:
        raise ValueError("no whole number")
    return int(raw)


def _of(kind: Any, raw: Any) -> Any:
    if not isinstance(raw, kind):
        raise ValueError("another kind of value")  # noqa: TRY004  # said as what does not fit
    return raw


def _text(raw: Any) -> str:
    if "\0" in _of(str, raw):
        raise ValueError("no text")
    raw.encode()  # a half of a pair of surrogates is none
    return str(raw)


def _sentence(raw: Any) -> str:
    """Return a sentence whose places are plain: what is put into them is not reached into."""
    if isinstance(raw, str):
        return _text(raw)
    for message in (raw["says"], raw.get("many", "")):
        for _, name, form, _ in Formatter().parse(_text(message)):
            if name is not None and not (name.isidentifier() and form in {"", ","}):
                raise ValueError("no sentence")
    for one in raw["about"].values():
        if isinstance(one, dict):
            _sentence(one)
    return from_json(json.dumps(raw))


# By the type of a column; what is not here is text.
WRITERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    UtcTime: datetime.isoformat,
    Words: list,
    Files: partial(MEDIA.dump_python, mode="json"),
    Said: _said,
    Word: str,
}
READERS: Final[Mapping[type, Callable[[Any], Any]]] = {
    UtcTime: _moment,
    Words: lambda raw: tuple(map(_text, raw)),
    Files: lambda raw: MEDIA.validate_json(json.dumps(raw)),
    Said: _sentence,
    Boolean: partial(_of, bool),
    Integer: _whole,
    BigInteger: _whole,
    Float: lambda raw: float(_of((int, float), raw)),
}


def refused(where: str, cause: str) -> BackupError:
    """Return what is raised for rows that do not fit, and where."""
    return BackupError(Fault.NOT_TAKEN, where=where, cause=cause)
