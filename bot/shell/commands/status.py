"""How things stand: `status`, and the answer to `threadcast` alone."""

import click

from threadcast.bot import models
from threadcast.bot.data_folder import has_queue
from threadcast.bot.requests.overview import overview
from threadcast.bot.shell import views
from threadcast.bot.shell.context import JSON, load_settings, no_queue
from threadcast.bot.shell.screen import Screen


def show_overview() -> None:
    """Answer `threadcast` alone."""
    settings = load_settings()
    screen = Screen(settings.timezone)
    views.overview(screen, overview(settings), "" if has_queue(settings) else no_queue(settings))


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
