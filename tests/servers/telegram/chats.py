"""What the Bot API test server keeps: bots, people, chats and messages, and how the API shows them.

https://core.telegram.org/bots/api#available-types
"""

import re
import time
from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
ChatKind = Literal["private", "group", "supergroup", "channel"]

# What becomes of single characters of a text, and what goes at its ends.
REMOVED = re.compile(r"[\r\u2028-\u202e\u0333\u033f\u030a]")
BLANKED = re.compile(r"[\x00-\x09\x0b-\x1f]")
TRIMMED = " \n"
RIGHTS = (
    *("can_post_messages", "can_edit_messages", "can_delete_messages"),
    *("can_send_messages", "can_pin_messages"),
)
# What the API tells of a member, by status.
SHOWN_RIGHTS = {
    "administrator": (
        *("can_be_edited", "is_anonymous", "can_manage_chat", "can_manage_video_chats", "can_change_info"),
        *("can_restrict_members", "can_promote_members", "can_invite_users"),
        *("can_post_messages", "can_edit_messages", "can_delete_messages"),
        *("can_post_stories", "can_edit_stories", "can_delete_stories"),
    ),
    "restricted": (
        *("can_change_info", "can_invite_users", "can_pin_messages", "can_manage_topics", "can_edit_tag"),
        *("can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_polls"),
        *("can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_other_messages"),
        *("can_add_web_page_previews", "can_react_to_messages"),
    ),
}


class ApiError(Exception):
    """An error answer of the Bot API."""

    def __init__(self, status: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.status = status
        self.description = description
        self.parameters = parameters

    def to_json(self) -> Json:
        answer: Json = {"ok": False, "error_code": self.status, "description": self.description}
        return answer | ({"parameters": self.parameters} if self.parameters else {})


def clean(text: str) -> str:
    """A text as Telegram stores it, code point by code point.

    Control characters (a tab too) become blanks, carriage returns, line separators, direction
    overrides and three combining marks go, and the ends are trimmed.
    https://github.com/tdlib/td/blob/master/td/telegram/misc.cpp (clean_input_string)
    """
    return BLANKED.sub(" ", REMOVED.sub("", text)).strip(TRIMMED)


@dataclass
class User:
    """A person or a bot."""

    id: int
    first_name: str
    username: str | None = None
    is_bot: bool = False
    language_code: str | None = None

    def to_json(self) -> Json:
        shown: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        shown |= {"username": self.username} if self.username else {}
        return shown | ({"language_code": self.language_code} if self.language_code else {})


@dataclass
class Member:
    """What somebody is in a chat. `rights` counts for administrators and restricted members."""

    status: str = "administrator"
    rights: frozenset[str] = frozenset(RIGHTS)

    def to_json(self, user: User) -> Json:
        shown: Json = {"user": user.to_json(), "status": self.status}
        shown |= {right: right in self.rights for right in SHOWN_RIGHTS.get(self.status, ())}
        match self.status:
            case "creator":
                shown["is_anonymous"] = False
            case "restricted":
                shown |= {"is_member": True, "until_date": 0}
            case "kicked":
                shown["until_date"] = 0
        return shown


FILES = frozenset({"photo", "video", "animation", "audio", "voice", "document"})


@dataclass
class Message:
    """One message; the text of one that shows a file is its caption.

    `silent`, `given` (the call's own fields) and `keyboard` (what came in place of buttons: a question that
    is to be answered, say) are for tests: the API does not show them.
    """

    id: int
    chat: "Chat"
    text: str
    sender: User | None = None
    reply_to: int | None = None
    silent: bool = False
    given: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    entities: list[Json] = field(default_factory=list)
    keyboard: Json | None = None
    reactions: dict[int, str] = field(default_factory=dict)  # by whom
    date: int = field(default_factory=lambda: int(time.time()))

    @property
    def document(self) -> Json | None:
        return self.extra.get("document")

    @property
    def shows_file(self) -> bool:
        return not FILES.isdisjoint(self.extra)

    def to_json(self, *, nested: bool = False) -> Json:
        shown: Json = {"message_id": self.id, "date": self.date, "chat": self.chat.to_json()}
        text, entities = ("caption", "caption_entities") if self.shows_file else ("text", "entities")
        shown |= {text: self.text} if self.text else {}
        shown |= {entities: self.entities} if self.entities else {}
        if self.chat.kind == "channel":
            shown["sender_chat"] = self.chat.to_json()
        elif self.sender is not None:
            shown["from"] = self.sender.to_json()
        replied = self.chat.messages.get(self.reply_to) if self.reply_to is not None else None
        if replied is not None and not nested:
            shown["reply_to_message"] = replied.to_json(nested=True)
        return shown | self.extra


@dataclass
class Chat:
    """A channel, group or private chat with its messages in order."""

    id: int
    kind: ChatKind
    title: str
    username: str | None = None
    members: dict[int, Member] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    migrated_to: int | None = None
    protected: bool = False
    pinned: list[int] = field(default_factory=list)  # messages
    reactions: frozenset[str] | None = None  # that people may give here; None: all
    last_id: int = 0

    def to_json(self) -> Json:
        name = "first_name" if self.kind == "private" else "title"
        shown: Json = {"id": self.id, "type": self.kind, name: self.title}
        return shown | ({"username": self.username} if self.username else {})

    def to_full_json(self) -> Json:
        kinds = {"unlimited_gifts": False, "limited_gifts": False, "unique_gifts": False}
        gifts = {**kinds, "premium_subscription": False, "gifts_from_channels": False}
        full: Json = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}
        full |= {"has_protected_content": True} if self.protected else {}
        return self.to_json() | full

    def add(self, text: str, **more: Any) -> Message:
        """The next message: ids only grow, those of deleted messages are not used again."""
        self.last_id += 1
        message = Message(self.last_id, self, text, **more)
        self.messages[message.id] = message
        return message

    def find(self, message_id: int, otherwise: str) -> Message:
        """A message by its id. Raises ApiError with this description where there is none."""
        try:
            return self.messages[message_id]
        except KeyError:
            raise ApiError(400, f"Bad Request: {otherwise}") from None

    def require_member(self, bot: User) -> Member:
        """What the bot is here. Raises ApiError where it is not in the chat."""
        member = self.members.get(bot.id, Member("left"))
        if self.kind == "private" and member.status == "left":
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        if self.kind == "private" and member.status == "kicked":
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if member.status == "kicked":
            raise ApiError(403, f"Forbidden: bot was kicked from the {self.kind} chat")
        if member.status == "left":
            raise ApiError(403, f"Forbidden: bot is not a member of the {self.kind} chat")
        return member

    def require_right(self, bot: User, right: str, otherwise: str) -> None:
        """Raises ApiError with this description unless the bot has the right (which matters in channels)."""
        member = self.require_member(bot)
        if member.status == "restricted" and "can_send_messages" not in member.rights:
            raise ApiError(400, "Bad Request: not enough rights to send text messages to the chat")
        if self.kind == "channel" and right not in member.rights:
            raise ApiError(400, f"Bad Request: {otherwise}")

    def require_administrator(self, bot: User, right: str, otherwise: str) -> None:
        """Raises ApiError with this description where what others wrote is beyond the bot's power."""
        member = self.require_member(bot)
        if self.kind == "private":
            return
        if member.status not in ("administrator", "creator") or right not in member.rights:
            raise ApiError(400, f"Bad Request: {otherwise}")
