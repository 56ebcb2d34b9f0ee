"""A quick call is waited for on the spot; a slow one holds up nobody."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from threadcast.bot.promptly import almost_done, ended

Almost = Callable[[], None]


async def test_a_call_gives_its_result() -> None:
    """What the function returns is in the future, which is there when only the disk is waited for."""
    synced = threading.Event()

    def write(almost: Almost) -> int:
        almost()
        synced.wait()
        return 17

    future = await almost_done(write)
    assert not future.done()

    synced.set()
    await ended(future)
    assert future.result() == 17


async def test_a_slow_call_holds_up_nobody() -> None:
    """While a call takes its time, the loop goes on: here it does what the call waits for, twice."""
    first, second = threading.Event(), threading.Event()

    def write(almost: Almost) -> bool:
        assert first.wait(10)
        almost()
        return second.wait(10)

    loop = asyncio.get_running_loop()
    loop.call_soon(first.set)
    future = await almost_done(write)
    loop.call_soon(second.set)
    await ended(future)
    assert future.result() is True


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("too late")])
async def test_what_a_call_raises_at_first(error: Exception) -> None:
    """What the function finds wrong is raised in the caller, a TimeoutError of its own too."""

    def fail(_: Almost) -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await almost_done(fail)


async def test_what_a_call_raises_at_last() -> None:
    """What goes wrong once only the disk was waited for is in the future; waiting for it raises nothing."""
    full = threading.Event()

    def fail(almost: Almost) -> None:
        almost()
        full.wait()
        raise OSError("the disk is full")

    future = await almost_done(fail)
    full.set()
    await ended(future)
    with pytest.raises(OSError, match="full"):
        future.result()


async def test_whoever_stops_waiting() -> None:
    """Where the waiting is cancelled, the call goes on to its end."""
    synced = threading.Event()

    def write(almost: Almost) -> str:
        almost()
        synced.wait()
        return "written"

    future = await almost_done(write)
    waiting = asyncio.create_task(ended(future))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    synced.set()

    assert await asyncio.to_thread(future.result) == "written"
