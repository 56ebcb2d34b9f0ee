"""The same facts in words, once for every face."""

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from threadcast.bot.languages import N_, _, ngettext, translated
from threadcast.bot.languages.dates import weekday, written
from threadcast.bot.languages.numbers import number as counted
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.errors import InputError, Problem, RequestError
from threadcast.config.schedule.words import WhenCode, WhenError
from threadcast.queue.errors import Fault, QueueError
from threadcast.queue.model import Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import DeliveryState, Event

STATES = {
    DeliveryState.HELD: N_("held"),
    DeliveryState.QUEUED: N_("queued"),
    DeliveryState.PUBLISHING: N_("publishing"),
    DeliveryState.UNSURE: N_("unsure"),
    DeliveryState.PUBLISHED: N_("published"),
    DeliveryState.FAILED: N_("failed"),
    DeliveryState.CANCELLED: N_("cancelled"),
    DeliveryState.WITHDRAWN: N_("withdrawn"),
}
STOPPED = {DeliveryState.PUBLISHING: N_("stopping"), DeliveryState.FAILED: N_("stopped")}
SENT_BACK = N_("returned")  # held, by who was asked to approve it
CELLS = 10  # of a progress bar
TIMES = N_("tomorrow 9:00, fri 18:30, 24 dec 18:30 or in 2h")  # how a person may write a time
NAMED = 5  # of many channels

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


TIME_REFUSED = {
    WhenCode.UNREADABLE: N_("{text} is no time that I can read; write it as {times}"),
    WhenCode.NO_TIME_OF_DAY: N_("{text} needs a time of the day, too: {example} 18:30"),
    WhenCode.PASSED: N_("{text} has passed; write a time to come, as {times}"),
    WhenCode.TOO_FAR: N_("{text} is more than a year away; write a time before that"),
    WhenCode.TWO_DAYS: N_("“next {weekday}” may be {first} or {second}; write the date, as {first} 18:30"),
    WhenCode.DAY_PASSED: N_("that day has passed; if you mean next year's, write {day} {year} 18:30"),
    WhenCode.OTHER_WEEKDAY: N_("{day} is a {weekday}; write the date alone, or the right day"),
}


def time_refused(error: WhenError) -> str:
    """Return why a time is refused, and what to write instead, with days as the language here has them."""
    shown = Sentence("“{text}”", text=error.text) if error.text else Sentence("that")
    about: dict[str, object] = {"text": shown, "times": Sentence(TIMES), "example": error.text}
    if error.days:
        day, of_week = error.days[0], weekday(error.days[0])
        # As it is read again when it is typed.
        first, *others = [_("{day:%-d %b}").format(day=one).lower() for one in error.days]
        about |= {"day": first, "year": day.year, "weekday": of_week}
        if error.code is WhenCode.TWO_DAYS:
            about |= {"weekday": of_week.lower(), "first": first, "second": others[0]}
        elif error.code is WhenCode.OTHER_WEEKDAY:
            about["day"] = written(day, "yMMMd", "%-d %b %Y")
    return Sentence(TIME_REFUSED[error.code], **about)


@dataclass(frozen=True, slots=True)
class Face:
    """Where something is said, and how a command is written there.

    Commands are given as in a shell. `elsewhere` are those that are typed in a shell alone, `names` those of
    another name.
    """

    prefix: str
    option: str  # in front of a word that is an option in a shell
    name_one: str  # of several channels
    elsewhere: Collection[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def command(self, *words: object) -> str:
        """Return a command as it is typed."""
        typed = " ".join(map(str, words)).split()
        if typed[0] in self.elsewhere:
            return SHELL.command(*typed)
        if not self.option:
            typed = [one.removeprefix("--") for one in typed if one not in CHANNEL_OPTIONS]
        said = " ".join(typed)
        return self.prefix + self.names.get(said, said)


# What an event is asked for with; more parts need a file.
_COMMANDS = {
    Event.HOLD: "hold {id}",
    Event.RELEASE: "release {id}",
    Event.SCHEDULE: "publish {id} --now",
    Event.STOP: "stop {id}",
    Event.CANCEL: "cancel {id}",
    Event.RETRY: "retry {id}",
    Event.SKIP: "skip {id}",
    Event.SETTLE: "settle {id} not-sent",
    Event.WITHDRAW: "undo {id}",
}

CHANNEL_OPTIONS = frozenset({"--channel", "-c"})  # a chat has channels by their names alone
SHELL = Face("threadcast ", "--", N_("name one with --channel"))
CHAT = Face(
    "/",
    "",
    N_("name one of them behind it"),
    elsewhere=frozenset({"check", "migrate", "restore"}),
    names={"add continue": "continue"},
)


def sentence(error: Exception, face: Face) -> str:
    """Return what is said of an error: which thing, why, and what can be done."""
    match error:
        case RequestError():
            return _request_refused(error, face)
        case InputError(encoding=str(encoding)) if encoding and face is SHELL:
            return _("{error}, or use: --encoding {encoding}").format(
                error=translated(str(error)), encoding=encoding
            )
        case InputError():
            return translated(str(error))
        case QueueError():
            return error.said(face.command, _)
        case WhenError():
            return translated(time_refused(error))
        case _:
            return str(error)


def _request_refused(error: RequestError, face: Face) -> str:  # noqa: C901, PLR0911, PLR0912  # one each
    thread, channel = error.thread, error.channel
    names = several(error.names)
    cause = sentence(error.cause, face) if isinstance(error.cause, Exception) else translated(error.cause)
    match error.problem:
        case Problem.UNKNOWN_CHANNEL:
            return _("there is no channel called {channel}; {which}: {names}").format(
                channel=channel, which=cause or _("configured"), names=names
            )
        case Problem.NEVER_MEANT:
            return _("thread {thread} was never meant for {names}; see: {command}").format(
                thread=thread, names=names, command=face.command("show", thread)
            )
        case Problem.NEVER_WAS:
            return _("there never was a thread {thread}; see all: {command}").format(
                thread=thread, command=face.command("events")
            )
        case Problem.NO_FILE:
            return _("thread {thread} shows no file {names}; see: {command}").format(
                thread=thread, names=names, command=face.command("show", thread)
            )
        case Problem.NOWHERE:
            return "\n".join(sentence(one, face) for one in error.refusals)
        case Problem.NOT_HERE:
            return _not_here(error, face)
        case Problem.NOT_A_POST:
            return _("{names} is not accepted for {channel}: {cause}").format(
                names=names, channel=channel, cause=cause
            )
        case Problem.NOT_THE_POST:
            said = _("{name} on {channel} may be another post: {cause}").format(
                name=error.names[0], channel=channel, cause=cause
            )
            again = _("if it is the right one all the same, add {option}").format(
                option=f"{face.option}force"
            )
            return f"{said}; {again}" if face.option else said
        case Problem.NOT_SEEN:
            return _("thread {thread} on {channel} could not be looked at: {cause}").format(
                thread=thread, channel=channel, cause=cause
            )
        case Problem.BEHIND_ITSELF:
            return _("thread {thread} cannot go behind itself; name another thread").format(thread=thread)
        case Problem.ELSEWHERE:
            return _("thread {thread} is not meant for {channel}").format(thread=thread, channel=channel)
        case Problem.QUEUED:
            return _(
                "thread {thread} is queued already, and goes out in its turn; "
                "to publish it at once: {command}"
            ).format(thread=thread, command=face.command("publish", thread, "--now"))
        case Problem.NO_SLOTS:
            times = f'{face.option}each "daily 9:00"' if face.option else "daily 9:00"
            return _(
                "thread {thread} waits on no channel with a schedule, so there is no slot for it; "
                "for a time: {command}"
            ).format(thread=thread, command=face.command("at", thread, times))
        case Problem.SAME_TEXT:
            (twin,) = error.deliveries
            return _(
                "the text of thread {thread} is on {channel} already, "
                "{state} as thread {other}; see: {command}"
            ).format(
                thread=thread,
                channel=twin.channel,
                state=_(STATES[twin.state]),
                other=twin.thread_id,
                command=face.command("show", twin.thread_id),
            )
        case Problem.NOT_ONE_UNSURE:
            unsure = sum(one.state is DeliveryState.UNSURE for one in error.deliveries)
            where = ", ".join(f"{one.channel}: {_(STATES[one.state])}" for one in error.deliveries)
            if not unsure:
                return _(
                    "thread {thread} is unsure on no channel ({where}); there is nothing to settle"
                ).format(thread=thread, where=where)
            return ngettext(
                "thread {thread} is unsure on {n} channels ({where}); {wish}",
                "thread {thread} is unsure on {n} channels ({where}); {wish}",
                unsure,
            ).format(thread=thread, n=unsure, where=where, wish=_(face.name_one))
        case _:
            return _not_correctable(error, face)


# Why what is out cannot become what a new text says, and what can be done.
IN_PLACE = {
    Problem.REMOVED: N_(
        "the new text of thread {thread} has {parts} parts, and {out} are out: no post can be taken"
        " out of a chain; leave every part in, or take it down and publish it anew: {command}"
    ),
    Problem.INSERTED: N_(
        "part {part} of thread {thread} is new, and nothing can be put into the middle of a chain:"
        " add it at the end, or take it down and publish it anew: {command}"
    ),
    Problem.MISFIT: N_(
        "part {part} of thread {thread} does not fit on {channel} where it is: it has to stay as many"
        " posts as it was, with the same numbers; shorten it, say more in a part at the end, or take"
        " it down and publish it anew: {command}"
    ),
    Problem.FILE_COUNT: N_(
        "part {part} of thread {thread} shows more files, or fewer, than on {channel}, where each can"
        " only be replaced by another: leave as many in, show more in a part at the end, or take it"
        " down and publish it anew: {command}"
    ),
    Problem.FILE_FAMILY: N_(
        "part {part} of thread {thread} is an album on {channel}, where photos and videos can only be"
        " replaced by such, recordings by recordings, documents by documents: take another file, or"
        " take it down and publish it anew: {command}"
    ),
    Problem.FILE_FIXED: N_(
        "part {part} of thread {thread}: on {channel} a voice message stays as it is, and nothing"
        " becomes one: leave it, or take it down and publish it anew: {command}"
    ),
    Problem.FIXED: N_(
        "the setting {name} of thread {thread} stays as it was when it went out: leave it, or take it"
        " down and publish it anew: {command}"
    ),
    Problem.BY_HAND: N_(
        "part {part} of thread {thread} was posted on {channel} by hand, and its post is not known"
        " here: leave it as it was, and edit it there by hand"
    ),
}


def _not_correctable(error: RequestError, face: Face) -> str:
    part, command = error.names[0], face.command("undo", error.thread)
    named = {"parts": part, "out": error.names[-1], "name": part, "channel": error.channel}
    return _(IN_PLACE[error.problem]).format(part=part, thread=error.thread, command=command, **named)


def _not_here(error: RequestError, face: Face) -> str:
    here = _("thread {thread} on {channel}").format(thread=error.thread, channel=error.channel)
    match error.cause:
        case QueueError(code=Fault.STATE) as cause:
            return f"{here}: {_not_now(cause, error.thread, error.channel, face)}"
        case QueueError(code=Fault.GOES_ON | Fault.NOT_ASKED) as cause:
            return f"{here}: {sentence(cause, face)}"
        case RequestError() | QueueError() as cause:  # names the place itself
            return sentence(cause, face)
    return f"{here}: {translated(str(error.cause))}"


def _not_now(error: QueueError, thread: int, channel: str, face: Face) -> str:
    """Return that a state does not allow an event, with the commands for what it allows."""
    wishes = error.about["possible"]
    assert isinstance(wishes, tuple)  # noqa: S101  # `states.follow` says so
    # Elsewhere it would correct what was settled, if anything was.
    is_unsure = error.about["state"] is DeliveryState.UNSURE
    possible = tuple(
        face.command(_COMMANDS[wish].format(id=thread), "-c", channel)
        for wish in wishes
        if wish in _COMMANDS
        and (wish is not Event.SETTLE or is_unsure)  # else it would correct what is settled
    )
    return QueueError(error.code, **error.about | {"possible": possible}).said(face.command, _)


def waits(one: Forecast, face: Face) -> str:
    """Return why a delivery starts then, or waits for a person, and what to type about it."""
    why = translated(one.why)
    return f"{why}; {face.command(one.command)}" if one.command else why


def stands(one: Delivery) -> str:
    """Return how a delivery stands in short, in English: its state, or what a person made of it."""
    if one.code is Code.PERSON:
        return STOPPED.get(one.state, one.state)
    return SENT_BACK if one.code is Code.SENT_BACK and one.state is DeliveryState.HELD else one.state


def exactly(moment: datetime, zone: ZoneInfo) -> str:
    """Return date and time in full: `Fri 27 Nov 2026, 18:30 CET`."""
    local = moment.astimezone(zone)
    return f"{written(local, 'yMMMEd', '%a %-d %b %Y')}, {local:%H:%M %Z}"


def on_day(day: date) -> str:
    """Return a day: `Mon 2 Mar 2026`."""
    return written(datetime.combine(day, time()), "yMMMEd", "%a %-d %b %Y")


def shortly(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a moment in short: `18:30`, `tomorrow 09:00`, `Fri 27 Nov 09:00`, `2 Jan 2027 09:00`."""
    local, today = moment.astimezone(zone), now.astimezone(zone)
    clock = f"{local:%H:%M}"
    match (local.date() - today.date()).days:
        case 0:
            return clock
        case 1:
            return _("tomorrow {time}").format(time=clock)
        case -1:
            return _("yesterday {time}").format(time=clock)
    if local.year == today.year:
        return f"{written(local, 'MMMEd', '%a %-d %b')} {clock}"
    return f"{written(local, 'yMMMd', '%-d %b %Y')} {clock}"


def lasting(span: timedelta) -> str:
    """Return how long something takes, roughly: `a few seconds`, `2 min`, `3 h`, `2 days`."""
    seconds = span.total_seconds()
    if seconds < 10:  # noqa: PLR2004
        return _("a few seconds")
    if seconds < 90:  # noqa: PLR2004
        return _("{n} s").format(n=round(seconds / 5) * 5)
    minutes = round(seconds / 60)
    if minutes < 90:  # noqa: PLR2004
        return _("{n} min").format(n=minutes)
    hours = round(minutes / 60)
    if hours < 48:  # noqa: PLR2004
        return _("{n} h").format(n=hours)
    days = round(hours / 24)
    return ngettext("{n} day", "{n} days", days).format(n=days)


def bar(done: int, of: int) -> str:
    """Return how far something is: `▰▰▰▱▱▱▱▱▱▱`. Full only where all is done."""
    cells = min(CELLS * done // of, CELLS) if of else 0
    return "▰" * cells + "▱" * (CELLS - cells)


def several(names: Iterable[str]) -> str:
    """Return `news, masto`; of many names the first few, and how many more there are."""
    shown = list(dict.fromkeys(names))
    rest = len(shown) - NAMED
    if rest <= 1:
        return ", ".join(shown)
    return ngettext("{names} and {n} more", "{names} and {n} more", rest).format(
        names=", ".join(shown[:NAMED]), n=counted(rest)
    )


def alike(many: Iterable[T], said: Callable[[T], K]) -> dict[K, list[T]]:
    """Return those of which the same is said together, in the order of the first of each."""
    groups: dict[K, list[T]] = {}
    for one in many:
        groups.setdefault(said(one), []).append(one)
    return groups


def count(number: int, what: str, many: str = "") -> str:
    """Return `1 part`, `3 parts`, in English; `many` is a plural that has no s behind it."""
    return f"{number} {what if number == 1 else many or f'{what}s'}"


def parts(number: int) -> str:
    """Return `1 part`, `3 parts`."""
    return ngettext("{n} part", "{n} parts", number).format(n=number)


def posts(number: int) -> str:
    """Return `1 post`, `3 posts`."""
    return ngettext("{n} post", "{n} posts", number).format(n=number)


def threads(number: int) -> str:
    """Return `1 thread`, `3 threads`."""
    return ngettext("{n} thread", "{n} threads", number).format(n=number)


def listed(words: Sequence[str]) -> str:
    """Return `1`, `1 and 3`, `1, 3 and 5`."""
    *most, last = words or ("",)
    return _("{most} and {last}").format(most=", ".join(most), last=last) if most else last
