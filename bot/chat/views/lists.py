"""Lists as the chat shows them: the queue, the history, the channels, how things stand. Pure."""

from collections.abc import Mapping, Sequence

from threadcast.bot.chat.access import Role
from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.commands import Command
from threadcast.bot.chat.views.cards import SIGNS, Viewer, addresses, reason, starts
from threadcast.bot.chat.views.message import (
    Button,
    Message,
    Rows,
    bold,
    code,
    esc,
    esc_lines,
    in_chat,
    link,
    rows,
)
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.overview import Overview
from threadcast.bot.requests.queries import Chain
from threadcast.bot.wording import bar, count, shortly, stands
from threadcast.queue.model import ChannelRow, Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState

PAGE = 8  # entries of a list
IN_A_SENTENCE = {"at": "give a time", "undo": "take down", "skip": "skip a post of"}
ACROSS = 4  # numbers of threads on a row of buttons


def queue(forecasts: Sequence[Forecast], viewer: Viewer, *, page: int, channel: str) -> Message:
    """What waits, a page at a time."""
    if not forecasts:
        where = f" for {esc(channel)}" if channel else ""
        return Message(f"Nothing waits{where}. Send me a text file, or /add")
    page = min(max(page, 0), (len(forecasts) - 1) // PAGE)
    shown = forecasts[page * PAGE : (page + 1) * PAGE]
    lines = [f"{bold('Queue')}: {count(len(forecasts), 'delivery', 'deliveries')}"]
    for one in shown:
        delivery = one.delivery
        lines += [
            "",
            f"{SIGNS[delivery.state]} #{delivery.thread_id} {bold(delivery.channel)} {esc(delivery.title)}",
            f"    {esc(_foreseen(one, viewer))}",
        ]
    return Message(
        "\n".join(lines),
        (
            *_numbers(shown_ids([one.delivery for one in shown])),
            *_pages("queue", page, len(forecasts) > (page + 1) * PAGE, channel),
        ),
    )


def _foreseen(one: Forecast, viewer: Viewer) -> str:
    delivery = one.delivery
    if delivery.state is DeliveryState.QUEUED:
        return starts(delivery, one, viewer)
    if delivery.state is DeliveryState.PUBLISHING and one.end is not None:
        far = (
            f"{bar(delivery.sent, delivery.posts)} {delivery.sent}/{delivery.posts}, "
            if delivery.posts
            else ""
        )
        if delivery.code is Code.PERSON:
            return f"{far}{in_chat(one.why)}"
        return f"{far}until {shortly(one.end, viewer.now, viewer.zone)}"
    return f"{delivery.state}: {in_chat(one.why)}" if one.why else delivery.state


def history(chains: Sequence[Chain], viewer: Viewer, *, page: int, channel: str, more: bool) -> Message:
    """What ended, newest first, a page at a time."""
    if not chains:
        where = f" on {esc(channel)}" if channel else ""
        nothing = f"Nothing was published{where} yet. What waits: /queue"
        return Message("That was all. From the newest: /history" if page else nothing)
    lines = [bold("History")]
    for chain in chains:
        one = chain.delivery
        sent = f" {one.sent}/{one.posts}" if one.posts else ""
        when = f", {shortly(one.finished, viewer.now, viewer.zone)}" if one.finished else ""
        name = next((link(one_of, one.title) for one_of in addresses(chain)), esc(one.title))
        lines += [
            "",
            f"{SIGNS[one.state]} #{one.thread_id} {bold(one.channel)} {name}",
            f"    {stands(one)}{sent}{when}{f': {reason(one.reason)}' if one.reason else ''}",
        ]
    ids = shown_ids([chain.delivery for chain in chains])
    return Message("\n".join(lines), (*_numbers(ids), *_pages("history", page, more, channel)))


def shown_ids(deliveries: Sequence[Delivery]) -> tuple[int, ...]:
    """The threads of these, each once, in their order."""
    return tuple(dict.fromkeys(one.thread_id for one in deliveries))


def _numbers(threads: Sequence[int]) -> Rows:
    """A button for each thread, which shows it."""
    every = [button(f"#{one}", "show", (one,)) for one in threads]
    return tuple(tuple(every[start : start + ACROSS]) for start in range(0, len(every), ACROSS))


def _pages(verb: str, page: int, more: bool, channel: str) -> Rows:
    return rows(
        (
            button("◀ Newer" if verb == "history" else "◀ Back", verb, (), channel, page=page - 1)
            if page
            else None,
            button("Older ▶" if verb == "history" else "More ▶", verb, (), channel, page=page + 1)
            if more
            else None,
        )
    )


def channels(found: Sequence[ChannelRow], configured: frozenset[str], role: Role) -> Message:
    """The channels, each with a button that pauses it or lets it go on."""
    lines = [bold("Channels")]
    for row in found:
        known = row.name in configured
        state = ("paused" if row.paused else "ready") if known else "not configured any more"
        lines += [
            "",
            f"{'⏸' if row.paused else '▶️' if known else '✖️'} {bold(row.name)} ({esc(row.kind)}): {state}",
            f"    {esc(row.target)}, {esc(row.schedule) or 'in turn'}",
        ]
    asked = [
        button(
            f"Resume {row.name}" if row.paused else f"Pause {row.name}",
            "resume" if row.paused else "pause",
            (),
            row.name,
        )
        for row in found
        if row.name in configured
    ]
    return Message("\n".join(lines), tuple((one,) for one in asked) if role is Role.OWNER else ())


def status(one: Overview, viewer: Viewer) -> Message:
    """How things stand, and what waits for a person."""
    lines = [bold("How things stand")]
    for name, kind in one.channels:
        sign, more = ("⏸", ", paused") if name in one.paused else ("▶️", "")
        lines.append(f"{sign} {bold(name)} ({esc(kind)}){more}")
    lines += [
        f"✖️ {bold(name)} is not configured any more; waiting for it: {number}"
        for name, number in one.gone.items()
    ]
    counts = ", ".join(f"{number} {state}" for state, number in sorted(one.counts.items()))
    lines += ["", f"Queue: {counts or 'empty'}"]
    waiting = shown_ids(one.yours)
    if waiting:
        lines += ["", bold("Waiting for you" if viewer.role is Role.OWNER else "Waiting for an owner")]
        first = {delivery.thread_id: delivery for delivery in reversed(one.yours)}
        for thread_id in waiting[:PAGE]:
            each = first[thread_id]
            lines.append(
                f"{SIGNS[each.state]} #{thread_id} {stands(each)}: {reason(each.reason or each.title)}"
            )
        if len(waiting) > PAGE:
            lines.append(f"… and {len(waiting) - PAGE} more: /queue")
    return Message(
        "\n".join(lines),
        (*_numbers(waiting[:PAGE]), (button("Queue", "queue"), button("History", "history"))),
    )


def help_all(commands: Sequence[Command], role: Role) -> Message:
    """Every command that the role may give."""
    lines = ["Send me a text file with threads, or paste one: I publish it part by part.", ""]
    lines += [f"{esc(one.usage)} — {esc(one.help)}" for one in commands]
    example = "move" if role is Role.OWNER else "add"
    return Message("\n".join([*lines, "", f"More on one of them: /help {example}"]))


def help_one(command: Command, role: Role) -> Message:
    """How one command is used."""
    whose = " (for owners)" if command.who > role else ""
    lines = [code(command.usage), esc(f"{command.help}{whose}")]
    return Message("\n".join([*lines, *(["", esc_lines(command.more)] if command.more else [])]))


def unknown(name: str, suggestions: Sequence[Button]) -> Message:
    """There is no such command; a suggestion has what it would type as its label."""
    said = f"There is no /{esc(name[:32])}."
    if not suggestions:
        return Message(f"{said} All commands: /help")
    *most, last = (esc(one.label) for one in suggestions)
    which = f"{', '.join(most)} or {last}" if most else last
    return Message(f"{said} Did you mean {which}?", (tuple(suggestions),))


def choose(verb: str, found: Mapping[int, str]) -> Message:
    """Which thread? `found` are titles by number."""
    what = IN_A_SENTENCE.get(verb, verb)
    if not found:
        return Message(f"There is no thread to {esc(what)} now. What there is: /queue, /history")
    buttons = tuple((button(f"#{number} {title}"[:60], verb, (number,)),) for number, title in found.items())
    return Message(f"Which thread shall I {esc(what)}?", buttons)
