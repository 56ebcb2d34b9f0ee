"""Waiting for what is done in a moment, and not for what is not."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# How long the loop stands still for a call, in seconds: a few transactions on a healthy disk.
MOMENT = 0.002

_threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="promptly")


async def promptly(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Like `asyncio.to_thread`, for what mostly takes less than the way to another thread and back.

    The loop waits for the thread directly, which saves waking it; after MOMENT it goes on with other
    work, so that a slow disk or a lock holds up nobody else.
    """
    future = _threads.submit(function, *args, **kwargs)
    try:
        return future.result(MOMENT)
    except TimeoutError:  # ours; one that the function raised is raised again
        return await asyncio.wrap_future(future)
