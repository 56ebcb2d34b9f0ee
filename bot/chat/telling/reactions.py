"""Reactions on what people sent: taken, and all of it published. A help only: nothing else rests on them."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from telegram.constants import ReactionEmoji
from telegram.error import BadRequest, TelegramError

from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.chat.buttons import MANY, ranges, threads_of
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.outbox import Outbox
from threadcast.bot.requests.queries import Dossier
from threadcast.config.logs import get_logger, redact
from threadcast.queue.errors import NotFoundError, StoreError
from threadcast.queue.states import DeliveryState

log = get_logger("threadcast.chat")

TAKEN: Final = ReactionEmoji.EYES
# Telegram takes no ✅ as a reaction: https://core.telegram.org/bots/api#reactiontypeemoji
PUBLISHED: Final = ReactionEmoji.OK_HAND_SIGN


class Reactions:
    """Notes which threads came with a message, until all of them are published."""

    def __init__(self, context: Context, outbox: Outbox) -> None:
        self._context = context
        self._bot = outbox.bot
        self._refused: set[int] = set()  # chats that allow none
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def took(self, chat: int, message: int, threads: Sequence[int] = ()) -> None:
        """A message was taken: as these threads, or as a piece of a draft."""
        with suppress(StoreError):
            await self._take(chat, message, threads)

    async def _take(self, chat: int, message: int, threads: Sequence[int]) -> None:
        now, noted = self._context.clock(), f"{message} {','.join(ranges(threads))}"
        for one in threads if len(threads) <= MANY else ():
            await asyncio.to_thread(self._context.notes.write, _page(one), chat, noted, now=now)
        await self._react(chat, message, TAKEN)
        if threads:  # they may be out by now
            with suppress(NotFoundError):
                await self.saw(chat, await asyncio.to_thread(self._context.dossier, threads[0]))

    async def saw(self, chat: int, dossier: Dossier) -> None:
        """A thread stands like this now. Raises StoreError."""
        if not _is_published(dossier):
            return
        noted = (await asyncio.to_thread(self._context.notes.read, _page(dossier.stored.id))).get(chat)
        if noted is None:
            return
        message, _, numbers = noted.partition(" ")
        threads = threads_of(numbers)
        if await asyncio.to_thread(self._are_published, threads):
            for one in threads:
                await asyncio.to_thread(self._context.notes.forget, _page(one))
            await self._react(chat, int(message), PUBLISHED)

    def _are_published(self, threads: Sequence[int]) -> bool:
        try:
            return all(_is_published(self._context.dossier(one)) for one in threads)
        except NotFoundError:  # one was removed
            return False

    async def _react(self, chat: int, message: int, emoji: str) -> None:
        """One after the other in a chat, so that the last one stays; where none is allowed, none is tried."""
        async with self._turns[chat]:
            if chat in self._refused:
                return
            try:
                await self._bot.set_message_reaction(chat, message, emoji)
            except BadRequest as error:
                if "not found" not in error.message.lower():  # of a message that is gone
                    self._refused.add(chat)
            except (TelegramError, *UNREADABLE) as error:
                log.debug("no reaction", reason=redact(str(error)))


def _is_published(dossier: Dossier) -> bool:
    return all(chain.delivery.state is DeliveryState.PUBLISHED for chain in dossier.chains)


def _page(thread: int) -> str:
    """The page of the notes that says, by chat, with which message a thread came, and which others did."""
    return f"sent:{thread}"
