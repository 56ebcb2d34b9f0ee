"""Before its gate opens, nothing of a post leaves this machine, on either network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

import pytest

from tests.servers.http import LoopbackServer
from tests.servers.mastodon import TOKEN as MASTODON_TOKEN
from tests.servers.mastodon import MastodonServer
from tests.servers.relay import Relay
from tests.servers.telegram import TOKEN as TELEGRAM_TOKEN
from tests.servers.telegram import TelegramServer
from threadcast.bot.channels.mastodon import MastodonChannel
from threadcast.bot.channels.port import Channel, Outgoing
from threadcast.bot.channels.telegram import TelegramChannel
from threadcast.bot.channels.telegram_client import make_bot
from threadcast.bot.gate import Gate
from threadcast.bot.promptly import Pending
from threadcast.queue.compose import Numbering
from threadcast.queue.states import Sent, Unreached


def now() -> datetime:
    return datetime.now(UTC)


class WatchedGate(Gate):
    """A gate that tells when a request is there."""

    def __init__(self, commit: Pending) -> None:
        super().__init__(commit)
        self.reached = Event()

    async def passed(self) -> None:
        self.reached.set()
        await super().passed()

    def wait(self) -> None:
        self.reached.set()
        super().wait()


@dataclass
class Wire:
    """A channel, and the way to its server."""

    channel: Channel
    server: LoopbackServer
    relay: Relay


@asynccontextmanager
async def telegram() -> AsyncIterator[Wire]:
    with TelegramServer() as server, Relay(server) as relay:
        server.add_bot()
        server.add_chat(username="lighthouses")
        bot = make_bot(TELEGRAM_TOKEN, api_url=relay.url)
        channel = TelegramChannel("news", bot=bot, chat="@lighthouses", clock=now)
        yield Wire(channel, server, relay)
        await channel.close()


@asynccontextmanager
async def mastodon() -> AsyncIterator[Wire]:
    with MastodonServer() as server, Relay(server) as relay:
        server.add_account()
        channel = MastodonChannel(
            "masto", url=relay.url, token=MASTODON_TOKEN, numbering=Numbering.KEEP, clock=now
        )
        yield Wire(channel, server, relay)
        await channel.close()


@pytest.fixture(params=[telegram, mastodon])
async def wire(request: pytest.FixtureRequest) -> AsyncIterator[Wire]:
    async with request.param() as wire:
        first = await wire.channel.send(Outgoing("1/ first", None, "key-1"))
        assert isinstance(first, Sent), first
        yield wire


async def at_the_gate(wire: Wire, gate: WatchedGate) -> "asyncio.Task[object]":
    """A send that has come to its gate."""
    sending = asyncio.create_task(wire.channel.send(Outgoing("2/ second", None, "key-2", gate)))
    await asyncio.to_thread(gate.reached.wait, 10)
    return sending


async def test_a_post_leaves_when_its_gate_opens(wire: Wire) -> None:
    """A request that is ready waits at the gate without a byte on the wire, and goes when it opens."""
    commit = Pending()
    before = (wire.relay.connections, wire.relay.bytes_up)

    sending = await at_the_gate(wire, WatchedGate(commit))
    assert (wire.relay.connections, wire.relay.bytes_up) == before
    commit.finish()

    assert isinstance(await sending, Sent)
    assert wire.relay.bytes_up > before[1]


async def test_a_post_whose_intent_is_not_on_disk(wire: Wire) -> None:
    """Where the commit fails not a byte has left, the outcome says not sent, and the channel works on."""
    commit = Pending()
    before = (wire.relay.connections, wire.relay.bytes_up, len(wire.server.requests))

    sending = await at_the_gate(wire, WatchedGate(commit))
    commit.finish(OSError("the disk is full"))

    assert isinstance(await sending, Unreached)
    assert (wire.relay.connections, wire.relay.bytes_up, len(wire.server.requests)) == before
    assert isinstance(await wire.channel.send(Outgoing("2/ second", None, "key-2")), Sent)


async def test_a_gate_that_is_shut(wire: Wire) -> None:
    """A send that is called off at the gate leaves nothing behind, though the commit succeeds later."""
    commit = Pending()
    gate = WatchedGate(commit)
    before = (wire.relay.connections, wire.relay.bytes_up)

    sending = await at_the_gate(wire, gate)
    assert gate.shut()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    commit.finish()

    await wire.channel.close()  # behind what the channel has begun
    assert (wire.relay.connections, wire.relay.bytes_up) == before
