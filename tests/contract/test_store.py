"""What every store does with threads, channels and requests: in memory, in SQLite, in PostgreSQL."""

from datetime import timedelta, timezone

import pytest

from tests.contract.store_samples import LEASE, MINUTE, NOON, SECOND, new, thread, wish
from tests.contract.store_steps import (
    HELD,
    PUBLISHING,
    QUEUED,
    REFUSED,
    SENT,
    UNKNOWN,
    OpenStore,
    add,
    at_once,
    claim,
    send,
    started,
)
from threadcast.queue.states import (
    DeliveryState,
    Event,
    NotAllowedError,
    PostState,
)
from threadcast.queue.store import (
    AuditEvent,
    ChannelRow,
    Duplicate,
    NewThread,
    NotFoundError,
    Store,
    StoreError,
)


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

    def test_since_makes_a_duplicate_of_what_was_added_then(self, store: Store) -> None:
        """With `since`, a thread added at that moment or later is a duplicate, whatever became of it."""
        (first,) = add(store)
        cancelled = store.apply(first.id, Event.CANCEL, now=NOON, actor="ada")
        for since in (NOON, NOON - MINUTE):
            (added,) = store.add([new()], now=NOON + MINUTE, actor="ada", since=since)
            assert (added.thread_id, added.duplicates) == (None, (Duplicate("news", cancelled),))
        (taken,) = store.add([new()], now=NOON + MINUTE, actor="ada", since=NOON + SECOND)
        assert taken.thread_id is not None
        (live,) = taken.deliveries
        (added,) = store.add([new()], now=NOON + MINUTE, actor="ada", since=NOON)
        assert added.duplicates == (Duplicate("news", live),)

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
