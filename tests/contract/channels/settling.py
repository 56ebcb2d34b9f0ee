"""The part of the channel contract that is about posts of unknown fate, and about taking posts down.

A channel that cannot do the one or the other says so in its harness, and then has to say so itself.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.contract.channels.harness import SURVIVORS, Harness, looked_up, post, posted
from threadcast.bot.channels.port import Channel, Landmark
from threadcast.queue.outcomes import Absent, Blind, Refused, Sent, Unknown, Unreached


async def earlier(channel: Channel, harness: Harness) -> Landmark | None:
    """A post that was there before, on channels that can look for a first post only behind another."""
    if not harness.needs_landmark:
        return None
    return Landmark((await posted(channel, "0/ earlier", key="earlier")).remote_id, "0/ earlier")


class SettlingContract:
    """What every channel does."""

    @pytest.fixture
    def harness(self) -> Harness:
        raise NotImplementedError("the subclass supplies its platform")

    @pytest.fixture
    async def channel(self, harness: Harness) -> AsyncIterator[Channel]:
        channel = harness.channel()
        yield channel
        await channel.close()

    @pytest.mark.parametrize("text", SURVIVORS)
    async def test_what_was_sent_is_found(self, channel: Channel, harness: Harness, text: str) -> None:
        """A post that was sent is found under the id and the address that were told, first or reply."""
        landmark = await earlier(channel, harness)
        first = await posted(channel, text, key="1")
        reply = await posted(channel, f"2/ {text}", parent=first.remote_id, key="2")
        before = harness.seen()
        looks = [
            await looked_up(channel, harness, text, key="1", landmark=landmark),
            await looked_up(
                channel,
                harness,
                f"2/ {text}",
                parent=first.remote_id,
                key="2",
                landmark=Landmark(first.remote_id, text),
            ),
        ]
        assert looks == [first, reply]
        assert harness.seen() == before

    async def test_what_was_never_sent_is_absent(self, channel: Channel, harness: Harness) -> None:
        """A post that was never sent is absent, on an empty channel and beside others, first or reply."""
        nothing = await looked_up(channel, harness, "1/ never", key="0")
        first = await posted(channel, "1/ a lamp", key="1")
        reply = await posted(channel, "2/ a tower", parent=first.remote_id, key="2")
        landmark = Landmark(reply.remote_id, "2/ a tower")
        looks = [
            await looked_up(channel, harness, "1/ never", key="3", landmark=landmark),
            await looked_up(channel, harness, "3/ never", parent=reply.remote_id, key="4", landmark=landmark),
        ]
        assert all(isinstance(look, Absent) for look in looks), looks
        assert isinstance(nothing, Blind if harness.needs_landmark else Absent)
        assert [s.text for s in harness.seen()] == ["1/ a lamp", "2/ a tower"]

    async def test_a_text_that_comes_again_in_a_chain(self, channel: Channel, harness: Harness) -> None:
        """In a chain of equal texts the post is told from the one before it, there or not."""
        first = await posted(channel, "again", key="1")
        landmark = Landmark(first.remote_id, "again")
        before = await looked_up(
            channel, harness, "again", parent=first.remote_id, key="2", landmark=landmark
        )
        second = await posted(channel, "again", parent=first.remote_id, key="2")
        after = await looked_up(channel, harness, "again", parent=first.remote_id, key="2", landmark=landmark)
        assert (before, after) == (Absent(), second)

    async def test_how_it_is_settled(self, channel: Channel) -> None:
        """A channel looks within minutes, and trusts no key for longer than its server does."""
        settling = channel.settling
        assert settling.misses >= 1
        assert timedelta(0) <= settling.first_look <= timedelta(minutes=10)
        assert timedelta(0) <= settling.apart <= timedelta(minutes=10)
        assert timedelta(0) <= settling.key_life < timedelta(hours=1)

    async def test_a_post_is_taken_down(self, channel: Channel, harness: Harness) -> None:
        """A post that is taken down is gone, for a second call and a look too; the others stay."""
        first = await posted(channel, "1/ a lamp", key="1")
        second = await posted(channel, "2/ a tower", parent=first.remote_id, key="2")
        downs = [await channel.take_down(second.remote_id) for _ in range(2)]
        assert downs == [Absent(), Absent()]
        assert [s.text for s in harness.seen()] == ["1/ a lamp"]
        landmark = Landmark(first.remote_id, "1/ a lamp")
        look = await looked_up(
            channel, harness, "2/ a tower", parent=first.remote_id, key="2", landmark=landmark
        )
        assert look == Absent()


class RemoteSettlingContract(SettlingContract):
    """What every channel with a server behind it does when the server does not do its part."""

    async def test_a_lost_answer_is_settled(self, channel: Channel, harness: Harness) -> None:
        """A post whose answer was lost is found, first or reply, and nothing is posted for it."""
        landmark = await earlier(channel, harness)
        harness.lose_answer()
        assert isinstance(await post(channel, "1/ into the fog", key="1"), Unknown)
        fog = harness.seen()[-1]
        first = await looked_up(channel, harness, "1/ into the fog", key="1", landmark=landmark)
        harness.lose_answer()
        assert isinstance(await post(channel, "2/ and out", parent=fog.remote_id, key="2"), Unknown)
        reply = await looked_up(
            channel,
            harness,
            "2/ and out",
            parent=fog.remote_id,
            key="2",
            landmark=Landmark(fog.remote_id, "1/ into the fog"),
        )
        out = [s for s in harness.seen() if landmark is None or s.remote_id != landmark.remote_id]
        assert len(out) == 2
        assert isinstance(first, Sent)
        assert isinstance(reply, Sent)
        assert [first.remote_id, reply.remote_id] == [s.remote_id for s in out]

    async def test_looking_at_a_stopped_server(self, channel: Channel, harness: Harness) -> None:
        """Where no server answers, a post is neither found nor absent, nor taken down: ask again later."""
        sent = await posted(channel, "1/ is anyone there?")
        harness.stop()
        look = await looked_up(channel, harness, "1/ is anyone there?")
        down = await channel.take_down(sent.remote_id)
        assert isinstance(look, Unreached)
        assert isinstance(down, Unreached)
        assert look.reason
        assert down.reason
        assert harness.secret not in repr((look, down))

    async def test_looking_with_a_revoked_token(self, channel: Channel, harness: Harness) -> None:
        """With a revoked token nothing is seen and nothing deleted: a person is told, the token is not."""
        sent = await posted(channel, "1/ who am I?")
        harness.revoke()
        look = await looked_up(channel, harness, "1/ who am I?")
        down = await channel.take_down(sent.remote_id)
        assert isinstance(look, Blind)
        assert isinstance(down, Refused)
        assert look.reason
        assert down.reason
        assert harness.secret not in repr((look, down))
