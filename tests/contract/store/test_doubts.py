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
from threadcast.queue.errors import LeaseLostError, NotAllowedError, NotFoundError, StoreError
from threadcast.queue.model import ChannelSeen, Claim, Delivery
from threadcast.queue.outcomes import Absent, Blind, Look, Settling
from threadcast.queue.states import DeliveryState, Event, PostState, decide, settle
from threadcast.queue.store.database import Database

SETTLING = Settling(first_look=MINUTE, apart=MINUTE, misses=2)
WITHDRAWN, FAILED = DeliveryState.WITHDRAWN, DeliveryState.FAILED


def doubtful(database: Database, count: int = 2) -> Claim:
    """A chain whose first post may be out, and is to be looked for."""
    claimed = started(database, count)
    intend(database, claimed)
    change = decide(UNKNOWN, last=count == 1, tries=1, now=NOON + SECOND, chance=0, settling=SETTLING)
    database.work.record(claimed, 1, change, now=NOON + SECOND)[0]
    return claim(database, worker="w2", now=NOON + 2 * MINUTE)


def looked(database: Database, claimed: Claim, look: Look, *, last: bool = False) -> Delivery:
    record = database.reading.posts(claimed.delivery.id)[0]
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
    return database.work.record(claimed, 1, change, now=NOON + 2 * MINUTE)[0]


class TestSeek:
    def test_it_stays_under_way(self, database: Database) -> None:
        """A post that is looked for keeps its chain under way, due when a look means something."""
        claimed = started(database)
        intend(database, claimed)
        change = decide(UNKNOWN, last=False, tries=1, now=NOON, chance=0, settling=SETTLING)
        delivery = database.work.record(claimed, 1, change, now=NOON)[0]
        assert (delivery.state, delivery.due, delivery.lease_owner) == (PUBLISHING, NOON + MINUTE, None)
        record = database.reading.posts(delivery.id)[0]
        assert (record.state, record.doubted, record.misses) == (PostState.UNKNOWN, NOON, 0)
        assert database.reading.events()[-1].what == Event.SEEK

    def test_found(self, database: Database) -> None:
        """A post that was found counts as sent, and the chain goes on behind it."""
        claimed = doubtful(database)
        delivery = looked(database, claimed, SENT)
        assert (delivery.state, delivery.sent) == (PUBLISHING, 1)
        assert database.reading.posts(delivery.id)[0].remote_id == SENT.remote_id
        database.work.intend(claimed, 2, key="k", reply_to="1", now=NOON, until=NOON + LEASE)

    def test_the_last_is_found(self, database: Database) -> None:
        """Where the last post was found, the chain is published."""
        assert looked(database, doubtful(database, 1), SENT, last=True).state is PUBLISHED

    def test_not_there(self, database: Database) -> None:
        """Looks that miss are counted; after enough of them the same post is sent again with its key."""
        claimed = doubtful(database)
        assert looked(database, claimed, Absent()).state is PUBLISHING
        assert database.reading.posts(claimed.delivery.id)[0].misses == 1
        claimed = claim(database, worker="w3", now=NOON + 10 * MINUTE)
        delivery = looked(database, claimed, Absent())
        assert (delivery.state, delivery.lease_owner) == (PUBLISHING, "w3")
        record = database.reading.posts(delivery.id)[0]
        assert (record.state, record.misses, record.doubted) == (PostState.PLANNED, 0, NOON)
        again = database.work.intend(
            claimed, 1, key="other", reply_to=None, now=NOON + MINUTE, until=NOON + LEASE
        )
        assert (again.key, again.tries) == ("key-1", 2)
        assert [event.what for event in database.reading.events()][-3:] == [
            Event.SEEK,
            Event.CLAIM,
            Event.RESEND,
        ]

    def test_the_first_doubt_is_kept(self, database: Database) -> None:
        """When a post came into doubt first is kept over later tries: its key is as old as that."""
        claimed = doubtful(database)
        looked(database, claimed, Absent())
        claimed = claim(database, now=NOON + 10 * MINUTE)
        looked(database, claimed, Absent())
        intend(database, claimed, now=NOON + 11 * MINUTE)
        judge(database, claimed, 1, UNKNOWN)
        assert database.reading.posts(claimed.delivery.id)[0].doubted == NOON

    def test_a_person_has_to_look(self, database: Database) -> None:
        """Where nobody can look, the delivery is unsure, and a person's word settles it."""
        delivery = looked(database, doubtful(database), Blind("protected"))
        assert (delivery.state, delivery.reason) == (DeliveryState.UNSURE, "protected")
        assert database.changes.settle(delivery.id, None, now=NOON, actor="ada").state is QUEUED


class TestRenew:
    def test_a_longer_lease(self, database: Database) -> None:
        """A holder at long work makes its lease longer, and nobody else gets the delivery."""
        claimed = started(database)
        database.work.renew(claimed, until=NOON + 5 * LEASE)
        assert database.reading.delivery(claimed.delivery.id).lease_until == NOON + 5 * LEASE
        assert not isinstance(
            database.work.claim("news", worker="w2", now=NOON + 4 * LEASE, until=NOON + 6 * LEASE), Claim
        )

    def test_lost(self, database: Database) -> None:
        """A lease that another worker has cannot be made longer."""
        claimed = started(database)
        claim(database, worker="w2", now=NOON + LEASE)
        with pytest.raises(LeaseLostError):
            database.work.renew(claimed, until=NOON + 5 * LEASE)


def stopped(database: Database, count: int = 3, at: int = 2) -> Delivery:
    """A chain whose post `at` was refused."""
    claimed = started(database, count)
    for position in range(1, at):
        send(database, claimed, position, SENT)
    return send(database, claimed, at, REFUSED, last=at == count)


class TestSkip:
    def test_the_chain_goes_on_behind_it(self, database: Database) -> None:
        """The refused post is left out, those behind it move up, and the chain goes on at once."""
        failed = stopped(database)
        texts = [record.post.text for record in database.reading.posts(failed.id)]
        delivery = database.changes.skip(failed.id, now=NOON + MINUTE, actor="ada")
        assert (delivery.state, delivery.posts, delivery.sent) == (QUEUED, 2, 1)
        assert (delivery.reason, delivery.own_time, delivery.due) == ("", True, NOON + MINUTE)
        left = database.reading.posts(failed.id)
        assert [record.position for record in left] == [1, 2]
        assert [record.post.text for record in left] == [texts[0], texts[2]]
        event = database.reading.events()[-1]
        assert (event.what, event.actor) == ("skip", "ada")
        assert event.detail.startswith("post 2 (part 2) is left out")
        assert finish(database, claim(database, now=NOON + MINUTE), 2).state is PUBLISHED

    def test_the_last(self, database: Database) -> None:
        """Without its refused last post the chain is published."""
        failed = stopped(database, 2)
        delivery = database.changes.skip(failed.id, now=NOON + MINUTE, actor="ada")
        assert (delivery.state, delivery.posts, delivery.sent) == (PUBLISHED, 1, 1)
        assert delivery.finished == NOON + MINUTE
        assert [event.what for event in database.reading.events()][-2:] == ["skip", "finish"]

    def test_the_first(self, database: Database) -> None:
        """Without its refused first post the chain begins with the second."""
        failed = stopped(database, 2, at=1)
        assert database.changes.skip(failed.id, now=NOON, actor="ada").state is QUEUED
        assert database.reading.posts(failed.id)[0].post == posts(2)[1]

    def test_refusals(self, database: Database) -> None:
        """Only a refused post can be skipped, and not the only one."""
        failed = stopped(database, 1, at=1)
        with pytest.raises(NotAllowedError):
            database.changes.skip(failed.id, now=NOON, actor="ada")
        assert len(database.reading.posts(failed.id)) == 1
        with pytest.raises(NotFoundError):
            database.changes.skip(99, now=NOON, actor="ada")

    @pytest.mark.parametrize("planned", [True, False])
    def test_no_post_was_refused(self, database: Database, planned: bool) -> None:
        """A chain that stopped before any post was tried has none to skip."""
        add(database)
        claimed = claim(database)
        if planned:
            database.work.plan(claimed, posts(2), now=NOON)
        change = decide(REFUSED, last=False, tries=1, now=NOON, chance=0)
        failed = database.work.record(claimed, None, change, now=NOON)[0]
        with pytest.raises(NotAllowedError):
            database.changes.skip(failed.id, now=NOON, actor="ada")

    def test_not_while_queued(self, database: Database) -> None:
        """What has not stopped cannot be skipped over."""
        (delivery,) = add(database)
        with pytest.raises(NotAllowedError, match="possible now"):
            database.changes.skip(delivery.id, now=NOON, actor="ada")


class TestWithdraw:
    def test_published(self, database: Database) -> None:
        """A published chain is withdrawn, and each post that goes is noted, once."""
        delivery = published(database)
        gone = database.changes.withdraw(delivery.id, now=NOON + MINUTE, actor="ada")
        assert (gone.state, gone.finished) == (WITHDRAWN, NOON + MINUTE)
        for moment in (NOON + 2 * MINUTE, NOON + 3 * MINUTE):
            database.changes.note_gone(delivery.id, 2, now=moment, actor="ada")
        assert [record.taken_down for record in database.reading.posts(delivery.id)] == [
            None,
            NOON + 2 * MINUTE,
        ]
        whats = [(event.what, event.detail) for event in database.reading.events()][-2:]
        assert whats == [("withdraw", ""), ("take-down", "post 2")]

    def test_half_a_chain(self, database: Database) -> None:
        """A chain that stopped half-way can be withdrawn; a post that is not out cannot be taken down."""
        failed = stopped(database)
        assert database.changes.withdraw(failed.id, now=NOON, actor="ada").state is WITHDRAWN
        for position in (2, 9):
            with pytest.raises(StoreError):
                database.changes.note_gone(failed.id, position, now=NOON, actor="ada")

    def test_deleted_by_hand(self, database: Database) -> None:
        """A chain that stopped because somebody deleted a post of it can be told so."""
        failed = stopped(database)
        database.changes.note_gone(failed.id, 1, now=NOON, actor="ada")
        assert database.reading.posts(failed.id)[0].taken_down == NOON
        assert database.reading.delivery(failed.id).state is FAILED

    def test_the_same_thread_again(self, database: Database) -> None:
        """After it was withdrawn a thread may be added again."""
        delivery = published(database)
        database.changes.withdraw(delivery.id, now=NOON, actor="ada")
        assert add(database, now=NOON + MINUTE)

    def test_refusals(self, database: Database) -> None:
        """What has nothing out, or is on its way, cannot be withdrawn; what is not withdrawn stays up."""
        failed = stopped(database, 2, at=1)
        with pytest.raises(NotAllowedError, match="nothing"):
            database.changes.withdraw(failed.id, now=NOON, actor="ada")
        (queued,) = add(database, new("B"))
        with pytest.raises(NotAllowedError):
            database.changes.withdraw(queued.id, now=NOON, actor="ada")
        with pytest.raises(NotFoundError):
            database.changes.withdraw(99, now=NOON, actor="ada")
        with pytest.raises(StoreError):
            database.changes.note_gone(queued.id, 1, now=NOON, actor="ada")


class TestLandmark:
    def test_the_newest(self, database: Database) -> None:
        """The landmark of a channel is the post that went out there last, and is not gone."""
        assert database.reading.landmark("news") is None
        delivery = published(database)
        add(database, new("Other", wish("masto")))
        assert database.reading.landmark("masto") is None
        landmark = database.reading.landmark("news")
        assert landmark == database.reading.posts(delivery.id)[1]
        database.changes.withdraw(delivery.id, now=NOON, actor="ada")
        database.changes.note_gone(delivery.id, 2, now=NOON, actor="ada")
        assert database.reading.landmark("news") == database.reading.posts(delivery.id)[0]

    def test_sent_since(self, database: Database) -> None:
        """Posts are counted by channel and time, those taken down since included."""
        delivery = published(database)
        finished = database.reading.posts(delivery.id)[0].finished
        assert finished is not None
        assert database.reading.sent_since("news", finished) == 2
        assert database.reading.sent_since("news", finished + timedelta(hours=1)) == 0
        assert database.reading.sent_since("masto", finished) == 0

    def test_files_since(self, database: Database) -> None:
        """The files that a network took are counted with the posts that they went out with."""
        claimed = started(database)
        database.work.note_uploads(claimed, 1, ("a", "b"))
        database.work.note_uploads(claimed, 2, ("c",))
        assert database.reading.files_since("news", NOON) == 0
        finish(database, claimed, 2)
        finished = database.reading.posts(claimed.delivery.id)[0].finished
        assert finished is not None
        assert database.reading.files_since("news", finished) == 3
        assert database.reading.files_since("news", finished + timedelta(hours=1)) == 0
        assert database.reading.files_since("masto", finished) == 0


class TestLearned:
    def test_rate_and_address(self, database: Database) -> None:
        """What was learned of a channel's target is kept, and forgotten with another target."""
        seen = ChannelSeen("news", "telegram", "@news")
        database.changes.see_channels([seen], now=NOON)
        database.changes.note_rate("news", 0.5)
        for _ in range(2):
            database.changes.note_moved("news", "-100123", now=NOON, actor="service")
        database.changes.see_channels([seen], now=NOON + MINUTE)
        (row,) = database.reading.channels()
        assert (row.rate, row.moved) == (0.5, "-100123")
        assert [(event.what, event.detail) for event in database.reading.events()] == [
            ("moved", "to -100123")
        ]
        database.changes.see_channels([replace(seen, target="@other")], now=NOON + MINUTE)
        (row,) = database.reading.channels()
        assert (row.rate, row.moved) == (None, None)

    def test_of_a_channel_never_seen(self, database: Database) -> None:
        """Nothing is learned of a channel that the queue does not know."""
        with pytest.raises(NotFoundError):
            database.changes.note_rate("news", 1.0)
        with pytest.raises(NotFoundError):
            database.changes.note_moved("news", "1", now=NOON, actor="service")
