"""A strict Bot API server on loopback.

Where other stand-ins are lax, this one does as Telegram does: https://core.telegram.org/bots/api.
"""

import re
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from tests.servers.http import Answer, Cut, Held, LoopbackServer, Request, Response
from tests.servers.telegram.calls import CALLS, NAMES, BotApi, Parameters, done, failed
from tests.servers.telegram.chats import ApiError, Chat, ChatKind, Member, Message, User
from tests.servers.telegram.deeds import press, write
from tests.servers.telegram.people import Person, Role
from tests.servers.telegram.state import Answer as ButtonAnswer
from tests.servers.telegram.state import Call, Press

TOKEN = "123456:AAExampleExampleExampleExampleExample0"
ADDRESS = re.compile(r"/(?P<file>file/)?bot(?P<token>[^/]*)/(?P<rest>.+)")
WELL_FORMED = re.compile(r"\d+:[A-Za-z0-9_-]+")


@dataclass
class Fault:
    """What goes wrong with one call: an answer instead of the deed, or a spoiled answer after it."""

    instead: ApiError | None = None
    spoil: Callable[[Response], Answer] | None = None
    chat: Chat | None = None  # only in this one

    def hits(self, parameters: Parameters) -> bool:
        """Whether it is for this call."""
        if self.chat is None:
            return True
        return parameters.text("chat_id") in {str(self.chat.id), f"@{self.chat.username}"}


class TelegramServer(LoopbackServer):
    """Bots by token, chats by id; calls that tests script to go wrong.

    Guarded by `changed` as `LoopbackServer` says: the methods for tests take the lock themselves.
    """

    def __init__(self, port: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(port)
        self.api = BotApi(clock)
        self.calls: list[Call] = []  # each call of a method that there is, in order
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._silence: Event | None = None

    # --- what tests set up and look at -------------------------------------------------------

    def add_bot(self, token: str = TOKEN, username: str = "example_bot") -> User:
        with self.changed:
            bot = User(int(token.partition(":")[0]), username, username, is_bot=True)
            self.api.bots[token] = bot
            return bot

    def add_chat(
        self,
        kind: ChatKind = "channel",
        *,
        username: str | None = None,
        chat_id: int | None = None,
        with_bots: bool = True,
    ) -> Chat:
        """A chat that every bot is in: as an administrator with all rights in a channel, else as a member.

        Without bots, somebody is to add them (`Person.adds_bot`).
        """
        with self.changed:
            number = 1000 + len(self.api.chats)
            ids = {"private": number, "group": -number}
            chat_id = ids.get(kind, -1_000_000_000_000 - number) if chat_id is None else chat_id
            status = "administrator" if kind == "channel" else "member"
            members = {bot.id: Member(status) for bot in self.api.bots.values() if with_bots}
            chat = Chat(chat_id, kind, username or f"Example {number}", username, members)
            self.api.chats[chat.id] = chat
            return chat

    def person(
        self,
        name: str,
        user_id: int | None = None,
        language: str | None = "en",
        *,
        username: str | None = None,
        token: str = TOKEN,
    ) -> Person:
        """A person and their private chat with a bot, which knows of neither before they do something."""
        with self.changed:
            user_id = 5_000_000 + len(self.api.people) if user_id is None else user_id
            user = User(user_id, name, username, language_code=language)
            chat = Chat(user_id, "private", name, username)
            self.api.people[user_id] = user
            self.api.chats[user_id] = chat
            return Person(self, self.api, user, self.api.bots[token], chat)

    def group(
        self, title: str, *people: Person, kind: ChatKind = "supergroup", bot_as: Role | None = "member"
    ) -> Chat:
        """A group of these people, the first of whom made it, and every bot, where `bot_as` says as what."""
        chat = self.add_chat(kind, with_bots=False)
        with self.changed:
            chat.title = title
            for person in people:
                person.joins(chat, "creator" if person is people[0] else "member")
            if bot_as is not None:
                chat.members |= {bot.id: Member(bot_as) for bot in self.api.bots.values()}
        return chat

    def answer_to(self, query_id: str) -> ButtonAnswer | None:
        """What a bot answered to a press of a button, if it did."""
        with self.changed:
            return self.api.presses[query_id].answer

    def seen(self, chat: Chat) -> list[Message]:
        """The messages of a chat, oldest first."""
        with self.changed:
            return list(chat.messages.values())

    def revoke(self, token: str = TOKEN) -> None:
        with self.changed:
            del self.api.bots[token]

    def kick(self, chat: Chat, token: str = TOKEN) -> None:
        """Remove a bot from a chat; in a private chat: its owner blocks it."""
        self.set_member(chat, Member("kicked"), token)

    def set_member(self, chat: Chat, member: Member, token: str = TOKEN) -> None:
        """What a bot is and may do in a chat from here on."""
        with self.changed:
            chat.members[self.api.bots[token].id] = member

    def migrate(self, group: Chat) -> Chat:
        """A group becomes a supergroup: another id, and none of the old messages are in it."""
        new = self.add_chat("supergroup")
        with self.changed:
            new.members = dict(group.members)
            group.migrated_to = new.id
        return new

    def receive(self, chat: Chat, text: str, sender: User, **extra: Any) -> Message:
        """Somebody writes in a chat: every bot that reads it gets an update."""
        with self.changed:
            message = write(self.api, chat, text, sender, extra)
            self.changed.notify_all()
            return message

    def press(self, message: Message, data: str, sender: User) -> Press:
        """Somebody presses a button with this data under a message, even one that has gone meanwhile."""
        with self.changed:
            pressed = press(self.api, message, data, sender)
            self.changed.notify_all()
            return pressed

    # --- what goes wrong ---------------------------------------------------------------------

    def throttle(self, seconds: int, method: str = "sendMessage", chat: Chat | None = None) -> None:
        """The next call (in a chat) is answered 429."""
        description = f"Too Many Requests: retry after {seconds}"
        self._script(method, Fault(instead=ApiError(429, description, retry_after=seconds), chat=chat))

    def fail(
        self,
        status: int,
        description: str = "Internal Server Error",
        method: str = "sendMessage",
        chat: Chat | None = None,
    ) -> None:
        """The next call (in a chat) is answered with this status, and nothing is done."""
        self._script(method, Fault(instead=ApiError(status, description), chat=chat))

    def lose_answer(self, method: str = "sendMessage", chat: Chat | None = None) -> None:
        """The next call (in a chat) is carried out, and the connection cut before the answer."""
        self._script(method, Fault(spoil=lambda _: Cut(), chat=chat))

    def cut_answer(self, method: str = "sendMessage") -> None:
        """The next call is carried out, and the connection cut in the middle of the answer."""
        self._script(method, Fault(spoil=Cut))

    def replace_answer(self, answer: Any, method: str = "sendMessage") -> None:
        """The next call is carried out and answered 200 with this instead: JSON, or bytes as they are."""
        self._script(method, Fault(spoil=lambda _: Response(200, answer)))

    def hold_answer(self, method: str = "sendMessage", chat: Chat | None = None) -> Event:
        """The next call (in a chat) is carried out, and answered when the event returned here is set."""
        released = Event()
        self._script(method, Fault(spoil=lambda response: Held(released, response), chat=chat))
        return released

    def go_dark(self) -> None:
        """Nobody reaches the platform, and it reaches nobody: connections break, and new ones are refused.

        What people do meanwhile is told when it is back.
        """
        self._end_silence()
        self.stop()

    def hold(self) -> None:
        """The same, but silent: connections are taken, and nothing is done or answered until it is back."""
        with self.changed:
            self._silence = self._silence or Event()
            self.api.updates.cut_polls()

    def come_back(self) -> None:
        """End either. Calls that nobody answered break off, and were not carried out."""
        if not self._end_silence():
            self.start()

    def _end_silence(self) -> bool:
        with self.changed:
            silence, self._silence = self._silence, None
        if silence is not None:
            silence.set()
        return silence is not None

    def _script(self, method: str, fault: Fault) -> None:
        with self.changed:
            self._faults[method.lower()].append(fault)

    # --- calls -------------------------------------------------------------------------------

    def handle(self, request: Request) -> Answer:
        if self._silence is not None:
            return Held(self._silence, Cut())
        try:
            return self._carry_out(request)
        except ApiError as error:
            return failed(error)

    def _carry_out(self, request: Request) -> Answer:
        address = ADDRESS.fullmatch(request.path)
        if address is None or not WELL_FORMED.fullmatch(address["token"]):
            raise ApiError(404, "Not Found")
        bot = self.api.bots.get(address["token"])
        if bot is None:
            raise ApiError(401, "Unauthorized")
        if address["file"]:
            return Response(200, self.api.content(address["rest"]))
        name = address["rest"].lower()
        if name not in CALLS:
            raise ApiError(404, "Not Found: method not found")
        at = self.api.clock()
        parameters = Parameters(request)
        chat = self.api.find_chat(str(parameters.given.get("chat_id", "")))
        status = 200
        try:
            return self._call(name, bot, parameters)
        except ApiError as error:
            status = error.status
            raise
        finally:
            self.calls.append(Call(at, NAMES[name], chat.id if chat else None, status))

    def _call(self, name: str, bot: User, parameters: Parameters) -> Answer:
        fault = next((one for one in self._faults[name] if one.hits(parameters)), None)
        if fault is None:
            fault = Fault()
        else:
            self._faults[name].remove(fault)
        if fault.instead is not None:
            raise fault.instead
        result = CALLS[name](self.api, bot, parameters)
        if isinstance(result, Held):
            return result
        return done(result) if fault.spoil is None else fault.spoil(done(result))
