"""The Mastodon API server for tests counts as Mastodon does, and keeps a key as long.

The rest of what it does is made by the suites of the channel, which read it through Mastodon.py.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.channels.harness import posted
from tests.contract.channels.mastodon_stand import Clock, make_channel
from tests.servers.mastodon.server import MastodonServer
from tests.servers.mastodon.text import countable_length
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
