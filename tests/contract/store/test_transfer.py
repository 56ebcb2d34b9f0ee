"""What a queue gives as plain data another one takes, on either database; nothing of it goes out again."""

import json

import pytest

from tests.contract.store.samples import NOON, new
from tests.contract.store.steps import (
    PUBLISHED,
    SENT,
    UNKNOWN,
    add,
    ask,
    claim,
    intend,
    look,
    published,
    see,
    send,
    started,
)
from tests.queue.store.fresh import fresh_database
from threadcast.queue.errors import BackupError, StoreError
from threadcast.queue.states import Event, PostState
from threadcast.queue.store.database import Database
from threadcast.queue.store.transfer.transfer import Everything


def through_json(everything: Everything) -> Everything:
    text: Everything = json.loads(json.dumps(everything))
    return text


def test_every_state(database: Database) -> None:
    """Each delivery keeps what is out of it and what may be; what would go on by itself is held."""
    before = fresh_database()
    see(before)
    published(before)
    (waiting,) = add(before, new("1/ Waiting.\n2/ Still."))
    ask(before, waiting, Event.HOLD)
    (doubtful,) = add(before, new("1/ Doubtful.\n2/ Still."))
    claimed = claim(before)
    assert claimed.delivery.id == doubtful.id
    rest = before.transfer.read()["posts"]
    before.work.plan(claimed, [each.post for each in before.reading.posts(1)], now=NOON)
    send(before, claimed, 1, SENT)
    intend(before, claimed, 2)
    everything = through_json(before.transfer.read())
    assert len(everything["posts"]) == len(rest) + 2
    assert database.transfer.write(everything, now=NOON, actor="ada") == 1
    states = [one.state for one in database.reading.deliveries()]
    assert states == [PUBLISHED, "held", "held"]
    sending = database.reading.posts(doubtful.id)[1]
    assert (sending.state, sending.key) == (PostState.SENDING, "key-2")
    assert look(database) is None
    released = ask(database, database.reading.delivery(doubtful.id), Event.RELEASE)
    assert claim(database).delivery.id == released.id
    assert add(database, new("1/ Another.\n2/ One."))[0].id == doubtful.id + 1
    with pytest.raises(StoreError, match="the queue is not empty"):
        database.transfer.write(everything, now=NOON, actor="ada")


def test_all_or_nothing(database: Database) -> None:
    """Rows that do not fit leave nothing behind."""
    before = fresh_database()
    send(before, started(before), 1, UNKNOWN)
    everything = through_json(before.transfer.read())
    everything["deliveries"][0]["thread_id"] = 99
    with pytest.raises(BackupError, match="there is no thread 99"):
        database.transfer.write(everything, now=NOON, actor="ada")
    everything["deliveries"][0]["thread_id"] = 1
    everything["posts"][1]["delivery_id"] = 99
    with pytest.raises(StoreError):
        database.transfer.write(everything, now=NOON, actor="ada")
    assert database.reading.deliveries() == ()
    assert database.transfer.read()["threads"] == []
