"""What people do on Telegram: they write, send files, edit, forward, press buttons and add bots to chats."""

import time

from tests.servers.http import Upload
from tests.servers.telegram.chats import Chat, Json, Member, Message, User
from tests.servers.telegram.sending import document_json, forward, require_forwardable
from tests.servers.telegram.state import BotApi, Press
from tests.servers.telegram.text import written


def write(
    api: BotApi, chat: Chat, text: str, sender: User, extra: Json, reply_to: int | None = None
) -> Message:
    """Somebody writes in a chat: every bot that reads it gets an update."""
    content = written(text)
    message = chat.add(content.text, entities=content.entities, sender=sender, reply_to=reply_to, extra=extra)
    api.publish_message(message)
    return message


def send_file(
    api: BotApi,
    chat: Chat,
    upload: Upload,
    sender: User,
    extra: Json,
    text: str = "",
    reply_to: int | None = None,
) -> Message:
    """Somebody sends a document to a chat."""
    return write(api, chat, text, sender, {"document": document_json(api, upload)} | extra, reply_to)


def edit(api: BotApi, message: Message, text: str) -> None:
    """Somebody edits what they wrote."""
    content = written(text)
    message.text, message.entities = content.text, content.entities
    message.extra["edit_date"] = int(time.time())
    api.publish_message(message, edited=True)


def send_on(api: BotApi, message: Message, chat: Chat, sender: User) -> Message:
    """Somebody forwards a message to a chat."""
    require_forwardable(message)
    copy = forward(message, chat, sender)
    api.publish_message(copy)
    return copy


def press(api: BotApi, message: Message, data: str, sender: User) -> Press:
    """Somebody presses the button with this data; the bot that wrote the message is told."""
    if message.chat.messages.get(message.id) is not message:
        raise LookupError("the message was deleted, and its buttons with it")
    pressed = Press(str(api.updates.last + 1), sender, message, data)
    api.presses[pressed.id] = pressed
    query = {
        "id": pressed.id,
        "from": sender.to_json(),
        "chat_instance": str(message.chat.id),
        "message": message.to_json(),
        "data": data,
    }
    if message.sender is not None and message.sender.is_bot:
        api.tell(message.sender, "callback_query", query)
    else:
        api.publish(message.chat, "callback_query", query)
    return pressed


def change_member(api: BotApi, chat: Chat, bot: User, member: Member, sender: User) -> None:
    """Somebody changes what a bot is in a chat; the bot is told, even where it is thrown out."""
    before = chat.members.get(bot.id, Member("left"))
    if before == member:
        return
    chat.members[bot.id] = member
    content = {
        "chat": chat.to_json(),
        "from": sender.to_json(),
        "date": int(time.time()),
        "old_chat_member": before.to_json(bot),
        "new_chat_member": member.to_json(bot),
    }
    api.tell(bot, "my_chat_member", content)
    outside = ("left", "kicked")
    joined = before.status in outside and member.status not in outside
    if joined and chat.kind in ("group", "supergroup"):
        message = chat.add("", sender=sender, extra={"new_chat_members": [bot.to_json()]})
        api.publish_message(message)
