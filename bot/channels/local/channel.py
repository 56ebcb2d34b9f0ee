"""The built-in channel: a timeline in the data folder that obeys the rules of either network.

Each timeline is a file of its own (see `timeline`); all timelines of a folder are shown on one page,
`timeline.html` beside them. Unlike the networks, a local timeline knows keys on both: the same key
again gives the same post again.
"""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from functools import partial
from pathlib import Path
from urllib.parse import quote

from threadcast.bot.channels import media as files_of
from threadcast.bot.channels.local.checks import examine
from threadcast.bot.channels.local.errors import classify
from threadcast.bot.channels.local.page import anchor
from threadcast.bot.channels.local.page_writer import PAGE, page_writer
from threadcast.bot.channels.local.timeline import (
    DamagedError,
    Deleted,
    Edited,
    Entry,
    HalfWrittenError,
    Like,
    Shown,
    Timeline,
    TimelineFile,
    Visibility,
    keep_file,
    read_newest,
)
from threadcast.bot.channels.media import ChannelFiles, Upload, fault_of
from threadcast.bot.channels.port import (
    Clock,
    Comparison,
    Difference,
    Expected,
    Finding,
    Named,
    Outgoing,
    Quota,
    Reach,
    Readership,
    Sought,
)
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.store import MediaStore
from threadcast.bot.plain import quoted
from threadcast.config.channels import LocalChannelSettings, narrower
from threadcast.queue.compose import length as measure
from threadcast.queue.compose.rules import Numbering, Rules, head_of
from threadcast.queue.outcomes import (
    Absent,
    Blind,
    Look,
    Obstacle,
    Outcome,
    Refused,
    Sent,
    Settling,
    TakeDown,
    Unknown,
    Unreached,
)
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings

LIMITS = {"telegram": 4096, "mastodon": 500}  # code points; graphemes, as `measure` counts them
MEDIA = {
    "telegram": (files_of.TELEGRAM_FILES, files_of.TELEGRAM_PICTURES),
    "mastodon": (files_of.MASTODON_FILES, files_of.MASTODON_PICTURES),
}


class LocalChannel:
    """A timeline like Telegram's or Mastodon's, in `folder/NAME.jsonl` (only its owner may read it)."""

    kind = "local"
    # A file has no limits.
    limits_posts: bool | None = False
    quota: Quota | None = None
    reach = Reach()
    readership: Readership | None = None

    def __init__(
        self,
        settings: LocalChannelSettings,
        *,
        folder: Path,
        clock: Clock,
        zone: tzinfo | None = None,
        store: MediaStore | None = None,
    ) -> None:
        self.name, self.also, like = settings.name, settings.also, settings.like
        self.target = Sentence("local timeline like {network}", network=like.title())
        self._clock = clock
        self._resend = settings.resends
        self._numbering = settings.numbering
        self.files = ChannelFiles(store or MediaStore(folder), *MEDIA[like])
        self._folder = folder.absolute()
        self._file = TimelineFile(self._folder / f"{self.name}.jsonl", like)
        self._file_lock = threading.Lock()
        self._sent = partial(sent_as, self._folder, self.name)
        self._page = page_writer(self._folder, zone)

    async def rules(self, settings: ThreadSettings = NO_SETTINGS) -> Rules:
        return rules_like(self._file.like, settings, self._numbering)

    async def send(self, outgoing: Outgoing) -> Outcome:
        """Add one post; it is on the disk before this returns."""
        try:
            files = [await self.files.ready(one) for one in outgoing.media]
        except MediaError as error:
            return fault_of(error)
        outcome = await asyncio.to_thread(self._send, outgoing, files)
        if isinstance(outcome, Sent):
            self._page.changed()
        return outcome

    @property
    def settling(self) -> Settling:
        """A post is in the file or not, from the moment its writer is gone."""
        return Settling(first_look=timedelta(0), resend=self._resend)

    async def look_up(self, sought: Sought) -> Look:
        """Return the post with the key of `sought`: no text is compared."""
        return await asyncio.to_thread(self._look_up, sought)

    async def find(self, address: str, texts: Sequence[str]) -> Named:
        """Return the post with this id, or at this place of the page."""
        timeline = await asyncio.to_thread(newest, self._file.path)
        if isinstance(timeline, Blind):
            return Named(None, timeline.reason)
        for entry in timeline.entries:
            sent = self._sent(entry.remote_id)
            if address.strip() in {entry.remote_id, sent.url}:
                fits = entry.text in {text.strip() for text in texts}
                return Named(sent, "" if fits else Sentence("it says {text}", text=quoted(entry.text)))
        return Named(None, Sentence("there is no such post in {path}", path=self._file.path))

    async def edit(self, remote_id: str, outgoing: Outgoing) -> Outcome:
        """Note in the file what a post says and shows from now on; it is on the disk before this returns."""
        text, warning = outgoing.text.strip(), outgoing.settings.warning or ""
        if fault := unfit(text, outgoing, await self.rules(outgoing.settings)):
            return fault
        try:
            files = [await self.files.ready(one) for one in outgoing.media]
            shown = await asyncio.to_thread(shown_of, self._folder, files)
        except MediaError as error:
            return fault_of(error)
        except OSError as error:
            return classify(error, self._file.path)
        sensitive = bool(outgoing.settings.sensitive)
        edited = Edited(remote_id, self._clock(), text, warning, sensitive, shown)
        outcome = await asyncio.to_thread(self._amend, edited)
        self._page.changed()
        if isinstance(outcome, Sent):
            return replace(outcome, uploads=tuple(one.file for one in shown))
        return outcome or Refused(
            Sentence(
                "there is no post {remote_id} in {path} any more", remote_id=remote_id, path=self._file.path
            )
        )

    async def take_down(self, remote_id: str) -> TakeDown:
        """Note in the file that a post is gone; it is on the disk before this returns."""
        outcome = await asyncio.to_thread(self._amend, Deleted(remote_id, self._clock()))
        self._page.changed()
        if outcome is None or isinstance(outcome, Sent):
            return Absent()
        return outcome if isinstance(outcome, Refused) else Unreached(outcome.reason)

    async def audit(self, chain: Sequence[Expected]) -> Comparison:
        """Compare a chain with the file, which an owner may have changed by hand."""
        timeline = await asyncio.to_thread(newest, self._file.path)
        if isinstance(timeline, Blind):
            return timeline
        if timeline.earlier:
            return Blind(Sentence("{path} is too long to be looked through", path=self._file.path))
        return compare(timeline.entries, chain)

    async def preflight(self) -> Obstacle | None:
        return None  # whoever may write the file may post

    async def check(self) -> tuple[Finding, ...]:
        return await asyncio.to_thread(examine, self._file, self._file_lock)

    async def close(self) -> None:
        await self._page.close()

    def _send(self, outgoing: Outgoing, files: Sequence[Upload]) -> Outcome:
        text = outgoing.text.strip()  # both networks do
        if fault := unfit(text, outgoing, rules_like(self._file.like, outgoing.settings, self._numbering)):
            return fault
        try:
            with self._file_lock, self._file.opened() as descriptor:
                known = self._file.by_key.get(outgoing.key)
                if known is not None:
                    return self._sent(known)
                if outgoing.parent is not None and outgoing.parent not in self._file.ids:
                    return Refused(
                        Sentence(
                            "there is no post {parent} to reply to in {path}",
                            parent=outgoing.parent,
                            path=self._file.path,
                        )
                    )
                shown = shown_of(self._folder, files)
                entry = following(self._file, text, outgoing, self._clock(), shown)
                self._file.append(descriptor, entry)
                names = outgoing.uploads or tuple(one.file for one in shown)
                return replace(self._sent(entry.remote_id), uploads=names)
        except (OSError, DamagedError, HalfWrittenError) as error:
            return classify(error, self._file.path)

    def _amend(self, record: Edited | Deleted) -> Sent | Refused | Unreached | Unknown | None:
        """Add what became of a post; None where there is none."""
        try:
            with self._file_lock, self._file.opened() as descriptor:
                if record.remote_id not in self._file.ids:
                    return None
                self._file.append(descriptor, record)
        except (OSError, DamagedError, HalfWrittenError) as error:
            return classify(error, self._file.path)
        return self._sent(record.remote_id)

    def _look_up(self, sought: Sought) -> Look:
        try:
            with self._file_lock, self._file.opened():
                known = self._file.by_key.get(sought.key)
        except (OSError, DamagedError) as error:
            outcome = classify(error, self._file.path)
            return outcome if isinstance(outcome, Unreached) else Blind(outcome.reason)
        return Absent() if known is None else self._sent(known)


def shown_of(folder: Path, files: Sequence[Upload]) -> tuple[Shown, ...]:
    """Put the files of a post beside the page. Raises OSError."""
    return tuple(
        Shown(keep_file(folder, one.name, one.content), one.kind.value, one.description) for one in files
    )


def sent_as(folder: Path, name: str, remote_id: str) -> Sent:
    """Return where a post of a timeline is on the page."""
    return Sent(remote_id, f"{(folder / PAGE).as_uri()}#{quote(anchor(name, remote_id))}")


def unfit(text: str, outgoing: Outgoing, rules: Rules) -> Refused | None:
    """Return why a text is not taken."""
    if not text and not outgoing.media:
        return Refused(Sentence("the text is empty"))
    if not rules.fits(text, outgoing.media):
        return Refused(
            Sentence("the text is too long: {text} of {limit}", text=rules.measure(text), limit=rules.limit)
        )
    return None


def rules_like(like: Like, settings: ThreadSettings, numbering: str) -> Rules:
    """Return the rules of either network; `numbering` counts where the thread has none of its own."""
    numbered = Numbering(settings.numbering or numbering)
    if like == "telegram":
        return Rules(LIMITS[like], measure.telegram, numbered, head_of(settings), MEDIA[like][0])
    measured = partial(measure.mastodon, spoiler=settings.warning or "")
    return Rules(LIMITS[like], measured, numbered, media=MEDIA[like][0])


def newest(path: Path) -> Timeline | Blind:
    """Return what a reader of the file sees first."""
    try:
        timeline = read_newest(path)
    except OSError as error:
        return Blind(Sentence("{path} cannot be read: {error}", path=path, error=error.strerror or error))
    return Blind(Sentence("{path} is not a timeline", path=path)) if timeline is None else timeline


def following(
    file: TimelineFile, text: str, outgoing: Outgoing, now: datetime, media: tuple[Shown, ...] = ()
) -> Entry:
    """Return the next entry of a timeline."""
    number = file.last + 1
    settings, parent = outgoing.settings, outgoing.parent
    warning, sensitive = settings.warning or "", bool(settings.sensitive)
    if file.like == "telegram":
        return Entry(str(number), now, text, parent, "public", outgoing.key, warning, media, sensitive)
    # Mastodon's ids hold the time: https://docs.joinmastodon.org/api/guidelines/#pagination
    number = max(number, int(now.timestamp() * 1000) << 16)
    visibility: Visibility = settings.visibility or "public"
    if parent is not None:
        visibility = settings.reply_visibility or narrower(settings.visibility, "unlisted")
    return Entry(str(number), now, text, parent, visibility, outgoing.key, warning, media, sensitive)


def compare(entries: Sequence[Entry], chain: Sequence[Expected]) -> tuple[Difference, ...]:
    there = {entry.remote_id: entry for entry in entries}
    ours = {one.remote_id for one in chain}
    found: list[Difference] = []
    for one in chain:
        entry = there.get(one.remote_id)
        if entry is None:
            found.append(
                Difference(
                    "missing",
                    one.position,
                    Sentence("post {remote_id} is not there", remote_id=one.remote_id),
                )
            )
            continue
        if entry.text != one.text.strip():
            found.append(
                Difference("edited", one.position, Sentence("its text is now “{text}”", text=entry.text))
            )
        elif (
            one.others([file.file for file in entry.media])
            or [file.description for file in entry.media] != one.descriptions
        ):
            found.append(
                Difference("edited", one.position, Sentence("its files, or what is said of them, are others"))
            )
        if one.parent is not None and entry.reply_to != one.parent:
            found.append(
                Difference(
                    "out-of-order",
                    one.position,
                    Sentence("it replies to {none}", none=entry.reply_to or "none"),
                )
            )
    found += [
        Difference(
            "extra",
            None,
            Sentence(
                "post {remote_id} replies to {reply_to}", remote_id=entry.remote_id, reply_to=entry.reply_to
            ),
        )
        for entry in entries
        if entry.reply_to in ours and entry.remote_id not in ours
    ]
    return tuple(found)
