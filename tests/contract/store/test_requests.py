"""What a person changes, in every store."""

import pytest

from tests.contract.store.samples import LEASE, MINUTE, NOON, SECOND, new, wish
from tests.contract.store.steps import (
    HELD,
    PUBLISHED,
    QUEUED,
    REFUSED,
    SENT,
    UNKNOWN,
    add,
    advance,
    ask,
    claim,
    finish,
    intend,
    judge,
    look,
    opening,
    published,
    see,
    send,
    started,
)
from threadcast.queue.errors import Fault, LeaseLostError, NotAllowedError, NotFoundError
from threadcast.queue.model import Claim
from threadcast.queue.model import at_once as always
from threadcast.queue.outcomes import Code, Refused, Sent, Throttled, Unknown
from threadcast.queue.sentences import Fact, Sentence
from threadcast.queue.states import BY_PERSON, DeliveryState, Event, PostState
from threadcast.queue.store.database import Database


def told(database: Database) -> dict[str, Fact]:
    """What stands in the places of the sentence that the audit log tells last."""
    detail = database.reading.events()[-1].detail
    assert isinstance(detail, Sentence)
    return detail.about


class TestApply:
    def test_hold_and_release(self, database: Database) -> None:
        """A person holds a queued delivery, and releases it, for a time of their own if they like."""
        (delivery,) = add(database)
        assert ask(database, delivery, Event.HOLD).state is HELD
        released = ask(database, delivery, Event.RELEASE, actor="bob", due=NOON + MINUTE)
        assert released == database.reading.delivery(delivery.id)
        assert (released.state, released.due, released.own_time) == (QUEUED, NOON + MINUTE, True)
        assert told(database) == {"when": "2026-05-01 12:01 UTC"}
        assert [(event.what, event.actor) for event in database.reading.events()[1:]] == [
            ("hold", "ada"),
            ("release", "bob"),
        ]

    def test_sent_back(self, database: Database) -> None:
        """What is held and sent back stays held, with the reason; nothing else can be."""
        (delivery,) = add(database)
        with pytest.raises(NotAllowedError, match="release is not possible while queued"):
            database.changes.send_back(delivery.id, "shorter", now=NOON, actor="share:ada")
        ask(database, delivery, Event.HOLD)
        back = database.changes.send_back(delivery.id, "shorter", now=NOON, actor="share:ada")
        assert (back.state, back.reason, back.code) == (HELD, "shorter", Code.SENT_BACK)
        assert database.reading.events()[-1].what == "send-back"
        assert ask(database, delivery, Event.RELEASE).code is Code.NONE

    def test_release_clears_the_reason(self, database: Database) -> None:
        """A released delivery has nothing to explain any more."""
        (delivery,) = add(database, new("A", wish(state=HELD, reason="part 3 is missing")))
        assert ask(database, delivery, Event.RELEASE).reason == ""

    @pytest.mark.parametrize("state", [HELD, QUEUED])
    def test_schedule(self, database: Database, state: DeliveryState) -> None:
        """A person gives a waiting delivery a time of its own: it starts then, whatever the schedule."""
        (delivery,) = add(database, new("A", wish(state=state)))
        later = NOON + MINUTE
        scheduled = ask(database, delivery, Event.SCHEDULE, now=later, due=later)
        assert (scheduled.state, scheduled.due, scheduled.own_time) == (QUEUED, later, True)
        assert scheduled.queued == (NOON if state is QUEUED else later)
        assert database.reading.events()[-1].what == "schedule"
        assert look(database, now=later, timing=opening(turn=False)) is not None

    @pytest.mark.parametrize("state", [HELD, QUEUED])
    def test_schedule_without_a_time(self, database: Database, state: DeliveryState) -> None:
        """Without a time it waits for a slot, and not for one that passed before it was asked."""
        (delivery,) = add(database, new("A", wish(state=state)))
        ask(database, delivery, Event.SCHEDULE, due=NOON + 60 * MINUTE)
        later = NOON + MINUTE
        in_turn = ask(database, delivery, Event.SCHEDULE, now=later)
        assert (in_turn.state, in_turn.due, in_turn.own_time) == (QUEUED, later, False)
        assert in_turn.queued == later

    def test_cancel_under_way(self, database: Database) -> None:
        """A begun delivery is given up where nobody works on it; a late worker then writes nothing more."""
        claimed = started(database)
        intend(database, claimed)
        with pytest.raises(NotAllowedError, match="right now"):
            ask(database, claimed.delivery, Event.CANCEL, now=NOON + LEASE - SECOND)
        assert database.reading.events()[-1].what == "plan"
        cancelled = ask(database, claimed.delivery, Event.CANCEL, now=NOON + LEASE)
        assert (cancelled.state, cancelled.finished) == (DeliveryState.CANCELLED, NOON + LEASE)
        assert (cancelled.lease_owner, cancelled.lease_until) == (None, None)
        with pytest.raises(LeaseLostError):
            judge(database, claimed, 1, SENT)

    def test_cancel(self, database: Database) -> None:
        """A cancelled delivery is finished and is not claimed."""
        (delivery,) = add(database)
        cancelled = ask(database, delivery, Event.CANCEL, now=NOON + MINUTE)
        assert (cancelled.state, cancelled.finished) == (DeliveryState.CANCELLED, NOON + MINUTE)
        assert not isinstance(database.work.claim("news", worker="w1", now=NOON, until=NOON + LEASE), Claim)

    def test_take_back(self, database: Database) -> None:
        """What was cancelled is held again, and goes on from where it was; not beside the same text."""
        claimed = started(database)
        send(database, claimed, 1, SENT)
        failed = send(database, claimed, 2, REFUSED)
        database.changes.apply(failed.id, Event.CANCEL, now=NOON, actor="ada")
        back = database.changes.apply(failed.id, Event.HOLD, now=NOON, actor="ada")
        assert (back.state, back.reason, back.finished, back.sent) == (DeliveryState.HELD, "", None, 1)
        database.changes.apply(failed.id, Event.CANCEL, now=NOON, actor="ada")
        (twin,) = add(database)
        with pytest.raises(NotAllowedError, match="has the same text"):
            database.changes.apply(failed.id, Event.HOLD, now=NOON, actor="ada")
        database.changes.apply(twin.id, Event.CANCEL, now=NOON, actor="ada")
        database.changes.apply(failed.id, Event.HOLD, now=NOON, actor="ada")
        database.changes.apply(failed.id, Event.RELEASE, now=NOON, actor="ada")
        again = claim(database)
        assert [record.state for record in again.posts] == [PostState.SENT, PostState.PLANNED]

    def test_retry(self, database: Database) -> None:
        """A failed chain goes on from the post that was refused, with the posts that are out left alone."""
        claimed = started(database)
        send(database, claimed, 1, SENT)
        failed = send(database, claimed, 2, REFUSED)
        retried = ask(database, failed, Event.RETRY)
        assert (retried.state, retried.reason, retried.finished) == (QUEUED, "", None)
        assert retried.own_time, "a chain that is half out waits for no slot"
        again = claim(database)
        assert [record.state for record in again.posts] == [PostState.SENT, PostState.PLANNED]
        assert send(database, again, 2, SENT, last=True).state is DeliveryState.PUBLISHED

    def test_not_allowed(self, database: Database) -> None:
        """What the state does not allow, or no person may ask for, changes nothing."""
        (delivery,) = add(database)
        for event in (Event.RELEASE, Event.RETRY, Event.CLAIM, Event.SETTLE, Event.WITHDRAW):
            with pytest.raises(NotAllowedError):
                ask(database, delivery, event)
        claim(database)
        with pytest.raises(NotAllowedError):
            ask(database, delivery, Event.FINISH)
        assert [event.what for event in database.reading.events()] == ["add", "claim"]

    def test_not_found(self, database: Database) -> None:
        """A request for a delivery that is not there says so."""
        with pytest.raises(NotFoundError):
            database.changes.apply(7, Event.HOLD, now=NOON, actor="ada")
        with pytest.raises(NotFoundError):
            database.changes.settle(7, None, now=NOON, actor="ada")
        with pytest.raises(NotFoundError):
            database.reading.delivery(7)
        with pytest.raises(NotFoundError):
            database.reading.thread(7)


class TestStop:
    def test_after_the_post_in_hand(self, database: Database) -> None:
        """While a worker is at it a stop is noted; it is done when the post in hand is written as out."""
        claimed = started(database, 3)
        intend(database, claimed)
        asked = ask(database, claimed.delivery, Event.STOP)
        assert (asked.state, asked.code) == (DeliveryState.PUBLISHING, Code.PERSON)
        assert database.reading.halted(claimed.delivery)
        advance(database, claimed)
        stopped = database.reading.delivery(claimed.delivery.id)
        assert (stopped.state, stopped.code, stopped.sent) == (DeliveryState.FAILED, Code.PERSON, 1)
        assert [one.state for one in database.reading.posts(stopped.id)][1:] == [PostState.PLANNED] * 2
        with pytest.raises(LeaseLostError):
            intend(database, claimed, 2)
        assert [event.what for event in database.reading.events()][-2:] == ["stop", "stop"]

    @pytest.mark.parametrize("outcome", [UNKNOWN, REFUSED])
    def test_a_post_that_ends_otherwise(self, database: Database, outcome: Refused | Unknown) -> None:
        """Where the post in hand is refused or in doubt, that is what is said."""
        claimed = started(database)
        intend(database, claimed)
        ask(database, claimed.delivery, Event.STOP)
        ended = judge(database, claimed, 1, outcome)
        assert ended.code is not Code.PERSON
        assert ended.reason == outcome.reason

    def test_between_two_posts(self, database: Database) -> None:
        """Where no worker is at it, it is stopped at once; a worker that lets go of it stops it too."""
        waiting = started(database)
        database.work.let_go(waiting, now=NOON)
        stopped = ask(database, waiting.delivery, Event.STOP)
        assert (stopped.state, stopped.finished, stopped.reason) == (DeliveryState.FAILED, NOON, BY_PERSON)
        ask(database, stopped, Event.RETRY, due=NOON)
        again = claim(database)
        assert (again.delivery.code, again.delivery.reason) == (Code.NONE, "")
        ask(database, stopped, Event.STOP)
        assert database.work.let_go(again, now=NOON).state is DeliveryState.FAILED

    def test_before_it_begins(self, database: Database) -> None:
        """What has not begun is held."""
        (delivery,) = add(database)
        held = ask(database, delivery, Event.STOP)
        assert held.state is HELD
        released = ask(database, delivery, Event.RELEASE)
        assert (released.code, released.reason) == (Code.NONE, "")

    def test_what_waits_to_be_mended(self, database: Database) -> None:
        """What waits for its channel to be mended is tried again at once; what has to wait is not."""
        waiting = send(database, started(database), 1, Refused("the token is not valid", Code.TOKEN))
        assert waiting.due > NOON
        retried = ask(database, waiting, Event.RETRY, due=NOON)
        assert (retried.state, retried.due) == (DeliveryState.PUBLISHING, NOON)
        assert (retried.code, retried.reason) == (Code.NONE, "")
        throttled = send(database, claim(database), 1, Throttled(NOON + 60 * MINUTE, "too many requests"))
        with pytest.raises(NotAllowedError) as refused:
            ask(database, throttled, Event.RETRY, due=NOON)
        assert refused.value.code is Fault.GOES_ON


class TestSettle:
    def test_corrected(self, database: Database) -> None:
        """What was said of a post in doubt is said anew: another id, also when all is published."""
        unsure = send(database, started(database), 1, UNKNOWN)
        database.changes.settle(unsure.id, Sent("5", None), now=NOON, actor="ada")
        assert finish(database, claim(database), 2).state is PUBLISHED
        again = database.changes.settle(unsure.id, Sent("7", "https://t.me/c/1/7"), now=NOON, actor="ada")
        assert (again.state, again.sent) == (PUBLISHED, 2)
        first = database.reading.posts(unsure.id)[0]
        assert (first.remote_id, first.url) == ("7", "https://t.me/c/1/7")
        assert database.reading.events()[-1].detail == "out as 7; post 1, before: 5"
        assert told(database) == {"said": "out as 7", "post": "post 1", "before": "5"}
        with pytest.raises(NotAllowedError, match="posts behind post 1 of thread 1"):
            database.changes.settle(unsure.id, None, now=NOON, actor="ada")

    def test_corrected_to_not_out(self, database: Database) -> None:
        """A last post that is not out after all goes out: a published delivery goes back to the queue."""
        claimed = started(database)
        send(database, claimed, 1, SENT)
        unsure = send(database, claimed, 2, UNKNOWN)
        whole = database.changes.settle(unsure.id, Sent("5", None), now=NOON, actor="ada")
        assert whole.state is PUBLISHED
        again = database.changes.settle(unsure.id, None, now=NOON, actor="ada")
        assert (again.state, again.sent, again.own_time) == (QUEUED, 1, True)
        assert finish(database, claim(database), 2).state is PUBLISHED

    def test_nothing_to_correct(self, database: Database) -> None:
        """Where no post ever was in doubt there is nothing to settle."""
        whole = published(database)
        with pytest.raises(NotAllowedError, match="in doubt"):
            database.changes.settle(whole.id, None, now=NOON, actor="ada")

    def test_not_out(self, database: Database) -> None:
        """A doubtful post that a person did not find is planned again, and its delivery queued."""
        unsure = send(database, started(database), 1, UNKNOWN)
        settled = database.changes.settle(unsure.id, None, now=NOON + MINUTE, actor="ada")
        assert settled == database.reading.delivery(unsure.id)
        assert (settled.state, settled.reason, settled.sent) == (QUEUED, "", 0)
        assert (settled.own_time, settled.queued) == (True, NOON + MINUTE)
        post = database.reading.posts(unsure.id)[0]
        assert (post.state, post.key, post.tries, post.reason) == (PostState.PLANNED, "key-1", 1, "")
        assert (database.reading.events()[-1].what, database.reading.events()[-1].actor) == ("settle", "ada")
        send(database, claim(database), 1, SENT)

    def test_out(self, database: Database) -> None:
        """A doubtful post that a person found is sent, and its chain goes on after it."""
        unsure = send(database, started(database), 1, UNKNOWN)
        settled = database.changes.settle(unsure.id, SENT, now=NOON + MINUTE, actor="ada")
        assert (settled.state, settled.sent, settled.finished) == (QUEUED, 1, None)
        post = database.reading.posts(unsure.id)[0]
        assert (post.state, post.remote_id, post.url) == (PostState.SENT, SENT.remote_id, SENT.url)
        assert post.finished == NOON + MINUTE
        send(database, claim(database), 2, SENT, last=True)

    def test_the_last_is_out(self, database: Database) -> None:
        """A person who found the last post has the delivery published."""
        claimed = started(database)
        send(database, claimed, 1, SENT)
        unsure = send(database, claimed, 2, UNKNOWN)
        settled = database.changes.settle(unsure.id, SENT, now=NOON + MINUTE, actor="ada")
        assert (settled.state, settled.sent) == (DeliveryState.PUBLISHED, 2)
        assert settled.finished == NOON + MINUTE
        assert [event.what for event in database.reading.events()[-2:]] == ["settle", "finish"]

    def test_only_where_unsure(self, database: Database) -> None:
        """There is nothing to settle where nothing is in doubt."""
        claimed = started(database)
        for sent in (None, SENT):
            with pytest.raises(NotAllowedError):
                database.changes.settle(claimed.delivery.id, sent, now=NOON, actor="ada")


class TestPause:
    def test_nothing_is_taken(self, database: Database) -> None:
        """On a paused channel nothing begins and nothing goes on; other channels do."""
        see(database, "news", "masto")
        claimed = started(database)
        database.work.let_go(claimed, now=NOON)
        add(database, new("own", wish(own_time=True), wish("masto")))
        assert database.changes.pause("news", True, now=NOON, actor="ada").paused
        for timing in (always, opening(turn=False), opening(slot=NOON + MINUTE)):
            assert look(database, now=NOON + LEASE, timing=timing) is None
        assert claim(database, "masto").delivery.channel == "masto"
        assert not database.changes.pause("news", False, now=NOON, actor="ada").paused
        assert claim(database, now=NOON + LEASE).delivery.id == claimed.delivery.id

    def test_a_worker_may_finish_its_step(self, database: Database) -> None:
        """Who holds a lease when its channel is paused can still write what it did."""
        see(database)
        claimed = started(database)
        intend(database, claimed)
        database.changes.pause("news", True, now=NOON, actor="ada")
        assert judge(database, claimed, 1, SENT).sent == 1

    def test_events(self, database: Database) -> None:
        """What changed is logged, with who did it; what did not change is not."""
        see(database, "news", "masto")
        for paused in (False, True, True, False):
            row = database.changes.pause("news", paused, now=NOON, actor="ada")
            assert row == database.reading.channels()[1]
        events = [(event.what, event.actor, event.channel, event.at) for event in database.reading.events()]
        assert events == [("pause", "ada", "news", NOON), ("resume", "ada", "news", NOON)]
        assert {(event.thread_id, event.delivery_id) for event in database.reading.events()} == {(None, None)}

    def test_of_a_channel_never_seen(self, database: Database) -> None:
        """A channel that the queue does not know cannot be paused."""
        with pytest.raises(NotFoundError):
            database.changes.pause("news", True, now=NOON, actor="ada")


class TestMove:
    def order(self, database: Database) -> str:
        return "".join(one.title[0] for one in database.reading.deliveries(channel="news"))

    @pytest.mark.parametrize(
        ("moved", "after", "order"),
        [
            ("D", None, "DABC"),
            ("A", None, "ABCD"),
            ("D", "A", "ADBC"),
            ("A", "C", "BCAD"),
            ("A", "D", "BCDA"),
            ("C", "B", "ABCD"),
            ("B", "C", "ACBD"),
        ],
    )
    def test_to_its_new_place(self, database: Database, moved: str, after: str | None, order: str) -> None:
        """A delivery goes before all others or behind one of them, and these keep their order."""
        rows = dict(zip("ABCD", add(database, *map(new, "ABC"), new("D", wish(state=HELD))), strict=True))
        before = rows[after].id if after else None
        changed = database.changes.move(rows[moved].id, before, now=NOON, actor="ada")
        assert changed == database.reading.delivery(rows[moved].id)
        assert self.order(database) == order
        last = database.reading.events()[-1]
        where = f"behind thread {rows[after].thread_id}" if after else "before all others"
        assert (last.what, last.actor, last.delivery_id, last.detail) == ("move", "ada", changed.id, where)
        assert told(database) == ({"id": rows[after].thread_id} if after else {})

    def test_again_and_again(self, database: Database) -> None:
        """However often deliveries are put behind the same one, there is room for the next."""
        rows = add(database, *map(new, "ABCD"))
        for number in range(50):
            database.changes.move(rows[2 + number % 2].id, rows[0].id, now=NOON, actor="ada")
        assert self.order(database) == "ADCB"
        add(database, new("E"))
        assert self.order(database) == "ADCBE"

    def test_alone(self, database: Database) -> None:
        """The only delivery of a channel is first already."""
        (delivery,) = add(database)
        assert database.changes.move(delivery.id, None, now=NOON, actor="ada") == delivery

    def test_goes_first(self, database: Database) -> None:
        """What was put first is claimed first."""
        _, second = add(database, new("A"), new("B"))
        database.changes.move(second.id, None, now=NOON, actor="ada")
        assert claim(database).delivery.id == second.id

    def test_refusals(self, database: Database) -> None:
        """What has begun or ended has no place to move to or from; nor is one channel behind another."""
        begun, waiting, gone, there = add(database, *map(new, "ABC"), new("D", wish("masto")))
        claim(database)
        ask(database, gone, Event.CANCEL)
        events = database.reading.events()
        for moved, after in (
            (begun.id, None),
            (gone.id, None),
            (begun.id, waiting.id),
            (waiting.id, begun.id),
            (waiting.id, gone.id),
            (waiting.id, there.id),
            (waiting.id, waiting.id),
        ):
            with pytest.raises(NotAllowedError):
                database.changes.move(moved, after, now=NOON, actor="ada")
        for moved, missing in ((99, None), (waiting.id, 99)):
            with pytest.raises(NotFoundError):
                database.changes.move(moved, missing, now=NOON, actor="ada")
        assert database.reading.events() == events
