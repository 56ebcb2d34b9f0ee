"""Threads of the queue: `show`, `open`, `export`, `remove`."""

from dataclasses import asdict
from pathlib import Path

import click

from threadcast.bot import wording
from threadcast.bot.languages import _, ngettext
from threadcast.bot.languages.numbers import number
from threadcast.bot.media.store import open_store
from threadcast.bot.shell import completion, views
from threadcast.bot.shell.context import (
    CHANNEL,
    FOLLOW,
    THREAD,
    THREAD_NUMBER,
    YES,
    Session,
    confirm,
    in_session,
    thread_argument,
)
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.follow import stay
from threadcast.bot.shell.screen import safe


@click.command()
@THREAD
@FOLLOW
@in_session
def show(session: Session, thread_id: int, follow: bool) -> None:
    """Show one thread, every post on every channel.

    With --follow, stay until all that is under way is published (exit code 0) or has stopped (7).

    \b
    Examples:
      threadcast show 7
      threadcast show 7 --follow
    """
    dossier = session.requests.queries.show(thread_id)
    if follow:
        stay(session, [chain.delivery for chain in dossier.chains])
    elif session.as_json:
        from threadcast.bot import models  # noqa: PLC0415  # only for JSON

        session.screen.json(models.Dossier.model_validate(dossier))
    else:
        views.dossier(
            session.screen,
            dossier,
            session.requests.queries.forecast(),
            session.clock(),
            running=session.wake(),
        )


@click.command("open")
@THREAD
@CHANNEL
@in_session
def open_(session: Session, thread_id: int, channels: tuple[str, ...]) -> None:
    """Open a thread's first post in the browser.

    On each channel where it is out; the addresses are printed too.

    \b
    Examples:
      threadcast open 7
      threadcast open 7 --channel masto
    """
    wanted = {name.lower() for name in channels}
    addresses = [
        post.url
        for chain in session.requests.queries.show(thread_id).chains
        for post in chain.posts[:1]
        if post.url and not post.taken_down and (not wanted or chain.delivery.channel in wanted)
    ]
    if not addresses:
        what = _("no post of #{thread} is out that has an address; see: {command}")
        command = f"threadcast show {thread_id}"
        raise FaultError(what.format(thread=thread_id, command=command), Exit.NOT_ALLOWED)
    if session.as_json:
        session.screen.json({"urls": addresses})
        return
    for address in addresses:
        session.screen.say(safe(address), whole=True)
        click.launch(address, wait=True)


@click.command()
@click.argument(
    "thread_id", metavar="ID", type=THREAD_NUMBER, required=False, shell_complete=completion.threads(None)
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="A new file to write to, in place of standard output.",
)
@click.option(
    "--all",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="All there is, into a new folder.",
)
@in_session
def export(session: Session, thread_id: int | None, output: Path | None, folder: Path | None) -> None:
    """Give a thread back as text, or all there is.

    Numbered as it came: parsed again, it is the same thread. With --all, every thread with its files, posts,
    addresses and history, as files that a person can read and `threadcast import` takes back.

    \b
    Examples:
      threadcast export 7
      threadcast export --all my-threads
      threadcast export 7 --output thread.txt
      threadcast export 7 | threadcast add --again -
    """
    if folder is not None:
        if thread_id is not None or output is not None:
            raise click.UsageError(_("--all takes the name of a folder, and nothing else"))
        _export_all(session, folder)
        return
    if thread_id is None:
        raise click.UsageError(_("name the ID of a thread, or --all DIR; threadcast queue lists them"))
    from threadcast.queue.text.parse import render  # noqa: PLC0415  # nothing else here parses

    thread = session.requests.queries.show(thread_id).stored.thread
    text = render(thread) + "\n"
    if session.as_json:
        session.screen.json({"id": thread_id, "title": thread.title, "text": text})
    elif output is None:
        click.echo(text.encode(), nl=False)
    else:
        _write_new(output, text)
        what = _("#{thread}, {parts}, is in {path}").format(
            thread=thread_id, parts=wording.parts(len(thread.parts)), path=safe(str(output))
        )
        session.screen.say(what, whole=True)


def _export_all(session: Session, folder: Path) -> None:
    from threadcast.bot.requests.transfer.writing import write_all  # noqa: PLC0415  # only for this

    done = write_all(session.database, open_store(session.settings), folder, now=session.clock())
    if session.as_json:
        session.screen.json({**asdict(done), "folder": str(folder)})
        return
    said = _("{threads} with {posts} and {files}: in {folder}").format(
        threads=wording.threads(done.threads),
        posts=wording.posts(done.posts),
        files=ngettext("{n} file", "{n} files", done.files).format(n=number(done.files)),
        folder=safe(str(folder)),
    )
    session.screen.say(said, whole=True)
    if done.missing:
        said = _("Not kept any more, and not in it: {names}")
        session.screen.say(said.format(names=safe(wording.several(done.missing))))


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        said = _("{path} is there already, and is not overwritten: name another file")
        raise FaultError(said.format(path=path), Exit.INPUT) from None
    except OSError as error:
        said = _("{path} cannot be written: {cause}; name another file")
        raise FaultError(said.format(path=path, cause=error.strerror), Exit.INPUT) from None


@click.command()
@thread_argument("cancel")
@YES
@in_session
def remove(session: Session, thread_id: int, yes: bool) -> None:
    """Forget a thread of which nothing was sent.

    Its text is gone then; `threadcast export` keeps a copy. What was done to it stays in `threadcast
    events`. A thread of which something is out can be cancelled, and is remembered.

    \b
    Examples:
      threadcast remove 7
      threadcast remove 7 --yes
    """
    title = session.requests.queries.show(thread_id).stored.thread.title
    if not (yes or confirm(_("Forget #{thread} {title!r}?").format(thread=thread_id, title=title))):
        said = _("#{thread} was not removed; to do it: {command}")
        again = f"threadcast remove {thread_id} --yes"
        raise FaultError(said.format(thread=thread_id, command=again), Exit.USAGE)
    session.requests.threads.remove(thread_id)
    if session.as_json:
        session.screen.json({"removed": thread_id})
    else:
        what = _("#{thread} is forgotten; what happened to it: {command}")
        session.screen.say(what.format(thread=thread_id, command=f"threadcast events {thread_id}"))
