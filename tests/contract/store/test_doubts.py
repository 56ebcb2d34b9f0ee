"""Posts of unknown fate, posts left out and taken down, and what is learned of a channel, in every store."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.contract.store.samples import LEASE, MINUTE, NOON, SECOND, new, posts, wish
from tests.contract.store.steps import (
    PUBLISHED,
    PUBLISHING,
    QUEUED,
    REFUSED,
    SENT,
    UNKNOWN,
    add,
    claim,
    finish,
    intend,
    judge,
    published,
    send,
    started,
)
from threadcast.queue.port import (
    ChannelSeen,
    Claim,
    Delivery,
    LeaseLostError,
    NotFoundError,
    Store,
    StoreError,
)
from threadcast.queue.states import (
    Absent,
    Blind,
    DeliveryState,
    Event,
    Look,
    NotAllowedError,
    PostState,
    Settling,
    decide,
    settle,
)

SETTLING = Settling(first_look=MINUTE, apart=MINUTE, misses=2)
WITHDRAWN, FAILED = DeliveryState.WITHDRAWN, DeliveryState.FAILED


def doubtful(store: Store, count: int = 2) -> Claim:
    """A chain whose first post may be out, and is to be looked for."""
    claimed = started(store, count)
    intend(store, claimed)
    change = decide(UNKNOWN, last=count == 1, tries=1, now=NOON + SECOND, chance=0, settling=SETTLING)
    store.record(claimed, 1, change, now=NOON + SECOND)
    return claim(store, worker="w2", now=NOON + 2 * MINUTE)


def looked(store: Store, claimed: Claim, look: Look, *, last: bool = False) -> Delivery:
    record = store.posts(claimed.delivery.id)[0]
    assert record.doubted is not None
    change = settle(
        look,
        settling=SETTLING,
        since=record.doubted,
        misses=record.misses,
        last=last,
        now=NOON + 2 * MINUTE,
        chance=0,
    )
    return store.record(claimed, 1, change, now=NOON + 2 * MINUTE)


class TestSeek:
    def test_it_stays_under_way(self, store: Store) -> None:
        """A post that is looked for keeps its chain under way, due when a look means something."""
        claimed = started(store)
        intend(store, claimed)
        change = decide(UNKNOWN, last=False, tries=1, now=NOON, chance=0, settling=SETTLING)
        delivery = store.record(claimed, 1, change, now=NOON)
        assert (delivery.state, delivery.due, delivery.lease_owner) == (PUBLISHING, NOON + MINUTE, None)
        record = store.posts(delivery.id)[0]
        assert (record.state, record.doubted, record.misses) == (PostState.UNKNOWN, NOON, 0)
        assert store.events()[-1].what == Event.SEEK

    def test_found(self, store: Store) -> None:
        """A post that was found counts as sent, and the chain goes on behind it."""
        claimed = doubtful(store)
        delivery = looked(store, claimed, SENT)
        assert (delivery.state, delivery.sent) == (PUBLISHING, 1)
        assert store.posts(delivery.id)[0].remote_id == SENT.remote_id
        store.intend(claimed, 2, key="k", reply_to="1", now=NOON, until=NOON + LEASE)

    def test_the_last_is_found(self, store: Store) -> None:
        """Where the last post was found, the chain is published."""
        assert looked(store, doubtful(store, 1), SENT, last=True).state is PUBLISHED

    def test_not_there(self, store: Store) -> None:
        """Looks that miss are counted; after enough of them the same post is sent again with its key."""
        claimed = doubtful(store)
        assert looked(store, claimed, Absent()).state is PUBLISHING
        assert store.posts(claimed.delivery.id)[0].misses == 1
        claimed = claim(store, worker="w3", now=NOON + 10 * MINUTE)
        delivery = looked(store, claimed, Absent())
        assert (delivery.state, delivery.lease_owner) == (PUBLISHING, "w3")
        record = store.posts(delivery.id)[0]
        assert (record.state, record.misses, record.doubted) == (PostState.PLANNED, 0, NOON)
        again = store.intend(claimed, 1, key="other", reply_to=None, now=NOON + MINUTE, until=NOON + LEASE)
        assert (again.key, again.tries) == ("key-1", 2)
        assert [event.what for event in store.events()][-3:] == [Event.SEEK, Event.CLAIM, Event.RESEND]

    def test_the_first_doubt_is_kept(self, store: Store) -> None:
        """When a post came into doubt first is kept over later tries: its key is as old as that."""
        claimed = doubtful(store)
        looked(store, claimed, Absent())
        claimed = claim(store, now=NOON + 10 * MINUTE)
        looked(store, claimed, Absent())
        intend(store, claimed, now=NOON + 11 * MINUTE)
        judge(store, claimed, 1, UNKNOWN)
        assert store.posts(claimed.delivery.id)[0].doubted == NOON

    def test_a_person_has_to_look(self, store: Store) -> None:
        """Where nobody can look, the delivery is unsure, and a person's word settles it."""
        delivery = looked(store, doubtful(store), Blind("protected"))
        assert (delivery.state, delivery.reason) == (DeliveryState.UNSURE, "protected")
        assert store.settle(delivery.id, None, now=NOON, actor="ada").state is QUEUED


class TestRenew:
    def test_a_longer_lease(self, store: Store) -> None:
        """A holder at long work makes its lease longer, and nobody else gets the delivery."""
        claimed = started(store)
        store.renew(claimed, until=NOON + 5 * LEASE)
        assert store.delivery(claimed.delivery.id).lease_until == NOON + 5 * LEASE
        assert store.claim("news", worker="w2", now=NOON + 4 * LEASE, until=NOON + 6 * LEASE) is None

    def test_lost(self, store: Store) -> None:
        """A lease that another worker has cannot be made longer."""
        claimed = started(store)
        claim(store, worker="w2", now=NOON + LEASE)
        with pytest.raises(LeaseLostError):
            store.renew(claimed, until=NOON + 5 * LEASE)


def stopped(store: Store, count: int = 3, at: int = 2) -> Delivery:
    """A chain whose post `at` was refused."""
    claimed = started(store, count)
    for position in range(1, at):
        send(store, claimed, position, SENT)
    return send(store, claimed, at, REFUSED, last=at == count)


class TestSkip:
    def test_the_chain_goes_on_behind_it(self, store: Store) -> None:
        """The refused post is left out, those behind it move up, and the chain goes on at once."""
        failed = stopped(store)
        texts = [record.post.text for record in store.posts(failed.id)]
        delivery = store.skip(failed.id, now=NOON + MINUTE, actor="ada")
        assert (delivery.state, delivery.posts, delivery.sent) == (QUEUED, 2, 1)
        assert (delivery.reason, delivery.own_time, delivery.due) == ("", True, NOON + MINUTE)
        left = store.posts(failed.id)
        assert [record.position for record in left] == [1, 2]
        assert [record.post.text for record in left] == [texts[0], texts[2]]
        event = store.events()[-1]
        assert (event.what, event.actor) == ("skip", "ada")
        assert event.detail.startswith("post 2 (part 2) is left out")
        assert finish(store, claim(store, now=NOON + MINUTE), 2).state is PUBLISHED

    def test_the_last(self, store: Store) -> None:
        """Without its refused last post the chain is published."""
        failed = stopped(store, 2)
        delivery = store.skip(failed.id, now=NOON + MINUTE, actor="ada")
        assert (delivery.state, delivery.posts, delivery.sent) == (PUBLISHED, 1, 1)
        assert delivery.finished == NOON + MINUTE
        assert [event.what for event in store.events()][-2:] == ["skip", "finish"]

    def test_the_first(self, store: Store) -> None:
        """Without its refused first post the chain begins with the second."""
        failed = stopped(store, 2, at=1)
        assert store.skip(failed.id, now=NOON, actor="ada").state is QUEUED
        assert store.posts(failed.id)[0].post == posts(2)[1]

    def test_refusals(self, store: Store) -> None:
        """Only a refused post can be skipped, and not the only one."""
        failed = stopped(store, 1, at=1)
        with pytest.raises(NotAllowedError):
            store.skip(failed.id, now=NOON, actor="ada")
        assert len(store.posts(failed.id)) == 1
        with pytest.raises(NotFoundError):
            store.skip(99, now=NOON, actor="ada")

    @pytest.mark.parametrize("planned", [True, False])
    def test_no_post_was_refused(self, store: Store, planned: bool) -> None:
        """A chain that stopped before any post was tried has none to skip."""
        add(store)
        claimed = claim(store)
        if planned:
            store.plan(claimed, posts(2), now=NOON)
        change = decide(REFUSED, last=False, tries=1, now=NOON, chance=0)
        failed = store.record(claimed, None, change, now=NOON)
        with pytest.raises(NotAllowedError):
            store.skip(failed.id, now=NOON, actor="ada")

    def test_not_while_queued(self, store: Store) -> None:
        """What has not stopped cannot be skipped over."""
        (delivery,) = add(store)
        with pytest.raises(NotAllowedError, match="possible now"):
            store.skip(delivery.id, now=NOON, actor="ada")


class TestWithdraw:
    def test_published(self, store: Store) -> None:
        """A published chain is withdrawn, and each post that goes is noted, once."""
        delivery = published(store)
        gone = store.withdraw(delivery.id, now=NOON + MINUTE, actor="ada")
        assert (gone.state, gone.finished) == (WITHDRAWN, NOON + MINUTE)
        for moment in (NOON + 2 * MINUTE, NOON + 3 * MINUTE):
            store.note_gone(delivery.id, 2, now=moment, actor="ada")
        assert [record.taken_down for record in store.posts(delivery.id)] == [None, NOON + 2 * MINUTE]
        whats = [(event.what, event.detail) for event in store.events()][-2:]
        assert whats == [("withdraw", ""), ("take-down", "post 2")]

    def test_half_a_chain(self, store: Store) -> None:
        """A chain that stopped half-way can be withdrawn; a post that is not out cannot be taken down."""
        failed = stopped(store)
        assert store.withdraw(failed.id, now=NOON, actor="ada").state is WITHDRAWN
        for position in (2, 9):
            with pytest.raises(StoreError):
                store.note_gone(failed.id, position, now=NOON, actor="ada")

    def test_deleted_by_hand(self, store: Store) -> None:
        """A chain that stopped because somebody deleted a post of it can be told so."""
        failed = stopped(store)
        store.note_gone(failed.id, 1, now=NOON, actor="ada")
        assert store.posts(failed.id)[0].taken_down == NOON
        assert store.delivery(failed.id).state is FAILED

    def test_the_same_thread_again(self, store: Store) -> None:
        """After it was withdrawn a thread may be added again."""
        delivery = published(store)
        store.withdraw(delivery.id, now=NOON, actor="ada")
        assert add(store, now=NOON + MINUTE)

    def test_refusals(self, store: Store) -> None:
        """What has nothing out, or is on its way, cannot be withdrawn; what is not withdrawn stays up."""
        failed = stopped(store, 2, at=1)
        with pytest.raises(NotAllowedError, match="nothing"):
            store.withdraw(failed.id, now=NOON, actor="ada")
        (queued,) = add(store, new("B"))
        with pytest.raises(NotAllowedError):
            store.withdraw(queued.id, now=NOON, actor="ada")
        with pytest.raises(NotFoundError):
            store.withdraw(99, now=NOON, actor="ada")
        with pytest.raises(StoreError):
            store.note_gone(queued.id, 1, now=NOON, actor="ada")


class TestLandmark:
    def test_the_newest(self, store: Store) -> None:
        """The landmark of a channel is the post that went out there last, and is not gone."""
        assert store.landmark("news") is None
        delivery = published(store)
        add(store, new("Other", wish("masto")))
        assert store.landmark("masto") is None
        landmark = store.landmark("news")
        assert landmark == store.posts(delivery.id)[1]
        store.withdraw(delivery.id, now=NOON, actor="ada")
        store.note_gone(delivery.id, 2, now=NOON, actor="ada")
        assert store.landmark("news") == store.posts(delivery.id)[0]

    def test_sent_since(self, store: Store) -> None:
        """Posts are counted by channel and time, those taken down since included."""
        delivery = published(store)
        finished = store.posts(delivery.id)[0].finished
        assert finished is not None
        assert store.sent_since("news", finished) == 2
        assert store.sent_since("news", finished + timedelta(hours=1)) == 0
        assert store.sent_since("masto", finished) == 0


class TestLearned:
    def test_rate_and_address(self, store: Store) -> None:
        """What was learned of a channel's target is kept, and forgotten with another target."""
        seen = ChannelSeen("news", "telegram", "@news")
        store.see_channels([seen], now=NOON)
        store.note_rate("news", 0.5)
        for _ in range(2):
            store.note_moved("news", "-100123", now=NOON, actor="service")
        store.see_channels([seen], now=NOON + MINUTE)
        (row,) = store.channels()
        assert (row.rate, row.moved) == (0.5, "-100123")
        assert [(event.what, event.detail) for event in store.events()] == [("moved", "to -100123")]
        store.see_channels([replace(seen, target="@other")], now=NOON + MINUTE)
        (row,) = store.channels()
        assert (row.rate, row.moved) == (None, None)

    def test_of_a_channel_never_seen(self, store: Store) -> None:
        """Nothing is learned of a channel that the queue does not know."""
        with pytest.raises(NotFoundError):
            store.note_rate("news", 1.0)
        with pytest.raises(NotFoundError):
            store.note_moved("news", "1", now=NOON, actor="service")
