"""Files on their way: every one is looked at before the first post, and noted before it is sent."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.media.drawn import jpeg, put
from tests.bot.publishing.scripted import START, ScriptedChannel, Step
from tests.queue.store.fresh import fresh_database
from tests.servers.bucket import BucketServer, running
from threadcast.bot.channels.media import TELEGRAM_FILES, TELEGRAM_PICTURES, ChannelFiles, Uploads
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.sources import FolderFiles
from threadcast.bot.media.store import MediaStore, open_store
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.config.settings import load
from threadcast.queue.model import ChannelSeen, Delivery, NewDelivery, NewThread
from threadcast.queue.outcomes import Code, Obstacle, Refused, Throttled
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.store.database import Database
from threadcast.queue.text.media import NOT_THERE
from threadcast.queue.text.parse import parse

TEXT = "1/ One\n2/ Two\n![x](a.jpg)\n3/ Three\n![y](b.jpg)\n![z](a.jpg)\n/end"


class Accepting(ChannelFiles):
    """Takes files before the post; it answers with `faults` first, None for none."""

    def __init__(self, folder: Path, *faults: Obstacle | Exception | None) -> None:
        super().__init__(MediaStore(folder), TELEGRAM_FILES, TELEGRAM_PICTURES)
        self.faults = list(faults)
        self.taken = 0

    async def accept(self, media: object, uploads: Uploads, out: str | None = None) -> Uploads | Obstacle:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None or (uploads and NOT_THERE not in uploads):
            return fault or uploads
        self.taken += 1
        return (f"file-{self.taken}",)


def accepting(folder: Path, *faults: Obstacle | Exception | None) -> ScriptedChannel:
    channel = ScriptedChannel("news", folder, lambda: START)
    channel.files = Accepting(folder, *faults)
    return channel


@pytest.fixture
def database(tmp_path: Path) -> Database:
    put(tmp_path, a_jpg=jpeg(), b_jpg=jpeg(30, 30))
    database = fresh_database()
    database.changes.see_channels([ChannelSeen("news", "local", "here")], now=START)
    thread = Attacher(MediaStore(tmp_path)).attach(parse(TEXT)[0], FolderFiles(tmp_path))
    wish = NewDelivery("news", DeliveryState.QUEUED, START)
    database.threads.add([NewThread(thread, "t.txt", (wish,))], now=START, actor="ada")
    return database


async def published(database: Database, channel: ScriptedChannel, *, after: int = 0) -> Delivery:
    def clock() -> datetime:
        return START + timedelta(hours=after)

    delivery = await Publisher(database, channel, worker="w", clock=clock, stop=Stop()).publish()
    assert isinstance(delivery, Delivery)
    return delivery


async def test_files_are_taken_before_the_chain(database: Database, tmp_path: Path) -> None:
    """All files are taken before the first post, their ids are stored with it, and sent with it."""
    channel = accepting(tmp_path)
    delivery = await published(database, channel)
    assert delivery.state is DeliveryState.PUBLISHED
    posts = database.reading.posts(delivery.id)
    assert [post.uploads for post in posts] == [(), ("file-1",), ("file-2",)]
    assert [one.uploads for one in channel.script.asked] == [(), ("file-1",), ("file-2",)]
    shown = [[media.name for media in one.media] for one in channel.script.asked]
    assert shown == [[], ["a.jpg"], ["b.jpg", "a.jpg"]]


async def test_a_file_that_is_refused(database: Database, tmp_path: Path) -> None:
    """Where a file of the last post is refused, the first is not sent either."""
    channel = accepting(tmp_path, None, Refused("a.jpg is gone", Code.CONTENT))
    delivery = await published(database, channel)
    assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "a.jpg is gone")
    assert channel.script.asked == []


@pytest.mark.parametrize("fault", [Throttled(START, "no more files", Code.ROOM), RuntimeError("broken")])
async def test_a_file_that_cannot_go_yet(
    database: Database, tmp_path: Path, fault: Obstacle | Exception
) -> None:
    """Where a file cannot go yet, no post does; later it goes on, and what was taken is not taken twice."""
    channel = accepting(tmp_path, None, fault)
    delivery = await published(database, channel)
    assert (delivery.state, delivery.sent, channel.script.asked) == (DeliveryState.PUBLISHING, 0, [])
    delivery = await published(database, channel, after=1)
    assert isinstance(channel.files, Accepting)
    assert (delivery.state, channel.files.taken) == (DeliveryState.PUBLISHED, 2)


def with_bucket(folder: Path, server: BucketServer) -> ScriptedChannel:
    """A channel on a machine whose files are in a bucket."""
    settings = load({"THREADCAST_DATA": str(folder), **server.environ()}, folder=folder)
    channel = ScriptedChannel("news", folder, lambda: START)
    channel.files = ChannelFiles(open_store(settings), TELEGRAM_FILES, TELEGRAM_PICTURES)
    return channel


async def test_a_store_that_is_away(database: Database, tmp_path: Path) -> None:
    """While the store cannot be reached no chain begins: it waits, longer each time; then it goes its way."""
    with running(tmp_path / "server") as server:
        for name in ("a.jpg", "b.jpg"):
            with (tmp_path / name).open("rb") as file:
                with_bucket(tmp_path / "one", server).files.store.keep(name, file)
    waits = []
    for hour in range(4):
        channel = with_bucket(tmp_path / "other", server)
        delivery = await published(database, channel, after=hour)
        assert (delivery.state, delivery.sent, channel.script.asked) == (DeliveryState.PUBLISHING, 0, [])
        assert "s3://media/a/prefix, where the files are kept, cannot be reached" in delivery.reason
        waits.append(delivery.due - START - timedelta(hours=hour))
    assert (waits[0] < waits[2], waits[1] < waits[3]) == (True, True)  # next to each other, chance may decide
    with running(tmp_path / "server", server.port):
        delivery = await published(database, with_bucket(tmp_path / "other", server), after=4)
    assert delivery.state is DeliveryState.PUBLISHED


async def edited(database: Database, channel: ScriptedChannel, *, minutes: int = 1) -> Delivery:
    """The second part gets another picture, and is edited."""
    (delivery,) = database.reading.deliveries()
    stored = database.reading.thread(delivery.thread_id).thread
    post = database.reading.posts(delivery.id)[1]
    if delivery.state is DeliveryState.PUBLISHED:
        other = replace(post.post, media=(replace(post.post.media[0], description="another"),))
        posts = {delivery.id: {2: replace(post, post=other, uploads=(NOT_THERE,))}}
        now = START + timedelta(minutes=minutes)
        database.threads.correct(delivery.thread_id, stored, stored, posts, now=now, actor="ada")
    return await published(database, channel, after=minutes)


async def test_files_are_taken_before_an_edit(database: Database, tmp_path: Path) -> None:
    """The new file of a post is taken, and its id stored, before it is edited; others are left alone."""
    channel = accepting(tmp_path)
    await published(database, channel)
    (delivery,) = database.reading.deliveries()
    noted: list[tuple[str, ...]] = []

    def look() -> None:
        noted.append(database.reading.posts(delivery.id)[1].uploads)

    channel.script.edits.append(Step(before=look))
    done = await edited(database, channel)
    assert (done.state, noted) == (DeliveryState.PUBLISHED, [("file-3",)])
    assert [text for _, text in channel.script.edited] == ["2/ Two"]
    assert [post.edit for post in database.reading.posts(delivery.id)] == [None, PostState.SENT, None]
    assert len(channel.script.asked) == 3


@pytest.mark.parametrize("fault", [Throttled(START, "no more files", Code.ROOM), RuntimeError("broken")])
async def test_a_file_that_cannot_be_edited_in_yet(
    database: Database, tmp_path: Path, fault: Obstacle | Exception
) -> None:
    """Where the new file cannot go yet, nothing is edited; later it is."""
    channel = accepting(tmp_path, None, None, fault)
    await published(database, channel)
    waiting = await edited(database, channel)
    assert (waiting.state, channel.script.edited) == (DeliveryState.PUBLISHING, [])
    done = await edited(database, channel, minutes=10)
    assert (done.state, len(channel.script.edited)) == (DeliveryState.PUBLISHED, 1)


async def test_a_file_that_an_edit_cannot_have(database: Database, tmp_path: Path) -> None:
    """Where the network refuses the new file, the post stays as it was, with the reason."""
    channel = accepting(tmp_path, None, None, Refused("b.jpg is broken", Code.CONTENT))
    await published(database, channel)
    done = await edited(database, channel)
    second = database.reading.posts(done.id)[1]
    assert (done.state, channel.script.edited) == (DeliveryState.PUBLISHED, [])
    assert (second.edit, second.reason) == (PostState.REFUSED, "b.jpg is broken")


async def test_files_of_posts_are_needed(database: Database, tmp_path: Path) -> None:
    """A file that a thread no longer shows is needed as long as one of its posts may show it."""
    before = database.reading.files()
    await published(database, accepting(tmp_path))
    (delivery,) = database.reading.deliveries()
    stored = database.reading.thread(delivery.thread_id).thread
    bare = replace(stored, parts=tuple(replace(part, media=()) for part in stored.parts))
    database.threads.correct(delivery.thread_id, stored, bare, {}, now=START, actor="ada")
    assert database.reading.files() == before
    changed = {
        post.position: replace(post, post=replace(post.post, media=()), uploads=())
        for post in database.reading.posts(delivery.id)
    }
    posts = {delivery.id: changed}
    database.threads.correct(delivery.thread_id, bare, bare, posts, now=START, actor="ada")
    assert database.reading.files() == frozenset()
