"""The service and what is around it: `run`, `check`, `config`, `pair`, `completion`, `demo`."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from threadcast.bot import models
from threadcast.bot.data_folder import has_queue
from threadcast.bot.languages import DEFAULT as ENGLISH
from threadcast.bot.languages import N_, _, ngettext, speaking
from threadcast.bot.people import pairing, shares
from threadcast.bot.people.people import Role
from threadcast.bot.service import serve
from threadcast.bot.shell import check as checks
from threadcast.bot.shell import views
from threadcast.bot.shell.cli import COMPLETE
from threadcast.bot.shell.context import (
    JSON,
    Session,
    actor,
    confirm,
    in_session,
    load_settings,
    thread_argument,
)
from threadcast.bot.shell.data_option import environment
from threadcast.bot.shell.demo import show_off
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.screen import Screen, safe
from threadcast.bot.shell.setup.asking import on_terminal
from threadcast.config import logs
from threadcast.config.settings import DEFAULT, InForce, Settings, in_force
from threadcast.config.web import Listener

NOT_WITHOUT_SERVICE = N_("The service has to run for that: threadcast run")

LIVE = b'{"live":true}'  # what the page says at /health/live
NOT_THE_PAGE = N_(
    "The page does not answer at {place}. Unless the service starts just now, another program has that "
    "place: name another one in THREADCAST_WEB__LISTEN"
)

NOTHING_YET = N_("Nothing is set up yet. Set it up now? Else all goes to one local channel")


@click.command()
def run() -> None:
    """Run the service until SIGTERM or Ctrl-C.

    It publishes what is queued, wakes when a thread is added or due, and finishes the post in hand
    before it stops.

    \b
    Examples:
      threadcast run
      THREADCAST_LOG_LEVEL=debug threadcast run
    """
    settings = load_settings()
    if _is_new(settings) and confirm(_(NOTHING_YET), default=True):
        from threadcast.bot.shell.setup.steps import Wishes, set_up  # noqa: PLC0415  # once

        if not set_up(Wishes()):
            click.get_current_context().exit(Exit.CHECK_FAILED)
        settings = load_settings()
    logs.configure(
        settings.log_level, settings.log_format, zone=settings.timezone, file=settings.data / logs.FILE
    )
    with speaking(ENGLISH):  # its log, whoever starts it
        asyncio.run(serve(settings))


def _is_new(settings: Settings) -> bool:
    """Whether nobody has said anything yet, and somebody is there to be asked."""
    return on_terminal() and not settings.chosen and not has_queue(settings)


@click.command()
@JSON
def check(as_json: bool) -> None:
    """Check settings, database and channels.

    Each channel's credentials and rights too, with what to do about each fault. Nothing is posted.

    \b
    Examples:
      threadcast check
      threadcast check --json
    """
    settings = load_settings()
    findings = asyncio.run(checks.examine(settings))
    screen = Screen(settings.timezone)
    bad = any(one.level == "error" for _about, one in findings)
    if as_json:
        found = [
            models.Finding(about=about, level=one.level, what=one.what, advice=one.advice)
            for about, one in findings
        ]
        screen.json({"ok": not bad, "findings": found})
    else:
        views.findings(screen, findings)
        mend, well = _("Something has to be mended first."), _("All is well. Start with: threadcast run")
        screen.say(mend if bad else well)
    if bad:
        click.get_current_context().exit(Exit.CHECK_FAILED)


@click.command()
@click.option("--editor", is_flag=True, help="For an editor: what they add waits for an owner.")
@partial(in_session, begins=True)
def pair(session: Session, editor: bool) -> None:
    """Print a link: who opens it steers the bot.

    It makes whoever opens it first in Telegram an owner, works once, and for ten minutes.

    \b
    Examples:
      threadcast pair
      threadcast pair --editor
    """
    if not session.settings.chatting:
        raise click.UsageError(
            _(
                "no bot listens to people: put the token that @BotFather gives into "
                "THREADCAST_TELEGRAM__TOKEN, and leave THREADCAST_TELEGRAM__LISTEN alone"
            )
        )
    from threadcast.bot.chat.access import bot_name  # noqa: PLC0415  # telegram: only where it is asked

    role = Role.EDITOR if editor else Role.OWNER
    name = asyncio.run(bot_name(session.settings))
    if not isinstance(name, str):
        raise FaultError(checks.in_short(name), Exit.CHECK_FAILED)
    code = pairing.offer(session.database.notes, role, by=actor(), now=session.clock())
    link = pairing.address(name, code)
    if session.as_json:
        minutes = int(pairing.LASTS.total_seconds() / 60)
        session.screen.json({"link": link, "role": role.name.lower(), "minutes": minutes})
        return
    session.screen.say(link)
    if sys.stdout.isatty():
        session.screen.say(pairing.drawn(link))
    session.screen.say(
        _("Who opens it first, within ten minutes, is an editor from then on.")
        if editor
        else _("Who opens it first, within ten minutes, is an owner from then on.")
    )
    if not session.wake():
        session.screen.say(_(NOT_WITHOUT_SERVICE))


@click.command()
@partial(in_session, begins=True)
def page(session: Session) -> None:
    """Print a link that opens the page.

    It signs in whoever opens it first, works once, and for five minutes.

    \b
    Examples:
      threadcast page
    """
    web = session.settings.web
    if web.listen is None:
        raise click.UsageError(_("there is no page: THREADCAST_WEB__LISTEN is off"))
    link = pairing.sign_in_link(
        session.database.notes, web.address, Role.OWNER, actor=actor(), now=session.clock()
    )
    if session.as_json:
        minutes = int(pairing.SIGN_IN_LASTS.total_seconds() / 60)
        session.screen.json({"link": link, "minutes": minutes})
        return
    session.screen.say(link)
    session.screen.say(_("Who opens it first, within five minutes, is signed in as you."))
    if not session.wake():
        session.screen.say(_(NOT_WITHOUT_SERVICE))
    elif session.database.is_file and not _shows_page(web.listen):  # in a fleet others may show it
        session.screen.say(_(NOT_THE_PAGE).format(place=web.listen))


def _shows_page(listen: Listener) -> bool:
    """Whether it is our page that answers at a place, which another program may have taken."""
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415  # no other command needs it

    asked = HTTPConnection(listen.host, listen.port, timeout=1)
    with closing(asked), suppress(OSError, HTTPException):
        asked.request("GET", "/health/live")
        return asked.getresponse().read(100) == LIVE
    return False


@click.command()
@thread_argument("release")
@click.option(
    "--days",
    type=click.IntRange(1, shares.LONGEST.days),
    default=shares.LASTS.days,
    show_default=True,
    help="How long the link is good.",
)
@in_session
def share(session: Session, thread_id: int, days: int) -> None:
    """Print a link by which somebody approves a held thread.

    Whoever has it sees this thread as it will look, without an account, and can approve it or send it back
    with a note. It is good until the thread is decided.

    \b
    Examples:
      threadcast share 7
      threadcast share 7 --days 2
    """
    web = session.settings.web
    if web.listen is None:
        raise click.UsageError(_("there is no page: THREADCAST_WEB__LISTEN is off"))
    code = session.requests.share(thread_id, timedelta(days=days))
    link = f"{web.address}/share/{code}"
    if session.as_json:
        session.screen.json({"link": link, "days": days})
        return
    session.screen.say(link)
    said = ngettext(
        "Who has it can approve #{thread} or send it back, within {n} day.",
        "Who has it can approve #{thread} or send it back, within {n} days.",
        days,
    )
    session.screen.say(said.format(thread=thread_id, n=days))
    if web.url is None:
        session.screen.say(_("It opens on this machine alone; for others, set THREADCAST_WEB__URL."))
    if not session.wake():
        session.screen.say(_(NOT_WITHOUT_SERVICE))


@click.command()
@JSON
def config(as_json: bool) -> None:
    """Show the settings in force, and from where.

    Secrets are masked.

    \b
    Examples:
      threadcast config
      threadcast config --json
    """
    found = in_force(environment(), folder=Path.cwd())
    screen = Screen(load_settings().timezone)
    if as_json:
        screen.json({"settings": found})
    else:
        _show_config(screen, found)


def _show_config(screen: Screen, settings: Sequence[InForce]) -> None:
    lines = []
    for one in settings:
        value = safe(one.value) if one.value else f"[dim]{_('not set')}[/]"
        source = f"[dim]{_('default')}[/]" if one.source == DEFAULT else safe(one.source)
        lines.append((one.name, value, source))
    screen.table((N_("setting"), N_("value"), N_("from")), lines)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes at the Tab key.

    Commands, threads and channels are completed. docs/reference/commands.md says how to install it.

    \b
    Examples:
      eval "$(threadcast completion bash)"
      eval "$(threadcast completion zsh)"
      threadcast completion fish | source
    """
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101  # the choices are Click's
    click.echo(made(click.get_current_context().find_root().command, {}, "threadcast", COMPLETE).source())


@click.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".demo"),
    show_default=True,
    help="Where the demonstration keeps its own queue and page.",
)
def demo(folder: Path) -> None:
    """Publish sample threads on this machine alone.

    On two local channels, one like Telegram and one like Mastodon. Nothing leaves this machine: no
    account, no token, no network.

    \b
    Examples:
      threadcast demo
    """
    asyncio.run(show_off(folder.resolve()))
