"""Bringing threads in: files, and what is pasted or forwarded."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import telegram

from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.buttons import MANY, button
from threadcast.bot.chat.commands import (
    Answer,
    Card,
    Context,
    Request,
    UsageError,
    button_only,
    command,
)
from threadcast.bot.chat.downloads import read_file
from threadcast.bot.chat.requests.wishes import Wish, read_wish
from threadcast.bot.chat.views import asking, cards
from threadcast.bot.chat.views.message import Button, Message, Rows, bold, esc, rows
from threadcast.bot.languages import N_, _, ngettext, translated
from threadcast.bot.media.attach import portable
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.errors import UnknownChannelError
from threadcast.bot.requests.input import Intake, understand
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.queries import foreseen_of
from threadcast.bot.requests.threads import Receipt
from threadcast.bot.settled import unseen
from threadcast.bot.wording import STATES, exactly, parts
from threadcast.bot.wording import posts as so_many_posts
from threadcast.bot.wording import threads as so_many
from threadcast.config.logs import get_logger
from threadcast.queue.errors import NotFoundError, StoreError
from threadcast.queue.outcomes import Code
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import LIVE, DeliveryState
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Thread

log = get_logger("threadcast.chat")

BY_A_WISH = Sentence("you asked to hold it")
NO_CHANNEL = N_("No channel is configured yet, so nothing can be added: /start")
PASTED = Sentence("pasted in the chat")
KEPT_LINES = 3  # source, text, channels: of a text that was published before
NO_MESSAGES: Mapping[int, str] = {}
FEW = 20  # threads that an answer names one by one


@command(
    "add",
    who=Role.EDITOR,
    takes=N_("[channel…]"),
    help=N_("Add a thread: paste or forward it, then /done"),
    more=N_(
        "Then paste the thread, in as many messages as you like, or forward them; edit them if you must; "
        "/done adds it.\nA .txt or .md file needs no command: just send it. With names of channels it is "
        "added for these alone: /add news"
    ),
)
def add(context: Context, request: Request) -> Answer:
    """Open a draft; what is sent next belongs to it."""
    if not context.channels:
        return Answer(Message(_(NO_CHANNEL)))
    pick(context.channels, request.words)
    context.drafts.open(request.sender, request.words)
    if request.words:
        said = _(
            "Send me the thread for {channels}: paste it, in as many messages as you like, or forward it. "
            "Then /done"
        ).format(channels=esc(", ".join(request.words)))
    else:
        said = _("Send me the thread: paste it, in as many messages as you like, or forward it. Then /done")
    return Answer(Message(said))


@command("done", who=Role.EDITOR, guessed=False, help=N_("Add what you have pasted so far"))
async def done(context: Context, request: Request) -> Answer:
    """Add what was pasted."""
    draft = await asyncio.to_thread(context.drafts.of, request.sender)
    if draft is None or not draft.pieces:
        # Its end mark may have added it already, and the service may have gone before it said so.
        last = await asyncio.to_thread(context.sources.newest, request.sender.chat)
        with suppress(NotFoundError):
            if last is not None:
                await asyncio.to_thread(context.dossier, last)
                return Answer(Card(last, _("What you pasted last is added.")))
        raise UsageError(_("there is nothing to add yet: paste a thread, or send a text file"))
    intake = await asyncio.to_thread(understand, PASTED, draft.text.encode())
    messages = NO_MESSAGES if draft.written else draft.messages  # an edit of one would not know the rest
    answer = await added(context, request.sender, intake, Wish(draft.channels), messages=messages)
    await asyncio.to_thread(context.drafts.drop, request.sender)
    return replace(answer, came=draft.last)


@button_only("drop", who=Role.EDITOR)
def drop(context: Context, request: Request) -> Answer:
    """Forget what was pasted."""
    draft = context.drafts.of(request.sender)
    context.drafts.drop(request.sender)
    if draft is None:
        nothing = _("There is nothing to drop.")
        return Answer(Message(nothing), toast=nothing)
    return Answer(Message(_("Dropped; nothing was added.")), toast=_("Dropped."))


def drafted(context: Context, sender: Sender) -> Message:
    """What there is of a draft so far."""
    draft = context.drafts.of(sender)
    if draft is None or not draft.pieces:
        return Message(_("There is nothing yet: paste a thread, or send a text file."))
    number = len(draft.pieces)
    if draft.in_doubt:
        return asking.is_a_thread(number)
    intake = understand(PASTED, draft.text.encode())
    so_far = ngettext("{n} message so far: {threads}", "{n} messages so far: {threads}", number)
    lines = [so_far.format(n=number, threads=_sum(intake.threads)), ""]
    for thread in intake.threads[:FEW]:
        lines += [cards.title(None, thread), *cards.notices(thread)]
    if shown := sum(len(thread.media) for thread in intake.threads):
        lines.append(ngettext("📎 {n} file", "📎 {n} files", shown).format(n=shown))
    if draft.links:
        linked = ngettext(
            "🔗 {n} linked word has its address behind it now: word (https://…)",
            "🔗 {n} linked words have their address behind it now: word (https://…)",
            draft.links,
        )
        lines.append(linked.format(n=draft.links))
    lines += ["", _("All of it? Then /done. More? Just send it. /cancel drops it.")]
    buttons = rows((button(_("Done"), "done"), button(_("Preview"), "preview")), (button(_("Drop"), "drop"),))
    return Message("\n".join(lines), buttons)


@button_only("again", who=Role.OWNER)
async def again(context: Context, request: Request) -> Answer:
    """Add what was published before once more: its text was kept for that."""
    source, text, channels = await take_kept(context, request.sender, " ".join(request.words))
    intake = await asyncio.to_thread(understand, source, text.encode())
    try:
        return await added(context, request.sender, intake, Wish(tuple(channels.split())), again=True)
    except (StoreError, UnknownChannelError):
        await asyncio.to_thread(keep, context, request.sender, source, text, channels)
        raise


async def take_kept(context: Context, sender: Sender, key: str) -> tuple[str, str, str]:
    """What was kept: source, text, and channels or a caption.

    It is forgotten before it is added: a service that is killed in between must not add it twice.
    """
    page = _kept(sender, key)
    lines = await asyncio.to_thread(context.notes.read, page)
    if len(lines) < KEPT_LINES:
        raise UsageError(_("that was done already, or is long ago; send me the thread again"))
    await asyncio.to_thread(context.notes.forget, page)
    return lines[0] or PASTED, lines[1], lines[2]


async def add_file(context: Context, sender: Sender, document: telegram.Document, caption: str) -> Answer:
    """Add the threads of a file that was sent, as its caption wishes.

    Raises what `requests.ERRORS` has.
    """
    intake = await read_file(document, context.requests(sender).threads.unpacked)
    names = [channel.name for channel in context.channels]
    wish = read_wish(caption, names, context.clock(), context.zone)
    if wish.is_name:
        return await asyncio.to_thread(_which_channel, context, sender, intake, wish, caption)
    return await added(context, sender, intake, wish)


def _which_channel(context: Context, sender: Sender, intake: Intake, wish: Wish, caption: str) -> Answer:
    """A channel's name is misspelt: ask which is meant; until then nothing is added."""
    rest = " ".join(word for word in caption.lower().replace(",", " ").split() if word != wish.odd)
    key = keep(context, sender, intake.source, intake.text, rest)
    asked = _("There is no channel called {name}. Which one is {file} for? Nothing is added until you say.")
    buttons = asking.one_of([one.name for one in context.channels][:FEW], "kept", (), key)
    return Answer(Message(esc(asked.format(name=wish.odd[:32], file=translated(intake.source))), buttons))


@button_only("kept", who=Role.EDITOR)
async def kept(context: Context, request: Request) -> Answer:
    """Add what was kept, for the channel that was meant."""
    key, *names = request.words or ("",)
    source, text, caption = await take_kept(context, request.sender, key)
    intake = await asyncio.to_thread(understand, source, text.encode())
    known = [channel.name for channel in context.channels]
    wish = read_wish(" ".join((caption, *names)), known, context.clock(), context.zone)
    return await added(context, request.sender, intake, wish)


async def added(
    context: Context,
    sender: Sender,
    intake: Intake,
    wish: Wish,
    *,
    again: bool = False,
    messages: Mapping[int, str] = NO_MESSAGES,
) -> Answer:
    """Queue all threads of a source, and say what becomes of them: one thread by its card.

    `messages` are those in which they were pasted: one that is edited later changes its thread.
    """
    if not context.channels:
        return Answer(Message(_(NO_CHANNEL)))
    requests = context.requests(sender)
    receipts = await asyncio.to_thread(
        lambda: requests.threads.add(
            [intake],
            channels=wish.channels,
            at=wish.at,
            hold=wish.hold or bool(wish.refused),
            because=wish.refused or BY_A_WISH,
            code=Code.OTHER if wish.refused else Code.WISH,
            by_editor=sender.role is Role.EDITOR,
            confirm=context.confirm,
            again=again,
        )
    )
    if messages:
        threads = [receipt.added.thread_id or 0 for receipt in receipts]
        await asyncio.to_thread(context.sources.note, sender.chat, messages, threads)
    viewer = context.viewer(sender.role)
    more = () if again else await asyncio.to_thread(_once_more, context, sender, receipts, wish.channels)
    first = receipts[0].added.thread_id
    took = tuple(one.added.thread_id for one in receipts if one.added.thread_id is not None)
    if len(receipts) == 1 and first is not None:
        below = [*_unseen(receipts[0]), *_doubles(receipts[0], viewer), *_not_read(wish)]
        return Answer(Card(first, below="\n".join(below), rows=more), took=took)
    if len(receipts) == 1 and (known := _known(receipts[0])) is not None:
        return Answer(Card(known, _("It is here already, as #{thread}.").format(thread=known)))
    counts = await _counts(context, receipts)
    new = [one for receipt in receipts for one in receipt.added.deliveries]
    foreseen = await asyncio.to_thread(foreseen_of, requests.queries, new)
    lines = [f"{bold(translated(intake.source))}: {_sum(intake.threads)}"]
    for index, receipt in enumerate(receipts[:FEW]):
        posts = {channel: number for (place, channel), number in counts.items() if place == index}
        lines += ["", *_receipt(receipt, posts, foreseen, viewer)]
    if len(receipts) > FEW:
        rest = _("… and {n} more: {command}").format(n=len(receipts) - FEW, command="/queue")
        lines += ["", rest]
    lines += ["", *_not_read(wish)] if wish.odd else []
    message = Message("\n".join(lines), (*_buttons(receipts, sender.role, foreseen), *more))
    return Answer(message, took=took)


def _unseen(receipt: Receipt) -> list[str]:
    """What visitors will not see of it."""
    number = len(receipt.thread.parts)
    return [f"👀 {esc(unseen(channel, number, seen))}" for channel, seen in receipt.seen.items()]


def _not_read(wish: Wish) -> list[str]:
    """What was written below a file and cannot be read."""
    if not wish.odd or wish.refused:  # why it is held says that
        return []
    said = _("I cannot read “{text}” as a time or a channel, so I left it alone.")
    return [said.format(text=esc(wish.odd[:100]))]


def _sum(threads: Sequence[Thread]) -> str:
    return f"{so_many(len(threads))}, {parts(sum(len(thread.parts) for thread in threads))}"


async def _counts(context: Context, receipts: Sequence[Receipt]) -> Mapping[tuple[int, str], int]:
    """How many posts each thread gives on each channel that takes it, by its place here."""
    names = {one.channel for receipt in receipts for one in receipt.added.deliveries}
    if not names:
        return {}
    found = await preview_posts(
        [receipt.thread for receipt in receipts], pick(context.channels, sorted(names))
    )
    return {(one.thread - 1, one.channel): len(one.posts) for one in found}


def _receipt(
    receipt: Receipt,
    posts: Mapping[str, int],
    foreseen: Mapping[int, Forecast],
    viewer: cards.Viewer,
) -> list[str]:
    lines = [cards.title(receipt.added.thread_id, receipt.thread), *cards.notices(receipt.thread)]
    for one in receipt.added.deliveries:
        waits = one.state is DeliveryState.HELD
        then = cards.held(one, (), viewer) if waits else esc(cards.starts(one, foreseen.get(one.id), viewer))
        number = so_many_posts(posts.get(one.channel, 0))
        lines.append(f"{cards.SIGNS[one.state]} {bold(one.channel)}: {number}, {then}")
    return [*lines, *_unseen(receipt), *_doubles(receipt, viewer)]


def _known(receipt: Receipt) -> int | None:
    """The thread that waits with the same text, where nothing of this one is new or was published."""
    found = {
        double.existing.thread_id if double.existing.state in LIVE else None
        for double in receipt.added.duplicates
    }
    return found.pop() if len(found) == 1 and not receipt.added.deliveries else None


def _doubles(receipt: Receipt, viewer: cards.Viewer) -> list[str]:
    """Where the thread was queued or published before."""
    lines: list[str] = []
    for double in receipt.added.duplicates:
        known = double.existing
        if known.state is DeliveryState.PUBLISHED and known.finished is not None:
            when = exactly(known.finished, viewer.zone)
            said = _("☑️ {channel}: already published on {time}, as #{thread}.").format(
                channel=bold(double.channel), time=when, thread=known.thread_id
            )
            asked = _("Again anyway?") if viewer.role is Role.OWNER else _("An owner may publish it again.")
            lines.append(f"{said} {asked}")
        else:
            said = _("☑️ {channel}: it is #{thread} there already, {state}: /show {thread}").format(
                channel=bold(double.channel), thread=known.thread_id, state=_(STATES[known.state])
            )
            lines.append(said)
    return lines


def _buttons(receipts: Sequence[Receipt], role: Role, foreseen: Mapping[int, Forecast]) -> Rows:
    """For all that was added at once; their numbers follow one another."""
    new = [receipt.added for receipt in receipts if receipt.added.thread_id is not None]
    if not new:
        return ()
    threads = tuple(one.thread_id for one in new if one.thread_id is not None)
    in_a_row = len(threads) <= MANY and threads[-1] - threads[0] == len(threads) - 1  # a range names them
    found = (
        cards.batch_buttons(threads, [each for one in new for each in one.deliveries], role, foreseen)
        if in_a_row
        else ()
    )
    if len(threads) == 1:
        return found
    every: list[Button] = [button(f"#{one}", "show", (one,)) for one in threads[:FEW]]
    return (*found, *(tuple(every[start : start + 5]) for start in range(0, len(every), 5)))


def _once_more(
    context: Context, sender: Sender, receipts: Sequence[Receipt], channels: Sequence[str]
) -> Rows:
    """A button that adds what was published before once more; its text is kept for that."""
    published = [
        receipt.thread
        for receipt in receipts
        if any(double.existing.state is DeliveryState.PUBLISHED for double in receipt.added.duplicates)
    ]
    if not published or sender.role is not Role.OWNER:
        return ()
    text = "\n\n".join(render(portable(thread)).strip("\n") for thread in published) + "\n"
    key = keep(context, sender, receipts[0].source, text, " ".join(channels))
    return ((button(_("Again anyway"), "again", (), key),),)


def keep(context: Context, sender: Sender, *lines: str) -> str:
    """Keep a text for the press of a button, which carries what this returns."""
    key = sha256(lines[1].encode()).hexdigest()[:12]
    for line, kept in enumerate(lines):
        context.notes.write(_kept(sender, key), line, kept, now=context.clock())
    return key


def _kept(sender: Sender, key: str) -> str:
    return f"again:{sender.chat}:{key}"
