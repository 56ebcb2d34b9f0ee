"""What a bot puts on messages: reactions, and pins.

https://core.telegram.org/bots/api#setmessagereaction
https://core.telegram.org/bots/api#pinchatmessage
"""

from telegram.constants import ReactionEmoji

from tests.servers.telegram.chats import ApiError, Chat, Json, Message, User
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.state import BotApi

EMOJI = frozenset(ReactionEmoji)  # the only ones there are; a tick in a box is none of them
NO_RIGHT_TO_PIN = "not enough rights to manage pinned messages in the chat"


def set_message_reaction(api: BotApi, bot: User, given: Parameters) -> bool:
    chat = api.chat(bot, given)
    chat.require_member(bot)
    message = chat.find(given.integer("message_id"), "message to react not found")
    wanted: list[Json] = given.value("reaction") or []
    if len(wanted) > 1:  # of a bot
        raise ApiError(400, "Bad Request: REACTIONS_TOO_MANY")
    emoji = [one.get("emoji", "") for one in wanted]
    allowed = EMOJI if chat.reactions is None else EMOJI & chat.reactions
    plain = all(one.get("type") == "emoji" for one in wanted)
    if not plain or not set(emoji) <= allowed or "pinned_message" in message.extra:
        raise ApiError(400, "Bad Request: REACTION_INVALID")
    message.reactions[bot.id] = "".join(emoji)
    return True


def pin_chat_message(api: BotApi, bot: User, given: Parameters) -> bool:
    chat = _require_pinning(api, bot, given)
    message = chat.find(given.integer("message_id"), "message to pin not found")
    if "pinned_message" in message.extra:
        raise ApiError(400, "Bad Request: message can't be pinned")
    pin(api, message, bot, silent=given.flag("disable_notification"))
    return True


def unpin_chat_message(api: BotApi, bot: User, given: Parameters) -> bool:
    chat = _require_pinning(api, bot, given)
    message_id = given.integer("message_id")
    chat.find(message_id, "message to unpin not found")
    if message_id in chat.pinned:
        chat.pinned.remove(message_id)
    return True


def _require_pinning(api: BotApi, bot: User, given: Parameters) -> Chat:
    """The chat, where the bot may pin: in private, or as an administrator with the right."""
    chat = api.chat(bot, given)
    member = chat.require_member(bot)
    right = "can_edit_messages" if chat.kind == "channel" else "can_pin_messages"
    if chat.kind != "private" and (member.status != "administrator" or right not in member.rights):
        raise ApiError(400, f"Bad Request: {NO_RIGHT_TO_PIN}")
    return chat


def pin(api: BotApi, message: Message, sender: User, *, silent: bool = False) -> None:
    """Pin a message; every bot there is told by a message in the chat, the one that pinned it too.

    https://github.com/tdlib/telegram-bot-api (Client.cpp, need_skip_update_message)
    """
    chat = message.chat
    if message.id in chat.pinned:
        return
    chat.pinned.append(message.id)
    told = {"pinned_message": message.to_json(nested=True)}
    api.publish_message(chat.add("", sender=sender, silent=silent, extra=told))
