"""What is out and says something else now is edited where it stands, each post once, nothing twice."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.bot.publishing.scripted import Step
from tests.bot.publishing.test_publisher import House
from threadcast.bot.channels.local.channel import LocalChannel
from threadcast.bot.channels.local.timeline import read_newest
from threadcast.bot.channels.port import Outgoing
from threadcast.queue.compose.corrections import recompose
from threadcast.queue.model import Delivery, PostRecord
from threadcast.queue.outcomes import Code, Refused, Sent, Throttled, Unknown, Unreached
from threadcast.queue.states import DeliveryState, Event, PostState
from threadcast.queue.text.parse import parse

BEFORE = ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]
AFTER = ["1/ lamp one", "2/ lamp 2", "3/ lamp three /end"]
LONGER = [*AFTER, "4/ and more"]


class Corrected(House):
    """A published chain of three posts."""

    async def begin(self) -> int:
        (delivery,) = self.add()
        await self.publisher().publish()
        assert self.texts() == BEFORE
        return delivery

    async def correct(self, delivery: int, lines: list[str]) -> Delivery:
        """What a person confirms."""
        reading = self.database.reading
        one = reading.delivery(delivery)
        before = reading.thread(one.thread_id).thread
        (after,) = parse("\n".join(lines))
        known = self.posts(delivery)
        new = recompose(after, await self.channel.rules(), [post.post for post in known])
        posts = {
            post.position: replace(post, post=text)
            for post, text in zip(known, new, strict=True)
            if post.post.text != text.text
        }
        self.database.threads.correct(
            one.thread_id, before, after, {delivery: posts}, now=self.clock(), actor="ada"
        )
        return reading.delivery(delivery)

    async def work(self) -> Delivery:
        done = await self.publisher().publish()
        assert isinstance(done, Delivery)
        return done

    def posts(self, delivery: int) -> tuple[PostRecord, ...]:
        return self.database.reading.posts(delivery)

    def texts(self) -> list[str]:
        timeline = read_newest(self.folder / "news.jsonl")
        assert timeline is not None
        return [entry.text for entry in timeline.entries]


@pytest.fixture
def at(tmp_path: Path) -> Corrected:
    return Corrected(tmp_path)


async def test_what_changed_is_edited(at: Corrected) -> None:
    """The posts that say something else are edited, the others left alone; the chain is published again."""
    delivery = await at.begin()
    queued = await at.correct(delivery, AFTER)
    assert (queued.state, queued.own_time, queued.sent) == (DeliveryState.QUEUED, True, 3)
    done = await at.work()
    assert (done.state, done.sent, done.posts) == (DeliveryState.PUBLISHED, 3, 3)
    assert at.texts() == AFTER
    assert [text for _, text in at.channel.script.edited] == [AFTER[0], AFTER[2]]
    assert len(at.channel.script.asked) == 3
    assert [post.edit for post in at.posts(delivery)] == [PostState.SENT, None, PostState.SENT]
    events = [(event.what, event.actor, event.detail) for event in at.database.reading.events()]
    assert ("correct", "ada", "posts 1, 3") in events
    assert ("edited", "one", "post 1") in events


async def test_parts_at_the_end_continue_the_chain(at: Corrected) -> None:
    """First what is out is edited, then the new parts go out behind the last post."""
    delivery = await at.begin()
    await at.correct(delivery, LONGER)
    done = await at.work()
    assert (done.state, done.sent) == (DeliveryState.PUBLISHED, 4)
    assert at.texts() == LONGER
    assert at.channel.script.asked[-1].parent == at.posts(delivery)[2].remote_id


@pytest.mark.parametrize("outcome", [Unknown("no answer"), Unreached("no way"), None])
@pytest.mark.parametrize("stored", [True, False])
async def test_an_edit_in_doubt_is_made_again(
    at: Corrected, outcome: Unknown | Unreached | None, stored: bool
) -> None:
    """An edit without an answer is in doubt, waits, and is made again; nothing is sent a second time."""
    delivery = await at.begin()
    await at.correct(delivery, AFTER)
    step = Step(outcome, stored=stored) if outcome else Step(error=RuntimeError("our fault"))
    at.channel.script.edits.append(step)
    waiting = await at.work()
    assert (waiting.state, waiting.lease_owner) == (DeliveryState.PUBLISHING, None)
    doubtful = outcome is None or isinstance(outcome, Unknown)
    assert at.posts(delivery)[0].edit is (PostState.UNKNOWN if doubtful else PostState.PLANNED)
    at.clock.advance(hours=1)
    assert (await at.work()).state is DeliveryState.PUBLISHED
    assert at.texts() == AFTER
    assert len(at.channel.script.asked) == 3


async def test_a_network_that_asks_to_wait(at: Corrected) -> None:
    """A throttled edit was not made; it is made when the network allows, and what was edited stays so."""
    delivery = await at.begin()
    await at.correct(delivery, AFTER)
    until = at.clock() + timedelta(minutes=5)
    at.channel.script.edits += [Step(), Step(Throttled(until, "slow down"))]
    waiting = await at.work()
    assert (waiting.state, waiting.due) == (DeliveryState.PUBLISHING, until)
    assert at.texts() == [AFTER[0], *BEFORE[1:]]
    at.clock.advance(minutes=6)
    assert (await at.work()).state is DeliveryState.PUBLISHED
    assert at.texts() == AFTER
    assert [text for _, text in at.channel.script.edited] == [AFTER[0], AFTER[2], AFTER[2]]


async def test_a_post_that_cannot_be_edited(at: Corrected) -> None:
    """A post that the network refuses to edit stays as it was, which is noted; the others are edited."""
    delivery = await at.begin()
    await at.correct(delivery, AFTER)
    at.channel.script.edits.append(Step(Refused("it is gone")))
    assert (await at.work()).state is DeliveryState.PUBLISHED
    assert at.texts() == [BEFORE[0], *AFTER[1:]]
    first = at.posts(delivery)[0]
    assert (first.edit, first.reason) == (PostState.REFUSED, "it is gone")
    assert "post 1 stays as it was: it is gone" in [event.detail for event in at.database.reading.events()]


async def test_a_fault_of_the_channel(at: Corrected) -> None:
    """Where the channel is at fault, the edit waits until that is mended."""
    delivery = await at.begin()
    await at.correct(delivery, AFTER)
    at.channel.script.edits.append(Step(Refused("the token is not valid", Code.TOKEN)))
    waiting = await at.work()
    assert (waiting.state, waiting.code) == (DeliveryState.PUBLISHING, Code.TOKEN)
    at.clock.advance(hours=1)
    assert (await at.work()).state is DeliveryState.PUBLISHED
    assert at.texts() == AFTER
    assert delivery == waiting.id


@pytest.mark.parametrize("made", [True, False])
async def test_a_kill_between_intent_and_answer(at: Corrected, made: bool) -> None:
    """A service that dies while it edits has the intent on disk; the next one edits, and sends nothing."""
    delivery = await at.begin()
    await at.correct(delivery, LONGER)
    at.channel.script.edits.append(Step(gate=asyncio.Event()))
    at.channel.script.started.clear()
    working = asyncio.create_task(at.publisher().publish())
    await at.channel.script.started.wait()
    first = at.posts(delivery)[0]
    if made:
        assert first.remote_id is not None
        made_there = await LocalChannel.edit(at.channel, first.remote_id, Outgoing(AFTER[0], None, "key"))
        assert isinstance(made_there, Sent)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert [post.edit for post in at.posts(delivery)] == [PostState.SENDING, None, PostState.PLANNED]
    at.database.work.free_leases(now=at.clock())
    assert (await at.work()).state is DeliveryState.PUBLISHED
    assert at.texts() == LONGER
    assert len(at.channel.script.asked) == 4


async def test_a_person_stops_it(at: Corrected) -> None:
    """A correction that a person stops in its middle goes on where it was when it is let go again."""
    delivery = await at.begin()
    await at.correct(delivery, AFTER)

    def stop() -> None:
        at.database.changes.apply(delivery, Event.STOP, now=at.clock(), actor="ada")

    at.channel.script.edits.append(Step(before=stop))
    stopped = await at.work()
    assert (stopped.state, stopped.code) == (DeliveryState.FAILED, Code.PERSON)
    assert at.texts() == [AFTER[0], *BEFORE[1:]]


async def test_edits_count_against_the_budget(at: Corrected) -> None:
    """An edit counts as a post does, for the limits of an account; refused or not."""
    delivery = await at.begin()
    at.clock.advance(hours=1)
    since = at.clock()
    await at.correct(delivery, AFTER)
    await at.work()
    assert at.database.reading.sent_since("news", since) == 2
