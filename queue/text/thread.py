"""What the author wrote: threads, parts and what the parser noticed. Frozen values.

Lines are counted from 1 in the text as given. `part` is a part's position in its thread, counted
from 1, never the author's number: a thread may repeat a number, or start at 0, or skip one.
"""

import hashlib
import unicodedata
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from threadcast.queue.text.media import Media, StoredFile, as_line
from threadcast.queue.text.settings import NO_SETTINGS, ThreadSettings

if TYPE_CHECKING:
    import regex

TITLE_LENGTH = 60  # code points


class Severity(StrEnum):
    """How much a notice weighs: a `warning` holds the thread for a person, an `info` does not."""

    WARNING = "warning"
    INFO = "info"


class NoticeKind(StrEnum):
    """What the parser can notice."""

    MISSING = "missing"  # a number was skipped
    REPEAT = "repeat"  # the same number as the part before
    STEP_BACK = "step-back"  # a number lower than the part before
    WRONG_TOTAL = "wrong-total"  # the author announced another number of parts than there are
    EMPTY_PART = "empty-part"  # a marker with nothing to see behind it
    PREAMBLE = "preamble"  # text above a thread's first marker; kept, never posted
    TRAILING = "trailing"  # text after the last suffix marker; kept as an unnumbered part
    AFTER_END = "after-end"  # text behind an end mark and a blank line; left out
    READER_LINES = "reader-lines"  # what a thread reader's page shows round the posts; left out
    NOT_READ = "not-read"  # the next number, in another form; it is text
    LOOKS_NUMBERED = "looks-numbered"  # rising numbers in a form that no marker has
    HTML_ENTITIES = "html-entities"  # `&amp;` where `&` was meant
    UNKNOWN_SETTING = "unknown-setting"  # a key of the front matter that is no setting
    WRONG_SETTING = "wrong-setting"  # a setting with a value that it cannot have
    NOT_SETTINGS = "not-settings"  # a block of dashes that may have been meant as settings, and is none
    WRONG_FOCUS = "wrong-focus"  # no two numbers from -1 to 1
    NO_DESCRIPTION = "no-description"  # a file of which nobody says what can be seen
    UNUSED = "unused"  # a file that came with the text, and that no line shows
    NO_END_MARK = "no-end-mark"
    SINGLE_PART = "single-part"


class Placement(StrEnum):
    """Where a thread's markers stand: before the text of a part, or after it."""

    PREFIX = "prefix"
    SUFFIX = "suffix"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something in the text that a person may want to know before it is published.

    What it is about depends on its kind: `lines`, `numbers` that are missing or announced, `markers` as
    written (each on the line of the same place in `lines`), and `text` that was left out or would be read.
    """

    severity: Severity
    kind: NoticeKind
    line: int
    part: int | None
    lines: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()
    markers: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One numbered part.

    `marker` is the number as the author wrote it, lead-in included (`7/`, `🧵 1/30`, `(7)`), empty
    where there was none. `joint` is the white space between marker and text, kept so that `written` gives
    the part back exactly; without a marker, how far its first line is indented. `text` holds everything
    else, inner line breaks and blank lines included, trailing blanks and blank lines at its ends dropped.
    `media` are the files it shows, in order; the lines that name them are not in the text.
    """

    number: int | None
    marker: str
    joint: str
    text: str
    line: int
    media: tuple[Media, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see in it, neither text nor file."""
        return not self.media and is_blank(self.text)


@dataclass(frozen=True, slots=True)
class Thread:
    """An ordered series of parts, with what was noticed about them.

    `total` is the number of parts the author announced (`7/30` announces 30), or None.
    `complete` says that an end mark was seen. `fingerprint` is a hexadecimal SHA-256 over the texts
    without markers and white space: equal fingerprints mean the same thread. `front` is the front matter
    as written, which `settings` were read from.
    """

    parts: tuple[Part, ...]
    placement: Placement
    total: int | None
    preamble: str
    complete: bool
    fingerprint: str
    notices: tuple[Notice, ...]
    settings: ThreadSettings = NO_SETTINGS
    front: str = ""

    @property
    def warnings(self) -> tuple[Notice, ...]:
        """The notices that hold a thread until a person releases it."""
        return tuple(notice for notice in self.notices if notice.severity is Severity.WARNING)

    @property
    def media(self) -> tuple[Media, ...]:
        """The files of all parts, in order."""
        return tuple(media for part in self.parts for media in part.media)

    @property
    def title(self) -> str:
        """One line for lists, at most TITLE_LENGTH code points: as settled, or how the first part begins."""
        words = self.settings.title or (" ".join(self.parts[0].text.split()) if self.parts else "")
        words = words or next((media.description or media.name for media in self.media), "")
        return words if len(words) <= TITLE_LENGTH else words[: TITLE_LENGTH - 1].rstrip() + "…"


def written(part: Part, placement: Placement) -> str:
    """A part's text as its author wrote it, marker included."""
    if not part.marker:
        return part.text
    if placement is Placement.PREFIX:
        return f"{part.marker}{part.joint}{part.text}"
    return f"{part.text}{part.joint}{part.marker}"


def whole(part: Part, placement: Placement) -> str:
    """A part with the lines that name its files, for `parse` to read again: marker and text stay together."""
    lines = [as_line(media) for media in part.media]
    text = written(part, placement)
    if not part.marker:  # by its indentation, what looks like a number is read as one, or as text
        text = part.joint + text
    if placement is Placement.PREFIX:
        return "\n".join([text, *lines] if text else lines)
    return "\n".join([*lines, text])


def with_files(thread: Thread, files: Mapping[str, StoredFile]) -> Thread:
    """Return the thread with what is known now of its files, by their sources."""
    parts = tuple(
        replace(part, media=tuple(replace(one, file=files.get(one.source, one.file)) for one in part.media))
        if part.media
        else part
        for part in thread.parts
    )
    return replace(thread, parts=parts, fingerprint=fingerprint(parts))


def with_files_as(before: Thread, thread: Thread, given: Container[str] = ()) -> Thread:
    """Return a thread with the files that it had `before` under the same names, but for those `given` anew.

    Where a name stands for two files, a part keeps its own.
    """
    known = {one.source: one.file for one in before.media}
    parts = []
    for place, part in enumerate(thread.parts):
        own = {one.source: one.file for one in before.parts[place].media} if place < len(before.parts) else {}
        media = tuple(
            one if one.source in given else replace(one, file=(known | own).get(one.source, one.file))
            for one in part.media
        )
        parts.append(replace(part, media=media) if media else part)
    return replace(thread, parts=tuple(parts), fingerprint=fingerprint(parts))


def with_part(thread: Thread, place: int, part: Part) -> Thread:
    """Return the thread with another part at a place, from 1, to be rendered and read again."""
    return replace(thread, parts=(*thread.parts[: place - 1], part, *thread.parts[place:]))


def fingerprint(parts: Iterable[Part]) -> str:
    """Return what makes two threads the same: a hexadecimal SHA-256 of their words and files.

    The words are the parts' texts, composed, without markers and white space.
    """
    text = "\0".join([part.text + _files(part) for part in parts])  # nothing is composed across a NUL
    words = composed("".join(text.replace(" ", "").split()))  # most of it is blanks: replacing them is quick
    # A lone surrogate is no text, yet `parse` never raises.
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()


def _files(part: Part) -> str:
    """What tells a part's files from others: their content, or their names until that is known."""
    return "".join(f"\0{media.file.digest if media.file else media.source}" for media in part.media)


def composed(text: str) -> str:
    """Return the text in Unicode's composed form (NFC), in which networks keep every accent.

    Where a hundred accents stand on one letter it is left as it is: they are nobody's words, and to put
    them in order takes time in the square of their number.
    """
    if unicodedata.is_normalized("NFC", text) or _pattern(_MARKS).search(text):
        return text
    return unicodedata.normalize("NFC", text)


_MARKS = r"(?<!\p{M})\p{M}{100}"
_NOTHING = r"[\s\p{Cc}\p{M}\p{Default_Ignorable_Code_Point}\u2800\ufff9-\ufffb]*"


@cache
def _pattern(of: str) -> "regex.Pattern[str]":
    import regex  # noqa: PLC0415  # most texts are plain enough to do without

    return regex.compile(of)


def is_blank(text: str) -> bool:
    """Whether there is nothing to see in a text: networks refuse it, or show an empty post."""
    return not "!" <= text[:1] <= "~" and _pattern(_NOTHING).fullmatch(text) is not None
