"""How a database is reached: its URL, safe settings for SQLite, and its faults in words.

SQLite: https://www.sqlite.org/pragma.html, https://www.sqlite.org/lang_transaction.html
"""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, OperationalError, SQLAlchemyError

from threadcast.queue.errors import Fault, GoneError, StoreError
from threadcast.queue.sentences import Sentence

PATIENCE = 10.0  # seconds to wait for a lock or a connection
OLDEST_SQLITE = (3, 35, 0)  # the first with RETURNING

# `transactions.py` makes WAL safe with every version. The log is written back after so few pages (1000 is
# usual) that it is soon written over: while the file grows, each commit costs the file system more.
# None of these changes the file: that it is in write-ahead mode is written in it (`write_ahead`). The full
# syncs are what macOS needs to get past the disk's own cache.
_PRAGMAS = (
    "wal_autocheckpoint = 100",
    "synchronous = FULL",
    "fullfsync = ON",
    "checkpoint_fullfsync = ON",
    "foreign_keys = ON",
)
# What may stand beside a database file, and belongs to it.
SIDES = ("-wal", "-shm", "-journal")
# After so long (in milliseconds) a server that does not answer is taken to be gone, and so is a client that
# says nothing in the middle of a transaction: one that is frozen, or was cut off, would keep its locks.
_UNHEARD = {"tcp_user_timeout": 5000, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 2}
LONGEST_PAUSE = 4000
_WRITES = "threadcast_writes"
_ERRNO = re.compile(r"\[Errno -?[0-9]+\] ")  # a number that tells nobody anything
_FORMS = "sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/NAME"
_DRIVERS = {
    "sqlite": "sqlite",
    "sqlite+pysqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parse_url(url: str) -> URL:
    """The URL with its driver named. Raises StoreError, which never shows the URL: it may hold a password."""
    try:
        given = make_url(url)
    except (ArgumentError, ValueError):
        raise StoreError(Fault.URL, forms=_FORMS) from None
    driver = _DRIVERS.get(given.drivername)
    if driver is None:
        raise StoreError(Fault.URL_KIND, kind=given.drivername, forms=_FORMS)
    parsed = given.set(drivername=driver)
    if driver != "sqlite":
        return parsed
    if given.host or given.username or given.query:
        raise StoreError(Fault.URL_MORE)
    if not given.database or given.database == ":memory:" or given.database.startswith("file:"):
        raise StoreError(Fault.URL_MEMORY)
    return parsed


def is_sqlite(url: str) -> bool:
    """Whether the URL names an SQLite file. Raises StoreError."""
    return parse_url(url).drivername == "sqlite"


def place(url: URL) -> str:
    """What a person calls the database, free of secrets."""
    if url.drivername == "sqlite":
        return f"the database {url.database}"
    host = url.host or url.query.get("host") or "this machine"
    return f"the PostgreSQL database {url.database or '(default)'} on {host}"


def real_file(url: URL) -> Path:
    """The file of an SQLite URL after all links: SQLite's own side files stand beside that one too."""
    return Path(os.path.realpath(url.database or ""))


def is_missing(url: str) -> bool:
    """Whether the URL names an SQLite file that is not there. Raises StoreError."""
    parsed = parse_url(url)
    return parsed.drivername == "sqlite" and not real_file(parsed).exists()


def require_sqlite(version: tuple[int, ...]) -> None:
    """Raise StoreError where this SQLite is too old."""
    if version < OLDEST_SQLITE:
        raise StoreError(Fault.OLD_SQLITE, version=".".join(map(str, version)))


def make_file(path: Path) -> None:
    """Make an empty database file, for its owner only, and its folder; leave an existing one alone.

    SQLite gives its side files (-wal, -shm, -journal) the mode of the database. Raises StoreError.
    """
    make_folder(path)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise _cannot_make(path, error) from error


def make_folder(path: Path) -> None:
    """Make the folder of a database file, for its owner only, where it is missing. Raises StoreError."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_make(path, error) from error


def _cannot_make(path: Path, error: OSError) -> StoreError:
    return StoreError(Fault.NOT_MADE, path=path, cause=error.strerror)


def _look_for(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise StoreError(Fault.MISSING, path=path) from None
    except OSError as error:
        raise StoreError(Fault.NOT_OPENED, path=path, cause=error.strerror) from error
    if not stat.S_ISREG(mode):
        raise StoreError(Fault.NO_FILE, path=path)


class _File:
    """An SQLite file as it was when it was opened: what is written to one that was taken away is lost."""

    def __init__(self, path: Path, mode: str, patience: float) -> None:
        self.path = path
        self._mode = mode
        self._patience = patience
        self._identity = self._look()

    def _look(self) -> tuple[int, int] | None:
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def require(self) -> None:
        """Raise GoneError where the path leads to another file by now, or to none."""
        found = self._look()
        if found != self._identity:
            raise GoneError(Fault.REMOVED if found is None else Fault.REPLACED, path=self.path)

    def connect(self) -> "SqliteConnection":
        """A connection to this very file. Where it has gone, SQLite must not make a new one."""
        self.require()
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode={self._mode}",
            uri=True,
            timeout=self._patience,
            check_same_thread=False,
            factory=SqliteConnection,
        )
        connection.file = self
        return connection


class SqliteConnection(sqlite3.Connection):
    """A connection that knows its file."""

    file: _File


def make_engine(url: str, *, create: bool, patience: float = PATIENCE) -> Engine:
    """An engine on the database; connects at first use.

    `create` makes an SQLite file that is not there, empty; without, its absence is a StoreError.
    `patience` is how long to wait for another program's lock, in seconds. Where an SQLite file is taken
    away while it is in use, the next transaction raises GoneError instead of beginning.
    """
    parsed = parse_url(url)
    if parsed.drivername != "sqlite":
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": int(patience), "application_name": "threadcast", **_UNHEARD},
        )
        event.listen(engine, "connect", _prepare_postgresql)
        return engine
    require_sqlite(sqlite3.sqlite_version_info)
    path = real_file(parsed)
    if create:
        make_file(path)
    _look_for(path)
    return _sqlite_engine(parsed, _File(path, "rw", patience))


def reading_engine(url: URL) -> Engine:
    """An engine on an SQLite file that cannot change it, not even by tidying up what a crash left."""
    return _sqlite_engine(url, _File(real_file(url), "ro", PATIENCE))


def _sqlite_engine(url: URL, file: _File) -> Engine:
    engine = create_engine(url, hide_parameters=True, creator=file.connect)
    event.listen(engine, "connect", prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def write_ahead(engine: Engine) -> None:
    """Put an SQLite file into write-ahead mode, in which it stays. Not while it is written to elsewhere."""
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL").close()
    finally:
        connection.close()


def is_write_ahead(connection: Connection) -> bool:
    """Whether an SQLite file is in write-ahead mode."""
    return connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def writing(engine: Engine) -> Engine:
    """The same engine and pool; its transactions hold SQLite's write lock from their first moment.

    A transaction that reads first and then writes is refused at once where another one wrote
    meanwhile, however long it would wait.
    """
    return engine.execution_options(**{_WRITES: True})


def prepare_sqlite(connection: Any, _record: Any = None) -> None:
    """Give the driver's connection the settings that every one of ours has."""
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    connection.execute(f"SET idle_in_transaction_session_timeout = {LONGEST_PAUSE}")
    connection.commit()


def _begin_sqlite(connection: Connection) -> None:
    # Not where the pool gives a connection out: it would close that one and open another on the new file.
    driver = connection.connection.driver_connection
    if isinstance(driver, SqliteConnection):
        driver.file.require()
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN DEFERRED")


@contextmanager
def explained(url: URL) -> Iterator[None]:
    """Turn what the database says into a StoreError that names the database, the cause and the next step."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _fault(url, error) from error
    except UnicodeError as error:
        raise StoreError(Fault.HALF_CHARACTER, place=place(url)) from error


def _fault(url: URL, error: SQLAlchemyError) -> StoreError:
    cause = error.orig if isinstance(error, DBAPIError) else None
    name = str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or "")
    if not name and isinstance(error, DataError):
        name = "22"  # refused by the driver, before the server could say so
    elif not name and isinstance(error, OperationalError):
        name = "08"  # no server answered
    code = next((code for prefix, code in _FAULTS.items() if name.startswith(prefix)), Fault.UNUSABLE)
    told = " ".join(str(cause or getattr(error, "orig", None) or "its driver says no more").split())
    told = _ERRNO.sub("", told)
    if url.password:
        told = told.replace(str(url.password), "***")
    return StoreError(code, place=place(url), cause=told)


# What SQLite calls an error (https://www.sqlite.org/rescode.html), or PostgreSQL's SQLSTATE
# (https://www.postgresql.org/docs/current/errcodes-appendix.html), by prefix.
_FAULTS = {
    "SQLITE_FULL": Fault.FULL,
    "SQLITE_READONLY": Fault.READ_ONLY,
    "SQLITE_BUSY": Fault.BUSY,
    "SQLITE_LOCKED": Fault.BUSY,
    "SQLITE_CORRUPT": Fault.CORRUPT,
    "SQLITE_NOTADB": Fault.NO_DATABASE,
    "SQLITE_CANTOPEN": Fault.UNOPENED,
    "SQLITE_PERM": Fault.FORBIDDEN,
    "SQLITE_AUTH": Fault.FORBIDDEN,
    "SQLITE_IOERR": Fault.DISK,
    "08": Fault.UNREACHED,
    "22": Fault.ODD_TEXT,
    "25006": Fault.REPLICA,
    "42501": Fault.NO_RIGHTS,
    "53": Fault.NO_ROOM,
    "55P03": Fault.BUSY,
    "57P": Fault.SHUT_DOWN,
    "40": Fault.COLLISION,
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """A setting that lets a power cut take back what was confirmed, and what to do about it."""

    what: str
    advice: str


_UNSAFE = {
    "synchronous_commit": Doubt(
        Sentence("commits do not wait for the disk (synchronous_commit = off)"),
        Sentence("for the user of THREADCAST_DATABASE_URL: ALTER ROLE … SET synchronous_commit = on"),
    ),
    "fsync": Doubt(
        Sentence("the server never waits for the disk (fsync = off)"),
        Sentence("set fsync = on in postgresql.conf"),
    ),
    "full_page_writes": Doubt(
        Sentence("a page half written stays broken (full_page_writes = off)"),
        Sentence("set full_page_writes = on in postgresql.conf"),
    ),
}


def doubts(url: str) -> tuple[Doubt, ...]:
    """The settings of a PostgreSQL server that may lose a commit; none for SQLite. Raises StoreError.

    An SQLite file keeps what it confirmed by our own settings; a server's are its owner's.
    https://www.postgresql.org/docs/current/wal-reliability.html
    """
    parsed = parse_url(url)
    if parsed.drivername == "sqlite":
        return ()
    engine = make_engine(url, create=False)
    try:
        with explained(parsed), engine.begin() as connection:
            return tuple(
                doubt for name, doubt in _UNSAFE.items() if connection.scalar(text(f"SHOW {name}")) == "off"
            )
    finally:
        engine.dispose()
