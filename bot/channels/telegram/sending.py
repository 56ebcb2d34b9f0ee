"""One post as a call of the Bot API: words alone, a file with a caption, or an album; and edited."""

import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import telegram
from telegram.error import BadRequest

from threadcast.bot.channels.media import Upload
from threadcast.bot.channels.port import Outgoing
from threadcast.bot.channels.telegram.client import Bot
from threadcast.bot.channels.telegram.entities import spoilers
from threadcast.bot.channels.telegram.errors import Posted
from threadcast.config.logs import redact
from threadcast.queue.text.media import UNNAMED, MediaKind

_HIDDEN = frozenset({MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.ANIMATION})  # until a reader touches them
_ITEMS = {
    MediaKind.IMAGE: telegram.InputMediaPhoto,
    MediaKind.VIDEO: telegram.InputMediaVideo,
    MediaKind.AUDIO: telegram.InputMediaAudio,
    MediaKind.DOCUMENT: telegram.InputMediaDocument,
}
_ALONE = {MediaKind.ANIMATION: telegram.InputMediaAnimation}  # in no album
_FIELDS = {
    MediaKind.IMAGE: "photo",
    MediaKind.VIDEO: "video",
    MediaKind.ANIMATION: "animation",
    MediaKind.AUDIO: "audio",
    MediaKind.VOICE: "voice",
    MediaKind.DOCUMENT: "document",
}


_NAME = re.compile(r"[\w-]{2,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class How:
    """What a post is sent with, the same in every try."""

    silent: bool
    previews: telegram.LinkPreviewOptions


async def post(
    bot: Bot, chat: str, outgoing: Outgoing, files: Sequence[Upload], how: How
) -> Sequence[telegram.Message | Posted]:
    """Send one post, and return its messages: an album has one for each file.

    Raises what the library does.
    """
    entities = spoilers(outgoing)
    shared: dict[str, Any] = {
        "disable_notification": how.silent,
        # Never `allow_sending_without_reply`: it sends unlinked on any failure to find the parent.
        "reply_parameters": None
        if outgoing.parent is None
        else telegram.ReplyParameters(int(outgoing.parent)),
    }
    if not files:
        said = await bot.send_words(
            chat, outgoing.text, entities=entities, link_preview_options=how.previews, **shared
        )
        return (Posted.read(said),)
    hidden = bool(outgoing.settings.warning or outgoing.settings.sensitive)
    caption = {"caption": outgoing.text or None, "caption_entities": entities, "parse_mode": None}
    if len(files) > 1:
        album = [
            _item(one, hidden=hidden, caption=caption if index == 0 else {"parse_mode": None})
            for index, one in enumerate(files)
        ]
        return await bot.send_media_group(chat, album, **shared)
    (file,) = files
    spoiler = {"has_spoiler": hidden} if file.kind in _HIDDEN else {}
    field = _FIELDS[file.kind]
    send = getattr(bot, f"send_{field}")
    content = {field: _input(file)}
    return (await send(chat, **content, **caption, **spoiler, **shared),)


async def edit(
    bot: telegram.Bot,
    chat: str,
    message_id: int,
    outgoing: Outgoing,
    files: Mapping[int, Upload],
    previews: telegram.LinkPreviewOptions,
) -> tuple[str, ...]:
    """Change what a post says, and show `files` at these places of it; return what its files are called now.

    A message of words alone can get a file. What is so already stays. Raises what the library does.
    """
    hidden = bool(outgoing.settings.warning or outgoing.settings.sensitive)
    caption: dict[str, Any] = {
        "caption": outgoing.text or None,
        "caption_entities": spoilers(outgoing),
        "parse_mode": None,
    }
    names = list(outgoing.uploads)
    for place, file in sorted(files.items()):
        item = _item(file, hidden=hidden, caption=caption if place == 0 else {"parse_mode": None})
        number = int(outgoing.album[place - 1]) if place else message_id
        names[place] = await _edited(bot.edit_message_media(item, chat, number))
    if outgoing.media and 0 not in files:
        await _edited(bot.edit_message_caption(chat, message_id, **caption))
    elif not outgoing.media:
        said = bot.edit_message_text(
            outgoing.text,
            chat,
            message_id,
            parse_mode=None,
            entities=spoilers(outgoing),
            link_preview_options=previews,
        )
        await _edited(said)
    return tuple(names)


async def _edited(call: Awaitable[telegram.Message | bool]) -> str:
    """Make a call that edits; return what the file of the message is called. Raises what the library does."""
    try:
        return name_of(await call)
    except BadRequest as error:
        if "message is not modified" not in error.message.lower():
            raise
        return UNNAMED  # it is so already


def name_of(message: object) -> str:
    """Return what Telegram calls the file of a message, in whatever chat that shows it."""
    shown: Any = message
    if not isinstance(message, telegram.Message):
        return UNNAMED
    file = shown.photo[-1] if shown.photo else None
    for kind in ("animation", "video", "audio", "voice", "document"):
        file = file or getattr(shown, kind)
    name = file.file_unique_id if file else ""
    return name if _NAME.fullmatch(name) and redact(name) == name else UNNAMED


def _item(file: Upload, *, hidden: bool, caption: dict[str, Any]) -> Any:
    spoiler = {"has_spoiler": hidden} if file.kind in _HIDDEN else {}
    item: Any = (_ITEMS | _ALONE)[file.kind]
    return item(_input(file), **caption, **spoiler)


def _input(file: Upload) -> telegram.InputFile:
    return telegram.InputFile(file.content, filename=file.name, attach=True)
