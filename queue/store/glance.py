"""A quick look at a queue's titles, for completion at the press of a key.

An SQLite file is read with the standard library alone: bringing in all that a store needs takes longer
than a person waits for a Tab key. Nothing is made, brought up to date or changed.
"""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path

MOST = 100  # titles; more than a person reads
PATIENCE = 0.2  # seconds to wait for another program's lock

_TITLES = """
    SELECT id, title FROM threads
    WHERE CAST(id AS TEXT) LIKE :typed
      AND (:any OR EXISTS (SELECT 1 FROM deliveries
                           WHERE deliveries.thread_id = threads.id AND deliveries.state IN ({states})))
    ORDER BY id DESC LIMIT :most
"""


def titles(url: str, typed: str, states: Collection[str]) -> list[tuple[int, str]]:
    """Numbers and titles of threads whose number begins with `typed`, newest first.

    Only those with a delivery in one of `states`, if any are given.

    Raises whatever the database raises; OSError where there is no SQLite file.
    """
    names = {f"state{index}": str(state) for index, state in enumerate(states)}
    statement = _TITLES.format(states=", ".join(f":{name}" for name in names))
    values = {"typed": f"{typed}%", "any": not names, "most": MOST, **names}
    kind, _, path = url.partition(":///")
    if kind.startswith("sqlite"):
        address = f"{Path(path).resolve(strict=True).as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=PATIENCE)) as connection:
            return list(connection.execute(statement, values))
    from sqlalchemy import text  # noqa: PLC0415  # see above

    from threadcast.queue.store.engine import make_engine  # noqa: PLC0415  # see above

    engine = make_engine(url, create=False, patience=2)
    try:
        with engine.connect() as connection:
            return [(row.id, row.title) for row in connection.execute(text(statement), values)]
    finally:
        engine.dispose()
