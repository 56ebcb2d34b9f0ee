"""A chain whose thread is whole on another channel too is queued to say so, in every store."""

import pytest

from tests.contract.store.samples import MINUTE, NOON, new, posts, wish
from tests.contract.store.steps import PUBLISHED, QUEUED, add, at_once, claim, look
from threadcast.queue.model import Adoption, ChannelSeen, Claim
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import DeliveryState, Event, PostState, decide, request
from threadcast.queue.store.database import Database


@pytest.fixture
def queue(database: Database) -> Database:
    """A thread on two channels, of which `news` names `masto`."""
    seen = [ChannelSeen("news", "telegram", "@news", also="masto"), ChannelSeen("masto", "mastodon", "m")]
    database.changes.see_channels(seen, now=NOON)
    add(database, new("Tides", wish("news"), wish("masto")))
    return database


def publish(database: Database, channel: str) -> Claim:
    claimed = claim(database, channel)
    database.work.plan(claimed, posts(), now=NOON)
    send(database, claimed, 1)
    send(database, claimed, 2)
    return claimed


def send(database: Database, claimed: Claim, position: int) -> None:
    database.work.intend(claimed, position, key=f"k{position}", reply_to=None, now=NOON, until=NOON + MINUTE)
    sent = Sent(f"{claimed.delivery.id}{position}", f"https://{claimed.delivery.channel}.example/{position}")
    change = decide(sent, last=position == 2, tries=1, now=NOON, chance=0)
    database.work.record(claimed, position, change, now=NOON)


def states(database: Database) -> dict[str, DeliveryState]:
    return {one.channel: one.state for one in database.reading.deliveries()}


def say(database: Database) -> None:
    """Make the edit for which the chain on `news` was queued."""
    again = claim(database, now=NOON + MINUTE)
    where = database.reading.elsewhere(again.delivery)
    assert where is not None
    last = again.posts[-1].post
    said = type(last)(last.part, last.label, f"{last.text}\n\n{where.line}", 40)
    assert database.work.correct(again, {2: said})[1].edit is PostState.PLANNED
    end = request(again.delivery.state, Event.FINISH)
    database.work.record(again, None, end, now=NOON + MINUTE)


@pytest.mark.parametrize("order", [("news", "masto"), ("masto", "news")])
def test_when_both_are_whole(queue: Database, order: tuple[str, str]) -> None:
    """Whichever is whole last, the chain that names the other is queued then, once, and an event says why."""
    publish(queue, order[0])
    assert states(queue)[order[0]] is PUBLISHED
    publish(queue, order[1])
    assert states(queue) == {"news": QUEUED, "masto": PUBLISHED}
    told = [one for one in queue.reading.events() if one.what == "correct"]
    assert [(one.channel, one.detail) for one in told] == [("news", "🔗 Mastodon: https://masto.example/1")]
    say(queue)
    assert states(queue) == {"news": PUBLISHED, "masto": PUBLISHED}


def test_two_that_end_at_once(queue: Database) -> None:
    """Of two chains that end in the same moment, one sees the other."""
    news, masto = claim(queue, "news"), claim(queue, "masto")
    for claimed in (news, masto):
        queue.work.plan(claimed, posts(), now=NOON)
        send(queue, claimed, 1)
    at_once(lambda: send(queue, news, 2), lambda: send(queue, masto, 2))
    assert states(queue) == {"news": QUEUED, "masto": PUBLISHED}


def test_when_the_other_is_taken_down(queue: Database) -> None:
    """The chain that names one is queued once more when the first post of that one is gone, not before."""
    publish(queue, "masto")
    publish(queue, "news")
    say(queue)
    (masto,) = queue.reading.deliveries(channel="masto")
    queue.changes.withdraw(masto.id, now=NOON + MINUTE, actor="ada")
    queue.changes.note_gone(masto.id, 2, now=NOON + MINUTE, actor="ada")
    assert states(queue) == {"news": PUBLISHED, "masto": DeliveryState.WITHDRAWN}
    queue.changes.note_gone(masto.id, 1, now=NOON + MINUTE, actor="ada")
    assert states(queue) == {"news": QUEUED, "masto": DeliveryState.WITHDRAWN}
    again = claim(queue, now=NOON + 2 * MINUTE)
    where = queue.reading.elsewhere(again.delivery)
    assert where is not None
    assert (where.is_out, where.is_due([post.post for post in again.posts])) == (False, True)


def test_when_both_are_taken_down(queue: Database) -> None:
    """A thread that is undone everywhere stays so: no chain of it is queued to say that the other is gone."""
    publish(queue, "masto")
    publish(queue, "news")
    say(queue)
    mine = queue.reading.deliveries()
    for one in mine:
        queue.changes.withdraw(one.id, now=NOON + MINUTE, actor="ada")
    for one in mine:
        for position in (2, 1):
            queue.changes.note_gone(one.id, position, now=NOON + MINUTE, actor="ada")
    assert set(states(queue).values()) == {DeliveryState.WITHDRAWN}


def test_a_chain_that_was_begun_by_hand(database: Database) -> None:
    """Of a chain that was adopted, the first post whose address is known is named."""
    seen = [ChannelSeen("news", "telegram", "@news", also="masto"), ChannelSeen("masto", "mastodon", "m")]
    database.changes.see_channels(seen, now=NOON)
    adoption = Adoption(2, Sent("9", "https://masto.example/9"))
    add(database, new("Tides", wish("news"), wish("masto", adoption=adoption), parts=3))
    publish(database, "news")
    claimed = claim(database, "masto")
    database.work.plan(claimed, posts(3), now=NOON)
    database.work.intend(claimed, 3, key="k", reply_to="9", now=NOON, until=NOON + MINUTE)
    change = decide(Sent("10", "https://masto.example/10"), last=True, tries=1, now=NOON, chance=0)
    database.work.record(claimed, 3, change, now=NOON)
    (news,) = database.reading.deliveries(channel="news")
    where = database.reading.elsewhere(news)
    assert where is not None
    assert (news.state, where.line) == (QUEUED, "🔗 Mastodon: https://masto.example/9")


def test_the_same_text_again(queue: Database) -> None:
    """Where the same text is live on the channel once more, the old chain is left as it is."""
    publish(queue, "news")
    add(queue, new("Tides", wish("news")), again=True)
    publish(queue, "masto")
    assert [one.state for one in queue.reading.deliveries(channel="news")] == [PUBLISHED, QUEUED]
    assert look(queue, now=NOON + MINUTE) is not None


def test_a_channel_that_names_none(database: Database) -> None:
    """Without the setting nothing is said, and nothing queued."""
    for name in ("news", "masto"):
        database.changes.see_channels([ChannelSeen(name, "telegram", name)], now=NOON)
    (news, _) = add(database, new("Tides", wish("news"), wish("masto")))
    publish(database, "news")
    publish(database, "masto")
    assert set(states(database).values()) == {PUBLISHED}
    assert database.reading.elsewhere(news) is None
