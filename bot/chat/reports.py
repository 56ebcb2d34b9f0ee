"""Tells people how their threads fare: one message a thread, kept up to date.

What is reported follows from the audit log behind a mark, so that nothing goes unreported because the
service was not there; the mark moves on when what stands before it was said.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

import structlog

from threadcast.bot.chat.access import Door
from threadcast.bot.chat.buttons import progress
from threadcast.bot.chat.commands import Role
from threadcast.bot.chat.outbox import LaterError, Speaker, UntoldError
from threadcast.bot.chat.requests.office import Office
from threadcast.bot.chat.told import CALLS, Calm, News, Told, Touched, adders, goes_on, is_worth_it
from threadcast.bot.chat.views.live import LiveMessages
from threadcast.bot.chat.views.message import Said
from threadcast.bot.chat.views.troubles import Troubles
from threadcast.bot.requests.queries import Dossier
from threadcast.queue.model import AuditEvent, Delivery, NotFoundError, StoreError
from threadcast.queue.states import DeliveryState

log = structlog.get_logger("threadcast.chat")

MARKS = "marks"
SEEN_TO = 1  # the line of the mark
OVERLAP = 100  # ids before the mark that are looked at again: events of several writers come in any order
LOOK_EVERY = 300.0  # seconds, where nothing is heard
CAUGHT_UP = 20  # threads that somebody is told of who could not be told for a while: the newest
AGAIN = 30.0  # seconds until another try where the queue cannot be used

STEPS = frozenset({"claim", "plan", "wait", "seek", "resend"})  # on the way: no hurry to tell


class Reporter:
    """One task that says what there is to say. `timer` counts seconds."""

    def __init__(
        self,
        office: Office,
        speaker: Speaker,
        door: Door,
        *,
        calm: Calm | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._office = office
        self._speaker = speaker
        self._door = door
        self._calm = calm or Calm()
        self._timer = timer
        self._touched: dict[int, Touched] = {}
        self._last: dict[int, float] = {}
        self._live = LiveMessages()
        self._watched: set[int] = set()
        self._later: dict[tuple[int, int], Touched] = {}  # by chat and thread: the chat has to be waited for
        self._missed: set[tuple[int, int]] = set()  # noted already
        self._news: list[News] = []
        self._troubles = Troubles(office.zone)
        self._woken = asyncio.Event()
        self._seen: set[int] = set()
        self._mark = 0
        self._highest = 0
        self._finishing = False

    # What others tell it

    def touch(self, delivery: Delivery) -> None:
        """A delivery went on. Called on the loop's thread; cheap."""
        self._touch(delivery.thread_id, hurry=delivery.state is not DeliveryState.PUBLISHING)
        said = self._troubles.see(delivery, self._office.clock())
        if said is not None:
            self._announce(said)
        self._woken.set()

    def wake(self) -> None:
        """Something may have changed in the queue."""
        self._woken.set()

    def watch(self, chat: int, message: int, thread: int, progress: str) -> None:
        """Keep this message up to date while its thread is under way, from this progress on."""
        self._live.watch((chat, message), thread, progress)
        self._watched.add(thread)  # it may have gone on before this message was there
        self._woken.set()

    @contextmanager
    def answering(self, chat: int, message: int) -> Iterator[None]:
        """While a press is answered, its message is the answer's alone."""
        self._live.begin((chat, message))
        try:
            yield
        finally:
            shown, untold = self._live.end((chat, message))
            if shown is not None:
                self._watched.add(shown)
            elif untold is not None:
                self._touch(untold, hurry=True)
            self._woken.set()

    def _touch(self, thread: int, *, hurry: bool, event: int | None = None) -> None:
        touched = self._touched.setdefault(thread, Touched(self._timer()))
        touched.hurry = touched.hurry or hurry
        touched.event = touched.event or event

    # Its work

    def finish(self) -> None:
        """Say what there is to say now, and come to an end: never between a message and its note."""
        self._finishing = True
        self._woken.set()

    async def run(self) -> None:
        """Report until there is an end to it."""
        await self._patiently(self._begin)
        while True:
            last = self._finishing
            await self._patiently(self.once)
            if last:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_due()):
                    await self._woken.wait()

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """One step; where the queue cannot be used, again later."""
        while True:
            try:
                await step()
            except StoreError as error:
                log.warning("reports wait: the queue cannot be used", reason=str(error))
                await asyncio.sleep(AGAIN)
            else:
                return

    async def _begin(self) -> None:
        """Go on behind the mark; at the very first start, behind all there is."""
        mark = (await asyncio.to_thread(self._office.notes.read, MARKS)).get(SEEN_TO)
        if mark is None:
            await self._begin_behind_all()
        else:
            await self._begin_behind(int(mark))

    async def _begin_behind_all(self) -> None:
        newest = await asyncio.to_thread(self._office.requests_of("chat").queries.events, limit=1)
        await asyncio.to_thread(self._set_mark, newest[-1].id if newest else 0)
        await self._begin_behind(self._mark)

    async def _begin_behind(self, mark: int) -> None:
        self._mark = mark
        known = await asyncio.to_thread(self._events_behind, max(0, mark - OVERLAP))
        self._seen = {event.id for event in known if event.id <= mark}
        self._highest = known[-1].id if known else 0

    async def once(self) -> None:
        """Say what is due now."""
        self._woken.clear()
        newest = await self._look()
        await self._tell_news()
        while self._watched:
            thread = self._watched.pop()
            await self._refresh(thread, await self._dossier(thread))
        for thread in self._due():
            touched = self._touched.pop(thread)
            try:
                await self._report(thread, touched.event)
            except BaseException:
                self._touched.setdefault(thread, touched)  # not told yet
                raise
            self._last[thread] = self._timer()
        for chat, thread in [key for key, one in self._later.items() if one.since <= self._timer()]:
            await self._report(thread, self._later[chat, thread].event, only=chat)
        untold = [*self._touched.values(), *self._later.values()]
        mark = min([newest, *(one.event - 1 for one in untold if one.event is not None)])
        if mark > self._mark:
            await asyncio.to_thread(self._set_mark, mark)

    def _events_behind(self, mark: int) -> tuple[AuditEvent, ...]:
        return self._office.requests_of("chat").queries.events(after=mark)

    async def _look(self) -> int:
        """Touch what the audit log tells of; the id up to which it was read."""
        events = await asyncio.to_thread(self._events_behind, max(0, self._mark - OVERLAP))
        newest = events[-1].id if events else 0
        if newest < self._highest:  # the queue was put back to an older one, where ids are given again
            await self._begin_behind_all()
            return self._mark
        self._highest = newest
        for event in events:
            if event.id not in self._seen and event.thread_id is not None:
                self._touch(event.thread_id, hurry=event.what not in STEPS, event=event.id)
        self._seen = {event.id for event in events}
        return max(newest, self._mark)

    def _set_mark(self, newest: int) -> None:
        self._office.notes.write(MARKS, SEEN_TO, str(newest), now=self._office.clock())
        self._mark = newest

    def _due_at(self, thread: int) -> float:
        touched = self._touched[thread]
        if touched.hurry:
            return touched.since
        last = self._last.get(thread)
        return (
            touched.since + self._calm.first
            if last is None
            else max(touched.since, last + self._calm.between)
        )

    def _due(self) -> list[int]:
        now = self._timer()
        return [thread for thread in self._touched if self._due_at(thread) <= now]

    def _until_due(self) -> float:
        now = self._timer()
        moments = [self._due_at(thread) for thread in self._touched]
        moments += [one.since for one in self._later.values()] + [one.since for one in self._news]
        return max(0.0, min((moment - now for moment in moments), default=LOOK_EVERY))

    async def _report(self, thread: int, event: int | None, *, only: int | None = None) -> None:
        """Bring every message about a thread up to date, or send the first: in each chat, or in one.

        `event` is the first that was not told of.
        """
        dossier = await self._dossier(thread)
        told = await asyncio.to_thread(self._told, thread)
        chats: dict[int, Role] = {chat: Role.OWNER for chat in told if self._may_see(chat)}
        if dossier is not None:
            chats |= self._whom(dossier)
        for chat, role in chats.items():
            if only is not None and only != chat:
                continue
            try:
                await self._tell(chat, role, thread, dossier, told.get(chat))
            except UntoldError:
                await self._note_missed(chat, thread)
            except LaterError as error:
                before = self._later.get((chat, thread))
                first = event if before is None else before.event or event
                self._later[chat, thread] = Touched(self._timer() + error.seconds, event=first)
                continue
            self._later.pop((chat, thread), None)
        if only is not None:
            if only not in chats:
                self._later.pop((only, thread), None)
            return
        await self._refresh(thread, dossier)
        if dossier is None:
            self._live.forget(thread)
        if dossier is None or not goes_on(dossier):
            self._last.pop(thread, None)

    async def _dossier(self, thread: int) -> Dossier | None:
        try:
            return await asyncio.to_thread(self._office.requests_of("chat").queries.show, thread)
        except NotFoundError:
            return None

    def _whom(self, dossier: Dossier) -> dict[int, Role]:
        """Where a thread is reported: in the group, or to every owner and to the editor who added it.

        The editor knows that it waits, and is told when it does not any more.
        """
        whom: dict[int, Role] = {}
        if is_worth_it(dossier, self._door.people):
            group = self._door.group
            whom |= dict.fromkeys(self._door.owners if group is None else [group], Role.OWNER)
        waits = all(chain.delivery.state is DeliveryState.HELD for chain in dossier.chains)
        if self._door.group is None and not waits:
            added, people = adders(dossier), self._door.people.items()
            whom |= {one: role for one, role in people if one in added and role is Role.EDITOR}
        return whom

    async def _tell(
        self, chat: int, role: Role, thread: int, dossier: Dossier | None, told: Told | None
    ) -> None:
        if dossier is None:
            if told is not None:
                removed = Said(f"#{thread} was removed from the queue.")
                await self._speaker.change(chat, told.message, removed, patient=False)
                await asyncio.to_thread(self._office.notes.forget, _page(thread))
            return
        states = frozenset(f"{one.delivery.channel}={one.delivery.state}" for one in dossier.chains)
        calls = frozenset(
            f"{one.delivery.channel}={one.delivery.state}"
            for one in dossier.chains
            if one.delivery.state in CALLS
        )
        said = await asyncio.to_thread(self._office.card_of, dossier, self._role_in(chat, role))
        if (
            told is not None
            and calls <= told.states
            and (
                self._live.is_left_alone((chat, told.message), thread)
                or await self._change(chat, told.message, said)
            )
        ):
            message = told.message
        else:
            if told is not None and not await self._speaker.remove(chat, told.message, patient=False):
                await self._change(chat, told.message, Said(said.text))  # without buttons: old by now
            held = any(one.delivery.state is DeliveryState.HELD for one in dossier.chains)
            loud = bool(calls) or (told is None and held)
            new = Said(said.text, said.buttons, quiet=not loud)
            message = await self._speaker.say(chat, new, patient=False)
        if told is None or (message, states) != (told.message, told.states):
            await asyncio.to_thread(self._note, thread, chat, Told(message, states))

    async def _change(self, chat: int, message: int, said: Said) -> bool:
        return await self._speaker.change(chat, message, said, patient=False)

    async def _note_missed(self, chat: int, thread: int) -> None:
        """Nothing can be said there: it is told when that person is back."""
        if (chat, thread) not in self._missed:
            self._missed.add((chat, thread))
            now = self._office.clock()
            await asyncio.to_thread(self._office.notes.write, _missed_in(chat), thread, "", now=now)

    async def catch_up(self, chat: int) -> None:
        """Something can be said in a chat again, perhaps: tell what was not told there. Raises StoreError."""
        missed = await asyncio.to_thread(self._office.notes.read, _missed_in(chat))
        if not missed:
            return
        await asyncio.to_thread(self._office.notes.forget, _missed_in(chat))
        self._missed = {key for key in self._missed if key[0] != chat}
        for thread in sorted(missed)[-CAUGHT_UP:]:
            self._later.setdefault((chat, thread), Touched(self._timer()))
        self._woken.set()

    def _may_see(self, chat: int) -> bool:
        """Whether a chat that was told before is one of those that may be told now."""
        return chat == self._door.group or self._door.role_of(chat) is not None

    def _role_in(self, chat: int, role: Role) -> Role:
        return role if chat == self._door.group else self._door.role_of(chat) or role

    async def _refresh(self, thread: int, dossier: Dossier | None) -> None:
        """The messages that go on to show a thread, where it went on since."""
        if dossier is None:
            return
        now = progress(chain.delivery for chain in dossier.chains)
        for chat, message in self._live.stale(thread, now):
            said = await asyncio.to_thread(self._office.card_of, dossier, self._role_in(chat, Role.OWNER))
            with suppress(UntoldError, LaterError):
                await self._change(chat, message, said)

    def _announce(self, said: Said) -> None:
        chats = [self._door.group] if self._door.group is not None else self._door.owners
        self._news += [News(chat, said, self._timer()) for chat in chats]

    async def _tell_news(self) -> None:
        now = self._timer()
        due = [one for one in self._news if one.since <= now]
        for one in due:
            self._news.remove(one)
            try:
                await self._speaker.say(one.chat, one.said, patient=False)
            except UntoldError:
                continue
            except LaterError as error:
                self._news.append(News(one.chat, one.said, self._timer() + error.seconds))

    async def tell_owners(self, said: Said) -> None:
        """Something that is about no thread; said in its turn."""
        self._announce(said)
        self._woken.set()

    def _told(self, thread: int) -> dict[int, Told]:
        return {chat: Told.read(text) for chat, text in self._office.notes.read(_page(thread)).items()}

    def _note(self, thread: int, chat: int, told: Told) -> None:
        self._office.notes.write(_page(thread), chat, told.written(), now=self._office.clock())


def _missed_in(chat: int) -> str:
    return f"missed:{chat}"


def _page(thread: int) -> str:
    return f"report:{thread}"
