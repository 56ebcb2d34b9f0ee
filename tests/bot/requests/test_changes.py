"""What a person can ask for, whoever asks: the requests, what they change and what they refuse."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.bot.media.drawn import jpeg, put
from tests.bot.publishing.scripted import FakeClock, ScriptedChannel, thread
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.port import NotReadyError
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.sources import FolderFiles
from threadcast.bot.media.store import MediaStore
from threadcast.bot.publishing.forecast import Rhythm
from threadcast.bot.requests.context import RequestContext
from threadcast.bot.requests.errors import InputError, RequestError
from threadcast.bot.requests.input import Intake, continued, understand
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.requests import Requests
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.schedule.timetable import Timetable
from threadcast.queue.errors import NotFoundError
from threadcast.queue.model import ChannelSeen, Claim, Delivery, Turn
from threadcast.queue.outcomes import Code, Sent, Unreached
from threadcast.queue.states import DeliveryState, Event
from threadcast.queue.text.parse import parse

LAMP = "1/ The lamp was lit.\n2/ The keeper slept. /end\n"
FOG = "1/ Fog came in.\n2/ The horn answered. /end\n"
ICE = "1/ Ice on the glass.\n2/ It held. /end\n"
GAP = "1/ The lamp.\n3/ The sea. /end\n"


class Setting:
    """Requests before a queue, with two channels; `wakes` counts how often the service was woken."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.database = fresh_database()
        self.wakes = 0
        self.channels = [ScriptedChannel(name, folder, self.clock) for name in ("masto", "news")]
        self.database.changes.see_channels(
            [ChannelSeen(one.name, one.kind, one.target) for one in self.channels], now=self.clock()
        )
        context = RequestContext(
            self.database,
            self.channels,
            holds=frozenset({"masto"}),
            rhythms={
                one.name: Rhythm(Timetable(one.name, ZoneInfo("UTC")), timedelta(0)) for one in self.channels
            },
            clock=self.clock,
            actor="ada",
            wake=self.wake,
            attacher=Attacher(MediaStore(folder)),
            describes=frozenset({"masto"}),
        )
        requests = Requests(context)
        self.threads, self.changes, self.queries = requests.threads, requests.changes, requests.queries

    def wake(self, _: Collection[str]) -> bool:
        self.wakes += 1
        return True

    def add(self, *texts: str) -> None:
        self.threads.add([understand("file.txt", text.encode()) for text in texts], channels=["news"])

    def order(self) -> list[int]:
        return [delivery.thread_id for delivery in self.queries.queue(channel="news")]

    def whats(self) -> list[str]:
        return [event.what for event in self.queries.events()]


@pytest.fixture
def given(tmp_path: Path) -> Setting:
    return Setting(tmp_path)


@contextmanager
def refused(says: str) -> Iterator[None]:
    """Whoever asks in a shell is told so."""
    with pytest.raises(RequestError) as caught:
        yield
    assert says in sentence(caught.value, SHELL)


def states(deliveries: Sequence[Delivery]) -> list[tuple[str, str]]:
    return [(one.channel, one.state.value) for one in deliveries]


def test_a_channel_that_holds(given: Setting) -> None:
    """A channel configured to hold keeps every thread for approval; the others queue it."""
    (receipt,) = given.threads.add([understand("file.txt", LAMP.encode())])
    assert states(receipt.added.deliveries) == [("masto", "held"), ("news", "queued")]
    assert receipt.added.deliveries[0].reason == "this channel holds every thread for approval"
    assert given.wakes == 1


def test_publish_lets_go(given: Setting) -> None:
    """`publish` releases what is held, in its turn."""
    given.threads.add([understand("file.txt", LAMP.encode())])
    assert states(given.changes.publish(1, now=False)) == [("masto", "queued")]


def test_publish_now(given: Setting) -> None:
    """`publish` with `now` puts a thread before all others and waits for no slot."""
    given.add(LAMP, FOG, ICE)
    (urgent,) = given.changes.publish(3, now=True)
    assert given.order() == [3, 1, 2]
    assert urgent.own_time
    claim = given.database.work.claim(
        "news",
        worker="w",
        now=given.clock(),
        until=given.clock.advance(minutes=3),
        timing=lambda *_: Turn(None),
    )
    assert isinstance(claim, Claim)
    assert claim.delivery.thread_id == 3


def test_publish_on_another_channel(given: Setting) -> None:
    """`publish` with a channel that the thread was not meant for queues it there too, approved by that."""
    given.add(LAMP)
    assert states(given.changes.publish(1, channels=["Masto"], now=False)) == [("masto", "queued")]
    assert states(given.queries.queue()) == [("masto", "queued"), ("news", "queued")]
    assert given.whats() == ["add", "add"]
    assert given.wakes == 2


def test_publish_now_on_another_channel_too(given: Setting) -> None:
    """With `now`, it is first and at once on the channel it was meant for and on the one added."""
    given.add(LAMP, FOG)
    given.changes.publish(1, channels=["masto"], now=False)
    changed = given.changes.publish(2, channels=["news", "masto"], now=True)
    assert states(changed) == [("masto", "queued"), ("news", "queued")]
    assert all(one.own_time for one in changed)
    assert [one.thread_id for one in given.queries.queue(channel="masto")] == [2, 1]
    assert given.order() == [2, 1]


def test_publish_where_only_the_new_channel_can(given: Setting) -> None:
    """A channel on which the thread waits already is no reason not to add the other."""
    given.add(LAMP)
    assert states(given.changes.publish(1, channels=["news", "masto"], now=False)) == [("masto", "queued")]


def test_publish_where_the_text_is_already(given: Setting) -> None:
    """Where another thread of the same text waits on that channel, that thread is named."""
    given.add(LAMP)
    given.threads.add([understand("other.txt", LAMP.encode())], channels=["masto"])
    with refused("held as thread 2; see: threadcast show 2"):
        given.changes.publish(1, channels=["masto"], now=False)


def test_publish_on_no_channel_of_ours(given: Setting) -> None:
    """A channel that is not configured is refused, and nothing is changed."""
    given.add(LAMP)
    with refused("no channel called nowhere; configured: masto, news"):
        given.changes.publish(1, channels=["masto", "nowhere"], now=True)
    assert states(given.queries.queue()) == [("news", "queued")]


def test_move(given: Setting) -> None:
    """A waiting thread can go first, or behind another, and the rest keep their order."""
    given.add(LAMP, FOG, ICE)
    given.changes.move(3, after=None)
    assert given.order() == [3, 1, 2]
    given.changes.move(3, after=1)
    assert given.order() == [1, 3, 2]
    assert given.whats().count("move") == 2


def test_move_behind_a_stranger(given: Setting) -> None:
    """A thread cannot go behind one that is not meant for its channel."""
    given.add(LAMP)
    given.threads.add([understand("other.txt", FOG.encode())], channels=["masto"])
    with refused("thread 2 is not meant for news"):
        given.changes.move(1, after=2)


def test_move_behind_itself(given: Setting) -> None:
    """A thread cannot go behind itself, and that is said once."""
    given.add(LAMP)
    with refused("thread 1 cannot go behind itself; name another thread"):
        given.changes.move(1, after=1)


def test_an_unknown_channel(given: Setting) -> None:
    """Who asks for the queue of a channel that never was is told so; its name may be in any case."""
    given.add(LAMP)
    assert [one.channel for one in given.queries.queue(channel="News")] == ["news"]
    for ask in (given.queries.queue, given.queries.forecast, given.queries.history):
        with refused("there is no channel called neews; known: masto, news"):
            ask(channel="neews")


def test_events_of_a_thread_that_never_was(given: Setting) -> None:
    """The events of a removed thread can still be asked for, those of one that never was cannot."""
    given.add(LAMP)
    given.threads.remove(1)
    assert given.queries.events(1)
    with refused("there never was a thread 2; see all: threadcast events"):
        given.queries.events(2)


def test_pause_and_resume(given: Setting) -> None:
    """A paused channel gives nothing out, and everything again when it is resumed."""
    given.add(LAMP)
    until = given.clock() + timedelta(minutes=3)
    assert [row.paused for row in given.changes.pause(["news"])] == [True]
    assert not isinstance(
        given.database.work.claim("news", worker="w", now=given.clock(), until=until), Claim
    )
    assert [(row.name, row.paused) for row in given.changes.pause(paused=False)] == [
        ("masto", False),
        ("news", False),
    ]
    assert isinstance(given.database.work.claim("news", worker="w", now=given.clock(), until=until), Claim)


def test_edit(given: Setting) -> None:
    """The text of a waiting thread can be replaced; its number and place stay."""
    given.add(LAMP, FOG)
    given.threads.edit(1, ICE)
    assert given.database.reading.thread(1).thread == parse(ICE)[0]
    assert given.order() == [1, 2]


def test_edit_with_a_warning(given: Setting) -> None:
    """A new text with a warning holds the thread for a person."""
    given.add(LAMP)
    assert states(given.threads.edit(1, GAP)) == [("news", "held")]


@pytest.mark.parametrize("text", ["", LAMP + FOG])
def test_edit_into_something_else(given: Setting, text: str) -> None:
    """A new text has to be one thread."""
    given.add(LAMP)
    with pytest.raises(InputError):
        given.threads.edit(1, text)
    assert given.database.reading.thread(1).thread == parse(LAMP)[0]


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
def test_continued_by_nothing(given: Setting, more: str) -> None:
    """Numbers without a text are not appended: a channel that shows no numbers would have nothing to post."""
    given.add(LAMP)
    with pytest.raises(InputError, match=r"more\.txt has numbers and no text"):
        given.threads.extend(1, understand("more.txt", more.encode()))
    assert given.database.reading.thread(1).thread == parse(LAMP)[0]


def test_extend(given: Setting) -> None:
    """A waiting thread is just longer after parts were appended."""
    given.add(LAMP)
    given.threads.extend(1, understand("more.txt", b"3/ The sea did not.\n"))
    assert len(given.database.reading.thread(1).thread.parts) == 3
    assert states(given.queries.queue()) == [("news", "queued")]


def test_adopt(given: Setting) -> None:
    """A chain begun by hand is queued with what is out, for its own channel only."""
    whole = understand("file.txt", LAMP.encode())
    receipt = given.threads.adopt(whole, channel="news", parts=1, last=Sent("17", "https://example.org/17"))
    (delivery,) = receipt.added.deliveries
    assert delivery.adoption is not None
    assert (delivery.channel, delivery.adoption.parts, delivery.adoption.last.remote_id) == ("news", 1, "17")


@pytest.mark.parametrize("parts", [0, 2, 30])
def test_adopt_what_cannot_be(given: Setting, parts: int) -> None:
    """At least one part has to be out, and at least one has to be left."""
    with pytest.raises(InputError, match="2 parts: of these 1 to 1 can be out"):
        given.threads.adopt(
            understand("file.txt", LAMP.encode()), channel="news", parts=parts, last=Sent("17", None)
        )


@pytest.mark.parametrize("text", ["1/\n2/ The keeper slept.\n", "1/ The lamp was lit.\n2/\n"])
def test_adopt_without_text(given: Setting, text: str) -> None:
    """What is out of an adopted chain, and what is left of it, have text."""
    with pytest.raises(InputError, match="no text"):
        given.threads.adopt(
            understand("file.txt", text.encode()), channel="news", parts=1, last=Sent("17", None)
        )
    assert given.queries.queue() == ()


def test_remove(given: Setting) -> None:
    """A thread of which nothing was sent is forgotten; what was done to it is not."""
    given.add(LAMP)
    given.threads.remove(1)
    with pytest.raises(NotFoundError):
        given.queries.show(1)
    assert given.whats() == ["add", "remove"]
    assert {event.actor for event in given.queries.events()} == {"ada"}


def test_forecast(given: Setting) -> None:
    """The queue is told with its times."""
    given.add(LAMP, FOG)
    assert [one.why for one in given.queries.forecast()] == ["in turn", "in turn"]


def test_only_where_it_was_meant_for(given: Setting) -> None:
    """A request for a channel that a thread was never meant for is refused."""
    given.add(LAMP)
    with refused("thread 1 was never meant for masto; see: threadcast show 1"):
        given.changes.move(1, channels=["masto"], after=None)


async def test_preview_without_a_server(given: Setting) -> None:
    """Where a channel cannot tell its limits now, the preview says what it assumed."""
    given.channels[0].script.not_ready = NotReadyError(Unreached("no route"))
    first, second = await preview_posts([thread(3)], given.channels)
    assert (first.limit, len(first.posts)) == (500, 3)
    assert "no route" in first.problem
    assert second.problem == ""


async def test_preview_of_what_cannot_be(given: Setting) -> None:
    """A thread that no post can hold is shown with the reason."""
    empty = replace(thread(1), parts=())
    (only,) = await preview_posts([empty], given.channels[:1])
    assert only.posts == ()
    assert only.problem


def test_settle_what_is_not_unsure(given: Setting) -> None:
    """Only a doubtful post can be settled."""
    given.add(LAMP)
    with refused("thread 1 is unsure on no channel (news: queued); there is nothing to settle"):
        given.changes.settle(1, None)
    assert given.queries.queue()[0].state is DeliveryState.QUEUED


def shows(text: str, folder: Path) -> Intake:
    """A text, and the picture lamp.jpg beside it."""
    put(folder, lamp_jpg=jpeg(40, 30))
    return understand("file.txt", text.encode(), files=FolderFiles(folder))


def test_descriptions_are_required_where_a_channel_says_so(given: Setting, tmp_path: Path) -> None:
    """Masto wants them: a thread for it waits while one is missing, and a thread for news alone does not."""
    undescribed = shows("1/ The lamp.\n![](lamp.jpg)\n2/ It was lit. /end\n", tmp_path)
    (news,) = given.threads.add([undescribed], channels=["news"])
    assert [one.state for one in news.added.deliveries] == [DeliveryState.QUEUED]
    (both,) = given.threads.add([undescribed], channels=["masto"])
    (held,) = both.added.deliveries
    assert held.reason.startswith("lamp.jpg (line 2) has no description")
    number = both.added.thread_id or 0
    (still,) = given.threads.edit(number, "1/ The old lamp.\n![](lamp.jpg)\n2/ It was lit. /end\n")
    assert still.reason == held.reason
    (after,) = given.threads.edit(number, "1/ The lamp.\n![A lamp](lamp.jpg)\n2/ It was lit. /end\n")
    assert (after.state, after.code) == (DeliveryState.HELD, Code.UNCONFIRMED)
    given.changes.apply(number, Event.RELEASE)
    (again,) = given.threads.edit(number, undescribed.text)
    assert (again.state, again.reason) == (DeliveryState.HELD, held.reason)


def test_no_part_goes_on_without_a_description(given: Setting, tmp_path: Path) -> None:
    """What would be public at once is refused, and nothing is changed."""
    (one,) = given.threads.add([understand("file.txt", LAMP.encode())], channels=["masto"])
    more = shows("3/ The sea.\n![](lamp.jpg)\n", tmp_path)
    with pytest.raises(InputError, match=r"lamp.jpg has no description; on masto it is required"):
        given.threads.extend(one.added.thread_id or 0, more)
    assert given.whats() == ["add"]
    assert given.threads.extend(
        one.added.thread_id or 0, shows("3/ The sea.\n![A lamp](lamp.jpg)\n", tmp_path)
    )
