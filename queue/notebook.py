"""The port for what a conversation has to remember over a restart: drafts, messages shown, marks.

It stands beside the queue, in the same database, and no rule of the queue rests on it. All times are
aware UTC datetimes. Methods are synchronous, each is one transaction, and they raise
`threadcast.queue.port.StoreError`.
"""

from datetime import datetime
from typing import Protocol


class Notebook(Protocol):
    """Pages by name, each with numbered lines of text."""

    def write(self, page: str, line: int, text: str, *, now: datetime) -> None:
        """Put a text on a line of a page, in place of what stood there. `line` is any 64-bit integer."""
        ...

    def read(self, page: str) -> dict[int, str]:
        """The lines of a page by number, lowest first; none where there is no such page."""
        ...

    def tear_out(self, page: str) -> None:
        """Forget a page, if there is one."""
        ...

    def tear_out_old(self, beginning: str, *, before: datetime) -> int:
        """Forget the pages whose names begin like this and on which nothing was written since; how many."""
        ...
