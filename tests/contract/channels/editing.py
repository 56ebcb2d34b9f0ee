"""The part of the channel contract that is about posts that are out, edited where they stand."""

from tests.contract.channels.auditing import published
from tests.contract.channels.harness import Harness, Seen
from threadcast.bot.channels.port import Channel, Expected, Outgoing
from threadcast.queue.outcomes import CHANNEL_FAULTS, Outcome, Refused, Sent, Throttled, Unknown, Unreached

CORRECTED = "2/ part two, as it should be"


async def edit(channel: Channel, one: Expected, text: str = CORRECTED) -> Outcome:
    return await channel.edit(one.remote_id, Outgoing(text, one.parent, f"key {one.position}"))


def texts(seen: list[Seen]) -> list[str]:
    return [one.text for one in seen]


class EditContract:
    """What every channel does."""

    async def test_an_edit(self, channel: Channel, harness: Harness) -> None:
        """A post says something else, where it stood; the others are as they were, and an audit agrees."""
        chain = await published(channel)
        before = harness.seen()
        outcome = await edit(channel, chain[1])
        assert isinstance(outcome, Sent), outcome
        assert outcome.remote_id == chain[1].remote_id
        assert texts(harness.seen()) == ["1/ part 1", CORRECTED, "3/ part 3"]
        assert [(one.remote_id, one.reply_to) for one in harness.seen()] == [
            (one.remote_id, one.reply_to) for one in before
        ]
        corrected = Expected(2, chain[1].remote_id, CORRECTED, chain[1].parent)
        assert await channel.audit([chain[0], corrected, chain[2]]) == ()
        found = await channel.audit(chain)
        assert isinstance(found, tuple)
        assert [(one.kind, one.position) for one in found] == [("edited", 2)]

    async def test_an_edit_again(self, channel: Channel, harness: Harness) -> None:
        """The same edit again, by a channel that does not know of the first, is done and changes nothing."""
        chain = await published(channel)
        assert isinstance(await edit(channel, chain[1]), Sent)
        another = harness.channel()
        try:
            assert isinstance(await edit(another, chain[1]), Sent)
        finally:
            await another.close()
        assert texts(harness.seen()) == ["1/ part 1", CORRECTED, "3/ part 3"]

    async def test_an_edit_of_what_is_gone(self, channel: Channel, harness: Harness) -> None:
        """A post that was deleted by hand is neither edited nor sent again; the channel is not at fault."""
        chain = await published(channel)
        harness.delete(chain[1].remote_id)
        outcome = await edit(channel, chain[1])
        assert isinstance(outcome, Refused), outcome
        assert outcome.code not in CHANNEL_FAULTS
        assert outcome.reason
        assert texts(harness.seen()) == ["1/ part 1", "3/ part 3"]

    async def test_an_edit_that_is_too_long(self, channel: Channel, harness: Harness) -> None:
        """A text that is too long is refused, and the post is as it was."""
        chain = await published(channel)
        outcome = await edit(channel, chain[1], "x" * (harness.limit + 1))
        assert isinstance(outcome, Refused), outcome
        assert texts(harness.seen())[1] == "2/ part 2"


class RemoteEditContract(EditContract):
    """What every channel with a server behind it does when the server does not do its part."""

    async def test_an_edit_without_an_answer(self, channel: Channel, harness: Harness) -> None:
        """An edit whose answer is lost may have been made; made again, the post says it once."""
        chain = await published(channel)
        harness.lose_answer()
        assert isinstance(await edit(channel, chain[1]), Unknown)
        assert isinstance(await edit(channel, chain[1]), Sent)
        assert texts(harness.seen()) == ["1/ part 1", CORRECTED, "3/ part 3"]

    async def test_an_edit_too_fast(self, channel: Channel, harness: Harness) -> None:
        """A throttled edit was not made, and tells until when to wait."""
        chain = await published(channel)
        harness.throttle(90)
        outcome = await edit(channel, chain[1])
        assert isinstance(outcome, Throttled), outcome
        assert texts(harness.seen())[1] == "2/ part 2"

    async def test_an_edit_at_a_stopped_server(self, channel: Channel, harness: Harness) -> None:
        """Where no server answers, nothing was edited: ask again later."""
        chain = await published(channel)
        harness.stop()
        outcome = await edit(channel, chain[1])
        assert isinstance(outcome, Unreached), outcome
        assert harness.secret not in repr(outcome)

    async def test_an_edit_with_a_revoked_token(self, channel: Channel, harness: Harness) -> None:
        """With a revoked token nothing is edited, whichever post: that is the channel's fault."""
        chain = await published(channel)
        harness.revoke()
        outcome = await edit(channel, chain[1])
        assert isinstance(outcome, Refused), outcome
        assert outcome.code in CHANNEL_FAULTS
        assert harness.secret not in repr(outcome)
