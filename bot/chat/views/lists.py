"""Lists as the chat shows them: the queue, the history, the channels, how things stand. Pure."""

from collections.abc import Mapping, Sequence

from threadcast.bot.channels.stored import StoredChannel
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
    link,
    rows,
)
from threadcast.bot.chat.views.people import NO_EVENTS, Events, happened, why
from threadcast.bot.languages import N_, _, ngettext, translated
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.requests.overview import Overview
from threadcast.bot.requests.queries import Chain
from threadcast.bot.wording import CHAT, STATES, bar, shortly, stands, waits
from threadcast.queue.model import AuditEvent, ChannelRow, Delivery
from threadcast.queue.outcomes import Code
from threadcast.queue.states import DeliveryState

NOTHING_STORED: Mapping[str, StoredChannel] = {}
PAGE = 8  # entries of a list
EVENTS = 20  # the newest
# What a command does with a thread.
IN_A_SENTENCE = {
    "at": N_("give a time"),
    "audit": N_("audit"),
    "cancel": N_("cancel"),
    "hold": N_("hold"),
    "move": N_("move"),
    "preview": N_("preview"),
    "publish": N_("publish"),
    "release": N_("release"),
    "retry": N_("retry"),
    "settle": N_("settle"),
    "show": N_("show"),
    "skip": N_("skip a post of"),
    "stop": N_("stop"),
    "undo": N_("take down"),
}
ACROSS = 4  # numbers of threads on a row of buttons


def queue(
    forecasts: Sequence[Forecast], viewer: Viewer, *, page: int, channel: str, events: Events = NO_EVENTS
) -> Message:
    """What waits, a page at a time; `events` tell of some threads who wanted that."""
    if not forecasts:
        if channel:
            nothing = _("Nothing waits for {channel}. Send me a text file, or /add")
            return Message(nothing.format(channel=esc(channel)))
        return Message(_("Nothing waits. Send me a text file, or /add"))
    page = min(max(page, 0), (len(forecasts) - 1) // PAGE)
    shown = forecasts[page * PAGE : (page + 1) * PAGE]
    number = len(forecasts)
    lines = [ngettext("<b>Queue</b>: {n} delivery", "<b>Queue</b>: {n} deliveries", number).format(n=number)]
    for one in shown:
        delivery = one.delivery
        lines += [
            "",
            f"{SIGNS[delivery.state]} #{delivery.thread_id} {bold(delivery.channel)} {esc(delivery.title)}",
            f"    {_foreseen(one, viewer, events.get(delivery.thread_id, ()))}",
        ]
    return Message(
        "\n".join(lines),
        (
            *_numbers(shown_ids([one.delivery for one in shown])),
            *_pages("queue", page, len(forecasts) > (page + 1) * PAGE, channel),
        ),
    )


def _foreseen(one: Forecast, viewer: Viewer, events: Sequence[AuditEvent]) -> str:
    delivery = one.delivery
    if delivery.state is DeliveryState.QUEUED:
        return esc(starts(delivery, one, viewer))
    because = why(delivery, events, viewer.names) or esc(waits(one, CHAT))
    if delivery.state is DeliveryState.PUBLISHING and one.end is not None:
        far = (
            f"{bar(delivery.sent, delivery.posts)} {delivery.sent}/{delivery.posts}, "
            if delivery.posts
            else ""
        )
        if delivery.code is Code.PERSON:
            return f"{far}{because}"
        return far + _("until {time}").format(time=shortly(one.end, viewer.now, viewer.zone))
    state = _(STATES[delivery.state])
    return f"{state}: {because}" if one.why else state


def history(chains: Sequence[Chain], viewer: Viewer, *, page: int, channel: str, more: bool) -> Message:
    """What ended, newest first, a page at a time."""
    if not chains:
        if page:
            return Message(_("That was all. From the newest: /history"))
        if channel:
            nothing = _("Nothing was published on {channel} yet. What waits: /queue")
            return Message(nothing.format(channel=esc(channel)))
        return Message(_("Nothing was published yet. What waits: /queue"))
    lines = [bold(_("History"))]
    for chain in chains:
        one = chain.delivery
        sent = f" {one.sent}/{one.posts}" if one.posts else ""
        when = f", {shortly(one.finished, viewer.now, viewer.zone)}" if one.finished else ""
        name = next((link(one_of, one.title) for one_of in addresses(chain)), esc(one.title))
        lines += [
            "",
            f"{SIGNS[one.state]} #{one.thread_id} {bold(one.channel)} {name}",
            f"    {_(stands(one))}{sent}{when}{f': {reason(one.reason)}' if one.reason else ''}",
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
            button(_("◀ Newer") if verb == "history" else _("◀ Back"), verb, (), channel, page=page - 1)
            if page
            else None,
            button(_("Older ▶") if verb == "history" else _("More ▶"), verb, (), channel, page=page + 1)
            if more
            else None,
        )
    )


def events(found: Sequence[AuditEvent], viewer: Viewer) -> Message:
    """What happened, oldest first, and who did it."""
    if not found:
        return Message(_("Nothing has happened yet. Send me a text file, or /add"))
    lines = [bold(_("What happened"))]
    for one in found:
        thread = f" #{one.thread_id}" if one.thread_id is not None else ""
        where = f" {bold(one.channel)}" if one.channel else ""
        when = shortly(one.at, viewer.now, viewer.zone)
        lines.append(f"{when}{thread}{where}: {happened(one, viewer.names, reason(one.detail))}")
    return Message("\n".join(lines))


def channels(
    found: Sequence[ChannelRow],
    configured: frozenset[str],
    role: Role,
    stored: Mapping[str, StoredChannel] = NOTHING_STORED,
) -> Message:
    """The channels, each with a button that pauses it or lets it go on; what was `stored` is forgotten."""
    lines = [bold(_("Channels"))]
    for row in found:
        known = row.name in configured
        state = (_("paused") if row.paused else _("ready")) if known else _("not configured any more")
        lines += [
            "",
            f"{'⏸' if row.paused else '▶️' if known else '✖️'} {bold(row.name)} ({esc(row.kind)}): {state}",
            f"    {_place(row, stored.get(row.name))}, {esc(translated(row.schedule)) or _('in turn')}",
        ]
    asked = [
        (
            button(
                (_("Resume {channel}") if row.paused else _("Pause {channel}")).format(channel=row.name),
                "resume" if row.paused else "pause",
                (),
                row.name,
            ),
            button(_("Forget {channel}").format(channel=row.name), "forget", (), row.name)
            if row.name in stored
            else None,
        )
        for row in found
        if row.name in configured
    ]
    return Message("\n".join(lines), rows(*asked) if role is Role.OWNER else ())


def _place(row: ChannelRow, stored: StoredChannel | None) -> str:
    """Where a channel leads; one that was stored from the chat by its title."""
    if stored is None or row.target != str(stored.chat):
        return esc(translated(row.target))
    return esc(f"{stored.title} (@{stored.username})" if stored.username else stored.title)


def status(one: Overview, viewer: Viewer, events: Events = NO_EVENTS) -> Message:
    """How things stand, and what waits for a person; `events` tell of some threads who wanted that."""
    lines = [bold(_("How things stand"))]
    for name, kind in one.channels:
        sign, more = ("⏸", f", {_('paused')}") if name in one.paused else ("▶️", "")
        lines.append(f"{sign} {bold(name)} ({esc(kind)}){more}")
    lines += [
        _("✖️ {channel} is not configured any more; waiting for it: {n}").format(channel=bold(name), n=number)
        for name, number in one.gone.items()
    ]
    counts = ", ".join(f"{number} {_(STATES[state])}" for state, number in sorted(one.counts.items()))
    lines += ["", _("Queue: {counts}").format(counts=counts or _("empty"))]
    waiting = shown_ids(one.yours)
    if waiting:
        lines += ["", bold(_("Waiting for you") if viewer.role is Role.OWNER else _("Waiting for an owner"))]
        first = {delivery.thread_id: delivery for delivery in reversed(one.yours)}
        for thread_id in waiting[:PAGE]:
            each = first[thread_id]
            because = why(each, events.get(thread_id, ()), viewer.names) or reason(each.reason)
            about = because if each.reason else esc(each.title)
            lines.append(f"{SIGNS[each.state]} #{thread_id} {_(stands(each))}: {about}")
        if len(waiting) > PAGE:
            lines.append(_("… and {n} more: {command}").format(n=len(waiting) - PAGE, command="/queue"))
    return Message(
        "\n".join(lines),
        (*_numbers(waiting[:PAGE]), (button(_("Queue"), "queue"), button(_("History"), "history"))),
    )


def help_all(commands: Sequence[Command], role: Role) -> Message:
    """Every command that the role may give."""
    lines = [_("Send me a text file with threads, or paste one: I publish it part by part."), ""]
    lines += [f"{esc(one.usage)} — {esc(_(one.help))}" for one in commands]
    example = "move" if role is Role.OWNER else "add"
    more = _("More on one of them: {command}").format(command=f"/help {example}")
    return Message("\n".join([*lines, "", more]))


def help_one(command: Command, role: Role) -> Message:
    """How one command is used."""
    help_line = _(command.help)
    whose = _("{help} (for owners)").format(help=help_line) if command.who > role else help_line
    lines = [code(command.usage), esc(whose)]
    return Message("\n".join([*lines, *(["", esc_lines(_(command.more))] if command.more else [])]))


def unknown(name: str, suggestions: Sequence[Button]) -> Message:
    """There is no such command; a suggestion has what it would type as its label."""
    wrong = f"/{esc(name[:32])}"
    if not suggestions:
        return Message(_("There is no {command}. All commands: /help").format(command=wrong))
    *most, last = (esc(one.label) for one in suggestions)
    which = _("{most} or {last}").format(most=", ".join(most), last=last) if most else last
    said = _("There is no {command}. Did you mean {suggestion}?")
    return Message(said.format(command=wrong, suggestion=which), (tuple(suggestions),))


def choose(
    verb: str, found: Mapping[int, str], words: Sequence[str] = (), instead: Sequence[Button] = ()
) -> Message:
    """Which thread? `found` are titles by number; a button carries the words that were typed.

    `instead` are buttons for what may be meant as well.
    """
    what = esc(_(IN_A_SENTENCE.get(verb, verb)))
    if not found:
        nothing = _("There is no thread to {verb} now. What there is: /queue, /history")
        return Message(nothing.format(verb=what), rows(instead))
    buttons = tuple(
        (button(f"#{number} {title}"[:60], verb, (number,), *words),) for number, title in found.items()
    )
    return Message(_("Which thread shall I {verb}?").format(verb=what), (*buttons, *rows(instead)))
