"""The contract that every channel passes.

An adapter's test supplies a `harness` fixture (see `channel_harness.Harness`) and subclasses
`ChannelContract`, or `RemoteChannelContract` where there is a server behind the channel:

    class TestTelegram(RemoteChannelContract):
        @pytest.fixture
        def harness(self) -> Iterator[Harness]: ...
"""

from datetime import timedelta

import pytest

from tests.contract.channels.auditing import AuditContract, RemoteAuditContract
from tests.contract.channels.editing import EditContract, RemoteEditContract
from tests.contract.channels.harness import SURVIVORS, Harness, post, posted
from tests.contract.channels.settling import RemoteSettlingContract, SettlingContract
from threadcast.bot.channels.port import Channel, NotReadyError
from threadcast.queue.compose.rules import Numbering, Rules
from threadcast.queue.outcomes import Refused, Throttled, Unknown, Unreached

MARKUP = "*bold* <b> _x_ [a](b) &amp; `code` ||spoiler|| <a href='x'>y</a> \\*not\\* #5 ~~s~~"
MISSING = [
    pytest.param("987654321", id="number"),
    pytest.param("01HF7YAT8ZTQQ0XRNB0F1MJ4CH", id="another-platforms-id"),
]


def text_of_length(length: int) -> str:
    """Words that every platform counts alike: one for each letter and blank."""
    return ("lamp " * (length // 5 + 1))[: length - 1].rstrip().ljust(length, "x")


class ChannelContract(SettlingContract, AuditContract, EditContract):
    """What every channel does."""

    async def test_a_post_is_seen_as_sent(self, channel: Channel, harness: Harness) -> None:
        """A post is sent, and a reader sees exactly its text, under the id that was told."""
        sent = await posted(channel, "1/ A lamp on a tower.")
        (seen,) = harness.seen()
        assert seen.text == "1/ A lamp on a tower."
        assert seen.remote_id == sent.remote_id
        assert seen.reply_to is None

    async def test_ids_and_addresses_are_strings(self, channel: Channel) -> None:
        """A remote id is a string that is not empty; an address is one too, or None."""
        sent = await posted(channel, "1/ A lamp on a tower.")
        assert isinstance(sent.remote_id, str)
        assert sent.remote_id
        assert sent.url is None or "://" in str.lower(sent.url)

    async def test_a_chain(self, channel: Channel, harness: Harness) -> None:
        """Five posts make a chain, each a reply to the one before, in order."""
        texts = [f"{number}/ part {number}" for number in range(1, 6)]
        ids: list[str] = []
        for text in texts:
            sent = await posted(channel, text, parent=ids[-1] if ids else None, key=f"key {text}")
            ids.append(sent.remote_id)
        seen = harness.seen()
        assert [s.text for s in seen] == texts
        assert [s.remote_id for s in seen] == ids
        assert [s.reply_to for s in seen] == [None, *ids[:-1]]
        assert len(set(ids)) == 5

    async def test_a_reply_need_not_follow_its_parent(self, channel: Channel, harness: Harness) -> None:
        """A reply hangs on the parent it names, not on the newest post."""
        first = await posted(channel, "first", key="1")
        await posted(channel, "another", key="2")
        reply = await posted(channel, "reply", parent=first.remote_id, key="3")
        replies = {s.remote_id: s.reply_to for s in harness.seen()}
        assert replies[reply.remote_id] == first.remote_id

    async def test_the_same_text_twice_is_two_posts(self, channel: Channel, harness: Harness) -> None:
        """Equal texts under different keys are different posts."""
        first = await posted(channel, "again", key="1")
        second = await posted(channel, "again", key="2")
        assert first.remote_id != second.remote_id
        assert [s.text for s in harness.seen()] == ["again", "again"]

    async def test_nothing_is_read_as_markup(self, channel: Channel, harness: Harness) -> None:
        """Characters that some platform takes for markup come out as they were written."""
        await posted(channel, MARKUP)
        assert [s.text for s in harness.seen()] == [MARKUP]

    @pytest.mark.parametrize("text", SURVIVORS)
    async def test_text_survives(self, channel: Channel, harness: Harness, text: str) -> None:
        """Emoji, scripts of either direction, line breaks and blank lines come out unchanged."""
        await posted(channel, text)
        assert [s.text for s in harness.seen()] == [text]

    async def test_the_limit_is_reached(self, channel: Channel, harness: Harness) -> None:
        """A text of exactly the limit is sent whole."""
        text = text_of_length(harness.limit)
        assert (await channel.rules()).measure(text) == harness.limit
        await posted(channel, text)
        assert [s.text for s in harness.seen()] == [text]

    async def test_the_limit_is_kept(self, channel: Channel, harness: Harness) -> None:
        """A text one over the limit is refused with a reason, and nothing is there."""
        outcome = await post(channel, text_of_length(harness.limit + 1))
        assert isinstance(outcome, Refused)
        assert outcome.reason
        assert harness.seen() == []

    async def test_a_deleted_parent(self, channel: Channel, harness: Harness) -> None:
        """A reply to a deleted post is refused with a reason, and nothing is there."""
        parent = await posted(channel, "here a moment ago", key="1")
        harness.delete(parent.remote_id)
        assert harness.seen() == []
        outcome = await post(channel, "a reply", parent=parent.remote_id, key="2")
        assert isinstance(outcome, Refused)
        assert outcome.reason
        assert harness.seen() == []

    @pytest.mark.parametrize("parent", MISSING)
    async def test_a_missing_parent(self, channel: Channel, harness: Harness, parent: str) -> None:
        """A reply to a post that never was is refused with a reason, and nothing is there."""
        outcome = await post(channel, "a reply", parent=parent)
        assert isinstance(outcome, Refused)
        assert outcome.reason
        assert harness.seen() == []

    async def test_a_key_again(self, channel: Channel, harness: Harness) -> None:
        """The same key again gives the same post where the platform knows keys, else a second one."""
        first = await posted(channel, "once", key="the key")
        second = await posted(channel, "once", key="the key")
        assert len(harness.seen()) == (1 if harness.idempotent else 2)
        assert (first == second) is harness.idempotent

    @pytest.mark.parametrize("numbering", list(Numbering))
    async def test_the_rules(self, harness: Harness, numbering: Numbering) -> None:
        """The rules tell the platform's limit, a measure for it, and the numbering that was asked for."""
        channel = harness.channel(numbering=numbering)
        try:
            rules = await channel.rules()
        finally:
            await channel.close()
        assert rules.limit == harness.limit
        assert rules.measure("lamp") == 4
        assert rules.numbering is numbering

    async def test_a_good_channel_checks_well(self, channel: Channel, harness: Harness) -> None:
        """A check of a good channel finds something to report, no error, and posts nothing."""
        findings = await channel.check()
        assert findings
        assert [f for f in findings if f.level == "error"] == []
        assert harness.seen() == []

    async def test_it_says_what_it_is(self, channel: Channel) -> None:
        """A channel has a name in lower case, a kind and a target, for people."""
        assert channel.name
        assert channel.name == channel.name.lower()
        assert channel.kind
        assert channel.target

    async def test_a_new_channel_goes_on(self, harness: Harness) -> None:
        """A channel made after a restart replies to a post of the one before it."""
        before = harness.channel()
        first = await posted(before, "before", key="1")
        await before.close()
        after = harness.channel()
        second = await posted(after, "after", parent=first.remote_id, key="2")
        await after.close()
        assert [(s.remote_id, s.reply_to) for s in harness.seen()] == [
            (first.remote_id, None),
            (second.remote_id, first.remote_id),
        ]

    async def test_closing_twice(self, harness: Harness) -> None:
        """Closing is safe twice, and on a channel that was never used."""
        channel = harness.channel()
        await channel.close()
        await channel.close()
        assert harness.seen() == []


class RemoteChannelContract(ChannelContract, RemoteSettlingContract, RemoteAuditContract, RemoteEditContract):
    """What every channel with a server behind it does when the server does not do its part."""

    async def test_the_harness_has_a_server(self, harness: Harness) -> None:
        """A harness under this suite can be stopped, throttled and revoked, and has a secret to keep."""
        assert harness.remote
        assert harness.secret

    async def test_a_stopped_server(self, channel: Channel, harness: Harness) -> None:
        """A send that finds no server is unreached: certainly not sent."""
        harness.stop()
        outcome = await post(channel, "1/ is anyone there?")
        assert isinstance(outcome, Unreached)
        assert outcome.reason
        assert harness.secret not in repr(outcome)
        assert harness.seen() == []

    async def test_the_rules_of_a_stopped_server(self, channel: Channel, harness: Harness) -> None:
        """A channel that has to ask a stopped server for its rules says that it was unreached."""
        harness.stop()
        try:
            answer: Rules | NotReadyError = await channel.rules()
        except NotReadyError as error:
            answer = error
        if isinstance(answer, Rules):  # known by heart
            assert answer.limit == harness.limit
        else:
            assert isinstance(answer.outcome, Unreached)
            assert harness.secret not in repr((answer, answer.outcome))

    async def test_a_check_of_a_stopped_server(self, channel: Channel, harness: Harness) -> None:
        """A check that finds no server gives an error with advice, and does not raise."""
        harness.stop()
        errors = [f for f in await channel.check() if f.level == "error"]
        assert errors
        assert all(f.advice for f in errors)
        assert harness.secret not in repr(errors)

    async def test_throttled(self, channel: Channel, harness: Harness) -> None:
        """A throttled send tells until when to wait, and nothing is there."""
        harness.throttle(90)
        outcome = await post(channel, "1/ too fast")
        assert isinstance(outcome, Throttled)
        assert outcome.until.utcoffset() == timedelta(0)
        wait = outcome.until - harness.now()
        assert timedelta(seconds=80) <= wait <= timedelta(seconds=95), wait
        assert harness.seen() == []

    async def test_after_a_throttle(self, channel: Channel, harness: Harness) -> None:
        """After one throttled send the next one goes out: nothing waits inside the channel."""
        harness.throttle(90)
        assert isinstance(await post(channel, "1/ once"), Throttled)
        await posted(channel, "1/ once")
        assert [s.text for s in harness.seen()] == ["1/ once"]

    async def test_a_lost_answer(self, channel: Channel, harness: Harness) -> None:
        """A send whose answer is lost is unknown, was tried once, and exactly one post is there."""
        harness.lose_answer()
        outcome = await post(channel, "1/ into the fog")
        assert isinstance(outcome, Unknown)
        assert outcome.reason
        assert harness.secret not in repr(outcome)
        assert [s.text for s in harness.seen()] == ["1/ into the fog"]

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    async def test_a_failing_server(self, channel: Channel, harness: Harness, status: int) -> None:
        """A server that fails leaves the outcome unknown: it may have stored the post before."""
        harness.fail(status)
        outcome = await post(channel, "1/ did you get this?")
        assert isinstance(outcome, Unknown)
        assert harness.secret not in repr(outcome)
        assert harness.seen() == []

    async def test_a_revoked_token(self, channel: Channel, harness: Harness) -> None:
        """With a revoked token a send is refused; the reason does not tell the token."""
        harness.revoke()
        outcome = await post(channel, "1/ who am I?")
        assert isinstance(outcome, Refused)
        assert outcome.reason
        assert harness.secret not in repr(outcome)
        assert harness.seen() == []

    async def test_a_check_of_a_revoked_token(self, channel: Channel, harness: Harness) -> None:
        """A check with a revoked token gives an error with advice that does not tell the token."""
        harness.revoke()
        errors = [f for f in await channel.check() if f.level == "error"]
        assert errors
        assert all(f.advice for f in errors)
        assert harness.secret not in repr(errors)

    async def test_no_secret_shows(self, channel: Channel, harness: Harness) -> None:
        """Neither a channel's representation nor its target tells the token."""
        assert harness.secret not in repr(channel)
        assert harness.secret not in channel.target
