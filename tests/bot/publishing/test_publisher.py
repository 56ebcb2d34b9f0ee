"""The publisher takes a delivery as far as it goes now, and stops where it must."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from structlog.testing import capture_logs

from tests.bot.publishing.scripted import LOST, START, FakeClock, ScriptedChannel, Step, wish
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.local.timeline import read_newest
from threadcast.bot.channels.pace import Pace
from threadcast.bot.channels.port import NotReadyError, Outgoing
from threadcast.bot.publishing.calls import BROKE
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import LEASE, Publisher
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.rules import Numbering, Rules
from threadcast.queue.model import Adoption, Claim, Delivery, NewThread, PostRecord
from threadcast.queue.outcomes import (
    Blind,
    Code,
    Outcome,
    Refused,
    Sent,
    Settling,
    Throttled,
    Unknown,
    Unreached,
)
from threadcast.queue.states import DeliveryState, Event, PostState
from threadcast.queue.text.parse import parse
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings


class House:
    """A queue, a channel and publishers on them."""

    def __init__(self, folder: Path, *steps: Step) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.database = fresh_database()
        self.channel = ScriptedChannel("news", folder, self.clock, *steps)
        self.seen: list[Delivery] = []

    def publisher(
        self,
        worker: str = "one",
        stop: Stop | None = None,
        gap: timedelta = timedelta(0),
        brake: Callable[[datetime], datetime | None] = lambda _: None,
        pace: Pace | None = None,
    ) -> Publisher:
        return Publisher(
            self.database,
            self.channel,
            worker=worker,
            clock=self.clock,
            stop=stop or Stop(),
            gap=gap,
            brake=brake,
            pace=pace or Pace(),
            observe=self.seen.append,
            chance=lambda: 1.0,
        )

    async def blind(self) -> Delivery:
        """Where a look for the post in doubt shows nothing: a person has to look."""
        self.channel.script.looks.append(Blind("nobody can look"))
        stopped = await self.publisher().publish()
        assert isinstance(stopped, Delivery)
        return stopped

    def add(self, *wishes: NewThread) -> list[int]:
        added = self.database.threads.add(wishes or (wish("news"),), now=self.clock(), actor="test")
        return [delivery.id for one in added for delivery in one.deliveries]

    def posts(self, delivery: int) -> tuple[PostRecord, ...]:
        return self.database.reading.posts(delivery)

    def states(self, delivery: int) -> list[PostState]:
        return [post.state for post in self.posts(delivery)]

    @property
    def asked(self) -> list[str]:
        return [outgoing.text for outgoing in self.channel.script.asked]


class Gate(asyncio.Event):
    """An event that tells when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = asyncio.Event()

    async def wait(self) -> Literal[True]:
        self.reached.set()
        return await super().wait()


@pytest.fixture
def house(tmp_path: Path) -> Callable[..., House]:
    return lambda *steps: House(tmp_path, *steps)


async def test_a_chain_goes_out_whole(house: Callable[..., House]) -> None:
    """Every post of a thread is sent in order, each a reply to the one before, and recorded."""
    at = house()
    (delivery,) = at.add()
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]
    posts = at.posts(delivery)
    assert [post.state for post in posts] == [PostState.SENT] * 3
    ids = [post.remote_id for post in posts]
    assert [post.reply_to for post in posts] == [None, *ids[:-1]]
    assert [outgoing.parent for outgoing in at.channel.script.asked] == [None, *ids[:-1]]
    assert len({outgoing.key for outgoing in at.channel.script.asked}) == 3


async def test_nothing_due(house: Callable[..., House]) -> None:
    """Where nothing is due, nothing is sent."""
    at = house()
    at.add(wish("news", due=START + timedelta(seconds=1)))
    assert not isinstance(await at.publisher().publish(), Delivery)
    assert at.asked == []


async def test_the_observer_follows(house: Callable[..., House]) -> None:
    """Whoever watches sees the delivery at its claim and after each post."""
    at = house()
    at.add()
    await at.publisher().publish()
    assert [(seen.state.value, seen.sent) for seen in at.seen] == [
        ("publishing", 0),
        ("publishing", 1),
        ("publishing", 2),
        ("published", 3),
    ]


@pytest.mark.parametrize(
    ("outcome", "wait"),
    [
        pytest.param(Throttled(START + timedelta(hours=2), "slow down"), timedelta(hours=2), id="throttled"),
        pytest.param(Unreached("no route"), timedelta(seconds=2), id="unreached"),
    ],
)
async def test_later_from_the_same_post(
    house: Callable[..., House], outcome: Outcome, wait: timedelta
) -> None:
    """A post that was certainly not sent is sent again when its time has come, under the same key."""
    at = house(Step(), Step(outcome))
    (delivery,) = at.add()
    stopped = await at.publisher().publish()
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.due) == (DeliveryState.PUBLISHING, START + wait)
    assert at.states(delivery) == [PostState.SENT, PostState.PLANNED, PostState.PLANNED]
    assert not isinstance(await at.publisher().publish(), Delivery)
    at.clock.moment = START + wait
    published = await at.publisher("two").publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "2/ lamp 2", "3/ lamp /end"]
    assert at.channel.script.asked[1] == at.channel.script.asked[2]


async def test_a_waiting_chain_keeps_its_channel(house: Callable[..., House]) -> None:
    """While a begun chain waits, no other thread starts on its channel."""
    at = house(Step(), Step(Throttled(START + timedelta(hours=1), "slow down")))
    at.add(wish("news"), wish("news", about="other"))
    await at.publisher().publish()
    assert not isinstance(await at.publisher().publish(), Delivery)


async def test_unreached_again_and_again(house: Callable[..., House]) -> None:
    """Each failed connection doubles the wait, up to a quarter of an hour."""
    at = house(*[Step(Unreached("no route"))] * 12)
    at.add()
    waits = []
    for _ in range(12):
        stopped = await at.publisher().publish()
        assert isinstance(stopped, Delivery)
        waits.append((stopped.due - at.clock()).total_seconds())
        at.clock.moment = stopped.due
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]


async def test_a_person_stops_it(house: Callable[..., House]) -> None:
    """A chain that a person stops ends after the post in hand; on retry it goes on with the next."""
    gate = Gate()
    at = house(Step(), Step(gate=gate))
    (delivery,) = at.add()
    publisher = at.publisher()
    publishing = asyncio.create_task(publisher.publish())
    await gate.reached.wait()
    at.database.changes.apply(delivery, Event.STOP, now=at.clock(), actor="ada")
    publisher.look_again()
    gate.set()
    stopped = await publishing
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.code, stopped.sent) == (DeliveryState.FAILED, Code.PERSON, 2)
    assert not isinstance(await at.publisher().publish(), Delivery)
    at.database.changes.apply(delivery, Event.RETRY, now=at.clock(), actor="ada", due=at.clock())
    whole = await at.publisher().publish()
    assert isinstance(whole, Delivery)
    assert whole.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]


async def test_a_claim_that_comes_after_the_stop(house: Callable[..., House]) -> None:
    """Of a thousand channels that wait for their turn to claim, none begins when the service is stopping."""
    stop = Stop()
    at = house()
    at.add()
    publisher = at.publisher(stop=stop)
    async with publisher.claiming:
        publishing = asyncio.create_task(publisher.publish())
        await asyncio.sleep(0)
        stop.ask()
    assert await publishing is None
    assert at.seen == []


async def test_stopped_while_it_waits_for_its_pace(house: Callable[..., House]) -> None:
    """A chain that waits in memory for its channel's pace is stopped at once, and not a post later."""

    class Slow(Pace):
        def ready_at(self, now: datetime) -> datetime:
            waiting.set()
            return now + timedelta(seconds=60)

    waiting = asyncio.Event()
    at = house()
    (delivery,) = at.add()
    publisher = at.publisher(pace=Slow())
    publishing = asyncio.create_task(publisher.publish())
    await waiting.wait()
    at.database.changes.apply(delivery, Event.STOP, now=at.clock(), actor="ada")
    publisher.look_again()
    stopped = await asyncio.wait_for(publishing, 30)
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.code, at.asked) == (DeliveryState.FAILED, Code.PERSON, [])


async def test_a_stop_outlives_the_service(house: Callable[..., House]) -> None:
    """A service that died with the post in hand, after a stop was asked for: the next looks, and stops."""
    at = house(LOST)
    (delivery,) = at.add()
    at.channel.script.settling = Settling(first_look=timedelta(0))
    claim = at.database.work.claim("news", worker="gone", now=START, until=START + LEASE)
    assert isinstance(claim, Claim)
    posts = compose(claim.thread, await at.channel.rules())
    at.database.work.plan(claim, posts, now=START)
    at.database.work.intend(claim, 1, key="k", reply_to=None, now=START, until=START + LEASE)
    await at.channel.send(Outgoing(posts[0].text, None, "k"))
    at.database.changes.apply(delivery, Event.STOP, now=START, actor="ada")
    at.clock.moment = START + LEASE
    stopped = await at.publisher("next").publish()
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.code) == (DeliveryState.FAILED, Code.PERSON)
    assert not isinstance(await at.publisher("next").publish(), Delivery)
    at.database.changes.apply(delivery, Event.RETRY, now=at.clock(), actor="ada", due=at.clock())
    whole = await at.publisher("next").publish()
    assert isinstance(whole, Delivery)
    assert whole.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]


async def test_a_refusal_stops_this_chain_only(house: Callable[..., House]) -> None:
    """A refused post stops its chain and says why; the next thread of the channel goes on."""
    at = house(Step(), Step(Refused("too rude")))
    broken, fine = at.add(wish("news"), wish("news", about="other"))
    first = await at.publisher().publish()
    second = await at.publisher().publish()
    assert isinstance(first, Delivery)
    assert isinstance(second, Delivery)
    assert (first.id, first.state, first.reason) == (broken, DeliveryState.FAILED, "too rude")
    assert at.states(broken) == [PostState.SENT, PostState.REFUSED, PostState.PLANNED]
    assert (second.id, second.state) == (fine, DeliveryState.PUBLISHED)


async def test_a_refused_chain_goes_on_when_retried(house: Callable[..., House]) -> None:
    """A retried chain goes on from the refused post, as a reply to the last one that is out."""
    at = house(Step(), Step(Refused("too rude")))
    (delivery,) = at.add()
    await at.publisher().publish()
    at.database.changes.apply(delivery, Event.RETRY, now=at.clock(), actor="test", due=at.clock())
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "2/ lamp 2", "3/ lamp /end"]
    assert at.posts(delivery)[1].reply_to == at.posts(delivery)[0].remote_id


async def test_settled_as_sent(house: Callable[..., House]) -> None:
    """A doubtful post that a person found is not sent again: the next one replies to it."""
    at = house(Step(), LOST)
    (delivery,) = at.add()
    await at.publisher().publish()
    await at.blind()
    timeline = ids(at)
    at.database.changes.settle(delivery, Sent(timeline[1], None), now=at.clock(), actor="test")
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]
    assert at.channel.script.asked[2].parent == timeline[1]


async def test_settled_as_not_sent(house: Callable[..., House]) -> None:
    """A doubtful post that a person says is not there is sent."""
    at = house(Step(), Step(Unknown("the answer was lost")))
    (delivery,) = at.add()
    await at.publisher().publish()
    await at.blind()
    at.database.changes.settle(delivery, None, now=at.clock(), actor="test")
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "2/ lamp 2", "3/ lamp /end"]


async def test_a_worker_that_died_in_the_middle(house: Callable[..., House]) -> None:
    """Before a later post is sent the queue knows that it will be, and that the one before it is out."""
    gate = Gate()
    at = house(Step(), Step(gate=gate))
    (delivery,) = at.add()
    working = asyncio.create_task(at.publisher("dead").publish())
    await gate.reached.wait()
    first, second, third = at.posts(delivery)
    assert (first.state, second.state, third.state) == (PostState.SENT, PostState.SENDING, PostState.PLANNED)
    assert (second.reply_to, second.key) == (first.remote_id, at.channel.script.asked[1].key)
    working.cancel()
    at.clock.moment += LEASE
    await at.publisher().publish()
    assert at.asked == ["1/ lamp 1", "2/ lamp 2"]
    assert at.states(delivery) == [PostState.SENT, PostState.UNKNOWN, PostState.PLANNED]


async def test_asked_to_stop(house: Callable[..., House]) -> None:
    """Asked to stop, the publisher finishes the post in hand and lets the rest go, due at once."""
    stop = Stop()
    at = house(Step(), Step(before=stop.ask))
    (delivery,) = at.add()
    let_go = await at.publisher(stop=stop).publish()
    assert isinstance(let_go, Delivery)
    assert (let_go.state, let_go.lease_owner, let_go.sent) == (DeliveryState.PUBLISHING, None, 2)
    assert at.states(delivery) == [PostState.SENT, PostState.SENT, PostState.PLANNED]
    published = await at.publisher("next").publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]


async def test_no_time_to_wait(house: Callable[..., House]) -> None:
    """A service that can wait no longer leaves the post in hand in doubt, not forgotten."""
    stop = Stop(grace=0)
    at = house(Step(gate=asyncio.Event()))
    (delivery,) = at.add()
    working = asyncio.create_task(at.publisher(stop=stop).publish())
    await at.channel.script.started.wait()
    stop.ask()
    stopped = await working
    assert isinstance(stopped, Delivery)
    assert stopped.lease_owner is None
    assert at.states(delivery)[0] is PostState.UNKNOWN


async def test_a_lost_lease(house: Callable[..., House]) -> None:
    """A worker whose lease was taken over writes nothing more, sends nothing more, and says the id."""
    at = house()

    def taken() -> None:
        at.clock.moment += LEASE
        assert at.database.work.claim("news", worker="two", now=at.clock(), until=at.clock() + LEASE)

    at.channel.script.steps.append(Step(before=taken))
    (delivery,) = at.add()
    with capture_logs() as logs:
        await at.publisher().publish()
    assert at.asked == ["1/ lamp 1"]
    assert at.states(delivery) == [PostState.SENDING, PostState.PLANNED, PostState.PLANNED]
    (line,) = [entry for entry in logs if entry["event"].startswith("sent, but")]
    assert line["remote_id"] == ids(at)[0]


async def test_a_broken_adapter(house: Callable[..., House]) -> None:
    """An adapter that raises may have sent the post: it is in doubt."""
    at = house(Step(error=RuntimeError("token 123:abc")))
    (delivery,) = at.add()
    stopped = await at.publisher().publish()
    assert isinstance(stopped, Delivery)
    assert at.states(delivery)[0] is PostState.UNKNOWN
    assert stopped.reason == BROKE


async def test_rules_that_cannot_be_had_now(house: Callable[..., House]) -> None:
    """A server that cannot tell its limits now is asked again later; nothing is sent meanwhile."""
    at = house()
    at.channel.script.not_ready = NotReadyError(Unreached("no route"))
    (delivery,) = at.add()
    stopped = await at.publisher().publish()
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.reason) == (DeliveryState.PUBLISHING, "no route")
    at.channel.script.not_ready = None
    at.clock.moment = stopped.due
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert len(at.posts(delivery)) == 3


async def test_rules_that_cannot_be_had(house: Callable[..., House]) -> None:
    """A server that refuses us stops the delivery before anything is sent."""
    at = house()
    at.channel.script.not_ready = NotReadyError(Refused("the token is not valid"))
    (delivery,) = at.add()
    stopped = await at.publisher().publish()
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.reason) == (DeliveryState.FAILED, "the token is not valid")
    assert at.posts(delivery) == ()


async def test_a_thread_that_cannot_be_composed(tmp_path: Path) -> None:
    """A thread that no limit of the channel can hold stops before anything is sent, and says why."""

    class Narrow(ScriptedChannel):
        async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
            return Rules(2, len, Numbering.KEEP)

    at = House(tmp_path)
    at.channel = Narrow("news", tmp_path, at.clock)
    at.add()
    stopped = await at.publisher().publish()
    assert isinstance(stopped, Delivery)
    assert stopped.state is DeliveryState.FAILED
    assert "2" in stopped.reason
    assert at.asked == []


async def test_the_split_stays(tmp_path: Path) -> None:
    """Posts are composed once: a limit that changed meanwhile does not move the cuts of a begun chain."""
    at = House(tmp_path, Step(), Step(Throttled(START + timedelta(hours=1), "slow down")))
    (delivery,) = at.add(wish("news", about="word " * 150))
    await at.publisher().publish()
    planned = [post.post for post in at.posts(delivery)]

    class Wider(ScriptedChannel):
        async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
            return Rules(5000, len, Numbering.NONE)

    at.channel = Wider("news", tmp_path, at.clock)
    at.clock.advance(hours=1)
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    assert len(planned) > 3
    assert [post.post for post in at.posts(delivery)] == planned


async def test_a_gap_between_posts(tmp_path: Path) -> None:
    """With a pace, each post waits for its time, in the queue and not in memory."""
    at = House(tmp_path)
    (delivery,) = at.add()
    publisher = at.publisher(gap=timedelta(minutes=2))
    times = []
    for _ in range(3):
        state = await publisher.publish()
        assert isinstance(state, Delivery)
        times.append((state.state.value, state.due - START, state.lease_owner))
        assert not isinstance(await publisher.publish(), Delivery)
        at.clock.moment = state.due
    assert times[:2] == [
        ("publishing", timedelta(minutes=2), None),
        ("publishing", timedelta(minutes=4), None),
    ]
    assert times[2][0] == "published"
    assert at.states(delivery) == [PostState.SENT] * 3
    assert at.asked == ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]


async def test_a_chain_that_has_to_rest(tmp_path: Path) -> None:
    """A chain that runs into hours of rest stops after a whole post, and goes on at their end."""
    at = House(tmp_path)

    def an_hour_passes() -> None:
        at.clock.advance(hours=1)

    at.channel.script.steps.extend([Step(), Step(before=an_hour_passes)])
    (delivery,) = at.add()
    end = START + timedelta(hours=9)
    publisher = at.publisher(brake=lambda now: end if START < now < end else None)
    rested = await publisher.publish()
    assert isinstance(rested, Delivery)
    assert (rested.state, rested.due, rested.lease_owner) == (DeliveryState.PUBLISHING, end, None)
    assert at.states(delivery) == [PostState.SENT, PostState.SENT, PostState.PLANNED]
    assert not isinstance(await publisher.publish(), Delivery)
    at.clock.moment = end
    published = await publisher.publish()
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED


async def test_a_continued_thread(tmp_path: Path) -> None:
    """Parts that were appended to a published thread go on from its last post; nothing is sent again."""
    at = House(tmp_path)
    (delivery,) = at.add()
    await at.publisher().publish()
    thread_id = at.database.reading.delivery(delivery).thread_id
    (longer,) = parse("1/ lamp 1\n2/ lamp 2\n3/ lamp /end\n4/ more\n5/ and more\n")
    at.database.threads.extend(thread_id, longer, now=at.clock(), actor="test")
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert (published.state, published.sent) == (DeliveryState.PUBLISHED, 5)
    assert at.asked[3:] == ["4/ more", "5/ and more"]
    posts = at.posts(delivery)
    assert [post.reply_to for post in posts] == [None, *(post.remote_id for post in posts[:-1])]


async def test_an_adopted_chain(tmp_path: Path) -> None:
    """A chain that someone began by hand goes on with the next part, as a reply to the last that is out."""
    at = House(tmp_path)
    by_hand = await at.channel.send(Outgoing("2/ lamp 2", None, "by hand"))
    assert isinstance(by_hand, Sent)
    new = wish("news")
    (one,) = new.deliveries
    at.add(replace(new, deliveries=(replace(one, adoption=Adoption(2, by_hand)),)))
    at.channel.script.asked.clear()
    published = await at.publisher().publish()
    assert isinstance(published, Delivery)
    assert (published.state, published.sent) == (DeliveryState.PUBLISHED, 3)
    (asked,) = at.channel.script.asked
    assert (asked.text, asked.parent) == ("3/ lamp /end", by_hand.remote_id)


async def test_a_rest_without_text(tmp_path: Path) -> None:
    """A chain whose appended parts give this channel no post stops, says why, and is not tried again."""
    at = House(tmp_path)
    (delivery,) = at.add()
    await at.publisher().publish()
    (longer,) = parse("1/ lamp 1\n2/ lamp 2\n3/ lamp /end\n4/\n5/\n")
    at.channel.numbered = Numbering.NONE
    at.database.threads.extend(
        at.database.reading.delivery(delivery).thread_id, longer, now=at.clock(), actor="test"
    )
    stopped = await at.publisher().publish()
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.sent) == (DeliveryState.FAILED, 3)
    assert "no text to post" in stopped.reason
    assert not isinstance(await at.publisher().publish(), Delivery)


@pytest.mark.parametrize("text", ["1/\n2/\n3/ lamp /end\n", "1/ lamp\n2/ lamp\n3/\n"])
async def test_an_adopted_chain_without_text(tmp_path: Path, text: str) -> None:
    """A chain begun by hand of which one side has no text stops before anything is sent, and says why."""
    at = House(tmp_path)
    at.channel.numbered = Numbering.NONE
    (written,) = parse(text)
    (one,) = wish("news").deliveries
    adopted = replace(one, adoption=Adoption(2, Sent("17", None)))
    at.add(NewThread(written, "test.txt", (adopted,)))
    stopped = await at.publisher().publish()
    assert isinstance(stopped, Delivery)
    assert (stopped.state, stopped.posts) == (DeliveryState.FAILED, 0)
    assert "no text" in stopped.reason
    assert at.asked == []


async def test_a_packed_chain_goes_on_behind_what_is_out(tmp_path: Path) -> None:
    """Parts share posts; what is added later, or follows adopted parts, begins a post of its own."""

    class Packed(ScriptedChannel):
        async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
            return Rules(30, len, packed=True)

    at = House(tmp_path)
    at.channel = Packed("news", tmp_path, at.clock)
    (delivery,) = at.add()
    await at.publisher().publish()
    (longer,) = parse("".join(f"{n}/ lamp {n}\n" for n in range(1, 6)).replace("lamp 3", "lamp /end"))
    thread_id = at.database.reading.delivery(delivery).thread_id
    at.database.threads.extend(thread_id, longer, now=at.clock(), actor="test")
    await at.publisher().publish()
    assert at.asked == ["1/ lamp 1\n\n2/ lamp 2", "3/ lamp /end", "4/ lamp 4\n\n5/ lamp 5"]
    (one,) = wish("news", about="adopted").deliveries
    (text,) = parse("1/ a\n2/ b\n3/ c\n4/ d /end\n")
    at.add(NewThread(text, "test.txt", (replace(one, adoption=Adoption(2, Sent(ids(at)[0], None))),)))
    await at.publisher().publish()
    assert at.asked[3:] == ["3/ c\n\n4/ d /end"]


def ids(at: House) -> list[str]:
    """The ids on the timeline, oldest first."""
    timeline = read_newest(at.folder / "news.jsonl")
    assert timeline is not None
    return [entry.remote_id for entry in timeline.entries]
