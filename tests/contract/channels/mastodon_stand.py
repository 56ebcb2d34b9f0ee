"""A Mastodon channel on a server for tests, and the time there."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.http import LoopbackServer
from tests.servers.mastodon.server import TOKEN, MastodonServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.config.channels import MastodonChannelSettings
from threadcast.config.logs import conceal

NOW = datetime(2026, 5, 4, 9, 30, 12, tzinfo=UTC)


class Clock:
    """A clock that a test turns."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **by: float) -> None:
        self.now += timedelta(**by)


def make_channel(server: LoopbackServer, **changes: Any) -> MastodonChannel:
    conceal((TOKEN,))  # as the settings do
    named = ("clock", "timeout", "settle_after", "files", "rest")
    own = {name: changes.pop(name) for name in named if name in changes}
    settings = MastodonChannelSettings(name="masto", **{"url": server.url, "token": TOKEN, **changes})
    return MastodonChannel(settings, **{"clock": lambda: NOW, **own})


@asynccontextmanager
async def standing(
    *, clock: Callable[[], datetime] = lambda: NOW, scopes: Iterable[str] = ("read", "write"), **changes: Any
) -> AsyncIterator[tuple[MastodonServer, MastodonChannel]]:
    """A server with one account, and the channel on it."""
    with MastodonServer(clock=clock, **changes) as server:
        server.add_account(scopes=scopes)
        channel = make_channel(server, clock=clock)
        yield server, channel
        await channel.close()
