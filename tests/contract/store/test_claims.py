"""Who may work on what, and when, in every store."""

from datetime import datetime

import pytest

from tests.contract.store.samples import DAY, LEASE, MINUTE, NOON, SECOND, new, posts, thread, wish
from tests.contract.store.steps import (
    HELD,
    PUBLISHED,
    PUBLISHING,
    QUEUED,
    SENT,
    OpenDatabase,
    add,
    ask,
    at_once,
    claim,
    last_slot,
    look,
    opening,
    see,
    send,
    started,
)
from threadcast.queue.errors import NotFoundError
from threadcast.queue.model import Claim, Timing, Turn
from threadcast.queue.model import at_once as always
from threadcast.queue.outcomes import Throttled
from threadcast.queue.states import DeliveryState, Event, PostState
from threadcast.queue.store.database import Database


class TestClaim:
    def test_takes_the_delivery(self, database: Database) -> None:
        """A claim gives the thread and a lease, and says so in row and audit log."""
        (delivery,) = add(database)
        claimed = claim(database)
        assert claimed.thread == thread()
        assert (claimed.posts, claimed.worker) == ((), "w1")
        now = claimed.delivery
        assert now == database.reading.delivery(delivery.id)
        assert (now.state, now.fence, now.lease_owner, now.lease_until) == (PUBLISHING, 1, "w1", NOON + LEASE)
        assert now.started == NOON
        assert (database.reading.events()[-1].what, database.reading.events()[-1].actor) == ("claim", "w1")

    def test_lowest_rank_first_among_the_due(self, database: Database) -> None:
        """The first in the queue that is due goes first; one that is not due lets others pass."""
        add(
            database,
            new("later", wish(due=NOON + MINUTE)),
            new("first"),
            new("second"),
            new("held", wish(state=HELD)),
        )
        assert claim(database).delivery.title.startswith("first")

    def test_nothing_to_take(self, database: Database) -> None:
        """An empty channel, one whose threads wait for a person or a time, gives no claim."""
        assert not isinstance(database.work.claim("news", worker="w1", now=NOON, until=NOON + LEASE), Claim)
        add(database, new("held", wish(state=HELD)), new("later", wish(due=NOON + MINUTE)))
        assert not isinstance(database.work.claim("news", worker="w1", now=NOON, until=NOON + LEASE), Claim)
        assert not isinstance(database.work.claim("masto", worker="w1", now=NOON, until=NOON + LEASE), Claim)

    def test_one_delivery_at_a_time(self, database: Database) -> None:
        """While a delivery of a channel is being published no other of it begins; other channels go on."""
        add(database, new("A", wish("news"), wish("masto")), new("B"))
        claim(database)
        assert not isinstance(database.work.claim("news", worker="w2", now=NOON, until=NOON + LEASE), Claim)
        assert claim(database, "masto", worker="w2").delivery.channel == "masto"

    def test_a_waiting_chain_keeps_its_channel(self, database: Database) -> None:
        """A chain that waits in its middle is not overtaken, and goes on first when its time comes."""
        claimed = started(database)
        add(database, new("other"))
        send(database, claimed, 1, Throttled(NOON + MINUTE, "slow down"))
        assert not isinstance(
            database.work.claim("news", worker="w2", now=NOON + 59 * SECOND, until=NOON + LEASE), Claim
        )
        again = claim(database, worker="w2", now=NOON + MINUTE)
        assert (again.delivery.id, again.delivery.fence) == (claimed.delivery.id, 2)
        assert [record.state for record in again.posts] == [PostState.PLANNED] * 2
        assert again.delivery.started == NOON

    def test_an_ended_lease_is_taken_over(self, database: Database) -> None:
        """At the moment its lease ends a delivery may be claimed by another worker, and not before."""
        claimed = started(database)
        assert not isinstance(
            database.work.claim("news", worker="w2", now=NOON + LEASE - SECOND, until=NOON + 2 * LEASE), Claim
        )
        again = claim(database, worker="w2", now=NOON + LEASE)
        assert again.delivery.id == claimed.delivery.id
        assert again.delivery.fence == claimed.delivery.fence + 1
        assert len(again.posts) == 2

    def test_many_workers_at_once(self, open_one: OpenDatabase) -> None:
        """Of many workers that claim from one channel at once, one gets a delivery."""
        stores = [open_one() for _ in range(3)]
        add(stores[0], *[new(f"thread {number}") for number in range(5)])
        claims = at_once(
            *[
                lambda number=number: stores[number % 3].work.claim(
                    "news", worker=f"w{number}", now=NOON, until=NOON + LEASE
                )
                for number in range(6)
            ]
        )
        assert len([one for one in claims if isinstance(one, Claim)]) == 1
        assert len(stores[0].reading.deliveries(states=frozenset({PUBLISHING}))) == 1

    def test_workers_empty_the_queue_together(self, open_one: OpenDatabase) -> None:
        """Workers that race through two channels publish every delivery once, in turn, and none fails."""
        stores = [open_one() for _ in range(2)]
        channels = ("news", "masto")
        add(stores[0], *[new(f"thread {number}", *map(wish, channels)) for number in range(6)])

        def work(database: Database, channel: str, worker: str) -> list[int]:
            mine = []
            while database.reading.deliveries(channel=channel, states=frozenset({QUEUED, PUBLISHING})):
                taken = database.work.claim(channel, worker=worker, now=NOON, until=NOON + LEASE)
                if isinstance(taken, Claim):
                    database.work.plan(taken, posts(1), now=NOON)
                    send(database, taken, 1, SENT, last=True)
                    mine.append(taken.delivery.id)
            return mine

        done = at_once(
            *[
                lambda database=database, channel=channel, number=number: work(
                    database, channel, f"w{number}"
                )
                for number, database in enumerate(stores)
                for channel in channels
            ]
        )
        published = stores[0].reading.deliveries(states=frozenset({DeliveryState.PUBLISHED}))
        assert len(published) == 12
        assert sorted(one for ids in done for one in ids) == sorted(delivery.id for delivery in published)
        claims = [event for event in stores[0].reading.events() if event.what == "claim"]
        for channel in channels:
            order = [event.delivery_id for event in claims if event.channel == channel]
            assert order == [delivery.id for delivery in stores[0].reading.deliveries(channel=channel)]


class TestLeases:
    def test_let_go(self, database: Database) -> None:
        """A delivery that was let go of is free at once, still begun."""
        claimed = started(database)
        database.work.let_go(claimed, now=NOON + SECOND)
        delivery = database.reading.delivery(claimed.delivery.id)
        assert (delivery.state, delivery.lease_owner, delivery.lease_until) == (PUBLISHING, None, None)
        assert delivery.due == NOON + SECOND
        assert claim(database, worker="w2", now=NOON + SECOND).delivery.id == delivery.id

    def test_free_leases(self, database: Database) -> None:
        """Every lease that runs is ended and counted; one that has ended already is not."""
        add(database, new("A", *[wish(name, due=NOON - LEASE) for name in "abc"]))
        claim(database, "a", now=NOON - LEASE)
        claim(database, "b")
        assert database.work.free_leases(now=NOON) == 1
        assert database.work.free_leases(now=NOON) == 0
        assert claim(database, "b", worker="w2").delivery.fence == 2
        assert claim(database, "a", worker="w2").delivery.fence == 2

    def test_let_go_for_a_while(self, database: Database) -> None:
        """A delivery that was let go of until later keeps its channel, and goes on then."""
        claimed = started(database)
        add(database, new("other"))
        database.work.let_go(claimed, now=NOON, due=NOON + MINUTE)
        assert look(database, now=NOON + 59 * SECOND) is None
        assert claim(database, now=NOON + MINUTE).delivery.id == claimed.delivery.id


class TestOwnTime:
    def test_starts_when_it_is_due(self, database: Database) -> None:
        """What has a time of its own starts then, whether it is the channel's turn or not."""
        see(database)
        (own,) = add(database, new("own", wish(due=NOON + MINUTE, own_time=True)))
        for timing in (always, opening(turn=False), opening(slot=NOON)):
            assert look(database, now=NOON + 59 * SECOND, timing=timing) is None
        claimed = look(database, now=NOON + MINUTE, timing=opening(turn=False))
        assert claimed is not None
        assert claimed.delivery.id == own.id

    def test_without_a_turn_nothing_else_starts(self, database: Database) -> None:
        """Where it is not the channel's turn, only what has a time of its own may begin."""
        add(database, new("in turn"), new("own", wish(own_time=True)))
        claimed = look(database, timing=opening(turn=False))
        assert claimed is not None
        assert claimed.delivery.title.startswith("own")
        database.work.plan(claimed, posts(1), now=NOON)
        send(database, claimed, 1, SENT, last=True)
        assert look(database, timing=opening(turn=False)) is None

    @pytest.mark.parametrize("own_first", [True, False])
    def test_the_lower_rank_goes_first(self, database: Database, own_first: bool) -> None:
        """Of two that may begin, the one that stands first in the queue does."""
        wishes = [new("own", wish(own_time=True)), new("turn")]
        first, _ = add(database, *(wishes if own_first else reversed(wishes)))
        assert claim(database).delivery.id == first.id

    def test_a_begun_chain_needs_no_turn(self, database: Database) -> None:
        """A chain that is under way goes on whenever it can, turn or not."""
        claimed = started(database)
        again = look(database, now=NOON + LEASE, timing=opening(turn=False))
        assert again is not None
        assert again.delivery.id == claimed.delivery.id


class TestSlots:
    SLOT = NOON + MINUTE

    def at(self, database: Database, slot: datetime, channel: str = "news") -> Claim | None:
        return look(database, channel, now=slot + SECOND, timing=opening(slot=slot))

    def test_a_slot_starts_one_thread(self, database: Database) -> None:
        """A slot is used by the first thread that begins by it, and noted in the same moment."""
        see(database)
        first, second = add(database, new("A"), new("B"))
        claimed = self.at(database, self.SLOT)
        assert claimed is not None
        assert claimed.delivery.id == first.id
        assert last_slot(database, "news") == self.SLOT
        database.work.plan(claimed, posts(1), now=NOON)
        send(database, claimed, 1, SENT, last=True)
        assert self.at(database, self.SLOT) is None
        later = self.at(database, self.SLOT + MINUTE)
        assert later is not None
        assert later.delivery.id == second.id
        assert [row.last_slot for row in database.reading.channels()] == [self.SLOT + MINUTE]

    def test_a_slot_before_the_last_is_used(self, database: Database) -> None:
        """No slot up to the last one that was used starts anything."""
        see(database, now=self.SLOT)
        add(database, new("A"))
        for slot in (self.SLOT - MINUTE, self.SLOT):
            assert self.at(database, slot) is None
        assert last_slot(database, "news") == self.SLOT

    def test_a_slot_used_by_a_clock_set_back_since(self, database: Database) -> None:
        """A slot used up to a day ahead of now stands: no slot comes twice."""
        see(database, now=self.SLOT + SECOND + DAY)
        add(database)
        assert self.at(database, self.SLOT) is None

    def test_a_slot_used_by_a_clock_that_was_wrong(self, database: Database) -> None:
        """A slot used more than a day ahead of now keeps nobody waiting, and is forgotten with the next."""
        see(database, now=self.SLOT + 2 * SECOND + DAY)
        add(database, new("A"), new("B"))
        claimed = self.at(database, self.SLOT)
        assert claimed is not None
        assert last_slot(database, "news") == self.SLOT
        database.work.plan(claimed, posts(1), now=NOON)
        send(database, claimed, 1, SENT, last=True)
        assert self.at(database, self.SLOT) is None

    def test_who_comes_after_a_slot_waits_for_the_next(self, database: Database) -> None:
        """A thread that joined the queue after a slot does not start by it."""
        see(database)
        add(database, new("late"), now=self.SLOT + SECOND)
        assert self.at(database, self.SLOT) is None
        add(database, new("in time"), now=self.SLOT)
        claimed = self.at(database, self.SLOT)
        assert claimed is not None
        assert claimed.delivery.title.startswith("in time")

    def test_a_released_thread_joins_the_queue_then(self, database: Database) -> None:
        """A held thread has waited for its slot since it was released, not since it was added."""
        see(database)
        (held,) = add(database, new("A", wish(state=HELD)))
        ask(database, held, Event.RELEASE, now=self.SLOT + SECOND)
        assert self.at(database, self.SLOT) is None
        assert self.at(database, self.SLOT + MINUTE) is not None

    def test_a_time_of_its_own_uses_no_slot(self, database: Database) -> None:
        """What starts at a time of its own leaves the slot to the others."""
        see(database)
        add(database, new("own", wish(own_time=True)), new("in turn"))
        claimed = self.at(database, self.SLOT)
        assert claimed is not None
        assert claimed.delivery.own_time
        assert last_slot(database, "news") == NOON
        database.work.plan(claimed, posts(1), now=NOON)
        send(database, claimed, 1, SENT, last=True)
        assert self.at(database, self.SLOT) is not None
        assert last_slot(database, "news") == self.SLOT

    def test_going_on_uses_no_slot(self, database: Database) -> None:
        """A chain that goes on after its lease ended leaves the slot unused."""
        see(database)
        started(database)
        again = self.at(database, NOON + LEASE)
        assert again is not None
        assert last_slot(database, "news") == NOON

    def test_each_channel_has_its_own(self, database: Database) -> None:
        """A slot used on one channel is there for another."""
        see(database, "news", "masto")
        add(database, new("A", wish("news"), wish("masto")))
        assert self.at(database, self.SLOT) is not None
        assert self.at(database, self.SLOT, "masto") is not None

    def test_of_a_channel_never_seen(self, database: Database) -> None:
        """A slot that could not be noted is refused."""
        add(database)
        with pytest.raises(NotFoundError):
            self.at(database, self.SLOT)
        assert look(database) is not None

    def test_two_services_race_for_a_slot(self, open_one: OpenDatabase) -> None:
        """Of services that see the same slot at once, one starts a thread, however short that is."""
        stores = [open_one() for _ in range(2)]
        see(stores[0])
        add(stores[0], *[new(f"thread {number}") for number in range(6)])

        def publish(database: Database) -> int | None:
            taken = self.at(database, self.SLOT)
            if taken is None:
                return None
            database.work.plan(taken, posts(1), now=NOON)
            send(database, taken, 1, SENT, last=True)
            return taken.delivery.id

        done = at_once(*[lambda number=number: publish(stores[number % 2]) for number in range(6)])
        assert len([one for one in done if one is not None]) == 1
        assert len(stores[0].reading.deliveries(states=frozenset({PUBLISHED}))) == 1


class TestWhenToAskAgain:
    def again(self, database: Database, *, now: datetime = NOON, timing: Timing = always) -> datetime | None:
        answer = database.work.claim("news", worker="w", now=now, until=now + LEASE, timing=timing)
        assert not isinstance(answer, Claim)
        return answer

    def test_nothing_that_time_brings(self, database: Database) -> None:
        """Where nothing waits, or all wait for a person or a turn, time alone brings nothing."""
        assert self.again(database) is None
        see(database)
        add(database, new("held", wish(state=HELD)), new("there", wish("masto")))
        assert self.again(database) is None
        add(database, new("in turn"))
        assert self.again(database, timing=opening(turn=False)) is None
        database.changes.pause("news", True, now=NOON, actor="ada")
        assert self.again(database) is None

    def test_the_earliest(self, database: Database) -> None:
        """Of what waits for a time of its own, or for the channel's timetable, the earliest counts."""
        for number in (2, 1, 3):
            add(database, new(f"own {number}", wish(due=NOON + number * MINUTE, own_time=True)))
        assert self.again(database) == NOON + MINUTE
        add(database, new("in turn"))
        assert self.again(database, timing=lambda *_: Turn(NOON + SECOND)) == NOON + SECOND

    def test_the_timetable_is_asked(self, database: Database) -> None:
        """The timetable is told the last slot, and since when the first in turn has waited."""
        see(database)
        add(database, new("B"), now=NOON + SECOND)
        add(database, new("A"), now=NOON)
        asked = []

        def timing(last_slot: datetime | None, queued: datetime, now: datetime) -> Turn:
            asked.append((last_slot, queued, now))
            return Turn(None)

        assert self.again(database, now=NOON + MINUTE, timing=timing) is None
        assert asked == [(NOON, NOON, NOON + MINUTE)]

    def test_under_way(self, database: Database) -> None:
        """While a chain is under way, its lease and its own time count, and nothing else."""
        claimed = started(database)
        add(database, new("other"), new("own", wish(own_time=True)))
        assert self.again(database) == NOON + LEASE
        send(database, claimed, 1, Throttled(NOON + MINUTE, "slow down"))
        assert self.again(database) == NOON + MINUTE
