"""The Mastodon API server for tests counts as Mastodon does, and keeps a key as long.

The rest of what it does is made by the suites of the channel, which read it through Mastodon.py.
"""

import re
from dataclasses import replace

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.channels.harness import posted
from tests.contract.channels.mastodon_stand import Clock, make_channel
from tests.servers.mastodon.oauth import browse
from tests.servers.mastodon.server import MastodonServer
from tests.servers.mastodon.text import countable_length
from threadcast.bot.channels.mastodon.errors import CallError
from threadcast.bot.channels.mastodon.oauth.application import BY_PASTE, SCOPES, exchange, register
from threadcast.config.proxies import DIRECT
from threadcast.queue.compose import length as measure

WORDS = (
    "lamp|tower,|👩‍👩‍👧‍👦|#sea|@a@b.example.org|https://example.org/a|http://a.io.|1/|\n\n|é|a.io/b|http://x"
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS.split("|")), max_size=30))
def test_two_measures_agree(words: list[str]) -> None:
    """What the server counts is what our measure counts, on what people write."""
    text = " ".join(words).strip()
    assert countable_length(text, spoiler="", url_length=23) == measure.mastodon(text)


async def test_a_key_is_kept_for_an_hour() -> None:
    """The same key gives the same status for an hour, whatever the text; then a new one."""
    clock = Clock()
    with MastodonServer(clock=clock) as server:
        server.add_account()
        channel = make_channel(server, clock=clock)
        first = await posted(channel, "1/ The lamp")
        clock.turn(seconds=3599)
        assert await posted(channel, "something else") == first
        clock.turn(seconds=1)
        assert await posted(channel, "1/ The lamp") != first
        await channel.close()
        assert len(server.statuses()) == 2


def test_a_code_is_good_once_and_for_one() -> None:
    """An application gets what it registered for and was allowed, by a code that is good once, in time."""
    clock = Clock()
    with MastodonServer(clock=clock) as server:
        server.oauth.signed_in = server.add_account(scopes=())
        with pytest.raises(CallError):  # an address that is none
            register(server.url, "nowhere", DIRECT)
        one, other = (register(server.url, BY_PASTE, DIRECT) for _ in range(2))
        assert server.oauth.apps[one.number].scopes == set(SCOPES[0].split())
        wider = replace(one, scopes="read write").address()
        assert requests.get(wider, timeout=10).status_code == 400
        assert requests.get(replace(one, number="x").address(), timeout=10).status_code == 401

        def code() -> str:
            found = re.search("<code>(.*)</code>", browse(one.address()).text)
            assert found
            return found[1]

        for wrong in (other, replace(one, secret="x"), replace(one, redirect=server.url)):
            with pytest.raises(CallError, match="code"):
                exchange(wrong, code(), DIRECT)
        late, good = code(), ""
        clock.turn(seconds=601)
        with pytest.raises(CallError):
            exchange(one, late, DIRECT)
        good = code()
        token = exchange(one, good, DIRECT)
        assert server.accounts[token].scopes == set(SCOPES[0].split())
        with pytest.raises(CallError):
            exchange(one, good, DIRECT)
