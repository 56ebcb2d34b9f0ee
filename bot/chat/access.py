"""Who may speak to the bot, and where; whether they would be answered. Everyone else gets silence."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import IntEnum

import structlog
import telegram
from telegram.constants import ChatAction, ChatType
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from threadcast.bot.channels.port import Finding, now
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.channels.telegram.errors import UNREADABLE, in_vain
from threadcast.bot.plain import plain
from threadcast.config.settings import Settings
from threadcast.config.telegram import TelegramSettings

log = structlog.get_logger("threadcast.chat")

REMEMBERED = 1000  # strangers who are not logged again
START = "they press Start in a private chat with the bot"


class Role(IntEnum):
    """What a person may do: an editor adds and looks, an owner does all."""

    EDITOR = 1
    OWNER = 2


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks, and in which chat they get their answer."""

    person: int
    chat: int
    role: Role

    @property
    def actor(self) -> str:
        """For the audit log."""
        return f"telegram:{self.person}"


class Access:
    """Knows people by their numeric ids: names and usernames can be anybody's."""

    def __init__(self, settings: TelegramSettings) -> None:
        self.owners = settings.admins
        self.group = settings.group
        self.people = dict.fromkeys(settings.admins, Role.OWNER) | {
            one: Role.EDITOR for one in settings.editors if one not in settings.admins
        }
        self._strangers: set[int] = set()

    def role_of(self, person: int) -> Role | None:
        return self.people.get(person)

    @property
    def report_to(self) -> tuple[int, ...]:
        """The chats that are told of everything: the group, or else every owner."""
        return self.owners if self.group is None else (self.group,)

    def sender(self, user: telegram.User | None, chat: telegram.Chat | None) -> Sender | None:
        """Who asks, None where they may not: in a private chat with the bot, or in the configured group."""
        if user is None or chat is None:
            return None
        role = self.role_of(user.id)
        private = chat.type == ChatType.PRIVATE and chat.id == user.id
        if role is not None and (private or chat.id == self.group):
            return Sender(user.id, chat.id, role)
        self._log_once(user, chat, known=role is not None)
        return None

    def _log_once(self, user: telegram.User, chat: telegram.Chat, *, known: bool) -> None:
        key = chat.id if known else user.id
        if key in self._strangers or len(self._strangers) >= REMEMBERED:
            return
        self._strangers.add(key)
        if known:
            log.warning(
                "not answered: another group",
                chat=chat.id,
                next=f"to steer the service from there: THREADCAST_TELEGRAM__GROUP={chat.id}",
            )
            return
        log.warning(
            "not answered: a stranger",
            person=user.id,
            name=plain(user.full_name)[:64],
            next=f"if this is you, put {user.id} into THREADCAST_TELEGRAM__ADMINS",
        )


async def examine_chat(settings: Settings) -> tuple[Finding, ...]:
    """Say for `threadcast check` whether those who steer the service would be answered.

    Writes nothing to anybody, and never raises for the network.
    """
    token = settings.telegram.token
    if token is None:
        return ()
    if not settings.telegram.listen:
        return (Finding("ok", "this service takes no commands (THREADCAST_TELEGRAM__LISTEN)"),)
    if not settings.chatting:
        advice = "put your numeric user id into THREADCAST_TELEGRAM__ADMINS"
        return (Finding("warning", "nobody may steer the service from Telegram", advice),)
    bot = make_bot(token.get_secret_value(), api_url=settings.telegram.api_url, proxies=settings.proxies)
    try:
        await bot.initialize()
        return tuple([one async for one in _examine(bot, Access(settings.telegram))])
    except InvalidToken:
        advice = "put the one that @BotFather gives in THREADCAST_TELEGRAM__TOKEN"
        return (Finding("error", "Telegram does not accept the bot token", advice),)
    except (TelegramError, *UNREADABLE) as error:
        reason = in_vain(error, name="", now=now()).reason
        return (Finding("error", reason, "try again later"),)
    finally:
        await close_bot(bot)


async def _examine(bot: telegram.Bot, access: Access) -> AsyncIterator[Finding]:
    owners = len(access.owners)
    yield Finding("ok", f"@{bot.username} listens to {owners} owner{'s' if owners != 1 else ''}")
    for person, role in access.people.items():
        if not await _is_there(bot, person):
            yield Finding("warning", f"{role.name.lower()} {person} cannot be told anything yet", START)
    if access.group is not None and not await _is_there(bot, access.group):
        advice = "add it there, or correct THREADCAST_TELEGRAM__GROUP"
        yield Finding("error", f"the bot is not in the group {access.group}", advice)


async def _is_there(bot: telegram.Bot, chat: int) -> bool:
    """Whether the bot could write there: that it knows the chat says less than that it may show "typing"."""
    try:
        await bot.send_chat_action(chat, ChatAction.TYPING)
    except (BadRequest, Forbidden):
        return False
    return True
