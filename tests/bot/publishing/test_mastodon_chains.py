"""A whole chain on servers that fail in every way: each post once, in order, under the right parent."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.publishing.scripted import START, FakeClock, wish
from tests.contract.channels.mastodon_stand import make_channel
from tests.queue.store.fresh import fresh_database
from tests.servers.http import Cut, Response
from tests.servers.mastodon.manners import FROM_4_6, GOTOSOCIAL, SNAC, TAKAHE
from tests.servers.mastodon.server import MastodonServer
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import LEASE, Publisher
from threadcast.bot.publishing.takedown import audit
from threadcast.queue.model import ChannelSeen, Delivery
from threadcast.queue.states import DeliveryState, PostState

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

CHAIN = ["1/ lamp 1", "2/ lamp 2", "3/ lamp 3", "4/ lamp /end"]
LONGEST = 100  # turns that the publisher is given; each waits as long as it asked for
READING = "GET .*(context|statuses|source|verify_credentials)"
BROKEN = Response(200, b"<html>We will be back</html>")

Fault = Callable[[MastodonServer], object]


def and_cannot_look(fault: Fault, answer: Response | Cut) -> Fault:
    """The same, and the first look afterwards fails too."""

    def both(server: MastodonServer) -> None:
        fault(server)
        server.instead(READING, answer)

    return both


# What goes wrong with one POST. The first of them are stored.
FAULTS: dict[str, Fault] = {
    "answer lost": lambda server: server.lose_answer(),
    "answer cut": lambda server: server.cut_answer(),
    "answer a page": lambda server: server.replace_answer(b"<html>We will be back</html>"),
    "answer empty": lambda server: server.replace_answer(b""),
    "answer of another": lambda server: server.alter_answer(in_reply_to_id="1"),
    "cut": lambda server: server.cut(),
    "500": lambda server: server.fail(500),
    "502": lambda server: server.fail(502),
    "503": lambda server: server.fail(503),
    "429": lambda server: server.throttle(90),
    "redirect": lambda server: server.redirect("https://www.a.example/api/v1/statuses"),
    "cannot look: 503": and_cannot_look(lambda server: server.cut(), Response(503)),
    "cannot look: 429": and_cannot_look(lambda server: server.lose_answer(), Response(429)),
    "cannot look: a page": and_cannot_look(lambda server: server.lose_answer(), BROKEN),
    "cannot look: cut": and_cannot_look(lambda server: server.cut(), Cut()),
    "nothing": lambda server: None,
}
SERVERS: dict[str, dict[str, Any]] = {
    "mastodon": {},
    "mastodon 4.6": {"manners": FROM_4_6},
    "gotosocial": {"manners": GOTOSOCIAL},
    "snac": {"manners": SNAC},
    "takahe": {"manners": TAKAHE},
}


class House:
    """A queue with one chain for one account, and publishers that come one after the other."""

    def __init__(self, server: MastodonServer, clock: FakeClock) -> None:
        self.server = server
        self.clock = clock
        self.database = fresh_database()
        self.database.changes.see_channels([ChannelSeen("masto", "mastodon", "there")], now=START)
        (added,) = self.database.threads.add([wish("masto", parts=len(CHAIN))], now=START, actor="test")
        self.delivery = added.deliveries[0].id

    async def publish(self, *, dies: bool, sent: Callable[[], object]) -> Delivery:
        """A service that takes the chain as far as it goes now, or dies while a post is being sent.

        `sent` is called after each post that is out, before the next one is sent.
        """
        channel = make_channel(self.server, clock=self.clock)

        def see(delivery: Delivery) -> None:
            if delivery.sent and delivery.due <= self.clock():
                sent()

        publisher = Publisher(
            self.database,
            channel,
            worker="one",
            clock=self.clock,
            stop=Stop(),
            observe=see,
            chance=lambda: 1.0,
        )
        if dies:
            await self._die(publisher)
        else:
            await publisher.publish()
        await channel.close()
        return self.database.reading.delivery(self.delivery)

    async def _die(self, publisher: Publisher) -> None:
        held = self.server.hold_answer()
        before = self._posted()
        service = asyncio.ensure_future(publisher.publish())
        waiting = asyncio.ensure_future(
            asyncio.to_thread(self.server.wait_for, lambda _: held.is_set() or self._posted() > before)
        )
        await asyncio.wait({service, waiting}, return_when=asyncio.FIRST_COMPLETED)
        service.cancel()
        await asyncio.wait({service})
        with self.server.changed:
            held.set()
            self.server.changed.notify_all()
        await waiting
        self.clock.moment += LEASE

    def _posted(self) -> int:
        return sum(request.method == "POST" for request in self.server.requests)

    def check(self) -> None:
        """What a reader sees is the chain, and so is what was recorded."""
        statuses = self.server.statuses()
        ids = [status.id for status in statuses]
        assert [status.text for status in statuses] == CHAIN
        assert [status.parent for status in statuses] == [None, *ids[:-1]]
        posts = self.database.reading.posts(self.delivery)
        assert [post.remote_id for post in posts] == ids
        assert {post.state for post in posts} == {PostState.SENT}


async def publish_through(server: MastodonServer, clock: FakeClock, faults: list[str]) -> None:
    """Publish the chain; a fault comes before each service and behind each post, a death before one alone."""
    house = House(server, clock)
    left = iter([*faults, *["nothing"] * LONGEST])

    def spoil_the_next() -> str:
        fault = next(left)
        FAULTS.get(fault, FAULTS["nothing"])(server)
        return fault

    delivery = house.database.reading.delivery(house.delivery)
    while delivery.state in {DeliveryState.QUEUED, DeliveryState.PUBLISHING}:
        delivery = await house.publish(dies=spoil_the_next() == "death", sent=spoil_the_next)
        clock.moment = max(clock.moment, delivery.due)
    assert delivery.state is DeliveryState.PUBLISHED, (faults, delivery)
    house.check()


@pytest.mark.parametrize("kind", SERVERS)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(faults=st.lists(st.sampled_from([*FAULTS, "death"]), max_size=8))
def test_every_post_once(kind: str, faults: list[str]) -> None:
    """Whatever goes wrong, and wherever the service dies: the whole chain comes out, and nothing twice."""
    clock = FakeClock()
    with MastodonServer(clock=clock, **SERVERS[kind]) as server:
        server.add_account()
        asyncio.run(publish_through(server, clock, faults))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", SERVERS)
def test_each_fault_at_every_post(kind: str, fault: str) -> None:
    """One fault, at every post of the chain and at each second try too: the whole chain, nothing twice."""
    clock = FakeClock()
    with MastodonServer(clock=clock, **SERVERS[kind]) as server:
        server.add_account()
        asyncio.run(publish_through(server, clock, [fault] * 10))


@pytest.mark.parametrize(("depth", "seen"), [(None, 21), (20, 45), (7, 45)])
async def test_visitors_see_a_chain_whole_that_branches(depth: int | None, seen: int) -> None:
    """With DEPTH a chain of 45 is whole for who is not logged in, in its order, whatever answer is lost."""
    clock = FakeClock()
    with MastodonServer(clock=clock) as server:
        server.add_account()
        channel = make_channel(server, clock=clock, depth=depth)
        database = fresh_database()
        database.changes.see_channels([ChannelSeen("masto", "mastodon", "there")], now=START)
        (added,) = database.threads.add([wish("masto", parts=45)], now=START, actor="test")
        (delivery,) = added.deliveries
        lost = {20, 21, 40}

        def see(delivery: Delivery) -> None:
            if delivery.sent in lost:
                lost.remove(delivery.sent)
                server.lose_answer()

        while delivery.state is not DeliveryState.PUBLISHED:
            publisher = Publisher(
                database, channel, worker="one", clock=clock, stop=Stop(), observe=see, chance=lambda: 1.0
            )
            published = await publisher.publish()
            assert isinstance(published, Delivery)
            delivery, clock.moment = published, max(clock.moment, published.due)
        posts = database.reading.posts(delivery.id)
        audited = await audit(delivery, posts, channel)
        assert (audited.problem, audited.differences) == ("", ())
        assert (audited.unseen.position if audited.unseen else None) == (22 if depth is None else None)
        assert audited.unseen is None or "nor 23 others" in audited.unseen.detail
        assert channel.reach.seen(45) == seen
        await channel.close()
        statuses = server.statuses()
        visible = server.visible_from(statuses[0].id)
    assert [status.text for status in statuses[:1]] + visible == [post.post.text for post in posts][:seen]
