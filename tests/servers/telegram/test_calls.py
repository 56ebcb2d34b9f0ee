"""The Bot API test server refuses what Telegram refuses, and keeps its paces.

What it does apart from that is made by the suites of the channel and of the chat.
"""

import tomllib
from pathlib import Path
from typing import Any

import httpx
import pytest
from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from tests.servers.telegram.calls import REAL_BOT_PACE, REAL_PACES
from tests.servers.telegram.chats import Chat, Member, clean
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from tests.servers.telegram.wire import ADA, Call, HandClock, refusal, result

CASES = tomllib.loads(Path(__file__).with_name("refusals.toml").read_text(encoding="utf-8"))["refusals"]
SURE = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="yes")]])


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['method']}: {case['says'][:40]}")
def test_refusals(call: Call, ada: Person, chat: Chat, case: dict[str, Any]) -> None:
    """Each of the calls in refusals.toml is refused in Telegram's words, and does nothing."""
    before = ada.sees()
    assert refusal(call(case["method"], **case["fields"])) == (400, f"Bad Request: {case['says']}")
    assert (ada.sees(), chat.messages) == (before, {})


@pytest.mark.parametrize(
    ("token", "answer"),
    [("1:unknown", (401, "Unauthorized")), ("x:y", (404, "Not Found")), ("", (404, "Not Found"))],
)
def test_tokens(call: Call, token: str, answer: tuple[int, str]) -> None:
    """A well-formed token of no bot is 401, what is no token 404; a method is known in any case, or 404."""
    assert refusal(call("getMe", token=token)) == answer
    assert refusal(call("fly")) == (404, "Not Found: method not found")
    assert result(call("GETME"))["username"] == "example_bot"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" \n two  blanks \n\n inside \n ", "two  blanks \n\n inside"),
        ("a\tb\x00c\x1fd\r\ne", "a b c d\ne"),
        ("a\u2028b\u202ec", "abc"),
        ("a\u030a o\u0308", "a o\u0308"),
        ("\u00a0x\u00a0", "\u00a0x\u00a0"),
    ],
)
def test_stored_text(text: str, stored: str) -> None:
    """A text is stored as Telegram stores it."""
    assert clean(text) == stored


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("channel", "kicked", (403, "Forbidden: bot was kicked from the channel chat")),
        ("channel", "left", (403, "Forbidden: bot is not a member of the channel chat")),
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
    server: TelegramServer, call: Call, kind: Any, status: str, expected: tuple[int, str]
) -> None:
    """A bot that may not post is refused in Telegram's words, and nothing is stored."""
    chat = server.add_chat(kind)
    chat.members[server.api.bots[TOKEN].id] = Member(status, frozenset())
    assert refusal(call("sendMessage", chat_id=chat.id, text="x")) == expected
    assert chat.messages == {}


def test_edits_and_deletions(server: TelegramServer, call: Call, chat: Chat) -> None:
    """An edit keeps the id, needs a change and takes the buttons; after 48 hours a message stays."""
    call("sendMessage", chat_id="@news", text="draft", reply_markup=SURE.to_dict())
    edited = result(call("editMessageText", chat_id="@news", message_id=1, text="final"))
    assert (edited["text"], "reply_markup" in edited) == ("final", False)
    again = call("editMessageText", chat_id="@news", message_id=1, text="final")
    assert "message is not modified" in refusal(again)[1]
    chat.messages[1].date -= 48 * 3600 + 60
    assert refusal(call("deleteMessage", chat_id="@news", message_id=1))[0] == 400
    assert refusal(call("deleteMessages", chat_id="@news", message_ids=[1, 2]))[0] == 400
    assert result(call("deleteMessages", chat_id="@news", message_ids=[99]))  # is skipped
    group = server.add_chat("group")
    server.receive(group, "hello", ADA)
    refused = call("editMessageText", chat_id=group.id, message_id=1, text="x")
    assert refusal(refused) == (400, "Bad Request: message can't be edited")


def test_buttons_that_are_not_there(call: Call, ada: Person) -> None:
    """Nobody presses a button that is not there, or one that only leads elsewhere."""
    markup = {"inline_keyboard": [[{"text": "Site", "url": "https://example.org"}]]}
    call("sendMessage", chat_id=1111, text="x", reply_markup=markup)
    with pytest.raises(LookupError, match="Site"):
        ada.presses("Yes")
    with pytest.raises(ValueError, match="leads to"):
        ada.presses("Site")


def test_privacy(server: TelegramServer, call: Call, ada: Person) -> None:
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
    assert texts(call) == ["/help", "/help@example_bot", "so, @example_bot", "yes"]


def send(call: Call, chat_id: int | str = "@news", text: str = "x") -> httpx.Response:
    return call("sendMessage", chat_id=chat_id, text=text)


def test_paces(server: TelegramServer, call: Call, clock: HandClock) -> None:
    """With real paces a chat takes a message a second, and a group 20 in a minute."""
    server.api.paces = REAL_PACES
    chats = {"supergroup": server.add_chat("supergroup"), "channel": server.add_chat("channel")}
    statuses: dict[str, list[int]] = {"supergroup": [], "channel": []}
    for _ in range(21):
        clock.now += 2
        for kind, chat in chats.items():
            statuses[kind].append(send(call, chat.id).status_code)
    refused = send(call, chats["channel"].id)
    clock.now += refused.json()["parameters"]["retry_after"]
    assert statuses == {"supergroup": [200] * 20 + [429], "channel": [200] * 21}
    assert refused.status_code == 429
    assert result(send(call, chats["channel"].id))


def test_the_pace_of_a_bot(server: TelegramServer, call: Call, chat: Chat, ada: Person) -> None:
    """A bot sends 30 messages a second over all chats; edits count, those in channels aside."""
    server.api.bot_pace = REAL_BOT_PACE
    for place in (chat.id, 1111):
        send(call, place)

    def edits(place: int, message_id: int, count: int) -> set[int]:
        texts = map(str, range(count))
        answers = (call("editMessageText", chat_id=place, message_id=message_id, text=text) for text in texts)
        return {answer.status_code for answer in answers}

    assert edits(1111, 2, 28) == {200}
    assert edits(chat.id, 1, 28) == {200}
    assert edits(1111, 2, 1) == {429}


def texts(call: Call, **fields: int) -> list[str]:
    return [update["message"]["text"] for update in result(call("getUpdates", **fields))]


def test_updates_are_kept_until_confirmed(call: Call, ada: Person) -> None:
    """Updates come again until a higher offset confirms them; a negative one forgets all but the last."""
    for text in ("one", "two", "three"):
        ada.says(text)
    first, *_ = result(call("getUpdates", limit=1))
    assert texts(call) == ["one", "two", "three"]
    assert texts(call, offset=first["update_id"] + 1) == ["two", "three"]
    assert texts(call, offset=-1) == ["three"]
    assert texts(call) == ["three"]
