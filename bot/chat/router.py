"""From a command or a press to its answer: who may, which threads, and what is said where it cannot be.

No rule of the queue is here: the requests have them. A button that is older than what it is about changes
nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

import structlog

from threadcast.bot.chat.buttons import Asker, OddPressError, Press, read_press, stamp, threads_of
from threadcast.bot.chat.commands import COMMANDS, Role, in_chat, nearest
from threadcast.bot.chat.requests import adding, changing, looking, taking_down
from threadcast.bot.chat.requests.office import Answer, Ask, AskError, Office
from threadcast.bot.chat.views import lists
from threadcast.bot.chat.views.message import Said, esc
from threadcast.bot.requests.errors import UnknownChannelError
from threadcast.bot.requests.input import InputError
from threadcast.bot.wording import CHAT, sentence
from threadcast.queue.model import NotFoundError, StoreError
from threadcast.queue.states import DeliveryState, Event, NotAllowedError, allowed

log = structlog.get_logger("threadcast.chat")

Request = Callable[[Office, Ask], Awaitable[Answer]]

OLD = "This has changed meanwhile: here is how it stands now."
GONE = "That thread is not in the queue any more."
NOT_YOURS = "That is for owners."
ODD = "This button is from another time. What there is now: /status"

FAULTS: Final = (AskError, InputError, NotFoundError, NotAllowedError, UnknownChannelError, StoreError)


async def _cancel(office: Office, ask: Ask) -> Answer:
    if ask.asker.role is not Role.OWNER:
        raise NotYoursError
    return await changing.cancel(office, ask)


async def _card(office: Office, ask: Ask) -> Answer:
    return Answer(await office.card(ask.thread, ask.asker))


class NotYoursError(Exception):
    """The role of the person does not allow it."""


# What is typed, under the name of its command.
TYPED: Mapping[str, Request] = {
    "start": looking.start,
    "help": looking.help_,
    "add": adding.add,
    "done": adding.done,
    "queue": looking.queue,
    "show": looking.show,
    "preview": looking.preview,
    "publish": changing.publish,
    "at": changing.at,
    "hold": changing.hold,
    "release": changing.release,
    "move": changing.move,
    "cancel": _cancel,
    "retry": changing.retry,
    "skip": changing.skip,
    "undo": taking_down.undo,
    "settle": changing.settle,
    "pause": changing.pause,
    "resume": changing.resume,
    "channels": looking.channels,
    "history": looking.history,
    "status": looking.status,
    "audit": taking_down.audit,
}

# What only buttons ask for, with the role that it takes.
PRESSED: Mapping[str, tuple[Role, Request]] = {
    "now": (Role.OWNER, changing.now),
    "when": (Role.OWNER, changing.when),
    "other-time": (Role.OWNER, changing.other_time),
    "there": (Role.OWNER, changing.there),
    "not-there": (Role.OWNER, changing.not_there),
    "first": (Role.OWNER, changing.first),
    "undo-yes": (Role.OWNER, taking_down.undo_yes),
    "again": (Role.OWNER, adding.again),
    "drop": (Role.EDITOR, adding.drop),
    "leaf": (Role.EDITOR, looking.preview),
    "file": (Role.EDITOR, looking.preview),
    "card": (Role.EDITOR, _card),
}

# Of which threads each command can be asked, for whoever leaves the number out.
ABOUT: Mapping[str, frozenset[Event]] = {
    "publish": frozenset({Event.RELEASE, Event.SCHEDULE}),
    "at": frozenset({Event.SCHEDULE}),
    "hold": frozenset({Event.HOLD}),
    "release": frozenset({Event.RELEASE}),
    "move": frozenset({Event.SCHEDULE}),
    "cancel": frozenset({Event.CANCEL}),
    "retry": frozenset({Event.RETRY}),
    "skip": frozenset({Event.SKIP}),
    "undo": frozenset({Event.WITHDRAW}),
    "settle": frozenset({Event.SETTLE}),
    "audit": frozenset({Event.WITHDRAW}),
    "show": frozenset(Event),
    "preview": frozenset({Event.SCHEDULE}),
}
CHOICES = 10  # threads that are offered
ALONE = frozenset({"show", "move", "undo", "settle", "audit"})  # about one thread, not about several
BARE = frozenset({"preview", "cancel"})  # without a number, about what is being pasted


class Clerk:
    """Answers requests; never raises for what a person asks or how things stand."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def typed(self, asker: Asker, name: str, words: tuple[str, ...]) -> Answer:
        """The answer to a command."""
        command = COMMANDS.get(name)
        if command is None:
            near = nearest(name, asker.role)
            return Answer(lists.unknown(name, near))
        if command.who > asker.role:
            return Answer(Said(f"/{name}: that is for owners. What you can do: /help"))
        ask = Ask(asker, name, words=words)
        return await self._answer(TYPED[name], ask)

    async def pressed(self, asker: Asker, data: str, message: int) -> Answer:
        """The answer to a button under a message."""
        try:
            press = read_press(data)
        except OddPressError:
            return Answer(None, toast=ODD)
        role, request = PRESSED.get(press.verb, (None, None))
        if request is None and press.verb in TYPED:
            role, request = COMMANDS[press.verb].who, TYPED[press.verb]
        if request is None or role is None:
            return Answer(None, toast=ODD)
        if role > asker.role:
            return Answer(None, toast=NOT_YOURS)
        ask = Ask(asker, press.verb, press.threads, (), press.channel, press.stamp, press.page, message)
        return await self._answer(request, ask)

    async def replied(self, asker: Asker, question: str, text: str) -> Answer | None:
        """The answer to a reply to a question of ours; None where the message replied to is none."""
        head, _, rest = question.partition(" · ")
        number, _, channel = head.partition(" on ")
        try:
            threads = threads_of(number)
        except ValueError:
            return None
        if asker.role is not Role.OWNER:
            return Answer(Said(NOT_YOURS))
        words = tuple(text.split())
        if rest.startswith(changing.WHEN):
            return await self._answer(changing.at, Ask(asker, "at", threads, words))
        if rest.startswith(changing.WHICH) and words and channel:
            return await self._answer(
                changing.settle, Ask(asker, "settle", threads, ("sent", words[0], channel))
            )
        return None

    async def _answer(self, request: Request, ask: Ask) -> Answer:
        try:
            if ask.message is None:
                chosen = await self._choose(ask)
                if isinstance(chosen, Answer):
                    return chosen
                ask = chosen
            elif ask.stamp and not await self._is_fresh(ask):
                return Answer(await changing.standing(self._office, ask, OLD), toast=OLD)
            return await request(self._office, ask)
        except NotYoursError:
            return Answer(Said(NOT_YOURS), toast=NOT_YOURS)
        except FAULTS as error:
            return await self._refused(ask, error)
        except Exception as error:
            # The request's edge: whatever broke, the chat goes on.
            log.exception("a request broke", verb=ask.verb, threads=ask.threads)
            said = f"Something broke ({type(error).__name__}): this is a fault of ours, and is in the log."
            return Answer(Said(esc(said)), toast=said, afresh=True)

    async def _refused(self, ask: Ask, error: Exception) -> Answer:
        """Why not; under a button, with how the thread stands now."""
        words = in_chat(sentence(error, CHAT))
        said = esc(words[:1].upper() + words[1:])
        if ask.message is None:
            return Answer(Said(said))
        if isinstance(error, NotFoundError) and ask.threads:
            return Answer(Said(GONE), toast=GONE)
        if isinstance(error, NotAllowedError) and ask.threads:
            try:
                return Answer(await changing.standing(self._office, ask, said), toast=said)
            except StoreError:
                log.debug("no card for a refusal", thread=ask.thread)
        return Answer(Said(said), toast=said, afresh=True)

    async def _is_fresh(self, ask: Ask) -> bool:
        """Whether the threads stand as they stood when the button was shown. Raises NotFoundError."""
        requests = self._office.requests(ask.asker)

        def now() -> str:
            return stamp(chain.delivery for one in ask.threads for chain in requests.queries.show(one).chains)

        return await asyncio.to_thread(now) == ask.stamp

    async def _choose(self, ask: Ask) -> Ask | Answer:
        """The request with its thread, which stands first in its words; or the question which one."""
        if ask.threads or ask.verb not in ABOUT:
            return ask
        if ask.words:
            try:
                threads = threads_of(ask.words[0])
            except ValueError:
                raise AskError(
                    f"“{ask.words[0][:40]}” is no thread's number; write {COMMANDS[ask.verb].usage}"
                ) from None
            if ask.verb in ALONE and len(threads) > 1:
                raise AskError(f"one thread at a time, please: /{ask.verb} {threads[0]}")
            return replace(ask, threads=threads, words=ask.words[1:])
        if ask.verb in BARE and (
            ask.asker.role is not Role.OWNER
            or await asyncio.to_thread(self._office.drafts.of, ask.asker) is not None
        ):
            return await (adding.drop if ask.verb == "cancel" else looking.preview)(self._office, ask)
        found = await asyncio.to_thread(self._candidates, ask)
        return Answer(lists.choose(ask.verb, found))

    def _candidates(self, ask: Ask) -> dict[int, str]:
        requests = self._office.requests(ask.asker)
        wanted = ABOUT[ask.verb]
        waiting = [
            *requests.queries.queue(),
            *(chain.delivery for chain in requests.queries.history(limit=50)),
        ]
        fitting = [one for one in waiting if wanted & set(allowed(one.state)) or _to_see(ask.verb, one.state)]
        return {one.thread_id: one.title for one in fitting[:CHOICES]}


def _to_see(verb: str, state: DeliveryState) -> bool:
    return verb == "show" and state is DeliveryState.WITHDRAWN


__all__ = ["FAULTS", "Clerk", "Press"]
