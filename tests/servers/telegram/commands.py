"""The lists of commands that a bot shows: one for each scope and language, and who sees which.

https://core.telegram.org/bots/api#botcommandscope,
https://github.com/tdlib/td/blob/master/td/telegram/BotCommand.cpp, BotCommandScope.cpp
"""

import re
from typing import Any, TypeAlias

from tests.servers.telegram.chats import ApiError, Chat, Json, Member, User
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.state import BotApi

MOST_COMMANDS = 100
LONGEST_COMMAND = 32
LONGEST_DESCRIPTION = 256
COMMAND = re.compile(r"[a-z0-9_]+")
LANGUAGE = re.compile(r"[a-z]{2}")
GENERAL = ("default", "all_private_chats", "all_group_chats", "all_chat_administrators")
OF_A_CHAT = ("chat", "chat_administrators", "chat_member")

Scope: TypeAlias = tuple[str, int, int]


def set_my_commands(api: BotApi, bot: User, given: Parameters) -> bool:
    key = (_scope(api, bot, given), language_of(given))
    commands = given.value("commands")
    if not isinstance(commands, list):
        raise ApiError(400, "Bad Request: expected an Array of BotCommand")
    checked = [_checked(command) for command in commands]
    if len(checked) > MOST_COMMANDS:
        raise ApiError(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
    api.commands[bot.id].pop(key, None)
    if checked:
        api.commands[bot.id][key] = checked
    return True


def get_my_commands(api: BotApi, bot: User, given: Parameters) -> list[Json]:
    return api.commands[bot.id].get((_scope(api, bot, given), language_of(given)), [])


def delete_my_commands(api: BotApi, bot: User, given: Parameters) -> bool:
    api.commands[bot.id].pop((_scope(api, bot, given), language_of(given)), None)
    return True


def shown_commands(api: BotApi, bot: User, chat: Chat, user: User) -> list[Json]:
    """The list that somebody sees in a chat: the first that there is, the most particular one first.

    https://core.telegram.org/bots/api#determining-list-of-commands
    """
    status = chat.members.get(user.id, Member("left")).status
    rules = status in ("administrator", "creator")
    scopes: list[Scope]
    match chat.kind:
        case "channel":
            return []
        case "private":
            scopes = [("chat", chat.id, 0), ("all_private_chats", 0, 0)]
        case _:
            scopes = [("chat_member", chat.id, user.id)]
            scopes += [("chat_administrators", chat.id, 0)] if rules else []
            scopes += [("chat", chat.id, 0)]
            scopes += [("all_chat_administrators", 0, 0)] if rules else []
            scopes += [("all_group_chats", 0, 0)]
    language = (user.language_code or "").partition("-")[0]
    keys = [(scope, spoken) for scope in [*scopes, ("default", 0, 0)] for spoken in (language, "")]
    return next((api.commands[bot.id][key] for key in keys if key in api.commands[bot.id]), [])


def language_of(given: Parameters) -> str:
    """The language that a call is about. Raises ApiError."""
    language = given.text("language_code")
    if language and not LANGUAGE.fullmatch(language):
        raise ApiError(400, "Bad Request: invalid language code specified")
    return language


def _scope(api: BotApi, bot: User, given: Parameters) -> Scope:
    scope = given.value("scope")
    if scope is None:
        return ("default", 0, 0)
    if not isinstance(scope, dict):
        raise ApiError(400, "Bad Request: BotCommandScope must be an Object")
    kind = scope.get("type")
    if kind in GENERAL:
        return (kind, 0, 0)
    if kind not in OF_A_CHAT:
        raise ApiError(400, "Bad Request: can't parse BotCommandScope: Unsupported type specified")
    for name in ("chat_id", *(["user_id"] if kind == "chat_member" else [])):
        if name not in scope:
            raise ApiError(400, f"Bad Request: can't parse BotCommandScope: Can't find field \"{name}\"")
    chat = api.chat_named(bot, str(scope["chat_id"]), "chat_id")
    if chat.kind == "private" and kind != "chat":
        raise ApiError(400, "Bad Request: can't use specified scope in private chats")
    if chat.kind == "channel":
        raise ApiError(400, "Bad Request: can't change commands in channel chats")
    if chat.kind != "private":
        chat.require_member(bot)
    return (kind, chat.id, api.user(int(scope["user_id"])).id if kind == "chat_member" else 0)


def _checked(command: Any) -> Json:
    if not isinstance(command, dict):
        raise ApiError(400, "Bad Request: can't parse BotCommand: expected an Object")
    for name in ("command", "description"):
        if not isinstance(command.get(name), str):
            raise ApiError(400, f"Bad Request: can't parse BotCommand: Can't find field \"{name}\"")
    name, description = command["command"].strip().removeprefix("/"), command["description"].strip()
    if not name:
        raise ApiError(400, "Bad Request: command must be non-empty")
    if len(name) > LONGEST_COMMAND:
        raise ApiError(400, f"Bad Request: command length must not exceed {LONGEST_COMMAND}")
    if not COMMAND.fullmatch(name):
        raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
    if not description:
        raise ApiError(400, "Bad Request: command description must be non-empty")
    if len(description) > LONGEST_DESCRIPTION:
        words = f"command description length must not exceed {LONGEST_DESCRIPTION}"
        raise ApiError(400, f"Bad Request: {words}")
    return {"command": name, "description": description}
