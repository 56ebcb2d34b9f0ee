"""The methods of the Bot API that post pictures, videos and recordings, alone or as an album.

Limits: https://core.telegram.org/bots/api#sending-files and #sendmediagroup
"""

import io
from typing import Any

from PIL import Image, UnidentifiedImageError

from tests.servers.http import Upload
from tests.servers.telegram.chats import ApiError, Chat, Json, Message, User
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.sending import NO_RIGHT, post
from tests.servers.telegram.state import BotApi
from tests.servers.telegram.text import Formatted, caption

MEGABYTE = 1024 * 1024
LARGEST_PHOTO = 10 * MEGABYTE
SIDES = 10_000
RATIO = 20
ALBUM = range(2, 11)
TOGETHER = ({"photo", "video"}, {"document"}, {"audio"})


def send_photo(api: BotApi, bot: User, given: Parameters) -> Json:
    return _send(api, bot, given, "photo")


def send_video(api: BotApi, bot: User, given: Parameters) -> Json:
    return _send(api, bot, given, "video")


def send_animation(api: BotApi, bot: User, given: Parameters) -> Json:
    return _send(api, bot, given, "animation")


def send_audio(api: BotApi, bot: User, given: Parameters) -> Json:
    return _send(api, bot, given, "audio")


def send_voice(api: BotApi, bot: User, given: Parameters) -> Json:
    return _send(api, bot, given, "voice")


def _send(api: BotApi, bot: User, given: Parameters, kind: str) -> Json:
    chat = api.chat(bot, given)
    chat.require_right(bot, "can_post_messages", NO_RIGHT)
    formatted = caption(given)
    hidden = kind in {"photo", "video", "animation"} and given.flag("has_spoiler")
    shown = _content(api, _upload(given, given.text(kind) or kind), kind) | _covered(hidden)
    return post(api, bot, chat, given, formatted, shown).to_json()


def _covered(hidden: object) -> Json:
    return {"has_media_spoiler": True} if hidden else {}


def send_media_group(api: BotApi, bot: User, given: Parameters) -> list[Json]:
    chat = api.chat(bot, given)
    chat.require_right(bot, "can_post_messages", NO_RIGHT)
    items = given.value("media")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ApiError(400, "Bad Request: can't parse media JSON object")
    if len(items) not in ALBUM:
        raise ApiError(400, "Bad Request: wrong number of messages to send")
    kinds = {str(item.get("type")) for item in items}
    if not any(kinds <= some for some in TOGETHER):
        raise ApiError(400, "Bad Request: can't use the media of the specified type in the album")
    # All or none: each is read before one is sent.
    contents = [read_item(api, given, item) for item in items]
    first, *rest = contents
    group = f"group-{len(chat.messages)}"
    messages = [post(api, bot, chat, given, first[0], first[1] | {"media_group_id": group})]
    for words, shown in rest:
        messages.append(_more(chat, bot, messages[0], words, shown | {"media_group_id": group}))
    return [message.to_json() for message in messages]


def _more(chat: Chat, bot: User, first: Message, words: Formatted, shown: Json) -> Message:
    return chat.add(
        words.text,
        entities=words.entities,
        sender=bot,
        reply_to=first.reply_to,
        silent=first.silent,
        extra=shown,
    )


def read_item(api: BotApi, given: Parameters, item: dict[str, Any]) -> tuple[Formatted, Json]:
    """The words and the file of an album's item, or of a message that is edited. Raises ApiError."""
    kind = str(item["type"])
    words = caption(Parameters.of(item))
    shown = _content(api, _upload(given, str(item.get("media", ""))), kind)
    return words, shown | _covered(item.get("has_spoiler"))


def _upload(given: Parameters, named: str) -> Upload:
    upload = given.files.get(named.removeprefix("attach://"))
    if upload is None:
        raise ApiError(400, f"Bad Request: there is no file {named} in the request")
    return upload


def _content(api: BotApi, upload: Upload, kind: str) -> Json:
    """How a file is shown. Raises ApiError where Telegram does not take it."""
    if not upload.data:
        raise ApiError(400, "Bad Request: file must be non-empty")
    if len(upload.data) > api.upload_limit:
        raise ApiError(413, "Request Entity Too Large")
    file_id = api.keep(upload.data)
    known: Json = {"file_id": file_id, "file_unique_id": file_id, "file_size": len(upload.data)}
    if kind == "photo":
        return {"photo": [known | _photo(upload.data)]}
    named = known | {"file_name": upload.filename, "mime_type": upload.content_type}
    document = {"document": named | {}}
    if kind == "document":
        return document
    if kind in {"audio", "voice"}:
        return {kind: named | {"duration": 1}}
    seen = {kind: named | {"width": 320, "height": 240, "duration": 1}}
    return seen | document if kind == "animation" else seen  # for older programs


def _photo(data: bytes) -> Json:
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            image.load()
            width, height = image.size
            exif = dict(image.getexif())
    except (UnidentifiedImageError, OSError):
        raise ApiError(400, "Bad Request: IMAGE_PROCESS_FAILED") from None
    if len(data) > LARGEST_PHOTO:
        raise ApiError(400, "Bad Request: file is too big")
    if width + height > SIDES or max(width, height) > RATIO * min(width, height):
        raise ApiError(400, "Bad Request: PHOTO_INVALID_DIMENSIONS")
    assert not exif, "a picture tells where it was taken"
    return {"width": width, "height": height}
