"""From an update to what is said: the thin shell around the clerk.

What a person asked for is done, and on disk, when `hear` returns; what is said about it follows on its
own, at the pace of the chat.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Final

import structlog
import telegram
from telegram import ChatMember
from telegram.constants import ChatType
from telegram.error import BadRequest, TelegramError

from threadcast.bot.channels.telegram.errors import UNREADABLE
from threadcast.bot.chat.access import Door
from threadcast.bot.chat.buttons import Asker
from threadcast.bot.chat.commands import Role, in_chat
from threadcast.bot.chat.menu import set_menu
from threadcast.bot.chat.outbox import Speaker, UntoldError
from threadcast.bot.chat.requests import adding
from threadcast.bot.chat.requests.office import Answer, Office
from threadcast.bot.chat.router import FAULTS, Clerk
from threadcast.bot.chat.views import newcomer
from threadcast.bot.chat.views.message import Said, esc
from threadcast.bot.plain import plain
from threadcast.bot.requests.input import MAX_INPUT, understand
from threadcast.bot.wording import CHAT, sentence
from threadcast.config.logs import redact
from threadcast.queue.model import StoreError

log = structlog.get_logger("threadcast.chat")

TRIES: Final = 3  # of a download
NOT_TEXT = "I take text: a .txt or .md file, or a thread that you paste or forward."
MEGABYTES = MAX_INPUT // 1024 // 1024
TOO_LARGE = f"is larger than {MEGABYTES} MB, more than Telegram lets me fetch; split it into several files."
STAYS = {"administrator", "member", "creator", "restricted"}

Spawn = Callable[[Coroutine[Any, Any, None]], object]
Live = Callable[[int, int, int, str], None]  # chat, message, thread, its progress as it is shown


class Talk:
    """Hears updates. `spawn` runs what follows; `live` is told of messages that go on to show a thread.

    `answering` is open while a press is answered in its message. `back` is told of a chat in which
    something can be said that could not be perhaps.
    """

    def __init__(
        self,
        bot: telegram.Bot,
        office: Office,
        door: Door,
        speaker: Speaker,
        *,
        spawn: Spawn,
        live: Live,
        answering: Callable[[int, int], AbstractContextManager[None]],
        tell_owners: Callable[[Said], Awaitable[None]],
        back: Callable[[int], Awaitable[None]],
    ) -> None:
        self._bot = bot
        self._office = office
        self._door = door
        self._speaker = speaker
        self._clerk = Clerk(office)
        self._spawn = spawn
        self._live = live
        self._answering = answering
        self._tell_owners = tell_owners
        self._back = back
        self._to_draw: set[Asker] = set()
        self._drawing: set[Asker] = set()
        self._pressed: dict[int, int] = {}  # the message in which a button was pressed last, by chat
        self._offered: dict[int, str] = {}  # names for chats that the bot was added to

    async def hear(self, update: telegram.Update) -> None:
        """Do what an update asks for."""
        if update.callback_query is not None:
            await self._press(update.callback_query)
        elif update.my_chat_member is not None:
            await self._membership(update.my_chat_member)
        elif update.edited_message is not None:
            await self._edited(update.edited_message)
        elif update.message is not None and not update.message.is_automatic_forward:
            await self._message(update.message)

    # Presses

    async def _press(self, query: telegram.CallbackQuery) -> None:
        message = query.message
        asker = self._door.enter(query.from_user, message.chat if message else None)
        if asker is None or message is None:
            return
        self._pressed[asker.chat] = message.message_id
        with ExitStack() as answering:
            answering.enter_context(self._answering(asker.chat, message.message_id))
            answer = await self._clerk.pressed(asker, _clean(query.data or ""), message.message_id)
            self._spawn(self._speaker.toast(query.id, answer.toast))
            if answer.said is not None:
                self._spawn(self._tell_pressed(asker, answer, message.message_id, answering.pop_all()))
        self._clear_up(asker, message.message_id)

    # Messages

    async def _message(self, message: telegram.Message) -> None:
        private = message.chat.type == ChatType.PRIVATE
        command = _command(message, self._bot.username)
        asks = command is not None or private or self._is_ours(message.reply_to_message)
        try:
            if not (asks or await asyncio.to_thread(self._is_drafting, message)):
                return
            asker = self._door.enter(message.from_user, message.chat)
            if asker is not None:
                await self._asked(asker, message, command)
        except StoreError as error:
            log.warning("a message was not dealt with: the queue cannot be used", reason=str(error))
            asker = self._door.enter(message.from_user, message.chat)
            if asker is not None:
                self._say(asker, Answer(Said(esc(f"That was not kept, please send it again: {error}"))))

    async def _asked(
        self, asker: Asker, message: telegram.Message, command: tuple[str, tuple[str, ...]] | None
    ) -> None:
        """Do what a message of somebody who may asks for. Raises StoreError."""
        private = message.chat.type == ChatType.PRIVATE
        text = _clean(message.text or message.caption or "")
        if message.document is not None and (private or command is not None):
            await self._file(asker, message.document, text)
        elif command is not None:
            await self._command(asker, *command)
        elif (answer := await self._reply(asker, message)) is not None:
            self._say(asker, answer)
        elif text:
            await asyncio.to_thread(self._office.drafts.put, asker, message.message_id, text)
            self._show_draft(asker)
        elif private:
            self._say(asker, Answer(Said(NOT_TEXT)))

    async def _command(self, asker: Asker, name: str, words: tuple[str, ...]) -> None:
        answer = await self._clerk.typed(asker, name, words)
        self._say(asker, answer)
        if name == "start":
            await self._back(asker.chat)
            if asker.chat == asker.person:
                self._spawn(self._set_menu(asker))
        self._clear_up(asker)

    def _clear_up(self, asker: Asker, pressed: int | None = None) -> None:
        """Take away what told of a draft that is none any more; not what says something else now."""
        left = self._office.drafts.left(asker)
        if left is not None and left != pressed:
            self._spawn(self._remove(asker.chat, left))

    async def _set_menu(self, asker: Asker) -> None:
        """Telegram takes the menu of a private chat only after its person has pressed Start."""
        try:
            await set_menu(self._bot, telegram.BotCommandScopeChat(asker.chat), asker.role)
        except (TelegramError, *UNREADABLE) as error:
            log.warning("the menu of commands could not be set", reason=redact(str(error)))

    async def _reply(self, asker: Asker, message: telegram.Message) -> Answer | None:
        """The answer, where it is a reply to a question of ours."""
        question = message.reply_to_message
        if question is None or not self._is_ours(question):
            return None
        return await self._clerk.replied(asker, question.text or "", _clean(message.text or ""))

    def _is_ours(self, message: telegram.Message | None) -> bool:
        return message is not None and message.from_user is not None and message.from_user.id == self._bot.id

    def _is_drafting(self, message: telegram.Message) -> bool:
        """In a group, whether somebody said /add before: else what people write there is their own."""
        user = message.from_user
        role = self._door.role_of(user.id) if user is not None else None
        if user is None or role is None or message.chat.id != self._door.group:
            return False
        return self._office.drafts.of(Asker(user.id, message.chat.id, role)) is not None

    async def _edited(self, message: telegram.Message) -> None:
        """What is being pasted may be corrected; what was added is fixed."""
        user, text = message.from_user, _clean(message.text or message.caption or "")
        role = self._door.role_of(user.id) if user is not None else None
        if user is None or role is None or not text:
            return
        asker = Asker(user.id, message.chat.id, role)
        if await asyncio.to_thread(self._office.drafts.has, asker, message.message_id):
            await asyncio.to_thread(self._office.drafts.put, asker, message.message_id, text)
            self._show_draft(asker)

    # Files

    async def _file(self, asker: Asker, document: telegram.Document, caption: str) -> None:
        name = plain(_clean(document.file_name or "the file"))[:100]
        if (document.file_size or 0) > MAX_INPUT:
            self._say(asker, Answer(Said(esc(f"{name} {TOO_LARGE}"))))
            return
        try:
            data = await self._fetch(document)
            intake = await asyncio.to_thread(understand, name, data)
            known = {channel.name for channel in self._office.channels}
            words = [word.lower() for word in caption.split()]
            channels = words if words and set(words) <= known else []
            answer = await adding.added(self._office, asker, intake, channels)
        except FAULTS as error:
            answer = Answer(Said(esc(in_chat(sentence(error, CHAT)))))
        except (TelegramError, *UNREADABLE) as error:
            reason = redact(str(error))
            log.warning("a file could not be fetched", file=name, reason=reason)
            answer = Answer(
                Said(esc(f"{name} could not be fetched from Telegram ({reason}); please send it again."))
            )
        self._say(asker, answer)

    async def _fetch(self, document: telegram.Document) -> bytes:
        for tries in range(1, TRIES + 1):
            try:
                file = await self._bot.get_file(document.file_id)
                return bytes(await file.download_as_bytearray())
            except BadRequest:
                raise
            except TelegramError:
                if tries == TRIES:
                    raise
        raise AssertionError  # the last try raised

    # Channels

    async def _welcome(self, user: telegram.User, chat: telegram.Chat) -> None:
        asker = self._door.enter(user, chat)
        if asker is not None:
            await self._back(asker.chat)

    async def _membership(self, change: telegram.ChatMemberUpdated) -> None:
        """The bot was added to a chat, or removed, or may do something else there."""
        chat = change.chat
        if chat.type == ChatType.PRIVATE:
            if change.new_chat_member.status == ChatMember.MEMBER:  # unblocked
                await self._welcome(change.from_user, chat)
            return
        if self._door.role_of(change.from_user.id) is not Role.OWNER:
            log.warning(
                "ignored: a stranger changed the bot's place", chat=chat.id, person=change.from_user.id
            )
            return
        before, after = change.old_chat_member, change.new_chat_member
        title = plain(chat.title or str(chat.id))
        name = self._configured(chat)
        if name is not None and _may_post(chat, before) != _may_post(chat, after):
            said = newcomer.ready if _may_post(chat, after) else newcomer.left
            await self._tell_owners(said(title, name))
        elif name is None and after.status in STAYS and chat.id != self._door.group:
            offered = {name for other, name in self._offered.items() if other != chat.id}
            taken = offered | {channel.name for channel in self._office.channels}
            free = newcomer.name_for(title, chat.username, taken)
            self._offered[chat.id] = free.lower()
            where = f"@{chat.username}" if chat.username else str(chat.id)
            group = None if chat.type == ChatType.CHANNEL or self._door.group else chat.id
            said_so = newcomer.joined(title, where, free, may_post=_may_post(chat, after), group=group)
            self._spawn(self._tell_one(change.from_user.id, said_so))

    def _configured(self, chat: telegram.Chat) -> str | None:
        """The channel that leads to a chat."""
        targets = {str(chat.id), f"@{chat.username}".lower() if chat.username else ""}
        return next((one.name for one in self._office.channels if one.target.lower() in targets), None)

    # Saying

    def _say(self, asker: Asker, answer: Answer) -> None:
        if answer.said is not None:
            self._spawn(self._tell(asker, answer, None))

    async def _tell_one(self, chat: int, said: Said) -> None:
        try:
            await self._speaker.say(chat, said)
        except UntoldError:
            log.debug("nobody was told", chat=chat)

    async def _remove(self, chat: int, message: int) -> None:
        try:
            await self._speaker.remove(chat, message)
        except UntoldError:
            log.debug("a message stays", chat=chat)

    async def _tell(self, asker: Asker, answer: Answer, pressed: int | None) -> None:
        """Say an answer: in place of the message whose button was pressed, or as a new one."""
        said = answer.said
        assert said is not None  # noqa: S101  # what the callers looked at
        try:
            message = pressed
            if pressed is None or answer.afresh or not await self._speaker.change(asker.chat, pressed, said):
                message = await self._speaker.say(asker.chat, said)
            assert message is not None  # noqa: S101  # one of the two
            if answer.live is not None:
                self._live(asker.chat, message, *answer.live)
            if answer.work is not None:
                await self._work(asker.chat, message, answer)
        except UntoldError:
            log.debug("an answer was not said", chat=asker.chat)

    async def _tell_pressed(self, asker: Asker, answer: Answer, pressed: int, answering: ExitStack) -> None:
        with answering:
            await self._tell(asker, answer, pressed)

    async def _work(self, chat: int, message: int, answer: Answer) -> None:
        """Do the work of an answer; what came of it takes the place of its message."""
        assert answer.work is not None  # noqa: S101  # what the caller looked at

        async def update(said: Said) -> None:
            await self._speaker.change(chat, message, said)

        try:
            end = await answer.work(update)
        except FAULTS as error:
            end = Said(esc(in_chat(sentence(error, CHAT))))
        except UntoldError:
            raise
        except Exception as error:
            # The work's edge: whatever broke, the chat goes on.
            log.exception("work for a chat broke")
            end = Said(
                esc(f"Something broke ({type(error).__name__}): this is a fault of ours, and is in the log.")
            )
        if not await self._speaker.change(chat, message, end):
            await self._speaker.say(chat, end)

    def _show_draft(self, asker: Asker) -> None:
        """Say what is pasted so far: once for a burst of messages."""
        self._to_draw.add(asker)
        if asker not in self._drawing:
            self._drawing.add(asker)
            self._spawn(self._tell_drafts(asker))

    async def _tell_drafts(self, asker: Asker) -> None:
        """One after the other: each takes the one before it away."""
        try:
            while asker in self._to_draw:
                self._to_draw.discard(asker)
                await self._tell_draft(asker)
        finally:
            self._drawing.discard(asker)

    async def _tell_draft(self, asker: Asker) -> None:
        draft = await asyncio.to_thread(self._office.drafts.of, asker)
        if draft is None:
            return
        try:
            said = await adding.drafted(self._office, asker)
        except FAULTS as error:
            said = Said(esc(in_chat(sentence(error, CHAT))))
        try:
            shown = await self._speaker.say(asker.chat, said)
            if not await asyncio.to_thread(self._office.drafts.show, asker, shown):  # added or dropped
                if self._pressed.get(asker.chat) != shown:  # else it says what came of the press
                    await self._speaker.remove(asker.chat, shown)
                return
            # Below what was pasted, and only once.
            if draft.shown is not None:
                await self._speaker.remove(asker.chat, draft.shown)
        except UntoldError:
            log.debug("a draft was not told of", chat=asker.chat)


def _clean(text: str) -> str:
    """Text that can be stored and sent: none of what JSON can write and no text can hold."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _command(message: telegram.Message, username: str) -> tuple[str, tuple[str, ...]] | None:
    """The command that a message begins with, and its words; None where there is none for this bot."""
    text = _clean(message.text or "")
    if not text.startswith("/"):
        return None
    first, *words = text.split()
    name, at, bot = first[1:].partition("@")
    if (at and bot.lower() != username.lower()) or not name.replace("_", "").isalnum():
        return None
    return name.lower(), tuple(words)


def _may_post(chat: telegram.Chat, member: telegram.ChatMember) -> bool:
    if isinstance(member, telegram.ChatMemberAdministrator):
        return chat.type != ChatType.CHANNEL or bool(member.can_post_messages)
    return member.status in STAYS and chat.type != ChatType.CHANNEL
