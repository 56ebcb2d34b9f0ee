"""Waiting for what is done in a moment, and not for what is not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

# How long the loop stands still for a call, in seconds: a few transactions on a healthy disk.
MOMENT = 0.002

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="promptly")


async def almost_done(function: Callable[[Callable[[], None]], T]) -> Future[T]:
    """Start a call in a thread, and come back when it has no more to do than to wait for the disk.

    The call says so by what it is given. What it raises before that is raised here; what comes of it
    afterwards is in the future.
    """
    near: Future[None] = Future()

    def tell(_: object) -> None:
        if not near.done():
            near.set_result(None)

    future = _threads.submit(function, partial(near.set_result, None))
    future.add_done_callback(tell)
    await ended(near)
    if future.done():
        future.result()
    return future


async def ended(future: Future[Any]) -> None:
    """Wait for what a thread does, whatever comes of it; where the waiting is cancelled, it goes on.

    The loop waits for the thread directly, which saves waking it; after MOMENT it goes on with other
    work, so that a slow disk or a lock holds up nobody else.
    """
    if future.done() or wait_for([future], MOMENT).done:
        return
    loop, event = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: object) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(event.set)

    future.add_done_callback(tell)
    await event.wait()
