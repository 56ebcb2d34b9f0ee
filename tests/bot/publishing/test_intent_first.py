"""The intent is on disk before the request leaves, and where it cannot be, no request leaves."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.bot.publishing.scripted import FakeClock, ScriptedChannel, wish
from tests.queue.store.fresh import fresh_database
from tests.servers.http import Answer, LoopbackServer, Request
from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.bot.channels.port import Channel, Clock
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.config.channels import MastodonChannelSettings, TelegramChannelSettings
from threadcast.queue.errors import Fault, LeaseLostError, StoreError
from threadcast.queue.model import Delivery, Intent, PostRecord
from threadcast.queue.states import DeliveryState, PostState
from threadcast.queue.store.database import Database, open_database
from threadcast.queue.store.work import Work

Recorded = tuple[Delivery, PostRecord | None]

FULL = StoreError(Fault.FULL, place="the database", cause="no space")
LOST = LeaseLostError(Fault.LEASE_LOST, thread_id=1, channel="news", worker="one")


class Failing(Work):
    """A queue that cannot be written between the first post and the second."""

    def __init__(self, database: Database, error: StoreError) -> None:
        super().__init__(database.transactions)
        self._error = error

    def record(self, *args: Any, following: Intent | None = None, **kwargs: Any) -> Recorded:
        if following is not None:
            raise self._error
        return super().record(*args, **kwargs)


@pytest.mark.parametrize("error", [FULL, LOST])
async def test_an_intent_that_is_not_written(tmp_path: Path, error: StoreError) -> None:
    """Where the intent does not get to the disk, the post is not sent, and nothing is said about it."""
    clock, database = FakeClock(), fresh_database()
    database.work = Failing(database, error)
    channel = ScriptedChannel("news", tmp_path, clock)
    (added,) = database.threads.add([wish("news")], now=clock(), actor="test")
    working = Publisher(database, channel, worker="one", clock=clock, stop=Stop()).publish()
    if isinstance(error, LeaseLostError):
        assert await working is not None
    else:
        with pytest.raises(StoreError, match="full"):
            await working
    assert [outgoing.text for outgoing in channel.script.asked] == ["1/ lamp 1"]
    states = [post.state for post in database.reading.posts(added.deliveries[0].id)]
    assert states == [PostState.SENDING, PostState.PLANNED, PostState.PLANNED]


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
    settings = TelegramChannelSettings(name="news", chat="@lighthouses", token=SecretStr(TELEGRAM_TOKEN))
    return TelegramChannel(settings, bot=make_bot(TELEGRAM_TOKEN, api_url=url), clock=clock)


def on_mastodon(url: str, clock: Clock) -> Channel:
    settings = MastodonChannelSettings(name="news", url=url, token=SecretStr(MASTODON_TOKEN))
    return MastodonChannel(settings, clock=clock)


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
    assert isinstance(published, Delivery)
    assert published.state is DeliveryState.PUBLISHED
    texts = [*(f"{number}/ lamp {number}" for number in range(1, 12)), "12/ lamp /end"]
    assert network.witnessed == [(text, "sending", 1) for text in texts]
