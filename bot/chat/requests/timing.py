"""When a thread shall start: by typing, from buttons, or as the reply to a question or a card."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press, button, stamp
from threadcast.bot.chat.commands import About, Answer, Context, Request, UsageError, button_only, command
from threadcast.bot.chat.requests import changing
from threadcast.bot.chat.requests.wishes import read_wish
from threadcast.bot.chat.views.asking import numbers
from threadcast.bot.chat.views.message import Message, rows
from threadcast.bot.languages import ngettext
from threadcast.bot.wording import TIMES, exactly, time_refused
from threadcast.config.schedule.words import WhenError, parse_when
from threadcast.queue.states import Event

QUICK_TIMES = (
    ("In 1 hour", "in 1h"),
    ("In 3 hours", "in 3h"),
    ("Tonight 18:00", "today 18:00"),
    ("Tomorrow 9:00", "tomorrow 9:00"),
)


@command(
    "at",
    who=Role.OWNER,
    guessed=False,
    about=About.THREADS,
    events=(Event.SCHEDULE,),
    takes="ID time",
    help="Give a thread a time of its own",
    more="/at 7 tomorrow 9:00\n/at 7 fri 18:30\n/at 7 24 dec 18:30\n/at 7 in 2h",
)
def at(context: Context, request: Request) -> Answer:
    """A time of its own. The words are the time."""
    text = " ".join(request.words)
    if not text:
        return when(context, request)
    try:
        moment = parse_when(text, now=context.clock(), zone=context.zone)
    except WhenError as error:
        raise UsageError(time_refused(error)) from None
    return starts_at(context, replace(request, words=()), moment)


def starts_at(context: Context, request: Request, moment: datetime) -> Answer:
    """Give threads a time of their own, on the channels that the words name or on all."""
    apply = context.requests(request.sender).changes.apply
    change = partial(apply, event=Event.SCHEDULE, due=moment, channels=request.words)

    def start(number: int, threads: str, channels: str) -> str:
        said = ngettext(
            "{threads} on {channels} starts {moment}.", "{threads} on {channels} start {moment}.", number
        )
        return said.format(threads=threads, channels=channels, moment=exactly(moment, context.zone))

    return changing.change_each(context, request, change, start)


@button_only("when", who=Role.OWNER)
def when(context: Context, request: Request) -> Answer:
    """When? With the times that are asked for most."""
    mark = stamp(changing.all_of(context.requests(request.sender), request.threads))
    quick = [button(label, "at", request.threads, words, stamp=mark) for label, words in _to_come(context)]
    other = button("Another time…", "other-time", request.threads, stamp=mark)
    back = button("◀ Back", "card", request.threads)
    said = f"When shall {numbers(request.threads)} start? By typing: /at {request.thread} fri 18:30"
    return Answer(Message(said, rows(quick[:2], quick[2:], (other, back))))


def _to_come(context: Context) -> list[tuple[str, str]]:
    """The quick times that have not passed today."""
    found: list[tuple[str, str]] = []
    for label, words in QUICK_TIMES:
        with suppress(WhenError):
            parse_when(words, now=context.clock(), zone=context.zone)
            found.append((label, words))
    return found


@button_only("other-time", who=Role.OWNER)
def other_time(context: Context, request: Request) -> Answer:
    """A question; what is replied to it are words of this request."""
    if request.words:
        return at(context, request)
    question = f"{numbers(request.threads)} · When shall it start?\nAs {TIMES}"
    asked = Press("other-time", request.threads)
    return Answer(Message(question, asks="tomorrow 9:00"), afresh=True, asked=asked)


@button_only("wish", who=Role.OWNER)
def wish(context: Context, request: Request) -> Answer:
    """What was replied to the card of a thread."""
    names = [channel.name for channel in context.channels]
    one = read_wish(" ".join(request.words), names, context.clock(), context.zone)
    if one.refused:
        raise UsageError(one.refused)
    if one.hold and not one.odd:
        return changing.hold(context, replace(request, words=one.channels))
    if one.odd or one.at is None:
        raise UsageError(f"reply to a card with a time ({TIMES}), hold or publish, and channels if you like")
    if one.at <= context.clock():
        return changing.publish(context, replace(request, words=("now", *one.channels)))
    return starts_at(context, replace(request, words=one.channels), one.at)
