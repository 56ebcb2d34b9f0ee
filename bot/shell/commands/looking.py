"""Looking: the state, `queue`, `show`, `history`, `channels`, `events`, `export`."""

from pathlib import Path

import click

from threadcast.bot.shell.context import (
    FOLLOW,
    JSON,
    LIMIT,
    ONE_CHANNEL,
    THREAD,
    THREAD_NUMBER,
    Exit,
    FaultError,
    faults,
    opened,
    settings,
)


def show_state() -> None:
    """`threadcast` alone."""
    from threadcast.bot.requests.overview import overview
    from threadcast.bot.shell import views
    from threadcast.bot.shell.screen import Screen

    with faults():
        configured = settings()
    with faults():
        views.overview(Screen(configured.timezone), overview(configured))


@click.command()
@ONE_CHANNEL
@JSON
def queue(channel: str | None, as_json: bool) -> None:
    """List what waits, and until when.

    What is under way, queued, held or unsure, in the order in which it will go out: when it starts, why
    then, and when it should be through.

    \b
    Examples:
      threadcast queue
      threadcast queue --channel news
    """
    with opened() as office:
        from threadcast.bot.service import now
        from threadcast.bot.shell import as_json as answers
        from threadcast.bot.shell import views

        forecasts = office.requests.queries.forecast(channel=channel)
        if as_json:
            office.screen.json({"deliveries": [answers.forecast(one) for one in forecasts]})
        elif forecasts:
            views.queue(office.screen, forecasts, now())
        else:
            office.screen.say("The queue is empty. Add a thread: threadcast add FILE")


@click.command()
@THREAD
@FOLLOW
@JSON
def show(thread_id: int, follow: bool, as_json: bool) -> None:
    """Show one thread, every post on every channel.

    With --follow, stay until all that is under way is published (exit code 0) or has stopped (7).

    \b
    Examples:
      threadcast show 7
      threadcast show 7 --follow
    """
    with opened() as office:
        from threadcast.bot.service import now
        from threadcast.bot.shell import as_json as answers
        from threadcast.bot.shell import views
        from threadcast.bot.shell.commands.following import stay

        dossier = office.requests.queries.show(thread_id)
        if follow:
            stay(office, [chain.delivery for chain in dossier.chains], as_json=as_json)
        elif as_json:
            office.screen.json(answers.dossier(dossier))
        else:
            views.dossier(office.screen, dossier, office.requests.queries.forecast(), now())


@click.command()
@ONE_CHANNEL
@LIMIT
@JSON
def history(channel: str | None, limit: int | None, as_json: bool) -> None:
    """List what was published or stopped, newest first.

    \b
    Examples:
      threadcast history -n 10
      threadcast history --channel news --json
    """
    with opened() as office:
        from threadcast.bot.shell import as_json as answers
        from threadcast.bot.shell import views

        chains = office.requests.queries.history(channel=channel, limit=limit)
        if as_json:
            office.screen.json({"deliveries": [answers.chain(chain) for chain in chains]})
        elif chains:
            views.history(office.screen, chains)
        else:
            office.screen.say("Nothing was published yet. See what waits: threadcast queue")


@click.command()
@JSON
def channels(as_json: bool) -> None:
    """List the channels, configured and remembered.

    \b
    Examples:
      threadcast channels
      threadcast channels --json
    """
    with opened() as office:
        from threadcast.bot.shell import as_json as answers
        from threadcast.bot.shell import views

        rows = office.requests.queries.channels()
        configured = office.requests.queries.configured
        if as_json:
            office.screen.json({"channels": [answers.channel(row, configured) for row in rows]})
        else:
            views.channels(office.screen, rows, configured)


@click.command()
@click.argument("thread_id", metavar="[ID]", type=THREAD_NUMBER, required=False)
@LIMIT
@JSON
def events(thread_id: int | None, limit: int | None, as_json: bool) -> None:
    """List what happened: when, who, what.

    The oldest first; events of one thread, or of all.

    \b
    Examples:
      threadcast events -n 20
      threadcast events 7
    """
    with opened() as office:
        from threadcast.bot.shell import as_json as answers
        from threadcast.bot.shell import views

        found = office.requests.queries.events(thread_id, limit)
        if as_json:
            office.screen.json({"events": [answers.event(one) for one in found]})
        elif found:
            views.events(office.screen, found)
        else:
            office.screen.say("Nothing has happened yet. Add a thread: threadcast add FILE")


@click.command()
@THREAD
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A new file to write to, in place of standard output.",
)
@JSON
def export(thread_id: int, output: Path | None, as_json: bool) -> None:
    """Give a thread back as text.

    Numbered as it came: parsed again, it is the same thread.

    \b
    Examples:
      threadcast export 7
      threadcast export 7 --output thread.txt
      threadcast export 7 | threadcast add --again -
    """
    with opened() as office:
        from threadcast.bot.shell.screen import safe
        from threadcast.queue.text.parse import render

        thread = office.requests.queries.show(thread_id).stored.thread
        text = render(thread) + "\n"
        if as_json:
            office.screen.json({"id": thread_id, "title": thread.title, "text": text})
        elif output is None:
            click.echo(text.encode(), nl=False)
        else:
            _write_new(output, text)
            count = len(thread.parts)
            office.screen.say(
                f"#{thread_id}, {count} part{'s' if count != 1 else ''}, is in {safe(str(output))}",
                whole=True,
            )


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise FaultError(
            f"{path} is there already, and is not overwritten: name another file", Exit.INPUT
        ) from None
    except OSError as error:
        raise FaultError(
            f"{path} cannot be written: {error.strerror}; name another file", Exit.INPUT
        ) from None
