"""Requests that change nothing: how things stand, what waits, how a thread will look."""

import asyncio
from collections.abc import Sequence

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.commands import (
    REGISTRY,
    About,
    Answer,
    Card,
    Context,
    Request,
    UsageError,
    button_only,
    command,
)
from threadcast.bot.chat.menu import allowed_to
from threadcast.bot.chat.views import lists
from threadcast.bot.chat.views.message import Message, bold, esc, esc_lines, rows, split
from threadcast.bot.chat.views.newcomer import how_to_begin
from threadcast.bot.languages import N_, _
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.overview import summarise
from threadcast.bot.requests.preview import Preview, preview_posts
from threadcast.bot.wording import count
from threadcast.queue.states import LIVE, Event
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Thread

PREVIEW_PAGE = 3500  # code points


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
    return Answer(lists.status(one, context.viewer(request.sender.role)))


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
    forecasts = context.requests(request.sender).queries.forecast(channel=channel or None)
    viewer = context.viewer(request.sender.role)
    return Answer(lists.queue(forecasts, viewer, page=request.page, channel=channel))


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
    requests = context.requests(request.sender)
    found = requests.queries.channels()
    return Answer(lists.channels(found, requests.queries.configured, request.sender.role))


@command(
    "show",
    who=Role.EDITOR,
    about=About.THREAD,
    takes="ID",
    help=N_("One thread, as it goes on"),
    more=N_("The message keeps itself up to date while the thread is published.\n/show 7"),
)
def show(context: Context, request: Request) -> Answer:
    context.requests(request.sender).queries.show(request.thread)
    return Answer(Card(request.thread), afresh=True)


@command(
    "preview",
    who=Role.EDITOR,
    about=About.DRAFT,
    events=(Event.SCHEDULE,),
    takes="ID [channel]",
    help="The posts of a thread as they will be",
    more="Without an ID: what you have pasted and not added yet.\n/preview 7 masto",
)
@button_only("leaf", "file", who=Role.EDITOR)
async def preview(context: Context, request: Request) -> Answer:
    """Every post of a thread on every channel, or on those named; a page at a time."""
    threads = await asyncio.to_thread(_previewed, context, request)
    if not context.channels:
        return Answer(Message("No channel is configured yet, so there is nothing to show: /start"))
    found = await preview_posts(threads, pick(context.channels, request.words))
    if request.name == "file":
        whole = "\n".join(_plain(one) for one in found)
        return Answer(
            Message(esc(threads[0].title if threads else ""), file=("preview.txt", whole.encode())),
            afresh=True,
        )
    texts = [text for one in found for text in _shown(one, threads[one.thread - 1].title)]
    pages = split("\n".join(texts), PREVIEW_PAGE)
    page = min(max(request.page, 0), len(pages) - 1)
    back = button("◀ Back", "leaf", request.threads, *request.words, page=page - 1) if page else None
    is_last = page + 1 == len(pages)
    more = None if is_last else button("More ▶", "leaf", request.threads, *request.words, page=page + 1)
    file = button("As a file", "file", request.threads, *request.words) if len(pages) > 1 else None
    return Answer(Message(pages[page], rows((back, more, file))), afresh=request.name != "leaf")


def _previewed(context: Context, request: Request) -> Sequence[Thread]:
    """The threads to be shown: of the queue, or what is being pasted."""
    if request.threads:
        show = context.requests(request.sender).queries.show
        return [show(one).stored.thread for one in request.threads]
    draft = context.drafts.of(request.sender)
    if draft is None or not draft.pieces:
        raise UsageError("say which thread: /preview 7")
    return list(parse(draft.text))


def _shown(one: Preview, title: str) -> list[str]:
    lines = [f"{esc(title)}\non {bold(one.channel)}: {count(len(one.posts), 'post')}, limit {one.limit}"]
    if one.problem:
        lines.append(f"⚠️ {esc(one.problem)}")
    for index, post in enumerate(one.posts, start=1):
        lines += [
            "",
            f"<i>{index} of {len(one.posts)} · {post.length} of {one.limit}</i>",
            esc_lines(post.text),
        ]
    return [*lines, ""]


def _plain(one: Preview) -> str:
    lines = [f"on {one.channel}: {len(one.posts)} posts, limit {one.limit}", one.problem]
    for index, post in enumerate(one.posts, start=1):
        lines += [f"-- {index} of {len(one.posts)}, {post.length} of {one.limit}", post.text]
    return "\n".join([*lines, ""])
