"""The updates that wait for each bot, and who takes them: one poll at a time."""

from collections import defaultdict
from dataclasses import dataclass, field
from threading import Event

from tests.servers.http import Cut, Held, Response
from tests.servers.telegram.chats import ApiError, Json, User
from tests.servers.telegram.parameters import Parameters, done, failed

MOST_UPDATES = 100  # in one answer
SECOND_POLL = (
    "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
)
KINDS = (
    *("message", "edited_message", "channel_post", "edited_channel_post"),
    *("callback_query", "my_chat_member"),
)


@dataclass(eq=False)
class _Poll:
    """A call that waits for updates."""

    arrived: Event = field(default_factory=Event)
    conflict: str = ""
    is_cut: bool = False


class Updates:
    """What happened and was not confirmed yet, by bot. Whoever has the server's lock may call this."""

    def __init__(self) -> None:
        self.last = 0
        self.waiting: dict[int, dict[int, Json]] = defaultdict(dict)
        self.kinds: dict[int, list[str] | None] = {}  # that are wanted, as the last call said; None for all
        self._polls: dict[int, _Poll] = {}

    def number(self) -> int:
        """The number of what happens now."""
        self.last += 1
        return self.last

    def put(self, bot: User, number: int, kind: str, content: Json) -> None:
        """Keep an update for a bot, if it wants updates of this kind."""
        if kind not in KINDS:
            raise ValueError(f"no kind of update: {kind}")
        wanted = self.kinds.get(bot.id)
        if wanted is not None and kind not in wanted:
            return
        self.waiting[bot.id][number] = {"update_id": number, kind: content}
        if bot.id in self._polls:
            self._polls.pop(bot.id).arrived.set()

    def end_poll(self, bot: User, conflict: str) -> None:
        """End a call that waits, with a conflict."""
        if bot.id in self._polls:
            poll = self._polls.pop(bot.id)
            poll.conflict = conflict
            poll.arrived.set()

    def cut_polls(self) -> None:
        """Break the connections of all calls that wait."""
        for poll in self._polls.values():
            poll.is_cut = True
            poll.arrived.set()
        self._polls.clear()

    def choose_kinds(self, bot: User, given: Parameters) -> None:
        """Note `allowed_updates`; where a call does not say, what was said before is in force."""
        kinds = given.value("allowed_updates")
        if kinds is None:
            return
        if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
            raise ApiError(400, "Bad Request: can't parse allowed_updates: expected an Array of Strings")
        self.kinds[bot.id] = [kind.lower() for kind in kinds] or None

    def confirm(self, bot: User, offset: int) -> None:
        """Forget what is before an offset; a negative one counts from the end."""
        waiting = self.waiting[bot.id]
        if offset < 0:
            offset = next(iter(sorted(waiting)[offset:]), 0)
        for number in [known for known in waiting if known < offset]:
            del waiting[number]

    def take(self, bot: User, given: Parameters) -> list[Json] | Held:
        limit = min(max(given.integer("limit", MOST_UPDATES), 1), MOST_UPDATES)
        self.choose_kinds(bot, given)
        self.confirm(bot, given.integer("offset"))
        waiting = self.waiting[bot.id]
        self.end_poll(bot, SECOND_POLL)
        if waiting or not given.integer("timeout"):
            return list(waiting.values())[:limit]
        poll = self._polls[bot.id] = _Poll()

        def answer() -> Response | Cut:
            if self._polls.get(bot.id) is poll:  # nothing came in all that time
                del self._polls[bot.id]
            if poll.is_cut:
                return Cut()
            if poll.conflict:
                return failed(ApiError(409, poll.conflict))
            return done(list(waiting.values())[:limit])

        return Held(poll.arrived, answer, given.integer("timeout"))
