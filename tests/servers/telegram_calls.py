"""What the methods of the Bot API do: the test server's state and rules, without the HTTP.

https://core.telegram.org/bots/api#available-methods
"""

import json
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from tests.servers.http import Held, Request, Response
from tests.servers.telegram_chats import ApiError, Chat, ChatKind, Json, Member, Message, User, clean_text

MARKUP = re.compile(r"[*_`~|\\\[\]]|<[^>]*>|&\w+;")
OLDEST_DELETABLE = 48 * 3600  # seconds
NOT_MODIFIED = (
    "Bad Request: message is not modified: specified new message content and reply markup are exactly"
    " the same as a current content and reply markup of the message"
)
SECOND_POLL = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)


@dataclass
class Pace:
    """At most `count` sends to a chat (of one of `kinds`) within `seconds`."""

    count: int
    seconds: int
    kinds: tuple[ChatKind, ...]


REAL_PACES = (
    Pace(1, 1, ("private", "group", "supergroup", "channel")),
    Pace(20, 60, ("group", "supergroup")),
)


class Parameters:
    """A call's fields: text in forms, with JSON in it for all that is no text; values in JSON bodies."""

    def __init__(self, request: Request) -> None:
        self.given: Json = {name: values[-1] for name, values in request.query.items()}
        if request.content_type == "application/json":
            self.given |= request.json
        else:
            self.given |= {name: values[-1] for name, values in request.form.items()}

    def text(self, name: str) -> str:
        return str(self.given.get(name, ""))

    def value(self, name: str, default: Any = None) -> Any:
        value = self.given.get(name, default)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(400, f"Bad Request: can't parse {name}") from None

    def integer(self, name: str, default: int = 0) -> int:
        value = self.value(name, default)
        if not isinstance(value, int):
            raise ApiError(400, f"Bad Request: {name} must be a number")
        return value


def done(result: Any) -> Response:
    return Response(200, {"ok": True, "result": result})


def failed(error: ApiError) -> Response:
    return Response(error.status, error.to_json())


class BotApi:
    """The state of the platform, and each method as a function of it. The server locks it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.bots: dict[str, User] = {}  # by token
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.webhooks: dict[int, str] = {}
        self.commands: dict[int, Any] = {}
        self.answered: list[Json] = []  # callback queries that were answered
        self.paces: tuple[Pace, ...] = ()
        self.last_update = 0
        self._clock = clock
        self._sends: dict[int, deque[float]] = defaultdict(deque)
        self._updates: dict[int, dict[int, Json]] = defaultdict(dict)
        self._kinds: dict[int, list[str] | None] = {}  # of updates, as the last call of getUpdates said
        self._polls: dict[int, Event] = {}

    def get_me(self, bot: User, _: Parameters) -> Json:
        abilities = {"can_join_groups": True, "can_read_all_group_messages": False}
        return bot.to_json() | abilities | {"supports_inline_queries": False}

    def get_chat(self, bot: User, given: Parameters) -> Json:
        chat = self._chat(given)
        if chat.username is None:
            chat.require_member(bot)
        return chat.to_full_json()

    def get_chat_member(self, bot: User, given: Parameters) -> Json:
        chat = self._chat(given)
        user_id = given.integer("user_id")
        if user_id != bot.id:
            chat.require_member(bot)
        people = [user for user in self.bots.values() if user.id == user_id]
        if not people:
            raise ApiError(400, "Bad Request: user not found")
        return chat.members.get(user_id, Member("left")).to_json(people[0])

    def send_message(self, bot: User, given: Parameters) -> Json:
        chat = self._chat(given)
        chat.require_right(bot, "can_post_messages", "need administrator rights in the channel chat")
        text = given.text("text")
        if given.text("parse_mode"):
            text = MARKUP.sub("", text)  # no parser, but enough that a reader would see the loss
        text = clean_text(text)
        parent = self._parent(chat, given)
        self._keep_pace(chat)
        silent = bool(given.value("disable_notification", default=False))
        message = chat.add(text, sender=bot, reply_to=parent, silent=silent, given=dict(given.given))
        markup = given.value("reply_markup")
        if markup is not None:
            message.extra["reply_markup"] = markup
        self.forward_automatically(message)
        return message.to_json()

    def forward_automatically(self, message: Message) -> None:
        """What is posted in a channel stands in its discussion group too, and its bots are told.

        https://core.telegram.org/bots/api#message (is_automatic_forward)
        """
        group = message.chat.linked
        if group is not None:
            channel = message.chat.to_json()
            origin = {"type": "channel", "date": message.date, "chat": channel, "message_id": message.id}
            extra = {"is_automatic_forward": True, "sender_chat": channel, "forward_origin": origin}
            telegram = User(777000, "Telegram")
            copy = group.add(message.text, sender=telegram, extra=extra)
            self.publish(group, "message", copy.to_json())

    def forward_message(self, bot: User, given: Parameters) -> Json:
        target, source = self._chat(given), self._chat(given, "from_chat_id")
        source.require_member(bot)
        target.require_right(bot, "can_post_messages", "need administrator rights in the channel chat")
        original = source.find(given.integer("message_id"), "message to forward not found")
        if "pinned_message" in original.extra:  # as all that is no content
            raise ApiError(400, "Bad Request: message can't be forwarded")
        if source.protected:
            raise ApiError(400, "Bad Request: message has protected content and can't be forwarded")
        self._keep_pace(target)
        origin: Json = {"date": original.date}
        if source.kind == "channel":
            origin |= {"type": "channel", "chat": source.to_json(), "message_id": original.id}
        elif original.sender is not None:
            origin |= {"type": "user", "sender_user": original.sender.to_json()}
        # What was forwarded itself is still from where it was written.
        extra = {"forward_origin": origin, **original.extra}
        copy = target.add(original.text, sender=bot, extra=extra)
        return copy.to_json()

    def edit_message_text(self, bot: User, given: Parameters) -> Json:
        chat = self._chat(given)
        chat.require_member(bot)
        message = chat.find(given.integer("message_id"), "message to edit not found")
        own = message.sender is bot
        if not own:
            if chat.kind != "channel":
                raise ApiError(400, "Bad Request: message can't be edited")
            chat.require_right(bot, "can_edit_messages", "message can't be edited")
        text, markup = clean_text(given.text("text")), given.value("reply_markup")
        if text == message.text and markup == message.extra.get("reply_markup"):
            raise ApiError(400, NOT_MODIFIED)
        message.text = text
        message.extra = {name: value for name, value in message.extra.items() if name != "reply_markup"}
        message.extra |= {"edit_date": int(time.time())} | ({"reply_markup": markup} if markup else {})
        return message.to_json()

    def delete_message(self, bot: User, given: Parameters) -> bool:
        chat = self._chat(given)
        chat.require_member(bot)
        message = chat.find(given.integer("message_id"), "message to delete not found")
        if message.date < time.time() - OLDEST_DELETABLE:
            raise ApiError(400, "Bad Request: message can't be deleted for everyone")
        if message.sender is not bot:
            chat.require_right(bot, "can_delete_messages", "message can't be deleted")
        del chat.messages[message.id]
        return True

    def delete_messages(self, bot: User, given: Parameters) -> bool:
        chat = self._chat(given)
        chat.require_member(bot)
        for message_id in given.value("message_ids", []):
            chat.messages.pop(message_id, None)  # those that are not there are skipped
        return True

    def get_updates(self, bot: User, given: Parameters) -> list[Json] | Held:
        if self.webhooks.get(bot.id):
            raise ApiError(
                409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first"
            )
        offset, limit = given.integer("offset"), given.integer("limit", 100)
        kinds = given.value("allowed_updates")
        if kinds is not None:
            self._kinds[bot.id] = kinds or None
        waiting = self._updates[bot.id]
        for update_id in [known for known in waiting if known < offset]:
            del waiting[update_id]
        if bot.id in self._polls:
            self._polls.pop(bot.id).set()
        if waiting or not given.integer("timeout"):
            return list(waiting.values())[:limit]
        arrived = self._polls[bot.id] = Event()

        def answer() -> Response:
            if self._polls.get(bot.id, arrived) is not arrived:
                return failed(ApiError(409, SECOND_POLL))
            self._polls.pop(bot.id, None)
            return done(list(waiting.values())[:limit])

        return Held(arrived, answer, given.integer("timeout"))

    def set_webhook(self, bot: User, given: Parameters) -> bool:
        self.webhooks[bot.id] = given.text("url")
        return True

    def delete_webhook(self, bot: User, given: Parameters) -> bool:
        self.webhooks.pop(bot.id, None)
        if given.value("drop_pending_updates"):
            self._updates[bot.id].clear()
        return True

    def set_my_commands(self, bot: User, given: Parameters) -> bool:
        self.commands[bot.id] = given.value("commands")
        return True

    def answer_callback_query(self, _: User, given: Parameters) -> bool:
        self.answered.append(dict(given.given))
        return True

    def get_file(self, _: User, given: Parameters) -> Json:
        file_id = given.text("file_id")
        if file_id not in self.files:
            raise ApiError(400, "Bad Request: invalid file_id")
        size = len(self.files[file_id])
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": size, "file_path": file_id}

    def content(self, path: str) -> bytes:
        """What is downloaded from a `file_path`. Raises ApiError where there is none."""
        if path not in self.files:
            raise ApiError(404, "Not Found")
        return self.files[path]

    def _chat(self, given: Parameters, name: str = "chat_id") -> Chat:
        wanted = given.text(name)
        if not wanted:
            raise ApiError(400, f"Bad Request: {name} is empty")
        if wanted.startswith("@"):
            named = [c for c in self.chats.values() if (c.username or "").lower() == wanted[1:].lower()]
            chat = named[0] if named else None
        else:
            chat = self.chats.get(int(wanted)) if re.fullmatch(r"-?\d{1,18}", wanted) else None
        if chat is None:
            raise ApiError(400, "Bad Request: chat not found")
        if chat.migrated_to is not None:
            description = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, description, migrate_to_chat_id=chat.migrated_to)
        return chat

    def _parent(self, chat: Chat, given: Parameters) -> int | None:
        reply = given.value("reply_parameters") or {"message_id": given.value("reply_to_message_id")}
        parent = reply["message_id"]
        if parent in chat.messages:
            return int(parent)
        if parent is None or reply.get("allow_sending_without_reply"):
            return None
        raise ApiError(400, "Bad Request: message to be replied not found")

    def _keep_pace(self, chat: Chat) -> None:
        now, sends = self._clock(), self._sends[chat.id]
        for pace in self.paces:
            recent = [at for at in sends if at > now - pace.seconds] if chat.kind in pace.kinds else []
            if len(recent) >= pace.count:
                wait = max(1, round(recent[-pace.count] + pace.seconds - now + 0.5))
                raise ApiError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)
        sends.append(now)

    def publish(self, chat: Chat, kind: str, content: Json) -> None:
        self.last_update += 1
        for bot in self.bots.values():
            kinds = self._kinds.get(bot.id)
            if bot.id in chat.members and (kinds is None or kind in kinds):
                self._updates[bot.id][self.last_update] = {"update_id": self.last_update, kind: content}
                arrived = self._polls.pop(bot.id, None)
                if arrived is not None:
                    arrived.set()


CALLS: dict[str, Callable[[BotApi, User, Parameters], Any]] = {
    "getme": BotApi.get_me,
    "getchat": BotApi.get_chat,
    "getchatmember": BotApi.get_chat_member,
    "sendmessage": BotApi.send_message,
    "forwardmessage": BotApi.forward_message,
    "editmessagetext": BotApi.edit_message_text,
    "deletemessage": BotApi.delete_message,
    "deletemessages": BotApi.delete_messages,
    "getupdates": BotApi.get_updates,
    "setwebhook": BotApi.set_webhook,
    "deletewebhook": BotApi.delete_webhook,
    "setmycommands": BotApi.set_my_commands,
    "answercallbackquery": BotApi.answer_callback_query,
    "getfile": BotApi.get_file,
}
