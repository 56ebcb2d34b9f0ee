"""The methods of the Bot API, by name: what each does with the state of the platform.

https://core.telegram.org/bots/api#available-methods
"""

import re
from collections.abc import Callable
from typing import Any

from tests.servers.http import Held
from tests.servers.telegram.chats import ApiError, Json, Member, User
from tests.servers.telegram.commands import delete_my_commands, get_my_commands, set_my_commands
from tests.servers.telegram.editing import (
    delete_message,
    delete_messages,
    edit_message_caption,
    edit_message_media,
    edit_message_text,
)
from tests.servers.telegram.marks import pin_chat_message, set_message_reaction, unpin_chat_message
from tests.servers.telegram.media import (
    send_animation,
    send_audio,
    send_media_group,
    send_photo,
    send_video,
    send_voice,
)
from tests.servers.telegram.parameters import Parameters, done, failed
from tests.servers.telegram.profile import (
    get_my_description,
    set_chat_menu_button,
    set_my_description,
    set_my_short_description,
)
from tests.servers.telegram.sending import forward_message, send_chat_action, send_document, send_message
from tests.servers.telegram.state import REAL_BOT_PACE, REAL_PACES, Answer, BotApi, Pace

__all__ = [
    "CALLS",
    "NAMES",
    "REAL_BOT_PACE",
    "REAL_PACES",
    "WEBHOOK_ACTIVE",
    "BotApi",
    "Pace",
    "Parameters",
    "done",
    "failed",
]

WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active;"
    " use deleteWebhook to delete the webhook first"
)
BY_SET_WEBHOOK = "Conflict: terminated by setWebhook request"
SECRET = re.compile("[A-Za-z0-9_-]{1,256}")
LONGEST_ANSWER = 200  # characters


def get_me(api: BotApi, bot: User, _: Parameters) -> Json:
    abilities = {"can_join_groups": True, "can_read_all_group_messages": bot.id in api.reads_all}
    return bot.to_json() | abilities | {"supports_inline_queries": False}


def get_chat(api: BotApi, bot: User, given: Parameters) -> Json:
    chat = api.chat(bot, given)
    if chat.username is None and chat.kind != "private":
        chat.require_member(bot)
    return chat.to_full_json()


def get_chat_member(api: BotApi, bot: User, given: Parameters) -> Json:
    chat = api.chat(bot, given)
    user_id = given.integer("user_id")
    if user_id != bot.id:
        chat.require_member(bot)
    user = api.user(user_id)
    return chat.members.get(user_id, Member("left")).to_json(user)


def get_updates(api: BotApi, bot: User, given: Parameters) -> list[Json] | Held:
    if api.webhooks.get(bot.id):
        raise ApiError(409, WEBHOOK_ACTIVE)
    return api.updates.take(bot, given)


def set_webhook(api: BotApi, bot: User, given: Parameters) -> bool:
    """Note the address, which ends polling; see `webhooks.py` for who brings updates there."""
    secret = given.text("secret_token")
    if secret and not SECRET.fullmatch(secret):
        raise ApiError(400, "Bad Request: secret token contains unallowed characters")
    api.updates.end_poll(bot, BY_SET_WEBHOOK)
    api.updates.choose_kinds(bot, given)
    api.webhooks[bot.id], api.webhook_secrets[bot.id] = given.text("url"), secret
    return True


def delete_webhook(api: BotApi, bot: User, _: Parameters) -> bool:
    api.webhooks.pop(bot.id, None)
    return True


def get_webhook_info(api: BotApi, bot: User, _: Parameters) -> Json:
    waiting = len(api.updates.waiting[bot.id])
    known: Json = {"url": api.webhooks.get(bot.id, ""), "has_custom_certificate": False}
    return known | {"pending_update_count": waiting} | api.webhook_errors.get(bot.id, {})


def answer_callback_query(api: BotApi, bot: User, given: Parameters) -> bool:
    pressed = api.presses.get(given.text("callback_query_id"))
    other = pressed is not None and pressed.message.sender is not bot
    if pressed is None or pressed.answer is not None or pressed.expired or other:
        raise ApiError(
            400, "Bad Request: query is too old and response timeout expired or query ID is invalid"
        )
    if len(given.text("text")) > LONGEST_ANSWER:
        raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
    pressed.answer = Answer(given.text("text"), given.flag("show_alert"), given.text("url"))
    api.answered.append(dict(given.given))
    return True


def get_file(api: BotApi, _: User, given: Parameters) -> Json:
    file_id = given.text("file_id")
    if file_id not in api.files:
        raise ApiError(400, "Bad Request: invalid file_id")
    size = len(api.files[file_id])
    if size > api.download_limit:
        raise ApiError(400, "Bad Request: file is too big")
    return {"file_id": file_id, "file_unique_id": file_id, "file_size": size, "file_path": file_id}


METHODS: dict[str, Callable[[BotApi, User, Parameters], Any]] = {
    "getMe": get_me,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "sendMessage": send_message,
    "sendDocument": send_document,
    "sendPhoto": send_photo,
    "sendVideo": send_video,
    "sendAnimation": send_animation,
    "sendAudio": send_audio,
    "sendVoice": send_voice,
    "sendMediaGroup": send_media_group,
    "sendChatAction": send_chat_action,
    "forwardMessage": forward_message,
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "deleteMessage": delete_message,
    "setMessageReaction": set_message_reaction,
    "pinChatMessage": pin_chat_message,
    "unpinChatMessage": unpin_chat_message,
    "deleteMessages": delete_messages,
    "getUpdates": get_updates,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyDescription": set_my_description,
    "setMyShortDescription": set_my_short_description,
    "getMyDescription": get_my_description,
    "setChatMenuButton": set_chat_menu_button,
    "answerCallbackQuery": answer_callback_query,
    "getFile": get_file,
}
CALLS = {name.lower(): method for name, method in METHODS.items()}
NAMES = {name.lower(): name for name in METHODS}
