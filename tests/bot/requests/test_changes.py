"""What a person can ask for, whoever asks: the requests, what they change and what they refuse."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.bot.publishing.scripted import FakeClock, ScriptedChannel, thread
from tests.contract.store.memory_store import MemoryStore
from threadcast.bot.channels.port import NotReadyError
from threadcast.bot.publishing.forecast import Rhythm
from threadcast.bot.requests.changes import Desk, UnknownChannelError
from threadcast.bot.requests.input import InputError, continued, understand
from threadcast.bot.requests.preview import preview_posts
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.port import ChannelSeen, Delivery, NotFoundError, Opening
from threadcast.queue.states import DeliveryState, NotAllowedError, Sent, Unreached
from threadcast.queue.text.parse import parse

LAMP = "1/ The lamp was lit.\n2/ The keeper slept. /end\n"
FOG = "1/ Fog came in.\n2/ The horn answered. /end\n"
ICE = "1/ Ice on the glass.\n2/ It held. /end\n"
GAP = "1/ The lamp.\n3/ The sea. /end\n"


class Office:
    """A desk before a queue, with two channels; `knocks` counts how often the service was woken."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.knocks = 0
        self.channels = [ScriptedChannel(name, folder, self.clock) for name in ("masto", "news")]
        self.store.see_channels(
            [ChannelSeen(one.name, one.kind, one.target) for one in self.channels], now=self.clock()
        )
        self.desk = Desk(
            self.store,
            self.channels,
            holds=["masto"],
            rhythms={
                one.name: Rhythm(Timetable(one.name, ZoneInfo("UTC")), timedelta(0)) for one in self.channels
            },
            clock=self.clock,
            actor="ada",
            wake=self.knock,
        )

    def knock(self) -> bool:
        self.knocks += 1
        return True

    def add(self, *texts: str) -> None:
        self.desk.add([understand("file.txt", text.encode()) for text in texts], channels=["news"])

    def order(self) -> list[int]:
        return [delivery.thread_id for delivery in self.desk.queue(channel="news")]

    def whats(self) -> list[str]:
        return [event.what for event in self.desk.events()]


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def states(deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
    return [(one.channel, one.state.value) for one in deliveries]


def test_a_channel_that_holds(office: Office) -> None:
    """A channel configured to hold keeps every thread for approval; the others queue it."""
    (receipt,) = office.desk.add([understand("file.txt", LAMP.encode())])
    assert states(receipt.added.deliveries) == [("masto", "held"), ("news", "queued")]
    assert receipt.added.deliveries[0].reason == "this channel holds every thread for approval"
    assert office.knocks == 1


def test_publish_lets_go(office: Office) -> None:
    """`publish` releases what is held, in its turn."""
    office.desk.add([understand("file.txt", LAMP.encode())])
    assert states(office.desk.publish(1, now=False)) == [("masto", "queued")]


def test_publish_now(office: Office) -> None:
    """`publish` with `now` puts a thread before all others and waits for no slot."""
    office.add(LAMP, FOG, ICE)
    (urgent,) = office.desk.publish(3, now=True)
    assert office.order() == [3, 1, 2]
    assert urgent.own_time
    closed = Opening(turn=False)
    claim = office.store.claim(
        "news", worker="w", now=office.clock(), until=office.clock.advance(minutes=3), opening=closed
    )
    assert claim is not None
    assert claim.delivery.thread_id == 3


def test_publish_on_another_channel(office: Office) -> None:
    """`publish` with a channel that the thread was not meant for queues it there too, approved by that."""
    office.add(LAMP)
    assert states(office.desk.publish(1, channels=["Masto"], now=False)) == [("masto", "queued")]
    assert states(office.desk.queue()) == [("masto", "queued"), ("news", "queued")]
    assert office.whats() == ["add", "add"]
    assert office.knocks == 2


def test_publish_now_on_another_channel_too(office: Office) -> None:
    """With `now`, it is first and at once on the channel it was meant for and on the one added."""
    office.add(LAMP, FOG)
    office.desk.publish(1, channels=["masto"], now=False)
    changed = office.desk.publish(2, channels=["news", "masto"], now=True)
    assert states(changed) == [("masto", "queued"), ("news", "queued")]
    assert all(one.own_time for one in changed)
    assert [one.thread_id for one in office.desk.queue(channel="masto")] == [2, 1]
    assert office.order() == [2, 1]


def test_publish_where_only_the_new_channel_can(office: Office) -> None:
    """A channel on which the thread waits already is no reason not to add the other."""
    office.add(LAMP)
    assert states(office.desk.publish(1, channels=["news", "masto"], now=False)) == [("masto", "queued")]


def test_publish_where_the_text_is_already(office: Office) -> None:
    """Where another thread of the same text waits on that channel, that thread is named."""
    office.add(LAMP)
    office.desk.add([understand("other.txt", LAMP.encode())], channels=["masto"])
    with pytest.raises(NotAllowedError, match="held as thread 2"):
        office.desk.publish(1, channels=["masto"], now=False)


def test_publish_on_no_channel_of_ours(office: Office) -> None:
    """A channel that is not configured is refused, and nothing is changed."""
    office.add(LAMP)
    with pytest.raises(UnknownChannelError, match="no channel called nowhere"):
        office.desk.publish(1, channels=["masto", "nowhere"], now=True)
    assert states(office.desk.queue()) == [("news", "queued")]


def test_move(office: Office) -> None:
    """A waiting thread can go first, or behind another, and the rest keep their order."""
    office.add(LAMP, FOG, ICE)
    office.desk.move(3, after=None)
    assert office.order() == [3, 1, 2]
    office.desk.move(3, after=1)
    assert office.order() == [1, 3, 2]
    assert office.whats().count("move") == 2


def test_move_behind_a_stranger(office: Office) -> None:
    """A thread cannot go behind one that is not meant for its channel."""
    office.add(LAMP)
    office.desk.add([understand("other.txt", FOG.encode())], channels=["masto"])
    with pytest.raises(NotAllowedError, match="thread 2 is not meant for news"):
        office.desk.move(1, after=2)


def test_move_behind_itself(office: Office) -> None:
    """A thread cannot go behind itself, and that is said once."""
    office.add(LAMP)
    with pytest.raises(NotAllowedError, match=r"^thread 1 cannot go behind itself; name another thread$"):
        office.desk.move(1, after=1)


def test_an_unknown_channel(office: Office) -> None:
    """Who asks for the queue of a channel that never was is told so; its name may be in any case."""
    office.add(LAMP)
    assert [one.channel for one in office.desk.queue(channel="News")] == ["news"]
    for ask in (office.desk.queue, office.desk.forecast, office.desk.history):
        with pytest.raises(UnknownChannelError, match="there is no channel called neews; known: masto, news"):
            ask(channel="neews")


def test_events_of_a_thread_that_never_was(office: Office) -> None:
    """The events of a removed thread can still be asked for, those of one that never was cannot."""
    office.add(LAMP)
    office.desk.remove(1)
    assert office.desk.events(1)
    with pytest.raises(NotFoundError, match="there never was a thread 2"):
        office.desk.events(2)


def test_pause_and_resume(office: Office) -> None:
    """A paused channel gives nothing out, and everything again when it is resumed."""
    office.add(LAMP)
    until = office.clock() + timedelta(minutes=3)
    assert [row.paused for row in office.desk.pause(["news"])] == [True]
    assert office.store.claim("news", worker="w", now=office.clock(), until=until) is None
    assert [(row.name, row.paused) for row in office.desk.resume()] == [("masto", False), ("news", False)]
    assert office.store.claim("news", worker="w", now=office.clock(), until=until) is not None


def test_edit(office: Office) -> None:
    """The text of a waiting thread can be replaced; its number and place stay."""
    office.add(LAMP, FOG)
    office.desk.edit(1, ICE)
    assert office.store.thread(1).thread == parse(ICE)[0]
    assert office.order() == [1, 2]


def test_edit_with_a_warning(office: Office) -> None:
    """A new text with a warning holds the thread for a person."""
    office.add(LAMP)
    assert states(office.desk.edit(1, GAP)) == [("news", "held")]


@pytest.mark.parametrize("text", ["", LAMP + FOG])
def test_edit_into_something_else(office: Office, text: str) -> None:
    """A new text has to be one thread."""
    office.add(LAMP)
    with pytest.raises(InputError):
        office.desk.edit(1, text)
    assert office.store.thread(1).thread == parse(LAMP)[0]


@pytest.mark.parametrize(
    ("text", "more", "parts"),
    [
        ("1/ a\n2/ b /end\n", "3/ c\n4/ d\n", 4),
        ("a\n---\nb", "c\n---\nd", 4),
        ("(1/4) a\n(2/4) b", "(3/4) c\n(4/4) d", 4),
        ("a 1/\n\nb 2/", "c 3/", 3),
    ],
)
def test_continued(text: str, more: str, parts: int) -> None:
    """Parts that go on counting are appended, in each way of marking them."""
    (old,) = parse(text)
    new = continued(old, understand("more.txt", more.encode()))
    assert len(new.parts) == parts
    assert [part.text for part in new.parts[: len(old.parts)]] == [part.text for part in old.parts]


@pytest.mark.parametrize(
    "more", ["words without a number", "1/ a new thread\n2/ of its own\n", "1. other\n2. marks"]
)
def test_continued_by_something_else(more: str) -> None:
    """A text that does not go on counting is refused, and the number it should begin with is named."""
    with pytest.raises(InputError, match="number 4"):
        continued(thread(3), understand("more.txt", more.encode()))


@pytest.mark.parametrize("more", ["3/", "3/\n\n4/\n"])
def test_continued_by_nothing(office: Office, more: str) -> None:
    """Numbers without a text are not appended: a channel that shows no numbers would have nothing to post."""
    office.add(LAMP)
    with pytest.raises(InputError, match=r"more\.txt has numbers and no text"):
        office.desk.extend(1, understand("more.txt", more.encode()))
    assert office.store.thread(1).thread == parse(LAMP)[0]


def test_extend(office: Office) -> None:
    """A waiting thread is just longer after parts were appended."""
    office.add(LAMP)
    office.desk.extend(1, understand("more.txt", b"3/ The sea did not.\n"))
    assert len(office.store.thread(1).thread.parts) == 3
    assert states(office.desk.queue()) == [("news", "queued")]


def test_adopt(office: Office) -> None:
    """A chain begun by hand is queued with what is out, for its own channel only."""
    whole = understand("file.txt", LAMP.encode())
    receipt = office.desk.adopt(whole, channel="news", parts=1, last=Sent("17", "https://example.org/17"))
    (delivery,) = receipt.added.deliveries
    assert delivery.adoption is not None
    assert (delivery.channel, delivery.adoption.parts, delivery.adoption.last.remote_id) == ("news", 1, "17")


@pytest.mark.parametrize("parts", [0, 2, 30])
def test_adopt_what_cannot_be(office: Office, parts: int) -> None:
    """At least one part has to be out, and at least one has to be left."""
    with pytest.raises(InputError, match="2 parts: of these 1 to 1 can be out"):
        office.desk.adopt(
            understand("file.txt", LAMP.encode()), channel="news", parts=parts, last=Sent("17", None)
        )


@pytest.mark.parametrize("text", ["1/\n2/ The keeper slept.\n", "1/ The lamp was lit.\n2/\n"])
def test_adopt_without_text(office: Office, text: str) -> None:
    """What is out of an adopted chain, and what is left of it, have text."""
    with pytest.raises(InputError, match="no text"):
        office.desk.adopt(
            understand("file.txt", text.encode()), channel="news", parts=1, last=Sent("17", None)
        )
    assert office.desk.queue() == ()


def test_remove(office: Office) -> None:
    """A thread of which nothing was sent is forgotten; what was done to it is not."""
    office.add(LAMP)
    office.desk.remove(1)
    with pytest.raises(NotFoundError):
        office.desk.show(1)
    assert office.whats() == ["add", "remove"]
    assert {event.actor for event in office.desk.events()} == {"ada"}


def test_forecast(office: Office) -> None:
    """The queue is told with its times."""
    office.add(LAMP, FOG)
    assert [one.why for one in office.desk.forecast()] == ["in turn", "in turn"]


def test_only_where_it_was_meant_for(office: Office) -> None:
    """A request for a channel that a thread was never meant for is refused."""
    office.add(LAMP)
    with pytest.raises(NotFoundError, match="never meant for masto"):
        office.desk.move(1, channels=["masto"], after=None)


async def test_preview_without_a_server(office: Office) -> None:
    """Where a channel cannot tell its limits now, the preview says what it assumed."""
    office.channels[0].script.not_ready = NotReadyError(Unreached("no route"))
    first, second = await preview_posts([thread(3)], office.channels)
    assert (first.limit, len(first.posts)) == (500, 3)
    assert "no route" in first.problem
    assert second.problem == ""


async def test_preview_of_what_cannot_be(office: Office) -> None:
    """A thread that no post can hold is shown with the reason."""
    empty = replace(thread(1), parts=())
    (only,) = await preview_posts([empty], office.channels[:1])
    assert only.posts == ()
    assert only.problem


def test_settle_what_is_not_unsure(office: Office) -> None:
    """Only a doubtful post can be settled."""
    office.add(LAMP)
    with pytest.raises(NotAllowedError, match="nothing to settle"):
        office.desk.settle(1, None)
    assert office.desk.queue()[0].state is DeliveryState.QUEUED
