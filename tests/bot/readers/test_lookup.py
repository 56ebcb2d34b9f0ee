"""When networks are asked about readers, and when they are not."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise

import pytest

from tests.bot.publishing.scripted import START, FakeClock, wish
from tests.contract.channels.mastodon_stand import make_channel
from tests.queue.store.fresh import fresh_database
from tests.servers.http import Response
from tests.servers.mastodon.server import MastodonServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.port import Quota, Readers
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.readers.figures import ReaderFigures
from threadcast.bot.readers.lookup import FIRST, LAST, ReaderLookup, has_room, is_due
from threadcast.queue.model import ChannelSeen, Claim
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database


class Stand:
    """A chain that was published just now on a server, and what looks its readers up."""

    def __init__(self, server: MastodonServer, channel: MastodonChannel, clock: FakeClock) -> None:
        self.server, self.channel, self.clock = server, channel, clock
        self.database: Database = fresh_database()
        self.leads = True
        self.lookup = ReaderLookup(self.database, [channel], clock, lambda: self.leads)
        seen = ChannelSeen("masto", "mastodon", server.url, "")
        self.database.changes.see_channels([seen], now=clock())

    async def publish(self) -> None:
        self.database.threads.add([wish("masto")], now=self.clock(), actor="test")
        publisher = Publisher(
            self.database, self.channel, worker="test", clock=self.clock, stop=Stop(), chance=lambda: 0.5
        )
        await publisher.publish()

    async def told(self) -> dict[int, Readers]:
        """What is known after a round."""
        await self.lookup.run()
        published = self.database.reading.deliveries(states=frozenset({DeliveryState.PUBLISHED}))
        found = ReaderFigures(self.database).of(published)
        return dict(found[published[0].id].posts) if found else {}

    def asked(self) -> int:
        return sum(one.method == "GET" and "/statuses/" in one.path for one in self.server.requests)


@asynccontextmanager
async def standing() -> AsyncIterator[Stand]:
    clock = FakeClock()
    with MastodonServer(clock=clock) as server:
        server.add_account()
        channel = make_channel(server, clock=clock)
        stand = Stand(server, channel, clock)
        await stand.publish()
        yield stand
        await channel.close()


async def test_looked_up_and_kept() -> None:
    """An hour after its end a chain is looked up, with two calls; then nothing for a while, then again."""
    async with standing() as stand:
        first, second, _ = stand.server.statuses()
        stand.server.react(first.id, favourites=5, boosts=2)
        assert await stand.told() == {}
        stand.clock.advance(hours=1)
        before = stand.asked()
        assert await stand.told() == {1: Readers(5, 2, 0), 2: Readers(0, 0, 0), 3: Readers(0, 0, 0)}
        assert stand.asked() == before + 2
        stand.server.react(second.id, favourites=3)
        stand.clock.advance(minutes=10)
        assert (await stand.told())[2] == Readers(0, 0, 0)
        stand.clock.advance(hours=1)
        assert (await stand.told())[2] == Readers(3, 0, 0)


async def test_what_was_taken_down_by_hand() -> None:
    """Of a post that is gone nothing is told; where it is the first one, the others are found."""
    async with standing() as stand:
        first, second, _ = stand.server.statuses()
        stand.server.react(second.id, boosts=4)
        stand.server.delete(first.id)
        stand.clock.advance(hours=1)
        assert await stand.told() == {2: Readers(0, 4, 0), 3: Readers(0, 0, 0)}


def publishes(stand: Stand) -> None:
    """Another chain is going out on the channel."""
    now = stand.clock()
    stand.database.threads.add([wish("masto", about="other")], now=now, actor="test")
    found = stand.database.work.claim("masto", worker="test", now=now, until=now + timedelta(minutes=3))
    assert isinstance(found, Claim)


def follows(stand: Stand) -> None:
    stand.leads = False


def is_away(stand: Stand) -> None:
    stand.server.instead("GET .*statuses/.*", Response(503))


def pauses(stand: Stand) -> None:
    stand.server.instead("GET .*statuses/.*", Response(429))


@pytest.mark.parametrize("reason", [publishes, follows, is_away, pauses])
async def test_not_looked_up(reason: Callable[[Stand], None]) -> None:
    """Nothing is asked while something goes out, or by a machine that does not lead; a fault is for later."""
    async with standing() as stand:
        stand.clock.advance(hours=1)
        reason(stand)
        before = stand.asked()
        assert await stand.told() == {}
        assert stand.asked() == before + (reason in {is_away, pauses})


async def test_the_budget_is_for_publishing() -> None:
    """Where less than half of the tightest limit is left until it is whole again, nothing is asked."""
    async with standing() as stand:
        now = stand.clock()
        for left, room in ((150, True), (149, False)):
            quota = Quota(300, left, now + timedelta(minutes=5))
            stand.channel._client._quotas = {False: quota}
            assert has_room(stand.channel, now) is room
        assert has_room(stand.channel, now + timedelta(minutes=5))


def test_intervals_grow_and_end() -> None:
    """From hours they grow to days; about sixteen times in four weeks, and then never again."""
    now, looked, times = START, None, []
    while now < START + 3 * LAST:
        if is_due(START, looked, now):
            looked = now
            times.append(now - START)
        now += timedelta(minutes=10)
    assert times[0] == FIRST
    assert times[-1] >= LAST
    assert 10 < len(times) < 20
    assert all(later >= 1.5 * earlier for earlier, later in pairwise(times))
