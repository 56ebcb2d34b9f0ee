"""From a thread to the posts of one channel. Pure and deterministic.

Every post's measured length, label included, is within the limit. A part that fits is one post; a part
that does not is cut (see `split`) into as few pieces as can be, and the pieces put together are the part.

- `keep`: a part that fits is posted exactly as written. The pieces of one that does not are labelled with
  the author's marker and a letter after its number: `7a/ 7b/`, `7a/30`, `(7a/30)`, `7️⃣a`; after `z` come
  `aa`, `ab`. Between label and piece stands what the author put there, or one blank. Pieces of a part
  without a marker, after parts that have one, are `a/ b/`. Where no part has a marker, as `renumber`.
- `renumber`: `1/`, `2/` over the posts of the channel, in place of the author's markers, in the digits that
  these are written with. `total`: `1/34`.
- `none`: the text alone.

Labels stand where the thread has its markers, before the text or after it. One part that fits gets no
label, in every mode. A part with nothing to see in it is its marker alone in `keep`, and left out in the
others; so is a piece of a part that is nothing but invisible characters.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from threadcast.queue.compose.split import CannotSplitError, cut
from threadcast.queue.text.settings import ThreadSettings
from threadcast.queue.text.thread import Part, Placement, Thread, is_blank, written

Measure = Callable[[str], int]


class Numbering(StrEnum):
    """How the posts of a channel are numbered."""

    KEEP = "keep"  # the author's markers as written
    RENUMBER = "renumber"  # 1/ 2/ … over the posts of the channel
    TOTAL = "total"  # 1/34 2/34 …
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a channel accepts: `limit` in the units that `measure` counts in.

    `head` stands before the text of every post: the line of a content warning, where the network has no
    field for it.
    """

    limit: int
    measure: Measure
    numbering: Numbering = Numbering.KEEP
    head: str = ""


@dataclass(frozen=True, slots=True)
class Post:
    """One post as it will be sent.

    `part` is the position of its part in the thread, from 1. `label` is the number shown to the
    reader, empty where there is none; `text` is the whole post, label included; `length` is the
    text's length by the channel's own measure.
    """

    part: int
    label: str
    text: str
    length: int


def head_of(settings: ThreadSettings) -> str:
    """Return a content warning as the first line of every post; nothing where there is none."""
    return f"⚠️ {settings.warning}\n" if settings.warning else ""


class CannotComposeError(ValueError):
    """The thread cannot be put into posts under these rules; the message says why."""


def compose(thread: Thread, rules: Rules) -> tuple[Post, ...]:
    """The posts of a thread under a channel's rules.

    Raises CannotComposeError where the thread has nothing to post, or where the limit has no room for a
    label and one grapheme.
    """
    if rules.head:
        below = replace(rules, measure=lambda text: rules.measure(rules.head + text), head="")
        return tuple(replace(post, text=rules.head + post.text) for post in compose(thread, below))
    keep = rules.numbering is Numbering.KEEP and any(part.marker for part in thread.parts)
    if keep and len(thread.parts) > 1:
        return _kept(thread, rules)
    filled = [(number, part) for number, part in enumerate(thread.parts, start=1) if not is_blank(part.text)]
    if len(filled) == 1:
        number, part = filled[0]
        length = rules.measure(part.text)
        if length <= rules.limit:
            return (Post(number, "", part.text, length),)
    posts = _kept(thread, rules) if keep else _numbered(thread, filled, rules)
    if not posts:
        raise CannotComposeError("The thread has no text to post: add some, or cancel it.")
    return posts


def _kept(thread: Thread, rules: Rules) -> tuple[Post, ...]:
    """The posts with the author's markers."""
    posts: list[Post] = []
    placement, measure, limit = thread.placement, rules.measure, rules.limit
    loose = 0  # pieces of parts without a marker so far: their letters go on, so that none comes twice
    for number, part in enumerate(thread.parts, start=1):
        text, marker = part.text, part.marker
        whole = marker if is_blank(text) else written(part, placement)
        if not whole:
            continue
        length = measure(whole)
        if length <= limit:
            posts.append(Post(number, marker, whole, length))
            continue
        frame = _Frame(placement, part.joint or " ", _letters(marker, loose))
        pieces = list(_pieces(number, part, frame, rules))
        posts += (frame.post(number, piece, text, measure) for piece, text in enumerate(pieces))
        if not marker:
            loose += len(pieces)
    return tuple(posts)


def _numbered(thread: Thread, filled: list[tuple[int, Part]], rules: Rules) -> tuple[Post, ...]:
    """The posts with our numbers, or with none."""
    digits = _digits("".join(part.marker for _, part in filled[:1]))
    total = len(filled)
    while True:
        pieces: list[tuple[int, str]] = []
        for number, part in filled:
            label = _numbers(rules.numbering, len(pieces) + 1, total, digits)
            frame = _Frame(thread.placement, " ", label)
            if rules.measure(frame.around(0, part.text)) <= rules.limit:
                pieces.append((number, part.text))
            else:
                pieces.extend((number, text) for text in _pieces(number, part, frame, rules))
        # A total with more digits makes longer labels, which may make more posts. Where they make fewer
        # (words and addresses are broken elsewhere), the labels of the right total are no longer.
        if rules.numbering is not Numbering.TOTAL or len(pieces) <= total:
            break
        total = len(pieces)
    frame = _Frame(thread.placement, " ", _numbers(rules.numbering, 1, len(pieces), digits))
    return tuple(
        frame.post(number, piece, text, rules.measure) for piece, (number, text) in enumerate(pieces)
    )


Label = Callable[[int], str]
"""The label of a part's piece of this number, counted from 0."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around the pieces of a part."""

    placement: Placement
    joint: str
    label: Label

    def around(self, piece: int, text: str) -> str:
        label = self.label(piece)
        if not label:
            return text
        return label + self.joint + text if self.placement is Placement.PREFIX else text + self.joint + label

    def post(self, number: int, piece: int, text: str, measure: Measure) -> Post:
        whole = self.around(piece, text)
        return Post(number, self.label(piece), whole, measure(whole))


def _pieces(number: int, part: Part, frame: _Frame, rules: Rules) -> Iterator[str]:
    """The texts of the posts of a part that is too long for one."""

    def fits(piece: int, text: str) -> bool:
        return rules.measure(frame.around(piece, text)) <= rules.limit

    try:
        pieces = cut(part.text.strip() or part.marker, fits)
    except CannotSplitError as error:
        label = frame.label(0)
        with_label = f" with its label {label}" if label else ""
        raise CannotComposeError(
            f"Part {number} (line {part.line}) cannot be posted: one character of it, "
            f"{error.grapheme[:8]!r}, is longer{with_label} than the limit of {rules.limit}. "
            "Raise the channel's limit, choose another numbering, or change the text."
        ) from None
    return (text for text in pieces if not is_blank(text))


def _numbers(numbering: Numbering, first: int, total: int, digits: dict[int, int]) -> Label:
    """The labels of a part's pieces, the first of which is post number `first` of `total`."""
    if numbering is Numbering.NONE:
        return lambda _piece: ""
    of = str(total) if numbering is Numbering.TOTAL else ""
    return lambda piece: f"{first + piece}/{of}".translate(digits)


def _digits(marker: str) -> dict[int, int]:
    """Which digits to write for ours: those of the script that the author's number is in."""
    digit = next((sign for sign in marker if sign.isdecimal()), "0")
    zero = ord(digit) - int(digit)
    return {ord("0") + value: zero + value for value in range(10)}


# Keycaps, digits of any script, a circled number, or the n of `n/n`.
_NUMBER = re.compile(
    "(?:\\d\ufe0f?\u20e3)+|\\d+|🔟|[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]|[nNxX?∞](?=/)"
)


def _letters(marker: str, used: int) -> Label:
    """The labels of a part's pieces: its marker with a letter, or letters alone (`used` ones are taken)."""
    number = _NUMBER.search(marker)
    if number is None:
        return lambda piece: _letter(used + piece) + "/"
    before, after = marker[: number.end()], marker[number.end() :]
    return lambda piece: before + _letter(piece) + after


def _letter(index: int) -> str:
    """Letters in the order a to z, aa, ab and so on, from 0."""
    letters = ""
    index += 1
    while index:
        index, letter = divmod(index - 1, 26)
        letters = chr(ord("a") + letter) + letters
    return letters
