"""A quick call is waited for on the spot; a slow one holds up nobody."""

import asyncio
import threading

import pytest

from threadcast.bot.promptly import promptly


async def test_a_call_gives_its_result() -> None:
    """What the function returns is given, whatever it was called with."""
    assert await promptly(divmod, 17, 5) == (3, 2)


async def test_a_slow_call_holds_up_nobody() -> None:
    """While a call takes its time, the loop goes on: here it does what the call waits for."""
    released = threading.Event()
    asyncio.get_running_loop().call_soon(released.set)
    assert await promptly(released.wait, 10) is True


@pytest.mark.parametrize("error", [ValueError("no"), TimeoutError("too late")])
async def test_what_a_call_raises(error: Exception) -> None:
    """An error of the function is raised in the caller, a TimeoutError of its own too."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error), match=str(error)):
        await promptly(fail)
