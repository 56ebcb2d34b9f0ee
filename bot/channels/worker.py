"""A thread of its own for a client library that blocks."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
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
        future: Future[T] = Future()
        self._calls.put(partial(_fulfil, future, function))
        return await asyncio.wrap_future(future)

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


def _fulfil(future: Future[T], function: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001  # as every executor does: it is raised in the caller
        future.set_exception(error)
    else:
        future.set_result(result)
