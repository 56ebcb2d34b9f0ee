"""The tables of the jobs that machines share: procrastinate's own, in a schema of their own beside ours.

A job is a hint where to look, and the queue is the truth. So where the library's tables are other ones
than they were, they are made anew, with whatever jobs there are: that costs time, and no post.
"""

from hashlib import sha256

from sqlalchemy import Connection, text

from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.store.engine import explained, make_engine, parse_url, place

SCHEMA = "threadcast_jobs"


def bring_up(connection: Connection) -> None:
    """Make the tables of jobs, where they are not there as the library of this program has them."""
    if _is_current(connection):
        return
    connection.execute(text(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE"))
    connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
    connection.execute(text(f"COMMENT ON SCHEMA {SCHEMA} IS '{_digest()}'"))
    before = connection.scalar(text("SHOW search_path"))
    connection.execute(text(f"SET LOCAL search_path TO {SCHEMA}"))
    # Many statements, and no values: the driver's own way takes them as they stand.
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101  # it is open
    driver.execute(_tables())
    connection.execute(text(f"SET LOCAL search_path TO {before}"))


def require_jobs(url: str) -> None:
    """Raise StoreError where a server's tables of jobs are not those of this program's library."""
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        return
    engine = make_engine(url, create=False)
    try:
        with explained(parsed), engine.begin() as connection:
            if not _is_current(connection):
                raise StoreError(Fault.NO_TABLES, place=f"the schema {SCHEMA} in {place(parsed)}")
    finally:
        engine.dispose()


def conninfo(url: str) -> str:
    """The URL as the driver takes it."""
    return parse_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _is_current(connection: Connection) -> bool:
    found = text("SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = :name")
    return bool(connection.scalar(found, {"name": SCHEMA}) == _digest())


def _tables() -> str:
    from procrastinate.schema import SchemaManager  # noqa: PLC0415  # only on a server

    return str(SchemaManager.get_schema())


def _digest() -> str:
    return sha256(_tables().encode()).hexdigest()[:16]
