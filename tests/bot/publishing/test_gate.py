"""A request passes its gate once its intent is on disk, and otherwise never."""

import asyncio

import pytest

from threadcast.bot.publishing.gate import Gate, HeldBackError
from threadcast.bot.publishing.promptly import Pending


async def test_it_opens_when_the_commit_is_done() -> None:
    """Whoever waits, on the loop or in a thread, goes on when the commit has succeeded, and not before."""
    commit = Pending()
    gate = Gate(commit)
    order: list[str] = []
    threading = asyncio.create_task(asyncio.to_thread(gate.wait))
    threading.add_done_callback(lambda _: order.append("passed"))
    looping = asyncio.create_task(gate.passed())
    looping.add_done_callback(lambda _: order.append("passed"))
    await asyncio.sleep(0)  # which runs into the gate, and stands there as long as a loop may

    order.append("committed")
    commit.finish()

    await asyncio.gather(threading, looping)
    await gate.settled()
    assert order == ["committed", "passed", "passed"]


async def test_nothing_to_wait_for() -> None:
    """A gate without a commit is open."""
    await Gate().passed()
    assert Gate().wait()
    await Gate().settled()


async def test_a_commit_that_fails() -> None:
    """Nothing passes where the commit failed; whoever asks learns why."""
    commit = Pending()
    gate = Gate(commit)
    commit.finish(OSError("the disk is full"))

    with pytest.raises(HeldBackError):
        await gate.passed()
    with pytest.raises(HeldBackError):
        gate.wait()
    with pytest.raises(OSError, match="full"):
        await gate.settled()


async def test_a_gate_that_was_shut() -> None:
    """A gate that was shut in time lets nothing pass, though the commit succeeds."""
    commit = Pending()
    gate = Gate(commit)

    assert gate.shut()
    commit.finish()

    with pytest.raises(HeldBackError):
        await gate.passed()
    assert gate.shut()


async def test_shut_in_the_last_moment() -> None:
    """A gate that opened can be shut until the request has gone: what waits for a connection stays here."""
    gate = Gate()
    await gate.opened()

    assert gate.shut()

    with pytest.raises(HeldBackError):
        gate.go()


async def test_nobody_goes_early() -> None:
    """A thread that waits for so long learns that the gate is still closed, and cannot pass."""
    commit = Pending()
    gate = Gate(commit)

    assert not gate.wait(0.001)
    with pytest.raises(HeldBackError):
        gate.go()

    commit.finish()
    assert gate.wait(0.001)
    gate.go()
    assert not gate.shut()


async def test_a_gate_that_was_passed() -> None:
    """What has passed cannot be called back, and is told so."""
    gate = Gate()
    await gate.passed()

    assert not gate.shut()
    await gate.passed()
