"""A person on Telegram, for tests: what they do, and what they see.

    ada = server.person("Ada", user_id=1111, language="en")
    ada.says("/start")
    ada.waits_for(2)
    ada.presses("Cancel")

Each person has a private chat with one bot, and may be in channels and groups. Deeds return at once; only
`waits_for` and `answer_to` wait.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from tests.servers.http import PATIENCE, LoopbackServer, Upload
from tests.servers.telegram.chats import RIGHTS, Chat, Json, Member, Message, User
from tests.servers.telegram.commands import shown_commands
from tests.servers.telegram.deeds import change_member, edit, press, send_file, send_on, write
from tests.servers.telegram.marks import pin
from tests.servers.telegram.state import Answer, BotApi, Press
from tests.servers.telegram.text import CAPTION_LIMIT, TEXT_LIMIT

Role = Literal["member", "administrator", "creator"]
OUTSIDE = ("left", "kicked")


@dataclass(frozen=True)
class Seen:
    """One message as somebody sees it: by whom, its text or caption, its buttons, its document's name."""

    who: str
    text: str
    buttons: tuple[tuple[str, ...], ...] = ()
    document: str | None = None


Wanted: TypeAlias = int | Callable[[Sequence[Seen]], bool]


class Person:
    """One person, who has this `chat` with the bot."""

    def __init__(self, server: LoopbackServer, api: BotApi, user: User, bot: User, chat: Chat) -> None:
        self.user = user
        self.bot = bot
        self.chat = chat
        self._server = server
        self._changed = server.changed
        self._api = api

    # --- in a chat ---------------------------------------------------------------------------

    def starts(self, payload: str = "") -> Message:
        """Press Start, or follow a link that does with a payload."""
        return self.says(f"/start {payload}".strip())

    def says(self, text: str, chat: Chat | None = None, reply_to: Message | None = None) -> Message:
        """Write in a chat. What is longer than a message goes out in several, of which this is the last.

        `[words](https://…)` are linked words, as a client sends them.
        """
        with self._changed:
            place = self._enter(chat)
            first, *others = _in_parts(text)
            parent = self._parent(place, reply_to)
            message = write(self._api, place, first, self.user, {}, reply_to=parent)
            for other in others:
                message = write(self._api, place, other, self.user, {})
            self._changed.notify_all()
            return message

    def sends(
        self,
        name: str,
        data: bytes,
        caption: str = "",
        chat: Chat | None = None,
        reply_to: Message | None = None,
    ) -> Message:
        """Send a document."""
        if len(caption) > CAPTION_LIMIT:
            raise ValueError("Telegram takes no caption as long as this")
        with self._changed:
            place = self._enter(chat)
            parent = self._parent(place, reply_to)
            message = send_file(
                self._api, place, Upload(name, "", data), self.user, {}, caption, reply_to=parent
            )
            self._changed.notify_all()
            return message

    def edits(self, message: Message, text: str) -> None:
        """Change what this person wrote."""
        with self._changed:
            if message.sender is not self.user or message.chat.messages.get(message.id) is not message:
                raise ValueError("nobody edits what others wrote, or what is gone")
            edit(self._api, message, text)
            self._changed.notify_all()

    def deletes(self, message: Message) -> None:
        """Take a message away, for everybody; no bot is told."""
        with self._changed:
            del message.chat.messages[message.id]
            self._changed.notify_all()

    def forwards(self, message: Message, chat: Chat | None = None) -> Message:
        """Forward a message, from wherever it is."""
        with self._changed:
            copy = send_on(self._api, message, self._enter(chat), self.user)
            self._changed.notify_all()
            return copy

    def pins(self, message: Message) -> None:
        """Pin a message of a chat; the bot is told."""
        with self._changed:
            pin(self._api, message, self.user)
            self._changed.notify_all()

    def opens(self, message: Message) -> bytes:
        """What is in a message's document."""
        with self._changed:
            if message.document is None:
                raise ValueError("there is no document in the message")
            return self._api.files[message.document["file_id"]]

    def presses(self, label: str, message: Message | None = None, chat: Chat | None = None) -> Press:
        """Press a button: of this message, or of the newest one that has a button of this label.

        What the bot answers is the `answer` of what is returned; `answer_to` waits for it.
        """
        with self._changed:
            place = message.chat if message is not None else chat or self.chat
            self._require_inside(place)
            messages = [message] if message is not None else reversed(place.messages.values())
            for candidate in messages:
                for button in _buttons(candidate):
                    if button["text"] == label:
                        if "callback_data" not in button:
                            raise ValueError(f"{label} leads to {button.get('url', 'another chat')}")
                        pressed = press(self._api, candidate, button["callback_data"], self.user)
                        self._changed.notify_all()
                        return pressed
            shown = [seen.buttons for seen in self.sees(place)]
            raise LookupError(f"no button {label!r}; there are {shown}")

    def answer_to(self, pressed: Press, timeout: float = PATIENCE) -> Answer:
        """What the bot answers to a press. Raises TimeoutError where it does not."""
        self._server.wait_for(lambda _: pressed.answer is not None, timeout)
        assert pressed.answer is not None
        return pressed.answer

    def sees(self, chat: Chat | None = None) -> list[Seen]:
        """The messages of a chat, in order."""
        with self._changed:
            return [_as_seen(message) for message in (chat or self.chat).messages.values()]

    def messages(self, chat: Chat | None = None) -> list[Message]:
        """The same, with everything that is known of them."""
        with self._changed:
            return list((chat or self.chat).messages.values())

    def commands(self, chat: Chat | None = None, language: str | None = None) -> dict[str, str]:
        """The commands that the client offers in a chat, each with its description.

        `language` is the client's where it is another than this person's.
        """
        with self._changed:
            user = replace(self.user, language_code=language or self.user.language_code)
            shown = shown_commands(self._api, self.bot, chat or self.chat, user)
            return {command["command"]: command["description"] for command in shown}

    def waits_for(self, wanted: Wanted, chat: Chat | None = None, timeout: float = PATIENCE) -> list[Seen]:
        """Wait until there are so many messages, or until they are as wanted; answer what is there then.

        Raises TimeoutError, which tells what is there.
        """

        def holds(_: object) -> bool:
            seen = self.sees(chat)
            return len(seen) >= wanted if isinstance(wanted, int) else wanted(seen)

        try:
            self._server.wait_for(holds, timeout)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; {self.user.first_name} sees {self.sees(chat)}") from None
        return self.sees(chat)

    # --- which chats -------------------------------------------------------------------------

    def blocks(self) -> None:
        """Block the bot; it is told."""
        self._set_bot(self.chat, Member("kicked"))

    def unblocks(self) -> None:
        """Let the bot write again; it is told."""
        self._set_bot(self.chat, Member("member"))

    def joins(self, chat: Chat, role: Role = "member") -> None:
        """Come into a channel or group."""
        with self._changed:
            chat.members[self.user.id] = Member(role)

    def leaves(self, chat: Chat) -> None:
        with self._changed:
            chat.members[self.user.id] = Member("left")

    def adds_bot(self, chat: Chat, role: Role = "administrator", rights: Sequence[str] = RIGHTS) -> None:
        """Take the bot into a channel or group, or change what it is there; it is told.

        Who is not in the chat counts as the one who made it.
        """
        if chat.kind == "channel" and role != "administrator":
            raise ValueError("a bot in a channel is an administrator")
        with self._changed:
            self._require_administrator(chat)
            self._set_bot(chat, Member(role, frozenset(rights)))

    def _set_bot(self, chat: Chat, member: Member) -> None:
        with self._changed:
            change_member(self._api, chat, self.bot, member, self.user)
            self._changed.notify_all()

    def _require_administrator(self, chat: Chat) -> None:
        member = chat.members.setdefault(self.user.id, Member("creator"))
        if member.status not in ("administrator", "creator"):
            raise ValueError(f"{self.user.first_name} is a {member.status} here, and adds no bots")

    def _enter(self, chat: Chat | None) -> Chat:
        """The chat to write in. The first message in the private chat lets the bot write there, too."""
        if chat is None or chat is self.chat:
            status = self.chat.members.get(self.bot.id, Member("left")).status
            if status == "kicked":
                raise ValueError(
                    f"{self.user.first_name} blocked the bot, and writes only after unblocking it"
                )
            if status == "left":
                self.chat.members[self.bot.id] = Member("member")
            return self.chat
        self._require_inside(chat)
        if chat.kind == "channel":
            self._require_administrator(chat)
        return chat

    def _require_inside(self, chat: Chat) -> None:
        known = chat is self.chat or chat.members.get(self.user.id, Member("left")).status not in OUTSIDE
        if not known:
            raise ValueError(f"{self.user.first_name} is not in {chat.title}")

    def _parent(self, chat: Chat, message: Message | None) -> int | None:
        if message is None:
            return None
        if chat.messages.get(message.id) is not message:
            raise ValueError("a reply is to a message that is there")
        return message.id


def _buttons(message: Message) -> list[Json]:
    return [button for row in _rows(message) for button in row]


def _rows(message: Message) -> list[list[Json]]:
    rows: list[list[Json]] = message.extra.get("reply_markup", {}).get("inline_keyboard", [])
    return rows


def _as_seen(message: Message) -> Seen:
    shown_by_chat = message.chat.kind == "channel" or message.sender is None
    who = message.chat.title if shown_by_chat or message.sender is None else message.sender.first_name
    buttons = tuple(tuple(button["text"] for button in row) for row in _rows(message))
    return Seen(who, message.text, buttons, (message.document or {}).get("file_name"))


def _in_parts(text: str) -> list[str]:
    """A text as a client sends it: cut at ends of lines or words where it is too long for a message."""
    if not text.strip():
        raise ValueError("nobody can send an empty message")
    parts: list[str] = []
    while len(text) > TEXT_LIMIT:
        at = max(text.rfind("\n", 1, TEXT_LIMIT), 0) or max(text.rfind(" ", 1, TEXT_LIMIT), 0) or TEXT_LIMIT
        parts.append(text[:at])
        text = text[at:]
    return [*parts, text] if text.strip() else parts
