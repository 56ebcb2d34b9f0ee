"""Putting a backup in the place of the queue, so that nothing goes out twice."""

from contextlib import closing
from pathlib import Path

from threadcast.bot.service import build_channels, build_desk, now, only_one, prepare
from threadcast.config.settings import Settings
from threadcast.queue.sql.backup import restore
from threadcast.queue.sql.engine import parse_url


def put_back(settings: Settings, source: Path, *, actor: str) -> Path | None:
    """Restore a backup, and pause every channel: what it has as waiting may be out since.

    Gives where the replaced queue is kept; None where there was none. Raises AlreadyRunningError,
    StoreError.
    """
    url = settings.database_url.get_secret_value()
    with only_one(settings):
        database = Path(parse_url(url).database or "")
        keep = database.with_name(f"{database.name}.replaced-{now():%Y%m%dT%H%M%S}")
        kept = restore(url, source, keep=keep)
        with closing(prepare(settings)) as store:
            build_desk(settings, store, build_channels(settings), actor=actor).pause(())
    return keep if kept else None
