"""Threads: `add`, `adopt`, `preview`, `show`, `export`, `remove`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from threadcast.bot import models, wording
from threadcast.bot.languages import _, ngettext
from threadcast.bot.languages.numbers import number
from threadcast.bot.media.store import open_store
from threadcast.bot.requests.context import pick
from threadcast.bot.requests.input import Intake, inspected
from threadcast.bot.requests.preview import preview_posts
from threadcast.bot.requests.threads import Receipt
from threadcast.bot.requests.transfer.writing import write_all
from threadcast.bot.shell import completion, views
from threadcast.bot.shell.commands.settings import SETTINGS, with_options
from threadcast.bot.shell.context import (
    CHANNEL,
    ENCODING,
    FOLLOW,
    FORCE,
    JSON,
    MEDIA,
    THREAD,
    THREAD_NUMBER,
    YES,
    Session,
    confirm,
    in_session,
    only_text,
    open_session,
    parse_at,
    read_all,
    thread_argument,
)
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.follow import stay
from threadcast.bot.shell.screen import Screen, safe
from threadcast.queue.states import DeliveryState
from threadcast.queue.text.parse import render


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE…|-", shell_complete=completion.files)
@CHANNEL
@click.option("--at", metavar="TIME", help="Not before this time: fri 18:30, in 2h, 2026-12-24T18:30.")
@click.option(
    "--hold/--no-hold",
    default=None,
    help="Queue it, but wait for `threadcast release`; or let it go though its channel holds every thread.",
)
@click.option("--again", is_flag=True, help="Publish a thread once more where it was published before.")
@click.option(
    "--continue",
    "continued",
    type=THREAD_NUMBER,
    metavar="ID",
    help="Append the parts to this thread; a published chain goes on from its last post.",
    shell_complete=completion.threads(),
)
@MEDIA
@ENCODING
@click.option("--dry-run", is_flag=True, help="Only parse and report; nothing is queued.")
@SETTINGS
@JSON
def add(
    files: tuple[str, ...],
    channels: tuple[str, ...],
    at: str | None,
    hold: bool | None,
    again: bool,
    continued: int | None,
    media: Path | None,
    encoding: str,
    dry_run: bool,
    as_json: bool,
    **settings: str | bool | None,
) -> None:
    """Queue the threads of text files.

    `-` reads standard input. All of them are added, or on any error none. A line
    `![what can be seen](photo.jpg)` shows a file beside the text, or at an https address.

    \b
    Examples:
      threadcast add thread.txt
      threadcast add --dry-run thread.txt
      threadcast add -c news --at 2026-12-24T18:30 thread.txt
      threadcast add --warning politics --language de thread.txt
      threadcast add --continue 7 more.txt
      pbpaste | threadcast add -
    """
    wished = any(value is not None for value in settings.values())
    if continued is not None and (len(files) > 1 or channels or at or hold is not None or again or wished):
        raise click.UsageError(
            _("--continue takes one file, and no option but --media, --encoding, --dry-run and --json")
        )
    intakes = with_options(read_all(files, encoding, media), settings)
    if dry_run:
        intakes = [inspected(intake) for intake in intakes]
        _show_parsed(intakes, files[0], as_json=as_json)
        return
    with open_session(as_json=as_json, begins=True) as session:
        threads = session.requests.threads
        if continued is not None:
            views.changed(session, threads.extend(continued, only_text(intakes)))
            return
        moment = parse_at(at, session.settings.timezone, clock=session.clock)
        _show_receipts(
            session,
            threads.add(
                intakes, channels=channels, at=moment, hold=bool(hold), approved=hold is False, again=again
            ),
        )


def _show_parsed(intakes: Sequence[Intake], file: str, *, as_json: bool) -> None:
    """Show what the parser made of a text; that needs no queue, no channel and no settings."""
    screen = Screen(ZoneInfo("UTC"))
    threads = [thread for intake in intakes for thread in intake.threads]
    if as_json:
        screen.json({"threads": models.many(models.Thread, threads)})
    else:
        views.parsed(screen, threads, file)


def _show_receipts(session: Session, receipts: Sequence[Receipt]) -> None:
    """Show what became of what was added, and what to type next."""
    screen = session.screen
    if session.as_json:
        screen.json({"threads": models.many(models.Receipt, receipts)})
        return
    added = [one for receipt in receipts for one in receipt.added.deliveries]
    starts = session.foreseen(added)
    for receipt in receipts:
        views.receipt(screen, receipt, starts, session.clock())
    if not added:
        screen.say(_("Nothing new was added."))
    elif all(one.state is DeliveryState.HELD for one in added):
        return  # what is next stands beside each
    elif session.wake():
        screen.say(_("See how it goes: threadcast queue"))
    else:
        screen.say(_(views.NO_SERVICE))


@click.command()
@click.argument("file", metavar="FILE|-", shell_complete=completion.files)
@click.option(
    "-c",
    "--channel",
    metavar="NAME",
    required=True,
    help="The channel on which it was begun.",
    shell_complete=completion.channels,
)
@click.option(
    "--parts", type=click.IntRange(min=1), required=True, metavar="N", help="How many parts are out."
)
@click.option("--last", metavar="URL", required=True, help="The post of the last of these; or its id.")
@FORCE
@JSON
def adopt(file: str, channel: str, parts: int, last: str, force: bool, as_json: bool) -> None:
    """Take over a chain that was begun by hand.

    FILE is the whole thread. Its first N parts are out, the last of them at URL: it goes on from there.
    That post is looked at first.

    \b
    Examples:
      threadcast adopt thread.txt -c news --parts 12 \\
        --last https://t.me/my_channel/113
    """
    intake = only_text(read_all((file,)))
    with open_session(as_json=as_json, begins=True) as session:
        receipt = session.online(
            lambda ask: ask.chains.adopt(intake, channel=channel, parts=parts, address=last, force=force)
        )
        _show_receipts(session, [receipt])


@click.command()
@click.argument("what", metavar="FILE|ID|-", shell_complete=completion.files)
@CHANNEL
@MEDIA
@ENCODING
@in_session
def preview(
    session: Session, what: str, channels: tuple[str, ...], media: Path | None, encoding: str
) -> None:
    """Show each channel's posts as they will be.

    With their lengths. FILE is a text file, `-` is standard input; a number that names no file is a
    thread of the queue.

    \b
    Examples:
      threadcast preview thread.txt
      threadcast preview -c masto thread.txt
      threadcast preview 7
    """
    if what.isascii() and what.isdigit() and not Path(what).exists():
        threads = [session.requests.queries.show(int(what)).stored.thread]
    else:
        threads = [
            thread for intake in read_all((what,), encoding, media) for thread in inspected(intake).threads
        ]
    previews = session.online(lambda ask: preview_posts(threads, pick(ask.channels, channels)))
    if session.as_json:
        session.screen.json(models.previews(previews))
        return
    views.previews(session.screen, previews, threads)


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
