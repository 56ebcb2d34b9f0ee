"""A thread's text changes, grows or goes, in every store."""

from dataclasses import replace

import pytest

from tests.contract.store.samples import LEASE, MINUTE, NOON, new, posts, thread, wish
from tests.contract.store.steps import (
    HELD,
    QUEUED,
    REFUSED,
    SENT,
    UNKNOWN,
    add,
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
from threadcast.queue.errors import LeaseLostError, NotAllowedError, NotFoundError
from threadcast.queue.model import Adoption
from threadcast.queue.outcomes import Outcome, Refused, Sent, Unknown
from threadcast.queue.states import DeliveryState, Event, PostState
from threadcast.queue.store.database import Database


class TestEdit:
    def test_replaces_the_text(self, database: Database) -> None:
        """An edited thread has its new text wherever it is shown, published, or looked for."""
        news, masto = add(database, new("Tides", wish("news"), wish("masto", state=HELD)))
        edited = database.threads.edit(news.thread_id, thread("Waves", 3), now=NOON + MINUTE, actor="bob")
        assert edited == (database.reading.delivery(news.id), database.reading.delivery(masto.id))
        assert {(one.title, one.parts) for one in edited} == {(thread("Waves").title, 3)}
        assert [one.state for one in edited] == [QUEUED, HELD]
        stored = database.reading.thread(news.thread_id)
        assert (stored.thread, stored.source, stored.created) == (thread("Waves", 3), "drawer.txt", NOON)
        events = [
            (one.what, one.actor, one.delivery_id, one.detail) for one in database.reading.events()[-2:]
        ]
        assert events == [("edit", "bob", one.id, "3 parts now") for one in edited]
        assert claim(database).thread == thread("Waves", 3)
        (added,) = database.threads.add([new("Waves")], now=NOON, actor="ada")
        assert added.deliveries == ()
        assert add(database, new("Tides"))

    def test_to_one_part(self, database: Database) -> None:
        """The log says in words how long a text is now."""
        (delivery,) = add(database)
        database.threads.edit(delivery.thread_id, thread(parts=1), now=NOON, actor="ada")
        assert database.reading.events()[-1].detail == "1 part now"

    def test_not_once_it_has_begun(self, database: Database) -> None:
        """The text of a thread that has begun anywhere stays as it is."""
        news, _ = add(database, new("A", wish("news"), wish("masto")))
        claimed = claim(database)
        with pytest.raises(NotAllowedError):
            database.threads.edit(news.thread_id, thread("B"), now=NOON, actor="ada")
        database.work.plan(claimed, posts(), now=NOON)
        finish(database, claimed, 2)
        with pytest.raises(NotAllowedError):
            database.threads.edit(news.thread_id, thread("B"), now=NOON, actor="ada")
        assert database.reading.thread(news.thread_id).thread == thread("A")

    def test_not_to_what_is_live_already(self, database: Database) -> None:
        """A text is not changed into one that its channel has in its queue already."""
        first, _ = add(database, new("A"), new("B"))
        (there,) = add(database, new("C", wish("masto")))
        with pytest.raises(NotAllowedError):
            database.threads.edit(first.thread_id, thread("B"), now=NOON, actor="ada")
        assert database.reading.thread(first.thread_id).thread == thread("A")
        database.threads.edit(first.thread_id, thread("C"), now=NOON, actor="ada")
        assert database.reading.delivery(first.id).title == database.reading.delivery(there.id).title

    def test_keeps_what_is_out_of_an_adopted_chain(self, database: Database) -> None:
        """The text of an adopted chain keeps a part to send."""
        (delivery,) = add(database, new("A", wish(adoption=Adoption(2, SENT)), parts=3))
        with pytest.raises(NotAllowedError):
            database.threads.edit(delivery.thread_id, thread("B", 2), now=NOON, actor="ada")
        assert database.threads.edit(delivery.thread_id, thread("B", 3), now=NOON, actor="ada")[0].adoption


class TestExtend:
    def test_a_published_chain_goes_on(self, database: Database) -> None:
        """A published delivery whose thread has got more parts is queued again, for at once."""
        see(database)
        delivery = published(database)
        later = NOON + MINUTE
        (extended,) = database.threads.extend(delivery.thread_id, thread(parts=3), now=later, actor="bob")
        assert extended == database.reading.delivery(delivery.id)
        assert (extended.state, extended.finished, extended.parts) == (QUEUED, None, 3)
        assert (extended.own_time, extended.due, extended.queued) == (True, later, later)
        assert (extended.posts, extended.sent) == (2, 2)
        last = database.reading.events()[-1]
        assert (last.what, last.actor, last.delivery_id, last.detail) == (
            "continue",
            "bob",
            delivery.id,
            "3 parts now",
        )
        claimed = look(database, now=later, timing=opening(turn=False))
        assert claimed is not None
        assert (claimed.delivery.id, claimed.thread) == (delivery.id, thread(parts=3))
        assert [record.state for record in claimed.posts] == [PostState.SENT] * 2

    def test_what_waits_is_just_longer(self, database: Database) -> None:
        """A delivery that waits keeps its state, its time and its place."""
        queued, held = add(database, new("A", wish("news"), wish("masto", state=HELD, reason="a gap")))
        extended = database.threads.extend(queued.thread_id, thread("A", 3), now=NOON + MINUTE, actor="ada")
        assert extended == (replace(queued, parts=3), replace(held, parts=3))
        assert [event.what for event in database.reading.events()[-2:]] == ["continue", "continue"]

    def test_twice(self, database: Database) -> None:
        """A continued chain that has not gone on yet can get still more parts."""
        delivery = published(database)
        database.threads.extend(delivery.thread_id, thread(parts=3), now=NOON, actor="ada")
        (extended,) = database.threads.extend(delivery.thread_id, thread(parts=5), now=NOON, actor="ada")
        assert (extended.state, extended.parts) == (QUEUED, 5)

    def test_what_was_given_up_stays_so(self, database: Database) -> None:
        """A cancelled delivery does not come back when its thread goes on elsewhere."""
        news, masto = add(database, new("A", wish("news"), wish("masto")))
        ask(database, news, Event.CANCEL)
        states = [
            one.state
            for one in database.threads.extend(news.thread_id, thread("A", 3), now=NOON, actor="ada")
        ]
        assert states == [DeliveryState.CANCELLED, QUEUED]
        assert [one.delivery_id for one in database.reading.events() if one.what == "continue"] == [masto.id]

    @pytest.mark.parametrize("outcome", [None, SENT, REFUSED, UNKNOWN])
    @pytest.mark.parametrize("mended", [True, False])
    def test_not_in_the_middle(self, database: Database, outcome: Outcome | None, mended: bool) -> None:
        """A thread whose chain has begun and not ended is not changed, though it be in the queue again."""
        claimed = started(database)
        if outcome is not None:
            send(database, claimed, 1, outcome)
        if mended and isinstance(outcome, Refused):
            ask(database, claimed.delivery, Event.RETRY)
        if mended and isinstance(outcome, Unknown):
            database.changes.settle(claimed.delivery.id, None, now=NOON, actor="ada")
        with pytest.raises(NotAllowedError):
            database.threads.extend(claimed.delivery.thread_id, thread(parts=3), now=NOON, actor="ada")
        assert database.reading.thread(claimed.delivery.thread_id).thread == thread()

    def test_nothing_to_continue(self, database: Database) -> None:
        """A thread that was given up everywhere, or gets no new part, is not continued."""
        a, b = add(database, new("A"), new("B"))
        ask(database, a, Event.CANCEL)
        for delivery, text in ((a, thread("A", 3)), (b, thread("B", 2)), (b, thread("B", 1))):
            with pytest.raises(NotAllowedError):
                database.threads.extend(delivery.thread_id, text, now=NOON, actor="ada")

    def test_not_to_what_is_live_already(self, database: Database) -> None:
        """A thread does not grow into one that its channel has in its queue already."""
        a, b = add(database, new("A"), new("B", parts=3))
        with pytest.raises(NotAllowedError):
            database.threads.extend(a.thread_id, thread("B", 3), now=NOON, actor="ada")
        ask(database, b, Event.CANCEL)
        assert database.threads.extend(a.thread_id, thread("B", 3), now=NOON, actor="ada")[0].parts == 3

    def test_past_a_live_twin_of_its_old_text(self, database: Database) -> None:
        """A published thread that was queued again goes on under its new text."""
        delivery = published(database)
        add(database, again=True)
        longer = replace(thread("How tides turn", 3))
        (extended,) = database.threads.extend(delivery.thread_id, longer, now=NOON, actor="ada")
        assert extended.state is QUEUED


class TestRemove:
    def test_leaves_its_events(self, database: Database) -> None:
        """A removed thread is gone, its events are not, and they end with its removal."""
        news, masto = add(database, new("A", wish("news"), wish("masto")))
        claimed = claim(database)
        database.work.plan(claimed, posts(), now=NOON)
        database.threads.remove(news.thread_id, now=NOON + MINUTE, actor="bob")
        assert database.reading.deliveries() == ()
        assert database.reading.posts(news.id) == ()
        for missing in (
            lambda: database.reading.thread(news.thread_id),
            lambda: database.reading.delivery(masto.id),
            lambda: database.threads.remove(news.thread_id, now=NOON, actor="ada"),
        ):
            with pytest.raises(NotFoundError):
                missing()
        *_, last = events = database.reading.events(thread_id=news.thread_id)
        assert [event.what for event in events] == ["add", "add", "claim", "plan", "remove"]
        assert (last.at, last.actor, last.delivery_id, last.detail) == (
            NOON + MINUTE,
            "bob",
            None,
            news.title,
        )

    def test_frees_its_place(self, database: Database) -> None:
        """What was removed can be added anew, under numbers that nothing had before."""
        (first,) = add(database)
        claimed = claim(database)
        database.threads.remove(first.thread_id, now=NOON, actor="ada")
        (second,) = add(database)
        assert second.thread_id > first.thread_id
        assert second.id > first.id
        assert claim(database).delivery.id == second.id
        with pytest.raises(LeaseLostError):
            database.work.plan(claimed, posts(), now=NOON)

    @pytest.mark.parametrize("outcome", [None, SENT, UNKNOWN, "cancelled"])
    def test_not_what_may_be_out(self, database: Database, outcome: Outcome | str | None) -> None:
        """A thread of which a post is out, or may be, stays."""
        claimed = started(database)
        intend(database, claimed)
        if outcome == "cancelled":
            ask(database, claimed.delivery, Event.CANCEL, now=NOON + LEASE)
        elif isinstance(outcome, (Sent, Unknown)):
            judge(database, claimed, 1, outcome)
        with pytest.raises(NotAllowedError):
            database.threads.remove(claimed.delivery.thread_id, now=NOON, actor="ada")
        assert database.reading.delivery(claimed.delivery.id).thread_id == claimed.delivery.thread_id

    def test_what_was_refused(self, database: Database) -> None:
        """A thread whose first post was refused left nothing behind, and can be removed."""
        failed = send(database, started(database), 1, REFUSED)
        database.threads.remove(failed.thread_id, now=NOON, actor="ada")
        assert database.reading.deliveries() == ()


def test_of_a_thread_that_is_not_there(database: Database) -> None:
    """Nothing can be done with a thread that is not there."""
    for write in (database.threads.edit, database.threads.extend):
        with pytest.raises(NotFoundError):
            write(7, thread(), now=NOON, actor="ada")
    with pytest.raises(NotFoundError):
        database.threads.remove(7, now=NOON, actor="ada")
