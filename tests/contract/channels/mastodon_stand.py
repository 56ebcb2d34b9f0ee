"""A Mastodon channel on a server for tests, and the time there."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.servers.http import LoopbackServer
from tests.servers.mastodon.server import TOKEN
from threadcast.bot.channels.mastodon.channel import MastodonChannel
from threadcast.config.logs import conceal
from threadcast.queue.compose.compose import Numbering

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
    settings = {"url": server.url, "token": TOKEN, "numbering": Numbering.KEEP, "clock": lambda: NOW}
    return MastodonChannel("masto", **{**settings, **changes})
