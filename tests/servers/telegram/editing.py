"""The methods of the Bot API that change or take away what stands in a chat.

https://core.telegram.org/bots/api#updating-messages
"""

import time

from tests.servers.telegram.chats import FILES, ApiError, Json, Message, User
from tests.servers.telegram.keyboards import read_markup
from tests.servers.telegram.media import TOGETHER, read_item
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.sending import with_buttons
from tests.servers.telegram.state import BotApi
from tests.servers.telegram.text import Formatted, caption, message_text

OLDEST_DELETABLE = 48 * 3600  # seconds
EDITABLE = {"photo", "video", "animation", "audio", "document"}
MOST_DELETED = 100  # messages at once
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly"
    " the same as a current content and reply markup of the message"
)


def edit_message_text(api: BotApi, bot: User, given: Parameters) -> Json:
    message = _to_edit(api, bot, given)
    if message.shows_file:
        raise ApiError(400, "Bad Request: there is no text in the message to edit")
    return _change(api, bot, message, message_text(given), given)


def edit_message_caption(api: BotApi, bot: User, given: Parameters) -> Json:
    message = _to_edit(api, bot, given)
    if not message.shows_file:
        raise ApiError(400, "Bad Request: there is no caption in the message to edit")
    return _change(api, bot, message, caption(given), given)


def edit_message_media(api: BotApi, bot: User, given: Parameters) -> Json:
    """https://core.telegram.org/bots/api#editmessagemedia"""
    message = _to_edit(api, bot, given)
    item = given.value("media")
    if not isinstance(item, dict):
        raise ApiError(400, "Bad Request: can't parse input media JSON object")
    new, before = str(item.get("type")), kinds_shown(message)
    if new not in EDITABLE:
        raise ApiError(400, "Bad Request: can't parse InputMedia: unsupported type specified")
    if before and not EDITABLE & before:
        raise ApiError(400, "Bad Request: message can't be edited")
    if "media_group_id" in message.extra and not any({new, *before} <= some for some in TOGETHER):
        raise ApiError(400, "Bad Request: can't change media type in the album")
    words, shown = read_item(api, given, item)
    message.given = dict(given.given)
    return _change(api, bot, message, words, given, shown)


def kinds_shown(message: Message) -> set[str]:
    """What a message shows: an animation is a document for older programs."""
    found = set(message.extra).intersection(FILES)
    return {"animation"} if "animation" in found else found


def _to_edit(api: BotApi, bot: User, given: Parameters) -> Message:
    chat = api.chat(bot, given)
    chat.require_member(bot)
    message = chat.find(given.integer("message_id"), "message to edit not found")
    if message.sender is not bot:
        if chat.kind != "channel":
            raise ApiError(400, "Bad Request: message can't be edited")
        chat.require_right(bot, "can_edit_messages", "message can't be edited")
    # https://github.com/tdlib/td/blob/master/td/telegram/MessagesManager.cpp (can_edit_message)
    if "forward_origin" in message.extra or message.keyboard is not None:
        raise ApiError(400, "Bad Request: message can't be edited")
    return message


def _change(
    api: BotApi, bot: User, message: Message, new: Formatted, given: Parameters, shown: Json | None = None
) -> Json:
    buttons = with_buttons(read_markup(given, only_inline=True))
    before = (message.text, message.entities, message.extra.get("reply_markup"))
    if not shown and before == (new.text, new.entities, buttons.get("reply_markup")):
        raise ApiError(400, NOT_MODIFIED)
    if message.chat.kind != "channel":
        api.keep_pace(bot, message.chat)
    replaced = {"reply_markup", *(FILES if shown else ())}
    kept = {name: value for name, value in message.extra.items() if name not in replaced} | (shown or {})
    # A change of the buttons alone does not count as one of the message.
    same = before[:2] == (new.text, new.entities) and not shown
    edited = {} if same else {"edit_date": int(time.time())}
    message.text, message.entities = new.text, new.entities
    message.extra = kept | edited | buttons
    return message.to_json()


def delete_message(api: BotApi, bot: User, given: Parameters) -> bool:
    chat = api.chat(bot, given)
    chat.require_member(bot)
    message = chat.find(given.integer("message_id"), "message to delete not found")
    if message.date < time.time() - OLDEST_DELETABLE:
        raise ApiError(400, "Bad Request: message can't be deleted for everyone")
    _require_deletable(message, bot)
    del chat.messages[message.id]
    return True


def delete_messages(api: BotApi, bot: User, given: Parameters) -> bool:
    """Those that are there: the others are skipped. https://core.telegram.org/bots/api#deletemessages"""
    chat = api.chat(bot, given)
    chat.require_member(bot)
    numbers = given.value("message_ids")
    if not isinstance(numbers, list) or not 1 <= len(numbers) <= MOST_DELETED:
        raise ApiError(400, "Bad Request: message identifiers are not specified")
    found = [chat.messages[one] for one in numbers if one in chat.messages]
    for message in found:
        if message.date < time.time() - OLDEST_DELETABLE:
            raise ApiError(400, "Bad Request: message can't be deleted for everyone")
        _require_deletable(message, bot)
    for message in found:
        del chat.messages[message.id]
    return True


def _require_deletable(message: Message, bot: User) -> None:
    if message.sender is not bot:
        message.chat.require_administrator(bot, "can_delete_messages", "message can't be deleted")
