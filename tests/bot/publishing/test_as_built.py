"""What pace and budget promise, and what a channel's fault does, on channels as the service builds them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.publishing.scripted import START, FakeClock, wish
from tests.queue.store.fresh import fresh_database
from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget
from tests.servers.mastodon.manners import GOTOSOCIAL, MASTODON, SNAC, Manners
from tests.servers.mastodon.server import TOKEN, MastodonServer
from threadcast.bot.channels.build import build_channels, build_paces
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.config.settings import load
from threadcast.queue.model import ChannelSeen, Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState, Event, PostState

WINDOW = timedelta(hours=3)  # one begins at START
SEVEN = (30, 3, 3, 3, 3, 3, 3)
LITTLE = {**REAL_BUDGETS, "statuses": Budget(60, WINDOW)}


class House:
    """A queue and an account, and what a service makes of its settings, anew with each start."""

    def __init__(self, folder: Path, server: MastodonServer, clock: FakeClock) -> None:
        self.clock = clock
        self.server = server
        self.account = server.add_account()
        self.database = fresh_database()
        self.database.changes.see_channels([ChannelSeen("masto", "mastodon", "there")], now=START)
        channel = {"KIND": "mastodon", "URL": server.url, "TOKEN": TOKEN}
        environ = {f"THREADCAST_CHANNELS__MASTO__{name}": value for name, value in channel.items()}
        self.settings = load({**environ, "THREADCAST_DATA": str(folder)}, folder=folder)
        self.waits: list[Delivery] = []
        self.lost_behind = 0  # how many posts are out when the next one's answer gets lost

    def add(self, *sizes: int) -> None:
        wishes = [wish("masto", parts=parts, about=f"lamp {n}") for n, parts in enumerate(sizes)]
        self.database.threads.add(wishes, now=self.clock(), actor="test")

    def run(self, *, until: timedelta = timedelta(days=2), posts: int = 10**6) -> None:
        """A service that publishes until nothing is left, that time is over, or so many posts were made."""
        end = self.clock() + until
        asyncio.run(self._run(end, posts))

    async def _run(self, end: datetime, posts: int) -> None:
        (channel,) = build_channels(self.settings, self.database, self.clock)
        pace = build_paces(self.settings, [channel], self.database)["masto"]
        stop = Stop()

        def see(delivery: Delivery) -> None:
            if delivery.state is DeliveryState.PUBLISHING and delivery.due > self.clock():
                self.waits.append(delivery)
            out = len(self.server.statuses())
            if out >= posts:
                stop.ask()
            if out and out == self.lost_behind:
                self.lost_behind = 0
                self.server.lose_answer()

        publisher = Publisher(
            self.database,
            channel,
            worker="one",
            clock=self.clock,
            stop=stop,
            pace=pace,
            observe=see,
            chance=lambda: 1.0,
        )
        while not stop.asked.is_set():
            again = await publisher.publish()
            if isinstance(again, Delivery):
                continue
            if again is None or again > end:
                break
            self.clock.moment = max(again, self.clock())
        await channel.close()

    def states(self) -> list[DeliveryState]:
        return [delivery.state for delivery in self.database.reading.deliveries(channel="masto")]

    def half_out(self) -> list[int]:
        """The lengths of what is out of chains that wait in their middle."""
        return [wait.sent for wait in self.waits if 0 < wait.sent < wait.posts]


@contextmanager
def house(folder: Path, manners: Manners = MASTODON, **changes: object) -> Iterator[House]:
    clock = FakeClock()
    with MastodonServer(manners=manners, clock=clock, **changes) as server:  # type: ignore[arg-type]
        yield House(folder, server, clock)


def test_never_half(tmp_path: Path) -> None:
    """Chains for which an account has no room wait whole, with a reason; no 429 is provoked."""
    with house(tmp_path, budgets=LITTLE) as at:
        at.add(30, *SEVEN)
        at.run()
        assert set(at.states()) == {DeliveryState.PUBLISHED}
        assert (at.server.throttled, at.half_out()) == (0, [])
        assert at.clock() == START + WINDOW
        (waited,) = at.waits
        assert (waited.code, waited.due) == (Code.ROOM, START + WINDOW)
        assert waited.reason == (
            "waits for room: the account may post no more until 15:00 UTC, and the chain has 3"
        )


def test_somebody_else_posts_too(tmp_path: Path) -> None:
    """What others leave of the account's budget is believed from the first answer on."""
    with house(tmp_path) as at:
        for _ in range(288):
            at.server._budgets.take("statuses", at.account.id, at.clock())
        at.add(2, 12)
        at.run()
        assert (at.server.throttled, at.half_out()) == (0, [])
        (waited,) = at.waits
        assert waited.reason == (
            "waits for room: the account may post 10 more until 15:00 UTC, and the chain has 12"
        )


def test_more_than_a_window(tmp_path: Path) -> None:
    """A chain of 310 posts goes over two windows, a restart in its middle too; no 429 is provoked."""
    with house(tmp_path) as at:
        at.add(310)
        at.run(posts=120)
        at.run()
        assert at.states() == [DeliveryState.PUBLISHED]
        assert at.server.throttled == 0
        assert at.clock() == START + WINDOW
        assert all(wait.code is Code.ROOM and wait.reason for wait in at.waits)
        statuses = at.server.statuses()
        assert [status.parent for status in statuses] == [None, *[status.id for status in statuses[:-1]]]


@pytest.mark.parametrize(("manners", "within"), [(GOTOSOCIAL, timedelta(minutes=10)), (SNAC, timedelta(0))])
def test_servers_that_do_not_limit_posts(tmp_path: Path, manners: Manners, within: timedelta) -> None:
    """Hundreds of posts go out in minutes where no server limits them; a restart puts nothing to sleep."""
    with house(tmp_path, manners) as at:
        at.add(310, 30)
        at.run(posts=305)
        assert PostState.PLANNED in {post.state for post in at.database.reading.posts(1)}
        at.run()
        assert at.states() == [DeliveryState.PUBLISHED] * 2
        assert at.server.throttled == 0
        assert at.clock() <= START + within
        assert all(wait.code is Code.ROOM and wait.reason for wait in at.waits)


def test_a_doubt_does_not_wait_for_room(tmp_path: Path) -> None:
    """A post in doubt is looked for at its time, though no other post may be sent for hours."""
    with house(tmp_path, budgets=LITTLE) as at:
        at.add(59, 1)
        at.lost_behind = 59  # and with it goes the last of the room
        at.run(until=timedelta(minutes=5))
        assert set(at.states()) == {DeliveryState.PUBLISHED}
        assert len(at.server.statuses()) == 60


@pytest.mark.parametrize(("fault", "then"), [("token", "retry"), ("rights", "start")])
def test_a_fault_of_the_channel_stops_the_channel(tmp_path: Path, fault: str, then: str) -> None:
    """A bad token keeps seven threads as they are, in mid-chain too; and mended, all go out at once."""
    with house(tmp_path) as at:
        at.add(*SEVEN)
        at.run(posts=10)
        account = at.server.accounts[TOKEN]
        if fault == "token":
            at.server.revoke()
        else:
            account.scopes = frozenset({"read"})
        at.run(until=timedelta(hours=1))
        first, *others = at.database.reading.deliveries(channel="masto")
        assert (first.state, first.code) == (DeliveryState.PUBLISHING, Code(fault))
        assert {(one.state, one.reason) for one in others} == {(DeliveryState.QUEUED, "")}
        assert {wait.thread_id for wait in at.waits} == {first.thread_id}
        at.server.accounts[TOKEN] = account
        account.scopes = frozenset({"read", "write"})
        mended = at.clock()
        if then == "retry":
            at.database.changes.apply(first.id, Event.RETRY, now=mended, actor="ada", due=mended)
        else:
            at.database.work.free_leases(now=mended)
        at.run()
        assert at.clock() == mended, "nothing waited any longer"
        assert at.states() == [DeliveryState.PUBLISHED] * 7
        assert len(at.server.statuses()) == sum(SEVEN)
