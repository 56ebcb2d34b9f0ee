"""The time by the database: where machines share a queue, none of their own clocks counts."""

import time
from datetime import UTC, datetime, timedelta

from threadcast.bot.channels.port import Clock, now
from threadcast.queue.store.database import Database


class DatabaseClock:
    """The database's time, measured now and then and counted on from there.

    What is counted is the time that passed on this machine: setting its clock changes nothing. `measure`
    blocks, and raises StoreError.
    """

    def __init__(self, database: Database) -> None:
        self._machines = database.machines
        self._measured = datetime.min.replace(tzinfo=UTC)
        self._at = 0.0

    def measure(self) -> "DatabaseClock":
        """Ask the database for its time."""
        began = time.monotonic()
        self.set(self._machines.now(), began)
        return self

    def set(self, moment: datetime, began: float) -> None:
        """The database has answered with its time to a question asked when `time.monotonic` was `began`.

        An answer that is as right as the time counted so far changes nothing: no step back for a late one.
        """
        ended = time.monotonic()
        doubt = timedelta(seconds=(ended - began) / 2)
        if abs(moment + doubt - self()) > doubt:
            self._measured, self._at = moment + doubt, ended

    def __call__(self) -> datetime:
        return self._measured + timedelta(seconds=time.monotonic() - self._at)


def clock_of(database: Database) -> Clock:
    """The clock of a command: the database's, where that is a server. Raises StoreError."""
    return now if database.is_file else DatabaseClock(database).measure()
