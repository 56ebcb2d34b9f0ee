"""Bringing threads in: files, and what is pasted or forwarded."""

import asyncio
from collections.abc import Mapping, Sequence
from hashlib import sha256

from threadcast.bot.chat.buttons import MANY, Asker, button
from threadcast.bot.chat.commands import Role
from threadcast.bot.chat.requests.office import Answer, Ask, AskError, Office, foreseen_of
from threadcast.bot.chat.views import cards
from threadcast.bot.chat.views.message import Button, Rows, Said, bold, esc, rows
from threadcast.bot.chat.views.moments import count, exactly
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.errors import UnknownChannelError
from threadcast.bot.requests.input import Intake, understand
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.threads import Receipt
from threadcast.queue.model import StoreError
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.parse import render
from threadcast.queue.text.thread import Thread

BY_AN_EDITOR = "an editor added it; an owner publishes it"
NO_CHANNEL = "No channel is configured yet, so nothing can be added: /start"
PASTED = "pasted in the chat"
FEW = 20  # threads that an answer names one by one


async def add(office: Office, ask: Ask) -> Answer:
    """Open a draft; what is sent next belongs to it."""
    if not office.channels:
        return Answer(Said(NO_CHANNEL))
    pick(office.channels, ask.words)
    await asyncio.to_thread(office.drafts.open, ask.asker, ask.words)
    where = f" for {esc(', '.join(ask.words))}" if ask.words else ""
    return Answer(
        Said(
            f"Send me the thread{where}: paste it, in as many messages as you like, or forward it. Then /done"
        )
    )


async def done(office: Office, ask: Ask) -> Answer:
    """Add what was pasted."""
    draft = await asyncio.to_thread(office.drafts.of, ask.asker)
    if draft is None or not draft.pieces:
        raise AskError("there is nothing to add yet: paste a thread, or send a text file")
    intake = await asyncio.to_thread(understand, PASTED, draft.text.encode())
    answer = await added(office, ask.asker, intake, draft.channels)
    await asyncio.to_thread(office.drafts.drop, ask.asker)
    return answer


async def drop(office: Office, ask: Ask) -> Answer:
    """Forget what was pasted."""
    draft = await asyncio.to_thread(office.drafts.of, ask.asker)
    await asyncio.to_thread(office.drafts.drop, ask.asker)
    if draft is None:
        return Answer(Said("There is nothing to drop."), toast="There is nothing to drop.")
    return Answer(Said("Dropped; nothing was added."), toast="Dropped.")


async def drafted(office: Office, asker: Asker) -> Said:
    """What there is of a draft so far."""
    draft = await asyncio.to_thread(office.drafts.of, asker)
    if draft is None or not draft.pieces:
        return Said("There is nothing yet: paste a thread, or send a text file.")
    intake = await asyncio.to_thread(understand, PASTED, draft.text.encode())
    lines = [f"{count(len(draft.pieces), 'message')} so far: {_sum(intake.threads)}", ""]
    for thread in intake.threads[:FEW]:
        lines += [cards.title(None, thread), *cards.notices(thread)]
    lines += ["", "All of it? Then /done. More? Just send it. /cancel drops it."]
    buttons = rows((button("Done", "done"), button("Preview", "preview")), (button("Drop", "drop"),))
    return Said("\n".join(lines), buttons)


async def again(office: Office, ask: Ask) -> Answer:
    """Add what was published before once more: its text was kept for that."""
    page = _kept(ask.asker, ask.channel)
    lines = await asyncio.to_thread(office.notes.read, page)
    if not lines:
        raise AskError("that was done already, or is long ago; send me the thread again")
    intake = await asyncio.to_thread(understand, lines[0], lines[1].encode())
    # Before it is added: a service that is killed in between is asked once more, and must not add it twice.
    await asyncio.to_thread(office.notes.forget, page)
    try:
        return await added(office, ask.asker, intake, lines[2].split(), again=True)
    except (StoreError, UnknownChannelError):
        for line, text in lines.items():
            await asyncio.to_thread(office.notes.write, page, line, text, now=office.clock())
        raise


async def added(
    office: Office, asker: Asker, intake: Intake, channels: Sequence[str], *, again: bool = False
) -> Answer:
    """Queue all threads of a source, and say what becomes of them."""
    if not office.channels:
        return Answer(Said(NO_CHANNEL))
    requests = office.requests(asker)
    receipts = await asyncio.to_thread(
        lambda: requests.threads.add(
            [intake],
            channels=channels,
            hold=asker.role is Role.EDITOR,
            because=BY_AN_EDITOR,
            again=again,
        )
    )
    counts = await _counts(office, receipts)
    new = [one for receipt in receipts for one in receipt.added.deliveries]
    foreseen = await asyncio.to_thread(foreseen_of, requests, new)
    lines = [f"{bold(intake.source)}: {_sum(intake.threads)}"]
    for index, receipt in enumerate(receipts[:FEW]):
        posts = {channel: number for (place, channel), number in counts.items() if place == index}
        lines += ["", *_receipt(receipt, posts, foreseen, office.look(asker.role))]
    if len(receipts) > FEW:
        lines += ["", f"… and {len(receipts) - FEW} more: /queue"]
    more = () if again else await asyncio.to_thread(_once_more, office, asker, receipts, channels)
    return Answer(Said("\n".join(lines), (*_buttons(receipts, asker.role), *more)))


def _sum(threads: Sequence[Thread]) -> str:
    parts = sum(len(thread.parts) for thread in threads)
    return f"{count(len(threads), 'thread')}, {count(parts, 'part')}"


async def _counts(office: Office, receipts: Sequence[Receipt]) -> Mapping[tuple[int, str], int]:
    """How many posts each thread gives on each channel that takes it, by its place here."""
    names = {one.channel for receipt in receipts for one in receipt.added.deliveries}
    if not names:
        return {}
    found = await preview_posts(
        [receipt.thread for receipt in receipts], pick(office.channels, sorted(names))
    )
    return {(one.thread - 1, one.channel): len(one.posts) for one in found}


def _receipt(
    receipt: Receipt,
    posts: Mapping[str, int],
    foreseen: Mapping[int, Forecast],
    look: cards.Look,
) -> list[str]:
    lines = [cards.title(receipt.added.thread_id, receipt.thread), *cards.notices(receipt.thread)]
    for one in receipt.added.deliveries:
        held = one.state is DeliveryState.HELD
        then = f"held: {one.reason}" if held else cards.starts(one, foreseen.get(one.id), look)
        number = count(posts.get(one.channel, 0), "post")
        lines.append(f"{cards.SIGNS[one.state]} {bold(one.channel)}: {number}, {esc(then)}")
    for double in receipt.added.duplicates:
        known = double.existing
        if known.state is DeliveryState.PUBLISHED and known.finished is not None:
            when = exactly(known.finished, look.zone)
            ask = "Again anyway?" if look.role is Role.OWNER else "An owner may publish it again."
            lines.append(
                f"☑️ {bold(double.channel)}: already published on {when}, as #{known.thread_id}. {ask}"
            )
        else:
            said = f"it is #{known.thread_id} there already, {known.state}: /show {known.thread_id}"
            lines.append(f"☑️ {bold(double.channel)}: {said}")
    return lines


def _buttons(receipts: Sequence[Receipt], role: Role) -> Rows:
    """For all that was added at once; their numbers follow one another."""
    new = [receipt.added for receipt in receipts if receipt.added.thread_id is not None]
    if not new:
        return ()
    threads = tuple(one.thread_id for one in new if one.thread_id is not None)
    in_a_row = len(threads) <= MANY and threads[-1] - threads[0] == len(threads) - 1  # a range names them
    found = (
        cards.batch_buttons(threads, [each for one in new for each in one.deliveries], role)
        if in_a_row
        else ()
    )
    if len(threads) == 1:
        return found
    every: list[Button] = [button(f"#{one}", "show", (one,)) for one in threads[:FEW]]
    return (*found, *(tuple(every[start : start + 5]) for start in range(0, len(every), 5)))


def _once_more(office: Office, asker: Asker, receipts: Sequence[Receipt], channels: Sequence[str]) -> Rows:
    """A button that adds what was published before once more; its text is kept for that."""
    published = [
        receipt.thread
        for receipt in receipts
        if any(double.existing.state is DeliveryState.PUBLISHED for double in receipt.added.duplicates)
    ]
    if not published or asker.role is not Role.OWNER:
        return ()
    text = "\n\n".join(render(thread).strip("\n") for thread in published) + "\n"
    key = sha256(text.encode()).hexdigest()[:12]
    page = _kept(asker, key)
    for line, kept in enumerate((receipts[0].source, text, " ".join(channels))):
        office.notes.write(page, line, kept, now=office.clock())
    return ((button("Again anyway", "again", channel=key),),)


def _kept(asker: Asker, key: str) -> str:
    return f"again:{asker.chat}:{key}"
