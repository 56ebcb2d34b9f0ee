"""Where a channel is published: in this process, or by whichever machine takes the hint.

*When* is the scheduler's. What it is told here is a hint: the queue alone says what is due, and a claim
decides who publishes. A lost, late or doubled hint costs time, never a post.
"""

from collections.abc import Callable, Collection
from typing import Protocol

Run = Callable[[str], bool]


class Dispatcher(Protocol):
    """The port. Never blocks."""

    def dispatch(self, channels: Collection[str] | None = None) -> None:
        """Have these channels looked at, and what is due on them published.

        None: all on which there may be something.
        """
        ...


class Here:
    """Looks in this process, which works on an SQLite file alone.

    `run` begins to look at a channel of this name; `names` gives those that there are.
    """

    def __init__(self, run: Run, names: Callable[[], Collection[str]]) -> None:
        self._run = run
        self._names = names

    def dispatch(self, channels: Collection[str] | None = None) -> None:
        for name in tuple(self._names() if channels is None else channels):
            self._run(name)
