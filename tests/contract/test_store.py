"""What every store does, in memory, in an SQLite file and in PostgreSQL."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

import pytest

from tests.contract.memory_store import MemoryStore
from tests.contract.store_samples import LEASE, MINUTE, NOON, SECOND, new, posts, thread, wish
from threadcast.queue.sql.store import open_store
from threadcast.queue.states import (
    DeliveryState,
    Event,
    NotAllowedError,
    Outcome,
    PostState,
    Refused,
    Sent,
    Throttled,
    Unknown,
    decide,
)
from threadcast.queue.store import (
    AuditEvent,
    ChannelRow,
    Claim,
    Delivery,
    Duplicate,
    LeaseLostError,
    NewThread,
    NotFoundError,
    Store,
    StoreError,
)

OpenStore = Callable[[], Store]
Value = TypeVar("Value")

HELD, QUEUED, PUBLISHING = DeliveryState.HELD, DeliveryState.QUEUED, DeliveryState.PUBLISHING
SENT = Sent("100", "https://social.example/100")
REFUSED = Refused("chat not found")
UNKNOWN = Unknown("no answer")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_one(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the same fresh queue again and again, as several programs would."""
    opened: list[Store] = []

    def keep(store: Store) -> Store:
        opened.append(store)
        return store

    if request.param == "memory":
        store = MemoryStore()
        yield lambda: store
    elif request.param == "sqlite":
        yield lambda: keep(open_store(f"sqlite:///{tmp_path}/queue.db"))
    else:
        with request.getfixturevalue("postgres").database() as url:
            yield lambda: keep(open_store(url))
            for store_opened in opened:
                store_opened.close()
    for store_opened in opened:
        store_opened.close()


@pytest.fixture
def store(open_one: OpenStore) -> Store:
    return open_one()


def add(store: Store, *threads: NewThread, now: datetime = NOON, again: bool = False) -> list[Delivery]:
    added = store.add(threads or (new(),), now=now, actor="ada", again=again)
    return [delivery for one in added for delivery in one.deliveries]


def claim(store: Store, channel: str = "news", *, worker: str = "w1", now: datetime = NOON) -> Claim:
    claimed = store.claim(channel, worker=worker, now=now, until=now + LEASE)
    assert claimed is not None
    return claimed


def started(store: Store, count: int = 2) -> Claim:
    """A claimed and planned delivery."""
    add(store)
    claimed = claim(store)
    store.plan(claimed, posts(count), now=NOON)
    return claimed


def intend(store: Store, claimed: Claim, position: int = 1, *, now: datetime = NOON) -> None:
    store.intend(claimed, position, key=f"key-{position}", reply_to=None, now=now, until=now + LEASE)


def judge(store: Store, claimed: Claim, position: int, outcome: Outcome, *, last: bool = False) -> Delivery:
    change = decide(outcome, last=last, tries=1, now=NOON + SECOND, chance=0)
    return store.record(claimed, position, change, now=NOON + SECOND)


def send(store: Store, claimed: Claim, position: int, outcome: Outcome, *, last: bool = False) -> Delivery:
    intend(store, claimed, position)
    return judge(store, claimed, position, outcome, last=last)


def at_once(*calls: Callable[[], Value]) -> list[Value]:
    """What the calls give, each made in a thread of its own, all let loose together."""
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], Value]) -> Value:
        gate.wait(timeout=10)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


class TestAdd:
    def test_gives_a_thread_and_its_deliveries(self, store: Store) -> None:
        """What was added is there: the thread as given, a delivery for each wish, an event for each."""
        (added,) = store.add(
            [new("Tides", wish("news"), wish("masto", state=HELD, reason="a gap"))], now=NOON, actor="ada"
        )
        assert added.thread_id is not None
        assert added.duplicates == ()
        kept = store.thread(added.thread_id)
        assert (kept.thread, kept.source, kept.created) == (thread("Tides"), "drawer.txt", NOON)
        news, masto = added.deliveries
        assert (news.channel, news.state, news.reason, news.title) == ("news", QUEUED, "", kept.thread.title)
        assert (masto.channel, masto.state, masto.reason) == ("masto", HELD, "a gap")
        assert store.delivery(news.id) == news
        assert (news.due, news.created, news.started, news.finished) == (NOON, NOON, None, None)
        assert (news.fence, news.posts, news.sent, news.lease_owner, news.lease_until) == (
            0,
            0,
            0,
            None,
            None,
        )
        assert store.posts(news.id) == ()
        events = store.events()
        assert [(e.at, e.actor, e.what, e.thread_id, e.delivery_id, e.channel) for e in events] == [
            (NOON, "ada", "add", added.thread_id, news.id, "news"),
            (NOON, "ada", "add", added.thread_id, masto.id, "masto"),
        ]

    def test_nothing_gives_nothing(self, store: Store) -> None:
        """Adding no threads, or a thread with no wish, stores nothing."""
        assert store.add([], now=NOON, actor="ada") == ()
        (added,) = store.add([NewThread(thread(), "-", ())], now=NOON, actor="ada")
        assert (added.thread_id, added.deliveries, added.duplicates) == (None, (), ())
        assert store.deliveries() == ()

    def test_a_live_delivery_makes_a_duplicate(self, store: Store) -> None:
        """The same thread is not taken twice by a channel while it is live there, not even with `again`."""
        (first,) = add(store)
        for again in (False, True):
            (added,) = store.add(
                [new("How tides work", wish(), wish("masto"))], now=NOON, actor="ada", again=again
            )
            assert Duplicate("news", first) in added.duplicates
        assert len(store.deliveries(channel="news")) == 1
        assert len(store.deliveries(channel="masto")) == 1

    def test_a_thread_of_duplicates_is_not_stored(self, store: Store) -> None:
        """A thread none of whose wishes is taken leaves no trace."""
        (first,) = add(store)
        (added,) = store.add([new()], now=NOON, actor="ada")
        assert (added.thread_id, added.deliveries) == (None, ())
        with pytest.raises(NotFoundError):
            store.thread(first.thread_id + 1)
        assert len(store.events()) == 1

    def test_a_published_delivery_makes_a_duplicate_unless_again(self, store: Store) -> None:
        """A thread published on a channel is taken there again only where that was asked for."""
        published = send(store, started(store, 1), 1, SENT, last=True)
        (added,) = store.add([new()], now=NOON, actor="ada")
        assert added.duplicates == (Duplicate("news", published),)
        (once_more,) = add(store, again=True)
        (added,) = store.add([new()], now=NOON, actor="ada")
        assert added.duplicates == (Duplicate("news", once_more),)

    def test_a_cancelled_delivery_is_in_nobodys_way(self, store: Store) -> None:
        """A thread cancelled on a channel may be added there anew."""
        (first,) = add(store)
        store.apply(first.id, Event.CANCEL, now=NOON, actor="ada")
        (second,) = add(store)
        assert second.id != first.id

    def test_repeats_within_one_call(self, store: Store) -> None:
        """A wish that repeats an earlier one of the same call is a duplicate of that one."""
        first, second = store.add([new("A", wish(), wish()), new("A", wish())], now=NOON, actor="ada")
        (delivery,) = first.deliveries
        assert first.duplicates == second.duplicates == (Duplicate("news", delivery),)
        assert second.thread_id is None

    def test_all_or_none(self, store: Store) -> None:
        """One wish that cannot be taken keeps every other of the call out."""
        for wrong in (wish(state=PUBLISHING), wish(due=NOON.replace(tzinfo=None))):
            with pytest.raises(StoreError):
                store.add([new("A"), new("B", wrong)], now=NOON, actor="ada")
        assert store.deliveries() == ()
        assert store.events() == ()

    def test_queues_up_in_the_order_given(self, store: Store) -> None:
        """Deliveries stand behind all others of their channel, in the order given."""
        add(store, new("A"), new("B", wish(), wish("masto")))
        add(store, new("C"))
        assert [delivery.title[0] for delivery in store.deliveries(channel="news")] == ["A", "B", "C"]
        ranks = [delivery.rank for delivery in store.deliveries(channel="news")]
        assert ranks == sorted(set(ranks))

    def test_two_callers_at_once(self, open_one: OpenStore) -> None:
        """Of two programs that add the same threads at once, each thread is taken from one of them."""
        one, other = open_one(), open_one()
        titles = [f"thread {number}" for number in range(20)]
        at_once(
            lambda: add(one, *[new(title) for title in titles]),
            lambda: add(other, *[new(title) for title in reversed(titles)]),
        )
        assert sorted(delivery.title for delivery in one.deliveries()) == sorted(
            thread(title).title for title in titles
        )

    def test_times_of_other_zones(self, store: Store) -> None:
        """A moment given in another zone is the same moment in UTC."""
        there = NOON.astimezone(timezone(timedelta(hours=-7)))
        (delivery,) = add(store, new("A", wish(due=there)), now=there)
        assert store.delivery(delivery.id).due == NOON
        assert str(store.delivery(delivery.id).due) == str(NOON)


class TestClaim:
    def test_takes_the_delivery(self, store: Store) -> None:
        """A claim gives the thread and a lease, and says so in row and audit log."""
        (delivery,) = add(store)
        claimed = claim(store)
        assert claimed.thread == thread()
        assert (claimed.posts, claimed.worker) == ((), "w1")
        now = claimed.delivery
        assert now == store.delivery(delivery.id)
        assert (now.state, now.fence, now.lease_owner, now.lease_until) == (PUBLISHING, 1, "w1", NOON + LEASE)
        assert now.started == NOON
        assert (store.events()[-1].what, store.events()[-1].actor) == ("claim", "w1")

    def test_lowest_rank_first_among_the_due(self, store: Store) -> None:
        """The first in the queue that is due goes first; one that is not due lets others pass."""
        add(
            store,
            new("later", wish(due=NOON + MINUTE)),
            new("first"),
            new("second"),
            new("held", wish(state=HELD)),
        )
        assert claim(store).delivery.title.startswith("first")

    def test_nothing_to_take(self, store: Store) -> None:
        """An empty channel, one whose threads wait for a person or a time, gives no claim."""
        assert store.claim("news", worker="w1", now=NOON, until=NOON + LEASE) is None
        add(store, new("held", wish(state=HELD)), new("later", wish(due=NOON + MINUTE)))
        assert store.claim("news", worker="w1", now=NOON, until=NOON + LEASE) is None
        assert store.claim("masto", worker="w1", now=NOON, until=NOON + LEASE) is None

    def test_one_delivery_at_a_time(self, store: Store) -> None:
        """While a delivery of a channel is being published no other of it begins; other channels go on."""
        add(store, new("A", wish("news"), wish("masto")), new("B"))
        claim(store)
        assert store.claim("news", worker="w2", now=NOON, until=NOON + LEASE) is None
        assert claim(store, "masto", worker="w2").delivery.channel == "masto"

    def test_a_waiting_chain_keeps_its_channel(self, store: Store) -> None:
        """A chain that waits in its middle is not overtaken, and goes on first when its time comes."""
        claimed = started(store)
        add(store, new("other"))
        send(store, claimed, 1, Throttled(NOON + MINUTE, "slow down"))
        assert store.claim("news", worker="w2", now=NOON + 59 * SECOND, until=NOON + LEASE) is None
        again = claim(store, worker="w2", now=NOON + MINUTE)
        assert (again.delivery.id, again.delivery.fence) == (claimed.delivery.id, 2)
        assert [record.state for record in again.posts] == [PostState.PLANNED] * 2
        assert again.delivery.started == NOON

    def test_an_ended_lease_is_taken_over(self, store: Store) -> None:
        """At the moment its lease ends a delivery may be claimed by another worker, and not before."""
        claimed = started(store)
        assert store.claim("news", worker="w2", now=NOON + LEASE - SECOND, until=NOON + 2 * LEASE) is None
        again = claim(store, worker="w2", now=NOON + LEASE)
        assert again.delivery.id == claimed.delivery.id
        assert again.delivery.fence == claimed.delivery.fence + 1
        assert len(again.posts) == 2

    def test_many_workers_at_once(self, open_one: OpenStore) -> None:
        """Of many workers that claim from one channel at once, one gets a delivery."""
        stores = [open_one() for _ in range(3)]
        add(stores[0], *[new(f"thread {number}") for number in range(5)])
        claims = at_once(
            *[
                lambda number=number: stores[number % 3].claim(
                    "news", worker=f"w{number}", now=NOON, until=NOON + LEASE
                )
                for number in range(6)
            ]
        )
        assert len([one for one in claims if one is not None]) == 1
        assert len(stores[0].deliveries(states=frozenset({PUBLISHING}))) == 1

    def test_workers_empty_the_queue_together(self, open_one: OpenStore) -> None:
        """Workers that race through two channels publish every delivery once, in turn, and none fails."""
        stores = [open_one() for _ in range(2)]
        channels = ("news", "masto")
        add(stores[0], *[new(f"thread {number}", *map(wish, channels)) for number in range(6)])

        def work(store: Store, channel: str, worker: str) -> list[int]:
            mine = []
            while store.deliveries(channel=channel, states=frozenset({QUEUED, PUBLISHING})):
                taken = store.claim(channel, worker=worker, now=NOON, until=NOON + LEASE)
                if taken:
                    store.plan(taken, posts(1), now=NOON)
                    send(store, taken, 1, SENT, last=True)
                    mine.append(taken.delivery.id)
            return mine

        done = at_once(
            *[
                lambda store=store, channel=channel, number=number: work(store, channel, f"w{number}")
                for number, store in enumerate(stores)
                for channel in channels
            ]
        )
        published = stores[0].deliveries(states=frozenset({DeliveryState.PUBLISHED}))
        assert len(published) == 12
        assert sorted(one for ids in done for one in ids) == sorted(delivery.id for delivery in published)
        claims = [event for event in stores[0].events() if event.what == "claim"]
        for channel in channels:
            order = [event.delivery_id for event in claims if event.channel == channel]
            assert order == [delivery.id for delivery in stores[0].deliveries(channel=channel)]


class TestPlan:
    def test_stores_the_posts(self, store: Store) -> None:
        """Planned posts are kept as composed, in order, and counted."""
        add(store)
        claimed = claim(store)
        planned = store.plan(claimed, posts(3), now=NOON)
        assert planned == store.posts(claimed.delivery.id)
        assert [record.position for record in planned] == [1, 2, 3]
        assert tuple(record.post for record in planned) == posts(3)
        assert {record.state for record in planned} == {PostState.PLANNED}
        assert store.delivery(claimed.delivery.id).posts == 3
        assert (store.events()[-1].what, store.events()[-1].actor) == ("plan", "w1")

    def test_once(self, store: Store) -> None:
        """A chain is planned once, so that a restart goes on with the same split."""
        claimed = started(store)
        with pytest.raises(StoreError, match="planned"):
            store.plan(claimed, posts(5), now=NOON)
        assert len(store.posts(claimed.delivery.id)) == 2

    def test_not_of_nothing(self, store: Store) -> None:
        """A chain of no posts cannot be planned."""
        add(store)
        with pytest.raises(StoreError, match="nothing to post"):
            store.plan(claim(store), (), now=NOON)


class TestIntend:
    def test_notes_the_try(self, store: Store) -> None:
        """An intent is on the row before the call: state, key, parent, time, and a longer lease."""
        claimed = started(store)
        later = NOON + MINUTE
        record = store.intend(claimed, 1, key="k", reply_to="99", now=later, until=later + LEASE)
        assert record == store.posts(claimed.delivery.id)[0]
        assert (record.state, record.key, record.reply_to) == (PostState.SENDING, "k", "99")
        assert (record.tries, record.intended, record.finished) == (1, later, None)
        assert store.delivery(claimed.delivery.id).lease_until == later + LEASE

    def test_keeps_the_key(self, store: Store) -> None:
        """Every try of a post has the key of its first, so that a server can recognise it."""
        claimed = started(store)
        send(store, claimed, 1, Throttled(NOON, "slow down"))
        again = claim(store, now=NOON + MINUTE)
        record = store.intend(again, 1, key="another", reply_to=None, now=NOON, until=NOON + LEASE)
        assert (record.key, record.tries) == ("key-1", 2)

    @pytest.mark.parametrize("position", [0, 1, 2, 3, 9])
    def test_only_the_next_planned_post(self, store: Store, position: int) -> None:
        """Nothing but the next planned post can be intended: no post twice, none out of order."""
        claimed = started(store, 3)
        send(store, claimed, 1, SENT)
        if position != 2:
            with pytest.raises(StoreError):
                intend(store, claimed, position)
            assert [record.tries for record in store.posts(claimed.delivery.id)] == [1, 0, 0]
        intend(store, claimed, 2)
        with pytest.raises(StoreError):
            intend(store, claimed, 2)
        assert [record.tries for record in store.posts(claimed.delivery.id)] == [1, 1, 0]


class TestRecord:
    def test_a_post_that_went_out(self, store: Store) -> None:
        """A post that is out has id, URL and time; its chain goes on under the same lease, with no event."""
        claimed = started(store)
        events = len(store.events())
        delivery = send(store, claimed, 1, SENT)
        assert delivery == store.delivery(claimed.delivery.id)
        assert (delivery.state, delivery.sent, delivery.lease_owner) == (PUBLISHING, 1, "w1")
        (first, second) = store.posts(delivery.id)
        assert (first.state, first.remote_id, first.url) == (PostState.SENT, SENT.remote_id, SENT.url)
        assert first.finished == NOON + SECOND
        assert second.state is PostState.PLANNED
        assert len(store.events()) == events

    def test_the_last_post(self, store: Store) -> None:
        """With its last post out a delivery is published, and its channel is free."""
        claimed = started(store)
        add(store, new("next"))
        send(store, claimed, 1, SENT)
        delivery = send(store, claimed, 2, SENT, last=True)
        assert (delivery.state, delivery.sent) == (DeliveryState.PUBLISHED, 2)
        assert (delivery.finished, delivery.lease_owner, delivery.lease_until) == (NOON + SECOND, None, None)
        assert store.events()[-1].what == "finish"
        assert claim(store).delivery.title.startswith("next")

    def test_a_refusal(self, store: Store) -> None:
        """A refused post stops its chain, which says why, and frees the channel."""
        claimed = started(store)
        delivery = send(store, claimed, 1, REFUSED)
        assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "chat not found")
        assert (delivery.finished, delivery.lease_owner) == (NOON + SECOND, None)
        assert store.posts(delivery.id)[0].state is PostState.REFUSED
        assert store.posts(delivery.id)[0].reason == "chat not found"
        assert store.posts(delivery.id)[0].finished is None
        last = store.events()[-1]
        assert (last.what, last.detail, last.actor) == ("refuse", "chat not found", "w1")
        add(store, new("next"))
        assert claim(store).delivery.title.startswith("next")

    def test_a_wait(self, store: Store) -> None:
        """A throttled post is planned again, due when the platform said; the lease ends."""
        claimed = started(store)
        delivery = send(store, claimed, 1, Throttled(NOON + MINUTE, "slow down"))
        assert (delivery.state, delivery.reason, delivery.due) == (PUBLISHING, "slow down", NOON + MINUTE)
        assert (delivery.lease_owner, delivery.finished) == (None, None)
        assert store.posts(delivery.id)[0].state is PostState.PLANNED

    def test_a_doubt(self, store: Store) -> None:
        """A post whose fate is unknown leaves its delivery unsure, and nobody may claim it."""
        claimed = started(store)
        delivery = send(store, claimed, 1, UNKNOWN)
        assert (delivery.state, delivery.finished) == (DeliveryState.UNSURE, None)
        assert store.posts(delivery.id)[0].state is PostState.UNKNOWN
        assert store.claim("news", worker="w2", now=NOON + LEASE, until=NOON + 2 * LEASE) is None

    def test_before_any_post(self, store: Store) -> None:
        """What went wrong before the first post changes the delivery alone."""
        add(store)
        claimed = claim(store)
        change = decide(REFUSED, last=False, tries=1, now=NOON, chance=0)
        delivery = store.record(claimed, None, change, now=NOON)
        assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "chat not found")
        assert store.posts(delivery.id) == ()

    def test_an_interrupted_post(self, store: Store) -> None:
        """A post that was being sent when its worker went away can be judged by the next one."""
        claimed = started(store)
        intend(store, claimed)
        again = claim(store, worker="w2", now=NOON + LEASE)
        assert again.posts[0].state is PostState.SENDING
        assert judge(store, again, 1, UNKNOWN).state is DeliveryState.UNSURE

    @pytest.mark.parametrize(
        ("position", "outcome", "last"),
        [
            (None, SENT, False),
            (None, UNKNOWN, False),
            (1, SENT, True),
            (2, SENT, False),
            (2, REFUSED, False),
            (9, REFUSED, False),
        ],
    )
    def test_nonsense_changes_nothing(
        self, store: Store, position: int | None, outcome: Outcome, last: bool
    ) -> None:
        """What cannot have happened is not written: a later post, a chain ended in its middle."""
        claimed = started(store)
        intend(store, claimed)
        before = (store.delivery(claimed.delivery.id), store.posts(claimed.delivery.id))
        change = decide(outcome, last=last, tries=1, now=NOON, chance=0)
        with pytest.raises(StoreError):
            store.record(claimed, position, change, now=NOON)
        assert (store.delivery(claimed.delivery.id), store.posts(claimed.delivery.id)) == before

    def test_a_sent_post_stays_sent(self, store: Store) -> None:
        """Nothing is written over a post that is out."""
        claimed = started(store)
        send(store, claimed, 1, SENT)
        for outcome in (SENT, REFUSED, UNKNOWN, Throttled(NOON, "")):
            with pytest.raises(StoreError):
                judge(store, claimed, 1, outcome)
        assert store.posts(claimed.delivery.id)[0].state is PostState.SENT


class TestFence:
    @pytest.mark.parametrize("lost_by", ["takeover", "refusal", "doubt"])
    def test_no_write_without_the_lease(self, store: Store, lost_by: str) -> None:
        """Whoever lost the lease writes nothing more, whatever the step."""
        claimed = started(store)
        intend(store, claimed)
        if lost_by == "takeover":
            claim(store, worker="w2", now=NOON + LEASE)
        else:
            judge(store, claimed, 1, REFUSED if lost_by == "refusal" else UNKNOWN)
        before = (store.deliveries(), store.posts(claimed.delivery.id), store.events())
        with pytest.raises(LeaseLostError):
            store.plan(claimed, posts(), now=NOON)
        with pytest.raises(LeaseLostError):
            intend(store, claimed)
        with pytest.raises(LeaseLostError):
            judge(store, claimed, 1, SENT)
        with pytest.raises(LeaseLostError):
            store.record(claimed, None, decide(REFUSED, last=False, tries=1, now=NOON, chance=0), now=NOON)
        with pytest.raises(LeaseLostError):
            store.let_go(claimed, now=NOON)
        assert (store.deliveries(), store.posts(claimed.delivery.id), store.events()) == before


class TestLeases:
    def test_let_go(self, store: Store) -> None:
        """A delivery that was let go of is free at once, still begun."""
        claimed = started(store)
        store.let_go(claimed, now=NOON + SECOND)
        delivery = store.delivery(claimed.delivery.id)
        assert (delivery.state, delivery.lease_owner, delivery.lease_until) == (PUBLISHING, None, None)
        assert delivery.due == NOON + SECOND
        assert claim(store, worker="w2", now=NOON + SECOND).delivery.id == delivery.id

    def test_free_leases(self, store: Store) -> None:
        """Every lease that runs is ended and counted; one that has ended already is not."""
        add(store, new("A", *[wish(name, due=NOON - LEASE) for name in "abc"]))
        claim(store, "a", now=NOON - LEASE)
        claim(store, "b")
        assert store.free_leases(now=NOON) == 1
        assert store.free_leases(now=NOON) == 0
        assert claim(store, "b", worker="w2").delivery.fence == 2
        assert claim(store, "a", worker="w2").delivery.fence == 2


class TestNextDue:
    def test_an_empty_channel(self, store: Store) -> None:
        """Where nothing waits, or all wait for a person, there is no next time."""
        assert store.next_due("news", now=NOON) is None
        add(store, new("held", wish(state=HELD)))
        assert store.next_due("news", now=NOON) is None

    def test_queued(self, store: Store) -> None:
        """The earliest due time of the queue counts, or now where that has passed."""
        add(store, new("A", wish(due=NOON + 2 * MINUTE)), new("B", wish(due=NOON + MINUTE)))
        assert store.next_due("news", now=NOON) == NOON + MINUTE
        assert store.next_due("news", now=NOON + LEASE) == NOON + LEASE

    def test_publishing(self, store: Store) -> None:
        """While a chain is under way, its lease and its own time count, and nothing else."""
        claimed = started(store)
        add(store, new("other"))
        assert store.next_due("news", now=NOON) == NOON + LEASE
        send(store, claimed, 1, Throttled(NOON + MINUTE, "slow down"))
        assert store.next_due("news", now=NOON) == NOON + MINUTE


class TestApply:
    def test_hold_and_release(self, store: Store) -> None:
        """A person holds a queued delivery, and releases it, for a time of their own if they like."""
        (delivery,) = add(store)
        assert store.apply(delivery.id, Event.HOLD, now=NOON, actor="ada").state is HELD
        released = store.apply(delivery.id, Event.RELEASE, now=NOON, actor="bob", due=NOON + MINUTE)
        assert released == store.delivery(delivery.id)
        assert (released.state, released.due) == (QUEUED, NOON + MINUTE)
        assert [(event.what, event.actor) for event in store.events()[1:]] == [
            ("hold", "ada"),
            ("release", "bob"),
        ]

    def test_release_clears_the_reason(self, store: Store) -> None:
        """A released delivery has nothing to explain any more."""
        (delivery,) = add(store, new("A", wish(state=HELD, reason="part 3 is missing")))
        assert store.apply(delivery.id, Event.RELEASE, now=NOON, actor="ada").reason == ""

    def test_cancel(self, store: Store) -> None:
        """A cancelled delivery is finished and is not claimed."""
        (delivery,) = add(store)
        cancelled = store.apply(delivery.id, Event.CANCEL, now=NOON + MINUTE, actor="ada")
        assert (cancelled.state, cancelled.finished) == (DeliveryState.CANCELLED, NOON + MINUTE)
        assert store.claim("news", worker="w1", now=NOON, until=NOON + LEASE) is None

    def test_retry(self, store: Store) -> None:
        """A failed chain goes on from the post that was refused, with the posts that are out left alone."""
        claimed = started(store)
        send(store, claimed, 1, SENT)
        failed = send(store, claimed, 2, REFUSED)
        retried = store.apply(failed.id, Event.RETRY, now=NOON, actor="ada")
        assert (retried.state, retried.reason, retried.finished) == (QUEUED, "", None)
        again = claim(store)
        assert [record.state for record in again.posts] == [PostState.SENT, PostState.PLANNED]
        assert send(store, again, 2, SENT, last=True).state is DeliveryState.PUBLISHED

    def test_not_allowed(self, store: Store) -> None:
        """What the state does not allow, or no person may ask for, changes nothing."""
        (delivery,) = add(store)
        for event in (Event.RELEASE, Event.RETRY, Event.CLAIM, Event.SETTLE, Event.WITHDRAW):
            with pytest.raises(NotAllowedError):
                store.apply(delivery.id, event, now=NOON, actor="ada")
        claim(store)
        with pytest.raises(NotAllowedError):
            store.apply(delivery.id, Event.FINISH, now=NOON, actor="ada")
        assert [event.what for event in store.events()] == ["add", "claim"]

    def test_not_found(self, store: Store) -> None:
        """A request for a delivery that is not there says so."""
        with pytest.raises(NotFoundError):
            store.apply(7, Event.HOLD, now=NOON, actor="ada")
        with pytest.raises(NotFoundError):
            store.settle(7, None, now=NOON, actor="ada")
        with pytest.raises(NotFoundError):
            store.delivery(7)
        with pytest.raises(NotFoundError):
            store.thread(7)


class TestSettle:
    def test_not_out(self, store: Store) -> None:
        """A doubtful post that a person did not find is planned again, and its delivery queued."""
        unsure = send(store, started(store), 1, UNKNOWN)
        settled = store.settle(unsure.id, None, now=NOON + MINUTE, actor="ada")
        assert settled == store.delivery(unsure.id)
        assert (settled.state, settled.reason, settled.sent) == (QUEUED, "", 0)
        post = store.posts(unsure.id)[0]
        assert (post.state, post.key, post.tries, post.reason) == (PostState.PLANNED, "key-1", 1, "")
        assert (store.events()[-1].what, store.events()[-1].actor) == ("settle", "ada")
        send(store, claim(store), 1, SENT)

    def test_out(self, store: Store) -> None:
        """A doubtful post that a person found is sent, and its chain goes on after it."""
        unsure = send(store, started(store), 1, UNKNOWN)
        settled = store.settle(unsure.id, SENT, now=NOON + MINUTE, actor="ada")
        assert (settled.state, settled.sent, settled.finished) == (QUEUED, 1, None)
        post = store.posts(unsure.id)[0]
        assert (post.state, post.remote_id, post.url) == (PostState.SENT, SENT.remote_id, SENT.url)
        assert post.finished == NOON + MINUTE
        send(store, claim(store), 2, SENT, last=True)

    def test_the_last_is_out(self, store: Store) -> None:
        """A person who found the last post has the delivery published."""
        claimed = started(store)
        send(store, claimed, 1, SENT)
        unsure = send(store, claimed, 2, UNKNOWN)
        settled = store.settle(unsure.id, SENT, now=NOON + MINUTE, actor="ada")
        assert (settled.state, settled.sent) == (DeliveryState.PUBLISHED, 2)
        assert settled.finished == NOON + MINUTE
        assert [event.what for event in store.events()[-2:]] == ["settle", "finish"]

    def test_only_where_unsure(self, store: Store) -> None:
        """There is nothing to settle where nothing is in doubt."""
        claimed = started(store)
        for sent in (None, SENT):
            with pytest.raises(NotAllowedError):
                store.settle(claimed.delivery.id, sent, now=NOON, actor="ada")


class TestReading:
    def test_deliveries_filters(self, store: Store) -> None:
        """A list holds what fits every filter."""
        add(store, new("A", wish("a"), wish("b", state=HELD)), new("B", wish("a")))
        first = store.deliveries()[0].thread_id
        assert len(store.deliveries(channel="a")) == 2
        assert len(store.deliveries(thread_id=first)) == 2
        assert len(store.deliveries(channel="a", thread_id=first)) == 1
        assert [delivery.channel for delivery in store.deliveries(states=frozenset({HELD}))] == ["b"]
        assert store.deliveries(states=frozenset()) == ()
        assert len(store.deliveries(limit=2)) == 2
        assert store.deliveries(limit=0) == ()

    def test_deliveries_in_the_order_of_the_queue(self, store: Store) -> None:
        """A queue is listed by channel, what is begun first, then by rank."""
        add(store, new("A", wish("b"), wish("a", due=NOON + MINUTE)), new("B", wish("b"), wish("a")))
        claim(store, "a")
        assert [(one.channel, one.title[0]) for one in store.deliveries()] == [
            ("a", "B"),
            ("a", "A"),
            ("b", "A"),
            ("b", "B"),
        ]

    def test_deliveries_newest_first(self, store: Store) -> None:
        """A history is listed by the time a delivery ended, else was made, the newest first."""
        a, b, c = add(store, new("A"), new("B"), new("C"))
        store.apply(b.id, Event.CANCEL, now=NOON + MINUTE, actor="ada")
        store.apply(a.id, Event.CANCEL, now=NOON + 2 * MINUTE, actor="ada")
        listed = store.deliveries(newest_first=True)
        assert [delivery.id for delivery in listed] == [a.id, b.id, c.id]
        assert store.deliveries(newest_first=True, limit=1) == listed[:1]

    def test_events(self, store: Store) -> None:
        """The audit log reads from old to new; a limit keeps the newest."""
        a, b = add(store, new("A"), new("B"))
        store.apply(a.id, Event.CANCEL, now=NOON + MINUTE, actor="bob")
        last = store.events()[-1]
        assert last == AuditEvent(last.id, NOON + MINUTE, "bob", "cancel", a.thread_id, a.id, "news", "")
        assert [event.delivery_id for event in store.events()] == [a.id, b.id, a.id]
        assert [event.what for event in store.events(limit=2)] == ["add", "cancel"]
        assert [event.what for event in store.events(thread_id=a.thread_id)] == ["add", "cancel"]
        assert store.events(thread_id=b.thread_id, limit=9) == store.events()[1:2]

    def test_posts_of_an_unplanned_delivery(self, store: Store) -> None:
        """Before planning there are no posts."""
        (delivery,) = add(store)
        assert store.posts(delivery.id) == ()

    def test_channels(self, store: Store) -> None:
        """A channel is noted once, and keeps the time it was first seen."""
        store.see_channels([], now=NOON)
        assert store.channels() == ()
        store.see_channels([("news", "telegram", "@old"), ("a", "local", "a")], now=NOON)
        store.see_channels([("news", "telegram", "@news")], now=NOON + MINUTE)
        assert store.channels() == (
            ChannelRow("a", "local", "a", NOON, NOON),
            ChannelRow("news", "telegram", "@news", NOON, NOON + MINUTE),
        )

    def test_close_twice(self, store: Store) -> None:
        """Closing a closed store does nothing."""
        store.close()
        store.close()

    def test_another_program_sees_the_same(self, open_one: OpenStore) -> None:
        """What one program wrote another one reads, and reads again after a restart."""
        writer = open_one()
        claimed = started(writer)
        send(writer, claimed, 1, SENT)
        told = (writer.deliveries(), writer.posts(claimed.delivery.id), writer.events())
        writer.close()
        reader = open_one()
        assert (reader.deliveries(), reader.posts(claimed.delivery.id), reader.events()) == told


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    """No store guesses a zone."""
    with pytest.raises(StoreError, match="zone"):
        store.see_channels([("news", "local", "news")], now=NOON.replace(tzinfo=None))
