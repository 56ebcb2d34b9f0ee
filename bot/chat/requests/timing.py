"""When a thread shall start: by typing, from buttons, or as the reply to a question."""

from contextlib import suppress
from functools import partial

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press, button, stamp
from threadcast.bot.chat.commands import About, Answer, Context, Request, UsageError, button_only, command
from threadcast.bot.chat.requests import changing
from threadcast.bot.chat.views.asking import numbers
from threadcast.bot.chat.views.message import Message, rows
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
    what = ("starts", exactly(moment, context.zone))
    apply = context.requests(request.sender).changes.apply
    return changing.change_each(context, request, partial(apply, event=Event.SCHEDULE, due=moment), what)


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
