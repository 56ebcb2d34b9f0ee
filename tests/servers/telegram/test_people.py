"""People at the Bot API test server do what people on Telegram can, and bots learn what they would there."""

from typing import Any

import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.wire import Call, refusal, result

SURE = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])


def updates(call: Call) -> list[tuple[str, Any]]:
    """The kinds and contents of the updates that wait, which are confirmed."""
    taken = result(call("getUpdates"))
    if taken:
        call("getUpdates", offset=taken[-1]["update_id"] + 1)
    return [next((kind, update[kind]) for kind in update if kind != "update_id") for update in taken]


class TestPrivateChats:
    def test_before_they_meet(self, server: TelegramServer, call: Call) -> None:
        """A bot cannot write to somebody it never saw, nor to somebody it saw in a group only."""
        bob = server.person("Bob", user_id=2222)
        unknown = call("sendMessage", chat_id=2222, text="x")
        bob.says("/help", server.group("Editors", bob))

        known = call("sendMessage", chat_id=2222, text="x")

        assert refusal(unknown) == (400, "Bad Request: chat not found")
        assert refusal(known) == (403, "Forbidden: bot can't initiate conversation with a user")
        bob.starts()
        assert result(call("sendMessage", chat_id=2222, text="x"))["chat"]["first_name"] == "Bob"

    def test_a_command(self, server: TelegramServer, call: Call) -> None:
        """A command comes with its entity, its sender and their language."""
        ada = server.person("Ada", user_id=1111, language="de", username="ada_l")
        ada.starts("from-a-link")

        ((kind, message),) = updates(call)

        assert kind == "message"
        assert message["text"] == "/start from-a-link"
        assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
        assert message["from"] == {
            "id": 1111,
            "is_bot": False,
            "first_name": "Ada",
            "username": "ada_l",
            "language_code": "de",
        }
        assert message["chat"] == {"id": 1111, "type": "private", "first_name": "Ada", "username": "ada_l"}

    def test_blocking(self, call: Call, ada: Person) -> None:
        """A bot that is blocked is told, and cannot write; unblocked, it is told and can."""
        ada.blocks()
        refused = call("sendMessage", chat_id=1111, text="x")
        with pytest.raises(ValueError, match="unblocking"):
            ada.says("x")
        ada.unblocks()

        statuses = [(kind, member["new_chat_member"]["status"]) for kind, member in updates(call)]
        assert refusal(refused) == (403, "Forbidden: bot was blocked by the user")
        assert statuses == [("my_chat_member", "kicked"), ("my_chat_member", "member")]
        assert result(call("sendMessage", chat_id=1111, text="x"))

    def test_what_they_do(self, call: Call, ada: Person) -> None:
        """Replies, edits, documents and presses come as updates, in order."""
        call("sendMessage", chat_id=1111, text="Sure?", reply_markup=SURE.to_dict())
        first = ada.says("on monday", reply_to=ada.messages()[-1])
        ada.edits(first, "on tuesday")
        ada.sends("thread.txt", b"1/ a", "look")
        ada.presses("Yes")

        reply, edited, document, press = updates(call)

        assert reply[1]["reply_to_message"]["text"] == "Sure?"
        assert (edited[0], edited[1]["text"]) == ("edited_message", "on tuesday")
        assert edited[1]["edit_date"] >= edited[1]["date"]
        assert (document[1]["caption"], document[1]["document"]["file_name"]) == ("look", "thread.txt")
        assert (press[0], press[1]["data"]) == ("callback_query", "yes")

    def test_forwards(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """What is forwarded tells where it is from: a channel, a person, a bot."""
        channel = server.add_chat(username="news")
        bob = server.person("Bob", user_id=2222)
        group = server.group("Editors", bob, ada, bot_as=None)
        call("sendMessage", chat_id="@news", text="a lamp")
        call("sendMessage", chat_id=1111, text="Sure?", reply_markup=SURE.to_dict())

        ada.forwards(next(iter(channel.messages.values())))
        ada.forwards(bob.says("hello", group))
        ada.forwards(ada.messages()[1])

        post, person, bots_own = (content for _, content in updates(call))
        assert (post["text"], post["forward_origin"]["chat"]["id"]) == ("a lamp", channel.id)
        assert (post["forward_origin"]["message_id"], post["from"]["id"]) == (1, 1111)
        assert person["forward_origin"]["sender_user"]["first_name"] == "Bob"
        assert bots_own["forward_origin"]["sender_user"]["is_bot"]
        assert "reply_markup" not in bots_own

    def test_a_long_text(self, call: Call, ada: Person) -> None:
        """What is too long for one message goes out in several, as clients send it."""
        text = "\n".join(["x" * 99] * 60)
        ada.says(text)

        parts = [content["text"] for _, content in updates(call)]

        assert [len(part) <= 4096 for part in parts] == [True, True]
        assert "\n".join(parts) == text

    def test_buttons_that_are_not_there(self, call: Call, ada: Person) -> None:
        """Nobody presses a button that is not there, or one that only leads elsewhere."""
        markup = {"inline_keyboard": [[{"text": "Site", "url": "https://example.org"}]]}
        call("sendMessage", chat_id=1111, text="x", reply_markup=markup)

        with pytest.raises(LookupError, match="Site"):
            ada.presses("Yes")
        with pytest.raises(ValueError, match="leads to"):
            ada.presses("Site")


class TestChannels:
    def test_a_bot_comes_and_goes(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """A bot is told what it becomes in a channel and by whom, even that it is thrown out."""
        channel = server.add_chat(username="news", with_bots=False)
        ada.adds_bot(channel)
        ada.adds_bot(channel, rights=["can_post_messages"])
        ada.removes_bot(channel)

        told = updates(call)

        assert [kind for kind, _ in told] == ["my_chat_member"] * 3
        assert [(m["old_chat_member"]["status"], m["new_chat_member"]["status"]) for _, m in told] == [
            ("left", "administrator"),
            ("administrator", "administrator"),
            ("administrator", "kicked"),
        ]
        assert [m["new_chat_member"].get("can_edit_messages") for _, m in told] == [True, False, None]
        assert {(m["chat"]["id"], m["from"]["id"]) for _, m in told} == {(channel.id, 1111)}

    def test_posts(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """What an administrator posts and edits in a channel comes as a post, without a sender."""
        channel = server.add_chat(username="news")
        ada.joins(channel, "administrator")
        ada.edits(ada.says("a lamp", channel), "a light")

        (posted, post), (edited, new) = updates(call)

        assert (posted, edited) == ("channel_post", "edited_channel_post")
        assert (post["text"], new["text"], "from" in post) == ("a lamp", "a light", False)

    def test_only_administrators(self, server: TelegramServer, ada: Person) -> None:
        """Who only reads a channel neither posts nor adds a bot."""
        channel = server.add_chat(username="news", with_bots=False)
        ada.joins(channel)

        with pytest.raises(ValueError, match="member"):
            ada.says("x", channel)
        with pytest.raises(ValueError, match="member"):
            ada.adds_bot(channel)


class TestGroups:
    def test_privacy(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """In a group a bot gets commands for it, mentions of it and replies to it, and nothing else."""
        bob = server.person("Bob")
        group = server.group("Editors", ada, bob)
        call("sendMessage", chat_id=group.id, text="I am here")
        own = next(iter(group.messages.values()))
        for text in (
            "hello",
            "/help",
            "/help@example_bot",
            "/help@other_bot",
            "so, @example_bot",
            "see /help",
        ):
            bob.says(text, group)
        bob.says("yes", group, reply_to=own)

        texts = [content["text"] for _, content in updates(call)]

        assert texts == ["/help", "/help@example_bot", "so, @example_bot", "yes"]

    def test_an_administrator_reads_all(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """An administrator, and a bot without privacy mode, gets everything."""
        group = server.group("Editors", ada)
        ada.adds_bot(group, "administrator")
        ada.says("one", group)
        ada.adds_bot(group, "member")
        ada.says("two", group)
        server.api.reads_all.add(server.api.bots[TOKEN].id)
        ada.says("three", group)

        texts = [content["text"] for kind, content in updates(call) if kind == "message"]

        assert texts == ["one", "three"]

    def test_a_bot_is_added(self, server: TelegramServer, call: Call, ada: Person) -> None:
        """A bot that comes into a group is told twice: that it did, and by the message in the group."""
        group = server.group("Editors", ada, bot_as=None)
        ada.adds_bot(group, "member")

        (first, member), (second, message) = updates(call)

        assert (first, member["new_chat_member"]["status"]) == ("my_chat_member", "member")
        assert (second, message["new_chat_members"][0]["username"]) == ("message", "example_bot")

    def test_outsiders(self, server: TelegramServer, ada: Person) -> None:
        """Who is not in a group neither writes nor presses there."""
        group = server.group("Editors", server.person("Bob"))

        with pytest.raises(ValueError, match="not in Editors"):
            ada.says("x", group)
        with pytest.raises(ValueError, match="not in Editors"):
            ada.presses("Yes", chat=group)
