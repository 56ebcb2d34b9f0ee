"""The gate between a commit and the request that it must come before.

That a post will be sent has to be on disk before the first byte of its request leaves this machine. To
prepare that request, and to wait for the disk, take about as long: they go on at the same time, and the
request waits at its gate.
"""

from dataclasses import dataclass
from threading import Lock

from threadcast.bot.promptly import Pending
from threadcast.queue.store import PostRecord


class HeldBackError(Exception):
    """The gate never opens for this request: certainly nothing of it has left this machine."""


class Gate:
    """Open once `commit` has succeeded; without one it is open from the start.

    An adapter passes it once, right before the request is handed to the network.
    """

    def __init__(self, commit: Pending | None = None) -> None:
        self._commit = commit
        self._lock = Lock()
        self._passed = self._shut = False

    async def passed(self) -> None:
        """Return once the request may leave. Raises HeldBackError where it never may."""
        if self._commit is not None:
            await self._commit.ended()
        self._pass()

    def wait(self) -> None:
        """The same for a thread of its own."""
        if self._commit is not None:
            self._commit.wait()
        self._pass()

    def shut(self) -> bool:
        """Let nothing pass from now on; False where the request has passed already."""
        with self._lock:
            self._shut = not self._passed
            return self._shut

    async def settled(self) -> None:
        """Wait for the commit, and raise what it raised."""
        if self._commit is not None:
            await self._commit.ended()
            self._commit.check()

    def _pass(self) -> None:
        if self._commit is not None and self._commit.failed:
            raise HeldBackError("the queue could not be written")
        with self._lock:
            if self._shut:
                raise HeldBackError("the service is stopping")
            self._passed = True


@dataclass(frozen=True, slots=True)
class Intended:
    """A post whose intent is on disk, or on its way there: then the gate opens when it has arrived."""

    post: PostRecord
    gate: Gate
