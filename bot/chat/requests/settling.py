"""Whether a post in doubt is out: an owner looks, and says it."""

import asyncio
from collections.abc import Sequence

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press, button
from threadcast.bot.chat.commands import About, Answer, Context, Request, UsageError, button_only, command
from threadcast.bot.chat.requests.changing import standing
from threadcast.bot.chat.views.message import Message, esc, sentence
from threadcast.bot.languages import N_, _
from threadcast.bot.plain import capital
from threadcast.bot.requests.errors import Problem, RefusedError
from threadcast.queue.errors import Fault, NotAllowedError
from threadcast.queue.states import Event, allowed


@command(
    "settle",
    who=Role.OWNER,
    guessed=False,
    about=About.THREAD,
    events=(Event.SETTLE,),
    takes=N_("ID sent LINK [channel] | ID not-sent [channel]"),
    help=N_("Say whether a doubtful post is out"),
    more="/settle 7 sent https://t.me/my_channel/113\n/settle 7 not-sent",
)
async def settle(context: Context, request: Request) -> Answer:
    """`sent LINK [channel]`, or `not-sent [channel]`."""
    match list(request.words):
        case ["sent", link, *names]:
            address: str | None = link
        case ["not-sent", *names]:
            address = None
        case []:
            return await asyncio.to_thread(_doubts, context, request)
        case _:
            raise UsageError(
                _(
                    "look whether the post is out, then write /settle {thread} sent LINK, "
                    "or /settle {thread} not-sent"
                ).format(thread=request.thread)
            )
    return await _settle(context, request, address, names)


def _doubts(context: Context, request: Request) -> Answer:
    """What is in doubt, with the buttons that settle it."""
    dossier = context.requests(request.sender).queries.show(request.thread)
    if not any(Event.SETTLE in allowed(chain.delivery.state) for chain in dossier.chains):
        raise NotAllowedError(Fault.NOTHING_IN_DOUBT, thread_id=request.thread)
    headline = _("Look whether the post is out. By typing: /settle {thread} sent LINK, or not-sent")
    return Answer(standing(context, request, headline.format(thread=request.thread)))


@button_only("there", who=Role.OWNER)
async def there(context: Context, request: Request) -> Answer:
    """It is there: then its link has to be known, which is replied to this question."""
    channel, *link = request.words
    if link:
        return await _settle(context, request, link[0], [channel])
    question = _(
        "#{thread} on {channel} · What is the post's link?\nOpen the post, copy its link, and reply with it."
    ).format(thread=request.thread, channel=esc(channel))
    asked = Press("there", request.threads, (channel,))
    return Answer(Message(question, asks="https://"), afresh=True, asked=asked)


@button_only("that-one", who=Role.OWNER)
async def that_one(context: Context, request: Request) -> Answer:
    """It is there, though it could not be seen, or says something else."""
    channel, address = request.words
    return await _settle(context, request, address, [channel], force=True)


@button_only("not-there", who=Role.OWNER)
async def not_there(context: Context, request: Request) -> Answer:
    return await _settle(context, request, None, request.words)


async def _settle(
    context: Context, request: Request, address: str | None, names: Sequence[str], *, force: bool = False
) -> Answer:
    requests = context.requests(request.sender)
    try:
        one = await requests.chains.settle(request.thread, address, channels=names, force=force)
    except RefusedError as error:
        if error.problem is not Problem.NOT_THE_POST:
            raise
        yes = button(_("It is that one"), "that-one", request.threads, error.channel, error.names[1])
        return Answer(Message(esc(capital(sentence(error))), ((yes,),)), afresh=True)
    if address:
        said = _("#{thread} on {channel}: the post is out, you said.")
    else:
        said = _("#{thread} on {channel}: the post is not out, you said: it is sent again.")
    headline = said.format(thread=request.thread, channel=esc(one.channel))
    shown = await asyncio.to_thread(standing, context, request, headline)
    return Answer(shown, toast=headline)
