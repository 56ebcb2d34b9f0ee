"""Whether a bot may post in a chat. Pure."""

import telegram
from telegram.constants import ChatMemberStatus, ChatType

from threadcast.bot.channels.port import Finding
from threadcast.config.logs import redact


def judge_rights(chat: telegram.ChatFullInfo, member: telegram.ChatMember) -> Finding:
    """Whether a bot with this membership can post in this chat."""
    title = redact(chat.title or chat.full_name or str(chat.id))
    match member:
        case telegram.ChatMemberOwner():
            can_post = True
        case telegram.ChatMemberAdministrator():
            can_post = chat.type != ChatType.CHANNEL or bool(member.can_post_messages)
        case telegram.ChatMemberRestricted():
            can_post = member.is_member and member.can_send_messages
        case _:
            permitted = chat.permissions is None or chat.permissions.can_send_messages is not False
            is_member = member.status == ChatMemberStatus.MEMBER
            can_post = chat.type == ChatType.PRIVATE or (
                is_member and permitted and chat.type != ChatType.CHANNEL
            )
    if can_post:
        return Finding("ok", f"the bot may post in “{title}”")
    return Finding(
        "error",
        f"the bot may not post in “{title}” (it is there as: {redact(member.status)})",
        "make it an administrator with the right to post messages",
    )
