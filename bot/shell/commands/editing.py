"""What a thread says, changed: `edit`."""

import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import click

from threadcast.bot.differences import differences
from threadcast.bot.languages import _, translated
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.sources import Files, FolderFiles
from threadcast.bot.plain import plain
from threadcast.bot.requests.chains import Correction
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.requests import Requests
from threadcast.bot.shell import views
from threadcast.bot.shell.context import (
    YES,
    Session,
    confirm,
    in_session,
    paused,
    read_all,
    thread_argument,
)
from threadcast.bot.shell.exits import Exit, FaultError
from threadcast.bot.shell.screen import safe
from threadcast.bot.wording import listed, parts, posts
from threadcast.queue.errors import NotAllowedError, StoreError
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.parse import render

CHANGES = 20  # that are shown one by one


@click.command()
@thread_argument()
@click.option("--back", is_flag=True, help="Make what is out say and show again what is stored here.")
@click.option(
    "--media",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Where the files are that it shows now.",
)
@YES
@in_session
def edit(session: Session, thread_id: int, back: bool, media: Path | None, yes: bool) -> None:
    """Change the text of a thread, and what of it is out.

    Opens it in $VISUAL or $EDITOR; in a pipe, the new text is read from standard input. One that waits and
    has warnings is held. Of one that is published the changes are shown, and made by the service where the
    posts stand, once you said yes; parts added at the end continue the chain. Files that it did not show
    before are in the folder of --media, as are those that take the place of others of the same name. Where
    what you wrote is refused, it is kept in a file.

    \b
    Examples:
      threadcast edit 7
      EDITOR=nano threadcast edit 7
      threadcast edit 7 --yes < better.txt
      threadcast edit 7 --media pictures
      threadcast edit 7 --back
    """
    dossier = session.requests.queries.show(thread_id)
    if back:
        _correct(session, session.online(lambda ask: _to_stored(ask, thread_id)), yes=yes)
        return
    before = render(dossier.stored.thread)
    by_hand = sys.stdin.isatty()
    after = _edited(before) if by_hand else read_all(("-",))[0].text
    if after is None or (after.strip() == before.strip() and media is None):
        _unchanged(session, thread_id)
        return
    files: Files = FolderFiles(media) if media else _Nowhere()
    try:
        if dossier.is_out:
            correction = session.online(lambda ask: ask.chains.correction(thread_id, after, files))
            _correct(session, correction, yes=yes)
            return
        changed = session.requests.threads.edit(thread_id, after, files)
    except (InputError, NotAllowedError, StoreError, FaultError):
        if by_hand:
            kept = _("Your text is kept in {path}").format(path=_keep(thread_id, after))
            click.echo(kept, err=True)
        raise
    views.changed(session, changed)


class _Nowhere:
    """The files of a text of which nobody said where they are."""

    def opened(self, name: str) -> AbstractContextManager[BinaryIO]:
        raise MediaError(
            Sentence(
                "{name} is new in this thread; say in which folder it is: --media FOLDER", name=plain(name)
            )
        )


async def _to_stored(ask: Requests, thread_id: int) -> Correction:
    """What would make the posts of a thread say what is stored, by what the networks show."""
    audits = await ask.chains.audit(thread_id, pause=paused)
    for one in audits:
        if one.problem:
            said = _("{channel} could not be looked at: {reason}").format(
                channel=one.delivery.channel, reason=translated(one.problem)
            )
            raise FaultError(said, Exit.NOT_ALLOWED)
    return await ask.chains.back(thread_id, audits)


def _correct(session: Session, correction: Correction, *, yes: bool) -> None:
    """Show what would be edited, and have it done where a person says yes."""
    number, screen = correction.thread_id, session.screen
    if correction.is_empty:
        _unchanged(session, number)
        return
    lines = differences(correction.before, correction.after, CHANGES)
    changes = {name: many for name, many in correction.channels.items() if many}
    on = _("{posts} on {channel}")
    where = ", ".join(on.format(posts=posts(many), channel=name) for name, many in changes.items())
    if not session.as_json:
        for line in lines:
            screen.say(safe(line), whole=True)
    more = len(correction.after.parts) - len(correction.before.parts)
    edits = _("edit {posts} where they stand").format(posts=where) if where else ""
    adds = _("add {parts}").format(parts=parts(more)) if more else ""
    what = listed(list(filter(None, (edits, adds)))) or _("change what is stored")
    if not (yes or confirm(f"#{number}: {what}?")):
        again = "--back --yes" if correction.before == correction.after else _("--yes, with the same text")
        said = _("#{thread} stays as it is; to {what}: {command}")
        command = f"threadcast edit {number} {again}"
        raise FaultError(said.format(thread=number, what=what, command=command), Exit.USAGE)
    views.changed(session, session.requests.chains.correct(correction))
    if not session.as_json and not where and not more:
        said = _("#{thread} is changed here; nothing that is out says anything else.")
        screen.say(said.format(thread=number))


def _unchanged(session: Session, thread_id: int) -> None:
    if session.as_json:
        session.screen.json({"deliveries": []})
    else:
        said = _("#{thread} is as it was: nothing was changed.")
        session.screen.say(said.format(thread=thread_id))


def _edited(text: str) -> str | None:
    """Return the text as it was saved in an editor, None where it was not."""
    try:
        return click.edit(text + "\n", extension=".txt")
    except click.ClickException as error:
        editor = error.message.partition(":")[0]
        said = _(
            "the editor {editor} did not work, and nothing was changed; set EDITOR to one that works here"
        )
        raise FaultError(said.format(editor=editor), Exit.INPUT) from None


def _keep(thread_id: int, text: str) -> str:
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix=f"thread-{thread_id}-", suffix=".txt", delete=False
    ) as file:
        file.write(text)
    return file.name
