"""A thread of its own for a client library that blocks."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """One thread that makes calls, one after the other.

    Python waits at its exit for the threads of a ThreadPoolExecutor, and would hold up a service that
    was told to stop and no longer wants the answer. This thread ends with the process.
    """

    def __init__(self, name: str, *, at_end: Callable[[], None]) -> None:
        self._name = name
        self._at_end = at_end
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._closed = False

    async def call(self, function: Callable[[], T]) -> T:
        """What the function returns or raises. A call that has begun ends by itself, whoever is cancelled."""
        if self._closed:
            raise RuntimeError(f"{self._name} is closed")
        if self._thread is None:
            self._thread = Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._calls.put(partial(_make, function, answer, loop))
        return await answer

    def close(self) -> None:
        """End the thread after what it has to do. Does not wait; does nothing the second time."""
        if self._closed:
            return
        self._closed = True
        self._calls.put(None)
        if self._thread is None:
            self._at_end()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
        self._at_end()


def _make(function: Callable[[], T], answer: asyncio.Future[T], loop: asyncio.AbstractEventLoop) -> None:
    """Make a call that is still wanted, and give its answer to who waits on the loop.

    An executor's future would be told first, and tell that one: twice the way, at each post.
    """
    if answer.cancelled():
        return
    try:
        tell = partial(answer.set_result, function())
    except BaseException as error:  # noqa: BLE001  # as every executor does: it is raised in the caller
        tell = partial(answer.set_exception, error)
    with suppress(RuntimeError):  # the loop has ended meanwhile: nobody waits
        loop.call_soon_threadsafe(_unless_cancelled, answer, tell)


def _unless_cancelled(answer: asyncio.Future[T], tell: Callable[[], None]) -> None:
    if not answer.cancelled():
        tell()
