"""When a thread shall start: by typing, from a month of buttons, or as the reply to a question or a card."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar
from zoneinfo import ZoneInfo

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press, stamp
from threadcast.bot.chat.commands import About, Answer, Context, Request, UsageError, button_only, command
from threadcast.bot.chat.requests import changing
from threadcast.bot.chat.requests.wishes import read_wish
from threadcast.bot.chat.views import asking, calendar
from threadcast.bot.chat.views.asking import numbers
from threadcast.bot.chat.views.message import Message, esc
from threadcast.bot.languages import N_, _, language, ngettext, translated
from threadcast.bot.publishing.agenda import Agenda
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.changes import Changed
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.bot.requests.queries import read_times
from threadcast.bot.wording import CHAT, TIMES, exactly, time_refused, waits
from threadcast.config.schedule.languages import in_english
from threadcast.config.schedule.words import WhenCode, WhenError, parse_when
from threadcast.queue.states import Event

QUICK_TIMES = (
    (N_("In 1 hour"), "in 1h"),
    (N_("Tonight 18:00"), "today 18:00"),
    (N_("Tomorrow 9:00"), "tomorrow 9:00"),
)
SLOTS = "slots"  # in place of times: a slot each
MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

T = TypeVar("T")


@command(
    "at",
    who=Role.OWNER,
    guessed=False,
    about=About.THREADS,
    events=(Event.SCHEDULE,),
    takes=N_("ID time"),
    help=N_("Give a thread a time of its own"),
    more=N_(
        "/at 7 tomorrow 9:00\n/at 7 fri 18:30\n/at 7 24 dec 18:30\n/at 7 in 2h\n"
        "/at 3-7 daily 9:00  one each day; also mon-fri 9:00, every 2h\n"
        "/at 3-7 slots       a slot each, as their channels have them"
    ),
)
def at(context: Context, request: Request) -> Answer:
    """A time of its own. The words are the time."""
    text = " ".join(request.words)
    if not text:
        return when(context, request)
    times = in_english(text.lower(), language())
    if times == SLOTS:
        return each(context, replace(request, words=(SLOTS,)))
    try:
        moment = parse_when(text, now=context.clock(), zone=context.zone, language=language())
    except WhenError as error:
        if error.code is WhenCode.UNREADABLE and is_schedule(times):
            return each(context, replace(request, words=tuple(times.split())))
        raise UsageError(translated(time_refused(error))) from None
    return starts_at(context, request, moment, context.zone)


@button_only("when", who=Role.OWNER)
def when(context: Context, request: Request) -> Answer:
    """Which day? The words are a month, `2026-03`; without one it is the first that has a day to come."""
    agenda, asked = _asked(context, request)
    first, last = calendar.bounds(asked.now, agenda.zone)
    month = _read(f"{request.words[0]}-01", date.fromisoformat) if request.words else first
    shown = min(max(month, first), last).replace(day=1)
    said = calendar.month(asked, agenda, shown, _to_come(context, agenda.zone))
    # A question that was typed for hears a time as a reply; in place of a card, the card's replies go on.
    reply = Press("other-time", request.threads) if request.message is None else None
    return Answer(said, asked=reply)


@button_only("day", who=Role.OWNER)
def day(context: Context, request: Request) -> Answer:
    """Which hour? The words are a day, `2026-03-14`."""
    agenda, asked = _asked(context, request)
    on = _read(" ".join(request.words), date.fromisoformat)
    first, last = calendar.bounds(asked.now, agenda.zone)
    if not first <= on <= last:
        return when(context, replace(request, words=()))
    return Answer(calendar.day(asked, agenda, on))


@button_only("nothing", who=Role.EDITOR)
def nothing(context: Context, request: Request) -> Answer:  # noqa: ARG001  # as every request
    """What is behind a button that is there to be read."""
    return Answer(None)


@button_only("pick", who=Role.OWNER)
def pick(context: Context, request: Request) -> Answer:
    """A time that was picked; it is said by the clock by which it was picked."""
    agenda, _asks = _asked(context, request)
    return starts_at(context, request, _moment(context, request.words, agenda.zone), agenda.zone)


@button_only("other-time", who=Role.OWNER)
def other_time(context: Context, request: Request) -> Answer:
    """A question; what is replied to it are words of this request, behind the day that was shown."""
    agenda, asked = _asked(context, request)
    if request.message is None and request.words:
        return starts_at(context, request, _moment(context, request.words, agenda.zone), agenda.zone)
    on = "".join(request.words[:1])
    lines = [_("{threads} · When shall it start?").format(threads=numbers(request.threads))]
    lines += [
        _("As {times}").format(times="9:00, 18:30" if on else _(TIMES)),
        *calendar.by_clock(asked, agenda),
    ]
    question = Message("\n".join(lines), asks="18:30" if on else "tomorrow 9:00")
    return Answer(question, afresh=True, asked=Press("other-time", request.threads, request.words[:1]))


@button_only("each", who=Role.OWNER)
def each(context: Context, request: Request) -> Answer:
    """A time for each of several threads: shown, and asked, before it is set. The words are a schedule."""
    text, now = " ".join(request.words), context.clock()
    deliveries = changing.all_of(context.requests(request.sender), request.threads)
    titles = {one.thread_id: one.title for one in deliveries}
    asked = calendar.Asked(request.threads, stamp(deliveries), now)
    if text == SLOTS:
        found = context.requests(request.sender).queries.in_turn(request.threads)
        if not found:
            raise RefusedError(Problem.NO_SLOTS, thread=request.thread)
        times = [
            (
                f"#{one.delivery.thread_id} {one.delivery.channel}",
                _foreseen(one, context.zone),
                one.delivery.title,
            )
            for one in found
        ]
        yes = asked.button(_("Yes, a slot each"), "each-yes", SLOTS)
        return Answer(calendar.times(asked, times, yes, _("One a slot:")))
    since = (now - EPOCH) // MINUTE
    plan = _plan(context, request, since, text)
    times = [(f"#{one}", exactly(moment, context.zone), titles[one]) for one, moment in plan.items()]
    yes = asked.button(_("Yes, these times"), "each-yes", f"{since:x}", text)
    return Answer(calendar.times(asked, times, yes, _("One after the other:")))


@button_only("each-yes", who=Role.OWNER)
def each_yes(context: Context, request: Request) -> Answer:
    """Set what was shown. The words are the minute in which it was asked, and a schedule."""
    requests = context.requests(request.sender)
    since, *words = request.words or ("",)
    if since == SLOTS:
        return changing.change_each(context, request, requests.changes.in_turn)
    minute = _read(since, partial(int, base=16))
    plan = _plan(context, request, minute, " ".join(words))
    if min(plan.values()) <= context.clock():
        anew = each(context, replace(request, words=tuple(words)))
        return replace(anew, toast=_("The first of these times has passed: here is a new list."))

    def change(one: int) -> Changed:
        return requests.changes.apply(one, Event.SCHEDULE, due=plan[one])

    return changing.change_each(context, replace(request, threads=tuple(plan)), change)


def is_schedule(text: str) -> bool:
    """Whether words are times for several threads, one after the other."""
    try:
        return bool(read_times(text))
    except ValueError:
        return False


def starts_at(
    context: Context, request: Request, moment: datetime, zone: ZoneInfo, *, channels: Sequence[str] = ()
) -> Answer:
    """Give threads a time of their own, on these channels or on all; it is said by the clock of a zone."""
    apply = context.requests(request.sender).changes.apply
    change = partial(apply, event=Event.SCHEDULE, due=moment, channels=channels)

    def start(number: int, threads: str, where: str) -> str:
        said = ngettext(
            "{threads} on {channels} starts {moment}.", "{threads} on {channels} start {moment}.", number
        )
        return said.format(threads=threads, channels=where, moment=exactly(moment, zone))

    return changing.change_each(context, request, change, start)


@button_only("wish", who=Role.OWNER)
def wish(context: Context, request: Request) -> Answer:
    """What was replied to the card of a thread."""
    names = [channel.name for channel in context.channels]
    one = read_wish(" ".join(request.words), names, context.clock(), context.zone)
    if one.refused:
        raise UsageError(translated(one.refused))
    if one.is_name:
        rest = [word for word in " ".join(request.words).lower().replace(",", " ").split() if word != one.odd]
        asked = _("There is no channel called {name}. Which one is meant? Nothing changes until you say.")
        buttons = asking.one_of(names, "wish", request.threads, *rest)
        return Answer(Message(esc(asked.format(name=one.odd[:32])), buttons))
    if one.hold and not one.odd:
        return changing.hold(context, replace(request, words=one.channels))
    if one.odd or one.at is None:
        said = _("reply to a card with a time ({times}), hold or publish, and channels if you like")
        raise UsageError(said.format(times=_(TIMES)))
    if one.at <= context.clock():
        return changing.publish(context, replace(request, words=("now", *one.channels)))
    return starts_at(context, request, one.at, context.zone, channels=one.channels)


def _asked(context: Context, request: Request) -> tuple[Agenda, calendar.Asked]:
    agenda = context.requests(request.sender).queries.agenda(request.threads, context.zone)
    elsewhere = agenda.zone.key != context.zone.key
    return agenda, calendar.Asked(
        request.threads, _stamp(context, request), context.clock(), elsewhere=elsewhere
    )


def _stamp(context: Context, request: Request) -> str:
    return stamp(changing.all_of(context.requests(request.sender), request.threads))


def _to_come(context: Context, zone: ZoneInfo) -> list[tuple[str, str]]:
    """The quick times that have not passed today."""
    found: list[tuple[str, str]] = []
    for label, words in QUICK_TIMES:
        with suppress(WhenError):
            parse_when(words, now=context.clock(), zone=zone)
            found.append((_(label), words))
    return found


def _moment(context: Context, words: Sequence[str], zone: ZoneInfo) -> datetime:
    """The time that words mean; behind a day that was shown they may name another."""
    read = partial(parse_when, now=context.clock(), zone=zone, language=language())
    try:
        return read(" ".join(words))
    except WhenError as error:
        if error.code is not WhenCode.UNREADABLE or not DAY.fullmatch(words[0]) or len(words) == 1:
            raise UsageError(translated(time_refused(error))) from None
    return _moment(context, words[1:], zone)


def _plan(context: Context, request: Request, since: int, text: str) -> dict[int, datetime]:
    """A time for each thread that may begin, from a minute on (counted from 1970). Raises UsageError."""
    queries = context.requests(request.sender).queries
    try:
        plan = queries.one_each(request.threads, text, after=EPOCH + since * MINUTE, zone=context.zone)
    except WhenError as error:
        raise UsageError(translated(time_refused(error))) from None
    except (OverflowError, ValueError) as error:
        raise UsageError(str(error)) from None
    if not plan:
        raise UsageError(_("nothing of that waits any more; see /queue"))
    return plan


def _foreseen(one: Forecast, zone: ZoneInfo) -> str:
    return waits(one, CHAT) if one.start is None else exactly(one.start, zone)


def _read(word: str, read: Callable[[str], T]) -> T:
    """What a button says, which a client that is not Telegram's own may have made up."""
    try:
        return read(word)
    except ValueError:
        raise UsageError(_("that button is from another time; see /queue")) from None
