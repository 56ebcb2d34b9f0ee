"""The Bot API test server is as strict as Telegram, and breaks in the ways that tests ask for."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import telegram
from click.testing import CliRunner

from tests.servers.telegram.calls import REAL_PACES
from tests.servers.telegram.chats import Chat, Member, clean
from tests.servers.telegram.server import TOKEN, TelegramServer, main
from tests.servers.telegram.wire import ADA, Call, HandClock, refusal, result
from threadcast.bot.channels.telegram.client import make_bot


class TestTokens:
    def test_an_unknown_token(self, call: Call) -> None:
        """A well-formed token of no bot is 401."""
        assert refusal(call("getMe", token="1:unknown")) == (401, "Unauthorized")

    @pytest.mark.parametrize("token", ["nonsense", "12:", "x:y", ""])
    def test_a_malformed_token(self, call: Call, token: str) -> None:
        """What is no token is 404."""
        assert refusal(call("getMe", token=token)) == (404, "Not Found")

    def test_an_unknown_method(self, call: Call) -> None:
        """A method that is not there is 404."""
        assert refusal(call("fly")) == (404, "Not Found: method not found")

    def test_letter_case_of_a_method(self, call: Call) -> None:
        """The names of methods are known in any case."""
        assert result(call("GETME"))["username"] == "example_bot"


class TestSend:
    @pytest.mark.parametrize("kind", ["form", "json", "multipart", "query"])
    def test_bodies(self, server: TelegramServer, http: httpx.Client, chat: Chat, kind: str) -> None:
        """A call is understood as a form, as JSON, as multipart and in the query."""
        url = f"{server.url}/bot{TOKEN}/sendMessage"
        fields = {"chat_id": "@news", "text": "ünder & über = 1"}
        match kind:
            case "form":
                sent = http.post(url, data=fields)
            case "json":
                sent = http.post(url, json=fields)
            case "multipart":
                sent = http.post(url, data=fields, files={"unused": ("a.txt", b"text")})
            case _:
                sent = http.get(url, params=fields)

        assert result(sent)["text"] == "ünder & über = 1"
        assert [m.text for m in server.seen(chat)] == ["ünder & über = 1"]

    def test_ids_of_each_chat(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """Ids count up within a chat, and those of deleted messages do not come again."""
        other = server.add_chat("private")
        ids = [result(call("sendMessage", chat_id="@news", text="x"))["message_id"] for _ in range(2)]
        call("deleteMessage", chat_id="@news", message_id=2)
        ids.append(result(call("sendMessage", chat_id="@news", text="x"))["message_id"])

        assert ids == [1, 2, 3]
        assert result(call("sendMessage", chat_id=other.id, text="x"))["message_id"] == 1

    @pytest.mark.parametrize("name", ["@news", "@NEWS", None])
    def test_names_of_a_chat(self, call: Call, chat: Chat, name: str | None) -> None:
        """A chat is found by its name in any case, and by its number."""
        assert result(call("sendMessage", chat_id=name or chat.id, text="x"))["chat"]["id"] == chat.id

    @pytest.mark.parametrize("name", ["@nowhere", "news", "-100", "12345678901234567890", "@"])
    def test_no_such_chat(self, call: Call, chat: Chat, name: str) -> None:
        """A chat that is not there is 400."""
        assert refusal(call("sendMessage", chat_id=name, text="x")) == (400, "Bad Request: chat not found")

    def test_a_channel_post(self, call: Call, chat: Chat) -> None:
        """A post of a channel is sent by the channel, and shows no sender."""
        message = result(call("sendMessage", chat_id="@news", text="x"))

        assert message["sender_chat"]["id"] == chat.id
        assert "from" not in message

    @pytest.mark.parametrize(
        ("text", "stored"),
        [
            (" \n two  blanks \n\n inside \n ", "two  blanks \n\n inside"),
            ("a\tb\x00c\x1fd", "a b c d"),
            ("a\r\nb", "a\nb"),
            ("a\u2028b\u202ec", "abc"),
            ("a\u030a o\u0308", "a o\u0308"),
            ("\u00a0x\u00a0", "\u00a0x\u00a0"),
        ],
        ids=["ends", "controls", "carriage-return", "separators", "marks", "no-break-space"],
    )
    def test_stored_text(self, text: str, stored: str) -> None:
        """A text is stored as Telegram stores it."""
        assert clean(text) == stored

    @pytest.mark.parametrize(("unit", "count"), [("x", 4096), ("🗼", 4096), ("👩‍👩‍👧", 819)])
    def test_the_limit_is_in_code_points(self, call: Call, chat: Chat, unit: str, count: int) -> None:
        """4096 code points are accepted and one more is not, however many bytes or graphemes they are."""
        text = (unit * count).ljust(4096, "x")
        assert len(text) == 4096

        assert result(call("sendMessage", chat_id="@news", text=text))["text"] == text
        refused = call("sendMessage", chat_id="@news", text=text + "x")
        assert refusal(refused) == (400, "Bad Request: message is too long")

    def test_blanks_at_the_ends_are_not_counted(self, call: Call, chat: Chat) -> None:
        """Trimming comes before counting."""
        assert result(call("sendMessage", chat_id="@news", text="x" * 4096 + "\n"))["text"] == "x" * 4096

    @pytest.mark.parametrize(
        ("text", "words"), [("", "message text is empty"), (" \n\t", "text must be non-empty")]
    )
    def test_empty(self, call: Call, chat: Chat, text: str, words: str) -> None:
        """A text with nothing in it is refused."""
        assert refusal(call("sendMessage", chat_id="@news", text=text)) == (400, f"Bad Request: {words}")


class TestReplies:
    def test_a_reply(self, call: Call, chat: Chat) -> None:
        """A reply shows its parent, and not the parent's parent."""
        call("sendMessage", chat_id="@news", text="first")
        call("sendMessage", chat_id="@news", text="second", reply_parameters={"message_id": 1})
        sent = result(call("sendMessage", chat_id="@news", text="third", reply_parameters={"message_id": 2}))

        assert sent["reply_to_message"]["message_id"] == 2
        assert "reply_to_message" not in sent["reply_to_message"]

    def test_the_older_parameter(self, call: Call, chat: Chat) -> None:
        """The parameter of older clients links too."""
        call("sendMessage", chat_id="@news", text="x")
        sent = result(call("sendMessage", chat_id="@news", text="x", reply_to_message_id=1))

        assert sent["reply_to_message"]["message_id"] == 1

    def test_no_parent(self, call: Call, chat: Chat) -> None:
        """A reply to a missing message is refused, and nothing is stored."""
        refused = call("sendMessage", chat_id="@news", text="x", reply_parameters={"message_id": 5})

        assert refusal(refused) == (400, "Bad Request: message to be replied not found")
        assert chat.messages == {}

    def test_a_parent_in_another_chat(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A message of another chat is no parent."""
        server.add_chat(username="other")
        call("sendMessage", chat_id="@other", text="x")
        refused = call("sendMessage", chat_id="@news", text="x", reply_parameters={"message_id": 1})

        assert refusal(refused) == (400, "Bad Request: message to be replied not found")

    def test_sending_without_reply(self, call: Call, chat: Chat) -> None:
        """With allow_sending_without_reply the message goes out unlinked, as on Telegram."""
        reply = {"message_id": 5, "allow_sending_without_reply": True}

        assert "reply_to_message" not in result(
            call("sendMessage", chat_id="@news", text="x", reply_parameters=reply)
        )


class TestRights:
    @pytest.mark.parametrize(
        ("kind", "status", "expected"),
        [
            ("channel", "kicked", (403, "Forbidden: bot was kicked from the channel chat")),
            ("channel", "left", (403, "Forbidden: bot is not a member of the channel chat")),
            ("supergroup", "kicked", (403, "Forbidden: bot was kicked from the supergroup chat")),
            ("private", "kicked", (403, "Forbidden: bot was blocked by the user")),
            ("private", "left", (403, "Forbidden: bot can't initiate conversation with a user")),
            ("channel", "administrator", (400, "Bad Request: need administrator rights in the channel chat")),
            (
                "supergroup",
                "restricted",
                (400, "Bad Request: not enough rights to send text messages to the chat"),
            ),
        ],
    )
    def test_a_bot_without_rights(
        self, server: TelegramServer, call: Call, kind: Any, status: str, expected: tuple[int, str]
    ) -> None:
        """A bot that may not post is refused in Telegram's words, and nothing is stored."""
        chat = server.add_chat(kind)
        chat.members[server.api.bots[TOKEN].id] = Member(status, frozenset())

        assert refusal(call("sendMessage", chat_id=chat.id, text="x")) == expected
        assert chat.messages == {}

    def test_an_upgraded_group(self, server: TelegramServer, call: Call) -> None:
        """An upgraded group tells its new id."""
        old, new = server.add_chat("group"), server.add_chat("supergroup")
        old.migrated_to = new.id

        refused = call("sendMessage", chat_id=old.id, text="x")

        assert refusal(refused)[0] == 400
        assert refused.json()["parameters"] == {"migrate_to_chat_id": new.id}

    def test_membership(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A bot sees what it is in a chat."""
        bot = server.api.bots[TOKEN].id

        member = result(call("getChatMember", chat_id="@news", user_id=bot))
        assert (member["status"], member["can_post_messages"]) == ("administrator", True)

        del chat.members[bot]
        assert result(call("getChatMember", chat_id="@news", user_id=bot))["status"] == "left"
        assert refusal(call("getChatMember", chat_id="@news", user_id=5))[0] == 403


class TestForwardEditDelete:
    def test_forward(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A forward carries the text and where it is from."""
        home = server.add_chat("private")
        call("sendMessage", chat_id="@news", text="look")

        copy = result(call("forwardMessage", chat_id=home.id, from_chat_id="@news", message_id=1))

        assert (copy["text"], copy["chat"]["id"]) == ("look", home.id)
        assert copy["forward_origin"]["message_id"] == 1
        assert copy["forward_origin"]["chat"]["id"] == chat.id

    def test_nothing_to_forward(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A message that is not there cannot be forwarded."""
        home = server.add_chat("private")

        refused = call("forwardMessage", chat_id=home.id, from_chat_id="@news", message_id=1)

        assert refusal(refused) == (400, "Bad Request: message to forward not found")

    def test_protected_content(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """Protected content cannot be forwarded."""
        home = server.add_chat("private")
        call("sendMessage", chat_id="@news", text="look")
        chat.protected = True

        refused = call("forwardMessage", chat_id=home.id, from_chat_id="@news", message_id=1)

        assert refusal(refused)[0] == 400
        assert home.messages == {}

    def test_edit(self, call: Call, chat: Chat) -> None:
        """An edit changes the text under the same id; the same text again is refused."""
        call("sendMessage", chat_id="@news", text="draft")

        assert result(call("editMessageText", chat_id="@news", message_id=1, text="final"))["text"] == "final"
        assert chat.messages[1].text == "final"
        again = call("editMessageText", chat_id="@news", message_id=1, text="final")
        assert "message is not modified" in refusal(again)[1]

    def test_nothing_to_edit(self, call: Call, chat: Chat) -> None:
        """A message that is not there cannot be edited."""
        refused = call("editMessageText", chat_id="@news", message_id=9, text="x")

        assert refusal(refused) == (400, "Bad Request: message to edit not found")

    def test_a_message_of_somebody_else(self, server: TelegramServer, call: Call) -> None:
        """In a group a bot edits only its own messages."""
        group = server.add_chat("group")
        server.receive(group, "hello", ADA)

        refused = call("editMessageText", chat_id=group.id, message_id=1, text="x")

        assert refusal(refused) == (400, "Bad Request: message can't be edited")

    def test_delete(self, call: Call, chat: Chat) -> None:
        """A deleted message is gone, and cannot be deleted again."""
        call("sendMessage", chat_id="@news", text="x")

        assert result(call("deleteMessage", chat_id="@news", message_id=1)) is True
        assert chat.messages == {}
        refused = call("deleteMessage", chat_id="@news", message_id=1)
        assert refusal(refused) == (400, "Bad Request: message to delete not found")

    def test_delete_after_two_days(self, call: Call, chat: Chat) -> None:
        """A message older than 48 hours stays."""
        call("sendMessage", chat_id="@news", text="x")
        chat.messages[1].date -= 48 * 3600 + 60

        assert refusal(call("deleteMessage", chat_id="@news", message_id=1))[0] == 400
        assert list(chat.messages) == [1]

    def test_delete_many(self, call: Call, chat: Chat) -> None:
        """Many are deleted at once, and those that are not there are skipped."""
        for _ in range(3):
            call("sendMessage", chat_id="@news", text="x")

        assert result(call("deleteMessages", chat_id="@news", message_ids=[1, 3, 9])) is True
        assert list(chat.messages) == [2]


class TestFaults:
    def test_throttled_once(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """One scripted 429 tells its wait, stores nothing, and is over."""
        server.throttle(7)

        refused = call("sendMessage", chat_id="@news", text="x")

        assert refusal(refused) == (429, "Too Many Requests: retry after 7")
        assert refused.json()["parameters"] == {"retry_after": 7}
        assert chat.messages == {}
        assert result(call("sendMessage", chat_id="@news", text="x"))

    def test_other_methods_are_spared(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A fault waits for its own method."""
        server.fail(500)

        assert result(call("getMe"))
        assert refusal(call("sendMessage", chat_id="@news", text="x"))[0] == 500

    def test_a_lost_answer(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A lost answer leaves the message stored and the caller with nothing."""
        server.lose_answer()

        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            call("sendMessage", chat_id="@news", text="x")
        assert [m.text for m in server.seen(chat)] == ["x"]

    def test_half_an_answer(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A cut answer breaks off within its body."""
        server.cut_answer()

        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            call("sendMessage", chat_id="@news", text="x")
        assert len(chat.messages) == 1

    def test_a_late_answer(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A held answer comes when it is released; the message is there before."""
        released = server.hold_answer()
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(call, "sendMessage", chat_id="@news", text="x")
            server.wait_for(lambda _: len(chat.messages) == 1)
            assert not waiting.done()
            released.set()

            assert result(waiting.result())["message_id"] == 1

    def test_a_dropped_reply(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A dropped reply is stored without its parent."""
        call("sendMessage", chat_id="@news", text="x")
        server.drop_reply()

        sent = result(call("sendMessage", chat_id="@news", text="x", reply_parameters={"message_id": 1}))

        assert "reply_to_message" not in sent

    def test_stop_and_start(self, server: TelegramServer, call: Call, chat: Chat) -> None:
        """A stopped server refuses connections; started again, it is the same on the same port."""
        call("sendMessage", chat_id="@news", text="x")
        port = server.port
        server.stop()
        with pytest.raises(httpx.ConnectError):
            call("getMe")

        server.start()

        assert server.port == port
        assert result(call("sendMessage", chat_id="@news", text="x"))["message_id"] == 2


class TestPace:
    def test_no_pace_by_default(self, call: Call, chat: Chat) -> None:
        """Without real paces a chat takes any number of messages at once."""
        assert all(result(call("sendMessage", chat_id="@news", text="x")) for _ in range(30))

    def test_one_a_second(self, server: TelegramServer, call: Call, chat: Chat, clock: HandClock) -> None:
        """With real paces a second message within a second is throttled, and goes out after the wait."""
        server.api.paces = REAL_PACES
        result(call("sendMessage", chat_id="@news", text="x"))
        refused = call("sendMessage", chat_id="@news", text="x")
        assert refused.status_code == 429

        clock.now += refused.json()["parameters"]["retry_after"]

        assert result(call("sendMessage", chat_id="@news", text="x"))

    def test_twenty_a_minute_in_a_group(self, server: TelegramServer, call: Call, clock: HandClock) -> None:
        """With real paces a group takes 20 messages in a minute, and a channel more."""
        server.api.paces = REAL_PACES
        statuses: dict[str, list[int]] = {"supergroup": [], "channel": []}
        chats = {"supergroup": server.add_chat("supergroup"), "channel": server.add_chat("channel")}
        for _ in range(21):
            clock.now += 2
            for kind, chat in chats.items():
                statuses[kind].append(call("sendMessage", chat_id=chat.id, text="x").status_code)

        assert statuses["supergroup"] == [200] * 20 + [429]
        assert statuses["channel"] == [200] * 21


class TestUpdates:
    def test_what_people_do(self, server: TelegramServer, call: Call) -> None:
        """Messages, documents and buttons come as updates, in order, until they are confirmed."""
        home = server.add_chat("private")
        server.receive(home, "/start", ADA)
        server.receive_file(home, "threads.txt", b"1/ a", ADA)
        bots_own = result(
            call("sendMessage", chat_id=home.id, text="Sure?", reply_markup={"inline_keyboard": []})
        )
        server.press(home.messages[bots_own["message_id"]], "yes", ADA)

        updates = result(call("getUpdates"))

        assert [u["update_id"] for u in updates] == [1, 2, 3]
        assert updates[0]["message"]["text"] == "/start"
        assert updates[1]["message"]["document"]["file_name"] == "threads.txt"
        assert updates[2]["callback_query"]["data"] == "yes"
        assert [u["update_id"] for u in result(call("getUpdates", offset=3))] == [3]
        assert result(call("getUpdates", offset=4)) == []

    def test_a_document_is_downloaded(self, server: TelegramServer, call: Call, http: httpx.Client) -> None:
        """A document's bytes come from its file path, and only with the token."""
        home = server.add_chat("private")
        data = "1/ ein Türmchen\r\n".encode()
        document = server.receive_file(home, "threads.txt", data, ADA).extra["document"]

        path = result(call("getFile", file_id=document["file_id"]))["file_path"]

        assert http.get(f"{server.url}/file/bot{TOKEN}/{path}").content == data
        assert http.get(f"{server.url}/file/bot1:other/{path}").status_code == 401
        assert http.get(f"{server.url}/file/bot{TOKEN}/another").status_code == 404
        assert refusal(call("getFile", file_id="another"))[0] == 400

    def test_a_long_poll_ends_with_an_update(self, server: TelegramServer, call: Call) -> None:
        """A poll that waits is answered as soon as somebody writes."""
        home = server.add_chat("private")
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(call, "getUpdates", timeout=30)
            server.wait_for(lambda s: len(s.requests) == 1)
            server.receive(home, "hello", ADA)

            assert [u["message"]["text"] for u in result(waiting.result())] == ["hello"]

    def test_two_pollers(self, server: TelegramServer, call: Call) -> None:
        """A second poller throws the first one out."""
        with ThreadPoolExecutor() as pool:
            first = pool.submit(call, "getUpdates", timeout=30)
            server.wait_for(lambda s: len(s.requests) == 1)
            second = pool.submit(call, "getUpdates", timeout=1)

            assert refusal(first.result())[0] == 409
            assert result(second.result()) == []

    def test_a_webhook_excludes_polling(self, call: Call) -> None:
        """With a webhook set, polling is refused until it is deleted."""
        call("setWebhook", url="https://example.org/hook")
        assert refusal(call("getUpdates"))[0] == 409

        call("deleteWebhook")

        assert result(call("getUpdates")) == []


async def test_python_telegram_bot_reads_it(server: TelegramServer, chat: Chat) -> None:
    """The client library understands chats, members, messages, forwards, updates and files."""
    home = server.add_chat("private")
    document = server.receive_file(home, "threads.txt", b"1/ a", ADA).extra["document"]
    async with make_bot(TOKEN, api_url=server.url) as bot:
        full = await bot.get_chat("@news")
        member = await bot.get_chat_member(full.id, bot.id)
        sent = await bot.send_message("@news", "hello")
        copy = await bot.forward_message(home.id, "@news", sent.message_id)
        (update,) = await bot.get_updates()
        file = await bot.get_file(document["file_id"])
        data = await file.download_as_bytearray()

    assert (full.type, full.username, member.status) == ("channel", "news", "administrator")
    assert sent.date.tzinfo is not None
    assert isinstance(copy.forward_origin, telegram.MessageOriginChannel)
    assert update.message is not None
    assert update.message.from_user is not None
    assert update.message.from_user.first_name == "Ada"
    assert bytes(data) == b"1/ a"


async def test_stopping_ends_a_held_call(server: TelegramServer, chat: Chat) -> None:
    """Stopping breaks calls that are still waiting, so that no test hangs."""
    server.hold_answer()
    async with make_bot(TOKEN, api_url=server.url) as bot:
        task = asyncio.create_task(bot.send_message("@news", "x"))
        await asyncio.to_thread(server.wait_for, lambda _: len(chat.messages) == 1)
        await asyncio.to_thread(server.stop)

        with pytest.raises(telegram.error.NetworkError):
            await task


def test_by_hand() -> None:
    """The command explains itself."""
    shown = CliRunner().invoke(main, ["--help"])

    assert shown.exit_code == 0
    assert "--chat" in shown.output
