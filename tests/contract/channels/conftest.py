"""What the tests of a Mastodon account share."""

from collections.abc import AsyncIterator

import pytest

from tests.contract.channels.mastodon_stand import Clock, standing
from tests.servers.mastodon.server import MastodonServer
from threadcast.bot.channels.mastodon.channel import MastodonChannel


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def stand(clock: Clock) -> AsyncIterator[tuple[MastodonServer, MastodonChannel]]:
    async with standing(clock=clock) as stand:
        yield stand


@pytest.fixture
def server(stand: tuple[MastodonServer, MastodonChannel]) -> MastodonServer:
    return stand[0]


@pytest.fixture
def channel(stand: tuple[MastodonServer, MastodonChannel]) -> MastodonChannel:
    return stand[1]
