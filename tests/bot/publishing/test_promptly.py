"""A quick call is waited for on the spot; a slow one holds up nobody."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from threadcast.bot.publishing.promptly import almost_done

Almost = Callable[[], None]


async def test_a_call_comes_to_its_end() -> None:
    """The caller goes on when only the disk is waited for, and is told when that is done."""
    synced = threading.Event()
    written: list[int] = []

    def write(almost: Almost) -> None:
        almost()
        synced.wait()
        written.append(17)

    pending = await almost_done(write)
    assert not pending.done

    synced.set()
    await pending.ended()
    assert written == [17]
    pending.check()


async def test_a_slow_call_holds_up_nobody() -> None:
    """While a call takes its time, the loop goes on: here it does what the call waits for, twice."""
    first, second = threading.Event(), threading.Event()

    def write(almost: Almost) -> None:
        assert first.wait(10)
        almost()
        assert second.wait(10)

    loop = asyncio.get_running_loop()
    loop.call_soon(first.set)
    pending = await almost_done(write)
    loop.call_soon(second.set)
    await pending.ended()
    pending.check()


async def test_calls_at_a_time() -> None:
    """Calls that go on at one time have a thread each, for which the process does not wait at its end."""
    both = threading.Barrier(2)
    threads: list[threading.Thread] = []

    def meet(_: Almost) -> None:
        threads.append(threading.current_thread())
        both.wait(10)

    meeting = await asyncio.gather(almost_done(meet), almost_done(meet))
    await asyncio.gather(*(pending.ended() for pending in meeting))
    first, second = threads
    assert first is not second
    assert first.daemon
    assert second.daemon


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("too late")])
async def test_what_a_call_raises_at_first(error: Exception) -> None:
    """What the function finds wrong is raised in the caller, a TimeoutError of its own too."""

    def fail(_: Almost) -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await almost_done(fail)


async def test_what_a_call_raises_at_last() -> None:
    """What goes wrong once only the disk was waited for is kept; waiting for it raises nothing."""
    full = threading.Event()

    def fail(almost: Almost) -> None:
        almost()
        full.wait()
        raise OSError("the disk is full")

    pending = await almost_done(fail)
    full.set()
    await pending.ended()
    assert pending.failed
    with pytest.raises(OSError, match="full"):
        pending.check()


async def test_whoever_stops_waiting() -> None:
    """Where the waiting is cancelled, the call goes on to its end."""
    synced = threading.Event()

    def write(almost: Almost) -> None:
        almost()
        synced.wait()

    pending = await almost_done(write)
    waiting = asyncio.create_task(pending.ended())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    synced.set()

    assert await asyncio.to_thread(pending.wait, 10)
