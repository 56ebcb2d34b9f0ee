"""The queue in a database, SQLite or PostgreSQL: opened here, used through its seven parts."""

from pathlib import Path

from sqlalchemy import Engine

from threadcast.queue.errors import StoreError
from threadcast.queue.store import migrate
from threadcast.queue.store.backup import backup
from threadcast.queue.store.changes import Changes
from threadcast.queue.store.engine import explained, make_engine, parse_url
from threadcast.queue.store.figures.backlog import Figures
from threadcast.queue.store.fleet.machines import Machines
from threadcast.queue.store.notes import Notes
from threadcast.queue.store.reading import Reading
from threadcast.queue.store.threads import Threads
from threadcast.queue.store.transactions import Transactions
from threadcast.queue.store.transfer.transfer import Transfer
from threadcast.queue.store.work import Work


def open_database(url: str, *, create: bool = True) -> "Database":
    """Open the queue at an SQLAlchemy URL, `sqlite:///FILE` or `postgresql://…`.

    `create` makes an SQLite file that is not there yet, with its tables. A database without tables,
    or with tables of another version, is left alone. Raises StoreError.
    """
    parsed = parse_url(url)
    if create and parsed.drivername == "sqlite" and not Path(parsed.database or "").exists():
        migrate.upgrade(url)
    migrate.look_first(parsed)
    engine = make_engine(url, create=False)
    try:
        with explained(parsed), engine.begin() as connection:
            migrate.require_head(connection, parsed)
    except StoreError:
        engine.dispose()
        raise
    return Database(engine)


class Database:
    """A queue in tables of the current version. May be used from several threads.

    `threads`: what is queued. `work`: what a worker does with a delivery. `changes`: what a person asks
    for, and what was learned about a channel. `reading`: what the queue says. `notes`: what a
    conversation remembers. `machines`: who shares it, on a server. `figures`: what it comes to. `transfer`:
    all of it, out and in again.
    """

    def __init__(self, engine: Engine) -> None:
        self.is_file = engine.url.drivername == "sqlite"  # then one service works on it, and no other machine
        self.transactions = Transactions(engine)
        self.threads = Threads(self.transactions)
        self.work = Work(self.transactions)
        self.changes = Changes(self.transactions)
        self.reading = Reading(self.transactions)
        self.notes = Notes(self.transactions)
        self.machines = Machines(self.transactions)
        self.figures = Figures(self.transactions)
        self.transfer = Transfer(self.transactions)

    def backup(self, target: Path) -> None:
        """Copy the queue into a new file: see `backup`."""
        backup(self.transactions.engine.url.render_as_string(hide_password=False), target)

    def close(self) -> None:
        """Let go of files and connections. Idempotent."""
        self.transactions.engine.dispose()
