"""The Telegram adapter: what each result means, and what goes over the wire."""

import asyncio
import io
import json
import logging
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
import telegram.error
from hypothesis import strategies as st
from pydantic import SecretStr

from tests.servers.telegram.chats import Chat, Member, User
from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.text import part
from threadcast.bot.channels.port import Outgoing
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.checks import judge_rights
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.bot.channels.telegram.errors import address, classify, in_words
from threadcast.bot.languages import speaking, translated
from threadcast.config.channels import TelegramChannelSettings
from threadcast.config.logs import configure
from threadcast.queue.compose.compose import compose
from threadcast.queue.outcomes import Absent, Outcome, Refused, Sent, Settling, Throttled, Unknown, Unreached
from threadcast.queue.text.parse import parse
from threadcast.queue.text.settings import ThreadSettings

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
CHANNEL_ID = -1001234567890
CASES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("telegram_cases.toml").read_text(encoding="utf-8")
)["case"]
OUTCOMES = {"throttled": Throttled, "unreached": Unreached, "refused": Refused, "unknown": Unknown}


def raised(case: dict[str, Any]) -> telegram.error.TelegramError:
    """The exception of a case, as the library raises it."""
    kind = getattr(telegram.error, case["error"])
    arguments = [case[name] for name in ("seconds", "new_chat_id", "message") if name in case]
    error: telegram.error.TelegramError = kind(*arguments)
    if "cause" in case:
        return in_words(getattr(httpx, case["cause"])(""))
    return error


def judge(
    result: telegram.Message | telegram.error.TelegramError, *, chat: str = "@news", parent: str | None = None
) -> Outcome:
    return classify(result, name="news", chat=chat, parent=parent, now=NOW)


def message(
    message_id: int = 17,
    *,
    chat: telegram.Chat | None = None,
    reply_to: int | None = None,
) -> telegram.Message:
    chat = chat or telegram.Chat(CHANNEL_ID, "channel", title="News", username="news")
    replied = None if reply_to is None else telegram.Message(reply_to, NOW, chat)
    return telegram.Message(message_id, NOW, chat, reply_to_message=replied)


def test_a_broken_connection_is_said_in_any_language() -> None:
    """That nothing answers stays a sentence that is data, through the library's error."""
    outcome = judge(in_words(httpx.ConnectError("")))
    assert isinstance(outcome, Unreached)
    with speaking("de"):
        assert translated(outcome.reason).startswith("Telegram ist nicht erreichbar: ")


class TestClassify:
    @pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
    def test_the_table(self, case: dict[str, Any]) -> None:
        """Each failure means what the table says, and its reason helps without telling the token."""
        outcome = judge(raised(case))
        assert type(outcome) is OUTCOMES[case["outcome"]]
        assert not isinstance(outcome, Sent)
        for words in case.get("says", []):
            assert words in outcome.reason
        assert outcome.reason
        assert TOKEN not in outcome.reason
        if isinstance(outcome, Throttled):
            assert outcome.until == NOW + timedelta(seconds=case["wait"])

    def test_a_wait_in_whole_seconds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A wait counts the same where the library gives it as a number of seconds."""
        monkeypatch.setenv("PTB_TIMEDELTA", "false")
        with pytest.warns(DeprecationWarning, match="retry_after"):
            outcome = judge(telegram.error.RetryAfter(37))
        assert outcome == Throttled(NOW + timedelta(seconds=37), "Telegram asks to wait 37 s")

    def test_a_first_post(self) -> None:
        """A message that replies to nothing, as asked, is sent."""
        assert judge(message()) == Sent("17", "https://t.me/news/17")

    def test_a_reply(self) -> None:
        """A message under the parent that was asked for is sent."""
        assert judge(message(reply_to=16), parent="16") == Sent("17", "https://t.me/news/17")

    @pytest.mark.parametrize(
        ("found", "wanted", "says"),
        [
            (None, "16", "message 17 is out, but is linked to no message instead of to 16"),
            (15, "16", "message 17 is out, but replies to 15 instead of to 16"),
            (15, None, "message 17 is out, but replies to 15 instead of to none"),
        ],
    )
    def test_a_wrong_parent(self, found: int | None, wanted: str | None, says: str) -> None:
        """A message that hangs elsewhere than asked is out but not as it should be: unknown, and said."""
        assert judge(message(reply_to=found), parent=wanted) == Unknown(says, stray="17")

    def test_a_wrong_chat(self) -> None:
        """A message in another chat than the numeric id asked for is unknown, and said."""
        outcome = judge(message(), chat="-1005")
        assert outcome == Unknown(f"message 17 is out, but in chat {CHANNEL_ID} instead of -1005", "17")

    def test_another_name_of_the_chat(self) -> None:
        """A chat asked for by name may answer with another of its names."""
        assert isinstance(judge(message(), chat="@another_name"), Sent)

    def test_a_long_answer_is_cut(self) -> None:
        """A reason quotes a page of HTML only up to a point, on one line."""
        outcome = judge(telegram.error.NetworkError("Bad Gateway (502)\n" + "<p>" * 1000))
        assert isinstance(outcome, Unknown)
        assert len(outcome.reason) < 300
        assert "\n" not in outcome.reason


@pytest.mark.parametrize(
    ("chat", "url"),
    [
        (telegram.Chat(CHANNEL_ID, "channel", username="news"), "https://t.me/news/17"),
        (telegram.Chat(CHANNEL_ID, "channel"), "https://t.me/c/1234567890/17"),
        (telegram.Chat(CHANNEL_ID, "supergroup"), "https://t.me/c/1234567890/17"),
        (telegram.Chat(-1012345678901, "channel"), "https://t.me/c/12345678901/17"),
        (telegram.Chat(-1234, "group"), None),
        (telegram.Chat(1234, "private", username="somebody"), None),
    ],
    ids=["public-channel", "private-channel", "supergroup", "long-id", "group", "private-chat"],
)
def test_address(chat: telegram.Chat, url: str | None) -> None:
    """A message has an address where Telegram gives it one."""
    assert address(chat, 17) == url


TOKENS = st.from_regex(r"[0-9]{5,12}:[A-Za-z0-9_-]{35}", fullmatch=True)


def full_chat(kind: str, *, can_send: bool | None = None) -> telegram.ChatFullInfo:
    gifts = telegram.AcceptedGiftTypes(
        unlimited_gifts=False,
        limited_gifts=False,
        unique_gifts=False,
        premium_subscription=False,
        gifts_from_channels=False,
    )
    permissions = None if can_send is None else telegram.ChatPermissions(can_send_messages=can_send)
    return telegram.ChatFullInfo(CHANNEL_ID, kind, 0, 11, gifts, title="News", permissions=permissions)


def member(status: str, *rights: str) -> telegram.ChatMember:
    shown = Member(status, frozenset(rights)).to_json(User(123456, "Example", is_bot=True))
    return telegram.ChatMember.de_json(shown, None)


@pytest.mark.parametrize(
    ("chat", "membership", "may_post"),
    [
        (full_chat("channel"), member("administrator", "can_post_messages"), True),
        (full_chat("channel"), member("administrator", "can_edit_messages"), False),
        (full_chat("channel"), member("creator"), True),
        (full_chat("channel"), member("member"), False),
        (full_chat("channel"), member("left"), False),
        (full_chat("supergroup"), member("administrator"), True),
        (full_chat("supergroup"), member("member"), True),
        (full_chat("supergroup", can_send=True), member("member"), True),
        (full_chat("supergroup", can_send=False), member("member"), False),
        (full_chat("supergroup"), member("restricted", "can_send_messages"), True),
        (full_chat("supergroup"), member("restricted"), False),
        (full_chat("supergroup"), member("kicked"), False),
        (full_chat("private"), member("member"), True),
    ],
)
def test_rights(chat: telegram.ChatFullInfo, membership: telegram.ChatMember, may_post: bool) -> None:
    """A check tells whether the bot may post, and what to do where it may not."""
    finding = judge_rights(chat, membership)
    assert finding.level == ("ok" if may_post else "error")
    assert bool(finding.advice) is not may_post


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        server.add_bot()
        yield server


@pytest.fixture
def chat(server: TelegramServer) -> Chat:
    return server.add_chat(username="news")


@pytest.fixture
async def channel(server: TelegramServer, chat: Chat) -> AsyncIterator[TelegramChannel]:
    channel = channel_on(server)
    yield channel
    await channel.close()


def channel_on(server: TelegramServer, *, timeout: float = 60, **changes: Any) -> TelegramChannel:
    bot = make_bot(TOKEN, api_url=server.url, timeout=timeout)
    of_settings = {
        name: changes.pop(name)
        for name in ("chat", "silent", "previews", "layout", "when_unsure")
        if name in changes
    }
    settings = TelegramChannelSettings(name="news", token=TOKEN, **{"chat": "@news", **of_settings})
    return TelegramChannel(settings, bot=bot, **{"clock": lambda: NOW, **changes})


async def send(channel: TelegramChannel, text: str = "1/ A lamp.", *, parent: str | None = None) -> Outcome:
    return await channel.send(Outgoing(text=text, parent=parent, key="key"))


class TestSend:
    @pytest.mark.parametrize("silent", [True, False])
    async def test_which_posts_are_heard(self, server: TelegramServer, chat: Chat, silent: bool) -> None:
        """The first post of a chain makes a sound, the others none, unless their owner wants it."""
        channel = channel_on(server, silent=silent)
        await send(channel)
        await send(channel, "2/ A tower.", parent="1")
        await channel.close()
        assert [m.silent for m in server.seen(chat)] == [False, silent]

    async def test_a_retry_is_identical(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat
    ) -> None:
        """The same post again is the same request, and asks for no markup and no unlinked reply."""
        await send(channel)
        for _ in range(2):
            await send(channel, "2/ See https://example.org and *this*", parent="1")
        _, first, second = (m.given for m in server.seen(chat))
        assert first == second
        assert set(first) == {
            "chat_id",
            "text",
            "disable_notification",
            "link_preview_options",
            "reply_parameters",
        }
        assert "allow_sending_without_reply" not in first["reply_parameters"]

    async def test_a_warning_is_the_first_line_and_the_rest_a_spoiler(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat
    ) -> None:
        """Every post has both, and is within the limit; a retry is the same request; no markup is read."""
        settings = ThreadSettings(warning="🍞 *Food*", numbering="none")
        (thread,) = parse("🌊 wave " * 800)
        posts = compose(thread, await channel.rules(settings))
        for post in (posts[0], posts[0], posts[1]):
            assert isinstance(await channel.send(Outgoing(post.text, None, "k", settings=settings)), Sent)
        assert len(posts) == 2
        seen = server.seen(chat)
        assert seen[0].given == seen[1].given
        for message in seen:
            (spoiler,) = message.entities
            head, _, rest = message.text.partition("\n")
            assert (spoiler["type"], head) == ("spoiler", "⚠️ 🍞 *Food*")
            assert part(message.text, spoiler) == rest

    @pytest.mark.parametrize(
        ("previews", "disabled"), [(None, [False, False]), ("first", [False, True]), ("none", [True, True])]
    )
    async def test_link_previews_and_sound_as_a_thread_wishes(
        self,
        channel: TelegramChannel,
        server: TelegramServer,
        chat: Chat,
        previews: Literal["first", "none"] | None,
        disabled: list[bool],
    ) -> None:
        """Previews are shown on the first post, on all or none; a silent thread is so from its first."""
        settings = ThreadSettings(previews=previews, silent=True)
        for parent in (None, "1"):
            await channel.send(Outgoing("A lamp.", parent, "k", settings=settings))
        given = [json.loads(m.given["link_preview_options"]) for m in server.seen(chat)]
        assert [one["is_disabled"] for one in given] == disabled
        assert [m.silent for m in server.seen(chat)] == [True, True]

    @pytest.mark.parametrize("previews", ["all", "first", "none"])
    async def test_link_previews_as_the_channel_has_them(
        self, server: TelegramServer, chat: Chat, previews: str
    ) -> None:
        """PREVIEWS says which posts show one; it is sent with every post, so that a retry is the same."""
        channel = channel_on(server, previews=previews)
        for parent in (None, "1"):
            await send(channel, parent=parent)
        await channel.close()
        given = [json.loads(m.given["link_preview_options"])["is_disabled"] for m in server.seen(chat)]
        assert given == {"all": [False, False], "first": [False, True], "none": [True, True]}[previews]

    async def test_parts_share_a_message_where_the_owner_wants_it(
        self, server: TelegramServer, chat: Chat
    ) -> None:
        """LAYOUT=packed: parts are one message as long as they fit its limit; without it they are not."""
        (thread,) = parse("1/ A lamp.\n2/ A tower.\n3/ " + "wave " * 815 + "/end")
        posts = {}
        for layout in ("separate", "packed"):
            channel = channel_on(server, layout=layout)
            posts[layout] = compose(thread, await channel.rules())
            await send(channel, posts[layout][0].text)
            await channel.close()
        assert [len(each) for each in posts.values()] == [3, 2]
        assert [m.text for m in server.seen(chat)] == ["1/ A lamp.", "1/ A lamp.\n\n2/ A tower."]

    async def test_the_bot_is_asked_who_it_is_once(
        self, channel: TelegramChannel, server: TelegramServer
    ) -> None:
        """Sends side by side ask getMe once, before the first of them."""
        await asyncio.gather(*(send(channel, f"{number}/") for number in range(4)))
        methods = [request.path.rpartition("/")[2] for request in server.requests]
        assert methods == ["getMe", *["sendMessage"] * 4]

    @pytest.mark.parametrize("status", [500, 502, 429])
    async def test_a_failure_before_the_send(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat, status: int
    ) -> None:
        """Where getMe fails, nothing was sent: the outcome is never unknown, and the next try asks again."""
        server.fail(status, "Too Many Requests" if status == 429 else "down", method="getMe")
        outcome = await send(channel)
        assert isinstance(outcome, Throttled if status == 429 else Unreached)
        assert "may be out" not in outcome.reason
        assert server.seen(chat) == []
        assert isinstance(await send(channel), Sent)

    @pytest.mark.parametrize(
        "answer",
        [{"ok": True}, [], {"ok": True, "result": {"message_id": 5}}, b"<html>a hotel</html>"],
        ids=str,
    )
    async def test_an_answer_that_is_no_message(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat, answer: object
    ) -> None:
        """A 200 that is no message leaves the outcome unknown."""
        server.replace_answer(answer)
        assert isinstance(await send(channel), Unknown)
        assert len(server.seen(chat)) == 1

    async def test_an_answer_that_does_not_come(self, server: TelegramServer, chat: Chat) -> None:
        """A send whose answer is late is unknown, although it arrived."""
        channel = channel_on(server, timeout=1)
        released = server.hold_answer()
        outcome = await send(channel)
        released.set()
        await channel.close()
        assert isinstance(outcome, Unknown)
        assert "did not answer in time" in outcome.reason
        assert len(server.seen(chat)) == 1

    async def test_a_cancelled_send(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat
    ) -> None:
        """Cancelling a send cancels it: no outcome is made up."""
        released = server.hold_answer()
        task = asyncio.create_task(send(channel))
        await asyncio.to_thread(server.wait_for, lambda _: len(chat.messages) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        released.set()

    async def test_a_server_that_is_something_else(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat
    ) -> None:
        """Where getMe is answered with other JSON, nothing is sent and the reason says what is wrong."""
        server.replace_answer({"hello": "there"}, method="getMe")
        outcome = await send(channel)
        assert isinstance(outcome, Unreached)
        assert "no Bot API server" in outcome.reason
        assert server.seen(chat) == []

    async def test_a_group_that_was_upgraded(self, server: TelegramServer) -> None:
        """A group that became a supergroup is followed in the same call, and its new id told once."""
        old = server.add_chat("group")
        new = server.migrate(old)
        moves: list[int] = []
        channel = channel_on(server, chat=str(old.id), on_moved=moves.append)
        outcomes = [await send(channel), await send(channel, "2/ A tower.", parent="1")]
        await channel.close()
        assert all(isinstance(outcome, Sent) for outcome in outcomes)
        assert [m.reply_to for m in server.seen(new)] == [None, 1]
        assert moves == [new.id]

    async def test_after_a_restart_an_upgraded_group_is_known(self, server: TelegramServer) -> None:
        """With the id that a chat moved to, the old one is not asked again."""
        old = server.add_chat("group")
        new = server.migrate(old)
        channel = channel_on(server, chat=str(old.id), moved_to=new.id)
        outcome = await send(channel)
        await channel.close()
        assert isinstance(outcome, Sent)
        assert len([r for r in server.requests if r.path.endswith("sendMessage")]) == 1

    async def test_a_chain_that_began_before_its_group_was_upgraded(self, server: TelegramServer) -> None:
        """A reply to a post of the old group is not sent into the new one, where ids mean other messages."""
        old = server.add_chat("group")
        channel = channel_on(server, chat=str(old.id))
        await send(channel)
        new = server.migrate(old)
        outcome = await send(channel, "2/ A tower.", parent="1")
        await channel.close()
        assert isinstance(outcome, Refused)
        assert f"THREADCAST_CHANNELS__NEWS__CHAT={new.id}" in outcome.reason
        assert server.seen(new) == []

    async def test_a_group_that_moves_on_and_on(self, server: TelegramServer) -> None:
        """A chat that moves again at once is refused, and not followed for ever."""
        old = server.add_chat("group")
        server.migrate(server.migrate(old))
        channel = channel_on(server, chat=str(old.id))
        outcome = await send(channel)
        await channel.close()
        assert isinstance(outcome, Refused)

    async def test_nothing_tells_the_token(self, channel: TelegramChannel, server: TelegramServer) -> None:
        """No log line tells the token, even with every logger at its most talkative."""
        stream = io.StringIO()
        configure("debug", "json", stream=stream)
        for name in ("httpx", "httpcore", "telegram"):
            logging.getLogger(name).setLevel(logging.DEBUG)
        await send(channel)
        server.fail(502)
        await send(channel)
        server.revoke()
        await send(channel)
        assert "sendMessage" in stream.getvalue()
        assert TOKEN not in stream.getvalue()


class TestCheck:
    async def test_a_good_channel(self, channel: TelegramChannel) -> None:
        """A good channel names its bot and its chat, and says what is missing to look for posts."""
        findings = await channel.check()
        assert [f.level for f in findings] == ["ok", "ok", "warning"]
        assert "THREADCAST_TELEGRAM__ADMINS" in findings[2].advice
        assert "@example_bot" in findings[0].what
        assert "news" in findings[1].what

    async def test_protected_content(self, server: TelegramServer, chat: Chat) -> None:
        """Protected content is a warning: doubtful posts cannot be looked up there."""
        chat.protected = True
        private = server.add_chat("private")
        channel = channel_on(server, chat="@news", probe_chat=private.id)
        *_, finding = await channel.check()
        await channel.close()
        assert finding.level == "warning"
        assert "protects its content" in finding.what
        assert "allow forwarding" in finding.advice

    @pytest.mark.parametrize("is_started", [True, False])
    async def test_the_private_chat(self, server: TelegramServer, chat: Chat, is_started: bool) -> None:
        """Whether posts could be looked for is told: the bot needs a private chat that was started."""
        private = server.add_chat("private")
        if not is_started:
            del server.api.chats[private.id]
        channel = channel_on(server, chat="@news", probe_chat=private.id)
        *_, finding = await channel.check()
        await channel.close()
        assert finding.level == ("ok" if is_started else "warning")
        assert ("press Start" in finding.advice) is not is_started

    async def test_a_chat_that_moved(self, server: TelegramServer) -> None:
        """A group that became a supergroup is a warning with the setting to change."""
        old = server.add_chat("group")
        new = server.migrate(old)
        channel = channel_on(server, chat=str(old.id))
        findings = await channel.check()
        await channel.close()
        assert [f.level for f in findings] == ["ok", "warning", "ok", "warning"]
        assert findings[1].advice == f"set THREADCAST_CHANNELS__NEWS__CHAT={new.id}"

    async def test_no_such_chat(self, server: TelegramServer) -> None:
        """A chat that is not there is an error that names the variable."""
        channel = channel_on(server, chat="@nowhere")
        (finding,) = await channel.check()
        await channel.close()
        assert finding.level == "error"
        assert "THREADCAST_CHANNELS__NEWS__CHAT" in finding.advice

    async def test_a_server_that_is_something_else(
        self, channel: TelegramChannel, server: TelegramServer
    ) -> None:
        """Where something else than a Bot API server answers, the address is in doubt."""
        server.replace_answer({"hello": "there"}, method="getMe")
        (finding,) = await channel.check()
        assert finding.level == "error"
        assert "THREADCAST_TELEGRAM__API_URL" in finding.advice


class TestPreflight:
    async def test_a_good_channel_is_asked_once(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat
    ) -> None:
        """A chat where the bot may post is not asked again for a while, and nothing is posted."""
        assert [await channel.preflight() for _ in range(3)] == [None] * 3
        assert len([r for r in server.requests if r.path.endswith("/getChat")]) == 1
        assert server.seen(chat) == []

    async def test_a_post_is_proof_enough(self, channel: TelegramChannel, server: TelegramServer) -> None:
        """After a post that went out the chat is not asked; after one that was refused it is."""
        await send(channel)
        assert await channel.preflight() is None
        assert not [r for r in server.requests if r.path.endswith("/getChat")]
        assert isinstance(await send(channel, "2/", parent="99"), Refused)
        assert await channel.preflight() is None
        assert len([r for r in server.requests if r.path.endswith("/getChat")]) == 1

    async def test_it_is_asked_again_later(self, server: TelegramServer, chat: Chat) -> None:
        """What was right some minutes ago is asked again; so it is where the clock was set back."""
        moments = iter([0, 0, 4, 6, 6, -60, -60])
        channel = channel_on(server, clock=lambda: NOW + timedelta(minutes=next(moments)))
        asked = []
        for _ in range(4):
            await channel.preflight()
            asked.append(len([r for r in server.requests if r.path.endswith("/getChat")]))
        await channel.close()
        assert asked == [1, 1, 2, 3]

    @pytest.mark.parametrize(
        ("happens", "says"),
        [
            (lambda server, chat: server.kick(chat), "administrator"),
            (lambda server, chat: server.set_member(chat, Member("left")), "administrator"),
            (lambda server, chat: server.set_member(chat, Member(rights=frozenset())), "right to post"),
            (lambda server, chat: server.revoke(), "THREADCAST_TELEGRAM__TOKEN"),
            (lambda server, chat: server.api.chats.clear(), "THREADCAST_CHANNELS__NEWS__CHAT"),
        ],
        ids=["kicked", "left", "no-right-to-post", "revoked", "no-such-chat"],
    )
    async def test_what_is_in_the_way(
        self,
        channel: TelegramChannel,
        server: TelegramServer,
        chat: Chat,
        happens: Callable[[TelegramServer, Chat], None],
        says: str,
    ) -> None:
        """A bot that was removed or lost its rights, a revoked token, a chat that is gone: refused."""
        happens(server, chat)
        fault = await channel.preflight()
        assert isinstance(fault, Refused)
        assert says in fault.reason
        assert TOKEN not in repr(fault)
        assert server.seen(chat) == []

    async def test_a_private_channel_that_was_left(self, server: TelegramServer) -> None:
        """A bot that was kicked from a channel without a name is told so."""
        hidden = server.add_chat()
        server.kick(hidden)
        channel = channel_on(server, chat=str(hidden.id))
        fault = await channel.preflight()
        await channel.close()
        assert isinstance(fault, Refused)
        assert "add it again" in fault.reason

    @pytest.mark.parametrize("status", [429, 500, 502])
    async def test_not_now(self, channel: TelegramChannel, server: TelegramServer, status: int) -> None:
        """A server that fails or asks to wait says nothing about the chat: ask again later."""
        server.fail(status, "Too Many Requests" if status == 429 else "down", method="getChat")
        assert isinstance(await channel.preflight(), Throttled if status == 429 else Unreached)
        assert await channel.preflight() is None


class TestTakeDown:
    @pytest.mark.parametrize("by_name", [True, False])
    async def test_too_old(self, server: TelegramServer, chat: Chat, by_name: bool) -> None:
        """What a bot may no longer delete is refused, with the address where a person can."""
        channel = channel_on(server, chat="@news" if by_name else str(chat.id))
        await send(channel)
        chat.messages[1].date -= 3 * 24 * 3600
        down = await channel.take_down("1")
        await channel.close()
        assert isinstance(down, Refused)
        assert "48 hours" in down.reason
        assert ("https://t.me/news/1" if by_name else "https://t.me/c/") in down.reason
        assert len(server.seen(chat)) == 1

    async def test_in_a_group(self, server: TelegramServer) -> None:
        """Where messages have no address, the chat and the id are told."""
        group = server.add_chat("group")
        channel = channel_on(server, chat=str(group.id))
        await send(channel)
        group.messages[1].date -= 3 * 24 * 3600
        down = await channel.take_down("1")
        await channel.close()
        assert isinstance(down, Refused)
        assert f"message 1 of {group.id}" in down.reason

    async def test_a_chat_that_the_bot_was_removed_from(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat
    ) -> None:
        """A bot that is no longer in the chat cannot delete, and says what helps."""
        await send(channel)
        server.kick(chat)
        down = await channel.take_down("1")
        assert isinstance(down, Refused)
        assert "add it again" in down.reason
        assert "https://t.me/news/1" in down.reason

    @pytest.mark.parametrize("status", [429, 500])
    async def test_not_now(
        self, channel: TelegramChannel, server: TelegramServer, chat: Chat, status: int
    ) -> None:
        """A server that fails or asks to wait is asked again later."""
        await send(channel)
        server.fail(status, "Too Many Requests" if status == 429 else "down", method="deleteMessage")
        assert isinstance(await channel.take_down("1"), Throttled if status == 429 else Unreached)
        assert await channel.take_down("1") == Absent()
        assert server.seen(chat) == []

    async def test_an_id_of_another_network(self, channel: TelegramChannel) -> None:
        """An id that cannot be Telegram's is refused without a call."""
        assert isinstance(await channel.take_down("01J-abc"), Refused)


class TestSettling:
    @pytest.mark.parametrize(
        ("settle_after", "apart"),
        [
            (None, timedelta(minutes=1)),
            (timedelta(0), timedelta(0)),
            (timedelta(hours=1), timedelta(hours=1)),
        ],
    )
    def test_how_long_it_takes(
        self, server: TelegramServer, settle_after: timedelta | None, apart: timedelta
    ) -> None:
        """A post is looked for after a minute, and once more after another, or as its owner says."""
        channel = channel_on(server, probe_chat=7, settle_after=settle_after, when_unsure="resend")
        assert channel.settling == Settling(first_look=apart, apart=apart, misses=2, resend=True)


class TestMakeBot:
    def test_telegrams_own_server(self) -> None:
        """Without an address the bot speaks to Telegram's own server."""
        assert make_bot(TOKEN, api_url=None).base_url == f"https://api.telegram.org/bot{TOKEN}"

    @pytest.mark.parametrize("url", ["http://127.0.0.1:8081", "http://127.0.0.1:8081/"])
    def test_a_server_of_ones_own(self, url: str) -> None:
        """An address with or without a slash at its end leads to the same server, for calls and files."""
        bot = make_bot(TOKEN, api_url=url)
        assert bot.base_url == f"http://127.0.0.1:8081/bot{TOKEN}"
        assert bot.base_file_url == f"http://127.0.0.1:8081/file/bot{TOKEN}"

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    async def test_a_proxy_is_not_asked_for_loopback(
        self, server: TelegramServer, chat: Chat, host: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A proxy in the environment is not asked for a server on this machine."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        bot = make_bot(TOKEN, api_url=f"http://{host}:{server.port}")
        settings = TelegramChannelSettings(name="news", chat="@news", token=SecretStr(TOKEN))
        channel = TelegramChannel(settings, bot=bot, clock=lambda: NOW)
        outcome = await send(channel)
        await channel.close()
        assert isinstance(outcome, Sent)
