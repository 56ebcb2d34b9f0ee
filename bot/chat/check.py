"""What `threadcast check` says of the chat: would those who steer the service be answered?"""

from collections.abc import Iterator

import telegram
from telegram.constants import ChatAction
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from threadcast.bot.channels.port import Finding
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.chat.access import Door
from threadcast.bot.chat.commands import Role
from threadcast.config.logs import redact
from threadcast.config.settings import Settings

START = "they press Start in a private chat with the bot"


async def examine_chat(settings: Settings) -> tuple[Finding, ...]:
    """Looks without saying anything to anybody. Never raises for the network."""
    token = settings.telegram.token
    if token is None:
        return ()
    if not settings.chatting:
        return tuple(_off(settings))
    bot = make_bot(token.get_secret_value(), api_url=settings.telegram.api_url)
    try:
        await bot.initialize()
        return await _look(bot, Door(settings.telegram))
    except InvalidToken:
        return (
            Finding(
                "error",
                "Telegram does not accept the bot token",
                "put the one that @BotFather gives in THREADCAST_TELEGRAM__TOKEN",
            ),
        )
    except (TelegramError, *UNREADABLE) as error:
        return (Finding("error", f"Telegram cannot be asked ({redact(str(error))})", "try again later"),)
    finally:
        await close_bot(bot)


def _off(settings: Settings) -> Iterator[Finding]:
    if not settings.telegram.listen:
        yield Finding("ok", "this service takes no commands (THREADCAST_TELEGRAM__LISTEN)")
    else:
        yield Finding(
            "warning",
            "nobody may steer the service from Telegram",
            "put your numeric user id into THREADCAST_TELEGRAM__ADMINS",
        )


async def _look(bot: telegram.Bot, door: Door) -> tuple[Finding, ...]:
    owners = len(door.owners)
    found = [Finding("ok", f"@{bot.username} listens to {owners} owner{'s' if owners != 1 else ''}")]
    for person, role in door.people.items():
        name = "owner" if role is Role.OWNER else "editor"
        if not await _is_there(bot, person):
            found.append(Finding("warning", f"{name} {person} cannot be told anything yet", START))
    if door.group is not None and not await _is_there(bot, door.group):
        found.append(
            Finding(
                "error",
                f"the bot is not in the group {door.group}",
                "add it there, or correct THREADCAST_TELEGRAM__GROUP",
            )
        )
    return tuple(found)


async def _is_there(bot: telegram.Bot, chat: int) -> bool:
    """Whether the bot could write there: that it knows the chat says less than that it may show "typing"."""
    try:
        await bot.send_chat_action(chat, ChatAction.TYPING)
    except (BadRequest, Forbidden):
        return False
    return True
