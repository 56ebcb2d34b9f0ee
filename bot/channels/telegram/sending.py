"""One post as a call of the Bot API: words alone, a file with a caption, or an album."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import telegram

from threadcast.bot.channels.media import Upload
from threadcast.bot.channels.port import Outgoing
from threadcast.bot.channels.telegram.entities import spoilers
from threadcast.queue.text.media import MediaKind

_HIDDEN = frozenset({MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.ANIMATION})  # until a reader touches them
_ITEMS = {
    MediaKind.IMAGE: telegram.InputMediaPhoto,
    MediaKind.VIDEO: telegram.InputMediaVideo,
    MediaKind.AUDIO: telegram.InputMediaAudio,
    MediaKind.DOCUMENT: telegram.InputMediaDocument,
}
_FIELDS = {
    MediaKind.IMAGE: "photo",
    MediaKind.VIDEO: "video",
    MediaKind.ANIMATION: "animation",
    MediaKind.AUDIO: "audio",
    MediaKind.VOICE: "voice",
    MediaKind.DOCUMENT: "document",
}


@dataclass(frozen=True, slots=True)
class How:
    """What a post is sent with, the same in every try."""

    silent: bool
    previews: telegram.LinkPreviewOptions


async def post(
    bot: telegram.Bot, chat: str, outgoing: Outgoing, files: Sequence[Upload], how: How
) -> Sequence[telegram.Message]:
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
        # The parse mode is not left to a default: nothing in a post is markup.
        message = await bot.send_message(
            chat,
            outgoing.text,
            parse_mode=None,
            entities=entities,
            link_preview_options=how.previews,
            **shared,
        )
        return (message,)
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
    bot: telegram.Bot, chat: str, message_id: int, outgoing: Outgoing, previews: telegram.LinkPreviewOptions
) -> None:
    """Change the text of a message, or the words below its file. Raises what the library does."""
    entities = spoilers(outgoing)
    if outgoing.media:
        await bot.edit_message_caption(
            chat, message_id, caption=outgoing.text or None, caption_entities=entities, parse_mode=None
        )
        return
    await bot.edit_message_text(
        outgoing.text,
        chat,
        message_id,
        parse_mode=None,
        entities=entities,
        link_preview_options=previews,
    )


def _item(file: Upload, *, hidden: bool, caption: dict[str, Any]) -> Any:
    spoiler = {"has_spoiler": hidden} if file.kind in _HIDDEN else {}
    item: Any = _ITEMS[file.kind]  # what is in none of them stands alone
    return item(_input(file), **caption, **spoiler)


def _input(file: Upload) -> telegram.InputFile:
    return telegram.InputFile(file.content, filename=file.name, attach=True)
