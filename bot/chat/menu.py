"""The commands in Telegram's menu, for each person what they may, in their language; and what the bot is.

What it is stands where somebody opens its chat for the first time. Where its owner wrote something else there
before, that stays.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from difflib import get_close_matches
from hashlib import sha256
from typing import Final

import telegram
from telegram.error import BadRequest, Forbidden, TelegramError

from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.chat.access import Access, Role, Sender
from threadcast.bot.chat.commands import REGISTRY, Command
from threadcast.bot.languages import DEFAULT, LANGUAGES, N_, _, speaking
from threadcast.bot.words import other_words
from threadcast.config.logs import get_logger, redact
from threadcast.queue.store.notes import Notes

log = get_logger("threadcast.chat")

# Of at most 512 and 120 characters, in every language: https://core.telegram.org/bots/api#setmydescription
DESCRIPTION: Final = N_(
    "I publish long numbered threads as reply chains on Telegram channels and Mastodon accounts. Send me a "
    "text file or paste a thread, look at the preview, and press Publish."
)
SHORT: Final = N_("I publish long numbered threads as reply chains, and tell how they fare.")
PROFILE: Final = "profile"  # of the notes: what was said of the bot, as a hash, or whose that is
THEIRS: Final = "theirs"
BUTTON: Final = 2  # the line with the address to which the menu button leads

# A command that is not here stands at the end.
ORDER: Final = (
    *("start", "help", "add", "done", "queue", "show", "preview", "edit", "publish", "at", "set", "hold"),
    *("release", "move", "cancel", "stop", "retry", "skip", "undo", "settle", "pause", "resume", "channels"),
    *("history", "status", "pin", "page", "share", "audit", "events", "export"),
    *("continue", "adopt", "people", "backup"),
)
WORDS: Final[Mapping[str, Sequence[str]]] = other_words(ORDER)


def allowed_to(role: Role) -> tuple[Command, ...]:
    """The commands that a role may give, in the order of the menu."""
    order = {name: place for place, name in enumerate(ORDER)}
    found = [one for one in REGISTRY.values() if one.typed and one.who <= role]
    return tuple(sorted(found, key=lambda one: order.get(one.name, len(order))))


def meant(name: str, role: Role) -> tuple[Command, ...]:
    """The commands that a word may mean, of those that the role may give: by the table, else by likeness."""
    mine = {one.name: one for one in allowed_to(role)}
    if name in WORDS:
        return tuple(mine[one] for one in WORDS[name] if one in mine)
    likest = get_close_matches(name, mine, n=1, cutoff=0.5)
    return tuple(mine[one] for one in likest if mine[one].guessed)


def menu(role: Role, language: str) -> tuple[telegram.BotCommand, ...]:
    """The menu of a role in a language. Pure."""
    with speaking(language):
        return tuple(telegram.BotCommand(one.name, _(one.help)) for one in allowed_to(role))


def _scopes(access: Access, person: int) -> Iterator[telegram.BotCommandScope]:
    yield telegram.BotCommandScopeChat(person)
    if access.group is not None:
        yield telegram.BotCommandScopeChatMember(access.group, person)


async def set_menus(bot: telegram.Bot, access: Access) -> None:
    """Tell Telegram all of them. Raises TelegramError where it cannot be reached."""
    await bot.delete_my_commands()
    for person, role in access.people.items():
        for scope in _scopes(access, person):
            await set_menu(bot, scope, role, access.known.language)


async def set_menu(
    bot: telegram.Bot, scope: telegram.BotCommandScope, role: Role, language: str = ""
) -> None:
    """One person's, in every language or the one that is spoken to all. Raises TelegramError.

    It waits for their Start where they have not met the bot.
    """
    for one, code in _spoken(language):
        try:
            await bot.set_my_commands(menu(role, one), scope=scope, language_code=code)
        except (BadRequest, Forbidden) as error:
            log.debug("no menu yet", scope=scope.to_dict(), reason=redact(error.message))
            return


async def set_own_menu(bot: telegram.Bot, access: Access, sender: Sender) -> None:
    """Telegram takes the menu of a private chat only after its person has pressed Start."""
    try:
        await set_menu(bot, telegram.BotCommandScopeChat(sender.chat), sender.role, access.known.language)
        if access.page:
            await set_button(bot, access, sender.chat)
    except (TelegramError, *UNREADABLE) as error:
        log.warning("the menu of commands could not be set", reason=redact(str(error)))


async def set_button(bot: telegram.Bot, access: Access, person: int) -> None:
    """Put the page beside the field of a message in somebody's chat, where it opens. Raises TelegramError."""
    button: telegram.MenuButton = telegram.MenuButtonDefault()
    if access.page and access.role_of(person) is not None:
        with speaking(access.known.speaks(person)):
            button = telegram.MenuButtonWebApp(_("Queue"), telegram.WebAppInfo(f"{access.page}/app"))
    with suppress(BadRequest, Forbidden):  # they have not met the bot
        await bot.set_chat_menu_button(person, button)


async def set_buttons(bot: telegram.Bot, access: Access, notes: Notes, *, now: datetime) -> None:
    """The same for everybody, where there is such a button or was. Raises TelegramError, StoreError."""
    noted = (await asyncio.to_thread(notes.read, PROFILE)).get(BUTTON, "")
    if not access.page and not noted:
        return
    for person in access.people:
        await set_button(bot, access, person)
    await asyncio.to_thread(notes.write, PROFILE, BUTTON, access.page, now=now)


async def renew_menu(bot: telegram.Bot, access: Access, person: int) -> None:
    """Show somebody whose rights were taken away what they may still do; the default, if that is nothing."""
    role, language = access.role_of(person), access.known.language
    try:
        if access.page:
            await set_button(bot, access, person)
        for scope in _scopes(access, person):
            if role is not None:
                await set_menu(bot, scope, role, language)
                continue
            for _one, code in _spoken(language):
                await bot.delete_my_commands(scope=scope, language_code=code)
    except (TelegramError, *UNREADABLE) as error:
        log.warning("the menu of commands could not be set", reason=redact(str(error)))


async def describe(bot: telegram.Bot, notes: Notes, *, language: str = "", now: datetime) -> None:
    """Say what the bot is, where that is new and its owner said nothing. Raises TelegramError, StoreError."""
    said = {code: _described(one) for one, code in _spoken(language)}
    mark = sha256(repr((bot.id, said)).encode()).hexdigest()
    noted = (await asyncio.to_thread(notes.read, PROFILE)).get(1)
    if noted in {mark, THEIRS}:
        return
    if noted is None and (await bot.get_my_description()).description not in {"", said[""][0]}:
        mark = THEIRS
    else:
        for code, (description, short) in said.items():
            await bot.set_my_description(description, language_code=code)
            await bot.set_my_short_description(short, language_code=code)
        await bot.set_chat_menu_button(menu_button=telegram.MenuButtonCommands())
    await asyncio.to_thread(notes.write, PROFILE, 1, mark, now=now)


def _spoken(language: str) -> Sequence[tuple[str, str]]:
    """The one language that is spoken to all, or every one; with Telegram's code, "" for all others."""
    every = [language] if language else LANGUAGES
    return [(one, "" if one in {DEFAULT, language} else one) for one in every]


def _described(language: str) -> tuple[str, str]:
    with speaking(language):
        return _(DESCRIPTION), _(SHORT)
