"""Laws of the queue, whatever the order in which workers come and go, in memory and on disk alike.

Workers, a person and the clock take turns as Hypothesis likes: late workers go on writing, leases
end, people retry and settle. Whatever they ask is asked of an SQLite store and of the memory store, and
both must give the same answer, refusals included.
"""

import shutil
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.contract.memory_store import MemoryStore
from tests.contract.store_samples import NOON, SECOND, new, posts, wish
from threadcast.queue.sql import migrate
from threadcast.queue.sql.store import open_store
from threadcast.queue.states import (
    BEGINNINGS,
    LIVE,
    REQUESTS,
    DeliveryState,
    Event,
    NotAllowedError,
    Outcome,
    PostState,
    Refused,
    Sent,
    Throttled,
    Unknown,
    Unreached,
    decide,
    interrupted,
)
from threadcast.queue.store import Claim, NewThread, Store, StoreError

CHANNELS = ("news", "masto")
LEASE = timedelta(seconds=10)
Value = TypeVar("Value")

channels = st.sampled_from(CHANNELS)
workers = st.sampled_from(("w1", "w2", "w3"))
delays = st.integers(0, 20).map(lambda count: count * SECOND)
picks = st.integers(0, 10_000)  # an index into what there is at the time
wishes = st.tuples(channels, st.sampled_from(BEGINNINGS), delays)
outcomes = st.sampled_from((*["sent"] * 6, "throttled", "unreached", "refused", "unknown"))
steps = st.sampled_from(("intend", "record", "advance"))


@cache
def fresh_database() -> bytes:
    """An SQLite file with tables: copied, since making them takes longer than a whole story."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "queue.db")
        migrate.upgrade(f"sqlite:///{path}")
        return path.read_bytes()


class Queue(RuleBasedStateMachine):
    """Any order of what workers and people do."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp(prefix="threadcast-laws-")
        path = Path(self.folder, "queue.db")
        path.write_bytes(fresh_database())
        self.model = MemoryStore()
        self.store = open_store(f"sqlite:///{path}")
        self.now = NOON
        self.claims: list[Claim] = []  # every claim ever made, ended ones too
        self.fences: dict[int, int] = {}
        self.open_intents: set[tuple[int, int]] = set()
        self.remote_ids = 0

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    def both(self, ask: Callable[[Store], Value]) -> Value | None:
        """Ask both stores; they agree, on a refusal (None) too."""
        expected = answer(ask, self.model)
        assert answer(ask, self.store) == expected
        return None if isinstance(expected, type) else expected

    @initialize(titles=st.permutations("ABCDEF"))
    def fill(self, titles: list[str]) -> None:
        """Something to work on from the start."""
        threads = [new(title, *[wish(channel) for channel in CHANNELS]) for title in titles[:3]]
        self.both(lambda store: store.add(threads, now=self.now, actor="ada"))

    @rule(seconds=st.integers(1, 15))
    def pass_time(self, seconds: int) -> None:
        self.now += seconds * SECOND

    @rule(
        titles=st.lists(st.sampled_from("ABCDEF"), max_size=3),
        chosen=st.lists(wishes, max_size=3),
        again=st.booleans(),
        ago=st.none() | st.integers(0, 30),
    )
    def add(
        self,
        titles: list[str],
        chosen: list[tuple[str, DeliveryState, timedelta]],
        again: bool,
        ago: int | None,
    ) -> None:
        wanted = tuple(wish(channel, state=state, due=self.now + delay) for channel, state, delay in chosen)
        threads = [NewThread(new(title).thread, "-", wanted) for title in titles]
        since = None if ago is None else self.now - ago * SECOND
        self.both(lambda store: store.add(threads, now=self.now, actor="ada", again=again, since=since))

    @rule(channel=channels, worker=workers)
    def claim(self, channel: str, worker: str) -> None:
        due = self.both(lambda store: store.next_due(channel, now=self.now))
        claim = self.both(
            lambda store: store.claim(channel, worker=worker, now=self.now, until=self.now + LEASE)
        )
        # `next_due` promises what `claim` finds.
        assert (claim is not None) == (due is not None and due <= self.now)
        if claim is not None:
            self.claims.append(claim)

    @precondition(lambda self: self.claims)
    @rule(pick=picks, size=st.integers(1, 3), chances=st.lists(outcomes, min_size=1, max_size=6))
    def work(self, pick: int, size: int, chances: list[str]) -> None:
        """A worker's next right steps, as it knows its delivery; its lease may be long gone."""
        claim = self.claims[-1 - pick % min(len(self.claims), 3)]
        for chance in chances:
            chain = self.model.posts(claim.delivery.id)
            post = next((post for post in chain if post.state is not PostState.SENT), None)
            if not chain:
                self.both(lambda store: store.plan(claim, posts(size), now=self.now))
            elif post is not None and interrupted(post.state) and chance == "sent" and post is not chain[-1]:
                self.advance(claim, post.position)
            elif post is not None and interrupted(post.state):
                self.record(claim, post.position, chance, last=post.position == len(chain))
            elif post is not None:
                self.intend(claim, post.position)

    @rule(channel=channels, size=st.integers(1, 3), chances=st.lists(outcomes, min_size=3, max_size=9))
    def publish(self, channel: str, size: int, chances: list[str]) -> None:
        """A worker claims and goes on as far as it comes before another one's turn."""
        before = len(self.claims)
        self.claim(channel, "w1")
        if len(self.claims) > before:
            self.work(0, size, chances)

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
    @rule(pick=picks)
    def let_go(self, pick: int) -> None:
        claim = self.claims[pick % len(self.claims)]
        self.both(lambda store: store.let_go(claim, now=self.now))

    @rule()
    def free_leases(self) -> None:
        self.both(lambda store: store.free_leases(now=self.now))

    @rule(pick=picks, event=st.sampled_from([*sorted(REQUESTS), Event.FINISH]), delay=st.none() | delays)
    def request(self, pick: int, event: Event, delay: timedelta | None) -> None:
        due = None if delay is None else self.now + delay
        delivery = 1 + pick % (len(self.model.deliveries()) + 1)
        self.both(lambda store: store.apply(delivery, event, now=self.now, actor="ada", due=due))

    @rule(pick=picks, found=st.booleans())
    def settle(self, pick: int, found: bool) -> None:
        unsure = self.model.deliveries(states=frozenset({DeliveryState.UNSURE}))
        delivery = unsure[pick % len(unsure)].id if unsure else 1 + pick % 9
        sent = self.next_sent() if found else None
        if self.both(lambda store: store.settle(delivery, sent, now=self.now, actor="ada")):
            self.open_intents = {intent for intent in self.open_intents if intent[0] != delivery}

    def intend(self, claim: Claim, position: int) -> None:
        record = self.both(
            lambda store: store.intend(
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

    def advance(self, claim: Claim, position: int) -> None:
        sent, delivery = self.next_sent(), claim.delivery
        before = self.model.posts(delivery.id)
        self.both(
            lambda store: store.advance(
                claim,
                position,
                sent,
                key=f"{delivery.id}-{position + 1}-{delivery.fence}",
                now=self.now,
                until=self.now + LEASE,
            )
        )
        if self.model.posts(delivery.id) != before:
            self.open_intents.discard((delivery.id, position))
            intent = (delivery.id, position + 1)
            assert intent not in self.open_intents, "intended twice, with nothing decided between"
            self.open_intents.add(intent)

    def record(self, claim: Claim, position: int | None, kind: str, *, last: bool) -> None:
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
        change = decide(outcome, last=last, tries=1, now=self.now, chance=0.5)
        recorded = self.both(lambda store: store.record(claim, position, change, now=self.now))
        # A doubt decides nothing: the intent stays open until a person settles it.
        if recorded is not None and position is not None and change.event is not Event.DOUBT:
            self.open_intents.discard((claim.delivery.id, position))

    def next_sent(self) -> Sent:
        self.remote_ids += 1
        return Sent(str(self.remote_ids), None)

    @invariant()
    def both_hold_the_same(self) -> None:
        """The two stores hold the same, and list it in the same order."""
        assert self.store.deliveries() == self.model.deliveries()
        assert self.store.events(limit=3) == self.model.events(limit=3)
        for claim in self.claims[-2:]:
            assert self.store.posts(claim.delivery.id) == self.model.posts(claim.delivery.id)

    @invariant()
    def a_channel_publishes_one_thing(self) -> None:
        """At most one delivery of a channel is being published, and one of a thread is live there."""
        deliveries = self.model.deliveries()
        begun = [one.channel for one in deliveries if one.state is DeliveryState.PUBLISHING]
        assert len(begun) == len(set(begun))
        live = [(one.channel, one.title) for one in deliveries if one.state in LIVE]
        assert len(live) == len(set(live))

    @invariant()
    def fences_grow(self) -> None:
        """No claim has the fence of another, and no fence falls."""
        fences = {one.id: one.fence for one in self.model.deliveries()}
        assert all(fences[one] >= fence for one, fence in self.fences.items())
        self.fences = fences
        proofs = [(claim.delivery.id, claim.delivery.fence) for claim in self.claims]
        assert len(proofs) == len(set(proofs))

    @invariant()
    def chains_are_whole(self) -> None:
        """Posts go out in order, none before the one it replies to; what is published is out to its end."""
        for delivery in self.model.deliveries():
            states = [post.state for post in self.model.posts(delivery.id)]
            sent = states.count(PostState.SENT)
            assert states[:sent] == [PostState.SENT] * sent
            assert set(states[sent + 1 :]) <= {PostState.PLANNED}
            assert (delivery.sent, delivery.posts) == (sent, len(states))
            if delivery.state is DeliveryState.PUBLISHED:
                assert sent == len(states) > 0


def answer(ask: Callable[[Store], Value], store: Store) -> Value | type[Exception]:
    """What a store answers, or the kind of its refusal."""
    try:
        return ask(store)
    except (StoreError, NotAllowedError) as refusal:
        return type(refusal)


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=40, stateful_step_count=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
