"""The database: `migrate`, `backup`, `restore`, `import`."""

from dataclasses import asdict
from functools import partial
from pathlib import Path
from shlex import quote

import click

from threadcast.bot.data_folder import upgrade
from threadcast.bot.languages import _, ngettext
from threadcast.bot.languages.numbers import number
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.store import open_store
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.restoring import Restored, put_back
from threadcast.bot.requests.transfer.reading import take_back
from threadcast.bot.shell.context import JSON, Session, actor, in_session, load_settings
from threadcast.bot.shell.screen import Screen, safe
from threadcast.bot.wording import posts, threads
from threadcast.queue.store import backup as backups
from threadcast.queue.store.backup import Since

MANY = 20  # lines about what happened since; more is for scripts


@click.command()
@JSON
def migrate(as_json: bool) -> None:
    """Bring the database's tables up to date.

    Safe to run again.

    \b
    Examples:
      threadcast migrate
    """
    settings = load_settings()
    version = upgrade(settings)
    screen = Screen(settings.timezone)
    if as_json:
        screen.json({"version": version})
    else:
        screen.say(_("The database is up to date: version {version}.").format(version=version))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def backup(file: Path, as_json: bool) -> None:
    """Copy the queue into a new FILE.

    As it is at this moment; the service may go on running.

    \b
    Examples:
      threadcast backup queue.backup
      threadcast backup "queue-$(date +%F).backup"
    """
    configured = load_settings()
    backups.backup(configured.database_url.get_secret_value(), file)
    size = file.stat().st_size
    place = open_store(configured).place
    screen = Screen(configured.timezone)
    if as_json:
        screen.json({"file": str(file), "bytes": size, "files_in": place})
    else:
        name, command = safe(str(file)), f"threadcast restore {safe(quote(str(file)))}"
        what = _("The queue is in {path} ({size} bytes).").format(path=name, size=number(size))
        screen.say(what, whole=True)
        beside = _("The files that its threads show are not in it: they are in {place}")
        screen.say(beside.format(place=safe(place)), whole=True)
        screen.say(_("Its way back: {command}").format(command=command), whole=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@JSON
def restore(file: Path, as_json: bool) -> None:
    """Put a backup in the place of the queue.

    The service has to be stopped first. The replaced queue is kept beside it, and compared: what went out
    after the backup was made is held, for it would go out again. All channels are paused then; look through
    the queue, then `threadcast resume`.

    \b
    Examples:
      threadcast restore queue.backup
    """
    configured = load_settings()
    restored = put_back(configured, file, actor=actor())
    screen = Screen(configured.timezone)
    if as_json:
        screen.json(_as_json(file, restored))
    else:
        _say_restored(screen, file, restored)


def _as_json(file: Path, restored: Restored) -> dict[str, object]:
    return {
        "file": str(file),
        "replaced": None if restored.kept is None else str(restored.kept),
        "out_since": [asdict(one) for one in restored.since.out] if restored.since else [],
        "added_since": [number for number, _title in restored.since.added] if restored.since else [],
    }


def _say_restored(screen: Screen, file: Path, restored: Restored) -> None:
    screen.say(_("The queue is what {path} holds.").format(path=safe(str(file))), whole=True)
    if restored.kept is not None:
        kept = _("The one it replaced is kept: {path}").format(path=safe(str(restored.kept)))
        screen.say(kept, whole=True)
    screen.say(_("All channels are paused."))
    if restored.since is None:
        none, unread = _("there is no queue that it replaced"), _("that one cannot be read")
        screen.say(
            _(
                "What went out after the backup was made cannot be known: {why}. "
                "Cancel what waits and is out (threadcast queue), then: threadcast resume"
            ).format(why=none if restored.kept is None else unread)
        )
    else:
        _say_since(screen, restored.since)


def _say_since(screen: Screen, since: Since) -> None:
    if since.added:
        numbers = ", ".join(f"#{number}" for number, _title in since.added[:MANY])
        more = len(since.added) - MANY
        if more > 0:
            said = ngettext("{names} and {n} more", "{names} and {n} more", more)
            numbers = said.format(names=numbers, n=number(more))
        screen.say(
            _(
                "Not in it, for they were added later: {numbers}. "
                "Those of them that are not out yet have to be added again."
            ).format(numbers=numbers)
        )
    if not since.out:
        screen.say(_("Nothing that waits in it went out meanwhile. To go on: threadcast resume"))
        return
    screen.say(_("Held, for it went out after the backup was made and would go out again:"))
    for one in since.out[:MANY]:
        where = _("#{thread} on {channel}").format(thread=one.thread, channel=one.channel)
        screen.say(f"  {where}, {posts(one.posts)}: {safe(one.title)}")
        screen.say(f"    → threadcast cancel {one.thread} --channel {one.channel}")
    if len(since.out) > MANY:
        left = _("… and {n} more; threadcast queue lists all that wait").format(n=len(since.out) - MANY)
        screen.say(f"  {left}")
    screen.say(_("Then: threadcast resume"))


@click.command("import")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@partial(in_session, begins=True)
def import_(session: Session, folder: Path) -> None:
    """Take an export of a whole queue into an empty one.

    What is published stays published, what waited is held: nothing is sent before it is released. Broken off,
    it can be called again.

    \b
    Examples:
      threadcast import my-threads
      threadcast import --data new my-threads
    """
    store = open_store(session.settings)
    try:
        done = take_back(session.database, store, folder, now=session.clock(), actor=actor())
    except MediaError as error:
        raise InputError(str(error)) from None
    if session.as_json:
        session.screen.json(asdict(done))
        return
    screen = session.screen
    said = _("Taken back: {threads}, {posts}, {files}.")
    files = ngettext("{n} file", "{n} files", done.files).format(n=number(done.files))
    screen.say(said.format(threads=threads(done.threads), posts=posts(done.posts), files=files))
    if done.missing:
        missing = _("Files that are not in the export: {n}. Their posts cannot be sent.")
        screen.say(missing.format(n=number(done.missing)))
    if done.held:
        held = _("Held: {n}. See: threadcast queue; to let one go: threadcast release ID")
        screen.say(held.format(n=number(done.held)))
