"""What a backup does not know: what happened in the queue that it replaced, after it was made."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from threadcast.queue.store.copies import open_file

_WENT_OUT = """
    SELECT new.thread_id, new.channel, threads.title, old.sent - new.sent AS posts
    FROM main.deliveries AS new
    JOIN main.threads ON threads.id = new.thread_id
    JOIN replaced.deliveries AS old
      ON (old.id, old.channel, old.fingerprint) = (new.id, new.channel, new.fingerprint)
    WHERE old.sent > new.sent AND new.state NOT IN ('cancelled', 'withdrawn')
    ORDER BY new.thread_id, new.channel
"""
_ADDED = """
    SELECT old.id, old.title FROM replaced.threads AS old
    WHERE NOT EXISTS (SELECT 1 FROM main.threads AS new
                      WHERE (new.id, new.created) = (old.id, old.created))
    ORDER BY old.id
"""


@dataclass(frozen=True, slots=True)
class WentOut:
    """Posts of a chain that are out, and that a restored queue has as still to be sent."""

    thread: int
    channel: str
    title: str
    posts: int


@dataclass(frozen=True, slots=True)
class Since:
    """What went out since, and which threads were added: their numbers and titles."""

    out: tuple[WentOut, ...] = ()
    added: tuple[tuple[int, str], ...] = ()


def since(restored: Path, replaced: Path) -> Since | None:
    """Compare two queues; None where the replaced one cannot be read, as where it is damaged."""
    try:
        with closing(open_file(restored, "ro")) as connection:
            connection.execute("ATTACH DATABASE ? AS replaced", (f"{replaced.resolve().as_uri()}?mode=ro",))
            out = tuple(WentOut(*row) for row in connection.execute(_WENT_OUT))
            added = tuple((number, title) for number, title in connection.execute(_ADDED))
    except sqlite3.DatabaseError:
        return None
    return Since(out, added)
