"""A post of unknown fate is looked for, and nothing is sent that may be out."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.publishing.scripted import LOST, START, FakeClock, ScriptedChannel, Step, wish
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.budget import Room
from threadcast.bot.channels.local.timeline import read_newest
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import Landmark
from threadcast.bot.publishing.calls import BROKE
from threadcast.bot.publishing.lease import Stop, renewed
from threadcast.bot.publishing.publisher import LEASE, PATIENCE, Publisher
from threadcast.queue.compose.compose import compose
from threadcast.queue.errors import Fault, LeaseLostError, StoreError
from threadcast.queue.model import ChannelSeen, Claim, Delivery, NewDelivery, NewThread
from threadcast.queue.outcomes import (
    Absent,
    Blind,
    Look,
    Outcome,
    Refused,
    Sent,
    Settling,
    Throttled,
    Unknown,
    Unreached,
)
from threadcast.queue.states import DeliveryState, Event, PostState
from threadcast.queue.store.work import Work
from threadcast.queue.text.parse import parse

MINUTE = timedelta(minutes=1)
SETTLING = Settling(first_look=MINUTE, apart=2 * MINUTE, misses=2, key_life=timedelta(minutes=30))
GONE = Step(Unknown("the answer was lost"))  # and the post never arrived

FULL = StoreError(Fault.FULL, place="the database", cause="no space")
TAKEN = LeaseLostError(Fault.LEASE_LOST, thread_id=1, channel="news", worker="one")


@dataclass
class Stepped(Pace):
    """A pace that says what a test wants; what it was told is kept."""

    waits: list[timedelta] = field(default_factory=list)
    rooms: list[Room] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)
    remembered: float | None = None
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def ready_at(self, now: datetime) -> datetime:
        self.reached.set()
        return now + (self.waits.pop(0) if self.waits else timedelta(0))

    def ended(self, outcome: Outcome, now: datetime) -> None:
        self.outcomes.append(outcome)

    @property
    def rate(self) -> float | None:
        return self.remembered

    def room(self, posts: int, now: datetime) -> Room:
        self.asked.append(posts)
        return self.rooms.pop(0) if self.rooms else super().room(posts, now)


class House:
    """A queue, a channel whose posts are looked for, and a publisher."""

    def __init__(self, folder: Path, *steps: Step, settling: Settling = SETTLING) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.database = fresh_database()
        self.channel = ScriptedChannel("news", folder, self.clock, *steps)
        self.channel.script.settling = settling
        self.pace = Stepped()
        self.database.changes.see_channels([ChannelSeen("news", "local", "here")], now=START)

    def add(self, parts: int = 3) -> int:
        (added,) = self.database.threads.add([wish("news", parts=parts)], now=self.clock(), actor="test")
        return added.deliveries[0].id

    async def publish(self, *looks: Look, stop: Stop | None = None) -> Delivery:
        """As far as it goes now; `looks` are what looks for a post in doubt give."""
        self.channel.script.looks.extend(looks)
        publisher = Publisher(
            self.database,
            self.channel,
            worker="one",
            clock=self.clock,
            stop=stop or Stop(),
            pace=self.pace,
            chance=lambda: 1.0,
        )
        delivery = await publisher.publish()
        assert isinstance(delivery, Delivery)
        assert delivery.lease_owner is None
        return delivery

    @property
    def asked(self) -> list[str]:
        return [outgoing.text for outgoing in self.channel.script.asked]

    def states(self, delivery: int) -> list[PostState]:
        return [post.state for post in self.database.reading.posts(delivery)]

    def texts(self) -> list[str]:
        timeline = read_newest(self.folder / "news.jsonl")
        assert timeline is not None
        return [entry.text for entry in timeline.entries]


WHOLE = ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., House]:
    return lambda *steps, **settings: House(tmp_path, *steps, **settings)


async def test_a_lost_answer_is_found(house: Callable[..., House]) -> None:
    """A post whose answer was lost is found on the network, and the chain goes on behind it, whole."""
    at = house(Step(), LOST)
    delivery = at.add()
    waiting = await at.publish()
    assert (waiting.state, waiting.due) == (DeliveryState.PUBLISHING, START + MINUTE)
    at.clock.moment = waiting.due
    published = await at.publish()
    assert published.state is DeliveryState.PUBLISHED
    assert at.asked == at.texts() == WHOLE
    (sought,) = at.channel.script.sought
    first, second, _ = at.database.reading.posts(delivery)
    assert (sought.text, sought.parent, sought.key) == ("2/ lamp 2", first.remote_id, second.key)
    assert (sought.since, sought.landmark) == (START, Landmark(first.remote_id or "", first.post.text))


async def test_what_never_arrived_is_sent_again(house: Callable[..., House]) -> None:
    """A post that is certainly not there is sent again, with the same key and parent."""
    at = house(Step(), GONE)
    at.add()
    at.clock.moment = (await at.publish()).due
    published = await at.publish()
    assert published.state is DeliveryState.PUBLISHED
    assert at.texts() == WHOLE
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "2/ lamp 2", "3/ lamp /end"]
    _, first, again, _ = at.channel.script.asked
    assert first == again
    whats = [event.what for event in at.database.reading.events()]
    assert whats[whats.index(Event.SEEK) :][:3] == [Event.SEEK, Event.CLAIM, Event.RESEND]


async def test_looked_for_twice(house: Callable[..., House]) -> None:
    """Once the server may have forgotten the key, one look that misses is not enough."""
    at = house(GONE)
    at.add()
    await at.publish()
    at.clock.advance(hours=1)
    again = await at.publish()
    assert (again.state, again.due) == (DeliveryState.PUBLISHING, at.clock() + 2 * MINUTE)
    assert at.asked == ["1/ lamp 1"]
    at.clock.moment = again.due
    assert (await at.publish()).state is DeliveryState.PUBLISHED
    assert at.texts() == WHOLE


@pytest.mark.parametrize("look", [Throttled(START + 5 * MINUTE, "slow down"), Unreached("no route")])
async def test_looked_for_later(house: Callable[..., House], look: Look) -> None:
    """A network that cannot be looked at now is looked at later, and nothing is sent meanwhile."""
    at = house(GONE)
    delivery = at.add()
    at.clock.moment = (await at.publish()).due
    later = await at.publish(look)
    assert later.state is DeliveryState.PUBLISHING
    assert later.due > at.clock()
    assert at.states(delivery)[0] is PostState.UNKNOWN
    assert at.asked == ["1/ lamp 1"]


@pytest.mark.parametrize("where", ["preflight", "look_up"])
async def test_a_server_that_says_nothing(house: Callable[..., House], where: str) -> None:
    """A service that can wait no longer waits for no look either: the chain is let go of as it stands."""

    class Silent(ScriptedChannel):
        async def preflight(self) -> None:
            if where == "preflight":
                await self.silence()

        async def look_up(self, sought: object) -> Look:
            await self.silence()
            return Absent()

        async def silence(self) -> None:
            stop.ask()
            await asyncio.Event().wait()

    stop = Stop(grace=0)
    at = house(GONE)
    at.channel = Silent("news", at.folder, at.clock, GONE)
    delivery = at.add()
    stopped = await at.publish(stop=stop)
    if where == "look_up":
        at.clock.moment = stopped.due
        stopped = await at.publish(stop=stop)
    assert stopped.state is DeliveryState.PUBLISHING
    assert PostState.SENT not in at.states(delivery)
    assert len(at.asked) == (where == "look_up")


async def test_nobody_can_look(house: Callable[..., House]) -> None:
    """Where nobody can look the owner is asked, and time alone sends nothing."""
    at = house(GONE)
    at.add()
    at.clock.moment = (await at.publish()).due
    unsure = await at.publish(Blind("the chat protects its content"))
    assert (unsure.state, unsure.reason) == (DeliveryState.UNSURE, "the chat protects its content")
    assert at.asked == ["1/ lamp 1"]


async def test_twice_rather_than_never(house: Callable[..., House]) -> None:
    """An owner who prefers it so has a post sent again that nobody can look for."""
    at = house(GONE, settling=Settling(first_look=MINUTE, resend=True))
    at.add()
    at.clock.moment = (await at.publish()).due
    assert (await at.publish(Blind("no way to look"))).state is DeliveryState.PUBLISHED
    assert at.texts() == WHOLE


async def test_a_worker_that_died(house: Callable[..., House]) -> None:
    """A post found in the middle of being sent is looked for when its try is old enough."""
    at = house()
    delivery = at.add()
    claim = at.database.work.claim("news", worker="dead", now=START, until=START + LEASE)
    assert isinstance(claim, Claim)
    at.database.work.plan(claim, compose(claim.thread, await at.channel.rules()), now=START)
    at.database.work.intend(claim, 1, key="k", reply_to=None, now=START, until=START + LEASE)
    at.database.work.free_leases(now=START)
    waiting = await at.publish()
    assert (waiting.state, waiting.due) == (DeliveryState.PUBLISHING, START + MINUTE)
    assert at.states(delivery)[0] is PostState.UNKNOWN
    at.clock.moment = waiting.due
    assert (await at.publish()).state is DeliveryState.PUBLISHED
    assert at.texts() == WHOLE


async def test_the_landmark(house: Callable[..., House]) -> None:
    """A look gets the newest post that is out on the channel: what it seeks comes after that."""
    at = house()
    earlier = at.add(parts=2)
    await at.publish()
    (last,) = at.database.reading.posts(earlier)[-1:]
    at.channel.script.steps.append(LOST)
    at.add()
    at.clock.moment = (await at.publish()).due
    await at.publish()
    (sought,) = at.channel.script.sought
    assert sought.landmark == Landmark(last.remote_id or "", last.post.text)


async def test_a_broken_look(house: Callable[..., House]) -> None:
    """An adapter that breaks while it looks is asked again later."""

    class Broken(ScriptedChannel):
        async def look_up(self, sought: object) -> Look:
            raise RuntimeError("token 123:abc")

    at = house(GONE)
    at.channel = Broken("news", at.folder, at.clock, GONE)
    delivery = at.add()
    at.clock.moment = (await at.publish()).due
    later = await at.publish()
    assert (later.state, later.reason) == (
        DeliveryState.PUBLISHING,
        BROKE,
    )
    assert at.states(delivery)[0] is PostState.UNKNOWN


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        (Refused("the bot was removed"), DeliveryState.FAILED),
        (Throttled(START + MINUTE, "slow down"), DeliveryState.PUBLISHING),
        (Unreached("no route"), DeliveryState.PUBLISHING),
    ],
)
async def test_nothing_is_sent_where_the_chain_cannot_go(
    house: Callable[..., House], fault: Refused | Throttled | Unreached, state: DeliveryState
) -> None:
    """Before the first post it is seen whether the chain could go at all: else not one post is out."""
    at = house()
    delivery = at.add()
    at.channel.script.fault = fault
    stopped = await at.publish()
    assert (stopped.state, stopped.reason) == (state, fault.reason)
    assert at.asked == []
    assert at.states(delivery) == [PostState.PLANNED] * 3
    at.channel.script.fault = None
    at.clock.advance(hours=1)
    if state is DeliveryState.FAILED:
        at.database.changes.apply(delivery, Event.RETRY, now=at.clock(), actor="test")
    assert (await at.publish()).state is DeliveryState.PUBLISHED


async def test_no_room_for_the_chain(house: Callable[..., House]) -> None:
    """A chain that the account's budget has no room for waits whole, and says until when and why."""
    at = house()
    at.add()
    at.pace.rooms.append(Room(START + MINUTE, START + 2 * MINUTE, "waits for room", 1))
    waiting = await at.publish()
    assert (waiting.state, waiting.due, waiting.reason) == (
        DeliveryState.PUBLISHING,
        START + MINUTE,
        "waits for room",
    )
    assert (at.asked, at.pace.asked) == ([], [3])
    at.clock.moment = waiting.due
    assert (await at.publish()).state is DeliveryState.PUBLISHED


async def test_a_chain_that_has_begun_goes_on(house: Callable[..., House]) -> None:
    """What is half out is not held up by the budget of whole chains: it goes on."""
    at = house(Step(), Step(Throttled(START + MINUTE, "slow down")))
    at.add()
    at.clock.moment = (await at.publish()).due
    at.pace.rooms.append(Room(START + 9 * MINUTE, START + 9 * MINUTE, "waits for room", 1))
    assert (await at.publish()).state is DeliveryState.PUBLISHED


async def test_a_short_wait_for_the_pace(house: Callable[..., House]) -> None:
    """For a moment of pace a chain waits with its lease, nothing intended; all outcomes are told."""
    at = house()
    delivery = at.add()
    at.pace.waits = [timedelta(milliseconds=1)] * 6
    assert (await at.publish()).state is DeliveryState.PUBLISHED
    assert at.texts() == WHOLE
    assert [type(outcome) for outcome in at.pace.outcomes] == [Sent] * 3
    assert at.database.reading.delivery(delivery).fence == 1


async def test_a_long_wait_for_the_pace(house: Callable[..., House]) -> None:
    """For a long wait a chain lets go of its lease, and is due then."""
    at = house()
    delivery = at.add()
    at.pace.waits = [timedelta(0), PATIENCE * 2, PATIENCE * 2]
    waiting = await at.publish()
    assert (waiting.state, waiting.due) == (DeliveryState.PUBLISHING, START + PATIENCE * 2)
    assert at.states(delivery) == [PostState.SENT, PostState.PLANNED, PostState.PLANNED]


async def test_a_stop_ends_the_wait(house: Callable[..., House]) -> None:
    """A service that is asked to stop does not wait for the pace of a channel."""
    at = house()
    delivery = at.add()
    stop = Stop()
    at.pace.waits = [PATIENCE]
    working = asyncio.create_task(at.publish(stop=stop))
    await at.pace.reached.wait()
    stop.ask()
    assert (await working).sent == 0
    assert at.states(delivery) == [PostState.PLANNED] * 3


async def test_the_rate_is_remembered(house: Callable[..., House]) -> None:
    """What rate a channel takes is kept in the queue when it changed, for the next start."""
    at = house()
    at.add()
    publisher = Publisher(
        at.database, at.channel, worker="one", clock=at.clock, stop=Stop(), pace=at.pace, chance=lambda: 1.0
    )
    at.pace.remembered = 0.25
    await publisher.publish()
    assert at.database.reading.channels()[0].rate == 0.25


async def test_the_lease_is_renewed(house: Callable[..., House]) -> None:
    """While its holder is at work a lease does not end, however long that takes."""
    at = house()
    delivery = at.add()
    lease = timedelta(milliseconds=15)
    claim = at.database.work.claim("news", worker="one", now=START, until=START + lease)
    assert isinstance(claim, Claim)
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    class Renewed(Work):
        def renew(self, claim: Claim, *, until: datetime) -> None:
            super().renew(claim, until=until)
            loop.call_soon_threadsafe(done.set)

    at.database.work = Renewed(at.database.transactions)
    at.clock.advance(minutes=5)
    async with renewed(at.database, claim, clock=at.clock, lease=lease):
        await done.wait()
    assert at.database.reading.delivery(delivery).lease_until == at.clock() + lease


@pytest.mark.parametrize("error", [TAKEN, FULL])
async def test_a_lease_that_cannot_be_renewed(house: Callable[..., House], error: StoreError) -> None:
    """A heartbeat that fails ends nobody's work: the next write learns what became of the lease."""
    at = house()
    at.add()
    claim = at.database.work.claim("news", worker="one", now=START, until=START + LEASE)
    assert isinstance(claim, Claim)
    loop, asked = asyncio.get_running_loop(), asyncio.Event()

    class Broken(Work):
        def renew(self, claim: Claim, *, until: datetime) -> None:
            loop.call_soon_threadsafe(asked.set)
            raise error

    at.database.work = Broken(at.database.transactions)
    async with renewed(at.database, claim, clock=at.clock, lease=timedelta(milliseconds=15)):
        await asked.wait()


async def test_a_threads_settings_go_with_every_try_and_look(tmp_path: Path) -> None:
    """What is sent, looked for and sent again has the settings that its thread was stored with."""
    at = House(tmp_path, Step(Unknown("lost")))
    (thread,) = parse("---\nwarning: Food\n---\n1/ Bread\n2/ Butter /end")
    new = NewThread(thread, "test.txt", (NewDelivery("news", DeliveryState.QUEUED, START),))
    at.database.threads.add([new], now=at.clock(), actor="test")
    delivery = await at.publish()
    while delivery.state is not DeliveryState.PUBLISHED:
        at.clock.advance(hours=1)
        delivery = await at.publish(*([] if at.channel.script.sought else [Absent()] * 2))
    outgoing = [*at.channel.script.asked, *at.channel.script.sought]
    assert {one.settings.warning for one in outgoing} == {"Food"}
    assert len(at.channel.script.sought) > 1
    assert [entry.warning for entry in read_newest(tmp_path / "news.jsonl").entries] == ["Food", "Food"]  # type: ignore[union-attr]  # it is one
