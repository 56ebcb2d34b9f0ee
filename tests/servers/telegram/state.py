"""The state of the platform: bots, people, chats, files, buttons that were pressed. The server locks it."""

import re
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from tests.servers.telegram.chats import ApiError, Chat, ChatKind, Json, Member, Message, User
from tests.servers.telegram.parameters import Parameters
from tests.servers.telegram.text import part
from tests.servers.telegram.updates import Updates

# Of a list of commands: its scope (what kind; which chat and which person, or 0), and its language or "".
CommandsKey: TypeAlias = tuple[tuple[str, int, int], str]
KINDS: tuple[ChatKind, ...] = ("private", "group", "supergroup", "channel")


@dataclass
class Pace:
    """At most `count` sends to a chat (of one of `kinds`) within `seconds`."""

    count: int
    seconds: int
    kinds: tuple[ChatKind, ...] = KINDS


REAL_PACES = (Pace(1, 1), Pace(20, 60, ("group", "supergroup")))
REAL_BOT_PACE = Pace(30, 1)  # of one bot, over all chats


@dataclass(frozen=True)
class Answer:
    """What a person is shown who pressed a button: nothing, a line, or an alert to be closed."""

    text: str = ""
    alert: bool = False
    url: str = ""


@dataclass
class Press:
    """A button that somebody pressed, and the bot's answer as soon as there is one."""

    id: str
    sender: User
    message: Message
    data: str
    answer: Answer | None = None
    expired: bool = False


@dataclass(frozen=True)
class Call:
    """One call of a method: when, which, in which chat, and how it was answered."""

    at: float
    method: str
    chat_id: int | None
    status: int


class BotApi:
    """Everything that calls read and change."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.bots: dict[str, User] = {}  # by token
        self.people: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.names: dict[str, str] = {}  # of the files
        self.upload_limit = 50 * 1024 * 1024  # bytes
        self.download_limit = 20 * 1024 * 1024
        self.webhooks: dict[int, str] = {}  # addresses, by bot
        self.webhook_secrets: dict[int, str] = {}
        self.webhook_errors: dict[int, Json] = {}  # the last that went wrong there
        self.commands: dict[int, dict[CommandsKey, list[Json]]] = defaultdict(dict)
        self.profiles: dict[int, dict[tuple[str, str], str]] = defaultdict(dict)  # by what, and language
        self.presses: dict[str, Press] = {}  # by query id
        self.answered: list[Json] = []  # the calls that answered one
        self.actions: list[tuple[int, str]] = []  # "typing" and the like, by chat
        self.reads_all: set[int] = set()  # the bots whose privacy mode is off
        self.paces: tuple[Pace, ...] = ()
        self.bot_pace: Pace | None = None
        self.updates = Updates()
        self._sends: dict[int, deque[float]] = defaultdict(deque)
        self._all_sends: dict[int, deque[float]] = defaultdict(deque)

    # --- looking up --------------------------------------------------------------------------

    def chat(self, bot: User, given: Parameters, name: str = "chat_id") -> Chat:
        """The chat that a call is about. Raises ApiError where the bot knows none."""
        return self.chat_named(bot, given.text(name), name)

    def chat_named(self, bot: User, wanted: str, name: str) -> Chat:
        if not wanted:
            raise ApiError(400, f"Bad Request: {name} is empty")
        chat = self.find_chat(wanted)
        # Of a person who never did anything where it is, a bot cannot tell that there is such a person.
        if chat is None or (chat.kind == "private" and bot.id not in chat.members):
            raise ApiError(400, "Bad Request: chat not found")
        if chat.migrated_to is not None:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, description, migrate_to_chat_id=chat.migrated_to)
        return chat

    def find_chat(self, wanted: str) -> Chat | None:
        if wanted.startswith("@"):  # people are not found by their names
            named = [
                chat
                for chat in self.chats.values()
                if chat.kind != "private" and (chat.username or "").lower() == wanted[1:].lower()
            ]
            return named[0] if named else None
        return self.chats.get(int(wanted)) if re.fullmatch(r"-?\d{1,18}", wanted) else None

    def user(self, user_id: int) -> User:
        """A bot or a person. Raises ApiError where there is none."""
        known = {bot.id: bot for bot in self.bots.values()} | self.people
        if user_id not in known:
            raise ApiError(400, "Bad Request: user not found")
        return known[user_id]

    def content(self, path: str) -> bytes:
        """What is downloaded from a `file_path`. Raises ApiError where there is none."""
        if path not in self.files or len(self.files[path]) > self.download_limit:
            raise ApiError(404, "Not Found")
        return self.files[path]

    def keep(self, data: bytes) -> str:
        """Keep a file, and say under what id."""
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = data
        return file_id

    # --- pace --------------------------------------------------------------------------------

    def keep_pace(self, bot: User, chat: Chat) -> None:
        """Count a send. Raises ApiError where there were too many."""
        now, sends, all_sends = self.clock(), self._sends[chat.id], self._all_sends[bot.id]
        for pace in self.paces:
            if chat.kind in pace.kinds:
                _require_room(pace, sends, now)
        if self.bot_pace is not None:
            _require_room(self.bot_pace, all_sends, now)
        sends.append(now)
        all_sends.append(now)

    # --- what the bots are told --------------------------------------------------------------

    def publish(self, chat: Chat, kind: str, content: Json) -> None:
        """Tell every bot that is in a chat."""
        number = self.updates.number()
        for bot in self.bots.values():
            member = chat.members.get(bot.id)
            if member is not None and member.status not in ("left", "kicked"):
                self._tell(bot, number, kind, content)

    def publish_message(self, message: Message, *, edited: bool = False) -> None:
        """Tell the bots in a chat of a message, as far as it is for them."""
        chat, number = message.chat, self.updates.number()
        kind = "channel_post" if chat.kind == "channel" else "message"
        for bot in self.bots.values():
            if self._reads(bot, message):
                self._tell(bot, number, f"edited_{kind}" if edited else kind, message.to_json())

    def tell(self, bot: User, kind: str, content: Json) -> None:
        """Tell one bot what concerns it alone."""
        self._tell(bot, self.updates.number(), kind, content)

    def _tell(self, bot: User, number: int, kind: str, content: Json) -> None:
        self.updates.put(bot, number, kind, content)
        private = self.chats.get(content.get("from", {}).get("id", 0))
        if private is not None and private.kind == "private":  # the bot knows this person from now on
            private.members.setdefault(bot.id, Member("left"))

    def _reads(self, bot: User, message: Message) -> bool:
        """Whether a bot gets a message: in groups its privacy mode keeps it from most.

        https://core.telegram.org/bots/features#privacy-mode
        """
        chat, member = message.chat, message.chat.members.get(bot.id)
        if member is None or member.status in ("left", "kicked"):
            return False
        if chat.kind not in ("group", "supergroup") or member.status == "administrator":
            return True
        if bot.id in self.reads_all:
            return True
        replied = chat.messages.get(message.reply_to or 0)
        own = replied is not None and replied.sender is bot
        service = {"new_chat_members", "pinned_message"} & set(message.extra)
        return own or bool(service) or self._is_addressed(bot, message)

    def _is_addressed(self, bot: User, message: Message) -> bool:
        """Whether a message names a bot, or is a command for it.

        A command that names nobody is for the bot that wrote last.
        """
        name = f"@{bot.username}".lower()
        for entity in message.entities:
            words = part(message.text, entity).lower()
            if entity["type"] == "mention" and words == name:
                return True
            if entity["type"] == "bot_command" and entity["offset"] == 0:
                writers = [known.sender for known in message.chat.messages.values() if known.sender]
                bots = [writer for writer in writers if writer.is_bot]
                return words.endswith(name) if "@" in words else not bots or bots[-1] is bot
        return False


def _require_room(pace: Pace, sends: deque[float], now: float) -> None:
    recent = [at for at in sends if at > now - pace.seconds]
    if len(recent) >= pace.count:
        wait = max(1, round(recent[-pace.count] + pace.seconds - now + 0.5))
        raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
