"""Texts of what is out, corrected, in every store."""

from dataclasses import replace

import pytest

from tests.contract.store.samples import LEASE, MINUTE, NOON, SECOND, new, posts, thread, wish
from tests.contract.store.steps import PUBLISHED, QUEUED, add, claim, finish, look, published, started
from threadcast.queue.compose.rules import Post
from threadcast.queue.errors import Fault, LeaseLostError, NotAllowedError
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import Refused, Sent, Unknown
from threadcast.queue.states import Event, PostState, decide_edit, request
from threadcast.queue.store.database import Database

NEW = Post(part=2, label="2/", text="2/ wave 🌊, corrected", length=20)


def correct(database: Database, delivery: Delivery, title: str = "Tides", parts: int = 2) -> Delivery:
    """Correct the second post of a chain."""
    before = database.reading.thread(delivery.thread_id).thread
    after = replace(thread(title, parts), fingerprint=f"{title} {parts}")
    known = database.reading.posts(delivery.id)[1]
    changes = {delivery.id: {2: replace(known, post=NEW, uploads=("-", "f2"))}}
    database.threads.correct(delivery.thread_id, before, after, changes, now=NOON + MINUTE, actor="ada")
    return database.reading.delivery(delivery.id)


def test_a_correction(database: Database) -> None:
    """The thread and its post say something else, the chain is queued at once; the event names the post."""
    delivery = correct(database, published(database))
    assert (delivery.state, delivery.own_time, delivery.due) == (QUEUED, True, NOON + MINUTE)
    assert (delivery.fingerprint, delivery.sent, delivery.posts) == ("Tides 2", 2, 2)
    first, second = database.reading.posts(delivery.id)
    assert (first.edit, second.edit, second.post.text) == (None, PostState.PLANNED, NEW.text)
    assert (second.state, second.remote_id, second.reply_to) == (PostState.SENT, "102", None)
    assert second.uploads == ("-", "f2")
    told = [(one.what, one.actor, one.detail) for one in database.reading.events()[-2:]]
    assert told == [("correct", "ada", "posts 2"), ("edit", "ada", "2 parts now")]


def test_the_ledger(database: Database) -> None:
    """An edit is intended before the call, may be in doubt, and is done; the chain is published again."""
    delivery = correct(database, published(database))
    claimed = claim(database, now=NOON + MINUTE)
    now = NOON + MINUTE + SECOND
    database.work.intend_edit(claimed, 2, now=now, until=now + LEASE)
    intended = database.reading.posts(delivery.id)[1]
    assert (intended.edit, intended.edited) == (PostState.SENDING, now)
    change = decide_edit(Unknown("no answer"), tries=1, now=now, chance=0)
    waiting = database.work.record_edit(claimed, 2, change, now=now)
    assert (waiting.lease_owner, waiting.reason) == (None, "no answer")
    assert database.reading.posts(delivery.id)[1].edit is PostState.UNKNOWN
    again = claim(database, now=now + MINUTE)
    database.work.intend_edit(again, 2, now=now + MINUTE, until=now + LEASE)
    change = decide_edit(Sent("102", None), tries=1, now=now, chance=0)
    assert database.work.record_edit(again, 2, change, now=now + MINUTE).lease_owner == "w1"
    end = request(again.delivery.state, Event.FINISH)
    done, _ = database.work.record(again, None, end, now=now + MINUTE)
    assert (done.state, done.sent) == (PUBLISHED, 2)
    assert database.reading.posts(delivery.id)[1].edit is PostState.SENT
    assert look(database, now=now + MINUTE) is None


def test_an_edit_that_was_refused(database: Database) -> None:
    """A refused edit is noted at its post, with the reason; the worker goes on."""
    delivery = correct(database, published(database))
    claimed = claim(database, now=NOON + MINUTE)
    change = decide_edit(Refused("it is gone"), tries=1, now=NOON, chance=0)
    assert database.work.record_edit(claimed, 2, change, now=NOON + MINUTE).lease_owner == "w1"
    post = database.reading.posts(delivery.id)[1]
    assert (post.edit, post.reason, post.state) == (PostState.REFUSED, "it is gone", PostState.SENT)
    assert database.reading.events()[-1].detail == "post 2 stays as it was: it is gone"


def test_a_worker_that_was_too_slow(database: Database) -> None:
    """Whoever has lost the lease neither intends an edit nor records one."""
    correct(database, published(database))
    slow = claim(database, now=NOON + MINUTE)
    assert look(database, worker="w2", now=NOON + MINUTE + 2 * LEASE) is not None
    with pytest.raises(LeaseLostError):
        database.work.intend_edit(slow, 2, now=NOON, until=NOON + LEASE)
    change = decide_edit(Sent("102", None), tries=1, now=NOON, chance=0)
    with pytest.raises(LeaseLostError):
        database.work.record_edit(slow, 2, change, now=NOON)


def test_parts_at_the_end(database: Database) -> None:
    """With more parts than before the chain is continued."""
    delivery = correct(database, published(database), parts=3)
    assert (delivery.state, delivery.parts) == (QUEUED, 3)
    claimed = claim(database, now=NOON + MINUTE)
    database.work.plan(claimed, posts(1, first=3), now=NOON)
    assert finish(database, claimed, 3).state == PUBLISHED


def test_another_thread_meanwhile(database: Database) -> None:
    """Where the text was changed since it was looked at, nothing is done."""
    delivery = published(database)
    with pytest.raises(NotAllowedError) as refused:
        database.threads.correct(
            delivery.thread_id, thread("Other"), thread("Tides"), {}, now=NOON, actor="ada"
        )
    assert refused.value.code is Fault.OTHER_TEXT
    assert database.reading.delivery(delivery.id) == delivery


def test_a_chain_under_way(database: Database) -> None:
    """A chain that is being published is not corrected."""
    delivery = database.reading.delivery(started(database).delivery.id)
    with pytest.raises(NotAllowedError) as refused:
        correct(database, delivery)
    assert refused.value.code is Fault.NOT_ENDED


def test_a_text_that_is_there_already(database: Database) -> None:
    """A correction that makes two live threads of a channel the same is refused, and nothing changes."""
    delivery = published(database)
    twin = new("Twin", wish())
    add(database, replace(twin, thread=replace(twin.thread, fingerprint="Tides 2")), now=NOON)
    with pytest.raises(NotAllowedError) as refused:
        correct(database, delivery)
    assert refused.value.code is Fault.SAME_TEXT
    assert database.reading.posts(delivery.id)[1].edit is None


def test_no_landmark_that_is_to_be_edited(database: Database) -> None:
    """A post whose text on the network is not known for certain is no landmark to look from."""
    delivery = correct(database, published(database))
    landmark = database.reading.landmark("news")
    assert landmark is not None
    assert (landmark.position, delivery.sent) == (1, 2)
