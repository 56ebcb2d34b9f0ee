"""The bot is heard without a service: a link lets its owner in, and *Publish here* makes a chat a channel."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from threadcast.bot.channels.build import bot_pace, build_channels, chat_pace, seen
from threadcast.bot.channels.port import Channel, now
from threadcast.bot.channels.stored import StoredChannel, in_use, offered, stored
from threadcast.bot.chat.chat import Chat
from threadcast.bot.data_folder import AlreadyRunningError, only_one, open_queue
from threadcast.bot.languages import _, ngettext
from threadcast.bot.people import pairing
from threadcast.bot.people.people import People, Person, Role
from threadcast.bot.requests.requests import build_requests
from threadcast.bot.shell.context import actor
from threadcast.bot.shell.screen import Screen, safe
from threadcast.bot.shell.setup.asking import missing, on_terminal, waited
from threadcast.config.settings import Settings
from threadcast.queue.store.database import Database

OWNER: Final = "owner"
CHAT: Final = "chat"


async def hear(settings: Settings, bot: str, screen: Screen, without: frozenset[str]) -> None:
    """Let the owner in, and take the chat to which they add the bot; what is there already is said.

    `bot` is its username. Raises StoreError, UsageError.
    """
    async with open_queue(settings) as database:
        notes = database.notes
        owners = await asyncio.to_thread(lambda: People(settings.telegram).read(notes).owners)
        chats = [one.name for one in settings.channels if one.kind == "telegram"]
        chats += await asyncio.to_thread(stored, notes)
        if owners:
            said = ngettext(
                "You steer the bot already: {n} owner.", "You steer the bot already: {n} owners.", len(owners)
            )
            screen.say(said.format(n=len(owners)))
        if chats:
            names = safe(", ".join(sorted(set(chats))))
            screen.say(_("A Telegram channel is set up already: {names}.").format(names=names))
        wanted = [step for step, done in ((OWNER, owners), (CHAT, chats)) if not done and step not in without]
        if not wanted:
            return
        if not on_terminal():
            raise missing("--admin ID" if wanted[0] == OWNER else "--chat CHAT", wanted[0])
        async with AsyncExitStack() as stack:
            try:
                stack.enter_context(only_one(settings))
                await stack.enter_async_context(_heard(settings, database))
            except AlreadyRunningError:
                screen.say(
                    _("A service is running here: it hears the bot, if it was started with its token.")
                )
            if OWNER in wanted and not await _let_in(settings, database, bot, screen):
                return
            if CHAT in wanted:
                await _take_chat(database, bot, screen)


async def _let_in(settings: Settings, database: Database, bot: str, screen: Screen) -> bool:
    """Show a link until who opened it steers; False where that is left out."""

    def found() -> Person | bool | None:
        people = People(settings.telegram).read(database.notes)
        return next(iter(people.all), None) or (True if now() > until else None)

    while True:
        until = now() + pairing.LASTS
        offer = partial(pairing.offer, database.notes, Role.OWNER, by=actor(), now=now())
        link = pairing.address(bot, await asyncio.to_thread(offer))
        screen.say(_("Open this link in Telegram, and press Start: who does so first steers the bot."))
        screen.say(f"  {link}", whole=True)
        if sys.stdout.isatty():
            screen.say(pairing.drawn(link))
        screen.say(_("I wait for it, ten minutes. Enter leaves it out."))
        match await waited(found):
            case Person(number=number):
                name = People(settings.telegram).read(database.notes).name(f"telegram:{number}")
                screen.say(_("{name} steers the bot from now on.").format(name=safe(name)))
                return True
            case None:
                screen.say(_("Left out. Later: {command}").format(command="threadcast pair"))
                return False
            case _:
                screen.say(_("Ten minutes are over; here is a new link."))


async def _take_chat(database: Database, bot: str, screen: Screen) -> None:
    """Wait until the owner makes a chat a channel of which the bot tells them; or leaves it out."""
    known = set(await asyncio.to_thread(offered, database.notes))
    said = _(
        "Now add @{bot} to your channel, as an administrator who may post messages. The bot asks you in its "
        "own chat then: press “{button}”. I wait for it. Enter leaves it out."
    )
    button = _("Publish here")
    screen.say(said.format(bot=safe(bot), button=button))
    told = False

    def found() -> StoredChannel | None:
        nonlocal told
        for one in offered(database.notes).values():
            if one.chat not in known and not told:
                told = True
                said = _("The bot is in {title} now: press “{button}” in its chat.")
                screen.say(said.format(title=safe(one.title), button=button))
        return next(iter(stored(database.notes).values()), None)

    one = await waited(found)
    if one is None:
        screen.say(
            _("Left out. Later: add the bot to your channel, while {command} is on.").format(
                command="threadcast run"
            )
        )
    else:
        said = _("It publishes in {title}, which is called {name}.")
        screen.say(said.format(title=safe(one.title), name=safe(one.name)))


@asynccontextmanager
async def _heard(settings: Settings, database: Database) -> AsyncIterator[None]:
    """While this is open, the chat is as in a service, and nothing is published."""
    channels: list[Channel] = []
    opened: list[Channel] = []

    async def take_up() -> None:
        found = await asyncio.to_thread(in_use, settings, database.notes)
        built = await asyncio.to_thread(build_channels, found, database) if found.has_channels else ()
        if built:
            await asyncio.to_thread(database.changes.see_channels, seen(found, built), now=now())
        opened.extend(built)
        channels[:] = built

    await take_up()
    timers = AsyncIOScheduler(timezone="UTC")
    timers.start()
    chat = Chat(
        settings,
        channels,
        database.notes,
        requests_of=lambda who: build_requests(settings, database, channels, actor=who),
        take_up=take_up,
        clock=now,
        pace=partial(chat_pace, settings, bot_pace(settings), database),
        scheduler=timers,
        invites=False,
    )
    chat.start()
    try:
        yield
    finally:
        timers.shutdown(wait=False)
        await chat.close()
        await asyncio.gather(*(one.close() for one in opened))
