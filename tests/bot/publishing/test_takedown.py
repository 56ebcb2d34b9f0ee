"""Taking a chain down goes as far as the network lets it, and can be gone on with."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.publishing.scripted import START, FakeClock, ScriptedChannel, wish
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.port import Comparison, Expected, Outgoing
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.publishing.takedown import AGAIN, Left, Undo, Undoing, audit
from threadcast.queue.model import Adoption, Delivery
from threadcast.queue.outcomes import Absent, Blind, Refused, Sent, TakeDown, Throttled, Unreached


class Sticky(ScriptedChannel):
    """A channel whose take-downs are answered as a test wants, then really done."""

    def __init__(self, folder: Path, clock: FakeClock) -> None:
        super().__init__("news", folder, clock)
        self.answers: deque[TakeDown] = deque()
        self.asked: list[str] = []

    async def take_down(self, remote_id: str) -> TakeDown:
        self.asked.append(remote_id)
        return self.answers.popleft() if self.answers else await super().take_down(remote_id)


class House:
    """A published chain of three posts, and somebody who takes it down."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.database = fresh_database()
        self.folder = folder
        self.channel = Sticky(folder, self.clock)
        self.seen: list[Undoing] = []
        self.paused: list[datetime] = []

    async def publish(self, *by_hand: str) -> Delivery:
        new = wish("news")
        if by_hand:
            sent = [await self.channel.send(Outgoing(text, None, key=text)) for text in by_hand]
            assert isinstance(sent[-1], Sent)
            (only,) = new.deliveries
            new = replace(new, deliveries=(replace(only, adoption=Adoption(len(by_hand), sent[-1])),))
        self.database.threads.add([new], now=START, actor="test")
        publisher = Publisher(self.database, self.channel, worker="one", clock=self.clock, stop=Stop())
        delivery = await publisher.publish()
        assert isinstance(delivery, Delivery)
        return delivery

    async def pause(self, until: datetime) -> None:
        self.paused.append(until)
        self.clock.moment = until

    async def undo(self, delivery: Delivery) -> Undoing:
        if not self.seen:
            self.database.changes.withdraw(delivery.id, now=self.clock(), actor="ada")
        work = Undo(self.database, actor="ada", clock=self.clock, see=self.seen.append, pause=self.pause)
        return await work.take_down(delivery, self.channel)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_newest_first(house: House) -> None:
    """The posts go down from the newest to the first, each noted in the queue."""
    delivery = await house.publish()
    ids = [post.remote_id for post in house.database.reading.posts(delivery.id)]
    undone = await house.undo(delivery)
    assert (undone.gone, undone.out, undone.left) == (3, 3, ())
    assert house.channel.asked == ids[::-1]
    assert all(post.taken_down == START for post in house.database.reading.posts(delivery.id))
    assert [one.gone for one in house.seen] == [0, 1, 2, 3]


async def test_asked_to_wait(house: House) -> None:
    """Where the network asks to wait it is waited for, and the same post is asked for again."""
    delivery = await house.publish()
    later = START + timedelta(minutes=30)
    house.channel.answers.append(Throttled(later, "slow down"))
    undone = await house.undo(delivery)
    assert (undone.gone, house.paused) == (3, [later])
    assert house.channel.asked[0] == house.channel.asked[1]
    assert [one.until for one in house.seen if one.until] == [later]


async def test_what_stays(house: House) -> None:
    """A post that the network no longer lets us delete stays, with its address; the others go."""
    delivery = await house.publish()
    house.channel.answers.extend([Absent(), Refused("older than 48 hours")])
    undone = await house.undo(delivery)
    second = house.database.reading.posts(delivery.id)[1]
    assert (undone.gone, undone.left) == (2, (Left(2, second.url, "older than 48 hours"),))
    assert [post.taken_down is None for post in house.database.reading.posts(delivery.id)] == [
        False,
        True,
        False,
    ]


async def test_broken_off_and_gone_on_with(house: House) -> None:
    """A network that cannot be reached is tried a few times; later it goes on where it stopped."""
    delivery = await house.publish()
    house.channel.answers.extend([Absent(), *[Unreached("no route")] * 3])
    broken = await house.undo(delivery)
    assert (broken.gone, broken.out) == (1, 3)
    assert house.paused == [START + AGAIN, START + 2 * AGAIN]
    assert [left.position for left in broken.left] == [2]
    house.channel.asked.clear()
    undone = await house.undo(delivery)
    assert (undone.gone, undone.out) == (3, 3)
    assert len(house.channel.asked) == 2


async def test_what_was_posted_by_hand(house: House) -> None:
    """Posts of an adopted chain whose ids nobody knows stay, and are said to."""
    delivery = await house.publish("1/ lamp 1", "2/ lamp 2")
    undone = await house.undo(delivery)
    assert (undone.gone, undone.out) == (2, 3)
    (left,) = undone.left
    assert (left.position, left.url) == (1, None)


async def test_an_audit_that_cannot_look(house: House) -> None:
    """A chain that the network does not show is told with the cause, and no difference is made up."""
    delivery = await house.publish()

    class Shut(Sticky):
        async def audit(self, chain: object) -> Blind:
            return Blind("the chat protects its content")

    channel = Shut(house.folder, house.clock)
    found = await audit(delivery, house.database.reading.posts(delivery.id), channel)
    assert (found.posts, found.differences, found.problem) == (3, (), "the chat protects its content")


async def test_an_audit_that_is_asked_to_wait(house: House) -> None:
    """Where the network asks to wait, an audit waits and looks again; without a way to wait it says so."""
    delivery = await house.publish()
    posts, until = house.database.reading.posts(delivery.id), START + timedelta(hours=1)

    class Busy(Sticky):
        busy = 2

        async def audit(self, chain: Sequence[Expected]) -> Comparison:
            self.busy -= 1
            return Throttled(until, "asks to wait") if self.busy >= 0 else await super().audit(chain)

    channel = Busy(house.folder, house.clock)
    assert (await audit(delivery, posts, channel)).problem == "asks to wait"
    found = await audit(delivery, posts, channel, pause=house.pause)
    assert (found.problem, found.differences, found.posts) == ("", (), 3)
    assert house.paused == [until]


async def test_an_audit_of_nothing(house: House) -> None:
    """Of a chain that was taken down nothing is looked at."""
    delivery = await house.publish()
    await house.undo(delivery)
    found = await audit(delivery, house.database.reading.posts(delivery.id), house.channel)
    assert (found.posts, found.problem) == (0, "nothing of it is out")
