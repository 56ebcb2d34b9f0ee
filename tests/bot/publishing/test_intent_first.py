"""The intent is on disk before the request leaves, and where it cannot be, no request leaves."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.bot.publishing.scripted import FakeClock, ScriptedChannel, wish
from tests.queue.store.fresh import fresh_database
from tests.servers.http import Answer, LoopbackServer, Request
from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.channels.local.timeline import read_newest
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.port import Channel, Clock, Outgoing
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.bot.publishing.promptly import Pending
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.publishing.stop import Stop
from threadcast.queue.compose.compose import Numbering
from threadcast.queue.model import LeaseLostError, StoreError
from threadcast.queue.states import DeliveryState, Outcome, PostState
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.work import Work


class SlowDisk(Work):
    """A queue whose step from one post to the next takes until `disk` is set, and comes to what it says."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.transactions)
        self.disk = Pending()

    def advance(self, *args: Any, almost: Callable[[], None] = lambda: None, **kwargs: Any) -> None:
        def wait() -> None:
            almost()
            self.disk.wait(10)
            self.disk.check()

        super().advance(*args, almost=wait, **kwargs)


class Replying(ScriptedChannel):
    """Says when it is asked for a reply; that stands at its gate then, for the disk takes its time."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.replying = asyncio.Event()

    async def send(self, outgoing: Outgoing) -> Outcome:
        if outgoing.parent is not None:
            self.replying.set()
        return await super().send(outgoing)


class House:
    """A chain of three posts, whose first goes out at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = FakeClock()
        self.database = fresh_database()
        self.database.work = self.work = SlowDisk(self.database)
        self.stop = Stop()
        self.channel = Replying("news", folder, self.clock)
        self.publisher = Publisher(
            self.database, self.channel, worker="one", clock=self.clock, stop=self.stop
        )
        (added,) = self.database.threads.add([wish("news")], now=self.clock(), actor="test")
        self.delivery = added.deliveries[0].id

    @property
    def out(self) -> list[str]:
        """What is on the timeline, oldest first."""
        timeline = read_newest(self.folder / "news.jsonl")
        return [entry.text for entry in timeline.entries] if timeline else []

    def states(self) -> list[PostState]:
        return [post.state for post in self.database.reading.posts(self.delivery)]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def test_the_request_waits_for_the_disk(house: House) -> None:
    """While the disk takes its time the next post is asked for, and goes out when the disk is done."""
    working = asyncio.create_task(house.publisher.publish())
    await house.channel.replying.wait()
    assert house.out == ["1/ lamp 1"]

    house.work.disk.finish()

    published = await working
    assert published is not None
    assert published.state is DeliveryState.PUBLISHED
    assert house.out == ["1/ lamp 1", "2/ lamp 2", "3/ lamp /end"]


@pytest.mark.parametrize("error", [StoreError("the disk is full"), LeaseLostError("another worker has it")])
async def test_a_commit_that_fails(house: House, error: StoreError) -> None:
    """Where the intent does not get to the disk, the post is not sent, and nothing is said about it."""
    working = asyncio.create_task(house.publisher.publish())
    await house.channel.replying.wait()

    house.work.disk.finish(error)

    if isinstance(error, LeaseLostError):
        assert await working is not None
    else:
        with pytest.raises(StoreError, match="full"):
            await working
    assert house.out == ["1/ lamp 1"]
    assert house.states() == [PostState.SENDING, PostState.PLANNED, PostState.PLANNED]


async def test_a_service_that_stops_at_the_gate(house: House) -> None:
    """Where nobody can wait any longer and the request is still here, the post is known not to be out."""
    working = asyncio.create_task(house.publisher.publish())
    await house.channel.replying.wait()

    house.stop.asked.set()
    house.stop.now.set()
    await asyncio.sleep(0)
    house.work.disk.finish()

    stopped = await working
    assert stopped is not None
    assert (stopped.state, stopped.sent) == (DeliveryState.PUBLISHING, 1)
    assert house.out == ["1/ lamp 1"]
    assert house.states() == [PostState.SENT, PostState.PLANNED, PostState.PLANNED]


class Witness(LoopbackServer):
    """Notes, when the request for a post has come in, what the database says of that post."""

    def __init__(self, database: Path) -> None:
        self.witnessed: list[tuple[str, str, int]] = []
        self._database = database

    def answer(self, request: Request) -> Answer:
        if request.method == "POST" and request.path.lower().endswith(("/sendmessage", "/statuses")):
            form = request.form or request.json
            (text,) = form["text" if "text" in form else "status"]
            with closing(sqlite3.connect(self._database)) as looking:
                state, tries = looking.execute(
                    "SELECT state, tries FROM posts WHERE text = ?", (text,)
                ).fetchone()
            self.witnessed.append((text, state, tries))
        return super().answer(request)


class TelegramWitness(Witness, TelegramServer):
    def __init__(self, database: Path) -> None:
        TelegramServer.__init__(self)
        Witness.__init__(self, database)
        self.add_bot()
        self.add_chat(username="lighthouses")


class MastodonWitness(Witness, MastodonServer):
    def __init__(self, database: Path) -> None:
        MastodonServer.__init__(self)
        Witness.__init__(self, database)
        self.add_account()


def on_telegram(url: str, clock: Clock) -> Channel:
    return TelegramChannel(
        "news", bot=make_bot(TELEGRAM_TOKEN, api_url=url), chat="@lighthouses", clock=clock
    )


def on_mastodon(url: str, clock: Clock) -> Channel:
    return MastodonChannel("news", url=url, token=MASTODON_TOKEN, numbering=Numbering.KEEP, clock=clock)


@pytest.mark.parametrize(
    ("server", "connect"),
    [
        pytest.param(TelegramWitness, on_telegram, id="telegram"),
        pytest.param(MastodonWitness, on_mastodon, id="mastodon"),
    ],
)
async def test_each_server_finds_the_intent(
    tmp_path: Path, server: Callable[[Path], Witness], connect: Callable[[str, Clock], Channel]
) -> None:
    """When a server has received a post, the database file says already that this post may be out."""
    file = tmp_path / "queue.sqlite3"
    clock = FakeClock(datetime.now(UTC))
    with closing(open_database(f"sqlite:///{file}")) as database, server(file) as network:
        channel = connect(network.url, clock)
        database.threads.add([wish("news", parts=12, due=clock())], now=clock(), actor="test")
        publisher = Publisher(database, channel, worker="one", clock=clock, stop=Stop())
        published = await publisher.publish()
        await channel.close()
    assert published is not None
    assert published.state is DeliveryState.PUBLISHED
    texts = [*(f"{number}/ lamp {number}" for number in range(1, 12)), "12/ lamp /end"]
    assert network.witnessed == [(text, "sending", 1) for text in texts]
