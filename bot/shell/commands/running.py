"""The service and what is around it: `run`, `check`, `config`, `migrate`, `completion`, `demo`."""

import asyncio
import os
import sys
from pathlib import Path

import click

from threadcast.bot.shell.completion import SHELLS, script
from threadcast.bot.shell.context import JSON, Exit, faults, settings


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
    from threadcast.bot.service import serve
    from threadcast.config import logs

    with faults():
        configured = settings()
    with faults():
        logs.configure(configured.log_level, configured.log_format)
        asyncio.run(serve(configured))


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
    from threadcast.bot.shell import check as checks
    from threadcast.bot.shell import views
    from threadcast.bot.shell.screen import Screen

    with faults():
        configured = settings()
    findings = asyncio.run(checks.examine(configured))
    screen = Screen(configured.timezone)
    bad = any(one.level == "error" for _, one in findings)
    if as_json:
        screen.json(
            {
                "ok": not bad,
                "findings": [
                    {"about": about, "level": one.level, "what": one.what, "advice": one.advice}
                    for about, one in findings
                ],
            }
        )
    else:
        for about, one in findings:
            views.finding(screen, about, one)
        screen.say("Something has to be mended first." if bad else "All is well. Start with: threadcast run")
    if bad:
        click.get_current_context().exit(Exit.CHECK_FAILED)


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
    with faults():
        from threadcast.bot.shell import views
        from threadcast.bot.shell.screen import Screen
        from threadcast.config.settings import in_force

        found = in_force(os.environ, folder=Path.cwd())
        screen = Screen(settings().timezone)
    if as_json:
        screen.json(
            {
                "settings": [
                    {"name": one.name, "value": one.value, "source": one.source, "secret": one.secret}
                    for one in found
                ]
            }
        )
    else:
        views.config(screen, found)


@click.command()
@JSON
def migrate(as_json: bool) -> None:
    """Bring the database's tables up to date.

    Safe to run again.

    \b
    Examples:
      threadcast migrate
    """
    with faults():
        from threadcast.bot.data_folder import upgrade
        from threadcast.bot.shell.screen import Screen

        configured = settings()
    with faults():
        version = upgrade(configured)
    screen = Screen(configured.timezone)
    if as_json:
        screen.json({"version": version})
    else:
        screen.say(f"The database is up to date: version {version}.")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes at the Tab key.

    Commands, threads and channels are completed. The script says how to install it.

    \b
    Examples:
      eval "$(threadcast completion bash)"
      eval "$(threadcast completion zsh)"
      threadcast completion fish | source
    """
    click.echo(script(click.get_current_context().find_root().command, shell))
    if sys.stdout.isatty():
        click.echo("(The first lines say how to install it.)", err=True)


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
    from threadcast.bot.shell.demo import show_off

    with faults():
        asyncio.run(show_off(folder.resolve()))
