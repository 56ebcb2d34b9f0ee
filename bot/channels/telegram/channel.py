"""Telegram chats as channels: which call is made when.

The Bot API knows no idempotency key: a send whose answer is lost may be out, and is never repeated here.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import telegram
from telegram.error import ChatMigrated, TelegramError

from threadcast.bot.channels.media import NO_FILES, ChannelFiles, fault_of
from threadcast.bot.channels.port import (
    Clock,
    Comparison,
    Expected,
    Finding,
    Named,
    Outgoing,
    Quota,
    Reach,
    Readership,
    Sought,
)
from threadcast.bot.channels.telegram.checks import check, why_not
from threadcast.bot.channels.telegram.client import Bot, Client, close_bot
from threadcast.bot.channels.telegram.errors import (
    CALL_ERRORS,
    UNREADABLE,
    Posted,
    address_in,
    classify,
    not_deleted,
    not_edited,
)
from threadcast.bot.channels.telegram.links import read_link
from threadcast.bot.channels.telegram.lookup import Copies, Probe, Rest
from threadcast.bot.channels.telegram.pace import PER_PERSON
from threadcast.bot.channels.telegram.rules import rules_of
from threadcast.bot.channels.telegram.sending import How, edit, name_of, post
from threadcast.bot.media.errors import MediaError
from threadcast.config.channels import TelegramChannelSettings
from threadcast.queue.compose.rules import Rules
from threadcast.queue.outcomes import (
    Absent,
    Look,
    Obstacle,
    Outcome,
    Refused,
    Sent,
    Settling,
    TakeDown,
    Unknown,
)
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.media import NOT_THERE
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings

SETTLE_AFTER: Final = timedelta(minutes=1)  # a send that was given up here may still be at work there
MISSES: Final = 2
FIT_FOR: Final = timedelta(minutes=5)  # how long a chat where the bot may post is not asked again


class TelegramChannel:
    """One chat (channel or group), by @name or numeric id. Owns its bot and closes it."""

    kind: Final = "telegram"
    limits_posts: bool | None = False
    readership: Readership | None = None  # views are for whoever looks with an account, not for bots
    quota: Quota | None = None  # Telegram says what is left only by asking to wait
    reach = Reach()

    def __init__(
        self,
        settings: TelegramChannelSettings,
        *,
        bot: Bot,
        clock: Clock,
        files: ChannelFiles = NO_FILES,
        probe_chat: int | None = None,
        settle_after: timedelta | None = None,
        moved_to: int | None = None,
        on_moved: Callable[[int], None] = lambda _: None,
        copies: Copies | None = None,
        probe_rate: float = PER_PERSON,
        probe_rest: Rest = asyncio.sleep,
    ) -> None:
        """`clock` gives UTC. `probe_chat` is the owner's private chat with the bot.

        There posts of unknown fate are looked at; `settle_after` is when that begins, and how long after
        that it is done again. `moved_to` is the id that the chat took since it was configured, and `on_moved`
        is told of a new one; it may block. `copies` keeps the ids of what is forwarded until it is deleted;
        `probe_rate` is how many in a second, `probe_rest` waits some seconds.
        """
        self.name: Final = settings.name
        self.target: Final = settings.chat
        self.also = settings.also
        self._client = Client(
            bot, name=self.name, chat=self.target, clock=clock, moved_to=moved_to, on_moved=on_moved
        )
        self._probe = Probe(
            self._client, private_chat=probe_chat, copies=copies, rate=probe_rate, rest=probe_rest
        )
        self._settings = settings
        self._clock = clock
        self.files = files
        self._fit_until: datetime | None = None
        # Where absence cannot be proved, there is nothing to wait for.
        apart = SETTLE_AFTER if settle_after is None else settle_after
        first_look = timedelta(0) if probe_chat is None else apart
        self.settling: Final = Settling(
            first_look=first_look, apart=apart, misses=MISSES, resend=settings.resends
        )

    async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
        return rules_of(self._settings, self.files, settings)

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Send one post, once. A chat that moved has certainly not taken it: it is sent to the new one."""
        outcome = await self._send(outgoing)
        match outcome:
            case Sent():
                self._fit_until = self._clock() + FIT_FOR
            case Refused():
                self._fit_until = None
        return outcome

    async def _send(self, outgoing: Outgoing) -> Outcome:
        if outgoing.parent is not None and not outgoing.parent.isdecimal():
            return Refused(
                Sentence(
                    "{parent} is no id of a Telegram message, so nothing can reply to it",
                    parent=outgoing.parent,
                )
            )
        try:
            await self._client.bot.initialize()
        except CALL_ERRORS as error:
            return self._client.in_vain(error)
        try:
            return await self._post(outgoing)
        except ChatMigrated as error:
            await self._client.follow(error)
        if outgoing.parent is not None:
            return Refused(
                Sentence(
                    "the group became a supergroup ({chat}), where nothing can reply to what was "
                    "posted before: {correction}, then undo the chain and publish it anew",
                    chat=self._client.chat,
                    correction=self._client.correction,
                )
            )
        try:
            return await self._post(outgoing)
        except ChatMigrated as error:
            return self._classify(error, outgoing.parent)

    async def _post(self, outgoing: Outgoing) -> Outcome:
        """The call. Raises ChatMigrated."""
        parent, wished = outgoing.parent, outgoing.settings
        silent = self._settings.silent and parent is not None if wished.silent is None else wished.silent
        try:
            files = [await self.files.ready(one) for one in outgoing.media]
        except MediaError as error:
            return fault_of(error)
        previews = _previews(wished.previews or self._settings.previews, first=parent is None)
        try:
            messages = await post(self._client.bot, self._client.chat, outgoing, files, How(silent, previews))
        except ChatMigrated:
            raise
        except TelegramError as error:
            return self._classify(error, parent)
        except UNREADABLE:
            return Unknown(Sentence("Telegram's answer cannot be read; the post may be out"))
        outcome = self._classify(messages[0] if messages else None, parent)
        if isinstance(outcome, Sent) and files:
            album = tuple(str(one.message_id) for one in messages[1:])
            return replace(outcome, album=album, uploads=tuple(name_of(one) for one in messages))
        return outcome

    async def look_up(self, sought: Sought) -> Look:
        """By forwarding what is behind its parent or landmark to the owner."""
        return await self._probe.look_up(sought)

    async def find(self, address: str, texts: Sequence[str]) -> Named:
        link = read_link(address)
        if link is None:
            return Named(
                None,
                Sentence("it is no id and no link of a Telegram message, as https://t.me/my_channel/113"),
            )
        return await self._probe.find(link, texts)

    async def audit(self, chain: Sequence[Expected]) -> Comparison:
        """Where a published chain is not as it was sent. What a post replies to cannot be seen."""
        return await self._probe.audit(chain)

    async def edit(self, remote_id: str, outgoing: Outgoing) -> Outcome:
        """Change the text of a message, or the caption of its first file; and files that are others now."""
        if not remote_id.isdecimal():
            return Refused(
                Sentence(
                    "{remote_id} is no id of a Telegram message, so nothing can be edited",
                    remote_id=remote_id,
                )
            )
        wished = outgoing.settings.previews or self._settings.previews
        previews = _previews(wished, first=outgoing.parent is None)
        places = [place for place, name in enumerate(outgoing.uploads) if name == NOT_THERE]
        try:
            files = {place: await self.files.ready(outgoing.media[place]) for place in places}
        except MediaError as error:
            return fault_of(error)
        try:
            await self._client.bot.initialize()
        except CALL_ERRORS as error:
            return self._client.in_vain(error)
        try:
            bot, chat = self._client.bot, self._client.chat
            names = await edit(bot, chat, int(remote_id), outgoing, files, previews)
        except CALL_ERRORS as error:
            return not_edited(error, name=self.name, now=self._clock(), where=self._where(remote_id))
        return Sent(remote_id, None, uploads=names)

    async def take_down(self, remote_id: str) -> TakeDown:
        if not remote_id.isdecimal():
            return Refused(
                Sentence(
                    "{remote_id} is no id of a Telegram message, so nothing can be deleted",
                    remote_id=remote_id,
                )
            )
        try:
            await self._client.bot.initialize()
            await self._client.bot.delete_message(self._client.chat, int(remote_id))
        except CALL_ERRORS as error:
            return not_deleted(error, name=self.name, now=self._clock(), where=self._where(remote_id))
        return Absent()

    async def preflight(self) -> Obstacle | None:
        """That the bot may post is remembered for a while, and known after a post that went out."""
        now = self._clock()
        if self._fit_until is not None and now < self._fit_until <= now + FIT_FOR:
            return None
        fault = await why_not(self._client)
        self._fit_until = self._clock() + FIT_FOR if fault is None else None
        return fault

    async def check(self) -> tuple[Finding, ...]:
        return await check(self._client, self._probe)

    async def close(self) -> None:
        await close_bot(self._client.bot)

    def _where(self, remote_id: str) -> str:
        return address_in(self._client.chat, remote_id) or f"message {remote_id} of {self.target}"

    def _classify(
        self, result: telegram.Message | Posted | TelegramError | None, parent: str | None
    ) -> Outcome:
        return classify(result, name=self.name, chat=self._client.chat, parent=parent, now=self._clock())


def _previews(previews: str, *, first: bool) -> telegram.LinkPreviewOptions:
    """Return what is said of link previews: always something, so that a retry looks like the first try."""
    return telegram.LinkPreviewOptions(is_disabled=previews == "none" or (previews == "first" and not first))
