"""Files on their way: every one is looked at before the first post, and noted before it is sent."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.bot.media.drawn import jpeg, put
from tests.bot.publishing.scripted import START, ScriptedChannel
from tests.queue.store.fresh import fresh_database
from threadcast.bot.channels.media import TELEGRAM_FILES, TELEGRAM_PICTURES, ChannelFiles, Uploads
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.sources import FolderFiles
from threadcast.bot.media.store import MediaStore
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.queue.model import ChannelSeen, Delivery, NewDelivery, NewThread
from threadcast.queue.outcomes import Code, Obstacle, Refused, Throttled
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database
from threadcast.queue.text.parse import parse

TEXT = "1/ One\n2/ Two\n![x](a.jpg)\n3/ Three\n![y](b.jpg)\n![z](a.jpg)\n/end"


class Accepting(ChannelFiles):
    """Takes files before the post; it answers with `faults` first, None for none."""

    def __init__(self, folder: Path, *faults: Obstacle | Exception | None) -> None:
        super().__init__(MediaStore(folder), TELEGRAM_FILES, TELEGRAM_PICTURES)
        self.faults = list(faults)
        self.taken = 0

    async def accept(self, media: object, uploads: Uploads) -> Uploads | Obstacle:
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None or uploads:
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
