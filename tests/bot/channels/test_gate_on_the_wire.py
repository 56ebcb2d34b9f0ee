"""Before its gate opens, nothing of a post leaves this machine, on either network."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Event

import pytest

from tests.servers.http import LoopbackServer
from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.mastodon.server import MastodonServer
from tests.servers.relay import CERTIFICATE, TCP, Manner, Relay
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.port import Channel, Outgoing
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.bot.publishing.gate import Gate
from threadcast.bot.publishing.promptly import Pending
from threadcast.queue.compose.compose import Numbering
from threadcast.queue.states import Sent, Unreached


def now() -> datetime:
    return datetime.now(UTC)


class WatchedGate(Gate):
    """A gate that tells when a request is there."""

    def __init__(self, commit: Pending) -> None:
        super().__init__(commit)
        self.reached = Event()

    async def opened(self) -> None:
        self.reached.set()
        await super().opened()

    def wait(self, seconds: float = -1) -> bool:
        self.reached.set()
        return super().wait(seconds)


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
async def mastodon(manner: Manner = "plain") -> AsyncIterator[Wire]:
    with MastodonServer() as server, Relay(server, manner) as relay:
        server.add_account()
        channel = MastodonChannel(
            "masto", url=relay.url, token=MASTODON_TOKEN, numbering=Numbering.KEEP, clock=now
        )
        yield Wire(channel, server, relay)
        await channel.close()


@pytest.fixture(
    params=[
        pytest.param(telegram, id="telegram"),
        pytest.param(mastodon, id="mastodon"),
        pytest.param(partial(mastodon, "tls"), id="mastodon through TLS"),
        pytest.param(partial(mastodon, "tunnel"), id="mastodon through a proxy"),
    ]
)
async def wire(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Wire]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATE))
    async with request.param() as wire:
        if wire.relay.manner == "tunnel":
            monkeypatch.setenv("HTTPS_PROXY", wire.relay.url.replace("https:", "http:"))
            monkeypatch.setenv("NO_PROXY", "")
        first = await wire.channel.send(Outgoing("1/ first", None, "key-1"))
        assert isinstance(first, Sent), first
        yield wire


async def at_the_gate(wire: Wire, gate: WatchedGate) -> "asyncio.Task[object]":
    """A send that has come to its gate."""
    sending = asyncio.create_task(wire.channel.send(Outgoing("2/ second", None, "key-2", gate)))
    assert await asyncio.to_thread(gate.reached.wait, 10)
    return sending


async def test_a_post_leaves_when_its_gate_opens(wire: Wire) -> None:
    """A request that is ready waits at the gate without a byte of it on the wire, and goes when it opens."""
    commit = Pending()
    before = wire.relay.bytes_up

    sending = await at_the_gate(wire, WatchedGate(commit))
    assert wire.relay.bytes_up == before
    commit.finish()

    assert isinstance(await sending, Sent)
    assert wire.relay.bytes_up > before


async def test_a_post_whose_intent_is_not_on_disk(wire: Wire) -> None:
    """Where the commit fails not a byte has left, the outcome says not sent, and the channel works on."""
    commit = Pending()
    before = (wire.relay.bytes_up, len(wire.server.requests))

    sending = await at_the_gate(wire, WatchedGate(commit))
    commit.finish(OSError("the disk is full"))

    assert isinstance(await sending, Unreached)
    assert (wire.relay.bytes_up, len(wire.server.requests)) == before
    assert isinstance(await wire.channel.send(Outgoing("2/ second", None, "key-2")), Sent)


async def test_a_gate_that_is_shut(wire: Wire) -> None:
    """A send that is called off at the gate leaves nothing behind, though the commit succeeds later."""
    commit = Pending()
    gate = WatchedGate(commit)
    before = wire.relay.bytes_up

    sending = await at_the_gate(wire, gate)
    assert gate.shut()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    commit.finish()

    await wire.channel.close()  # behind what the channel has begun
    assert wire.relay.bytes_up == before


async def test_a_disk_that_takes_long() -> None:
    """A connection made for a post is not used once it stood idle: the post is known not to be out."""
    async with mastodon() as wire:
        commit = Pending()
        sending = await at_the_gate(wire, WatchedGate(commit))
        outcome = await sending
        commit.finish()
        assert outcome == Unreached("not sent: the disk takes too long")
        assert not wire.server.requests


@pytest.mark.skipif(not TCP.exists(), reason="only Linux tells of connections that are not made yet")
@pytest.mark.parametrize("connect", [telegram, mastodon])
async def test_nobody_opens(connect: Callable[[], AbstractAsyncContextManager[Wire]]) -> None:
    """A post is not out while its connection is being made, however long that takes: who stops knows that."""
    async with connect() as wire:
        first = await wire.channel.send(Outgoing("1/ first", None, "key-1"))
        assert isinstance(first, Sent)
        await asyncio.to_thread(wire.relay.fall_deaf)
        before = wire.relay.callers()
        gate = Gate()

        sending = asyncio.create_task(
            wire.channel.send(Outgoing("2/ second", first.remote_id, "key-2", gate))
        )
        await asyncio.to_thread(wire.relay.wait_for_callers, before + 1)

        assert gate.shut()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
