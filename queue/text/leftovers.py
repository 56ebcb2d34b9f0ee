"""What stands in a text and is no part of a thread: titles, what follows the end, what thread readers add.

Each function takes the text of a part, from its marker on, and returns where in it the part ends, or begins.
The marker's own line always belongs to the part, and so does all where nothing would be left.
"""

import re
from collections.abc import Sequence

from threadcast.queue.text.markers import end_of, find, has_end_mark

# They turn the direction of writing, stand where files were joined, or say where a word may be broken.
HIDDEN = (
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063"
    "\u2066\u2067\u2068\u2069\ufeff"
)
INVISIBLE = re.compile(f"[{HIDDEN}]")

_QUOTES = "['\"”’»)]*$"
_SENTENCE = re.compile(f"[.…。,;]{_QUOTES}")  # a title ends otherwise
_ENDS = re.compile(f"[.!?:…。！？]{_QUOTES}")
LONGEST_TITLE = 80  # code points; a longer line is a paragraph of the part

_B = r"[^\S\n]"
_BLANK_LINE = re.compile(rf"{_B}*\n{_B}*\n")
RULE = re.compile(r"[-–—=*_~·•⁂][-–—=*_~·•.⁂\s]*")  # --- or * * *
_OF_THE_PART = re.compile(r"://|(?<!\S)[#@]\w|^!\[")  # sources, hashtags, pictures end a part


def title(text: str, number: int | None, *, behind: bool) -> int:
    """Return where the title of the next thread begins at the end of `text`: one short line by itself.

    Rules (`---`) round it belong to it. Return the length of `text` where there is none. `behind` says that
    `text` is what stands behind a part, and not the part.
    """
    lines = text.split("\n")
    cut = len(lines)
    titled = False
    for index in range(len(lines) - 1, 0, -1):
        line = lines[index].strip()
        if not line:
            continue
        above = lines[index - 1].strip()
        alone = (
            (index > 1 and (not above or RULE.fullmatch(above)))
            or has_end_mark(above, number)
            or (_ENDS.search(above) and not _ENDS.search(line))
        )
        if RULE.fullmatch(line):
            cut = index
        elif not titled and alone and _is_title(line, number):
            cut, titled = index, True
        else:
            break
    kept = "\n".join(lines[:cut])
    return len(kept) if behind or kept.strip() else len(text)


def _is_title(line: str, number: int | None) -> bool:
    return (
        len(line) <= LONGEST_TITLE
        and any(map(str.isalnum, line))
        and not has_end_mark(line, number)
        and not _SENTENCE.search(line)
        and not _OF_THE_PART.search(line)
        and not find(f"\n{INVISIBLE.sub('', line)}\n")
    )


def behind_the_end(text: str, number: int | None, *, ended: bool = False) -> int:
    """Return where the text begins that follows the last end mark and a blank line, or the length of `text`.

    `ended` says that what stands before `text` is an end mark.
    """
    end = end_of(text, number)
    if end is None and ended:
        end = 0
    return len(text) if end is None or not _BLANK_LINE.match(text, end) or not text[end:].strip() else end


# What pages show round the posts of a thread, by kind of line. Two kinds together make it sure that it was
# copied from one.
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = (
    rf"(?:(?:{_MONTH} \d{{1,2}}|\d{{1,2}}\.? {_MONTH})(?:,? \d{{4}})?"
    r"|\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{2,4})"
)
_TIME = r"\d{1,2}:\d\d(?: ?[ap]\.?m\.?)?(?: utc)?"
_DATE = rf"(?:{_TIME}\s*[·•,]\s*)?{_DAY}(?:(?:\s*[·•,]| at)\s*{_TIME})?|\d{{1,2}} ?[smhd]"
_COUNTED = (
    r"(?:repl(?:y|ies)|reposts?|retweets?|boosts?|quotes?|likes?|favou?rites?|views?|bookmarks?|comments?)"
)
_KINDS = {
    "blank": re.compile(""),
    "handle": re.compile(r"@\w{1,30}(?:@[\w.-]+)?"),
    "byline": re.compile(r"@\w{1,30}(?:@[\w.-]+)?\s*[·•].{0,40}"),
    "date": re.compile(rf"(?:[·•]\s*)?(?:{_DATE})(?:\s*[·•].{{0,60}})?", re.IGNORECASE),
    "counter": re.compile(rf"\d[\d.,]{{0,9}} ?[kmb]?(?:\s+{_COUNTED})?(?:\s*[·•].{{0,60}})?", re.IGNORECASE),
    "button": re.compile(
        rf"[·•]|{_COUNTED}|(?:re)?tweet|share|email|e-mail|follow(?:ing)?|subscribe|save as pdf|my authors|"
        r"read on (?:x|twitter)|translate post|show (?:more|this thread)|show replies|original poster",
        re.IGNORECASE,
    ),
}
_DOTS = re.compile(r"[•·](?:\s*[•·]){2}")
_FOOTER = re.compile(
    r"(?:missing some (?:tweet|post)s? in this thread|enjoy(?:ed)? this thread|keep current with|"
    r"stay in touch and get notified|read all threads|this thread may be removed|try unrolling a thread|"
    r"did thread reader help|unroll(?:ed)? (?:available|by|with)|@?threadreader(?:app)?\b|thread reader\b|"
    r"share this (?:page|thread)|view (?:this thread )?on (?:x|twitter|mastodon|bluesky)).{0,120}",
    re.IGNORECASE,
)
_LONGEST_NAME = 50  # code points; of an author, in the line above the handle


def reader_lines(text: str) -> int:
    """Return where the lines that a thread reader added begin at the end of `text`, or its length."""
    lines = text.split("\n")
    kinds = _kinds_of(lines)
    cut = len(lines)
    while cut > 1 and kinds[cut - 1] is not None:
        cut -= 1
    kept = "\n".join(lines[:cut])
    return len(kept) if _copied(kinds[cut:]) and kept.strip() else len(text)


def reader_head(text: str) -> int:
    """Return where the lines that a thread reader added end at the beginning of `text`."""
    lines = text.split("\n")
    kinds = _kinds_of(lines)
    cut = next((index for index, kind in enumerate(kinds) if kind is None), 0)
    return len("\n".join(lines[:cut])) if _copied(kinds[:cut]) else 0


def _kinds_of(lines: Sequence[str]) -> list[str | None]:
    """What each line is on a thread reader's page; None where it is none of its."""
    kinds: list[str | None] = []
    footer = False  # all below its first line belongs to it
    for line in map(str.strip, lines):
        footer = footer or _FOOTER.fullmatch(line) is not None
        if footer:
            kinds.append("footer")
        elif _DOTS.fullmatch(line):
            kinds.append("dots")
        else:
            kinds.append(next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(line)), None))
    below = None
    for index in range(len(lines) - 1, -1, -1):
        if (
            kinds[index] is None
            and below in {"handle", "byline"}
            and len(lines[index].strip()) <= _LONGEST_NAME
        ):
            kinds[index] = "name"
        below = below if kinds[index] == "blank" else kinds[index]
    return kinds


def _copied(kinds: Sequence[str | None]) -> bool:
    """Whether these lines can only be a thread reader's."""
    found = set(kinds) - {"blank", "name", None}
    return len(found) > 1 or bool(found & {"footer", "dots", "byline"})


SIGN = re.compile(rf"\n{_B}*(?:@\w+(?:@[\w.-]+)?{_B}*(?:[·•]|\n)|[•·]|{_FOOTER.pattern})", re.IGNORECASE)
"""What a text has in it somewhere that was copied from a reader."""
