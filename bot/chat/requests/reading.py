"""Requests that change nothing: how things stand, what waits, how a thread will look."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from threadcast.bot.channels.stored import stored
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import Press, threads_of
from threadcast.bot.chat.commands import (
    REGISTRY,
    About,
    Answer,
    Card,
    Context,
    Request,
    UsageError,
    command,
)
from threadcast.bot.chat.menu import allowed_to
from threadcast.bot.chat.telling.status import status_now, wanted_by
from threadcast.bot.chat.views import lists
from threadcast.bot.chat.views.message import Message, bold, code
from threadcast.bot.chat.views.newcomer import how_to_begin
from threadcast.bot.languages import N_, _
from threadcast.bot.requests.overview import summarise
from threadcast.queue.states import BEGINNINGS, LIVE
from threadcast.queue.text.parse import render

MOST_SENT: Final = 50 * 1024 * 1024  # bytes of a file: https://core.telegram.org/bots/api#senddocument


@command("start", who=Role.EDITOR, help=N_("How things stand, and what to do next"))
def start(context: Context, request: Request) -> Answer:
    if not context.channels:
        return Answer(how_to_begin(request.sender.role))
    return status(context, request)


@command("status", who=Role.EDITOR, help=N_("How things stand"))
def status(context: Context, request: Request) -> Answer:
    queries = context.requests(request.sender).queries
    one = summarise(
        queries.deliveries(LIVE),
        channels=[(channel.name, channel.kind) for channel in context.channels],
        paused=frozenset(row.name for row in queries.channels() if row.paused),
        running=True,
    )
    wanted = wanted_by(queries, [each for each in one.yours if each.reason][: lists.PAGE])
    return Answer(lists.status(one, context.viewer(request.sender.role), wanted))


@command(
    "pin",
    who=Role.EDITOR,
    takes=N_("[off]"),
    help=N_("Pin how things stand, kept up to date"),
    more=N_("Again: further down. /pin off ends it."),
)
def pin(context: Context, request: Request) -> Answer:
    """What is pinned in this chat, or that nothing is any more."""
    if request.words not in {(), ("off",)}:
        raise UsageError(_("write /pin or /pin off"))
    if request.words:
        return Answer(Message(_("Nothing is pinned here any more.")), pins=False)
    said = status_now(context, request.sender.role, request.sender.chat)
    return Answer(said, afresh=True, pins=True)


@command(
    "help",
    who=Role.EDITOR,
    takes=N_("[command]"),
    help=N_("All commands, or how one is used"),
    more="/help move",
)
def help_(context: Context, request: Request) -> Answer:  # noqa: ARG001  # as every request
    role = request.sender.role
    if not request.words:
        return Answer(lists.help_all(allowed_to(role), role))
    name = request.words[0].removeprefix("/").lower()
    found = REGISTRY.get(name)
    if found is None or not found.typed:
        raise UsageError(_("there is no {command}; all commands: /help").format(command=f"/{name[:32]}"))
    return Answer(lists.help_one(found, role))


@command("queue", who=Role.EDITOR, takes=N_("[channel]"), help=N_("What waits, when it starts, and why then"))
def queue(context: Context, request: Request) -> Answer:
    channel = " ".join(request.words)
    queries = context.requests(request.sender).queries
    forecasts = queries.forecast(channel=channel or None)
    viewer, begin = context.viewer(request.sender.role), request.page * lists.PAGE
    wanted = wanted_by(queries, [one.delivery for one in forecasts[begin : begin + lists.PAGE]])
    return Answer(lists.queue(forecasts, viewer, page=request.page, channel=channel, events=wanted))


@command(
    "history", who=Role.EDITOR, takes=N_("[channel]"), help=N_("What was published or stopped, newest first")
)
def history(context: Context, request: Request) -> Answer:
    channel = " ".join(request.words)
    chains = context.requests(request.sender).queries.history(
        channel=channel or None,
        limit=lists.PAGE + 1,
        skip=request.page * lists.PAGE,
    )
    viewer = context.viewer(request.sender.role)
    more = len(chains) > lists.PAGE
    return Answer(lists.history(chains[: lists.PAGE], viewer, page=request.page, channel=channel, more=more))


@command("channels", who=Role.EDITOR, help=N_("The channels, with their schedules"))
def channels(context: Context, request: Request) -> Answer:
    if not context.channels:
        return Answer(how_to_begin(request.sender.role))
    queries = context.requests(request.sender).queries
    shown = queries.configured | {one.channel for one in queries.deliveries(LIVE)}
    found = [row for row in queries.channels() if row.name in shown]
    return Answer(lists.channels(found, queries.configured, request.sender.role, stored(context.notes)))


@command(
    "show",
    who=Role.EDITOR,
    about=About.THREAD,
    takes=N_("ID"),
    help=N_("One thread, as it goes on"),
    more=N_("The message keeps itself up to date while the thread is published.\n/show 7"),
)
def show(context: Context, request: Request) -> Answer:
    context.requests(request.sender).queries.show(request.thread)
    return Answer(Card(request.thread), afresh=True)


@command(
    "events",
    who=Role.OWNER,
    takes=N_("[ID]"),
    help=N_("What happened, and who did it: of one thread, or of all"),
)
def events(context: Context, request: Request) -> Answer:
    try:
        (thread,) = threads_of(request.words[0]) if request.words else (None,)
    except ValueError:
        raise UsageError(_("write /events, or /events 7")) from None
    found = context.requests(request.sender).queries.events(thread, lists.EVENTS)
    return Answer(lists.events(found, context.viewer(request.sender.role)))


@command(
    "export",
    who=Role.OWNER,
    about=About.THREAD,
    takes=N_("ID"),
    help=N_("A thread as a text file, numbered as it came"),
)
def export(context: Context, request: Request) -> Answer:
    """The file; one that replies to it takes its place, as one that replies to the card."""
    dossier = context.requests(request.sender).queries.show(request.thread)
    data = f"{render(dossier.stored.thread)}\n".encode()
    waits = all(chain.delivery.state in BEGINNINGS and not chain.delivery.posts for chain in dossier.chains)
    said = f"#{request.thread} {bold(dossier.stored.thread.title)}"
    if waits:
        said = _("{thread}\nTo change it: edit the file, and send it as a reply to this message.").format(
            thread=said
        )
    file = (f"thread-{request.thread}.txt", data)
    return Answer(Message(said, file=file), afresh=True, asked=Press("wish", request.threads))


@command("backup", who=Role.OWNER, help=N_("The whole queue as a file, for safe keeping"))
def backup(context: Context, request: Request) -> Answer:
    if request.sender.chat != request.sender.person:
        return Answer(
            Message(_("A backup holds everything, so I send it in our private chat alone: /backup"))
        )
    with TemporaryDirectory(prefix="threadcast-") as folder:
        path = Path(folder) / f"{context.clock().astimezone(context.zone):threadcast-%Y-%m-%d-%H%M}.backup"
        context.requests(request.sender).backup(path)
        if path.stat().st_size > MOST_SENT:
            said = _("The queue is larger than the {megabytes} MB that a bot may send. In a shell: {command}")
            shell = code("threadcast backup queue.backup")
            return Answer(Message(said.format(megabytes=MOST_SENT // 1024 // 1024, command=shell)))
        said = _(
            "The queue as it is now, without the files that threads show. Its way back, in a shell: {command}"
        )
        shell = code(f"threadcast restore {path.name}")
        return Answer(Message(said.format(command=shell), file=(path.name, path.read_bytes())))
