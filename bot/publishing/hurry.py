"""Calls that are given up when there is no time left, at no cost while there is."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from threadcast.bot.publishing.alongside import alongside

T = TypeVar("T")

HURRIED = "the service was stopped before the server answered"


class HurriedError(Exception):
    """The call was given up: what it did until then is not known."""


class Hurry:
    """Watches an event for one task, which makes its calls `through` this.

    One watcher for all of them, and no task for each call: between two posts of a chain that is most of
    what asyncio would have to do.
    """

    def __init__(self) -> None:
        self._called = False
        self._waiting: asyncio.Task[Any] | None = None

    @asynccontextmanager
    async def watching(self, now: asyncio.Event) -> AsyncIterator[None]:
        """While this is open, calls end early once `now` is set."""
        self._called = False
        async with alongside(self._watch(now), "hurry"):
            yield

    async def through(self, call: Coroutine[Any, Any, T]) -> T:
        """What the call gives or raises. Raises HurriedError instead where it had to be given up."""
        if self._is_late():
            call.close()
            raise HurriedError
        task = self._waiting = asyncio.current_task()
        assert task is not None  # noqa: S101  # this is a coroutine
        try:
            return await call
        except asyncio.CancelledError:
            if self._is_late() and task.uncancel() == 0:
                raise HurriedError from None
            raise
        finally:
            self._waiting = None

    def _is_late(self) -> bool:
        return self._called

    async def _watch(self, now: asyncio.Event) -> None:
        await now.wait()
        self._called = True
        if self._waiting is not None:
            self._waiting.cancel()
