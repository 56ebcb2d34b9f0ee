"""A call is given up when there is no time left, and only then."""

import asyncio

import pytest

from threadcast.bot.publishing.hurry import HurriedError, Hurry


async def answer(value: int) -> int:
    return value


async def test_a_call_with_time() -> None:
    """While there is time a call gives what it gives, and raises what it raises."""
    hurry = Hurry()

    async def fail() -> None:
        raise ValueError("no")

    async with hurry.watching(asyncio.Event()):
        assert await hurry.through(answer(17)) == 17
        with pytest.raises(ValueError, match="no"):
            await hurry.through(fail())


async def test_a_call_that_is_given_up() -> None:
    """A call that is still waiting when time is up is given up, and so is every later one."""
    hurry, now, begun = Hurry(), asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def work() -> list[str]:
        said = []
        async with hurry.watching(now):
            for call in (wait(), answer(1)):
                try:
                    await hurry.through(call)
                except HurriedError:
                    said.append("given up")
            await asyncio.sleep(0)
            said.append("the task itself goes on")
        return said

    working = asyncio.create_task(work())
    await begun.wait()
    now.set()

    assert await working == ["given up", "given up", "the task itself goes on"]


async def test_a_task_that_is_cancelled() -> None:
    """Who cancels the task itself cancels it: nothing is made of that."""
    hurry, begun = Hurry(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await asyncio.Event().wait()

    async def work() -> None:
        async with hurry.watching(asyncio.Event()):
            await hurry.through(wait())

    working = asyncio.create_task(work())
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
