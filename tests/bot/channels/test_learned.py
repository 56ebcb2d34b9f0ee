"""What a server said of itself is remembered for previews, and for nothing else."""

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.queue.store.fresh import fresh_database
from tests.servers.mastodon.manners import GOTOSOCIAL
from tests.servers.mastodon.server import TOKEN, MastodonServer
from threadcast.bot.channels.build import open_channels
from threadcast.bot.channels.learned import LATELY, LONGEST, Learned
from threadcast.bot.channels.mastodon.instance import Instance
from threadcast.bot.channels.port import Channel, Reach
from threadcast.config.logs import conceal
from threadcast.config.settings import load

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BEFORE = Instance("mastodon", "4.5.3", 700, 23)  # what the server below said once


class Place:
    """A queue, and an account on a server whose limit is 500 characters, as commands open it."""

    def __init__(self, folder: Path, server: MastodonServer) -> None:
        server.add_account()
        self.server, self.database, self.time = server, fresh_database(), NOON
        self.learned = Learned(self.database.notes, server.url, lambda: self.time)
        self._settings = load(
            {
                "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
                "THREADCAST_CHANNELS__MASTO__URL": server.url,
                "THREADCAST_CHANNELS__MASTO__TOKEN": TOKEN,
            },
            folder=folder,
        )

    def opened(self, *, lately: bool = True) -> AbstractAsyncContextManager[tuple[Channel, ...]]:
        return open_channels(self._settings, self.database, lambda: self.time, lately=lately)

    async def limit(self, *, lately: bool = True) -> int:
        async with self.opened(lately=lately) as (channel,):
            return (await channel.rules()).limit

    def lose_queue(self) -> None:
        Path(str(self.database.transactions.engine.url.database)).unlink()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with MastodonServer() as server:
        yield Place(tmp_path, server)


async def test_a_preview_asks_once_a_day(place: Place) -> None:
    """A server is asked by the first preview, and again by the first one a day later."""
    assert await place.limit() == 500
    asked = len(place.server.requests)
    assert asked > 0
    place.time += LATELY - SECOND
    assert await place.limit() == 500
    assert len(place.server.requests) == asked
    place.time += SECOND
    assert await place.limit() == 500
    assert len(place.server.requests) > asked


async def test_who_publishes_asks(place: Place) -> None:
    """What posts are made by is asked of the server, and a preview after that goes by it too."""
    place.learned.write(BEFORE)
    assert await place.limit() == 700
    assert await place.limit(lately=False) == 500
    assert await place.limit() == 500


async def test_a_check_asks(place: Place) -> None:
    """After a check, previews go by what the server says now."""
    place.learned.write(BEFORE)
    async with place.opened(lately=False) as (channel,):
        await channel.check()
    assert await place.limit() == 500


async def test_how_far_visitors_see(tmp_path: Path) -> None:
    """How far visitors see a chain is told of a server that was asked lately as of one that is asked."""
    with MastodonServer(manners=GOTOSOCIAL) as server:
        place = Place(tmp_path, server)
        for _ in range(2):
            async with place.opened() as (channel,):
                await channel.rules()
                assert channel.reach == Reach()


@pytest.mark.parametrize(
    "text", ["", "{}", "[" * 5000, '{"at": "2026-06-01T12:00:00Z", "instance": {"limit": "x"}}']
)
async def test_a_note_that_cannot_be_read(place: Place, text: str) -> None:
    """Where the note says nothing that can be understood, the server is asked."""
    place.database.notes.write(f"server:{place.server.url}", 1, text, now=NOON)
    assert await place.limit() == 500


async def test_a_clock_that_was_wrong(place: Place) -> None:
    """What was noted in the future is not believed."""
    place.time += SECOND
    place.learned.write(BEFORE)
    place.time = NOON
    assert await place.limit() == 500


async def test_a_queue_that_is_gone(place: Place) -> None:
    """Where nothing can be noted, what the server says is gone by all the same."""
    async with place.opened() as (channel,):
        place.lose_queue()
        assert (await channel.rules()).limit == 500


@pytest.mark.parametrize("version", ["4.6.0+a-secret-to-keep", "4" * LONGEST, "4\ud800"])
def test_what_is_not_noted(place: Place, version: str) -> None:
    """A secret that the server repeats is not written down, nor what is too long or no Unicode."""
    conceal(("a-secret-to-keep",))
    place.learned.write(Instance("mastodon", version, 700, 23))
    assert place.learned.read() is None


def test_accounts_that_share_a_server(place: Place) -> None:
    """What is noted already is written again after half its time: a thousand accounts ask at once."""
    place.learned.write(BEFORE)
    place.time += LATELY / 2 - SECOND
    place.learned.write(BEFORE)
    place.time += LATELY / 2 + SECOND
    assert place.learned.read() is None
    place.learned.write(BEFORE)
    place.time += LATELY / 2
    place.learned.write(BEFORE)
    place.time += LATELY / 2
    assert place.learned.read() == BEFORE
