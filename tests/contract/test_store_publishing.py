"""What every store does for a worker: in memory, in SQLite, in PostgreSQL."""

import pytest

from tests.contract.store_samples import LEASE, MINUTE, NOON, SECOND, new, posts, thread, wish
from tests.contract.store_steps import (
    HELD,
    PUBLISHING,
    QUEUED,
    REFUSED,
    SENT,
    UNKNOWN,
    OpenStore,
    add,
    advance,
    at_once,
    claim,
    intend,
    judge,
    send,
    started,
)
from threadcast.queue.states import (
    DeliveryState,
    Outcome,
    PostState,
    Throttled,
    decide,
)
from threadcast.queue.store import (
    LeaseLostError,
    Store,
    StoreError,
)


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


class TestAdvance:
    def test_is_a_record_and_an_intent(self, store: Store) -> None:
        """From one post to the next in one step: the queue holds what two steps would have left there."""
        claimed = started(store, 3)
        intend(store, claimed)
        events = len(store.events())
        advance(store, claimed, now=NOON + SECOND)
        delivery = store.delivery(claimed.delivery.id)
        assert (delivery.state, delivery.sent, delivery.reason) == (PUBLISHING, 1, "")
        assert (delivery.lease_owner, delivery.lease_until) == ("w1", NOON + SECOND + LEASE)
        (first, second, third) = store.posts(delivery.id)
        assert (first.state, first.remote_id, first.url) == (PostState.SENT, SENT.remote_id, SENT.url)
        assert (first.finished, first.reason) == (NOON + SECOND, "")
        assert (second.state, second.tries, second.key) == (PostState.SENDING, 1, "key-2")
        assert (second.reply_to, second.intended) == (SENT.remote_id, NOON + SECOND)
        assert third.state is PostState.PLANNED
        assert len(store.events()) == events

    @pytest.mark.parametrize("position", [0, 2, 3, 9])
    def test_only_from_the_post_that_is_being_sent(self, store: Store, position: int) -> None:
        """No post but the one that is being sent is stepped from, and not where it is the last."""
        claimed = started(store, 3)
        intend(store, claimed)
        before = (store.delivery(claimed.delivery.id), store.posts(claimed.delivery.id))
        with pytest.raises(StoreError):
            advance(store, claimed, position)
        assert (store.delivery(claimed.delivery.id), store.posts(claimed.delivery.id)) == before

    def test_not_before_the_send(self, store: Store) -> None:
        """A post that was never being sent is not out."""
        claimed = started(store)
        with pytest.raises(StoreError):
            advance(store, claimed)
        assert [record.state for record in store.posts(claimed.delivery.id)] == [PostState.PLANNED] * 2

    def test_not_beyond_the_last_post(self, store: Store) -> None:
        """After the last post comes none."""
        claimed = started(store)
        intend(store, claimed)
        advance(store, claimed)
        with pytest.raises(StoreError):
            advance(store, claimed, 2)
        assert store.delivery(claimed.delivery.id).sent == 1


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
            advance(store, claimed)
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
