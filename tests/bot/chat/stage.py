"""What happens behind the scenes of a transcript: networks fail, clocks are set, services stop."""

import re
from collections.abc import Callable
from datetime import timedelta

from tests.bot.chat.stand import Stand
from tests.servers.telegram_chats import RIGHTS, ChatKind
from tests.servers.telegram_people import Role
from threadcast.config.timewords import parse_duration
from threadcast.queue.states import DeliveryState


class Stage:
    """Stage directions, each a sentence."""

    def __init__(self, stand: Stand) -> None:
        self._stand = stand
        self._held: list[Callable[[], None]] = []
        self._directions: tuple[tuple[str, Callable[..., None]], ...] = (
            (r"news refuses the next post: (.+)", self.refuse),
            (r"the answer to the next post is lost", self.lose),
            (r"news answers the next post later", self.hold),
            (r"news answers", self.answer),
            (r"(\d+) posts? (?:is|are) on news", self.posts),
            (r"(\w+) is (\w+) on (\w+)", self.wait_for_state),
            (r"(.+) goes? by", self.advance),
            (r"the service is stopped", self._stand.stop),
            (r"the service is started", self._stand.start),
            (r"news forbids forwarding", self.protect),
            (r"there is a group of ([\w, ]+)", self.group),
            (
                r"(\w+) adds the bot to (@\w+|a (?:channel|group) called .+?)(, where it may not post)?",
                self.adds,
            ),
            (r"Ada makes the bot an administrator of the group", self.empower),
            (r"Ada takes the bot's rights on news away", self.demote),
            (r"Ada gives the bot its rights on news back", self.promote),
        )

    def do(self, direction: str, _: str) -> None:
        """Do what a direction says."""
        for pattern, deed in self._directions:
            match = re.fullmatch(pattern, direction)
            if match is not None:
                deed(*match.groups())
                return
        raise AssertionError(f"no direction that is known: {direction}")

    def refuse(self, description: str) -> None:
        self._stand.server.fail(400, f"Bad Request: {description}", chat=self._stand.channel)

    def lose(self) -> None:
        self._stand.server.lose_answer(chat=self._stand.channel)

    def hold(self) -> None:
        self._held.append(self._stand.server.hold_answer(chat=self._stand.channel).set)

    def answer(self) -> None:
        for release in self._held:
            release()
        self._held.clear()

    def posts(self, count: str) -> None:
        self._stand.server.wait_for(lambda _: len(self._stand.channel.messages) >= int(count), 30)

    def wait_for_state(self, number: str, state: str, channel: str) -> None:
        """Wait until a thread's delivery stands so."""
        self._stand.wait_for_state(int(number.removeprefix("thread")), channel, DeliveryState(state))

    def advance(self, span: str) -> None:
        self._stand.clock.advance(parse_duration(span) if span[0].isdigit() else timedelta(days=1))
        self._stand.wake()

    def protect(self) -> None:
        self._stand.channel.protected = True

    def group(self, names: str) -> None:
        people = [self._stand.people[name.strip()] for name in names.split(",")]
        self._stand.found_group(*people)

    def adds(self, who: str, where: str, powerless: str | None) -> None:
        """Somebody adds the bot, or says what it may do where it is already."""
        server, person = self._stand.server, self._stand.people[who]
        username = where[1:] if where.startswith("@") else None
        known = (chat for chat in server.api.chats.values() if username and chat.username == username)
        kind: ChatKind = "supergroup" if where.startswith("a group") else "channel"
        chat = next(known, None) or server.add_chat(kind, username=username, with_bots=False)
        chat.title = username or where.partition(" called ")[2]
        role: Role = "administrator" if kind == "channel" else "member"
        person.adds_bot(chat, role, rights=() if powerless else RIGHTS)

    def empower(self) -> None:
        self._stand.people["Ada"].adds_bot(self._stand.groups[0])

    def demote(self) -> None:
        self._stand.people["Ada"].adds_bot(self._stand.channel, rights=())

    def promote(self) -> None:
        self._stand.people["Ada"].adds_bot(self._stand.channel)
