"""Laws of the queue, whatever the order in which workers come and go.

Workers, a person and the clock take turns as Hypothesis likes: late workers go on writing, leases end,
people retry, edit and move.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.contract.store.samples import NOON, SECOND, new, posts, thread, wish
from tests.contract.store.steps import opening
from tests.queue.store.fresh import close_all, fresh_database
from threadcast.queue.errors import NotAllowedError, StoreError
from threadcast.queue.model import (
    Adoption,
    AuditEvent,
    ChannelRow,
    ChannelSeen,
    Claim,
    Delivery,
    Intent,
    NewThread,
    PostRecord,
)
from threadcast.queue.outcomes import Outcome, Refused, Sent, Throttled, Unknown, Unreached
from threadcast.queue.states import (
    BEGINNINGS,
    LIVE,
    REQUESTS,
    DeliveryState,
    Event,
    PostState,
    decide,
    interrupted,
)
from threadcast.queue.store.database import Database

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

CHANNELS = ("news", "masto")
SEEN = [ChannelSeen(name, "local", name, "daily 09:00") for name in CHANNELS]
LEASE = timedelta(seconds=10)
NO_GAP = timedelta(0)
Everything = tuple[
    tuple[Delivery, ...], dict[int, tuple[PostRecord, ...]], tuple[ChannelRow, ...], tuple[AuditEvent, ...]
]
Wish = tuple[str, DeliveryState, timedelta, bool, int]
Value = TypeVar("Value")

channels = st.sampled_from(CHANNELS)
workers = st.sampled_from(("w1", "w2", "w3"))
delays = st.integers(0, 20).map(lambda count: count * SECOND)
picks = st.integers(0, 10_000)  # an index into what there is at the time
wishes = st.tuples(channels, st.sampled_from(BEGINNINGS), delays, st.booleans(), st.integers(0, 2))
sizes = st.integers(1, 4)  # parts of a thread
gaps = st.sampled_from((NO_GAP, 3 * SECOND))
outcomes = st.sampled_from((*["sent"] * 12, "throttled", "unreached", "refused", "unknown"))
steps = st.sampled_from(("intend", "record", "advance"))


class Queue(RuleBasedStateMachine):
    """Any order of what workers and people do."""

    def __init__(self) -> None:
        super().__init__()
        self.database = fresh_database()
        self.now = NOON
        self.claims: list[Claim] = []  # every claim ever made, ended ones too
        self.fences: dict[int, int] = {}
        self.open_intents: set[tuple[int, int]] = set()
        self.slots: set[tuple[str, datetime]] = set()
        self.remote_ids = 0
        self.known: Everything | None = None

    def teardown(self) -> None:
        close_all()

    def ask(self, request: Callable[[Database], Value]) -> Value | None:
        """The answer; None where the request is refused, and then nothing has changed."""
        before = self.all_there_is()
        self.known = None
        try:
            return request(self.database)
        except (StoreError, NotAllowedError):
            assert self.all_there_is() == before
            return None

    def all_there_is(self) -> Everything:
        """Everything in the queue, read once between two changes."""
        if self.known is None:
            deliveries = self.database.reading.deliveries()
            posts_of = self.database.reading.posts_of([one.id for one in deliveries])
            self.known = (
                deliveries,
                posts_of,
                self.database.reading.channels(),
                self.database.reading.events(),
            )
        return self.known

    @initialize(titles=st.permutations("ABCDEF"))
    def fill(self, titles: list[str]) -> None:
        """Something to work on from the start."""
        self.ask(lambda database: database.changes.see_channels(SEEN, now=self.now))
        adopted = wish(adoption=Adoption(1, self.next_sent()))
        threads = [new(titles[0], adopted, wish("masto"), parts=3)]
        threads += [new(title, *map(wish, CHANNELS)) for title in titles[1:3]]
        self.ask(lambda database: database.threads.add(threads, now=self.now, actor="ada"))

    @rule(seconds=st.integers(1, 15))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(
        titles=st.lists(st.sampled_from("ABCDEF"), max_size=3),
        chosen=st.lists(wishes, max_size=3),
        size=sizes,
        again=st.booleans(),
        ago=st.none() | st.integers(0, 30),
    )
    def add(self, titles: list[str], chosen: list[Wish], size: int, again: bool, ago: int | None) -> None:
        wanted = tuple(
            wish(
                channel,
                state=state,
                due=self.now + (delay if own_time else timedelta(0)),
                own_time=own_time,
                adoption=Adoption(min(out, size - 1), self.next_sent()) if out and size > 1 else None,
            )
            for channel, state, delay, own_time, out in chosen
        )
        threads = [NewThread(thread(title, size), "-", wanted) for title in titles]
        since = None if ago is None else self.now - ago * SECOND
        self.ask(
            lambda database: database.threads.add(
                threads, now=self.now, actor="ada", again=again, since=since
            )
        )

    @rule(pick=picks, channel=channels | st.just("elsewhere"))
    def add_to(self, pick: int, channel: str) -> None:
        thread_id = self.some_thread(pick)
        wanted = [wish(channel, due=self.now)]
        self.ask(lambda database: database.threads.add_to(thread_id, wanted, now=self.now, actor="ada"))

    @rule(
        channel=channels,
        worker=workers,
        turn=st.sampled_from((True, True, False)),
        ago=st.none() | st.integers(0, 9).map(lambda count: count * SECOND),
    )
    def claim(self, channel: str, worker: str, turn: bool = True, ago: timedelta | None = None) -> None:
        """By a slot some seconds ago, or (None) on a channel that has none."""
        slot = None if ago is None else self.now - ago
        begun = self.database.reading.deliveries(
            channel=channel, states=frozenset({DeliveryState.PUBLISHING})
        )
        expected = self.may_start(channel, turn=turn, slot=slot)
        claim = self.ask(
            lambda database: database.work.claim(
                channel,
                worker=worker,
                now=self.now,
                until=self.now + LEASE,
                timing=opening(turn=turn, slot=slot),
            )
        )
        assert isinstance(claim, Claim) == expected
        if not isinstance(claim, Claim):
            assert claim is None or claim > self.now
            return
        self.claims.append(claim)
        if slot and not begun and not claim.delivery.own_time:
            assert (channel, slot) not in self.slots, "two threads by one slot"
            assert claim.delivery.queued <= slot
            self.slots.add((channel, slot))

    @precondition(lambda self: self.claims)
    @rule(pick=picks, chances=st.lists(outcomes, min_size=1, max_size=6), gap=gaps)
    def work(self, pick: int, chances: list[str], gap: timedelta = NO_GAP) -> None:
        """A worker's next right steps, as it knows its delivery; its lease may be long gone."""
        claim = self.claims[-1 - pick % min(len(self.claims), 3)]
        for chance in chances:
            chain = self.database.reading.posts(claim.delivery.id)
            post = next((post for post in chain if post.state is not PostState.SENT), None)
            if post is None:
                done = chain[-1].post.part if chain else 0
                self.plan(claim, first=done + 1)
            elif interrupted(post.state) and chance == "sent" and not gap and post is not chain[-1]:
                self.advance(claim, post.position)
            elif interrupted(post.state):
                self.record(claim, post.position, chance, last=post.position == len(chain), gap=gap)
            else:
                self.intend(claim, post.position)

    @rule(channel=channels, chances=st.lists(outcomes, min_size=3, max_size=9), by_slot=st.booleans())
    def publish(self, channel: str, chances: list[str], by_slot: bool) -> None:
        """A worker claims and goes on as far as it comes before another one's turn."""
        before = len(self.claims)
        self.now += SECOND
        self.claim(channel, "w1", ago=NO_GAP if by_slot else None)
        if len(self.claims) > before:
            self.work(0, chances)

    @precondition(lambda self: self.claims)
    @rule(pick=picks, position=st.integers(0, 4), outcome=outcomes, last=st.booleans(), step=steps)
    def stumble(self, pick: int, position: int, outcome: str, last: bool, step: str) -> None:
        """A worker's wrong step: any claim, any post, any outcome."""
        claim = self.claims[pick % len(self.claims)]
        match step:
            case "intend":
                self.intend(claim, position)
            case "advance":
                self.advance(claim, position)
            case _:
                self.record(claim, position or None, outcome, last=last)

    @precondition(lambda self: self.claims)
    @rule(pick=picks, delay=st.none() | delays)
    def let_go(self, pick: int, delay: timedelta | None) -> None:
        claim = self.claims[pick % len(self.claims)]
        due = None if delay is None else self.now + delay
        self.ask(lambda database: database.work.let_go(claim, now=self.now, due=due))

    @rule()
    def free_leases(self) -> None:
        self.ask(lambda database: database.work.free_leases(now=self.now))

    @rule(pick=picks, event=st.sampled_from([*sorted(REQUESTS), Event.FINISH]), delay=st.none() | delays)
    def request(self, pick: int, event: Event, delay: timedelta | None) -> None:
        due = None if delay is None else self.now + delay
        delivery = self.some_delivery(pick)
        changed = self.ask(
            lambda database: database.changes.apply(delivery, event, now=self.now, actor="ada", due=due)
        )
        if changed is not None and event is Event.CANCEL:
            self.forget(delivery)

    @rule(pick=picks, found=st.booleans())
    def settle(self, pick: int, found: bool) -> None:
        unsure = self.database.reading.deliveries(states=frozenset({DeliveryState.UNSURE}))
        delivery = unsure[pick % len(unsure)].id if unsure else 1 + pick % 9
        sent = self.next_sent() if found else None
        if self.ask(lambda database: database.changes.settle(delivery, sent, now=self.now, actor="ada")):
            self.forget(delivery)

    @rule(channel=channels | st.just("never seen"), paused=st.booleans())
    def pause(self, channel: str, paused: bool) -> None:
        self.ask(lambda database: database.changes.pause(channel, paused, now=self.now, actor="ada"))

    @rule(channel=channels, schedule=st.sampled_from(("daily 09:00", "daily 09:00", "every 2h")))
    def see(self, channel: str, schedule: str) -> None:
        seen = [ChannelSeen(channel, "local", channel, schedule)]
        self.ask(lambda database: database.changes.see_channels(seen, now=self.now))

    @rule(pick=picks, after=st.none() | picks)
    def move(self, pick: int, after: int | None) -> None:
        moved, ahead = self.some_delivery(pick), None if after is None else self.some_delivery(after)
        order = [(one.channel, one.id) for one in self.database.reading.deliveries() if one.id != moved]
        if self.ask(lambda database: database.changes.move(moved, ahead, now=self.now, actor="ada")) is None:
            return
        now = [(one.channel, one.id) for one in self.database.reading.deliveries()]
        assert [one for one in now if one[1] != moved] == order, "the others changed places"
        if ahead is not None:
            channel = self.database.reading.delivery(moved).channel
            assert now.index((channel, moved)) == now.index((channel, ahead)) + 1

    @rule(pick=picks, title=st.sampled_from("ABCDEF"), size=sizes)
    def edit(self, pick: int, title: str, size: int) -> None:
        thread_id = self.some_thread(pick)
        self.ask(
            lambda database: database.threads.edit(thread_id, thread(title, size), now=self.now, actor="ada")
        )

    @rule(pick=picks, more=st.integers(0, 2), title=st.none() | st.sampled_from("ABCDEF"))
    def extend(self, pick: int, more: int, title: str | None) -> None:
        """A thread gets more parts, and sometimes becomes what another one is already."""
        ended = self.database.reading.deliveries(states=frozenset({DeliveryState.PUBLISHED}))
        thread_id = ended[pick % len(ended)].thread_id if ended else self.some_thread(pick)
        mine = self.database.reading.deliveries(thread_id=thread_id)
        size = more + (mine[0].parts if mine else 1)
        longer = thread(title or f"{thread_id} with {size}", size)
        self.ask(lambda database: database.threads.extend(thread_id, longer, now=self.now, actor="ada"))

    @rule(pick=picks)
    def remove(self, pick: int) -> None:
        thread_id = self.some_thread(pick)
        self.ask(lambda database: database.threads.remove(thread_id, now=self.now, actor="ada"))

    def some_delivery(self, pick: int) -> int:
        """The number of a delivery, or one that there is not."""
        ids = sorted({one.id for one in self.database.reading.deliveries()} | {999})
        return ids[pick % len(ids)]

    def some_thread(self, pick: int) -> int:
        ids = sorted({one.thread_id for one in self.database.reading.deliveries()} | {999})
        return ids[pick % len(ids)]

    def forget(self, delivery: int) -> None:
        """A person has said what became of its posts, or that it does not matter."""
        self.open_intents = {intent for intent in self.open_intents if intent[0] != delivery}

    def plan(self, claim: Claim, *, first: int) -> None:
        rest = posts(len(claim.thread.parts) + 1 - first, first=first)
        self.ask(lambda database: database.work.plan(claim, rest, now=self.now))

    def intend(self, claim: Claim, position: int) -> None:
        record = self.ask(
            lambda database: database.work.intend(
                claim,
                position,
                key=f"{claim.delivery.id}-{position}-{claim.delivery.fence}",
                reply_to=None,
                now=self.now,
                until=self.now + LEASE,
            )
        )
        if record is not None:
            intent = (claim.delivery.id, position)
            assert intent not in self.open_intents, "intended twice, with nothing decided between"
            self.open_intents.add(intent)

    def may_start(self, channel: str, *, turn: bool, slot: datetime | None) -> bool:
        """Whether a claim should find something, told from what can be read."""
        reading = self.database.reading
        mine = reading.deliveries(channel=channel)
        row = next(row for row in reading.channels() if row.name == channel)
        begun = [one for one in mine if one.state is DeliveryState.PUBLISHING]
        if row.paused or begun:
            return not row.paused and all(
                max(one.due, one.lease_until or one.due) <= self.now for one in begun
            )
        queued = [one for one in mine if one.state is DeliveryState.QUEUED]
        if any(one.own_time and one.due <= self.now for one in queued):
            return True
        unused = slot is None or row.last_slot is None or slot > row.last_slot
        in_turn = [one for one in queued if not one.own_time and (slot is None or one.queued <= slot)]
        return turn and unused and bool(in_turn)

    def advance(self, claim: Claim, position: int) -> None:
        delivery = claim.delivery
        before = self.database.reading.posts(delivery.id)
        change = decide(self.next_sent(), last=False, tries=1, now=self.now, chance=0.5)
        following = Intent(f"{delivery.id}-{position + 1}-{delivery.fence}", self.now + LEASE)
        self.ask(
            lambda database: database.work.record(claim, position, change, now=self.now, following=following)
        )
        if self.database.reading.posts(delivery.id) != before:
            self.open_intents.discard((delivery.id, position))
            intent = (delivery.id, position + 1)
            assert intent not in self.open_intents, "intended twice, with nothing decided between"
            self.open_intents.add(intent)

    def record(
        self, claim: Claim, position: int | None, kind: str, *, last: bool, gap: timedelta = NO_GAP
    ) -> None:
        outcome: Outcome
        match kind:
            case "sent":
                outcome = self.next_sent()
            case "throttled":
                outcome = Throttled(self.now + 3 * SECOND, "slow down")
            case "unreached":
                outcome = Unreached("no route")
            case "refused":
                outcome = Refused("not a member")
            case _:
                outcome = Unknown("no answer")
        change = decide(outcome, last=last, tries=1, now=self.now, chance=0.5, gap=gap)
        recorded = self.ask(lambda database: database.work.record(claim, position, change, now=self.now))
        # A doubt decides nothing: the intent stays open until a person settles it.
        if recorded is not None and position is not None and change.event is not Event.DOUBT:
            self.open_intents.discard((claim.delivery.id, position))

    def next_sent(self) -> Sent:
        self.remote_ids += 1
        return Sent(str(self.remote_ids), None)

    @invariant()
    def a_channel_publishes_one_thing(self) -> None:
        """At most one delivery of a channel is being published, and one of a text is live there."""
        deliveries = self.all_there_is()[0]
        begun = [one.channel for one in deliveries if one.state is DeliveryState.PUBLISHING]
        assert len(begun) == len(set(begun))
        reading, threads = self.database.reading, {one.thread_id for one in deliveries}
        texts = {one: reading.thread(one).thread.fingerprint for one in threads}
        live = [(one.channel, texts[one.thread_id]) for one in deliveries if one.state in LIVE]
        assert len(live) == len(set(live))

    @invariant()
    def fences_grow(self) -> None:
        """No claim has the fence of another, and no fence falls."""
        fences = {one.id: one.fence for one in self.all_there_is()[0]}
        assert all(fences[one] >= fence for one, fence in self.fences.items() if one in fences)
        self.fences = fences
        proofs = [(claim.delivery.id, claim.delivery.fence) for claim in self.claims]
        assert len(proofs) == len(set(proofs))

    @invariant()
    def chains_are_whole(self) -> None:
        """Posts go out in order, none before the one it replies to; what is published is out to its end."""
        deliveries, posts_of, _, _ = self.all_there_is()
        for delivery in deliveries:
            states = [post.state for post in posts_of[delivery.id]]
            sent = states.count(PostState.SENT)
            assert states[:sent] == [PostState.SENT] * sent
            assert set(states[sent + 1 :]) <= {PostState.PLANNED}
            assert (delivery.sent, delivery.posts) == (sent, len(states))
            finished = [post.finished for post in posts_of[delivery.id] if post.finished]
            assert finished == sorted(finished)
            if delivery.state is DeliveryState.PUBLISHED:
                assert sent == len(states) > 0


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
