"""Whether a database keeps at a power cut what it has confirmed.

An SQLite file does by our own settings (`engine.py`); a server's are its owner's.
https://www.postgresql.org/docs/current/wal-reliability.html
"""

from dataclasses import dataclass

from sqlalchemy import text

from threadcast.queue.store.engine import explained, make_engine, parse_url


@dataclass(frozen=True, slots=True)
class Doubt:
    """A setting that lets a power cut take back what was confirmed, and what to do about it."""

    what: str
    advice: str


_UNSAFE = (
    (
        "synchronous_commit",
        "commits do not wait for the disk (synchronous_commit = off)",
        "for the user of THREADCAST_DATABASE_URL: ALTER ROLE … SET synchronous_commit = on",
    ),
    ("fsync", "the server never waits for the disk (fsync = off)", "set fsync = on in postgresql.conf"),
    (
        "full_page_writes",
        "a page half written stays broken (full_page_writes = off)",
        "set full_page_writes = on in postgresql.conf",
    ),
)


def doubts(url: str) -> tuple[Doubt, ...]:
    """The settings of a PostgreSQL server that may lose a commit; none for SQLite. Raises StoreError."""
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        return ()
    engine = make_engine(url, create=False)
    try:
        with explained(parsed), engine.begin() as connection:
            found = {name: connection.scalar(text(f"SHOW {name}")) for name, _, _ in _UNSAFE}
    finally:
        engine.dispose()
    return tuple(Doubt(what, advice) for name, what, advice in _UNSAFE if found[name] == "off")
