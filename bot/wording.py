"""The same facts in words, once for every face."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from threadcast.bot.plain import quoted
from threadcast.bot.requests.errors import Problem, RequestError
from threadcast.bot.requests.input import InputError
from threadcast.config.schedule.words import WEEKDAYS, WhenCode, WhenError
from threadcast.queue.errors import Fault, QueueError
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState, Event
from threadcast.queue.text.thread import Notice, NoticeKind

STOPPED = {DeliveryState.PUBLISHING: "stopping", DeliveryState.FAILED: "stopped"}
CELLS = 10  # of a progress bar
TIMES = "tomorrow 9:00, fri 18:30, 24 dec 18:30 or in 2h"  # how a person may write a time
NAMED = 5  # of many channels

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


def time_refused(error: WhenError) -> str:  # noqa: PLR0911  # one each
    """Return why a time is refused, and what to write instead."""
    shown = f"“{error.text}”" if error.text else "that"
    days = [f"{day:%-d %b}".lower() for day in error.days]
    match error.code:
        case WhenCode.UNREADABLE:
            return f"{shown} is no time that I can read; write it as {TIMES}"
        case WhenCode.NO_TIME_OF_DAY:
            return f"{shown} needs a time of the day, too: {error.text} 18:30"
        case WhenCode.PASSED:
            return f"{shown} has passed; write a time to come, as {TIMES}"
        case WhenCode.TOO_FAR:
            return f"{shown} is more than a year away; write a time before that"
        case WhenCode.TWO_DAYS:
            weekday = WEEKDAYS[error.days[0].weekday()]
            return f"“next {weekday}” may be {days[0]} or {days[1]}; write the date, as {days[0]} 18:30"
        case WhenCode.DAY_PASSED:
            year = error.days[0].year
            return f"that day has passed; if you mean next year's, write {days[0]} {year} 18:30"
        case WhenCode.OTHER_WEEKDAY:
            day = error.days[0]
            return f"{day:%-d %b %Y} is a {day:%A}; write the date alone, or the right day"


@dataclass(frozen=True, slots=True)
class Face:
    """Where something is said, and how a command is written there."""

    prefix: str
    option: str  # in front of a word that is an option in a shell
    name_one: str  # of several channels

    def on(self, channel: str) -> tuple[str, ...]:
        """Return the words that name a channel behind a command."""
        return ("-c", channel) if self.option else (channel,)

    def command(self, *words: object) -> str:
        """Return a command as it is typed."""
        return self.prefix + " ".join(map(str, words))


# What an event is asked for with; more parts need a file.
_COMMANDS = {
    Event.HOLD: "hold {id}",
    Event.RELEASE: "release {id}",
    Event.SCHEDULE: "publish {id} {now}",
    Event.STOP: "stop {id}",
    Event.CANCEL: "cancel {id}",
    Event.RETRY: "retry {id}",
    Event.SKIP: "skip {id}",
    Event.SETTLE: "settle {id} not-sent",
    Event.WITHDRAW: "undo {id}",
}

SHELL = Face("threadcast ", "--", "name one with --channel")
CHAT = Face("/", "", "name one of them behind it")


def sentence(error: Exception, face: Face) -> str:
    """Return what is said of an error: which thing, why, and what can be done."""
    match error:
        case RequestError():
            return _request_refused(error, face)
        case InputError(encoding=str(encoding)) if encoding and face is SHELL:
            return f"{error}, or use: --encoding {encoding}"
        case QueueError():
            return error.said(face.command)
        case _:
            return str(error)


def _request_refused(error: RequestError, face: Face) -> str:  # noqa: C901, PLR0911, PLR0912  # one each
    thread, channel = f"thread {error.thread}", error.channel
    names = several(error.names)
    cause = sentence(error.cause, face) if isinstance(error.cause, Exception) else error.cause
    match error.problem:
        case Problem.UNKNOWN_CHANNEL:
            return f"there is no channel called {channel}; {cause or 'configured'}: {names}"
        case Problem.NEVER_MEANT:
            return f"{thread} was never meant for {names}; see: {face.command('show', error.thread)}"
        case Problem.NEVER_WAS:
            return f"there never was a {thread}; see all: {face.command('events')}"
        case Problem.NOWHERE:
            return "\n".join(sentence(one, face) for one in error.refusals)
        case Problem.NOT_HERE:
            return _not_here(error, face)
        case Problem.NOT_A_POST:
            return f"{names} is not accepted for {channel}: {cause}"
        case Problem.NOT_THE_POST:
            again = f"; if it is the right one all the same, add {face.option}force" if face.option else ""
            return f"{error.names[0]} on {channel} may be another post: {cause}{again}"
        case Problem.NOT_SEEN:
            return f"{thread} on {channel} could not be looked at: {cause}"
        case Problem.BEHIND_ITSELF:
            return f"{thread} cannot go behind itself; name another thread"
        case Problem.ELSEWHERE:
            return f"{thread} is not meant for {channel}"
        case Problem.QUEUED:
            at_once = face.command("publish", error.thread, f"{face.option}now")
            return f"{thread} is queued already, and goes out in its turn; to publish it at once: {at_once}"
        case Problem.SAME_TEXT:
            (twin,) = error.deliveries
            there = f"{twin.state} as thread {twin.thread_id}"
            see = face.command("show", twin.thread_id)
            return f"the text of {thread} is on {twin.channel} already, {there}; see: {see}"
        case Problem.NOT_ONE_UNSURE:
            unsure = sum(one.state is DeliveryState.UNSURE for one in error.deliveries)
            where = ", ".join(f"{one.channel}: {one.state}" for one in error.deliveries)
            count = f"{unsure} channels" if unsure else "no channel"
            wish = face.name_one if unsure else "there is nothing to settle"
            return f"{thread} is unsure on {count} ({where}); {wish}"


def _not_here(error: RequestError, face: Face) -> str:
    here = f"thread {error.thread} on {error.channel}"
    match error.cause:
        case RequestError() as cause:
            return f"{here}: {sentence(cause, face)}"
        case QueueError(code=Fault.STATE) as cause:
            return f"{here}: {_not_now(cause, error.thread, error.channel, face)}"
        case QueueError() as cause:  # names the place itself
            return sentence(cause, face)
    return f"{here}: {error.cause}"


def _not_now(error: QueueError, thread: int, channel: str, face: Face) -> str:
    """Return that a state does not allow an event, with the commands for what it allows."""
    wishes = error.about["possible"]
    assert isinstance(wishes, tuple)  # noqa: S101  # `states.follow` says so
    # Elsewhere it would correct what was settled, if anything was.
    is_unsure = error.about["state"] is DeliveryState.UNSURE
    possible = tuple(
        face.command(_COMMANDS[wish].format(id=thread, now=f"{face.option}now"), *face.on(channel))
        for wish in wishes
        if wish in _COMMANDS
        and (wish is not Event.SETTLE or is_unsure)  # else it would correct what is settled
    )
    return QueueError(error.code, **error.about | {"possible": possible}).said(face.command)


def stands(one: Delivery) -> str:
    """Return how a delivery stands in one word: its state, or that a person stopped it."""
    if one.code is Code.PERSON:
        return STOPPED.get(one.state, one.state)
    return one.state


def exactly(moment: datetime, zone: ZoneInfo) -> str:
    """Return date and time in full: `Fri 27 Nov 2026, 18:30 CET`."""
    return f"{moment.astimezone(zone):%a %-d %b %Y, %H:%M %Z}"


def shortly(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a moment in short: `18:30`, `tomorrow 09:00`, `Fri 27 Nov 09:00`, `2 Jan 2027 09:00`."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    days = (local.date() - today.date()).days
    if days == 0:
        return f"{local:%H:%M}"
    if days in {1, -1}:
        return f"{'tomorrow' if days > 0 else 'yesterday'} {local:%H:%M}"
    return f"{local:%a %-d %b %H:%M}" if local.year == today.year else f"{local:%-d %b %Y %H:%M}"


def lasting(span: timedelta) -> str:
    """Return how long something takes, roughly: `a few seconds`, `2 min`, `3 h`, `2 days`."""
    seconds = span.total_seconds()
    if seconds < 10:  # noqa: PLR2004
        return "a few seconds"
    if seconds < 90:  # noqa: PLR2004
        return f"{round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 90:  # noqa: PLR2004
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else count(round(hours / 24), "day")  # noqa: PLR2004


def bar(done: int, of: int) -> str:
    """Return how far something is: `▰▰▰▱▱▱▱▱▱▱`. Full only where all is done."""
    cells = min(CELLS * done // of, CELLS) if of else 0
    return "▰" * cells + "▱" * (CELLS - cells)


def several(names: Iterable[str]) -> str:
    """Return `news, masto`; of many names the first few, and how many more there are."""
    shown = list(dict.fromkeys(names))
    rest = len(shown) - NAMED
    return ", ".join(shown) if rest <= 1 else f"{', '.join(shown[:NAMED])} and {rest:,} more"


def alike(many: Iterable[T], said: Callable[[T], K]) -> dict[K, list[T]]:
    """Return those of which the same is said together, in the order of the first of each."""
    groups: dict[K, list[T]] = {}
    for one in many:
        groups.setdefault(said(one), []).append(one)
    return groups


def count(number: int, what: str, many: str = "") -> str:
    """Return `1 part`, `3 parts`; `many` is a plural that has no s behind it."""
    return f"{number} {what if number == 1 else many or f'{what}s'}"


_NOTICES = {
    NoticeKind.PREAMBLE: "the text before {part} is kept, and not posted",
    NoticeKind.MISSING: "{missing} missing {between}",
    NoticeKind.REPEAT: "{part} has the number of the part before it ({behind})",
    NoticeKind.STEP_BACK: "{part} stands after {other}",
    NoticeKind.EMPTY_PART: "{part} has no text",
    NoticeKind.TRAILING: "the text after the last marker, {other}, follows as a part without number",
    NoticeKind.WRONG_TOTAL: "the markers announce {total}; the last one is {part}",
    NoticeKind.NOT_READ: "{part} has the next number in another form: it is read as text of {other}",
    NoticeKind.AFTER_END: "what stands after the end is left out: {text}",
    NoticeKind.READER_LINES: "what a page shows round the thread is left out: {text}",
    NoticeKind.LOOKS_NUMBERED: "{lines} look numbered, and are one part; the nearest marker is {form}",
    NoticeKind.HTML_ENTITIES: "{entities} will be posted as written; {text} may be meant",
    NoticeKind.NO_END_MARK: "no end mark (/end, END, /fin, 🔚 or N/N) in the last part",
    NoticeKind.SINGLE_PART: "the thread has a single part",
}


def noticed(notice: Notice) -> str:
    """Return what the parser noticed, without its line."""
    if not (notice.lines or notice.kind in {NoticeKind.NO_END_MARK, NoticeKind.SINGLE_PART}):
        return notice.kind.replace("-", " ")  # of a thread that was stored by an earlier version
    named = zip(notice.markers, notice.lines, strict=False)
    names = [f"{' '.join(marker.split())} (line {line})".strip() for marker, line in named]
    part, other = (*names, "", "")[:2]
    said = _NOTICES[notice.kind].format(
        part=part,
        other=other,
        between=f"between {other} and {part}" if other else f"before {part}",
        behind=_lines(notice.lines[1:]),
        lines=_lines(notice.lines),
        missing=_missing(notice.numbers),
        total="1 part" if notice.numbers == (1,) else f"{max(notice.numbers, default=0)} parts",
        entities=" and ".join(notice.markers),
        text=quoted(notice.text),
        form=notice.text,
    )
    # Between two threads, a preamble may as well be the end of the thread before it.
    return f"{said}: {quoted(notice.text)}" if notice.kind is NoticeKind.PREAMBLE and notice.text else said


def _missing(numbers: tuple[int, ...]) -> str:
    if len(set(numbers)) == 1:
        return f"number {numbers[0]} is"
    return f"numbers {numbers[0]} to {numbers[-1]} are" if numbers else ""


def _lines(lines: Sequence[int]) -> str:
    """Return `line 3`, `lines 3 and 5`, `lines 3 to 7`, or `lines 1, 3 and 5`."""
    if len(lines) < 2:  # noqa: PLR2004
        return f"line {lines[0]}" if lines else "a line"
    if len(lines) > 2 and lines[-1] - lines[0] == len(lines) - 1:  # noqa: PLR2004
        return f"lines {lines[0]} to {lines[-1]}"
    return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
