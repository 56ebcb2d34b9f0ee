"""A thread of its own for a client library that blocks."""

import asyncio
import threading
from functools import partial
from threading import Event, Thread, current_thread

import pytest

from threadcast.bot.channels.worker import Worker

PATIENCE = 10.0


async def test_one_thread_in_order() -> None:
    """Calls are made one after the other, in one thread that is not ours."""
    worker = Worker("one", at_end=lambda: None)
    made: list[int] = []

    def call(number: int) -> Thread:
        made.append(number)
        return current_thread()

    threads = await asyncio.gather(*(worker.call(partial(call, number)) for number in range(20)))

    assert made == list(range(20))
    assert len(set(threads)) == 1
    assert threads[0] is not current_thread()
    worker.close()


async def test_an_error_comes_back() -> None:
    """What a call raises is raised where it was asked for, and the thread goes on."""
    worker = Worker("errors", at_end=lambda: None)

    with pytest.raises(ZeroDivisionError):
        await worker.call(lambda: 1 // 0)

    assert await worker.call(lambda: 1 // 1) == 1
    worker.close()


async def test_a_call_that_nobody_wants_any_more() -> None:
    """A call that is cancelled before its turn is not made; one that has begun ends by itself."""
    begun, released = Event(), Event()
    worker = Worker("wanted", at_end=lambda: None)
    made: list[str] = []

    def hold() -> None:
        begun.set()
        released.wait(PATIENCE)
        made.append("held")

    holding = asyncio.ensure_future(worker.call(hold))
    waiting = asyncio.ensure_future(worker.call(partial(made.append, "waited")))
    await asyncio.to_thread(begun.wait, PATIENCE)
    holding.cancel()
    waiting.cancel()
    await asyncio.gather(holding, waiting, return_exceptions=True)
    released.set()

    await worker.call(partial(made.append, "next"))
    assert made == ["held", "next"]
    worker.close()


def test_a_loop_that_has_ended() -> None:
    """An answer that comes when the loop has ended is dropped, and the thread ends in its own time."""
    begun, released, ended = Event(), Event(), Event()
    worker = Worker("late", at_end=ended.set)

    def hold() -> None:
        begun.set()
        released.wait(PATIENCE)

    async def leave() -> None:
        call = asyncio.ensure_future(worker.call(hold))
        await asyncio.to_thread(begun.wait, PATIENCE)
        call.cancel()

    asyncio.run(leave())
    released.set()
    worker.close()

    assert ended.wait(PATIENCE)


async def test_it_does_not_hold_up_the_exit() -> None:
    """A call that does not end does not keep the process from ending, nor closing from returning."""
    begun, released, ended = Event(), Event(), Event()
    worker = Worker("stuck", at_end=ended.set)

    def stuck() -> bool:
        begun.set()
        return released.wait(PATIENCE)

    call = asyncio.ensure_future(worker.call(stuck))
    await asyncio.to_thread(begun.wait, PATIENCE)

    worker.close()

    (thread,) = (thread for thread in threading.enumerate() if thread.name == "stuck")
    assert thread.daemon
    assert not ended.is_set()
    released.set()
    assert await call
    assert await asyncio.to_thread(ended.wait, PATIENCE)


def test_a_worker_that_never_worked() -> None:
    """Closing one that has made no call, once or twice, lets go of what it holds once."""
    ends: list[str] = []
    worker = Worker("idle", at_end=lambda: ends.append("end"))

    worker.close()
    worker.close()

    assert ends == ["end"]


async def test_a_closed_worker() -> None:
    """A closed one takes no calls: nobody would make them."""
    worker = Worker("closed", at_end=lambda: None)
    worker.close()

    with pytest.raises(RuntimeError, match="closed is closed"):
        await worker.call(lambda: 1)
