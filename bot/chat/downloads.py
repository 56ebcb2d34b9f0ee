"""What people send as files, fetched from Telegram: texts to be read, and what is shown between them."""

import asyncio
import io
import mimetypes
from collections.abc import Callable
from typing import NamedTuple, Protocol

import telegram
from telegram.error import BadRequest, TelegramError

from threadcast.bot.channels.telegram.errors import NO_BOT_API, UNREADABLE
from threadcast.bot.chat.access import Sender
from threadcast.bot.chat.commands import Context, UsageError
from threadcast.bot.chat.views.message import clean
from threadcast.bot.languages import N_, _, translated
from threadcast.bot.plain import plain
from threadcast.bot.requests.archives import is_archive
from threadcast.bot.requests.input import MAX_INPUT, Intake, understand
from threadcast.config.logs import get_logger, redact
from threadcast.queue.text.media import as_line

log = get_logger("threadcast.chat")

MEGABYTES = MAX_INPUT // 1024 // 1024
TOO_LARGE = N_(
    "{name} is larger than {megabytes} MB, more than Telegram lets me fetch; split it into several files."
)
TOO_LARGE_TO_SHOW = N_(
    "{name} is larger than {megabytes} MB, more than Telegram lets me fetch. Make it smaller and send it "
    "again; the rest of what you sent is kept."
)
TRIES = 3  # of a download
SHOWN = ("image/", "video/", "audio/")  # documents that are shown, and not read as texts


class Sent(NamedTuple):
    """A file of a message, and what it is called."""

    file: (
        telegram.PhotoSize
        | telegram.Video
        | telegram.Animation
        | telegram.Audio
        | telegram.Voice
        | telegram.VideoNote
        | telegram.Document
    )
    name: str


def file_of(message: telegram.Message) -> Sent | None:
    """Return the picture, video or recording that a message shows."""
    number = message.message_id
    if message.photo:
        return Sent(message.photo[-1], f"photo-{number}.jpg")  # the largest
    for file, usual in (
        (message.animation, f"animation-{number}.mp4"),
        (message.video, f"video-{number}.mp4"),
        (message.video_note, f"video-{number}.mp4"),
        (message.audio, f"recording-{number}.mp3"),
        (message.voice, f"voice-{number}.ogg"),
    ):
        if file is not None:
            return Sent(file, getattr(file, "file_name", None) or usual)
    document = message.document
    named = document and (document.mime_type or mimetypes.guess_type(document.file_name or "")[0])
    if document is not None and named and named.startswith(SHOWN):
        return Sent(document, document.file_name or f"file-{number}")
    return None


async def kept(context: Context, sender: Sender, sent: Sent) -> str:
    """Keep a file that was sent, and return the line that shows it. Raises UsageError, InputError."""
    name = plain(clean(sent.name))[:100]
    if (sent.file.file_size or 0) > MAX_INPUT:
        raise UsageError(_(TOO_LARGE_TO_SHOW).format(name=name, megabytes=MEGABYTES))
    data = await fetch(sent.file, name)
    keep = context.requests(sender).threads.keep_file
    return as_line(await asyncio.to_thread(keep, name, io.BytesIO(data)))


async def read_file(
    document: telegram.Document, unpacked: Callable[[str, bytes], Intake] | None = None
) -> Intake:
    """What is in a file that was sent; `unpacked` reads an archive. Raises UsageError, InputError."""
    name = plain(clean(document.file_name or _("the file")))[:100]
    if (document.file_size or 0) > MAX_INPUT:
        raise UsageError(_(TOO_LARGE).format(name=name, megabytes=MEGABYTES))
    data = await fetch(document, name)
    reads = unpacked if unpacked and is_archive(io.BytesIO(data)) else understand
    return await asyncio.to_thread(reads, name, data)


class Fetchable(Protocol):
    """What Telegram keeps for a bot to fetch."""

    async def get_file(self) -> telegram.File: ...


async def fetch(file: Fetchable, name: str) -> bytes:
    """Return what is in a file that was sent. Raises UsageError."""
    try:
        return await _fetch(file)
    except (TelegramError, *UNREADABLE) as error:
        reason = redact(error.message) if isinstance(error, TelegramError) else NO_BOT_API
        log.warning("a file could not be fetched", file=name, reason=reason)
        said = _("{name} could not be fetched from Telegram ({reason}); please send it again.")
        raise UsageError(said.format(name=name, reason=translated(reason))) from None


async def _fetch(file: Fetchable) -> bytes:
    tries = 0
    while True:
        try:
            return bytes(await (await file.get_file()).download_as_bytearray())
        except BadRequest:
            raise  # it will be refused again
        except TelegramError:
            tries += 1
            if tries == TRIES:
                raise
