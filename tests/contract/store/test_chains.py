"""A chain on its way, step by step, in every store."""

from contextlib import suppress
from functools import partial

import pytest

from tests.contract.store.samples import LEASE, MINUTE, NOON, SECOND, new, posts, thread, wish
from tests.contract.store.steps import (
    PUBLISHED,
    PUBLISHING,
    REFUSED,
    SENT,
    UNKNOWN,
    add,
    advance,
    claim,
    finish,
    intend,
    judge,
    published,
    send,
    started,
)
from threadcast.queue.compose.compose import Post
from threadcast.queue.port import Adoption, LeaseLostError, Store, StoreError
from threadcast.queue.states import DeliveryState, Outcome, PostState, Throttled, decide


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

    def test_a_continued_chain(self, store: Store) -> None:
        """The posts of a continued thread go behind those that are out, and are sent after them."""
        delivery = published(store)
        store.extend(delivery.thread_id, thread(parts=4), now=NOON, actor="ada")
        claimed = claim(store)
        assert len(claimed.thread.parts) == 4
        planned = store.plan(claimed, posts(2, first=3), now=NOON)
        assert planned == store.posts(delivery.id)
        assert [record.position for record in planned] == [1, 2, 3, 4]
        assert [record.state for record in planned] == [PostState.SENT] * 2 + [PostState.PLANNED] * 2
        assert (store.delivery(delivery.id).posts, store.delivery(delivery.id).sent) == (4, 2)
        with pytest.raises(StoreError, match="planned"):
            store.plan(claimed, posts(1, first=5), now=NOON)
        ended = finish(store, claimed, 4)
        assert (ended.state, ended.posts, ended.sent) == (PUBLISHED, 4, 4)

    def test_a_continued_chain_needs_a_post(self, store: Store) -> None:
        """A continued chain cannot be planned with nothing behind what is out."""
        delivery = published(store)
        store.extend(delivery.thread_id, thread(parts=4), now=NOON, actor="ada")
        with pytest.raises(StoreError, match="nothing to post"):
            store.plan(claim(store), (), now=NOON)
        assert store.delivery(delivery.id).posts == 2

    def test_an_adopted_chain(self, store: Store) -> None:
        """The posts of the parts that are out are sent, the last with its id; the chain goes on after it."""
        add(store, new("A", wish(adoption=Adoption(2, SENT)), parts=3))
        claimed = claim(store)
        first, *others = posts(3)
        planned = store.plan(claimed, (first, first, *others), now=NOON)
        assert planned == store.posts(claimed.delivery.id)
        assert [record.state for record in planned] == [PostState.SENT] * 3 + [PostState.PLANNED]
        assert [record.remote_id for record in planned] == [None, None, SENT.remote_id, None]
        assert [record.url for record in planned] == [None, None, SENT.url, None]
        assert [(record.tries, record.finished) for record in planned] == [(0, None)] * 4
        assert (store.delivery(claimed.delivery.id).posts, store.delivery(claimed.delivery.id).sent) == (4, 3)
        assert store.events()[-1].detail == "4 posts, 3 of them out"
        assert finish(store, claimed, 4).state is PUBLISHED

    @pytest.mark.parametrize("planned", [posts(2), posts(1, first=3)])
    def test_an_adopted_chain_has_an_end_to_go_on_from(self, store: Store, planned: tuple[Post, ...]) -> None:
        """An adopted chain of which nothing is left, or nothing is out, cannot be planned."""
        add(store, new("A", wish(adoption=Adoption(2, SENT)), parts=3))
        claimed = claim(store)
        with pytest.raises(StoreError):
            store.plan(claimed, planned, now=NOON)
        assert store.posts(claimed.delivery.id) == ()
        assert (store.delivery(claimed.delivery.id).posts, store.delivery(claimed.delivery.id).sent) == (0, 0)

    def test_an_adopted_chain_is_continued(self, store: Store) -> None:
        """What was adopted once is not adopted again where its thread grows."""
        (delivery,) = add(store, new("A", wish(adoption=Adoption(1, SENT))))
        claimed = claim(store)
        store.plan(claimed, posts(2), now=NOON)
        finish(store, claimed, 2)
        store.extend(delivery.thread_id, thread("A", 3), now=NOON, actor="ada")
        again = claim(store)
        store.plan(again, posts(1, first=3), now=NOON)
        assert finish(store, again, 3).sent == 3


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

    def test_a_rest_after_a_post(self, store: Store) -> None:
        """A chain that rests between two posts keeps its channel, without a lease, and goes on in time."""
        claimed = started(store)
        add(store, new("other"))
        intend(store, claimed)
        change = decide(SENT, last=False, tries=1, now=NOON, chance=0, gap=MINUTE)
        delivery = store.record(claimed, 1, change, now=NOON)
        assert (delivery.state, delivery.sent, delivery.due) == (PUBLISHING, 1, NOON + MINUTE)
        assert (delivery.lease_owner, delivery.lease_until) == (None, None)
        with pytest.raises(StoreError):
            judge(store, claimed, 1, SENT)
        assert store.claim("news", worker="w1", now=NOON + 59 * SECOND, until=NOON + LEASE) is None
        again = claim(store, now=NOON + MINUTE)
        assert again.delivery.id == claimed.delivery.id
        assert finish(store, again, 2).state is PUBLISHED

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

    def test_says_when_only_the_disk_is_waited_for(self, store: Store) -> None:
        """A step that is right says so once, before it is done; one that is wrong does not."""
        claimed = started(store, 3)
        intend(store, claimed)
        said: list[int] = []
        for position in (2, 1):
            with suppress(StoreError):
                store.advance(
                    claimed,
                    position,
                    SENT,
                    key="key-2",
                    now=NOON,
                    until=NOON + LEASE,
                    almost=partial(said.append, position),
                )
        assert said == [1]
        assert store.delivery(claimed.delivery.id).sent == 1

    def test_undone_where_it_is_called_off_at_the_last_moment(self, store: Store) -> None:
        """What goes wrong after that changes nothing."""
        claimed = started(store, 3)
        intend(store, claimed)
        before = (store.delivery(claimed.delivery.id), store.posts(claimed.delivery.id))

        def fail() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            store.advance(claimed, 1, SENT, key="key-2", now=NOON, until=NOON + LEASE, almost=fail)
        assert (store.delivery(claimed.delivery.id), store.posts(claimed.delivery.id)) == before

    def test_goes_on_after_one_that_failed(self, store: Store) -> None:
        """A step that was wrong stands in the way of none that is right."""
        claimed = started(store, 4)
        intend(store, claimed)
        advance(store, claimed)
        for position in (1, 3):
            with pytest.raises(StoreError):
                advance(store, claimed, position)
        advance(store, claimed, 2)
        assert store.delivery(claimed.delivery.id).sent == 2

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
