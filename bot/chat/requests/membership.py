"""What is said where the bot is added to a chat, removed from one, or may do something else there."""

from collections.abc import Iterator
from functools import partial

import telegram
from telegram.constants import ChatType

from threadcast.bot.chat.access import Access, Role
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.views import newcomer
from threadcast.bot.chat.views.message import Say
from threadcast.bot.plain import plain
from threadcast.config.logs import get_logger

log = get_logger("threadcast.chat")

STAYS = {"administrator", "member", "creator", "restricted"}


class Membership:
    """Names chats that the bot is added to, each another name."""

    def __init__(self, context: Context, access: Access) -> None:
        self._context = context
        self._access = access
        self._offered: dict[int, str] = {}  # names, by chat

    def changed(self, change: telegram.ChatMemberUpdated) -> Iterator[tuple[int, Say]]:
        """What is to be said, and in which chats."""
        chat, person = change.chat, change.from_user.id
        if self._access.role_of(person) is not Role.OWNER:
            log.warning("ignored: a stranger changed the bot's place", chat=chat.id, person=person)
            return
        title = plain(chat.title or str(chat.id))
        could, can = _may_post(chat, change.old_chat_member), _may_post(chat, change.new_chat_member)
        channel = self._channel_of(chat)
        if channel is not None:
            if could != can:
                say = partial(newcomer.ready if can else newcomer.left, title, channel)
                yield from ((one, say) for one in self._access.report_to)
        elif change.new_chat_member.status in STAYS and chat.id != self._access.group:
            where = f"@{chat.username}" if chat.username else str(chat.id)
            group = None if chat.type == ChatType.CHANNEL or self._access.group else chat.id
            name = self._name(chat)
            yield person, partial(newcomer.joined, title, where, name, may_post=can, group=group)

    def _name(self, chat: telegram.Chat) -> str:
        others = {name for other, name in self._offered.items() if other != chat.id}
        taken = others | {channel.name for channel in self._context.channels}
        name = newcomer.name_for(chat.title or str(chat.id), chat.username, taken)
        self._offered[chat.id] = name.lower()
        return name

    def _channel_of(self, chat: telegram.Chat) -> str | None:
        """The channel that leads to a chat."""
        targets = {str(chat.id), f"@{chat.username}".lower() if chat.username else ""}
        return next((one.name for one in self._context.channels if one.target.lower() in targets), None)


def _may_post(chat: telegram.Chat, member: telegram.ChatMember) -> bool:
    if isinstance(member, telegram.ChatMemberAdministrator):
        return chat.type != ChatType.CHANNEL or bool(member.can_post_messages)
    return member.status in STAYS and chat.type != ChatType.CHANNEL
