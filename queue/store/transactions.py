"""How a part of the queue reads and writes: one transaction each time."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from threadcast.queue.store.engine import explained, writing
from threadcast.queue.store.turns import turns


class Transactions:
    """The transactions of one database. They raise StoreError."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.turn = turns(engine.url)
        self._writer = writing(engine)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with explained(self.engine.url), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self.turn(), explained(self._writer.url), self._writer.begin() as connection:
            yield connection
