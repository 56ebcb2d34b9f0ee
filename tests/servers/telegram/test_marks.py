"""The Bot API test server takes the reactions and pins that Telegram takes, from whom it takes them."""

from typing import Any

import pytest

from tests.servers.telegram.chats import Member
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer
from tests.servers.telegram.wire import Call, refusal, result

EYES = {"type": "emoji", "emoji": "👀"}
NO_RIGHT = (400, "Bad Request: not enough rights to manage pinned messages in the chat")


@pytest.mark.parametrize(
    ("reaction", "says"),
    [
        ([{"type": "emoji", "emoji": "✅"}], "REACTION_INVALID"),
        ([{"type": "custom_emoji", "custom_emoji_id": "1"}], "REACTION_INVALID"),
        ([EYES, {"type": "emoji", "emoji": "👌"}], "REACTIONS_TOO_MANY"),
    ],
)
def test_reactions_that_are_none(call: Call, ada: Person, reaction: list[Any], says: str) -> None:
    """A bot gives one reaction, of the fixed list: what is not on it is refused."""
    message = ada.says("1/ The river rises.")
    answer = call("setMessageReaction", chat_id=ada.chat.id, message_id=message.id, reaction=reaction)
    assert refusal(answer) == (400, f"Bad Request: {says}")
    assert message.reactions == {}


def test_reactions(call: Call, ada: Person) -> None:
    """A reaction replaces the one before; none takes it away; where a chat allows none, none is taken."""
    fields = {"chat_id": ada.chat.id, "message_id": ada.says("1/ The river rises.").id}
    assert result(call("setMessageReaction", **fields, reaction=[EYES])) is True
    assert list(ada.messages()[-1].reactions.values()) == ["👀"]
    assert result(call("setMessageReaction", **fields)) is True
    assert list(ada.messages()[-1].reactions.values()) == [""]
    ada.chat.reactions = frozenset()
    answer = call("setMessageReaction", **fields, reaction=[EYES])
    assert refusal(answer) == (400, "Bad Request: REACTION_INVALID")
    gone = call("setMessageReaction", chat_id=ada.chat.id, message_id=99, reaction=[EYES])
    assert refusal(gone) == (400, "Bad Request: message to react not found")


def test_pins(call: Call, server: TelegramServer, ada: Person) -> None:
    """In private a bot may pin; a message in the chat says so, to itself too, and is not to be pinned."""
    message = ada.says("1/ The river rises.")
    server.api.updates.waiting.clear()
    fields = {"chat_id": ada.chat.id, "message_id": message.id}
    assert result(call("pinChatMessage", **fields)) is True
    assert result(call("pinChatMessage", **fields)) is True
    assert ada.chat.pinned == [message.id]
    (update,) = result(call("getUpdates"))
    assert update["message"]["pinned_message"]["message_id"] == message.id
    service = call("pinChatMessage", chat_id=ada.chat.id, message_id=update["message"]["message_id"])
    assert refusal(service) == (400, "Bad Request: message can't be pinned")
    assert result(call("unpinChatMessage", **fields)) is True
    assert ada.chat.pinned == []


def test_rights_to_pin(call: Call, server: TelegramServer, ada: Person) -> None:
    """In a group only an administrator with the right pins and unpins."""
    group = server.group("The newsroom", ada)
    fields = {"chat_id": group.id, "message_id": ada.says("1/ The river rises.", group).id}
    (bot,) = server.api.bots.values()
    assert refusal(call("pinChatMessage", **fields)) == NO_RIGHT
    group.members[bot.id] = Member("administrator", frozenset({"can_delete_messages"}))
    assert refusal(call("unpinChatMessage", **fields)) == NO_RIGHT
    group.members[bot.id] = Member("administrator")
    assert result(call("pinChatMessage", **fields)) is True
