"""The Bot API test server takes calls as Telegram does, and refuses what Telegram refuses."""

import tomllib
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
import telegram
from click.testing import CliRunner
from telegram import (
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
    BotCommandScopeDefault,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
)
from telegram.constants import ParseMode

from tests.servers.telegram.chats import Chat, Member, clean
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer, main
from tests.servers.telegram.state import Answer
from tests.servers.telegram.wire import ADA, Call, refusal, result

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


@pytest.mark.parametrize("kind", ["form", "json", "multipart", "query"])
def test_bodies(server: TelegramServer, http: httpx.Client, chat: Chat, kind: str) -> None:
    """A call is understood as a form, as JSON, as multipart and in the query."""
    url, fields = f"{server.url}/bot{TOKEN}/sendMessage", {"chat_id": "@news", "text": "ünder & über = 1"}
    match kind:
        case "form":
            sent = http.post(url, data=fields)
        case "json":
            sent = http.post(url, json=fields)
            assert refusal(http.post(url, content=b"[]", headers={"Content-Type": "application/json"}))
        case "multipart":
            sent = http.post(url, data=fields, files={"unused": ("a.txt", b"text")})
        case _:
            sent = http.get(url, params=fields)

    assert result(sent)["text"] == "ünder & über = 1"


def test_posts(server: TelegramServer, call: Call, chat: Chat) -> None:
    """Ids count up within a chat and are not used again; a post has no sender."""
    sent = [result(call("sendMessage", chat_id=name, text="x")) for name in ("@news", "@NEWS")]
    call("deleteMessage", chat_id="@news", message_id=2)
    sent.append(result(call("sendMessage", chat_id=chat.id, text="x")))
    other = server.add_chat("private")

    assert [one["message_id"] for one in sent] == [1, 2, 3]
    assert sent[0]["sender_chat"]["id"] == chat.id
    assert "from" not in sent[0]
    assert result(call("sendMessage", chat_id=other.id, text="x"))["message_id"] == 1


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


@pytest.mark.parametrize("unit", ["x", "🗼", "👩‍👩‍👧"])
def test_the_limit_is_in_code_points(call: Call, chat: Chat, unit: str) -> None:
    """4096 code points fit, after trimming and parsing, and one more does not."""
    text = (unit * 4096)[:4096]
    marked = f"<b>{text}</b>\n"

    assert result(call("sendMessage", chat_id="@news", text=marked, parse_mode="HTML"))["text"] == text
    refused = call("sendMessage", chat_id="@news", text=text + "x")
    assert refusal(refused) == (400, "Bad Request: message is too long")


def test_replies(server: TelegramServer, call: Call, chat: Chat) -> None:
    """A reply shows its parent and not the parent's; unlinked it goes on request."""
    server.add_chat(username="other")
    for text in ("first", "second", "third"):
        call("sendMessage", chat_id="@other", text=text)
    call("sendMessage", chat_id="@news", text="first")
    call("sendMessage", chat_id="@news", text="second", reply_to_message_id=1)
    sent = result(call("sendMessage", chat_id="@news", text="third", reply_parameters={"message_id": 2}))
    elsewhere = {"message_id": 9, "allow_sending_without_reply": True}
    unlinked = result(call("sendMessage", chat_id="@news", text="x", reply_parameters=elsewhere))

    assert sent["reply_to_message"]["message_id"] == 2
    assert "reply_to_message" not in sent["reply_to_message"]
    assert "reply_to_message" not in unlinked


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


def test_an_upgraded_group(server: TelegramServer, call: Call) -> None:
    """An upgraded group tells its new id."""
    group = server.add_chat("group")
    new = server.migrate(group)

    refused = call("sendMessage", chat_id=group.id, text="x")

    assert (refusal(refused)[0], refused.json()["parameters"]) == (400, {"migrate_to_chat_id": new.id})


def test_forwards(call: Call, chat: Chat, ada: Person) -> None:
    """A forward carries the text and where it is from; protected content stays where it is."""
    call("sendMessage", chat_id="@news", text="look")

    copy = result(call("forwardMessage", chat_id=1111, from_chat_id="@news", message_id=1))

    assert (copy["text"], copy["chat"]["id"]) == ("look", 1111)
    assert (copy["forward_origin"]["message_id"], copy["forward_origin"]["chat"]["id"]) == (1, chat.id)
    chat.protected = True
    assert refusal(call("forwardMessage", chat_id=1111, from_chat_id="@news", message_id=1))[0] == 400


def test_edits_and_deletions(server: TelegramServer, call: Call, chat: Chat) -> None:
    """An edit keeps the id, needs a change and takes the buttons; after 48 hours a message stays."""
    call("sendMessage", chat_id="@news", text="draft", reply_markup=SURE.to_dict())

    edited = result(call("editMessageText", chat_id="@news", message_id=1, text="final"))
    assert (edited["text"], "reply_markup" in edited) == ("final", False)
    again = call("editMessageText", chat_id="@news", message_id=1, text="final")
    assert "message is not modified" in refusal(again)[1]
    chat.messages[1].date -= 48 * 3600 + 60
    assert refusal(call("deleteMessage", chat_id="@news", message_id=1))[0] == 400
    group = server.add_chat("group")
    server.receive(group, "hello", ADA)
    refused = call("editMessageText", chat_id=group.id, message_id=1, text="x")
    assert refusal(refused) == (400, "Bad Request: message can't be edited")


async def test_documents(server: TelegramServer, call: Call, bot: telegram.Bot, ada: Person) -> None:
    """A document comes with name, caption and bytes; too large, or with too long a caption, it is refused."""
    data = bytes(range(256)) * 400 + b"\r\n--\r\n\n"

    sent = await bot.send_document(
        1111, BytesIO(data), filename="queue.csv", caption="<b>all</b>", parse_mode=ParseMode.HTML
    )

    assert sent.document is not None
    assert (sent.document.file_name, sent.document.mime_type) == ("queue.csv", "text/csv")
    assert (sent.caption, sent.caption_entities[0].type) == ("all", "bold")
    assert ada.opens(ada.messages()[-1]) == data
    assert bytes(await (await sent.document.get_file()).download_as_bytearray()) == data
    with pytest.raises(telegram.error.BadRequest, match="no text in the message to edit"):
        await sent.edit_text("x")
    file = {"document": ("a.txt", b"text")}
    long = call("sendDocument", chat_id=1111, caption="x" * 1025, files=file)
    assert refusal(long) == (400, "Bad Request: message caption is too long")
    server.api.upload_limit = server.api.download_limit = 3
    assert refusal(call("sendDocument", chat_id=1111, files=file)) == (413, "Request Entity Too Large")
    refused = call("getFile", file_id=sent.document.file_id)
    assert refusal(refused) == (400, "Bad Request: file is too big")


async def test_presses(server: TelegramServer, call: Call, bot: telegram.Bot, ada: Person) -> None:
    """A press comes with who and what; it is answered once, before it is too old."""
    sent = await bot.send_message(1111, "Sure?", reply_markup=SURE)
    pressed, late = ada.presses("Yes"), ada.presses("Yes")
    late.expired = True
    query = (await bot.get_updates())[0].callback_query
    assert query is not None
    assert (query.data, query.from_user.language_code, sent.reply_markup) == ("yes", "de", SURE)
    long = call("answerCallbackQuery", callback_query_id=pressed.id, text="x" * 201)
    assert refusal(long) == (400, "Bad Request: MESSAGE_TOO_LONG")

    await query.answer("Done", show_alert=True)

    assert ada.answer_to(pressed) == Answer("Done", alert=True)
    for query_id in (pressed.id, late.id):
        assert "too old" in refusal(call("answerCallbackQuery", callback_query_id=query_id))[1]
    message = ada.messages()[-1]
    await sent.delete()
    with pytest.raises(LookupError, match="deleted"):
        ada.presses("Yes", message)


async def test_who_sees_which_commands(server: TelegramServer, bot: telegram.Bot, ada: Person) -> None:
    """A person sees the list of the most particular scope, and in it the one of their language."""
    bob = server.person("Bob", language="pt-BR")
    group = server.group("Editors", ada, bob)

    def seen() -> list[str]:
        lists = (ada.commands(), bob.commands(), ada.commands(group), bob.commands(group))
        return [next(iter(shown), "") for shown in lists]

    steps: list[tuple[Any, str | None, list[str]]] = [
        (BotCommandScopeDefault(), None, ["c0", "c0", "c0", "c0"]),
        (BotCommandScopeDefault(), "de", ["c1", "c0", "c1", "c0"]),
        (BotCommandScopeAllPrivateChats(), None, ["c2", "c2", "c1", "c0"]),
        (BotCommandScopeAllGroupChats(), "pt", ["c2", "c2", "c1", "c3"]),
        (BotCommandScopeAllGroupChats(), None, ["c2", "c2", "c4", "c3"]),
        (BotCommandScopeAllChatAdministrators(), None, ["c2", "c2", "c5", "c3"]),
        (BotCommandScopeChat(group.id), None, ["c2", "c2", "c6", "c6"]),
        (BotCommandScopeChatAdministrators(group.id), "de", ["c2", "c2", "c7", "c6"]),
        (BotCommandScopeChatMember(group.id, ada.user.id), None, ["c2", "c2", "c8", "c6"]),
        (BotCommandScopeChat(1111), None, ["c9", "c2", "c8", "c6"]),
    ]
    assert seen() == [""] * 4
    for number, (scope, language, expected) in enumerate(steps):
        await bot.set_my_commands([(f"c{number}", "x")], scope=scope, language_code=language)
        assert seen() == expected, scope
    await bot.delete_my_commands(BotCommandScopeChat(1111))
    assert seen()[0] == "c2"


def test_by_hand() -> None:
    """The command explains itself."""
    shown = CliRunner().invoke(main, ["--help"])

    assert shown.exit_code == 0
    assert "--chat" in shown.output
