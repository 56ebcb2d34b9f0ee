"""A chain on a Mastodon server that keeps its limits begins where there is room, and meets no 429."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial

import pytest

from tests.bot.publishing.scripted import START, FakeClock, wish
from tests.contract.channels.mastodon_stand import make_channel
from tests.queue.store.fresh import fresh_database
from tests.servers.mastodon.server import MastodonServer
from threadcast.bot.channels.pace import MastodonPace
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.queue.model import ChannelSeen, Delivery
from threadcast.queue.states import DeliveryState, Outcome, Throttled

WINDOW = timedelta(hours=3)  # one begins at START


class Listening(MastodonPace):
    """A pace that keeps what it was told of sends."""

    outcomes: tuple[Outcome, ...] = ()

    def judged(self, outcome: Outcome, now: datetime) -> None:
        self.outcomes += (outcome,)
        super().judged(outcome, now)


class House:
    """A queue, an account with Mastodon's limits, and a publisher with its pace."""

    def __init__(self, server: MastodonServer, clock: FakeClock) -> None:
        self.clock = clock
        self.server = server
        self.account = server.add_account()
        self.database = fresh_database()
        self.database.changes.see_channels([ChannelSeen("masto", "mastodon", "there")], now=START)
        self.channel = make_channel(server, clock=clock)
        self.pace = Listening(lambda: self.channel.quota, partial(self.database.reading.sent_since, "masto"))
        self.publisher = Publisher(
            self.database, self.channel, worker="one", clock=clock, stop=Stop(), pace=self.pace
        )

    def by_hand(self, count: int) -> None:
        """Somebody posts on the account."""
        for _ in range(count):
            self.server._budgets.take("statuses", self.account.id, self.clock())

    async def publish(self, parts: int, about: str) -> Delivery:
        """A chain is added, and taken as far as it goes now."""
        self.database.threads.add([wish("masto", parts=parts, about=about)], now=self.clock(), actor="test")
        return await self.go_on()

    async def go_on(self) -> Delivery:
        delivery = await self.publisher.publish()
        assert delivery is not None
        return delivery

    def throttled(self) -> int:
        return sum(isinstance(outcome, Throttled) for outcome in self.pace.outcomes)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    clock = FakeClock()
    with MastodonServer(clock=clock) as server:
        house = House(server, clock)
        yield house
        await house.channel.close()


async def test_a_chain_waits_for_room(house: House) -> None:
    """A chain that finds too little room sends none of its posts until the next window, then all of them."""
    house.by_hand(288)
    first = await house.publish(2, "lamp")
    second = await house.publish(12, "fog")
    waited = len(house.server.statuses())
    house.clock.moment = second.due
    third = await house.go_on()

    assert first.state is DeliveryState.PUBLISHED
    assert (second.state, second.due) == (DeliveryState.PUBLISHING, START + WINDOW)
    assert second.reason == (
        "waits for room: the account may post 10 more until 15:00 UTC, and the chain has 12"
    )
    assert waited == 2
    assert third.state is DeliveryState.PUBLISHED
    assert len(house.server.statuses()) == 14
    assert house.throttled() == 0


async def test_a_chain_of_more_than_a_window(house: House) -> None:
    """A chain of 310 posts goes over two windows; the server never has to say 429."""
    delivery = await house.publish(310, "lamp")
    out = [len(house.server.statuses())]
    while delivery.state is not DeliveryState.PUBLISHED:
        assert START < delivery.due <= START + WINDOW
        house.clock.moment = delivery.due
        delivery = await house.go_on()
        out.append(len(house.server.statuses()))

    assert house.clock() == START + WINDOW
    assert out[-2:] == [300, 310]
    assert house.throttled() == 0
    statuses = house.server.statuses()
    assert [status.parent for status in statuses] == [None, *[status.id for status in statuses[:-1]]]
