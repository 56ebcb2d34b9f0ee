"""The commands in Telegram's menu: for each person what they may, in their language; for others nothing."""

from collections.abc import Iterator
from typing import Final

import structlog
import telegram
from telegram.error import BadRequest, Forbidden

from threadcast.bot.chat.access import Door
from threadcast.bot.chat.commands import LANGUAGES, Role, allowed_to
from threadcast.config.logs import redact

log = structlog.get_logger("threadcast.chat")

OTHERS: Final = "en"  # what the menu shows in a language that the table does not have


def menu(role: Role, language: str) -> tuple[telegram.BotCommand, ...]:
    """The menu of a role in a language. Pure."""
    return tuple(
        telegram.BotCommand(one.name, one.summaries.get(language, one.summaries[OTHERS]))
        for one in allowed_to(role)
    )


def _scopes(door: Door) -> Iterator[tuple[telegram.BotCommandScope, Role]]:
    for person, role in door.people.items():
        yield telegram.BotCommandScopeChat(person), role
    if door.group is not None:
        for person, role in door.people.items():
            yield telegram.BotCommandScopeChatMember(door.group, person), role


async def set_menus(bot: telegram.Bot, door: Door) -> None:
    """Tell Telegram all of them. Raises TelegramError where it cannot be reached."""
    await bot.delete_my_commands()
    for scope, role in _scopes(door):
        await set_menu(bot, scope, role)


async def set_menu(bot: telegram.Bot, scope: telegram.BotCommandScope, role: Role) -> None:
    """One person's; it waits for their Start where they have not met the bot. Raises TelegramError."""
    for language in LANGUAGES:
        code = "" if language == OTHERS else language
        try:
            await bot.set_my_commands(menu(role, language), scope=scope, language_code=code)
        except (BadRequest, Forbidden) as error:
            log.debug("no menu yet", scope=scope.to_dict(), reason=redact(error.message))
            return
