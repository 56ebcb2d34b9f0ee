"""From an update to what is said: the thin shell around the router.

What a person asked for is done, and on disk, when `handle` returns; what is said about it follows on its
own, at the pace of the chat.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Final

import telegram
from telegram.constants import ChatType

from threadcast.bot.channels.telegram.client import Bot
from threadcast.bot.channels.telegram.entities import pasted
from threadcast.bot.chat.access import Access, Sender
from threadcast.bot.chat.commands import Answer, Card, Context, Work
from threadcast.bot.chat.downloads import file_of
from threadcast.bot.chat.drafts import Heard, is_whole, listen
from threadcast.bot.chat.menu import set_own_menu
from threadcast.bot.chat.outbox import Here, Outbox, UnreachableError
from threadcast.bot.chat.reports import Reporter, Spawn, asked_in
from threadcast.bot.chat.requests import adding
from threadcast.bot.chat.requests.membership import Membership
from threadcast.bot.chat.requests.people import Greeting
from threadcast.bot.chat.router import ERRORS, Router, broke, command_in, said_plainly, told
from threadcast.bot.chat.views.message import Message, clean, esc
from threadcast.bot.languages import N_, _, bound, speaking
from threadcast.bot.requests.drafting.drafts import Draft
from threadcast.bot.wording import SHELL
from threadcast.bot.wording import sentence as in_words
from threadcast.config.logs import get_logger
from threadcast.queue.errors import StoreError
from threadcast.queue.text.markers import is_only_end_marks

log = get_logger("threadcast.chat")

TALK = N_(
    "I publish threads: send me a text file, or paste one with its numbers (1/, 2/). All I can do: /help"
)
NOT_TEXT = N_("I take text: a .txt or .md file, or a thread that you paste or forward.")
NOT_KEPT = N_("That was not kept, please send it again: {reason}")

NOTED_WITHIN: Final = 2.0  # seconds that a quick reply to a question waits until the question is noted


class Handler:
    """Handles updates. `spawn` runs what follows."""

    def __init__(
        self,
        bot: Bot,
        context: Context,
        access: Access,
        outbox: Outbox,
        reporter: Reporter,
        *,
        spawn: Spawn,
    ) -> None:
        self._bot = bot
        self._context = context
        self._access = access
        self._router = Router(context)
        self._reporter = reporter
        self._outbox = outbox
        self._spawn = spawn
        self._replies = Replies(context, outbox, reporter, spawn=spawn)
        self._membership = Membership(context, access)
        self._greeting = Greeting(context, access)

    async def handle(self, update: telegram.Update) -> None:
        """Do what an update asks for."""
        if update.message is not None and update.message.pinned_message is not None:
            if self._is_ours(update.message):  # that the bot pinned something goes without saying
                self._replies.delete(update.message.chat.id, update.message.message_id)
            return
        user = update.effective_user
        await self._greeting.meet(user)
        people = self._access.known
        with speaking(people.speaks(user.id, user.language_code) if user else people.speaks(0)):
            if update.callback_query is not None:
                await self._press(update.callback_query)
            elif update.my_chat_member is not None:
                await self._my_chat_member(update.my_chat_member)
            elif update.edited_message is not None:
                await self._edited(update.edited_message)
            elif update.message is not None and not update.message.is_automatic_forward:
                await self._message(update.message)

    async def _press(self, query: telegram.CallbackQuery) -> None:
        message = query.message
        sender = self._access.sender(query.from_user, message.chat if message else None)
        if sender is None or message is None:
            return
        with self._answering(sender) as answering:
            answer = await self._router.pressed(sender, clean(query.data or ""), message.message_id)
            self._replies.to_press(sender, query.id, message.message_id, answer, answering)

    @contextmanager
    def _answering(self, sender: Sender) -> Iterator[ExitStack]:
        """While somebody's request is answered; what says the answer takes over what is given here."""
        with ExitStack() as answering:
            answering.enter_context(self._outbox.answering(sender.chat))
            yield answering

    async def _message(self, message: telegram.Message) -> None:
        private = message.chat.type == ChatType.PRIVATE
        command = command_in(message, self._bot.username)
        asks = command is not None or private or self._is_ours(message.reply_to_message)
        try:
            if not (asks or await asyncio.to_thread(self._is_drafting, message)):
                return
            if private and message.from_user and command is not None and command[0] == "start":
                started = partial(self._greeting.started, message.from_user, command[1])
                for chat, say in await asyncio.to_thread(lambda: list(started())):
                    mine = chat == message.from_user.id
                    self._reporter.tell([chat], bound(say) if mine else say)
            if (sender := self._access.sender(message.from_user, message.chat)) is not None:
                with self._answering(sender) as answering:
                    await self._asked(sender, message, command, answering)
        except StoreError as error:
            log.warning("a message was not dealt with: the queue cannot be used", reason=str(error))
            if (sender := self._access.sender(message.from_user, message.chat)) is not None:
                self._replies.send(sender, Message(esc(_(NOT_KEPT).format(reason=in_words(error, SHELL)))))

    async def _asked(
        self,
        sender: Sender,
        message: telegram.Message,
        command: tuple[str, tuple[str, ...]] | None,
        answering: ExitStack,
    ) -> None:
        """Do what a message of somebody who may asks for. Raises StoreError."""
        private = message.chat.type == ChatType.PRIVATE
        text = clean(message.text or message.caption or "")
        asked = await self._question(message)
        draft = await asyncio.to_thread(self._context.drafts.of, sender)
        if command is not None and draft is not None and draft.pieces and is_only_end_marks(text):
            command = None  # /end, of what was pasted
        if command is None and file_of(message):
            if asked is None:
                await self._paste(sender, message)
            else:
                self._replies.to(sender, await self._router.shown(sender, message, asked), answering)
        elif message.document is not None and (private or asked is not None):
            answer = await self._router.sent(sender, message.document, text, asked)
            self._replies.to(sender, replace(answer, came=message.message_id), answering)
        elif command is not None:
            await self._typed(sender, *command, answering)
        elif asked is not None:
            self._replies.to(sender, await self._router.replied(sender, asked, text), answering)
        elif private and (spoken := said_plainly(text, drafting=draft is not None)) is not None:
            await self._typed(sender, *spoken, answering)
        elif text:
            await self._said(sender, message, draft, answering)
        elif private:
            self._replies.send(sender, Message(_(NOT_TEXT)))

    async def _said(
        self, sender: Sender, message: telegram.Message, draft: Draft | None, answering: ExitStack
    ) -> None:
        """Take a message as what it is: a piece of a thread, or one perhaps, its end, or talk."""
        heard = listen(clean(pasted(message)[0]), draft, forwarded=message.forward_origin is not None)
        if heard is Heard.TALK:
            self._replies.to(sender, Answer(Message(_(TALK))), answering)
            return
        drafts = self._context.drafts
        if draft is None or draft.in_doubt:
            await asyncio.to_thread(drafts.doubt, sender, is_thread=heard is not Heard.PERHAPS)
        if heard is not Heard.END:
            await self._paste(sender, message, show=False)
        if heard is Heard.END or is_whole(await asyncio.to_thread(drafts.of, sender)):
            await self._typed(sender, "done", (), answering)
        else:
            self._replies.show_draft(sender)

    async def _typed(self, sender: Sender, name: str, words: tuple[str, ...], answering: ExitStack) -> None:
        self._replies.to(sender, await self._router.typed(sender, name, words), answering)
        if name == "start":
            await self._reporter.of(sender.chat).catch_up()
            if sender.chat == sender.person:
                self._spawn(set_own_menu(self._bot, self._access, sender))

    async def _question(self, message: telegram.Message) -> str | None:
        """What we asked for in the message that this one replies to."""
        question = message.reply_to_message
        if question is None or not self._is_ours(question):
            return None
        return await self._replies.asked(message.chat.id, question.message_id)

    def _is_ours(self, message: telegram.Message | None) -> bool:
        return message is not None and message.from_user is not None and message.from_user.id == self._bot.id

    def _is_drafting(self, message: telegram.Message) -> bool:
        """In a group, whether somebody said /add before: else what people write there is their own."""
        sender = self._known(message)
        return bool(sender and sender.chat == self._access.group and self._context.drafts.of(sender))

    def _known(self, message: telegram.Message) -> Sender | None:
        """The person, wherever they write."""
        user = message.from_user
        role = None if user is None else self._access.role_of(user.id)
        return None if user is None or role is None else Sender(user.id, message.chat.id, role)

    async def _edited(self, message: telegram.Message) -> None:
        """What is pasted may be corrected, while it is not public."""
        if (sender := self._known(message)) is None or not (pasted(message).text or file_of(message)):
            return
        if await asyncio.to_thread(self._context.drafts.has, sender, message.message_id):
            await self._paste(sender, message)
        elif (sender := self._access.sender(message.from_user, message.chat)) is not None:
            with self._answering(sender) as answering:
                answer = await self._router.edited(sender, message)
                if answer is not None:
                    self._replies.to(sender, answer, answering)

    async def _paste(self, sender: Sender, message: telegram.Message, *, show: bool = True) -> None:
        if isinstance(written := await self._router.written(sender, message), Message):
            self._replies.send(sender, written)
            return
        await asyncio.to_thread(self._context.drafts.put, sender, message.message_id, *written)
        if show:
            self._replies.show_draft(sender)
        self._spawn(self._reporter.reactions.took(message.chat.id, message.message_id))

    async def _my_chat_member(self, change: telegram.ChatMemberUpdated) -> None:
        """The bot was added to a chat, removed from one, or may do something else there; or was unblocked."""
        if change.chat.type != ChatType.PRIVATE:
            try:
                found = await asyncio.to_thread(lambda: list(self._membership.changed(change)))
            except StoreError as error:
                log.warning("a chat was not offered as a channel", reason=in_words(error, SHELL))
            else:
                for chat, say in found:
                    self._reporter.tell([chat], say)
        elif change.new_chat_member.status == telegram.ChatMember.MEMBER:
            sender = self._access.sender(change.from_user, change.chat)
            if sender is not None:
                await self._reporter.of(sender.chat).catch_up()


class Replies:
    """Says answers, each in its own time; drafts are shown once for a burst of messages."""

    def __init__(self, context: Context, outbox: Outbox, reporter: Reporter, *, spawn: Spawn) -> None:
        self._context = context
        self._outbox = outbox
        self._reporter = reporter
        self._spawn = spawn
        self._to_show: set[Sender] = set()
        self._showing: set[Sender] = set()
        self._pressed: dict[int, int] = {}  # the message in which a button was pressed last, by chat
        self._asking: dict[int, asyncio.Task[None]] = {}  # what sends and notes a question or card, by chat

    async def asked(self, chat: int, message: int) -> str | None:
        """What a message of ours asked for: a request, whose words are what is replied."""
        if chat in self._asking:
            await asyncio.wait([self._asking[chat]], timeout=NOTED_WITHIN)
        return (await asyncio.to_thread(self._context.notes.read, asked_in(chat))).get(message)

    def send(self, sender: Sender, message: Message) -> None:
        self.to(sender, Answer(message), ExitStack())

    def to(self, sender: Sender, answer: Answer, answering: ExitStack) -> None:
        """Say the answer to a message. `answering` is closed when it is said."""
        self._say(sender, answer, None, answering)

    def to_press(
        self, sender: Sender, query: str, message: int, answer: Answer, answering: ExitStack
    ) -> None:
        """Say the answer to a press. `answering` is closed when it is said."""
        self._pressed[sender.chat] = message
        self._spawn(self._outbox.toast(query, answer.toast))
        self._say(sender, answer, message, answering)

    def _say(self, sender: Sender, answer: Answer, pressed: int | None, answering: ExitStack) -> None:
        if answer.took and answer.came is not None:
            self._spawn(self._reporter.reactions.took(sender.chat, answer.came, answer.took))
        if answer.message is not None or answer.work is not None:
            task = self._spawn(self._tell(sender, answer, pressed, answering.pop_all()))
            if answer.asked is not None or isinstance(answer.message, Card):
                self._asking[sender.chat] = task
        # The message of a draft that is none any more is deleted, unless it says something else now.
        left = self._context.drafts.left(sender)
        if left is not None and left != pressed:
            self._spawn(self._delete(sender.chat, left))

    def delete(self, chat: int, message: int) -> None:
        """Delete a message of ours."""
        self._spawn(self._delete(chat, message))

    async def _delete(self, chat: int, message: int) -> None:
        try:
            await self._outbox.delete(chat, message)
        except UnreachableError:
            log.debug("a message stays", chat=chat)

    async def _tell(self, sender: Sender, answer: Answer, pressed: int | None, answering: ExitStack) -> None:
        """Say an answer: in place of the message whose button was pressed, or as a new one."""
        chat, cards = sender.chat, self._reporter.of(sender.chat)
        try:
            with answering:
                message = None if answer.afresh else pressed
                if answer.message is not None:
                    message = await self._put(sender, answer.message, None if answer.afresh else pressed)
                if answer.asked is not None and message is not None:
                    data, now = answer.asked.line(), self._context.clock()
                    await asyncio.to_thread(self._context.notes.write, asked_in(chat), message, data, now=now)
            if answer.pins is not None:
                await self._reporter.status.place(chat, message if answer.pins else None)
            if answer.work is not None:
                own = None if answer.message is None else message
                with nullcontext() if own is None else cards.working(own):
                    await self._work(sender, message, answer.work)
        except UnreachableError:
            log.debug("an answer was not said", chat=chat)

    async def _put(self, sender: Sender, content: Message | Card, message: int | None) -> int:
        """Say something in place of a message, or as a new one where that cannot be; which one it is then."""
        shown = None
        if isinstance(content, Card):
            try:
                shown = await self._context.show(content, sender.role, sender.chat)
                content = shown.message
            except ERRORS as error:
                content = told(error, pressed=message is not None)
        if message is None or not await self._outbox.edit(sender.chat, message, content):
            message = await self._outbox.send(sender.chat, content)
        if shown is not None:
            await self._reporter.of(sender.chat).carry(message, shown)
        return message

    async def _work(self, sender: Sender, message: int | None, work: Work) -> None:
        """Do the work of an answer; what came of it takes the place of its message."""
        end: Message | Card | None
        try:
            end = await work(Here(self._outbox, sender.chat, message))
        except ERRORS as error:
            end = told(error)
        except UnreachableError:
            raise
        except Exception as error:
            # The work's edge: whatever broke, the chat goes on.
            log.exception("work for a chat broke")
            end = Message(esc(broke(error)))
        if end is not None:
            await self._put(sender, end, message)

    def show_draft(self, sender: Sender) -> None:
        """Say what is pasted so far."""
        self._to_show.add(sender)
        if sender not in self._showing:
            self._showing.add(sender)
            self._spawn(self._show_drafts(sender))

    async def _show_drafts(self, sender: Sender) -> None:
        """One after the other: each takes the one before it away."""
        try:
            while sender in self._to_show:
                self._to_show.discard(sender)
                await self._show_draft(sender)
        except UnreachableError:
            log.debug("a draft was not told of", chat=sender.chat)
        finally:
            self._showing.discard(sender)

    async def _show_draft(self, sender: Sender) -> None:
        draft = await asyncio.to_thread(self._context.drafts.of, sender)
        if draft is None:
            return
        try:
            content = await asyncio.to_thread(adding.drafted, self._context, sender)
        except ERRORS as error:
            content = told(error)
        shown = await self._outbox.send(sender.chat, content)
        if not await asyncio.to_thread(self._context.drafts.show, sender, shown):  # added or dropped
            if self._pressed.get(sender.chat) != shown:  # else it says what came of the press
                await self._outbox.delete(sender.chat, shown)
        elif draft.shown is not None:  # below what was pasted, and only once
            await self._outbox.delete(sender.chat, draft.shown)
