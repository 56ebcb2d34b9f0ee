"""The status that is pinned in a chat: one message, kept up to date, until it is unpinned."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from telegram.error import BadRequest

from threadcast.bot.chat.access import Access, Role
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.outbox import Outbox
from threadcast.bot.chat.views import plan
from threadcast.bot.chat.views.message import Message
from threadcast.bot.chat.views.people import WANTED, Events
from threadcast.bot.languages import _
from threadcast.bot.requests.overview import for_owner
from threadcast.bot.requests.queries import Queries
from threadcast.config.logs import get_logger, redact
from threadcast.queue.model import Delivery

log = get_logger("threadcast.chat")

PINNED: Final = "pinned"  # the page of the notes; a line a chat
LOOSE: Final = " loose"  # behind the number of a message that Telegram did not let us pin


def wanted_by(queries: Queries, deliveries: Sequence[Delivery]) -> Events:
    """What happened to the threads of those that wait or end because a person wanted it, by thread."""
    threads = {one.thread_id for one in deliveries if one.code in WANTED}
    return {one: queries.events(one) for one in threads}


def status_now(context: Context, role: Role, chat: int, *, pinned: bool = True) -> Message:
    """How things stand now, for a chat. It blocks. Raises StoreError."""
    queries = context.requests_of("chat").queries
    yours = for_owner(queries.deliveries(frozenset(plan.YOURS)))
    events, viewer = wanted_by(queries, yours[: plan.FEW]), context.viewer(role, chat)
    return plan.status(queries.forecast(), yours, viewer, events, pinned=pinned)


class Status:
    """Which message it is in each chat, and what it says. In a chat, one thing is done after the other."""

    def __init__(self, context: Context, outbox: Outbox, access: Access) -> None:
        self._context = context
        self._outbox = outbox
        self._access = access
        self._said: dict[int, Message] = {}
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def chats(self) -> Collection[int]:
        """The chats in which there is one. Raises StoreError."""
        page = await asyncio.to_thread(self._context.notes.read, PINNED)
        return [chat for chat, text in page.items() if text]

    async def place(self, chat: int, message: int | None) -> None:
        """Pin this message in the place of the one before, or none. Raises UnreachableError, StoreError."""
        async with self._turns[chat]:
            await self._place(chat, message)
            if (await self._last(chat)).endswith(LOOSE):  # which it has still to say
                await self._redraw(chat)

    async def redraw(self, chat: int) -> None:
        """Bring it up to date, where it says something else. Raises UnreachableError, StoreError."""
        async with self._turns[chat]:
            await self._redraw(chat)

    async def _place(self, chat: int, message: int | None) -> None:
        last = await self._last(chat)
        text = ""
        if message is not None:
            text = str(message) if await self._pin(chat, message) else f"{message}{LOOSE}"
        notes, now = self._context.notes, self._context.clock()
        await asyncio.to_thread(notes.write, PINNED, chat, text, now=now)
        self._said.pop(chat, None)
        if last and not await self._outbox.delete(chat, _number(last)):  # older than Telegram lets us delete
            with suppress(BadRequest):
                unpin = partial(self._outbox.bot.unpin_chat_message, chat, _number(last))
                await self._outbox.call(chat, unpin)
            await self._outbox.edit(chat, _number(last), Message(_("This is kept up to date no more.")))

    async def _redraw(self, chat: int) -> None:
        text = await self._last(chat)
        role = self._access.role_of(chat) or Role.OWNER  # the group is told all
        if not text:
            return
        pinned = not text.endswith(LOOSE)
        said = await asyncio.to_thread(status_now, self._context, role, chat, pinned=pinned)
        if self._said.get(chat) != said:
            self._said[chat] = said
            if not await self._outbox.edit(chat, _number(text), said, patient=True):  # somebody deleted it
                notes, now = self._context.notes, self._context.clock()
                await asyncio.to_thread(notes.write, PINNED, chat, "", now=now)

    async def _pin(self, chat: int, message: int) -> bool:
        """Pin a message, silently; False where that is not allowed. Raises UnreachableError."""
        try:
            pin = partial(self._outbox.bot.pin_chat_message, chat, message, disable_notification=True)
            return await self._outbox.call(chat, pin)
        except BadRequest as error:
            log.info("a message could not be pinned", chat=chat, reason=redact(error.message))
            return False

    async def _last(self, chat: int) -> str:
        return (await asyncio.to_thread(self._context.notes.read, PINNED)).get(chat, "")


def _number(text: str) -> int:
    return int(text.removesuffix(LOOSE))
