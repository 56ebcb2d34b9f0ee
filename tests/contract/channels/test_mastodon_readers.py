"""What a Mastodon server tells of readers, as the real one counts."""

import pytest

from tests.contract.channels.harness import posted
from tests.contract.channels.mastodon_stand import standing
from tests.servers.http import Response
from threadcast.bot.channels.port import Readers
from threadcast.queue.outcomes import Blind, Throttled, Unreached


async def test_figures() -> None:
    """Favourites and boosts are told as they are; of replies those of others, whoever wrote the chain."""
    async with standing() as (server, channel):
        reader = server.add_account(token="reader")
        first = await posted(channel, "1/ The lamp", key="a")
        second = await posted(channel, "2/ burns", parent=first.remote_id, key="b")
        server.react(first.remote_id, favourites=7, boosts=2)
        server.write(reader, "how nice", first.remote_id)
        server.write(reader, "is it?", second.remote_id)
        assert server.statuses()[0].replies == 2
        assert channel.readership is not None
        assert await channel.readership.of([first.remote_id, second.remote_id]) == {
            first.remote_id: Readers(7, 2, 1),
            second.remote_id: Readers(0, 0, 1),
        }


async def test_replies_that_are_not_counted() -> None:
    """A chain whose replies are for followers is not counted among them, and takes nothing from others'."""
    async with standing() as (server, channel):
        channel._settings = channel._settings.model_copy(update={"reply_visibility": "private"})
        first = await posted(channel, "1/ The lamp", key="a")
        second = await posted(channel, "2/ burns", parent=first.remote_id, key="b")
        server.write(server.add_account(token="reader"), "how nice", first.remote_id)
        found = await channel.readership.of([first.remote_id, second.remote_id])
        assert not isinstance(found, Throttled | Unreached | Blind)
        assert found[first.remote_id].replies == 1


@pytest.mark.parametrize(("status", "kind"), [(503, Unreached), (403, Blind), (429, Throttled)])
async def test_a_server_that_does_not_tell(status: int, kind: type) -> None:
    """A server that cannot answer, or does not want to, is said to be so."""
    async with standing() as (server, channel):
        first = await posted(channel, "1/ The lamp")
        server.instead("GET .*/statuses/.*", Response(status))
        found = await channel.readership.of([first.remote_id])
        assert isinstance(found, kind), found
