"""What a channel says holds no secret, whatever a server says to it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.fuzzing import BEARER, CHAT, SERVER, STATUS, Babbler, everything, mastodon_on
from tests.servers.http import Response
from threadcast.bot.channels.mastodon.errors import ODD_ID
from threadcast.bot.channels.port import Expected, NotReadyError, Outgoing, Sought
from threadcast.queue.outcomes import Blind, Sent, Unknown

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def server() -> Iterator[Babbler]:
    with Babbler() as server:
        yield server


def say(server: Babbler, *contents: Any, status: int = 200) -> None:
    server.say([Response(status, content, {"Content-Type": "application/json"}) for content in contents])


async def test_an_address_with_a_token(server: Babbler) -> None:
    """A post whose address repeats the token is kept without an address."""
    channel = mastodon_on(server.url)
    say(server, STATUS | {"url": f"https://a.example/@me/101?token={BEARER}"})
    assert await channel.send(Outgoing(text="x", parent=None, key="k")) == Sent("101", None)
    say(server, STATUS)
    assert await channel.send(Outgoing(text="x", parent=None, key="k")) == Sent("101", STATUS["url"])
    await channel.close()


async def test_an_id_that_is_the_token(server: Babbler) -> None:
    """A post that the server names by the token is nothing to build on: a person has to look."""
    channel = mastodon_on(server.url)
    say(server, STATUS | {"id": BEARER})
    assert await channel.send(Outgoing(text="x", parent=None, key="k")) == Unknown(ODD_ID)
    await channel.close()


async def test_reasons_and_findings(server: Babbler) -> None:
    """Reasons, findings, differences and what could not be seen are told without the token."""
    channel = mastodon_on(server.url)
    assert (channel.name, channel.kind, channel.target) == ("masto", "mastodon", server.url)
    assert channel.settling.first_look >= timedelta(0)
    assert BEARER not in repr(channel)
    say(server, {"error": f"what is {BEARER}"}, status=422)
    with pytest.raises(NotReadyError) as caught:
        await channel.rules()
    assert "what is ***" in str(caught.value) or "•••" in str(caught.value)
    say(server, SERVER | {"version": f"4.6.0+{BEARER}"})
    assert "4.6.0+***" in " ".join(found.what for found in await channel.check())
    assert (await channel.rules()).limit == 500
    say(server, SERVER | {"scopes": [BEARER, "write"]})
    assert "scopes: *** write" in " ".join(found.what for found in await channel.check())
    for content in (CHAT, STATUS, [STATUS | {"id": BEARER}], {"error": BEARER}):
        say(server, content)
        await everything(channel, BEARER)
    sought = Sought(text="x", parent="7", key="k", since=NOON, landmark=None)
    say(server, {"error": BEARER}, status=403)
    found = await channel.look_up(sought)
    assert isinstance(found, Blind)
    assert BEARER not in found.reason
    assert BEARER not in str(await channel.audit([Expected(1, "7", "x", None)]))
    await channel.close()
