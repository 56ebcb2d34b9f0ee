"""Waiting for what is done in a moment, and not for what is not."""

import asyncio
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Lock, Thread

# How long the loop stands still for a call, in seconds: a few transactions on a healthy disk.
MOMENT = 0.002

_Call = Callable[[], None]


class Pending:
    """Something that a thread does, and what it raised. A `Future` takes several times as long for less."""

    def __init__(self) -> None:
        self._working = Lock()
        self._working.acquire()
        self._done = False
        self._error: BaseException | None = None
        self._listeners: list[Callable[[], None]] = []

    def finish(self, error: BaseException | None = None) -> None:
        """It has come to its end, with this error or well. Only the first time counts."""
        if self._done:
            return
        self._error = error
        self._done = True
        self._working.release()
        for listener in self._listeners:
            listener()

    @property
    def done(self) -> bool:
        return self._done

    def wait(self, seconds: float = -1) -> bool:
        """Block until it is done, no longer than this; whether it is."""
        if not self._done and self._working.acquire(timeout=seconds):
            self._working.release()
        return self._done

    async def ended(self) -> None:
        """Wait for its end, whatever that is; where the waiting is cancelled, it goes on.

        The loop waits for the thread directly, which saves waking it; after MOMENT it goes on with other
        work, so that a slow disk or a lock holds up nobody else.
        """
        if self.wait(MOMENT):
            return
        loop, event = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(event.set)

        self._listeners.append(tell)
        if not self._done:  # else nobody may have seen the listener
            await event.wait()

    def check(self) -> None:
        """Raise what it raised."""
        if self._error is not None:
            raise self._error

    @property
    def failed(self) -> bool:
        return self._error is not None


async def almost_done(function: Callable[[_Call], None]) -> Pending:
    """Start a call in a thread, and come back when it has no more to do than to wait for the disk.

    The call says so by what it is given. What it raises before that is raised here.
    """
    near, end = Pending(), Pending()

    def run() -> None:
        try:
            function(near.finish)
        except BaseException as error:  # noqa: BLE001  # as every executor does: it is raised in the caller
            end.finish(error)
        else:
            end.finish()
        finally:
            near.finish()

    _hand(run)
    await near.ended()
    if end.done:
        end.check()
    return end


# The threads that have nothing to do, the one that had last at the end: what it needs is still in the
# processor's cache. An executor takes twice as long to hand over a call.
_idle: deque[SimpleQueue[_Call]] = deque()


def _hand(call: _Call) -> None:
    try:
        calls = _idle.pop()
    except IndexError:
        calls = SimpleQueue()
        Thread(target=_serve, args=(calls,), name="promptly", daemon=True).start()
    calls.put(call)


def _serve(calls: SimpleQueue[_Call]) -> None:
    while True:
        calls.get()()
        _idle.append(calls)
