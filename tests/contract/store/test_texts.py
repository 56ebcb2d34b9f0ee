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
    claim,
    finish,
    intend,
    judge,
    look,
    published,
    see,
    send,
    started,
)
from threadcast.queue.port import Adoption, LeaseLostError, NotFoundError, Opening, Store
from threadcast.queue.states import (
    DeliveryState,
    Event,
    NotAllowedError,
    Outcome,
    PostState,
    Refused,
    Sent,
    Unknown,
)


class TestEdit:
    def test_replaces_the_text(self, store: Store) -> None:
        """An edited thread has its new text wherever it is shown, published, or looked for."""
        news, masto = add(store, new("Tides", wish("news"), wish("masto", state=HELD)))
        edited = store.edit(news.thread_id, thread("Waves", 3), now=NOON + MINUTE, actor="bob")
        assert edited == (store.delivery(news.id), store.delivery(masto.id))
        assert {(one.title, one.parts) for one in edited} == {(thread("Waves").title, 3)}
        assert [one.state for one in edited] == [QUEUED, HELD]
        stored = store.thread(news.thread_id)
        assert (stored.thread, stored.source, stored.created) == (thread("Waves", 3), "drawer.txt", NOON)
        told = [(one.what, one.actor, one.delivery_id, one.detail) for one in store.events()[-2:]]
        assert told == [("edit", "bob", one.id, "3 parts now") for one in edited]
        assert claim(store).thread == thread("Waves", 3)
        (added,) = store.add([new("Waves")], now=NOON, actor="ada")
        assert added.deliveries == ()
        assert add(store, new("Tides"))

    def test_to_one_part(self, store: Store) -> None:
        """The log says in words how long a text is now."""
        (delivery,) = add(store)
        store.edit(delivery.thread_id, thread(parts=1), now=NOON, actor="ada")
        assert store.events()[-1].detail == "1 part now"

    def test_not_once_it_has_begun(self, store: Store) -> None:
        """The text of a thread that has begun anywhere stays as it is."""
        news, _ = add(store, new("A", wish("news"), wish("masto")))
        claimed = claim(store)
        with pytest.raises(NotAllowedError):
            store.edit(news.thread_id, thread("B"), now=NOON, actor="ada")
        store.plan(claimed, posts(), now=NOON)
        finish(store, claimed, 2)
        with pytest.raises(NotAllowedError):
            store.edit(news.thread_id, thread("B"), now=NOON, actor="ada")
        assert store.thread(news.thread_id).thread == thread("A")

    def test_not_to_what_is_live_already(self, store: Store) -> None:
        """A text is not changed into one that its channel has in its queue already."""
        first, _ = add(store, new("A"), new("B"))
        (there,) = add(store, new("C", wish("masto")))
        with pytest.raises(NotAllowedError):
            store.edit(first.thread_id, thread("B"), now=NOON, actor="ada")
        assert store.thread(first.thread_id).thread == thread("A")
        store.edit(first.thread_id, thread("C"), now=NOON, actor="ada")
        assert store.delivery(first.id).title == store.delivery(there.id).title

    def test_keeps_what_is_out_of_an_adopted_chain(self, store: Store) -> None:
        """The text of an adopted chain keeps a part to send."""
        (delivery,) = add(store, new("A", wish(adoption=Adoption(2, SENT)), parts=3))
        with pytest.raises(NotAllowedError):
            store.edit(delivery.thread_id, thread("B", 2), now=NOON, actor="ada")
        assert store.edit(delivery.thread_id, thread("B", 3), now=NOON, actor="ada")[0].adoption


class TestExtend:
    def test_a_published_chain_goes_on(self, store: Store) -> None:
        """A published delivery whose thread has got more parts is queued again, for at once."""
        see(store)
        delivery = published(store)
        later = NOON + MINUTE
        (extended,) = store.extend(delivery.thread_id, thread(parts=3), now=later, actor="bob")
        assert extended == store.delivery(delivery.id)
        assert (extended.state, extended.finished, extended.parts) == (QUEUED, None, 3)
        assert (extended.own_time, extended.due, extended.queued) == (True, later, later)
        assert (extended.posts, extended.sent) == (2, 2)
        last = store.events()[-1]
        assert (last.what, last.actor, last.delivery_id, last.detail) == (
            "continue",
            "bob",
            delivery.id,
            "3 parts now",
        )
        claimed = look(store, now=later, opening=Opening(turn=False))
        assert claimed is not None
        assert (claimed.delivery.id, claimed.thread) == (delivery.id, thread(parts=3))
        assert [record.state for record in claimed.posts] == [PostState.SENT] * 2

    def test_what_waits_is_just_longer(self, store: Store) -> None:
        """A delivery that waits keeps its state, its time and its place."""
        queued, held = add(store, new("A", wish("news"), wish("masto", state=HELD, reason="a gap")))
        extended = store.extend(queued.thread_id, thread("A", 3), now=NOON + MINUTE, actor="ada")
        assert extended == (replace(queued, parts=3), replace(held, parts=3))
        assert [event.what for event in store.events()[-2:]] == ["continue", "continue"]

    def test_twice(self, store: Store) -> None:
        """A continued chain that has not gone on yet can get still more parts."""
        delivery = published(store)
        store.extend(delivery.thread_id, thread(parts=3), now=NOON, actor="ada")
        (extended,) = store.extend(delivery.thread_id, thread(parts=5), now=NOON, actor="ada")
        assert (extended.state, extended.parts) == (QUEUED, 5)

    def test_what_was_given_up_stays_so(self, store: Store) -> None:
        """A cancelled delivery does not come back when its thread goes on elsewhere."""
        news, masto = add(store, new("A", wish("news"), wish("masto")))
        store.apply(news.id, Event.CANCEL, now=NOON, actor="ada")
        states = [one.state for one in store.extend(news.thread_id, thread("A", 3), now=NOON, actor="ada")]
        assert states == [DeliveryState.CANCELLED, QUEUED]
        assert [one.delivery_id for one in store.events() if one.what == "continue"] == [masto.id]

    @pytest.mark.parametrize("outcome", [None, SENT, REFUSED, UNKNOWN])
    @pytest.mark.parametrize("mended", [True, False])
    def test_not_in_the_middle(self, store: Store, outcome: Outcome | None, mended: bool) -> None:
        """A thread whose chain has begun and not ended is not changed, though it be in the queue again."""
        claimed = started(store)
        if outcome is not None:
            send(store, claimed, 1, outcome)
        if mended and isinstance(outcome, Refused):
            store.apply(claimed.delivery.id, Event.RETRY, now=NOON, actor="ada")
        if mended and isinstance(outcome, Unknown):
            store.settle(claimed.delivery.id, None, now=NOON, actor="ada")
        with pytest.raises(NotAllowedError):
            store.extend(claimed.delivery.thread_id, thread(parts=3), now=NOON, actor="ada")
        assert store.thread(claimed.delivery.thread_id).thread == thread()

    def test_nothing_to_continue(self, store: Store) -> None:
        """A thread that was given up everywhere, or gets no new part, is not continued."""
        a, b = add(store, new("A"), new("B"))
        store.apply(a.id, Event.CANCEL, now=NOON, actor="ada")
        for delivery, text in ((a, thread("A", 3)), (b, thread("B", 2)), (b, thread("B", 1))):
            with pytest.raises(NotAllowedError):
                store.extend(delivery.thread_id, text, now=NOON, actor="ada")

    def test_not_to_what_is_live_already(self, store: Store) -> None:
        """A thread does not grow into one that its channel has in its queue already."""
        a, b = add(store, new("A"), new("B", parts=3))
        with pytest.raises(NotAllowedError):
            store.extend(a.thread_id, thread("B", 3), now=NOON, actor="ada")
        store.apply(b.id, Event.CANCEL, now=NOON, actor="ada")
        assert store.extend(a.thread_id, thread("B", 3), now=NOON, actor="ada")[0].parts == 3

    def test_past_a_live_twin_of_its_old_text(self, store: Store) -> None:
        """A published thread that was queued again goes on under its new text."""
        delivery = published(store)
        add(store, again=True)
        longer = replace(thread("How tides turn", 3))
        (extended,) = store.extend(delivery.thread_id, longer, now=NOON, actor="ada")
        assert extended.state is QUEUED


class TestRemove:
    def test_leaves_its_events(self, store: Store) -> None:
        """A removed thread is gone, its events are not, and they end with its removal."""
        news, masto = add(store, new("A", wish("news"), wish("masto")))
        claimed = claim(store)
        store.plan(claimed, posts(), now=NOON)
        store.remove(news.thread_id, now=NOON + MINUTE, actor="bob")
        assert store.deliveries() == ()
        assert store.posts(news.id) == ()
        for missing in (
            lambda: store.thread(news.thread_id),
            lambda: store.delivery(masto.id),
            lambda: store.remove(news.thread_id, now=NOON, actor="ada"),
        ):
            with pytest.raises(NotFoundError):
                missing()
        *_, last = events = store.events(thread_id=news.thread_id)
        assert [event.what for event in events] == ["add", "add", "claim", "plan", "remove"]
        assert (last.at, last.actor, last.delivery_id, last.detail) == (
            NOON + MINUTE,
            "bob",
            None,
            news.title,
        )

    def test_frees_its_place(self, store: Store) -> None:
        """What was removed can be added anew, under numbers that nothing had before."""
        (first,) = add(store)
        claimed = claim(store)
        store.remove(first.thread_id, now=NOON, actor="ada")
        (second,) = add(store)
        assert second.thread_id > first.thread_id
        assert second.id > first.id
        assert claim(store).delivery.id == second.id
        with pytest.raises(LeaseLostError):
            store.plan(claimed, posts(), now=NOON)

    @pytest.mark.parametrize("outcome", [None, SENT, UNKNOWN, "cancelled"])
    def test_not_what_may_be_out(self, store: Store, outcome: Outcome | str | None) -> None:
        """A thread of which a post is out, or may be, stays."""
        claimed = started(store)
        intend(store, claimed)
        if outcome == "cancelled":
            store.apply(claimed.delivery.id, Event.CANCEL, now=NOON + LEASE, actor="ada")
        elif isinstance(outcome, (Sent, Unknown)):
            judge(store, claimed, 1, outcome)
        with pytest.raises(NotAllowedError):
            store.remove(claimed.delivery.thread_id, now=NOON, actor="ada")
        assert store.delivery(claimed.delivery.id).thread_id == claimed.delivery.thread_id

    def test_what_was_refused(self, store: Store) -> None:
        """A thread whose first post was refused left nothing behind, and can be removed."""
        failed = send(store, started(store), 1, REFUSED)
        store.remove(failed.thread_id, now=NOON, actor="ada")
        assert store.deliveries() == ()


def test_of_a_thread_that_is_not_there(store: Store) -> None:
    """Nothing can be done with a thread that is not there."""
    for ask in (store.edit, store.extend):
        with pytest.raises(NotFoundError):
            ask(7, thread(), now=NOON, actor="ada")
    with pytest.raises(NotFoundError):
        store.remove(7, now=NOON, actor="ada")
