"""Texts that become threads of the queue: added, taken over, edited, continued, removed."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from threadcast.bot.channels.port import Channel
from threadcast.bot.languages import N_, _, language
from threadcast.bot.media.bucket import AwayError
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.sources import Files
from threadcast.bot.noticed import noticed
from threadcast.bot.requests.archives import together, unpack
from threadcast.bot.requests.context import RequestContext, pick, seen_of
from threadcast.bot.requests.errors import InputError, NotNowError, Problem, UnknownThreadError
from threadcast.bot.requests.input import Intake, continued, has_text, only_thread, understand, with_files_of
from threadcast.bot.settled import setting_refused
from threadcast.bot.wording import time_refused
from threadcast.config.schedule.words import WhenError, parse_when
from threadcast.queue.model import Added, Adoption, Delivery, NewDelivery, NewThread, Once
from threadcast.queue.outcomes import Code, Sent
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import DeliveryState, Event
from threadcast.queue.text.front_matter import SettingError, with_settings
from threadcast.queue.text.media import Media
from threadcast.queue.text.settings import NAMES
from threadcast.queue.text.thread import Notice, NoticeKind, Thread, with_files, with_files_as

ASKED_BY_ITSELF = Sentence("its settings ask for that")
BY_AN_EDITOR = Sentence("an editor added it; an owner publishes it")
APPROVAL = Sentence("this channel holds every thread for approval")
UNLIFTED = Sentence(
    "this channel holds every thread for approval; hold: false in its text does not change that"
)
# These count when a thread is added.
AT_ADDING = {
    "at": N_("the setting at counts when a thread is added; to give it a time now, use the command at"),
    "channels": N_(
        "the setting channels counts when a thread is added; to queue it elsewhere now, use publish"
    ),
    "hold": N_("the setting hold counts when a thread is added; now use the commands hold and release"),
}
SETTABLE = tuple(name for name in NAMES if name not in AT_ADDING)
UNCONFIRMED = Sentence("nobody has said yet that it may be public")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one thread that was added.

    `seen` is how many of its posts visitors see who are not logged in, by channel, where that is not all.
    """

    source: str
    thread: Thread
    added: Added
    seen: Mapping[str, int] = field(default_factory=dict)


class Threads:
    """Each request is done whole, or on any error not at all."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context
        self._database = context.database

    def add(
        self,
        intakes: Sequence[Intake],
        *,
        channels: Sequence[str] = (),
        at: datetime | None = None,
        hold: bool = False,
        approved: bool = False,
        because: str = Sentence("you asked to hold it"),
        code: Code = Code.WISH,
        by_editor: bool = False,
        confirm: bool = False,
        again: bool = False,
        since: datetime | None = None,
        once: Once[Receipt] | None = None,
    ) -> tuple[Receipt, ...]:
        """Queue every thread of every source. What is added `by_editor` waits for an owner.

        With `hold` they wait for a person, `because` and `code` say why. What is `approved` does not wait for
        approval on a channel that holds every thread: a person says that, never a text, which others may have
        written. With `confirm` they wait for one
        where nothing else would keep them from going out at once: no schedule, no time given. With `since`,
        what was added then or later is a duplicate even where it has failed or was cancelled meanwhile.
        What is asked here goes before a thread's own settings. With `once`, the answer is kept with what is
        added. Raises InputError, UnknownChannelError, StoreError, RepeatedError where one is kept already.
        """
        if by_editor:
            hold, because, code = True, BY_AN_EDITOR, Code.EDITOR
        context, reason = self._context, because if hold else ""
        new: list[NewThread] = []
        known = [self.attached(intake) for intake in intakes]
        for intake, thread in ((one, thread) for one in known for thread in one.threads):
            wished = thread.settings
            moment = at if at is not None else self._time(intake, wished.at)
            held = reason or (ASKED_BY_ITSELF if wished.hold and not approved else "")
            wishes = tuple(
                self._new(
                    *(thread, one, moment),
                    held=held,
                    code=code if reason else Code.NONE,
                    confirm=confirm,
                    approved=approved,
                )
                for one in pick(context.channels, channels or wished.channels or ())
            )
            new.append(NewThread(thread, intake.source, wishes))
        return self._add(new, again=again, since=since, once=once)

    def _time(self, intake: Intake, words: str | None) -> datetime | None:
        """Return when a thread wants to start by its own settings. Raises InputError."""
        if words is None:
            return None
        try:
            return parse_when(
                words,
                now=self._context.clock(),
                zone=self._context.zone,
                farthest=timedelta.max,
                language=language(),
            )
        except WhenError as error:
            raise InputError(
                Sentence("{source}: its setting at: {why}", source=intake.source, why=time_refused(error))
            ) from None

    def adopt(
        self, intake: Intake, *, channel: str, parts: int, last: Sent, confirm: bool = False
    ) -> Receipt:
        """Take over a chain that was begun by hand: its first `parts` parts are out, the last as `last`.

        `confirm` is as for `add`. Raises InputError, UnknownChannelError, StoreError.
        """
        thread = adoptable(self.attached(intake), parts)
        (picked,) = pick(self._context.channels, [channel])
        new = replace(
            self._new(thread, picked, None if confirm else self._context.clock(), held="", confirm=confirm),
            adoption=Adoption(parts, last),
        )
        (receipt,) = self._add([NewThread(thread, intake.source, (new,))])
        return receipt

    def edit(self, thread_id: int, text: str, files: Files | None = None) -> tuple[Delivery, ...]:
        """Replace the text of a thread that has not begun; one with warnings is held.

        `files` are those that came with it. Raises InputError, NotFoundError, NotAllowedError.
        """
        before = self._database.reading.thread(thread_id).thread
        new = self.attached(understand(Sentence("the new text"), text.encode(), files=files), before)
        return self._rewrite(thread_id, before, only_thread(new))

    def settings(self, thread_id: int, values: Mapping[str, str | None]) -> tuple[Delivery, ...]:
        """Change settings of a thread that has not begun; None takes one away.

        Raises InputError, NotFoundError, NotAllowedError.
        """
        for name in AT_ADDING.keys() & values.keys():
            raise InputError(_(AT_ADDING[name]))
        before = self._database.reading.thread(thread_id).thread
        return self._rewrite(thread_id, before, settled(before, values))

    def _rewrite(self, thread_id: int, before: Thread, thread: Thread) -> tuple[Delivery, ...]:
        signed = self._context.signature()
        channels = {channel.name: channel for channel in self._context.channels}
        reasons: dict[int, tuple[str, Code]] = {}
        faults: dict[int, str] = {}
        for one in self._database.reading.deliveries(thread_id=thread_id):
            if one.channel in channels:
                was = _fault(self._context, before, channels[one.channel])[0]
                now, code = _fault(self._context, thread, channels[one.channel])
                faults[one.id] = now
                # It was held for its text: is it still?
                if was and one.reason and one.code in {Code.NONE, Code.CONTENT}:
                    reasons[one.id] = (now, code) if now else (UNCONFIRMED, Code.UNCONFIRMED)
        edited = self._database.threads.edit(thread_id, thread, **signed, reasons=reasons)
        held = tuple(
            self._database.changes.apply(one.id, Event.HOLD, **signed, reason=faults[one.id])
            if one.state is DeliveryState.QUEUED and faults.get(one.id)
            else one
            for one in edited
        )
        self._context.wake([one.channel for one in held])
        return held

    def extend(self, thread_id: int, intake: Intake) -> tuple[Delivery, ...]:
        """Append parts to a thread: what is published goes on from its last post.

        Raises InputError, NotFoundError, NotAllowedError.
        """
        before = self._database.reading.thread(thread_id).thread
        thread, count = continued(before, intake), len(before.parts)
        # Another file may have the name of one that is there already.
        new = replace(intake, threads=(replace(thread, parts=thread.parts[count:]),))
        (parts,) = (one.parts for one in self.attached(new).threads)
        thread = with_files(replace(thread, parts=(*before.parts, *parts)), {})
        channels = [one.channel for one in self._context.deliveries(thread_id)]
        if fault := self._context.undescribed(parts, channels):
            raise InputError(Sentence("{source}: {fault}", source=intake.source, fault=fault))
        extended = self._database.threads.extend(thread_id, thread, **self._context.signature())
        self._context.wake([one.channel for one in extended])
        return extended

    def keep_file(self, name: str, content: BinaryIO) -> Media:
        """Keep a file that came by itself, as a text can show it. Raises InputError."""
        try:
            return self._context.attacher.keep(name, content)
        except AwayError as error:
            raise NotNowError(str(error)) from None
        except MediaError as error:
            raise InputError(str(error)) from None

    @contextmanager
    def file(self, thread_id: int, number: int) -> Iterator[tuple[Media, Path]]:
        """Yield a file that a thread shows, the first is 1, and where it can be read.

        Raises NotFoundError, and MediaError where it cannot be had now.
        """
        media = self._database.reading.thread(thread_id).thread.media
        shown = media[number - 1 : number]
        if not shown or shown[0].file is None:
            raise UnknownThreadError(Problem.NO_FILE, thread=thread_id, names=[str(number)])
        with self._context.attacher.opened(shown[0].file, shown[0].name) as path:
            yield shown[0], path

    def unpacked(self, name: str, content: bytes) -> Intake:
        """Return the texts of an archive as one, its files kept. Raises InputError."""
        return together(name, [self.attached(one) for one in unpack(name, BytesIO(content))])

    def remove(self, thread_id: int) -> None:
        """Forget a thread of which nothing was sent. Raises NotFoundError, NotAllowedError."""
        self._database.threads.remove(thread_id, **self._context.signature())

    def attached(self, intake: Intake, before: Thread | None = None) -> Intake:
        """Return a text whose threads know their files, those of the thread that was there `before` too.

        What came with the text replaces what had its name before. Raises InputError.
        """
        if before is not None:
            given = [one.source for one in before.media if _came_with(intake, one.source)]
            known = tuple(with_files_as(before, thread, given) for thread in intake.threads)
            intake = replace(intake, threads=known)
        return with_files_of(intake, self._context.attacher)

    def _add(
        self,
        new: Sequence[NewThread],
        *,
        again: bool = False,
        since: datetime | None = None,
        once: Once[Receipt] | None = None,
    ) -> tuple[Receipt, ...]:
        context, signed = self._context, self._context.signature()
        kept = None
        if once is not None:
            said = once.said
            kept = Once[Added](once.page, once.proof, lambda added: said(_receipts(context, new, added)))
        added = self._database.threads.add(new, **signed, again=again, since=since, once=kept)
        self._context.wake({each.channel for one in added for each in one.deliveries})
        return _receipts(context, new, added)

    def _new(
        self,
        thread: Thread,
        channel: Channel,
        at: datetime | None,
        *,
        held: str,
        code: Code = Code.NONE,
        confirm: bool = False,
        approved: bool = False,
    ) -> NewDelivery:
        reason = held
        fault, kind = _fault(self._context, thread, channel)
        if fault and (thread.warnings or not held):
            reason, code = fault, kind
        elif not held and channel.name in self._context.holds and not approved:
            reason = APPROVAL if thread.settings.hold is None else UNLIFTED
        elif not held and confirm and at is None and not self._context.rhythms[channel.name].is_scheduled:
            reason, code = UNCONFIRMED, Code.UNCONFIRMED
        state = DeliveryState.HELD if reason else DeliveryState.QUEUED
        due = at or self._context.clock()
        return NewDelivery(channel.name, state, due, reason, own_time=at is not None, code=code)


def _receipts(
    context: RequestContext, new: Sequence[NewThread], added: Sequence[Added]
) -> tuple[Receipt, ...]:
    channels = {channel.name: channel for channel in context.channels}

    def seen(one: Added, thread: Thread) -> Mapping[str, int]:
        found = {each.channel: seen_of(channels[each.channel], len(thread.parts)) for each in one.deliveries}
        return {name: number for name, number in found.items() if number is not None}

    return tuple(
        Receipt(one.source, one.thread, each, seen(each, one.thread))
        for one, each in zip(new, added, strict=True)
    )


def _fault(context: RequestContext, thread: Thread, channel: Channel) -> tuple[str, Code]:
    """What of a text a person has to judge before it is public on a channel; empty for nothing."""
    if thread.warnings:
        reason = noticed(thread.warnings[0])
        if more := len(thread.warnings) - 1:
            reason = Sentence("{notice} (and {n} more)", notice=reason, n=more)
        return reason, Code.NONE
    if thread.media:
        from threadcast.queue.compose.compose import untaken  # noqa: PLC0415  # few threads show files

        if fault := untaken(thread, channel.files.takes):
            return fault, Code.CONTENT
    if channel.name in context.describes and (lacks := _undescribed(thread)):
        return noticed(lacks), Code.NONE
    return "", Code.NONE


def _came_with(intake: Intake, source: str) -> bool:
    """Whether a file of this name came with a text."""
    if intake.files is None:
        return False
    with suppress(MediaError), intake.files.opened(source):
        return True
    return False


def _undescribed(thread: Thread) -> Notice | None:
    """The notice that files have no description."""
    return next((one for one in thread.notices if one.kind is NoticeKind.NO_DESCRIPTION), None)


def settled(thread: Thread, values: Mapping[str, str | None]) -> Thread:
    """Return a thread with these settings; None takes one away. Raises InputError."""
    try:
        return with_settings(thread, values)
    except SettingError as error:
        if not error.name:
            raise InputError(_("its settings cannot be read as they stand: edit its text first")) from None
        raise InputError(setting_refused(error.name, error.value)) from None


def adoptable(intake: Intake, parts: int) -> Thread:
    """The thread of a text, of which the first `parts` parts can be out and others not. Raises InputError."""
    thread = only_thread(intake)
    if not 0 < parts < len(thread.parts):
        count = len(thread.parts)
        raise InputError(
            Sentence(
                "{source} has {count} parts: of these 1 to {count2} can be out",
                source=intake.source,
                count=count,
                count2=count - 1,
            )
        )
    if not (has_text(thread.parts[:parts]) and has_text(thread.parts[parts:])):
        raise InputError(
            Sentence(
                "{source} has no text in its first {parts} parts, or none after them: give every "
                "part as it was posted, or will be",
                source=intake.source,
                parts=parts,
            )
        )
    return thread
