"""Putting a backup in the place of the queue, so that nothing goes out twice."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from threadcast.bot.channels.build import build_channels, seen
from threadcast.bot.channels.port import now
from threadcast.bot.channels.stored import in_use
from threadcast.bot.data_folder import only_one, prepare
from threadcast.config.settings import Settings
from threadcast.queue.sentences import Sentence
from threadcast.queue.states import Event, allowed
from threadcast.queue.store.backup import Since, restore, since
from threadcast.queue.store.engine import parse_url, real_file

OUT_SINCE = Sentence("posts of it went out after the backup was made, and would go out again")


@dataclass(frozen=True, slots=True)
class Restored:
    """Where the replaced queue is kept, and what only that one knows; None where there is none."""

    kept: Path | None
    since: Since | None


def put_back(settings: Settings, source: Path, *, actor: str) -> Restored:
    """Restore a backup, and pause every channel: what it has as waiting may be out since.

    What is known to be is held, or stopped where it had begun.
    Raise AlreadyRunningError where a service runs, BackupError, StoreError.
    """
    url = settings.database_url.get_secret_value()
    file = real_file(parse_url(url))
    moment = now()
    keep = file.with_name(f"{file.name}.replaced-{moment:%Y%m%dT%H%M%S.%f}")
    with only_one(settings):
        kept = restore(url, source, keep=keep)
        with closing(prepare(settings)) as database:
            settings = in_use(settings, database.notes)
            database.changes.see_channels(seen(settings, build_channels(settings)), now=moment)
            for row in database.reading.channels():
                database.changes.pause(row.name, True, now=moment, actor=actor)
            found = since(file, keep) if kept else None
            for out in found.out if found else ():
                for one in database.reading.deliveries(thread_id=out.thread):
                    if one.channel == out.channel and Event.STOP in allowed(one.state):
                        database.changes.apply(one.id, Event.STOP, now=moment, actor=actor, reason=OUT_SINCE)
    return Restored(keep if kept else None, found)
