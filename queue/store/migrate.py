"""Bring a database's tables up to date: what `threadcast migrate` does.

Versions are numbers, `0001` and up, kept in a table of our own name: the database may be shared with
a program that uses Alembic too.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import URL

from threadcast.queue.errors import Fault, StoreError
from threadcast.queue.store.engine import (
    SIDES,
    explained,
    is_missing,
    is_write_ahead,
    make_engine,
    make_folder,
    parse_url,
    place,
    reading_engine,
    real_file,
    write_ahead,
    writing,
)
from threadcast.queue.store.fleet import jobs
from threadcast.queue.store.schema import METADATA
from threadcast.queue.store.transactions import one_writer

VERSION_TABLE = "threadcast_version"
_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 0x7468726561646361  # any number that nobody else locks: the first letters of our name


def head() -> str:
    """The version that this program works with."""
    return max(versions())


@cache
def versions() -> frozenset[str]:
    """Every version there ever was: each has a file, named after it."""
    return frozenset(file.name[:4] for file in (_FOLDER / "versions").iterdir() if file.name[:4].isdecimal())


def upgrade(url: str) -> str:
    """Make the tables, or bring them up to date; an SQLite file that is not there is made.

    Gives the version reached. All or nothing, and safe where several programs do it at once. Raises
    StoreError, where the tables are another program's or a newer Threadcast's too; such a file is left
    as it is, to the last byte.
    """
    parsed = parse_url(url)
    if look_first(parsed):
        return head()
    if parsed.drivername == "sqlite":
        make_folder(real_file(parsed))
    with one_writer(parsed):
        if is_missing(url):
            # Those of a file that was taken away: SQLite would take them for this one's.
            for side in SIDES:
                Path(f"{real_file(parsed)}{side}").unlink(missing_ok=True)
        engine = make_engine(url, create=True)
        try:
            with explained(parsed):
                _bring_up(engine, parsed)
                if parsed.drivername == "sqlite":
                    write_ahead(engine)
        finally:
            engine.dispose()
    return head()


def _bring_up(engine: Engine, url: URL) -> None:
    with writing(engine).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        version = _version(connection, url)
        if version is not None:
            _refuse_unknown(version, url)
        if version != head():
            _run_steps(connection)
        if connection.dialect.name == "postgresql":
            jobs.bring_up(connection)


def look_first(url: URL) -> bool:
    """Raise StoreError where an SQLite file is not ours to open, before anything could change it.

    Gives whether it is known to be as it should be.
    """
    if url.drivername != "sqlite" or not _has_content(real_file(url)):
        return False
    engine = reading_engine(url)
    try:
        with explained(url), engine.begin() as connection:
            version = _version(connection, url)
            if version is not None:
                _refuse_unknown(version, url)
            return version == head() and is_write_ahead(connection)
    except StoreError as error:
        # What a crash left may have to be tidied up first, which takes a right to write.
        if not _wants_writing(error):
            raise
        return False
    finally:
        engine.dispose()


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _wants_writing(error: StoreError) -> bool:
    cause = getattr(error.__cause__, "orig", None)
    name = getattr(cause, "sqlite_errorname", "")
    return name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))


def require_head(connection: Connection, url: URL) -> None:
    """Raise StoreError where the database's version is not the one that this program works with."""
    version = _version(connection, url)
    if version is None:
        raise StoreError(Fault.NO_TABLES, place=place(url))
    _refuse_unknown(version, url)
    if version != head():
        raise StoreError(Fault.OLD_TABLES, place=place(url), version=version, head=head())


def _run_steps(connection: Connection, to: str = "head") -> None:
    # Importing Alembic takes a third as long as all else that a command does, and few commands need it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def _version(connection: Connection, url: URL) -> str | None:
    present = set(inspect(connection).get_table_names())
    if VERSION_TABLE in present:
        version = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608  # our own name
        return None if version is None else str(version)
    # An SQLite file belongs to one program; a server's database may hold other programs' tables.
    strange = present if connection.dialect.name == "sqlite" else present & METADATA.tables.keys()
    if strange:
        tables = ", ".join(sorted(strange)[:3])
        raise StoreError(Fault.STRANGE_TABLES, place=place(url), tables=tables)
    return None


def _refuse_unknown(version: str, url: URL) -> None:
    if version.isdecimal() and version > head():
        raise StoreError(Fault.NEWER_TABLES, place=place(url), version=version, head=head())
    if version not in versions():
        raise StoreError(Fault.ODD_VERSION, place=place(url), version=version)
