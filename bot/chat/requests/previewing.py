"""A preview: the posts of a thread as real messages in the chat where it was asked for, and away again.

It has nothing of a post that is out but its text and its files: it is sent here, silently, and the queue
knows nothing of it. Its messages are noted, so that they can be taken away after a restart too. There is one
in a chat.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from secrets import token_hex
from typing import Final

from threadcast.bot.channels.media import TELEGRAM_FILES, TELEGRAM_PICTURES, ChannelFiles, Upload
from threadcast.bot.channels.port import Outgoing
from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.commands import (
    About,
    Answer,
    Context,
    Place,
    Request,
    UsageError,
    button_only,
    command,
)
from threadcast.bot.chat.requests.adding import NO_CHANNEL, PASTED
from threadcast.bot.chat.views import previews
from threadcast.bot.chat.views.message import Message, Rows, esc, rows
from threadcast.bot.languages import N_, _
from threadcast.bot.media.errors import MediaError
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.input import understand
from threadcast.bot.requests.preview import preview_posts
from threadcast.queue.compose.rules import Post
from threadcast.queue.states import Event
from threadcast.queue.text.settings import ThreadSettings
from threadcast.queue.text.thread import Thread

FIRST: Final = 10  # posts of a chain that are shown at first
CHAINS: Final = 3  # that are shown at first
DELETABLE: Final = timedelta(hours=48)  # https://core.telegram.org/bots/api#deletemessage
TELLS: Final = -1  # in place of a chain: what is said below one

# Lines of the page of a preview that are no message of ours: messages have positive ids.
_MARK, _TEXTS = 0, -1


@command(
    "preview",
    who=Role.EDITOR,
    about=About.DRAFT,
    events=(Event.SCHEDULE,),
    takes=N_("ID [channel]"),
    help=N_("The posts of a thread as they will be"),
    more=N_("Without an ID: what you have pasted and not added yet.\n/preview 7 masto"),
)
async def preview(context: Context, request: Request) -> Answer:
    """The chains of threads on every channel, or on those named; the beginnings of long ones."""
    if not context.channels:
        return Answer(Message(_(NO_CHANNEL)))
    threads = await asyncio.to_thread(_threads, context, request)
    looks = previews.looks(await preview_posts(threads, pick(context.channels, request.words)))
    if any(one.target == str(request.sender.chat) for one in context.channels):  # its readers would see it
        return Answer(_file(threads, looks), afresh=True)

    files = ChannelFiles(context.channels[0].files.store, TELEGRAM_FILES, TELEGRAM_PICTURES)

    async def work(here: Place) -> None:
        showing = Showing(context, request.sender, here)
        if request.name != "all" or await showing.texts() != _checksum(looks):
            await showing.clear()  # what was there, or was changed meanwhile
        await showing.begin(_checksum(looks))
        with suppress(OvertakenError):
            await _show(showing, request, threads, looks, files, whole=request.name == "all")

    return Answer(None, toast=_("Here it comes; nothing is public."), afresh=True, work=work)


button_only("all", who=Role.EDITOR)(preview)


@button_only("file", who=Role.EDITOR)
async def file(context: Context, request: Request) -> Answer:
    """The same as a file."""
    threads = await asyncio.to_thread(_threads, context, request)
    looks = previews.looks(await preview_posts(threads, pick(context.channels, request.words)))
    return Answer(_file(threads, looks), afresh=True)


@button_only("away", who=Role.EDITOR)
def away(context: Context, request: Request) -> Answer:
    """Take the preview of this chat away."""

    async def work(here: Place) -> Message | None:
        if await Showing(context, request.sender, here).clear(request.message):
            return None
        old = _("This preview is older than 48 hours, too old for me to delete it: please do it yourself.")
        return Message(old)

    return Answer(None, work=work)


class OvertakenError(Exception):
    """Another preview has begun in this chat."""


class Showing:
    """The preview of a chat, on its way. One that is begun later ends it."""

    def __init__(self, context: Context, sender: Sender, here: Place) -> None:
        self._notes, self._clock, self._here = context.notes, context.clock, here
        self._page = f"preview:{sender.chat}"
        self._lock = context.previewing[sender.chat]
        self._mark = token_hex(4)

    async def begin(self, texts: str) -> None:
        await self._note(_MARK, self._mark)
        await self._note(_TEXTS, texts)

    async def texts(self) -> str:
        """Of which texts the preview is that is there."""
        return (await self._read()).get(_TEXTS, "")

    async def clear(self, beside: int | None = None) -> bool:
        """Take away what there is of a preview, and a message beside it; False where some of it stays."""
        async with self._lock:
            gone = await self._delete(await self._messages(), beside)
            await asyncio.to_thread(self._notes.forget, self._page)
            return gone

    async def clear_tells(self) -> None:
        """Take away what is said below the chains."""
        await self._delete({one: what for one, what in (await self._messages()).items() if what[0] == TELLS})

    async def last(self) -> dict[int, tuple[int, int]]:
        """For each chain that was begun: how many of its posts are there, and the message of the last."""
        found = (await self._messages()).items()
        return {chain: (place, one) for one, (chain, place, _at) in found if place}

    async def put(self, message: Message, chain: int, place: int = 0) -> int:
        """Send a message and note it. Raises OvertakenError where another preview has begun meanwhile."""

        async def send() -> tuple[int, ...]:
            return (await self._here.send(message),)

        return (await self._noted(send, chain, place))[0]

    async def show(self, outgoing: Outgoing, files: Sequence[Upload], chain: int, place: int) -> int | None:
        """Send a post with files and note its messages; None where Telegram does not take it.

        Raises OvertakenError.
        """
        found = await self._noted(partial(self._here.show, outgoing, files), chain, place)
        return found[0] if found else None

    async def _noted(
        self, send: Callable[[], Awaitable[tuple[int, ...]]], chain: int, place: int
    ) -> tuple[int, ...]:
        async with self._lock:
            if (await self._read()).get(_MARK) != self._mark:
                raise OvertakenError
            at = self._clock()
            found = await send()
            for number in found:  # what follows replies to the first of an album
                await self._note(number, f"{chain} {place if number == found[0] else 0} {at.timestamp():.0f}")
            return found

    async def _messages(self) -> dict[int, tuple[int, int, int]]:
        """What is there, oldest first: which chain it is of, its place in it, when it was sent."""
        found = {one: text.split() for one, text in (await self._read()).items() if one > _MARK}
        return {one: (int(chain), int(place), int(at)) for one, (chain, place, at) in found.items()}

    async def _delete(self, found: dict[int, tuple[int, int, int]], beside: int | None = None) -> bool:
        oldest = (self._clock() - DELETABLE).timestamp()
        young = [one for one, (_chain, _place, at) in found.items() if at > oldest]
        if beside is not None and beside not in found:
            young.append(beside)
        return (not young or await self._here.delete(young)) and len(young) >= len(found)

    async def _read(self) -> dict[int, str]:
        return await asyncio.to_thread(self._notes.read, self._page)

    async def _note(self, line: int, text: str) -> None:
        await asyncio.to_thread(self._notes.write, self._page, line, text, now=self._clock())


async def _show(
    showing: Showing,
    request: Request,
    threads: Sequence[Thread],
    looks: Sequence[previews.Look],
    files: ChannelFiles,
    *,
    whole: bool,
) -> None:
    """Send the chains, each with what is said of it below; what is said last has the buttons.

    Raises OvertakenError.
    """
    begun = await showing.last()
    await showing.clear_tells()
    shown = [
        len(one.posts) if whole else min(FIRST, len(one.posts)) if chain < CHAINS else 0
        for chain, one in enumerate(looks)
    ]
    told = [one for one in range(len(looks)) if whole or one < CHAINS]
    is_all = all(number == len(one.posts) for number, one in zip(shown, looks, strict=True))
    for chain in told:
        look, (there, parent) = looks[chain], begun.get(chain, (0, None))
        settings = threads[look.thread - 1].settings
        for place, post in enumerate(look.posts[there : shown[chain]], start=there + 1):
            parent = await _show_post(showing, post, settings, files, parent, (chain, place))
        number = request.threads[look.thread - 1] if request.threads else None
        said = previews.below(look, threads[look.thread - 1], number, shown[chain])
        if chain == told[-1]:
            said = f"{said}\n\n{_('This is a preview: nothing of it is public.')}"
        buttons = _buttons(request, is_all=is_all) if chain == told[-1] else ()
        await showing.put(Message(said, buttons, quiet=True), TELLS)


async def _show_post(
    showing: Showing,
    post: Post,
    settings: ThreadSettings,
    files: ChannelFiles,
    parent: int | None,
    where: tuple[int, int],
) -> int | None:
    """Show a post, its files as they will be or else by their names; the message that is replied to."""
    messages, fault = previews.messages(post, settings), ""
    if post.media:
        shown, words = previews.with_files(post, settings)
        try:
            for one in shown:
                ready = [await files.ready(each) for each in one.media]
                fault = files.too_large(ready)
                reply = replace(one, parent=None if parent is None else str(parent))
                number = None if fault else await showing.show(reply, ready, *where)
                if number is None:
                    break
                parent = number
            else:
                messages = words
        except MediaError as error:
            fault = str(error)
        if fault:
            messages = previews.messages(post, settings, fault)
    for message in messages:
        parent = await showing.put(replace(message, reply_to=parent), *where)
    return parent


def _buttons(request: Request, *, is_all: bool) -> Rows:
    threads, words = request.threads, request.words
    more = (button(_("All"), "all", threads, *words), button(_("As a file"), "file", threads, *words))
    return rows(
        () if is_all else more,
        (button(_("Take it away"), "away"),),
    )


def _threads(context: Context, request: Request) -> Sequence[Thread]:
    """The threads to be shown: of the queue, or what is being pasted."""
    if request.threads:
        show = context.requests(request.sender).queries.show
        return [show(one).stored.thread for one in request.threads]
    draft = context.drafts.of(request.sender)
    if draft is None or not draft.pieces:
        raise UsageError(_("say which thread: /preview 7"))
    intake = understand(PASTED, draft.text.encode())
    return context.requests(request.sender).threads.attached(intake).threads


def _file(threads: Sequence[Thread], looks: Sequence[previews.Look]) -> Message:
    whole = "\n".join(previews.plain(one, threads[one.thread - 1].title) for one in looks)
    return Message(esc(threads[0].title), file=("preview.txt", whole.encode()))


def _checksum(looks: Sequence[previews.Look]) -> str:
    texts = [(one.channels, [(post.text, post.media) for post in one.posts]) for one in looks]
    return f"{zlib.crc32(repr(texts).encode()):08x}"
