"""The part of the channel contract that is about looking before a chain and along it, without posting.

A channel that cannot do the one or the other yet says so in its harness.
"""

import pytest

from tests.contract.channels.harness import Harness, posted
from threadcast.bot.channels.port import Channel, Expected, Named
from threadcast.queue.outcomes import Blind, Refused, Unreached


async def published(channel: Channel) -> list[Expected]:
    """A chain of three posts."""
    chain: list[Expected] = []
    for number in (1, 2, 3):
        text, parent = f"{number}/ part {number}", chain[-1].remote_id if chain else None
        sent = await posted(channel, text, parent=parent, key=f"key {number}")
        chain.append(Expected(number, sent.remote_id, text, parent))
    return chain


class AuditContract:
    """What every channel does."""

    async def test_an_audit_of_what_was_sent(self, channel: Channel, harness: Harness) -> None:
        """A chain that is as it was sent has no differences, and an audit leaves nothing behind."""
        chain = await published(channel)
        before = harness.seen()
        found = await channel.audit(chain)
        assert found == ()
        assert harness.seen() == before

    async def test_an_audit_of_a_broken_chain(self, channel: Channel, harness: Harness) -> None:
        """A post that was deleted by hand is missing; the first, which was not touched, is as it was."""
        chain = await published(channel)
        harness.delete(chain[1].remote_id)
        found = await channel.audit(chain)
        assert isinstance(found, tuple)
        assert ("missing", 2) in {(difference.kind, difference.position) for difference in found}
        assert 1 not in {difference.position for difference in found}
        assert all(difference.detail for difference in found)

    async def test_a_post_that_a_person_names(self, channel: Channel, harness: Harness) -> None:
        """A post is found by its id and by its address, and looking leaves nothing behind."""
        chain = await published(channel)
        sent = await posted(channel, "4/ part 4", parent=chain[-1].remote_id, key="key 4")
        before = harness.seen()
        assert sent.url is not None
        for address in (sent.remote_id, sent.url, f" {sent.url} "):
            assert await channel.find(address, ["another", "4/ part 4"]) == Named(sent)
        assert harness.seen() == before

    async def test_another_post_that_a_person_names(self, channel: Channel) -> None:
        """Of a post with another text it is said what it shows; it is for a person to judge."""
        chain = await published(channel)
        found = await channel.find(chain[1].remote_id, ["3/ part 3"])
        assert found.sent is not None
        assert found.sent.remote_id == chain[1].remote_id
        assert "2/ part 2" in found.doubt

    @pytest.mark.parametrize(
        "said",
        ["yes I see it", "no", "", "9", "https://t.me/other_channel/5", "https://social.example/@me/113"],
    )
    async def test_what_names_no_post(self, channel: Channel, said: str) -> None:
        """What is no id and no link of a post of this channel is never taken for one; it is said why."""
        await published(channel)
        found = await channel.find(said, ["3/ part 3"])
        assert found.sent is None
        assert found.doubt

    async def test_a_good_channel_may_post(self, channel: Channel, harness: Harness) -> None:
        """A good channel may post, asked twice, and after a post too; asking posts nothing."""
        assert [await channel.preflight() for _ in range(2)] == [None, None]
        assert harness.seen() == []
        await posted(channel, "1/ part 1")
        assert await channel.preflight() is None
        assert len(harness.seen()) == 1


class RemoteAuditContract:
    """What every channel with a server behind it does when the server does not do its part."""

    async def test_a_post_named_at_a_stopped_server(self, channel: Channel, harness: Harness) -> None:
        """A post that cannot be looked at is in doubt, with its id; what is no id is none all the same."""
        chain = await published(channel)
        harness.stop()
        found = await channel.find(chain[0].remote_id, [chain[0].text])
        assert found.sent is not None
        assert (found.sent.remote_id, bool(found.doubt)) == (chain[0].remote_id, True)
        assert (await channel.find("yes", [chain[0].text])).sent is None

    async def test_an_audit_at_a_stopped_server(self, channel: Channel, harness: Harness) -> None:
        """Where no server answers, no chain is called different, and none begun: ask again later."""
        chain = await published(channel)
        harness.stop()
        found, fault = await channel.audit(chain), await self._anew(harness)
        assert isinstance(found, Unreached)
        assert found.reason
        assert isinstance(fault, Unreached)
        assert harness.secret not in repr((found, fault))

    async def test_an_audit_with_a_revoked_token(self, channel: Channel, harness: Harness) -> None:
        """With a revoked token a chain cannot be compared nor begun: a person is told, the token is not."""
        chain = await published(channel)
        harness.revoke()
        found, fault = await channel.audit(chain), await self._anew(harness)
        assert isinstance(found, Blind)
        assert found.reason
        assert isinstance(fault, Refused)
        assert harness.secret not in repr((found, fault))

    async def _anew(self, harness: Harness) -> object:
        """What a channel that remembers nothing says before a chain."""
        channel = harness.channel()
        try:
            return await channel.preflight()
        finally:
            await channel.close()
