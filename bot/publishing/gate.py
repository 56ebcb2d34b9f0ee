"""The gate between a commit and the request that it must come before.

That a post will be sent has to be on disk before the first byte of its request leaves this machine. To
prepare that request, and to wait for the disk, take about as long: they go on at the same time, and the
request waits at its gate. Whether it has passed tells those who have to stop what may be out: a request
that never found a connection is not.
"""

from dataclasses import dataclass
from threading import Lock

from threadcast.bot.publishing.promptly import Pending
from threadcast.queue.model import PostRecord


class HeldBackError(Exception):
    """The gate never opens for this request: certainly nobody has got enough of it to act."""


class Gate:
    """Open once `commit` has succeeded; without one it is open from the start.

    An adapter passes it when it has a connection, before the server has got enough of the request to act.
    """

    def __init__(self, commit: Pending | None = None) -> None:
        self._commit = commit
        self._lock = Lock()
        self._passed = self._shut = False

    async def opened(self) -> None:
        """Wait until it is open. Raises HeldBackError where it never will be."""
        if self._commit is not None:
            await self._commit.ended()
        self._check()

    def wait(self, seconds: float = -1) -> bool:
        """The same for a thread of its own, which waits no longer than this; whether it is open."""
        if self._commit is not None and not self._commit.wait(seconds):
            return False
        self._check()
        return True

    def go(self) -> None:
        """Pass the open gate. Raises HeldBackError where it was shut meanwhile: then nothing may leave."""
        if self._commit is not None and not self._commit.done:
            raise HeldBackError("the queue has not written it yet")
        with self._lock:
            self._check()
            self._passed = True

    async def passed(self) -> None:
        """Pass as soon as it is open. Raises HeldBackError where it never will be."""
        await self.opened()
        self.go()

    def shut(self) -> bool:
        """Let nothing pass from now on; False where the request has passed already."""
        with self._lock:
            self._shut = not self._passed
            return self._shut

    def _check(self) -> None:
        if self._commit is not None and self._commit.failed:
            raise HeldBackError("the queue could not be written")
        if self._shut:
            raise HeldBackError("the service is stopping")

    async def settled(self) -> None:
        """Wait for the commit, and raise what it raised."""
        if self._commit is not None:
            await self._commit.ended()
            self._commit.check()


@dataclass(frozen=True, slots=True)
class Intended:
    """A post whose intent is on disk, or on its way there: then the gate opens when it has arrived."""

    post: PostRecord
    gate: Gate
