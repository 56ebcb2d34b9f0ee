"""The files that a part shows: lines `![what can be seen](photo.jpg)`, and what is known of a file. Pure.

Behind one may stand what shall stay in sight where a network cuts a picture: `{focus=0.2,-0.4}`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class MediaKind(StrEnum):
    """What a file is to a reader; networks take each in another way."""

    IMAGE = "image"
    ANIMATION = "animation"  # a moving picture without sound
    VIDEO = "video"
    AUDIO = "audio"
    VOICE = "voice"  # a spoken message
    DOCUMENT = "document"


# In place of what a network calls a file of a post: it does not show that file yet; it does, and never said.
NOT_THERE, UNNAMED = "-", "?"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that is kept: `digest` is the SHA-256 of its bytes, `size` counts these.

    `width` and `height` are in pixels, 0 where nobody knows them.
    """

    digest: str
    kind: MediaKind
    mime: str
    size: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True, slots=True)
class Media:
    """One file of a part: `source` is its path beside the text or its address; `file` once it is kept.

    `focus` is as it was written.
    """

    description: str
    source: str
    line: int
    file: StoredFile | None = None
    focus: str = ""

    @property
    def name(self) -> str:
        """What a person calls it: the last step of its path or address."""
        path = re.split(r"[?#]", self.source, maxsplit=1)[0] if self.is_remote else self.source
        return re.split(r"[/\\]", path.rstrip("/\\"))[-1] or self.source

    @property
    def focal_point(self) -> tuple[float, float] | None:
        """What shall stay in sight, from -1 (left, bottom) to 1; None where it is not said, or is wrong."""
        numbers = self.focus.split(",")
        if len(numbers) != 2 or not all(_NUMBER.fullmatch(one.strip()) for one in numbers):  # noqa: PLR2004
            return None
        x, y = map(float, numbers)
        return (x, y) if max(abs(x), abs(y)) <= 1 else None

    @property
    def is_remote(self) -> bool:
        """Whether it has to be fetched from an address."""
        return "://" in self.source


# The address may hold pairs of brackets, as Wikipedia's do.
_LINE = re.compile(
    r"!\[(?P<description>[^\n]*?)\]\((?P<source><[^<>\n]+>|[^\n()]*(?:\([^\n()]*\)[^\n()]*)*)\)"
    r"(?:[ \t]*\{[ \t]*focus[ \t]*=[ \t]*(?P<focus>[^{}\n]*?)[ \t]*\})?"
)
_NUMBER = re.compile(r"[+-]?(?:\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})", re.ASCII)


def take_out(
    text: str, line: int, is_code: Callable[[int], bool] = lambda _: False
) -> tuple[str, tuple[Media, ...]]:
    """Return a part's text without its media lines, and what these name; `line` is where the text begins.

    One blank line is left where there was one beside them. `is_code` says whether an offset is in code,
    where every line is text.
    """
    kept: list[str] = []
    found: list[Media] = []
    removed = blank = False
    offset = 0
    for number, each in enumerate(text.split("\n"), line):
        match = _LINE.fullmatch(each.strip())
        if match and match["source"].strip("<> \t") and not is_code(offset):
            while kept and not kept[-1].strip():
                kept.pop()
                blank = True
            source = match["source"].strip("<> \t")
            description = " ".join(match["description"].split())
            found.append(Media(description, source, number, focus=match["focus"] or ""))
            removed = True
        elif removed and not each.strip():
            blank = True
        else:
            if removed and blank and kept:
                kept.append("")
            kept.append(each)
            removed = blank = False
        offset += len(each) + 1
    return ("\n".join(kept).strip() if found else text), tuple(found)


def as_line(media: Media) -> str:
    """Return the line that names a file, as `take_out` reads it."""
    plain = "(" not in media.source and ")" not in media.source
    focus = f"{{focus={media.focus}}}" if media.focus else ""
    return f"![{media.description}]({media.source if plain else f'<{media.source}>'}){focus}"


def megabytes(size: int) -> str:
    """Return a number of bytes: `340 KB`, `2.1 MB`."""
    return f"{size / 1024 / 1024:.1f} MB" if size >= 1024 * 1024 else f"{-(-size // 1024)} KB"
