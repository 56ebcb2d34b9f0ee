"""How things stand: `status`, and the answer to `threadcast` alone."""

import click

from threadcast.bot import models
from threadcast.bot.data_folder import has_queue
from threadcast.bot.languages import _
from threadcast.bot.requests.overview import Overview, overview
from threadcast.bot.shell import views
from threadcast.bot.shell.context import JSON, load_settings, no_queue
from threadcast.bot.shell.screen import Screen, safe, state
from threadcast.bot.wording import several
from threadcast.queue.model import Machine


def show_overview() -> None:
    """Answer `threadcast` alone."""
    settings = load_settings()
    screen = Screen(settings.timezone)
    _show(screen, overview(settings), "" if has_queue(settings) else no_queue(settings))


def _show(screen: Screen, one: Overview, no_queue: str) -> None:
    paused = f", [yellow]{_('paused')}[/]"
    names = several(f"{name} ({kind}{paused if name in one.paused else ''})" for name, kind in one.channels)
    counts = ", ".join(f"{number} {state(name)}" for name, number in sorted(one.counts.items()))
    running = f"[green]{_('running')}[/]" if one.running else f"[yellow]{_('not running here')}[/]"
    gone = _("{name} is not configured any more; waiting for it: {waiting}")
    lines = [
        (_("service"), running),
        (_("channels"), names),
        *(("", f"[yellow]{gone.format(name=name, waiting=many)}[/]") for name, many in one.gone.items()),
        (_("queue"), counts or _("empty")),
        *((_("machine"), _machine(screen, each)) for each in one.machines),
        *([("", f"[yellow]{safe(no_queue)}[/]")] if no_queue else []),
    ]
    width = max(len(label) for label, _about in lines)
    for label, about in lines:
        screen.say(f"{label.ljust(width)}  {about}", whole=bool(one.machines or no_queue))
    if one.yours:
        screen.say()
        views.waiting_for_owner(screen, one.yours)
    screen.say()
    screen.say(f"[bold]{_('Next')}[/]")
    width = max(len(command) for _why, command in one.next)
    for why, command in one.next:
        screen.say(f"  {command.ljust(width)}  [dim]{_(why)}[/]")


def _machine(screen: Screen, one: Machine) -> str:
    hears = "".join(
        _(", tells hooks") if what == "hooks" else _(", hears {name}").format(name=what) for what in one.leads
    )
    said = _("{name} ({version}), since {since}, publishes {works}{hears}; last heard of {heard}").format(
        name=one.name,
        version=one.version,
        since=screen.when(one.since),
        works=several(views.on(thread, channel) for thread, channel in one.works_at) or _("nothing now"),
        hears=hears,
        heard=screen.when(one.heard),
    )
    return safe(said)


@click.command()
@JSON
def status(as_json: bool) -> None:
    """Say how things stand, and which machines work.

    Machines share a queue on PostgreSQL: each is listed with its version, since when it works, what it
    publishes, what it alone does, and when it was last heard of.

    \b
    Examples:
      threadcast status
      threadcast status --json
    """
    if not as_json:
        show_overview()
        return
    settings = load_settings()
    Screen(settings.timezone).json(models.Overview.model_validate(overview(settings)))
