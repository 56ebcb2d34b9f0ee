"""A chain on its way, step by step, in every store."""

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
from threadcast.queue.compose.rules import Post
from threadcast.queue.errors import LeaseLostError, StoreError
from threadcast.queue.model import Adoption, Claim
from threadcast.queue.outcomes import Outcome, Throttled
from threadcast.queue.states import DeliveryState, PostState, decide
from threadcast.queue.store.database import Database


class TestPlan:
    def test_stores_the_posts(self, database: Database) -> None:
        """Planned posts are kept as composed, in order, and counted."""
        add(database)
        claimed = claim(database)
        planned = database.work.plan(claimed, posts(3), now=NOON)
        assert planned == database.reading.posts(claimed.delivery.id)
        assert [record.position for record in planned] == [1, 2, 3]
        assert tuple(record.post for record in planned) == posts(3)
        assert {record.state for record in planned} == {PostState.PLANNED}
        assert database.reading.delivery(claimed.delivery.id).posts == 3
        assert (database.reading.events()[-1].what, database.reading.events()[-1].actor) == ("plan", "w1")

    def test_once(self, database: Database) -> None:
        """A chain is planned once, so that a restart goes on with the same split."""
        claimed = started(database)
        with pytest.raises(StoreError, match="planned"):
            database.work.plan(claimed, posts(5), now=NOON)
        assert len(database.reading.posts(claimed.delivery.id)) == 2

    def test_not_of_nothing(self, database: Database) -> None:
        """A chain of no posts cannot be planned."""
        add(database)
        with pytest.raises(StoreError, match="nothing to post"):
            database.work.plan(claim(database), (), now=NOON)

    def test_a_continued_chain(self, database: Database) -> None:
        """The posts of a continued thread go behind those that are out, and are sent after them."""
        delivery = published(database)
        database.threads.extend(delivery.thread_id, thread(parts=4), now=NOON, actor="ada")
        claimed = claim(database)
        assert len(claimed.thread.parts) == 4
        planned = database.work.plan(claimed, posts(2, first=3), now=NOON)
        assert planned == database.reading.posts(delivery.id)
        assert [record.position for record in planned] == [1, 2, 3, 4]
        assert [record.state for record in planned] == [PostState.SENT] * 2 + [PostState.PLANNED] * 2
        assert (
            database.reading.delivery(delivery.id).posts,
            database.reading.delivery(delivery.id).sent,
        ) == (4, 2)
        with pytest.raises(StoreError, match="planned"):
            database.work.plan(claimed, posts(1, first=5), now=NOON)
        ended = finish(database, claimed, 4)
        assert (ended.state, ended.posts, ended.sent) == (PUBLISHED, 4, 4)

    def test_a_continued_chain_needs_a_post(self, database: Database) -> None:
        """A continued chain cannot be planned with nothing behind what is out."""
        delivery = published(database)
        database.threads.extend(delivery.thread_id, thread(parts=4), now=NOON, actor="ada")
        with pytest.raises(StoreError, match="nothing to post"):
            database.work.plan(claim(database), (), now=NOON)
        assert database.reading.delivery(delivery.id).posts == 2

    def test_an_adopted_chain(self, database: Database) -> None:
        """The posts of the parts that are out are sent, the last with its id; the chain goes on after it."""
        add(database, new("A", wish(adoption=Adoption(2, SENT)), parts=3))
        claimed = claim(database)
        first, *others = posts(3)
        planned = database.work.plan(claimed, (first, first, *others), now=NOON)
        assert planned == database.reading.posts(claimed.delivery.id)
        assert [record.state for record in planned] == [PostState.SENT] * 3 + [PostState.PLANNED]
        assert [record.remote_id for record in planned] == [None, None, SENT.remote_id, None]
        assert [record.url for record in planned] == [None, None, SENT.url, None]
        assert [(record.tries, record.finished) for record in planned] == [(0, None)] * 4
        assert (
            database.reading.delivery(claimed.delivery.id).posts,
            database.reading.delivery(claimed.delivery.id).sent,
        ) == (4, 3)
        assert database.reading.events()[-1].detail == "4 posts, 3 of them out"
        assert finish(database, claimed, 4).state is PUBLISHED

    @pytest.mark.parametrize("planned", [posts(2), posts(1, first=3)])
    def test_an_adopted_chain_has_an_end_to_go_on_from(
        self, database: Database, planned: tuple[Post, ...]
    ) -> None:
        """An adopted chain of which nothing is left, or nothing is out, cannot be planned."""
        add(database, new("A", wish(adoption=Adoption(2, SENT)), parts=3))
        claimed = claim(database)
        with pytest.raises(StoreError):
            database.work.plan(claimed, planned, now=NOON)
        assert database.reading.posts(claimed.delivery.id) == ()
        assert (
            database.reading.delivery(claimed.delivery.id).posts,
            database.reading.delivery(claimed.delivery.id).sent,
        ) == (0, 0)

    def test_an_adopted_chain_is_continued(self, database: Database) -> None:
        """What was adopted once is not adopted again where its thread grows."""
        (delivery,) = add(database, new("A", wish(adoption=Adoption(1, SENT))))
        claimed = claim(database)
        database.work.plan(claimed, posts(2), now=NOON)
        finish(database, claimed, 2)
        database.threads.extend(delivery.thread_id, thread("A", 3), now=NOON, actor="ada")
        again = claim(database)
        database.work.plan(again, posts(1, first=3), now=NOON)
        assert finish(database, again, 3).sent == 3


class TestIntend:
    def test_notes_the_try(self, database: Database) -> None:
        """An intent is on the row before the call: state, key, parent, time, and a longer lease."""
        claimed = started(database)
        later = NOON + MINUTE
        record = database.work.intend(claimed, 1, key="k", reply_to="99", now=later, until=later + LEASE)
        assert record == database.reading.posts(claimed.delivery.id)[0]
        assert (record.state, record.key, record.reply_to) == (PostState.SENDING, "k", "99")
        assert (record.tries, record.intended, record.finished) == (1, later, None)
        assert database.reading.delivery(claimed.delivery.id).lease_until == later + LEASE

    def test_keeps_the_key(self, database: Database) -> None:
        """Every try of a post has the key of its first, so that a server can recognise it."""
        claimed = started(database)
        send(database, claimed, 1, Throttled(NOON, "slow down"))
        again = claim(database, now=NOON + MINUTE)
        record = database.work.intend(again, 1, key="another", reply_to=None, now=NOON, until=NOON + LEASE)
        assert (record.key, record.tries) == ("key-1", 2)

    @pytest.mark.parametrize("position", [0, 1, 2, 3, 9])
    def test_only_the_next_planned_post(self, database: Database, position: int) -> None:
        """Nothing but the next planned post can be intended: no post twice, none out of order."""
        claimed = started(database, 3)
        send(database, claimed, 1, SENT)
        if position != 2:
            with pytest.raises(StoreError):
                intend(database, claimed, position)
            assert [record.tries for record in database.reading.posts(claimed.delivery.id)] == [1, 0, 0]
        intend(database, claimed, 2)
        with pytest.raises(StoreError):
            intend(database, claimed, 2)
        assert [record.tries for record in database.reading.posts(claimed.delivery.id)] == [1, 1, 0]


class TestRecord:
    def test_a_post_that_went_out(self, database: Database) -> None:
        """A post that is out has id, URL and time; its chain goes on under the same lease, with no event."""
        claimed = started(database)
        events = len(database.reading.events())
        delivery = send(database, claimed, 1, SENT)
        assert delivery == database.reading.delivery(claimed.delivery.id)
        assert (delivery.state, delivery.sent, delivery.lease_owner) == (PUBLISHING, 1, "w1")
        (first, second) = database.reading.posts(delivery.id)
        assert (first.state, first.remote_id, first.url) == (PostState.SENT, SENT.remote_id, SENT.url)
        assert first.finished == NOON + SECOND
        assert second.state is PostState.PLANNED
        assert len(database.reading.events()) == events

    def test_a_rest_after_a_post(self, database: Database) -> None:
        """A chain that rests between two posts keeps its channel, without a lease, and goes on in time."""
        claimed = started(database)
        add(database, new("other"))
        intend(database, claimed)
        change = decide(SENT, last=False, tries=1, now=NOON, chance=0, gap=MINUTE)
        delivery = database.work.record(claimed, 1, change, now=NOON)[0]
        assert (delivery.state, delivery.sent, delivery.due) == (PUBLISHING, 1, NOON + MINUTE)
        assert (delivery.lease_owner, delivery.lease_until) == (None, None)
        with pytest.raises(StoreError):
            judge(database, claimed, 1, SENT)
        assert not isinstance(
            database.work.claim("news", worker="w1", now=NOON + 59 * SECOND, until=NOON + LEASE), Claim
        )
        again = claim(database, now=NOON + MINUTE)
        assert again.delivery.id == claimed.delivery.id
        assert finish(database, again, 2).state is PUBLISHED

    def test_the_last_post(self, database: Database) -> None:
        """With its last post out a delivery is published, and its channel is free."""
        claimed = started(database)
        add(database, new("next"))
        send(database, claimed, 1, SENT)
        delivery = send(database, claimed, 2, SENT, last=True)
        assert (delivery.state, delivery.sent) == (DeliveryState.PUBLISHED, 2)
        assert (delivery.finished, delivery.lease_owner, delivery.lease_until) == (NOON + SECOND, None, None)
        assert database.reading.events()[-1].what == "finish"
        assert claim(database).delivery.title.startswith("next")

    def test_a_refusal(self, database: Database) -> None:
        """A refused post stops its chain, which says why, and frees the channel."""
        claimed = started(database)
        delivery = send(database, claimed, 1, REFUSED)
        assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "chat not found")
        assert (delivery.finished, delivery.lease_owner) == (NOON + SECOND, None)
        assert database.reading.posts(delivery.id)[0].state is PostState.REFUSED
        assert database.reading.posts(delivery.id)[0].reason == "chat not found"
        assert database.reading.posts(delivery.id)[0].finished is None
        last = database.reading.events()[-1]
        assert (last.what, last.detail, last.actor) == ("refuse", "chat not found", "w1")
        add(database, new("next"))
        assert claim(database).delivery.title.startswith("next")

    def test_a_wait(self, database: Database) -> None:
        """A throttled post is planned again, due when the platform said; the lease ends."""
        claimed = started(database)
        delivery = send(database, claimed, 1, Throttled(NOON + MINUTE, "slow down"))
        assert (delivery.state, delivery.reason, delivery.due) == (PUBLISHING, "slow down", NOON + MINUTE)
        assert (delivery.lease_owner, delivery.finished) == (None, None)
        assert database.reading.posts(delivery.id)[0].state is PostState.PLANNED

    def test_a_doubt(self, database: Database) -> None:
        """A post whose fate is unknown leaves its delivery unsure, and nobody may claim it."""
        claimed = started(database)
        delivery = send(database, claimed, 1, UNKNOWN)
        assert (delivery.state, delivery.finished) == (DeliveryState.UNSURE, None)
        assert database.reading.posts(delivery.id)[0].state is PostState.UNKNOWN
        assert not isinstance(
            database.work.claim("news", worker="w2", now=NOON + LEASE, until=NOON + 2 * LEASE), Claim
        )

    def test_before_any_post(self, database: Database) -> None:
        """What went wrong before the first post changes the delivery alone."""
        add(database)
        claimed = claim(database)
        change = decide(REFUSED, last=False, tries=1, now=NOON, chance=0)
        delivery = database.work.record(claimed, None, change, now=NOON)[0]
        assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "chat not found")
        assert database.reading.posts(delivery.id) == ()

    def test_an_interrupted_post(self, database: Database) -> None:
        """A post that was being sent when its worker went away can be judged by the next one."""
        claimed = started(database)
        intend(database, claimed)
        again = claim(database, worker="w2", now=NOON + LEASE)
        assert again.posts[0].state is PostState.SENDING
        assert judge(database, again, 1, UNKNOWN).state is DeliveryState.UNSURE

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
        self, database: Database, position: int | None, outcome: Outcome, last: bool
    ) -> None:
        """What cannot have happened is not written: a later post, a chain ended in its middle."""
        claimed = started(database)
        intend(database, claimed)
        before = (database.reading.delivery(claimed.delivery.id), database.reading.posts(claimed.delivery.id))
        change = decide(outcome, last=last, tries=1, now=NOON, chance=0)
        with pytest.raises(StoreError):
            database.work.record(claimed, position, change, now=NOON)
        assert (
            database.reading.delivery(claimed.delivery.id),
            database.reading.posts(claimed.delivery.id),
        ) == before

    def test_a_sent_post_stays_sent(self, database: Database) -> None:
        """Nothing is written over a post that is out."""
        claimed = started(database)
        send(database, claimed, 1, SENT)
        for outcome in (SENT, REFUSED, UNKNOWN, Throttled(NOON, "")):
            with pytest.raises(StoreError):
                judge(database, claimed, 1, outcome)
        assert database.reading.posts(claimed.delivery.id)[0].state is PostState.SENT


class TestAdvance:
    def test_is_a_record_and_an_intent(self, database: Database) -> None:
        """From one post to the next in one step: the queue holds what two steps would have left there."""
        claimed = started(database, 3)
        intend(database, claimed)
        events = len(database.reading.events())
        advance(database, claimed, now=NOON + SECOND)
        delivery = database.reading.delivery(claimed.delivery.id)
        assert (delivery.state, delivery.sent, delivery.reason) == (PUBLISHING, 1, "")
        assert (delivery.lease_owner, delivery.lease_until) == ("w1", NOON + SECOND + LEASE)
        (first, second, third) = database.reading.posts(delivery.id)
        assert (first.state, first.remote_id, first.url) == (PostState.SENT, SENT.remote_id, SENT.url)
        assert (first.finished, first.reason) == (NOON + SECOND, "")
        assert (second.state, second.tries, second.key) == (PostState.SENDING, 1, "key-2")
        assert (second.reply_to, second.intended) == (SENT.remote_id, NOON + SECOND)
        assert third.state is PostState.PLANNED
        assert len(database.reading.events()) == events

    @pytest.mark.parametrize("position", [0, 2, 3, 9])
    def test_only_from_the_post_that_is_being_sent(self, database: Database, position: int) -> None:
        """No post but the one that is being sent is stepped from, and not where it is the last."""
        claimed = started(database, 3)
        intend(database, claimed)
        before = (database.reading.delivery(claimed.delivery.id), database.reading.posts(claimed.delivery.id))
        with pytest.raises(StoreError):
            advance(database, claimed, position)
        assert (
            database.reading.delivery(claimed.delivery.id),
            database.reading.posts(claimed.delivery.id),
        ) == before

    def test_goes_on_after_one_that_failed(self, database: Database) -> None:
        """A step that was wrong stands in the way of none that is right."""
        claimed = started(database, 4)
        intend(database, claimed)
        advance(database, claimed)
        for position in (1, 3):
            with pytest.raises(StoreError):
                advance(database, claimed, position)
        advance(database, claimed, 2)
        assert database.reading.delivery(claimed.delivery.id).sent == 2

    def test_not_before_the_send(self, database: Database) -> None:
        """A post that was never being sent is not out."""
        claimed = started(database)
        with pytest.raises(StoreError):
            advance(database, claimed)
        assert [record.state for record in database.reading.posts(claimed.delivery.id)] == [
            PostState.PLANNED
        ] * 2

    def test_not_beyond_the_last_post(self, database: Database) -> None:
        """After the last post comes none."""
        claimed = started(database)
        intend(database, claimed)
        advance(database, claimed)
        with pytest.raises(StoreError):
            advance(database, claimed, 2)
        assert database.reading.delivery(claimed.delivery.id).sent == 1


class TestFence:
    @pytest.mark.parametrize("lost_by", ["takeover", "refusal", "doubt"])
    def test_no_write_without_the_lease(self, database: Database, lost_by: str) -> None:
        """Whoever lost the lease writes nothing more, whatever the step."""
        claimed = started(database)
        intend(database, claimed)
        if lost_by == "takeover":
            claim(database, worker="w2", now=NOON + LEASE)
        else:
            judge(database, claimed, 1, REFUSED if lost_by == "refusal" else UNKNOWN)
        before = (
            database.reading.deliveries(),
            database.reading.posts(claimed.delivery.id),
            database.reading.events(),
        )
        with pytest.raises(LeaseLostError):
            database.work.plan(claimed, posts(), now=NOON)
        with pytest.raises(LeaseLostError):
            intend(database, claimed)
        with pytest.raises(LeaseLostError):
            judge(database, claimed, 1, SENT)
        with pytest.raises(LeaseLostError):
            advance(database, claimed)
        with pytest.raises(LeaseLostError):
            database.work.record(
                claimed, None, decide(REFUSED, last=False, tries=1, now=NOON, chance=0), now=NOON
            )
        with pytest.raises(LeaseLostError):
            database.work.let_go(claimed, now=NOON)
        assert (
            database.reading.deliveries(),
            database.reading.posts(claimed.delivery.id),
            database.reading.events(),
        ) == before
