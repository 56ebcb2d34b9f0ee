"""What runs, what comes next and what waits for a person: the digest, and the status that is pinned. Pure."""

from collections.abc import Callable, Sequence
from datetime import date, datetime

from threadcast.bot.chat.buttons import button
from threadcast.bot.chat.views.cards import SIGNS, Viewer, reason
from threadcast.bot.chat.views.message import Message, Rows, bold, esc
from threadcast.bot.chat.views.people import NO_EVENTS, Events, why
from threadcast.bot.languages import _, ngettext
from threadcast.bot.publishing.forecast import Forecast
from threadcast.bot.wording import bar, shortly, stands
from threadcast.config.schedule.zones import DAY, wall
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState

YOURS = (DeliveryState.UNSURE, DeliveryState.FAILED, DeliveryState.HELD)
FEW = 10
NUMBERS = 5  # threads with a button


def digest(
    published: Sequence[Delivery],
    yours: Sequence[Delivery],
    coming: Sequence[Forecast],
    viewer: Viewer,
    events: Events = NO_EVENTS,
    *,
    since: datetime,
) -> Message:
    """What was published since the last one, what waits for a person, and today's and tomorrow's plan.

    `events` tell of some threads who wanted that they wait.
    """
    lines = [
        bold(_("Since {time}").format(time=shortly(since, viewer.now, viewer.zone))),
        _("Published: {what}").format(what=_chains(len(published))),
    ]
    lines += [f"{name(one)} {esc(one.title)}" for one in published[:FEW]]
    lines += [_more(len(published) - FEW, "/history")] if len(published) > FEW else []
    lines += for_a_person(yours, viewer, events)
    starting = [(one.start, one) for one in coming if one.start is not None]
    today = wall(viewer.now, viewer.zone).date()

    def is_on(ahead: int) -> Callable[[tuple[datetime, Forecast]], bool]:
        return lambda one: _days_ahead(one[0], viewer, today) == ahead

    lines += ["", _("Nothing is to be published.")] if not starting else []
    for heading, some in (
        (_("Today"), [one for _start, one in filter(is_on(0), starting)]),
        (_("Tomorrow"), [one for _start, one in filter(is_on(1), starting)]),
        (_("Later"), [one for _start, one in filter(is_on(2), starting)]),
    ):
        lines += ["", bold(heading), *starts(some, viewer)] if some else []
    return Message("\n".join(lines), numbers(yours), quiet=not yours)


def status(
    coming: Sequence[Forecast],
    yours: Sequence[Delivery],
    viewer: Viewer,
    events: Events = NO_EVENTS,
    *,
    pinned: bool = True,
) -> Message:
    """How things stand, for a message that is kept up to date: nothing in it is old on the next day only."""
    running = [one for one in coming if one.delivery.state is DeliveryState.PUBLISHING]
    queued = [one for one in coming if one.delivery.state is DeliveryState.QUEUED and one.start is not None]
    lines = [bold(_("How things stand"))]
    lines += ["", bold(_("Running")), *(_running(one, viewer) for one in running[:FEW])] if running else []
    lines += [_more(len(running) - FEW, "/queue")] if len(running) > FEW else []
    lines += ["", bold(_("Next")), *starts(queued, viewer)] if queued else []
    lines += for_a_person(yours, viewer, events)
    lines += [] if running or queued or yours else ["", _("Nothing runs, and nothing waits.")]
    if not pinned:
        lines += ["", _("I may not pin messages here. With the right to pin them: /pin once more.")]
    return Message("\n".join(lines), numbers(yours), quiet=True)


def for_a_person(yours: Sequence[Delivery], viewer: Viewer, events: Events) -> list[str]:
    """What waits for a person, and why."""
    if not yours:
        return []
    said = [
        f"{name(one)} {_(stands(one))}: {_because(one, viewer, events) if one.reason else esc(one.title)}"
        for one in yours[:FEW]
    ]
    more = [_more(len(yours) - FEW, "/status")] if len(yours) > FEW else []
    return ["", bold(_("Waiting for you")), *said, *more]


def _because(one: Delivery, viewer: Viewer, events: Events) -> str:
    return why(one, events.get(one.thread_id, ()), viewer.names) or reason(one.reason)


def starts(coming: Sequence[Forecast], viewer: Viewer) -> list[str]:
    """When chains start."""
    lines: list[str] = []
    for one in coming[:FEW]:
        is_now = one.start is None or one.start <= viewer.now
        when = _("now") if is_now or one.start is None else shortly(one.start, viewer.now, viewer.zone)
        title = esc(one.delivery.title)
        lines.append(f"{when}: #{one.delivery.thread_id} {bold(one.delivery.channel)} {title}")
    return [*lines, *([_more(len(coming) - FEW, "/queue")] if len(coming) > FEW else [])]


def name(one: Delivery) -> str:
    """Which delivery, and how it stands."""
    return f"{SIGNS[one.state]} #{one.thread_id} {bold(one.channel)}"


def numbers(yours: Sequence[Delivery]) -> Rows:
    """A button for each of the first threads, which shows it."""
    threads = dict.fromkeys(one.thread_id for one in yours)
    row = tuple(button(f"#{one}", "show", (one,)) for one in list(threads)[:NUMBERS])
    return (row,) if row else ()


def _running(one: Forecast, viewer: Viewer) -> str:
    delivery = one.delivery
    far = f" {bar(delivery.sent, delivery.posts)} {delivery.sent}/{delivery.posts}" if delivery.posts else ""
    until = f", {shortly(one.end, viewer.now, viewer.zone)}" if one.end is not None else ""
    return f"{name(delivery)}{far}{until} {esc(delivery.title)}"


def _days_ahead(moment: datetime, viewer: Viewer, today: date) -> int:
    """0 for today, 1 for tomorrow, 2 for later."""
    return min(max((wall(moment, viewer.zone).date() - today) // DAY, 0), 2)


def _chains(number: int) -> str:
    return ngettext("{n} chain", "{n} chains", number).format(n=number) if number else _("nothing")


def _more(number: int, command: str) -> str:
    return _("… and {n} more: {command}").format(n=number, command=command)
