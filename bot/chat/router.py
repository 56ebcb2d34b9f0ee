"""From a command or a press to its answer: who may, which threads, and what is said where it cannot be.

No rule of the queue is here. A button that is older than what it is about changes nothing.
"""

import asyncio
import re
from collections.abc import Awaitable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace

import telegram

from threadcast.bot.channels.telegram.entities import pasted
from threadcast.bot.chat import downloads
from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.buttons import (
    BadDataError,
    Press,
    TooLongError,
    button,
    read_press,
    stamp,
    threads_of,
)
from threadcast.bot.chat.commands import About, Answer, Command, Context, NotYoursError, Request, UsageError
from threadcast.bot.chat.menu import WORDS, meant
from threadcast.bot.chat.requests import REGISTRY, adding, changing, editing
from threadcast.bot.chat.requests.files import attaching
from threadcast.bot.chat.views import lists
from threadcast.bot.chat.views.message import Button, Message, clean, esc, esc_lines, sentence
from threadcast.bot.languages import N_, _
from threadcast.bot.plain import capital
from threadcast.bot.requests.errors import InputError, UnknownChannelError
from threadcast.config.logs import get_logger
from threadcast.queue.errors import NotAllowedError, NotFoundError, StoreError
from threadcast.queue.states import allowed

log = get_logger("threadcast.chat")

OLD = N_("This has changed meanwhile: here is how it stands now.")
GONE = N_("That thread is not in the queue any more.")
NOT_YOURS = N_("That is for owners.")
ODD = N_("This button is from another time. What there is now: /status")
CHOICES = 10  # threads that are offered
NUMBERS = re.compile(r"#?\d[\d,#-]*")  # of threads, as they are meant to be written
FEW_WORDS = 6  # behind a command that is written without its slash

# What a request raises that a person is told of.
ERRORS = (
    UsageError,
    TooLongError,
    InputError,
    NotFoundError,
    NotAllowedError,
    UnknownChannelError,
    StoreError,
)


class Router:
    """Answers requests; never raises for what a person asks or how things stand."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def typed(self, sender: Sender, name: str, words: tuple[str, ...]) -> Answer:
        """The answer to a command."""
        command = REGISTRY.get(name)
        if command is None or not command.typed:
            return Answer(lists.unknown(name, list(_suggestions(name, words, sender.role))))
        if command.who > sender.role:
            said = _("{command}: that is for owners. What you can do: /help")
            return Answer(Message(said.format(command=f"/{name}")))
        return await self._answer(command, Request(sender, name, words=words))

    async def sent(
        self, sender: Sender, document: telegram.Document, caption: str, asked: str | None = None
    ) -> Answer:
        """The answer to a file; `asked` is what was asked for in the message that it replies to."""
        try:
            if asked is not None and (press := read_press(asked)).verb in editing.TAKES_FILE:
                intake = await downloads.read_file(document)
                request = Press(editing.TAKES_FILE[press.verb], press.threads, press.words)
                return await self._read(sender, request.line(), text=intake.text)
            return await adding.add_file(self._context, sender, document, caption)
        except ERRORS as error:
            return Answer(told(error))

    async def shown(self, sender: Sender, message: telegram.Message, asked: str) -> Answer:
        """The answer to a picture or the like that replies to a message of ours; `asked` as in `sent`."""
        file, text = downloads.file_of(message), clean(message.caption or "")
        if file is None:
            return await self.replied(sender, asked, text)
        try:
            press = read_press(asked)
            if press.verb == "wish" and len(press.threads) == 1:
                return await attaching.sent_to(self._context, sender, press.threads[0], file, text)
            if press.verb not in editing.TAKES_FILE:
                said = _("I asked for words here, so {file} was not used: reply with words.")
                raise UsageError(said.format(file=file.name[:100]))
        except NotYoursError:
            return Answer(Message(_(NOT_YOURS)))
        except ERRORS as error:
            return Answer(told(error))
        written = await self.written(sender, message)
        return (
            Answer(written) if isinstance(written, Message) else await self.replied(sender, asked, written[0])
        )

    async def written(self, sender: Sender, message: telegram.Message) -> tuple[str, int] | Message:
        """What a message says, with the line that shows its file, and how many addresses are written into it.

        Or what is said where its file cannot be used.
        """
        text, links = pasted(message)
        file = downloads.file_of(message)
        try:
            line = await downloads.kept(self._context, sender, file) if file else ""
        except ERRORS as error:
            said = _("{fault}. Nothing of this message is in the thread: send it again.")
            return Message(esc(said.format(fault=sentence(error).rstrip("."))))
        return f"{clean(text)}\n{line}".strip() if line else clean(text), links

    async def pressed(self, sender: Sender, data: str, message: int) -> Answer:
        """The answer to a button under a message."""
        return await self._read(sender, data, message=message)

    async def replied(self, sender: Sender, asked: str, text: str) -> Answer:
        """The answer to a reply to a question of ours, which asked for the words of a request."""
        return await self._read(sender, asked, words=tuple(text.split()), text=text)

    async def edited(self, sender: Sender, message: telegram.Message) -> Answer | None:
        """The answer to a message that was edited; None where no thread was pasted in it."""
        written, number = await self.written(sender, message), message.message_id
        if isinstance(written, Message):
            return Answer(written)
        try:
            return await editing.rewritten(self._context, sender, number, written[0])
        except ERRORS as error:
            return Answer(Message(esc_lines(capital(sentence(error)))))

    async def _read(
        self,
        sender: Sender,
        data: str,
        *,
        words: tuple[str, ...] = (),
        text: str = "",
        message: int | None = None,
    ) -> Answer:
        try:
            press = read_press(data)
        except BadDataError:
            press = Press("")
        command = REGISTRY.get(press.verb)
        if command is None:
            return Answer(None, toast=_(ODD))
        if command.who > sender.role:
            return Answer(None if message else Message(_(NOT_YOURS)), toast=_(NOT_YOURS))
        found = Request(
            sender, press.verb, press.threads, (*press.words, *words), press.stamp, press.page, message, text
        )
        return await self._answer(command, found)

    async def _answer(self, command: Command, request: Request) -> Answer:
        try:
            answer = await asyncio.to_thread(self._reply, command, request)
            return answer if isinstance(answer, Answer) else await answer
        except NotYoursError:
            return Answer(Message(_(NOT_YOURS)), toast=_(NOT_YOURS))
        except ERRORS as error:
            return await asyncio.to_thread(self._refused, request, error)
        except Exception as error:
            # The request's edge: whatever broke, the chat goes on.
            log.exception("a request broke", verb=request.name, threads=request.threads)
            return Answer(Message(esc(broke(error))), toast=broke(error), afresh=True)

    def _reply(self, command: Command, request: Request) -> Answer | Awaitable[Answer]:
        if request.stamp and not _is_fresh(self._context, request):
            return Answer(changing.standing(self._context, request, _(OLD)), toast=_(OLD))
        chosen = self._choose(command, request)
        return chosen if isinstance(chosen, Answer) else command.reply(self._context, chosen)

    def _refused(self, request: Request, error: Exception) -> Answer:
        """Why not; under a button, with how the thread stands now."""
        said = esc_lines(capital(sentence(error)))
        if request.message is None:
            return Answer(Message(said))
        if isinstance(error, NotFoundError) and request.threads:
            return Answer(Message(_(GONE)), toast=_(GONE))
        if isinstance(error, NotAllowedError) and request.threads:
            try:
                return Answer(changing.standing(self._context, request, said), toast=said)
            except StoreError:
                log.debug("no card for a refusal", thread=request.thread)
        return Answer(Message(said), toast=said, afresh=True)

    def _choose(self, command: Command, request: Request) -> Request | Answer:
        """The request with its threads, which stand first in its words; or the question which one."""
        if request.threads or command.about is About.NOTHING or not command.typed:
            return request
        if request.words:
            try:
                threads = threads_of(request.words[0])
            except ValueError:
                word = request.words[0][:40]
                if NUMBERS.fullmatch(word) is None and "ID " in command.takes:
                    return self._which(command, request)  # what is wanted, and of no thread
                said = _("“{word}” is no thread's number; write {usage}")
                raise UsageError(said.format(word=word, usage=command.usage)) from None
            if command.about is About.THREAD and len(threads) > 1:
                said = _("one thread at a time, please: {command}")
                raise UsageError(said.format(command=f"/{command.name} {threads[0]}"))
            return replace(request, threads=threads, words=request.words[1:])
        is_editor = request.sender.role is not Role.OWNER
        if command.about is About.DRAFT and (is_editor or self._context.drafts.of(request.sender)):
            return request
        return self._which(command, request)

    def _which(self, command: Command, request: Request) -> Answer:
        """The question which thread; its buttons carry what else was typed.

        Where channels were named, a command that is about them alone is offered, too.
        """
        names = {channel.name for channel in self._context.channels} & {
            word.lower() for word in request.words
        }
        instead: tuple[Button, ...] = ()
        if command.of_channels and len(names) == len(request.words) > 0:
            label = " ".join((f"/{command.of_channels}", *request.words))
            instead = (button(label, command.of_channels, (), *request.words),)
        found = self._candidates(command, request, names)
        return Answer(lists.choose(command.name, found, request.words, instead))

    def _candidates(self, command: Command, request: Request, channels: Collection[str]) -> dict[int, str]:
        requests = self._context.requests(request.sender)
        found = [*requests.queries.queue(), *(chain.delivery for chain in requests.queries.history(limit=50))]
        fitting = [
            one
            for one in found
            if (not command.events or command.events & set(allowed(one.state)))
            and (not channels or one.channel in channels)
        ]
        return {one.thread_id: one.title for one in fitting[:CHOICES]}


def _is_fresh(context: Context, request: Request) -> bool:
    """Whether the threads stand as they stood when the button was shown. Raises NotFoundError."""
    return stamp(changing.all_of(context.requests(request.sender), request.threads)) == request.stamp


def _suggestions(name: str, words: tuple[str, ...], role: Role) -> Iterator[Button]:
    """A button for each command that a word may mean, which carries what was typed behind it."""
    threads: tuple[int, ...] = ()
    with suppress(IndexError, ValueError):
        threads = threads_of(words[0])
    found = meant(name, role)
    fitting = [one for one in found if (one.about is not About.NOTHING) == bool(threads)] if words else []
    for command in fitting or found:
        mine = () if command.about is About.NOTHING else threads
        number = words[:1] if mine else ()
        rest = words[1:] if threads else words
        with suppress(TooLongError):
            label = " ".join((f"/{command.name}", *number, *rest))
            yield button(label, command.name, mine, *rest)


def command_in(message: telegram.Message, username: str) -> tuple[str, tuple[str, ...]] | None:
    """The command that a message begins with, and its words; None where there is none for this bot."""
    text = clean(message.text or "")
    if not text.startswith("/"):
        return None
    first, *words = text.split()
    name, at, bot = first[1:].partition("@")
    if (at and bot.lower() != username.lower()) or not name.replace("_", "").isalnum():
        return None
    return name.lower(), tuple(words)


def said_plainly(text: str, *, drafting: bool) -> tuple[str, tuple[str, ...]] | None:
    """The command in `hold 1` or `queue`, and its words; None for what may be a thread's text.

    Words of other programs (`list`, `send 1`) count too, unless somebody is `drafting`.
    """
    name, *words = text.lower().split() or [""]
    command = REGISTRY.get(name)
    if "\n" in text or len(words) > FEW_WORDS:
        return None
    if name in WORDS and not drafting and (not words or NUMBERS.fullmatch(words[0])):
        return name, tuple(words)
    if command is None or not command.typed:
        return None
    if not words:
        return name, ()
    with suppress(ValueError):
        threads_of(words[0])
        return (name, tuple(words)) if command.about is not About.NOTHING else None
    return None


def told(error: Exception, *, pressed: bool = False) -> Message:
    """What is said of one of ERRORS; in place of the card of a thread that was removed, that it was."""
    return Message(_(GONE) if pressed and isinstance(error, NotFoundError) else esc(sentence(error)))


def broke(error: Exception) -> str:
    """What is said of an error that nobody foresaw."""
    said = _("Something broke ({error}): this is a fault of ours, and is in the log.")
    return said.format(error=type(error).__name__)
