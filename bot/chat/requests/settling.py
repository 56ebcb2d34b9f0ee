"""Whether a post in doubt is out: an owner looks, and says it."""

from collections.abc import Sequence

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press
from threadcast.bot.chat.commands import About, Answer, Context, Request, UsageError, button_only, command
from threadcast.bot.chat.requests.changing import standing
from threadcast.bot.chat.views.message import Message, esc
from threadcast.bot.requests.input import post_at
from threadcast.queue.errors import Fault, NotAllowedError
from threadcast.queue.outcomes import Sent
from threadcast.queue.states import Event, allowed


@command(
    "settle",
    who=Role.OWNER,
    guessed=False,
    about=About.THREAD,
    events=(Event.SETTLE,),
    takes="ID sent LINK [channel] | ID not-sent [channel]",
    help="Say whether a doubtful post is out",
    more="/settle 7 sent https://t.me/my_channel/113\n/settle 7 not-sent",
)
def settle(context: Context, request: Request) -> Answer:
    """`sent LINK [channel]`, or `not-sent [channel]`."""
    match list(request.words):
        case ["sent", link, *names]:
            sent: Sent | None = post_at(link)
        case ["not-sent", *names]:
            sent = None
        case []:
            return _doubts(context, request)
        case _:
            raise UsageError(
                f"look whether the post is out, then write /settle {request.thread} sent LINK, "
                f"or /settle {request.thread} not-sent"
            )
    return _settle(context, request, sent, names)


def _doubts(context: Context, request: Request) -> Answer:
    """What is in doubt, with the buttons that settle it."""
    dossier = context.requests(request.sender).queries.show(request.thread)
    if not any(Event.SETTLE in allowed(chain.delivery.state) for chain in dossier.chains):
        raise NotAllowedError(Fault.NOTHING_IN_DOUBT, thread_id=request.thread)
    headline = f"Look whether the post is out. By typing: /settle {request.thread} sent LINK, or not-sent"
    return Answer(standing(context, request, headline))


@button_only("there", who=Role.OWNER)
def there(context: Context, request: Request) -> Answer:
    """It is there: then its link has to be known, which is replied to this question."""
    channel, *link = request.words
    if link:
        return _settle(context, request, post_at(link[0]), [channel])
    where = f"#{request.thread} on {esc(channel)}"
    question = f"{where} · What is the post's link?\nOpen the post, copy its link, and reply with it."
    asked = Press("there", request.threads, (channel,))
    return Answer(Message(question, asks="https://"), afresh=True, asked=asked)


@button_only("not-there", who=Role.OWNER)
def not_there(context: Context, request: Request) -> Answer:
    return _settle(context, request, None, request.words)


def _settle(context: Context, request: Request, sent: Sent | None, names: Sequence[str]) -> Answer:
    requests = context.requests(request.sender)
    one = requests.changes.settle(request.thread, sent, channels=names)
    what = "is out, you said" if sent else "is not out, you said: it is sent again"
    headline = f"#{request.thread} on {esc(one.channel)}: the post {what}."
    return Answer(standing(context, request, headline), toast=headline)
