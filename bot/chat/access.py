"""Who may speak to the bot, and where; whether they would be answered. Everyone else gets silence."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import telegram
from telegram.constants import ChatAction, ChatType
from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from threadcast.bot.channels.port import Finding, now
from threadcast.bot.channels.telegram.client import close_bot, make_bot
from threadcast.bot.channels.telegram.errors import UNREADABLE, in_vain
from threadcast.bot.languages import N_
from threadcast.bot.people.people import People, Role
from threadcast.bot.plain import plain
from threadcast.config.logs import get_logger
from threadcast.config.settings import Settings
from threadcast.queue.sentences import Sentence

__all__ = ["Access", "Role", "Sender", "bot_name", "examine_chat"]

log = get_logger("threadcast.chat")

REMEMBERED = 1000  # strangers who are not logged again
START = Sentence("they press Start in a private chat with the bot")


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

    @property
    def draft_key(self) -> str:
        """Where they write."""
        return f"{self.chat}:{self.person}"


class Access:
    """Knows people by their numeric ids: names and usernames can be anybody's.

    `page` is the https address of the page, which opens in Telegram; empty where it cannot.
    """

    def __init__(self, group: int | None, people: People, page: str = "") -> None:
        self.group = group
        self.page = page if page.startswith("https:") else ""
        self.known = people
        self._strangers: set[int] = set()

    @property
    def people(self) -> dict[int, Role]:
        """What each may do who may steer the service now."""
        return self.known.roles

    def role_of(self, person: int) -> Role | None:
        return self.people.get(person)

    @property
    def report_to(self) -> tuple[int, ...]:
        """The chats that are told of everything: the group, or else every owner."""
        return self.known.owners if self.group is None else (self.group,)

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
            next=f"if this is you: threadcast pair, or put {user.id} into THREADCAST_TELEGRAM__ADMINS",
        )


async def bot_name(settings: Settings) -> str | Finding:
    """Ask Telegram for the bot's username; return what is wrong where it does not say."""
    bot = _bot(settings)
    try:
        await bot.initialize()
    except (TelegramError, *UNREADABLE) as error:
        return _fault(error)
    else:
        return bot.username
    finally:
        await close_bot(bot)


async def examine_chat(settings: Settings, people: People) -> tuple[Finding, ...]:
    """Say for `threadcast check` whether those who steer the service would be answered.

    Writes nothing to anybody, and never raises for the network.
    """
    if settings.telegram.token is None:
        return ()
    if not settings.telegram.listen:
        return (Finding("ok", Sentence("this service takes no commands (THREADCAST_TELEGRAM__LISTEN)")),)
    if not people.owners:
        advice = Sentence(
            "threadcast pair makes a link for the first owner, or set THREADCAST_TELEGRAM__ADMINS"
        )
        return (Finding("warning", Sentence("nobody steers the service from Telegram yet"), advice),)
    bot = _bot(settings)
    try:
        await bot.initialize()
        access = Access(settings.telegram.group, people)
        return tuple([one async for one in _examine(bot, access)])
    except (TelegramError, *UNREADABLE) as error:
        return (_fault(error),)
    finally:
        await close_bot(bot)


def _bot(settings: Settings) -> telegram.Bot:
    assert settings.telegram.token is not None  # noqa: S101  # what the callers looked at
    token = settings.telegram.token.get_secret_value()
    return make_bot(token, api_url=settings.telegram.api_url, proxies=settings.proxies)


def _fault(error: Exception) -> Finding:
    if isinstance(error, InvalidToken):
        advice = Sentence("put the one that @BotFather gives in THREADCAST_TELEGRAM__TOKEN")
        return Finding("error", Sentence("Telegram does not accept the bot token"), advice)
    return Finding("error", in_vain(error, name="", now=now()).reason, Sentence("try again later"))


async def _examine(bot: telegram.Bot, access: Access) -> AsyncIterator[Finding]:
    owners = len(access.known.owners)
    yield Finding(
        "ok",
        Sentence(
            "@{name} listens to {n} owner", "@{name} listens to {n} owners", name=bot.username, n=owners
        ),
    )
    for person, role in access.people.items():
        if not await _is_there(bot, person):
            untold = (
                N_("owner {person} cannot be told anything yet")
                if role is Role.OWNER
                else N_("editor {person} cannot be told anything yet")
            )
            yield Finding("warning", Sentence(untold, person=str(person)), START)
    if access.group is not None and not await _is_there(bot, access.group):
        advice = Sentence("add it there, or correct THREADCAST_TELEGRAM__GROUP")
        yield Finding("error", Sentence("the bot is not in the group {chat}", chat=access.group), advice)


async def _is_there(bot: telegram.Bot, chat: int) -> bool:
    """Whether the bot could write there: that it knows the chat says less than that it may show "typing"."""
    try:
        await bot.send_chat_action(chat, ChatAction.TYPING)
    except (BadRequest, Forbidden):
        return False
    return True
