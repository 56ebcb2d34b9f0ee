"""Requests that change nothing: how things stand, what waits, how a thread will look."""

import asyncio
from collections.abc import Sequence

from threadcast.bot.chat.buttons import Asker, button, progress
from threadcast.bot.chat.commands import COMMANDS
from threadcast.bot.chat.requests.office import Answer, Ask, AskError, Office
from threadcast.bot.chat.views import lists
from threadcast.bot.chat.views.message import Said, bold, esc, esc_lines, rows, split
from threadcast.bot.chat.views.moments import count
from threadcast.bot.chat.views.newcomer import how_to_begin
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.overview import Overview, summarise
from threadcast.bot.requests.preview import Preview, preview_posts
from threadcast.bot.requests.queries import WAITING
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Thread

LEAF = 3500  # code points of one page of a preview


async def start(office: Office, ask: Ask) -> Answer:
    """How things stand; to a newcomer, how to begin."""
    if not office.channels:
        return Answer(how_to_begin(ask.asker.role))
    return await status(office, ask)


async def status(office: Office, ask: Ask) -> Answer:
    one = await asyncio.to_thread(_overview, office, ask.asker)
    return Answer(lists.status(one, office.look(ask.asker.role)))


def _overview(office: Office, asker: Asker) -> Overview:
    requests = office.requests(asker)
    paused = frozenset(row.name for row in requests.queries.channels() if row.paused)
    return summarise(
        requests.queries.deliveries(WAITING | {DeliveryState.FAILED}),
        channels=[(channel.name, channel.kind) for channel in office.channels],
        paused=paused,
        running=True,
    )


async def help_(office: Office, ask: Ask) -> Answer:  # noqa: ARG001  # as every request
    if not ask.words:
        return Answer(lists.help_all(ask.asker.role))
    name = ask.words[0].removeprefix("/").lower()
    command = COMMANDS.get(name)
    if command is None:
        raise AskError(f"there is no /{name[:32]}; all commands: /help")
    return Answer(lists.help_one(command, ask.asker.role))


async def queue(office: Office, ask: Ask) -> Answer:
    channel = ask.channel or " ".join(ask.words)
    forecasts = await asyncio.to_thread(office.requests(ask.asker).queries.forecast, channel=channel or None)
    return Answer(lists.queue(forecasts, office.look(ask.asker.role), page=ask.page, channel=channel))


async def history(office: Office, ask: Ask) -> Answer:
    channel = ask.channel or " ".join(ask.words)
    chains = await asyncio.to_thread(
        office.requests(ask.asker).queries.history,
        channel=channel or None,
        limit=lists.PAGE + 1,
        skip=ask.page * lists.PAGE,
    )
    look = office.look(ask.asker.role)
    more = len(chains) > lists.PAGE
    return Answer(lists.history(chains[: lists.PAGE], look, page=ask.page, channel=channel, more=more))


async def channels(office: Office, ask: Ask) -> Answer:
    if not office.channels:
        return Answer(how_to_begin(ask.asker.role))
    requests = office.requests(ask.asker)
    found = await asyncio.to_thread(requests.queries.channels)
    return Answer(lists.channels(found, requests.queries.configured, ask.asker.role))


async def show(office: Office, ask: Ask) -> Answer:
    dossier = await asyncio.to_thread(office.requests(ask.asker).queries.show, ask.thread)
    said = await asyncio.to_thread(office.card_of, dossier, ask.asker.role)
    return Answer(said, afresh=True, live=(ask.thread, progress(one.delivery for one in dossier.chains)))


async def preview(office: Office, ask: Ask) -> Answer:
    """Every post of a thread on every channel, or on those named; a page at a time."""
    names = [ask.channel] if ask.channel else list(ask.words)
    threads, title = await _previewed(office, ask)
    if not office.channels:
        return Answer(Said("No channel is configured yet, so there is nothing to show: /start"))
    found = await preview_posts(threads, pick(office.channels, names))
    texts = [text for one in found for text in _shown(one, threads[one.thread - 1].title)]
    pages = split("\n".join(texts), LEAF)
    page = min(max(ask.page, 0), len(pages) - 1)
    channel = names[0] if len(names) == 1 else ""
    leaves = rows(
        (
            button("◀ Back", "leaf", ask.threads, channel=channel, page=page - 1) if page else None,
            button("More ▶", "leaf", ask.threads, channel=channel, page=page + 1)
            if page + 1 < len(pages)
            else None,
            button("As a file", "file", ask.threads, channel=channel) if len(pages) > 1 else None,
        )
    )
    if ask.verb == "file":
        whole = "\n".join(_plain(one) for one in found)
        return Answer(Said(esc(title), file=("preview.txt", whole.encode())), afresh=True)
    return Answer(Said(pages[page], leaves), afresh=ask.verb != "leaf")


async def _previewed(office: Office, ask: Ask) -> tuple[Sequence[Thread], str]:
    """The threads to be shown: of the queue, or what is being pasted."""
    if ask.threads:
        requests = office.requests(ask.asker)
        threads = [(await asyncio.to_thread(requests.queries.show, one)).stored.thread for one in ask.threads]
    else:
        draft = await asyncio.to_thread(office.drafts.of, ask.asker)
        if draft is None or not draft.pieces:
            raise AskError("say which thread: /preview 7")
        threads = list(await asyncio.to_thread(parse, draft.text))
    return threads, threads[0].title if threads else ""


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
