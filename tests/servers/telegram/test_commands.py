"""The Bot API test server keeps a bot's commands by scope and language, and shows each person theirs."""

from typing import Any

import pytest
import telegram
from telegram import (
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BotCommandScopeChatMember,
    BotCommandScopeDefault,
)

from tests.servers.telegram.chats import Chat
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer
from tests.servers.telegram.wire import Call, refusal


@pytest.mark.parametrize(
    ("commands", "words"),
    [
        ("x", "can't parse commands"),
        ({}, "expected an Array of BotCommand"),
        (["x"], "can't parse BotCommand: expected an Object"),
        ([{"command": "add"}], "can't parse BotCommand: Can't find field \"description\""),
        ([{"command": "", "description": "x"}], "command must be non-empty"),
        ([{"command": "x" * 33, "description": "x"}], "command length must not exceed 32"),
        ([{"command": "Add", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "hinzufügen", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "add-it", "description": "x"}], "BOT_COMMAND_INVALID"),
        ([{"command": "add", "description": " "}], "command description must be non-empty"),
        ([{"command": "add", "description": "x" * 257}], "command description length must not exceed 256"),
        ([{"command": "add", "description": "x"}] * 101, "BOT_COMMANDS_TOO_MUCH"),
    ],
)
def test_lists_that_are_refused(call: Call, commands: Any, words: str) -> None:
    """A list with a name or a description that is none is refused, and so is one that is too long."""
    assert refusal(call("setMyCommands", commands=commands)) == (400, f"Bad Request: {words}")


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ([], "BotCommandScope must be an Object"),
        ({"type": "all"}, "can't parse BotCommandScope: Unsupported type specified"),
        ({"type": "chat"}, "can't parse BotCommandScope: Can't find field \"chat_id\""),
        ({"type": "chat", "chat_id": 5}, "chat not found"),
        ({"type": "chat", "chat_id": "@news"}, "can't change commands in channel chats"),
        ({"type": "chat_administrators", "chat_id": 1111}, "can't use specified scope in private chats"),
    ],
)
def test_scopes_that_are_refused(call: Call, ada: Person, chat: Chat, scope: Any, words: str) -> None:
    """A scope that is none, or of a chat that is not there or shows no commands, is refused."""
    commands = [{"command": "add", "description": "x"}]

    assert refusal(call("setMyCommands", commands=commands, scope=scope)) == (400, f"Bad Request: {words}")


@pytest.mark.parametrize("language", ["d", "deu", "DE", "d1"])
def test_languages_that_are_refused(call: Call, language: str) -> None:
    """A language is two small letters, or none."""
    refused = call("getMyCommands", language_code=language)

    assert refusal(refused) == (400, "Bad Request: invalid language code specified")


async def test_lists_are_apart(bot: telegram.Bot, ada: Person) -> None:
    """Each scope and language has a list of its own, which is replaced, emptied and deleted alone."""
    scope = BotCommandScopeChat(1111)
    await bot.set_my_commands([("add", "Add a thread"), ("queue", "What waits")])
    await bot.set_my_commands([("/add", " Einen Faden geben ")], language_code="de")
    await bot.set_my_commands([("undo", "Take it back")], scope=scope)

    assert [c.command for c in await bot.get_my_commands()] == ["add", "queue"]
    (german,) = await bot.get_my_commands(language_code="de")
    assert (german.command, german.description) == ("add", "Einen Faden geben")
    assert [c.command for c in await bot.get_my_commands(scope)] == ["undo"]
    await bot.delete_my_commands(scope)
    await bot.set_my_commands([], language_code="de")
    assert await bot.get_my_commands(scope) == ()
    assert await bot.get_my_commands(language_code="de") == ()
    assert len(await bot.get_my_commands()) == 2


async def test_who_sees_which(server: TelegramServer, bot: telegram.Bot, ada: Person) -> None:
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


async def test_what_is_shown(bot: telegram.Bot, ada: Person) -> None:
    """A person sees commands with their descriptions, in order, in the language that they switched to."""
    await bot.set_my_commands([("b", "second"), ("a", "first")], language_code="fr")

    assert ada.commands() == {}
    assert list(ada.commands(language="fr").items()) == [("b", "second"), ("a", "first")]
