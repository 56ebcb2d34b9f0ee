"""What every store holds, in memory, in an SQLite file and in PostgreSQL: adding and reading."""

from datetime import timedelta, timezone

import pytest

from tests.contract.store.samples import MINUTE, NOON, SECOND, new, thread, wish
from tests.contract.store.steps import (
    HELD,
    PUBLISHING,
    QUEUED,
    SENT,
    OpenDatabase,
    add,
    ask,
    at_once,
    claim,
    last_slot,
    see,
    send,
    started,
)
from threadcast.queue.errors import NotAllowedError, NotFoundError, RepeatedError, StoreError
from threadcast.queue.model import (
    Added,
    Adoption,
    AuditEvent,
    Backlog,
    ChannelRow,
    ChannelSeen,
    Duplicate,
    NewThread,
    Once,
)
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import Event
from threadcast.queue.store.database import Database
from threadcast.queue.store.notes import ANSWERED, ASKED


class TestAdd:
    def test_gives_a_thread_and_its_deliveries(self, database: Database) -> None:
        """What was added is there: the thread as given, a delivery for each wish, an event for each."""
        (added,) = database.threads.add(
            [new("Tides", wish("news"), wish("masto", state=HELD, reason="a gap"))], now=NOON, actor="ada"
        )
        assert added.thread_id is not None
        assert added.duplicates == ()
        kept = database.reading.thread(added.thread_id)
        assert (kept.thread, kept.source, kept.created) == (thread("Tides"), "drawer.txt", NOON)
        news, masto = added.deliveries
        assert (news.channel, news.state, news.reason, news.title) == ("news", QUEUED, "", kept.thread.title)
        assert (masto.channel, masto.state, masto.reason) == ("masto", HELD, "a gap")
        assert database.reading.delivery(news.id) == news
        assert (news.own_time, news.queued, news.parts, news.adoption) == (False, NOON, 2, None)
        assert (news.due, news.created, news.started, news.finished) == (NOON, NOON, None, None)
        assert (news.fence, news.posts, news.sent, news.lease_owner, news.lease_until) == (
            0,
            0,
            0,
            None,
            None,
        )
        assert database.reading.posts(news.id) == ()
        events = database.reading.events()
        assert [(e.at, e.actor, e.what, e.thread_id, e.delivery_id, e.channel) for e in events] == [
            (NOON, "ada", "add", added.thread_id, news.id, "news"),
            (NOON, "ada", "add", added.thread_id, masto.id, "masto"),
        ]

    def test_nothing_gives_nothing(self, database: Database) -> None:
        """Adding no threads, or a thread with no wish, stores nothing."""
        assert database.threads.add([], now=NOON, actor="ada") == ()
        (added,) = database.threads.add([NewThread(thread(), "-", ())], now=NOON, actor="ada")
        assert (added.thread_id, added.deliveries, added.duplicates) == (None, (), ())
        assert database.reading.deliveries() == ()

    def test_a_live_delivery_makes_a_duplicate(self, database: Database) -> None:
        """The same thread is not taken twice by a channel while it is live there, not even with `again`."""
        (first,) = add(database)
        for again in (False, True):
            (added,) = database.threads.add(
                [new("How tides work", wish(), wish("masto"))], now=NOON, actor="ada", again=again
            )
            assert Duplicate("news", first) in added.duplicates
        assert len(database.reading.deliveries(channel="news")) == 1
        assert len(database.reading.deliveries(channel="masto")) == 1

    def test_a_thread_of_duplicates_is_not_stored(self, database: Database) -> None:
        """A thread none of whose wishes is taken leaves no trace."""
        (first,) = add(database)
        (added,) = database.threads.add([new()], now=NOON, actor="ada")
        assert (added.thread_id, added.deliveries) == (None, ())
        with pytest.raises(NotFoundError):
            database.reading.thread(first.thread_id + 1)
        assert len(database.reading.events()) == 1

    def test_a_published_delivery_makes_a_duplicate_unless_again(self, database: Database) -> None:
        """A thread published on a channel is taken there again only where that was asked for."""
        published = send(database, started(database, 1), 1, SENT, last=True)
        (added,) = database.threads.add([new()], now=NOON, actor="ada")
        assert added.duplicates == (Duplicate("news", published),)
        (once_more,) = add(database, again=True)
        (added,) = database.threads.add([new()], now=NOON, actor="ada")
        assert added.duplicates == (Duplicate("news", once_more),)

    def test_a_cancelled_delivery_is_in_nobodys_way(self, database: Database) -> None:
        """A thread cancelled on a channel may be added there anew."""
        (first,) = add(database)
        ask(database, first, Event.CANCEL)
        (second,) = add(database)
        assert second.id != first.id

    def test_once(self, database: Database) -> None:
        """Under one key a thread is added once, and the answer to it is there, or neither of them is."""

        def said(added: tuple[Added, ...]) -> str:
            return f"as thread {added[0].thread_id}"

        def broken(_: tuple[Added, ...]) -> str:
            raise RuntimeError("dead before the commit")

        with pytest.raises(RuntimeError):
            database.threads.add([new()], now=NOON, actor="ada", once=Once("answer:1", "proof", broken))
        assert (database.reading.deliveries(), database.notes.read("answer:1")) == ((), {})
        once = Once("answer:1", "proof", said)
        (added,) = database.threads.add([new()], now=NOON, actor="ada", once=once)
        assert database.notes.read("answer:1") == {ASKED: "proof", ANSWERED: f"as thread {added.thread_id}"}
        ask(database, added.deliveries[0], Event.CANCEL)
        with pytest.raises(RepeatedError):
            database.threads.add([new()], now=NOON, actor="ada", once=once)
        assert len(database.reading.deliveries()) == 1

    def test_since_makes_a_duplicate_of_what_was_added_then(self, database: Database) -> None:
        """With `since`, a thread added at that moment or later is a duplicate, whatever became of it."""
        (first,) = add(database)
        cancelled = ask(database, first, Event.CANCEL)
        for since in (NOON, NOON - MINUTE):
            (added,) = database.threads.add([new()], now=NOON + MINUTE, actor="ada", since=since)
            assert (added.thread_id, added.duplicates) == (None, (Duplicate("news", cancelled),))
        (taken,) = database.threads.add([new()], now=NOON + MINUTE, actor="ada", since=NOON + SECOND)
        assert taken.thread_id is not None
        (live,) = taken.deliveries
        (added,) = database.threads.add([new()], now=NOON + MINUTE, actor="ada", since=NOON)
        assert added.duplicates == (Duplicate("news", live),)

    def test_repeats_within_one_call(self, database: Database) -> None:
        """A wish that repeats an earlier one of the same call is a duplicate of that one."""
        first, second = database.threads.add(
            [new("A", wish(), wish()), new("A", wish())], now=NOON, actor="ada"
        )
        (delivery,) = first.deliveries
        assert first.duplicates == second.duplicates == (Duplicate("news", delivery),)
        assert second.thread_id is None

    def test_all_or_none(self, database: Database) -> None:
        """One wish that cannot be taken keeps every other of the call out."""
        for wrong in (wish(state=PUBLISHING), wish(due=NOON.replace(tzinfo=None))):
            with pytest.raises(StoreError):
                database.threads.add([new("A"), new("B", wrong)], now=NOON, actor="ada")
        assert database.reading.deliveries() == ()
        assert database.reading.events() == ()

    def test_more_channels_for_a_stored_thread(self, database: Database) -> None:
        """A stored thread is queued on more channels, behind what waits there, with an event for each."""
        add(database, new("other", wish("masto")))
        (news,) = add(database)
        added = database.threads.add_to(
            news.thread_id, [wish("masto"), wish("tg", state=HELD)], now=NOON, actor="ada"
        )
        assert (added.thread_id, added.duplicates) == (news.thread_id, ())
        assert [(one.channel, one.state) for one in added.deliveries] == [("masto", QUEUED), ("tg", HELD)]
        assert [one.title[:5] for one in database.reading.deliveries(channel="masto")] == [
            "other",
            news.title[:5],
        ]
        assert len(database.reading.deliveries(thread_id=news.thread_id)) == 3
        events = [(one.what, one.channel) for one in database.reading.events(thread_id=news.thread_id)]
        assert events == [("add", "news"), ("add", "masto"), ("add", "tg")]

    def test_more_channels_where_the_text_is_already(self, database: Database) -> None:
        """A channel on which another thread of the same text is live is left alone, and said."""
        (news,) = add(database)
        (masto,) = add(database, new("How tides work", wish("masto")))
        added = database.threads.add_to(news.thread_id, [wish("masto")], now=NOON, actor="ada")
        assert (added.thread_id, added.deliveries) == (None, ())
        assert added.duplicates == (Duplicate("masto", masto),)

    def test_more_channels_that_cannot_be(self, database: Database) -> None:
        """A channel that the thread was meant for already, or a thread that is not there, is refused."""
        (news,) = add(database)
        ask(database, news, Event.CANCEL)
        with pytest.raises(NotAllowedError):
            database.threads.add_to(news.thread_id, [wish("masto"), wish("news")], now=NOON, actor="ada")
        with pytest.raises(NotFoundError):
            database.threads.add_to(news.thread_id + 1, [wish("masto")], now=NOON, actor="ada")
        with pytest.raises(StoreError):
            database.threads.add_to(news.thread_id, [wish("masto", state=PUBLISHING)], now=NOON, actor="ada")
        assert len(database.reading.deliveries()) == 1

    def test_queues_up_in_the_order_given(self, database: Database) -> None:
        """Deliveries stand behind all others of their channel, in the order given."""
        add(database, new("A"), new("B", wish(), wish("masto")))
        add(database, new("C"))
        assert [delivery.title[0] for delivery in database.reading.deliveries(channel="news")] == [
            "A",
            "B",
            "C",
        ]
        ranks = [delivery.rank for delivery in database.reading.deliveries(channel="news")]
        assert ranks == sorted(set(ranks))

    def test_a_time_of_its_own(self, database: Database) -> None:
        """A wish for a time of its own is kept as one."""
        (delivery,) = add(database, new("A", wish(due=NOON + MINUTE, own_time=True)))
        assert (delivery.own_time, delivery.due, delivery.queued) == (True, NOON + MINUTE, NOON)
        assert database.reading.delivery(delivery.id) == delivery

    def test_an_adopted_chain(self, database: Database) -> None:
        """What is out of an adopted chain is kept with its delivery."""
        for adoption in (Adoption(2, SENT), Adoption(1, Sent("7", None))):
            title = adoption.last.remote_id
            (delivery,) = add(database, new(title, wish(adoption=adoption), parts=3))
            assert delivery.adoption == adoption
            assert (delivery.posts, delivery.sent) == (0, 0)

    @pytest.mark.parametrize("parts", [-1, 0, 2, 3])
    def test_an_adoption_leaves_something_to_do(self, database: Database, parts: int) -> None:
        """A chain can be adopted where some of its parts are out, and not all."""
        with pytest.raises(StoreError):
            add(database, new("A"), new("B", wish(adoption=Adoption(parts, SENT))))
        assert database.reading.deliveries() == ()

    def test_two_callers_at_once(self, open_one: OpenDatabase) -> None:
        """Of two programs that add the same threads at once, each thread is taken from one of them."""
        one, other = open_one(), open_one()
        titles = [f"thread {number}" for number in range(20)]
        at_once(
            lambda: add(one, *[new(title) for title in titles]),
            lambda: add(other, *[new(title) for title in reversed(titles)]),
        )
        assert sorted(delivery.title for delivery in one.reading.deliveries()) == sorted(
            thread(title).title for title in titles
        )

    def test_times_of_other_zones(self, database: Database) -> None:
        """A moment given in another zone is the same moment in UTC."""
        there = NOON.astimezone(timezone(timedelta(hours=-7)))
        (delivery,) = add(database, new("A", wish(due=there)), now=there)
        assert database.reading.delivery(delivery.id).due == NOON
        assert str(database.reading.delivery(delivery.id).due) == str(NOON)


class TestReading:
    def test_deliveries_filters(self, database: Database) -> None:
        """A list holds what fits every filter."""
        add(database, new("A", wish("a"), wish("b", state=HELD)), new("B", wish("a")))
        first = database.reading.deliveries()[0].thread_id
        assert len(database.reading.deliveries(channel="a")) == 2
        assert len(database.reading.deliveries(thread_id=first)) == 2
        assert len(database.reading.deliveries(channel="a", thread_id=first)) == 1
        assert [delivery.channel for delivery in database.reading.deliveries(states=frozenset({HELD}))] == [
            "b"
        ]
        assert database.reading.deliveries(states=frozenset()) == ()
        assert len(database.reading.deliveries(limit=2)) == 2
        assert database.reading.deliveries(limit=0) == ()

    def test_deliveries_in_the_order_of_the_queue(self, database: Database) -> None:
        """A queue is listed by channel, what is begun first, then by rank."""
        add(database, new("A", wish("b"), wish("a", due=NOON + MINUTE)), new("B", wish("b"), wish("a")))
        claim(database, "a")
        assert [(one.channel, one.title[0]) for one in database.reading.deliveries()] == [
            ("a", "B"),
            ("a", "A"),
            ("b", "A"),
            ("b", "B"),
        ]

    def test_deliveries_newest_first(self, database: Database) -> None:
        """A history is listed by the time a delivery ended, else was made, the newest first."""
        a, b, c = add(database, new("A"), new("B"), new("C"))
        ask(database, b, Event.CANCEL, now=NOON + MINUTE)
        ask(database, a, Event.CANCEL, now=NOON + 2 * MINUTE)
        listed = database.reading.deliveries(newest_first=True)
        assert [delivery.id for delivery in listed] == [a.id, b.id, c.id]
        assert database.reading.deliveries(newest_first=True, limit=1) == listed[:1]

    def test_events(self, database: Database) -> None:
        """The audit log reads from old to new; a limit keeps the newest."""
        a, b = add(database, new("A"), new("B"))
        ask(database, a, Event.CANCEL, now=NOON + MINUTE, actor="bob")
        last = database.reading.events()[-1]
        assert last == AuditEvent(last.id, NOON + MINUTE, "bob", "cancel", a.thread_id, a.id, "news", "")
        assert [event.delivery_id for event in database.reading.events()] == [a.id, b.id, a.id]
        assert [event.what for event in database.reading.events(limit=2)] == ["add", "cancel"]
        assert database.reading.events(after=database.reading.events()[0].id) == database.reading.events()[1:]
        assert database.reading.events(after=database.reading.events()[-1].id) == ()
        assert [event.what for event in database.reading.events(thread_id=a.thread_id)] == ["add", "cancel"]
        assert database.reading.events(thread_id=b.thread_id, limit=9) == database.reading.events()[1:2]

    def test_channels(self, database: Database) -> None:
        """A channel is noted once, and keeps the time it was first seen, and its pause."""
        database.changes.see_channels([], now=NOON)
        assert database.reading.channels() == ()
        database.changes.see_channels(
            [ChannelSeen("news", "telegram", "@old"), ChannelSeen("a", "local", "a")], now=NOON
        )
        database.changes.pause("news", True, now=NOON, actor="ada")
        database.changes.see_channels([ChannelSeen("news", "telegram", "@news")], now=NOON + MINUTE)
        assert database.reading.channels() == (
            ChannelRow("a", "local", "a", "", False, NOON, NOON, NOON),
            ChannelRow("news", "telegram", "@news", "", True, NOON, NOON, NOON + MINUTE),
        )

    def test_slots_of_the_past_belong_to_nobody(self, database: Database) -> None:
        """A channel with a schedule that is new to it has used every slot so far."""
        see(database, schedule="daily 09:00")
        see(database, schedule="daily 09:00", now=NOON + MINUTE)
        assert last_slot(database, "news") == NOON
        see(database, schedule="every 2h", now=NOON + 2 * MINUTE)
        assert last_slot(database, "news") == NOON + 2 * MINUTE

    def test_a_clock_set_back_frees_no_slot(self, database: Database) -> None:
        """A schedule that changes after the clock was set back leaves used slots used."""
        see(database, schedule="daily 09:00")
        see(database, schedule="every 2h", now=NOON - MINUTE)
        assert last_slot(database, "news") == NOON

    def test_posts_of_many(self, database: Database) -> None:
        """The posts of many deliveries are told at once, those of one that has none too."""
        claimed = started(database)
        (bare,) = add(database, new("B"))
        asked = [bare.id, claimed.delivery.id]
        assert database.reading.posts_of(asked) == {one: database.reading.posts(one) for one in asked}
        assert database.reading.posts_of([]) == {}
        assert database.reading.posts_of([bare.id + 1]) == {bare.id + 1: ()}

    def test_close_twice(self, database: Database) -> None:
        """Closing a closed store does nothing."""
        database.close()
        database.close()

    def test_another_program_sees_the_same(self, open_one: OpenDatabase) -> None:
        """What one program wrote another one reads, and reads again after a restart."""
        writer = open_one()
        claimed = started(writer)
        send(writer, claimed, 1, SENT)
        events = (
            writer.reading.deliveries(),
            writer.reading.posts(claimed.delivery.id),
            writer.reading.events(),
        )
        writer.close()
        reader = open_one()
        assert (
            reader.reading.deliveries(),
            reader.reading.posts(claimed.delivery.id),
            reader.reading.events(),
        ) == events


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    """No store guesses a zone."""
    with pytest.raises(StoreError, match="zone"):
        database.changes.see_channels([ChannelSeen("news", "local", "news")], now=NOON.replace(tzinfo=None))


class TestFigures:
    def test_the_backlog(self, database: Database) -> None:
        """What is live is counted by channel, state and own time, with when the first was due and there."""
        later = NOON + 60 * MINUTE
        add(database, new("A", wish("news")), new("B", wish("news", due=later)))
        add(database, new("C", wish("news", due=later, own_time=True)))
        begun = claim(database)
        assert database.figures.backlog() == (
            Backlog("news", PUBLISHING, False, 1, NOON),
            Backlog("news", QUEUED, False, 1, later),
            Backlog("news", QUEUED, True, 1, later),
        )
        database.work.let_go(begun, now=NOON)
        ask(database, begun.delivery, Event.CANCEL)
        assert [one.state for one in database.figures.backlog()] == [QUEUED, QUEUED]


def test_the_first_of_the_queue(database: Database) -> None:
    """Of what waits in turn the first so many are told, with all that goes out or has a time of its own."""
    a, b, c, d = (add(database, new(title))[0] for title in "ABCD")
    begun = claim(database).delivery
    other = add(database, new("E", wish("other")))[0]
    add(database, new("F", wish(state=HELD)))
    (timed,) = add(database, new("G", wish(own_time=True)))
    goes_on = frozenset({QUEUED, PUBLISHING})

    def found(queued: int, channel: str | None = None) -> list[int]:
        told = database.reading.deliveries(states=goes_on, channel=channel, queued=queued)
        return [one.id for one in told]

    assert begun.id == a.id
    assert found(2) == [a.id, b.id, c.id, timed.id]
    assert found(9) == [a.id, b.id, c.id, d.id, timed.id, other.id]
    assert found(1, "other") == [other.id]
