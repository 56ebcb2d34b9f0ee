"""Tells people how their threads fare: one message a thread and chat, kept up to date.

What is reported follows from the audit log behind a mark, so that nothing goes unreported because the
service was not there; the mark moves on when what stands before it was said. Each chat is told by a task
of its own: one that has to be waited for holds up no other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Final

import structlog

from threadcast.bot.chat.access import Access, Role
from threadcast.bot.chat.buttons import progress
from threadcast.bot.chat.commands import Context
from threadcast.bot.chat.outbox import Outbox, UnreachableError
from threadcast.bot.chat.views.message import Message
from threadcast.bot.chat.views.report import CALLS, Debounce, Pending, Report, concerns, states_of
from threadcast.bot.chat.views.troubles import Troubles
from threadcast.bot.requests.queries import Dossier
from threadcast.queue.errors import NotFoundError, StoreError
from threadcast.queue.model import AuditEvent, Delivery
from threadcast.queue.states import DeliveryState

log = structlog.get_logger("threadcast.chat")

MARKS: Final = "marks"
SEEN_TO: Final = 1  # the line of the mark
OVERLAP: Final = 100  # ids before the mark that are looked at again: writers commit in any order
CAUGHT_UP: Final = 20  # threads that somebody is told of who could not be told for a while: the newest
MOST_LIVE: Final = 20  # messages of a chat that are kept up to date beside its reports
RETRY_STORE: Final = 30.0  # seconds until another try where the queue cannot be used

Spawn = Callable[[Coroutine[Any, Any, None]], "asyncio.Task[None]"]

STEPS = frozenset({"claim", "plan", "wait", "seek", "resend"})  # on the way: no hurry to tell


class Feed:
    """The audit log behind a mark that outlives a restart. It blocks: not for an event loop."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: set[int] = set()
        self.mark = 0
        self.newest = 0

    def begin(self) -> None:
        """Go on behind the mark; at the very first start, behind all there is. Raises StoreError."""
        mark = self._context.notes.read(MARKS).get(SEEN_TO)
        if mark is None:
            last = self._context.requests_of("chat").queries.events(limit=1)
            self.move(last[-1].id if last else 0)
        else:
            self.mark = int(mark)
        self._seen = {event.id for event in self._behind() if event.id <= self.mark}
        self.newest = self.mark

    def new(self) -> list[AuditEvent]:
        """The events that were not given before. Raises StoreError."""
        events = self._behind()
        found = [event for event in events if event.id not in self._seen]
        self._seen = {event.id for event in events}
        self.newest = max(self.newest, *self._seen, 0)
        return found

    def move(self, mark: int) -> None:
        """Note up to which event all was said. Raises StoreError."""
        self._context.notes.write(MARKS, SEEN_TO, str(mark), now=self._context.clock())
        self.mark = mark

    def _behind(self) -> tuple[AuditEvent, ...]:
        return self._context.requests_of("chat").queries.events(after=max(0, self.mark - OVERLAP))


class ChatReports:
    """The messages about threads in one chat. `changed` is called when there is nothing more to say."""

    def __init__(
        self,
        chat: int,
        context: Context,
        outbox: Outbox,
        access: Access,
        *,
        spawn: Spawn,
        changed: Callable[[], None],
    ) -> None:
        self.chat = chat
        self._context = context
        self._outbox = outbox
        self._access = access
        self._spawn = spawn
        self._changed = changed
        self._pending: dict[int, Pending] = {}
        self._telling: Pending | None = None
        self._live: dict[int, tuple[int, str]] = {}  # messages that go on to show a thread, with its progress
        self._answering: dict[int, set[int]] = {}  # messages, with threads that were not told of meanwhile
        self._missed: set[int] = set()  # noted already
        self._back = 0  # how often its person came back
        self._task: asyncio.Task[None] | None = None

    def tell(self, thread: int, event: int | None = None, *, report: bool = True) -> None:
        """Bring what shows a thread up to date; with `report`, tell of it where it concerns this chat."""
        one = self._pending.setdefault(thread, Pending())
        one.urgent = one.urgent or report
        one.event = one.event or event
        if self._task is None or self._task.done():
            self._task = self._spawn(self._run())

    def watch(self, message: int, thread: int, shown: str) -> None:
        """Keep a message up to date, which shows this progress of a thread."""
        self._live[message] = (thread, shown)
        while len(self._live) > MOST_LIVE:
            del self._live[next(iter(self._live))]
        self.tell(thread, report=False)  # it may have gone on before this message was there

    @contextmanager
    def answering(self, message: int) -> Iterator[None]:
        """While a press is answered, its message is the answer's alone."""
        self._answering.setdefault(message, set())
        try:
            yield
        finally:
            for thread in self._answering.pop(message, ()):
                # What an answer shows is newer than what was to be told.
                self.tell(thread, report=message not in self._live)

    def events(self) -> list[int]:
        """The first event of each thread that is not told of yet."""
        pending = [*self._pending.values(), *([self._telling] if self._telling else [])]
        return [one.event for one in pending if one.event is not None]

    async def finish(self) -> None:
        """Wait until there is nothing more to say."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._pending:
            thread = next(iter(self._pending))
            self._telling, back = self._pending.pop(thread), self._back
            try:
                await until_stored(partial(self._update, thread, report=self._telling.urgent))
            except UnreachableError:
                await until_stored(partial(self._note_missed, thread))
                if back != self._back:  # that person came back meanwhile
                    self.tell(thread)
            except Exception:
                # A report's edge: whatever broke, the next one is said.
                log.exception("a part of the chat broke, and begins anew", part="reports", thread=thread)
            self._telling = None
        self._changed()

    async def _update(self, thread: int, *, report: bool) -> None:
        try:
            dossier = await asyncio.to_thread(self._context.requests_of("chat").queries.show, thread)
        except NotFoundError:
            dossier = None
        if report:
            await self._report(thread, dossier)
        if dossier is None:
            self._live = {message: one for message, one in self._live.items() if one[0] != thread}
            return
        now = (thread, progress(chain.delivery for chain in dossier.chains))
        for message in [each for each, one in self._live.items() if one[0] == thread]:
            if self._live.get(message) not in {None, now}:  # None or newer by now: it was answered meanwhile
                await self._show(message, dossier)

    async def _report(self, thread: int, dossier: Dossier | None) -> None:
        """Bring the message about a thread up to date, or send one."""
        page = await asyncio.to_thread(self._context.notes.read, _page(thread))
        last = Report.read(page[self.chat]) if self.chat in page else None
        if dossier is None:
            if last is not None:
                await self._outbox.edit(
                    self.chat, last.message, Message(f"#{thread} was removed from the queue.")
                )
            return
        concerned = concerns(dossier, self.chat, self._access.people, self._access.report_to)
        if last is None and not concerned:
            return
        states = states_of(dossier)
        calls = states_of(dossier, CALLS)
        if last and calls <= last.states and await self._show(last.message, dossier):
            message = last.message
        else:
            message = await self._send(dossier, last)
        if last is None or (message, states) != (last.message, last.states):
            note = Report(message, states).written()
            await asyncio.to_thread(
                self._context.notes.write, _page(thread), self.chat, note, now=self._context.clock()
            )

    async def _show(self, message: int, dossier: Dossier) -> bool:
        """Show in a message how its thread stands; False where it is not there any more."""
        thread = dossier.stored.id
        if message in self._answering:
            self._answering[message].add(thread)
            return True
        if message in self._live:
            self._live[message] = (thread, progress(chain.delivery for chain in dossier.chains))
        return await self._outbox.edit(self.chat, message, await self._card(dossier))

    async def _send(self, dossier: Dossier, last: Report | None) -> int:
        """Send a message about a thread, in place of the one that told of it."""
        card = await self._card(dossier)
        if last is not None and not await self._outbox.delete(self.chat, last.message):
            await self._outbox.edit(self.chat, last.message, Message(card.text))  # its buttons are old by now
        held = any(chain.delivery.state is DeliveryState.HELD for chain in dossier.chains)
        loud = bool(states_of(dossier, CALLS)) or (last is None and held)
        return await self._outbox.send(self.chat, Message(card.text, card.buttons, quiet=not loud))

    async def _card(self, dossier: Dossier) -> Message:
        role = self._access.role_of(self.chat) or Role.OWNER  # the group is told all
        return await asyncio.to_thread(self._context.card, dossier, role)

    async def _note_missed(self, thread: int) -> None:
        """Nothing can be said here: it is told when that person is back."""
        if thread not in self._missed:
            self._missed.add(thread)
            now = self._context.clock()
            await asyncio.to_thread(self._context.notes.write, _missed_in(self.chat), thread, "", now=now)

    async def catch_up(self) -> None:
        """Something can be said here again, perhaps: tell what was missed. Raises StoreError."""
        self._back += 1
        missed = await asyncio.to_thread(self._context.notes.read, _missed_in(self.chat))
        if missed:
            await asyncio.to_thread(self._context.notes.forget, _missed_in(self.chat))
            self._missed.clear()
            for thread in sorted(missed)[-CAUGHT_UP:]:
                self.tell(thread)


class Reporter:
    """Tells every chat of what concerns it. `timer` counts seconds; `spawn` runs what follows."""

    def __init__(
        self,
        context: Context,
        outbox: Outbox,
        access: Access,
        *,
        spawn: Spawn,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = context.clock
        self._outbox = outbox
        self._access = access
        self._spawn = spawn
        self._timer = timer
        self._feed = Feed(context)
        self._debounce = Debounce()
        self._troubles = Troubles(context.zone)
        self._woken = asyncio.Event()
        self._begun = asyncio.Event()
        self._finishing = False
        chats = dict.fromkeys([*access.people, *access.report_to])
        self._chats = {
            chat: ChatReports(chat, context, outbox, access, spawn=spawn, changed=self.wake) for chat in chats
        }

    def touch(self, delivery: Delivery) -> None:
        """A delivery went on. Called on the loop's thread; cheap."""
        urgent = delivery.state is not DeliveryState.PUBLISHING
        self._debounce.touch(delivery.thread_id, self._timer(), urgent=urgent)
        trouble = self._troubles.see(delivery, self._clock())
        if trouble is not None:
            self.tell_all(trouble)
        self.wake()

    def wake(self) -> None:
        """Something may have changed in the queue."""
        self._woken.set()

    def watch(self, chat: int, message: int, thread: int, shown: str) -> None:
        """Keep this message up to date while its thread is under way, from this progress on."""
        self._chats[chat].watch(message, thread, shown)

    @contextmanager
    def answering(self, chat: int, message: int) -> Iterator[None]:
        """While a press is answered, its message is the answer's alone."""
        with self._chats[chat].answering(message):
            yield

    async def catch_up(self, chat: int) -> None:
        """Something can be said in a chat again, perhaps: tell what was missed there. Raises StoreError."""
        await self._chats[chat].catch_up()

    def tell(self, chats: Collection[int], message: Message) -> None:
        """Say something that is about no thread."""
        for chat in chats:
            self._spawn(self._send(chat, message))

    def tell_all(self, message: Message) -> None:
        """Say something to the group, or else to every owner."""
        self.tell(self._access.report_to, message)

    async def _send(self, chat: int, message: Message) -> None:
        await self._begun.wait()
        with suppress(UnreachableError):
            await self._outbox.send(chat, message)

    def finish(self) -> None:
        """Say what there is to say now, and come to an end: never between a message and its note."""
        self._finishing = True
        self.wake()

    async def run(self) -> None:
        """Report until there is an end to it."""
        self._begun.set()
        await until_stored(partial(asyncio.to_thread, self._feed.begin))
        while not self._finishing:
            await until_stored(self._look)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._until_due()):
                    await self._woken.wait()
            self._woken.clear()
        await until_stored(self._look)
        await asyncio.gather(*(chat.finish() for chat in self._chats.values()))
        await until_stored(self._move_mark)

    async def _look(self) -> None:
        """Tell what is due now."""
        for event in await asyncio.to_thread(self._feed.new):
            if event.thread_id is not None:
                urgent = event.what not in STEPS
                self._debounce.touch(event.thread_id, self._timer(), urgent=urgent, event=event.id)
        for thread, one in self._debounce.take(self._timer()).items():
            for chat in self._chats.values():
                chat.tell(thread, one.event)
        await self._move_mark()

    async def _move_mark(self) -> None:
        untold = [*self._debounce.events(), *(one for chat in self._chats.values() for one in chat.events())]
        mark = min([self._feed.newest, *(event - 1 for event in untold)])
        if mark > self._feed.mark:
            await asyncio.to_thread(self._feed.move, mark)

    def _until_due(self) -> float | None:
        at = self._debounce.next_at()
        return None if at is None else max(0.0, at - self._timer())


async def until_stored(step: Callable[[], Awaitable[None]]) -> None:
    """Take a step; where the queue cannot be used, again later."""
    while True:
        try:
            await step()
        except StoreError as error:
            log.warning("reports wait: the queue cannot be used", reason=str(error))
            await asyncio.sleep(RETRY_STORE)
        else:
            return


def _missed_in(chat: int) -> str:
    return f"missed:{chat}"


def _page(thread: int) -> str:
    return f"report:{thread}"
