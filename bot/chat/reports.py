"""Tells people how their threads fare: one message a thread and chat, its card, kept up to date.

What is reported follows from the audit log behind a mark, so that nothing goes unreported because the
service was not there; the mark moves on when what stands before it was said. Each chat is told by a task
of its own: one that has to be waited for holds up no other.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from threadcast.bot.chat.access import Access, Role
from threadcast.bot.chat.buttons import Press
from threadcast.bot.chat.commands import Card, Context, Shown
from threadcast.bot.chat.outbox import Outbox, UnreachableError
from threadcast.bot.chat.telling.reactions import Reactions
from threadcast.bot.chat.telling.status import Status
from threadcast.bot.chat.views.cards import moved
from threadcast.bot.chat.views.message import Message, Say
from threadcast.bot.chat.views.report import CALLS, Debounce, Pending, Report, concerns, states_of
from threadcast.bot.chat.views.troubles import Troubles
from threadcast.bot.languages import _, speaking
from threadcast.bot.wording import SHELL, sentence
from threadcast.config.logs import get_logger
from threadcast.queue.errors import NotFoundError, StoreError
from threadcast.queue.model import AuditEvent, Delivery
from threadcast.queue.states import DeliveryState

log = get_logger("threadcast.chat")

STATUS: Final = 0  # in place of a thread: the status that is pinned
MARKS: Final = "marks"
SEEN_TO: Final = 1  # the line of the mark
OVERLAP: Final = 100  # ids before the mark that are looked at again: writers commit in any order
CAUGHT_UP: Final = 20  # threads that somebody is told of who could not be told for a while: the newest
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
    """The cards of threads in one chat. `changed` is called when there is nothing more to say."""

    def __init__(
        self,
        chat: int,
        context: Context,
        outbox: Outbox,
        access: Access,
        reactions: Reactions,
        status: Status,
        *,
        spawn: Spawn,
        changed: Callable[[], None],
    ) -> None:
        self.chat = chat
        self._context = context
        self._outbox = outbox
        self._access = access
        self._reactions = reactions
        self._status = status
        self._spawn = spawn
        self._changed = changed
        self._pending: dict[int, Pending] = {}
        self._telling: Pending | None = None
        self._at_work: dict[int, set[int]] = {}  # messages, with threads that were not told of meanwhile
        self._shown: dict[int, tuple[int, str]] = {}  # by thread: its card, and the progress that it shows
        self._lock = asyncio.Lock()  # over which card a thread has
        self._missed: set[int] = set()  # noted already
        self._back = 0  # how often its person came back
        self._task: asyncio.Task[None] | None = None

    def tell(self, thread: int, event: int | None = None, *, urgent: bool = False) -> None:
        """Bring the card of a thread up to date, or send one where it concerns this chat."""
        one = self._pending.setdefault(thread, Pending())
        one.event = one.event or event
        one.urgent = one.urgent or urgent
        if self._task is None or self._task.done():
            self._task = self._spawn(self._run())

    async def carry(self, message: int, shown: Shown) -> None:
        """This message is the card of a thread from now on; the one before says so. Raises StoreError."""
        async with self._lock:
            last = await self._last(shown.thread)
            await self._place(message, shown, last, self._context.clock())
            if last is not None and last.message != message:
                self._spawn(self._point(last, shown, message))
        self.tell(shown.thread)  # it may have gone on before this message was there

    @contextmanager
    def working(self, message: int) -> Iterator[None]:
        """While the work of an answer goes on, its message is the work's alone."""
        self._at_work.setdefault(message, set())
        try:
            yield
        finally:
            for thread in self._at_work.pop(message, ()):
                self.tell(thread)

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
            # What happens to a thread meanwhile is shown with it.
            await self._outbox.rest(self.chat, urgent=any(one.urgent for one in self._pending.values()))
            thread = max(self._pending, key=lambda one: self._pending[one].urgent)
            self._telling, back = self._pending.pop(thread), self._back
            try:
                with speaking(self._access.known.speaks(self.chat)):
                    redraw = partial(self._status.redraw, self.chat)
                    await until_stored(redraw if thread == STATUS else partial(self._update, thread))
            except UnreachableError:
                await until_stored(partial(self._note_missed, thread))
                if back != self._back:  # that person came back meanwhile
                    self.tell(thread)
            except Exception:
                # A report's edge: whatever broke, the next one is said.
                log.exception("a part of the chat broke, and begins anew", part="reports", thread=thread)
            self._telling = None
        self._changed()

    async def _update(self, thread: int) -> None:
        """Bring the card of a thread up to date, or send one."""
        async with self._lock:
            last = await self._last(thread)
            try:
                dossier = await asyncio.to_thread(self._context.dossier, thread)
                await self._reactions.saw(self.chat, dossier)
            except NotFoundError:
                if last is not None:
                    gone = Message(_("#{thread} was removed from the queue.").format(thread=thread))
                    await self._outbox.edit(self.chat, last.message, gone, patient=True)
                return
            concerned = concerns(dossier, self.chat, self._access.people, self._access.report_to)
            if last is None and not concerned:
                return
            role = self._access.role_of(self.chat) or Role.OWNER  # the group is told all
            shown = await self._context.show_dossier(dossier, Card(thread), role, self.chat)
            serves = last is not None and last.serves(shown.states, self._context.clock())
            if last is not None and serves:
                if last.message in self._at_work:
                    self._at_work[last.message].add(thread)
                    return
                if self._shown.get(thread) == (last.message, shown.progress):
                    return
            if self._outbox.is_asked(self.chat) and self._telling is not None:
                self.tell(thread, self._telling.event, urgent=self._telling.urgent)
                return
            said = self._context.clock()
            if (
                last is not None
                and serves
                and await self._outbox.edit(self.chat, last.message, shown.message, patient=True)
            ):
                message, said = last.message, last.said
            else:
                held = any(chain.delivery.state is DeliveryState.HELD for chain in dossier.chains)
                loud = bool(states_of(dossier, CALLS)) or (last is None and held)
                said_now = replace(shown.message, quiet=not loud)
                message = await self._outbox.send(self.chat, said_now, patient=not loud)
            await self._place(message, shown, last, said)
            replaced = last if last is not None and last.message != message else None
            if replaced is not None and not await self._outbox.delete(self.chat, replaced.message):
                self._spawn(self._point(replaced, shown, message))

    async def _point(self, last: Report, shown: Shown, message: int) -> None:
        """Let what was the card of a thread say where it is, unless it is the card again by then."""
        old = moved(shown.thread, shown.title, down=message > last.message)
        await self._outbox.rest(self.chat)
        async with self._lock:
            if self._shown[shown.thread][0] != last.message:
                with suppress(UnreachableError):
                    await self._outbox.edit(self.chat, last.message, old, patient=True)

    async def _place(self, message: int, shown: Shown, last: Report | None, said: datetime) -> None:
        """Note which message the card of a thread is."""
        self._shown[shown.thread] = (message, shown.progress)
        new = Report(message, said, shown.states)
        notes = self._context.notes
        if new != last:
            await asyncio.to_thread(notes.write, _page(shown.thread), self.chat, new.written(), now=said)
        if last is None or last.message != message:
            reply = Press("wish", (shown.thread,)).data()
            await asyncio.to_thread(notes.write, asked_in(self.chat), message, reply, now=said)

    async def _last(self, thread: int) -> Report | None:
        page = await asyncio.to_thread(self._context.notes.read, _page(thread))
        return Report.read(page[self.chat]) if self.chat in page else None

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
        self._chats: dict[int, ChatReports] = {}
        self.reactions = Reactions(context, outbox)
        self.status = Status(context, outbox, access)
        self._new = partial(
            ChatReports,
            context=context,
            outbox=outbox,
            access=access,
            reactions=self.reactions,
            status=self.status,
            spawn=spawn,
        )

    def touch(self, delivery: Delivery) -> None:
        """A delivery went on. Called on the loop's thread; cheap."""
        urgent = delivery.state is not DeliveryState.PUBLISHING
        self._debounce.touch(delivery.thread_id, self._timer(), urgent=urgent)
        self._debounce.touch(STATUS, self._timer(), urgent=False)
        trouble = self._troubles.see(delivery, self._clock())
        if trouble is not None:
            self.tell_all(trouble)
        self.wake()

    def wake(self) -> None:
        """Something may have changed in the queue."""
        self._woken.set()

    def refresh(self) -> None:
        """The same, or it is later than it was: what is said to be tomorrow may be today."""
        self._debounce.touch(STATUS, self._timer(), urgent=False)
        self.wake()

    def of(self, chat: int) -> ChatReports:
        """The cards in the chat of somebody who may ask."""
        if chat not in self._chats:
            self._chats[chat] = self._new(chat, changed=self.wake)
        return self._chats[chat]

    def tell(self, chats: Collection[int], say: Say) -> None:
        """Say something that is about no thread."""
        for chat in chats:
            self._spawn(self._send(chat, say))

    def tell_all(self, say: Say) -> None:
        """Say something to the group, or else to every owner."""
        self.tell(self._access.report_to, say)

    async def _send(self, chat: int, say: Say) -> None:
        await self._begun.wait()
        with suppress(UnreachableError), speaking(self._access.known.speaks(chat)):
            await self._outbox.send(chat, say())

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
            self._debounce.touch(STATUS, self._timer(), urgent=False)
            if event.thread_id is not None:
                urgent = event.what not in STEPS
                self._debounce.touch(event.thread_id, self._timer(), urgent=urgent, event=event.id)
        every = {*self._access.people, *self._access.report_to}
        for thread, one in self._debounce.take(self._timer()).items():
            for chat in every & set(await self.status.chats()) if thread == STATUS else every:
                self.of(chat).tell(thread, one.event, urgent=one.urgent)
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
            log.warning("reports wait: the queue cannot be used", reason=sentence(error, SHELL))
            await asyncio.sleep(RETRY_STORE)
        else:
            return


def asked_in(chat: int) -> str:
    """The page of the notes that says what a reply to a message of ours asks for."""
    return f"asked:{chat}"


def _missed_in(chat: int) -> str:
    return f"missed:{chat}"


def _page(thread: int) -> str:
    return f"card:{thread}"
