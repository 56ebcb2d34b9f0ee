"""Cutting one text into as few pieces as possible, at the places a reader minds least. Pure.

`cut` finds where the text may be cut, counts how many pieces it needs, and then moves the cuts within
the room that is left: to the best kind of place, and among equals to where the pieces are most alike.

- The best kind first: between paragraphs, lines, sentences, clauses, words. A cut never makes a piece
  less than half as long as its neighbours for the sake of a better place, where there is a choice.
- White space at a cut is dropped, everything else stays. In scripts without blanks, the full stop (。)
  and the comma (、) are places too.
- What has no such place and is too long for one post is cut between graphemes; a URL, mention or hashtag
  in it stays whole, unless it does not fit into a post even alone.

`fits` is the only judge of length, and is asked about whole pieces only: lengths need not add up. It is
asked a few times a piece, about texts of a piece's size, so the whole takes time in proportion to the text.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

import regex

Fits = Callable[[int, str], bool]
"""Whether a text can be the piece of this number (from 0): a piece's label may grow with its number."""


class CannotSplitError(ValueError):
    """Not even one grapheme fits; `grapheme` is the one."""

    def __init__(self, grapheme: str) -> None:
        super().__init__("a single grapheme does not fit")
        self.grapheme = grapheme


class Place(IntEnum):
    """Where a text may be cut, the best first."""

    PARAGRAPH = 0
    LINE = 1
    SENTENCE = 2
    CLAUSE = 3
    WORD = 4
    INSIDE = 5  # of a word that is too long


@dataclass(frozen=True, slots=True)
class Cuts:
    """The places where a text may be cut, its beginning and end included.

    The piece between the places i and j is `text[rights[i]:lefts[j]]`. Arrays: a text may be one long word.
    """

    lefts: "array[int]"
    rights: "array[int]"
    places: bytearray


def cut(text: str, fits: Fits) -> tuple[str, ...]:
    """The text in as few pieces as can be. Raises CannotSplitError where a single grapheme does not fit.

    Put together, with the white space at the cuts, the pieces are the text.
    """
    cuts = _places(text)
    while True:
        chosen, tight = _fewest(text, cuts, fits)
        if not tight:
            chosen = _balanced(text, cuts, fits, chosen)
            return tuple(text[cuts.rights[i] : cuts.lefts[j]] for i, j in pairwise(chosen))
        cuts = _finer(text, cuts, tight)


# Blanks at which a line may be broken; the others (NO-BREAK SPACE and its like) hold words together.
_BREAKING = r"\t\n\v\f\r \x85\u1680\u2000-\u2006\u2008-\u200a\u2028\u2029\u205f\u3000"
_CLOSING = "\"'”’»›)]}」』）】〉》〕］｝＂＇"
_STOPS = ".!?…‽؟۔।॥።。！？｡．"
_PAUSES = ",;:–—،؛、，；：､"
_JOINS = r"[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]"  # belongs to the character before it
_PLACE = regex.compile(
    rf"(?<![\s\p{{GCB=Prepend}}])(?P<blank>[^\S{_BREAKING}]*+[{_BREAKING}]\s*+)(?=\S)(?!{_JOINS})"
    rf"|(?<![。！？｡、，；：､])[。！？｡、，；：､][。！？｡、，；：､{regex.escape(_CLOSING)}]*+(?P<bare>)(?=\S)(?!{_JOINS})"
    r"|(?:://|\.[A-Za-z]{2,24}/)\S*+"  # the rest of a URL, which may have such signs in it
)


def _places(text: str) -> Cuts:
    """Where the text may be cut without cutting a word."""
    lefts, rights, places = array("i", [0]), array("i", [0]), bytearray([0])
    for found in _PLACE.finditer(text):
        if found.lastgroup == "blank":
            left, right = found.span()
            place = _at_blank(text, left, right)
        elif found.lastgroup == "bare":
            left = right = found.end()
            place = Place.CLAUSE if found.group()[0] in _PAUSES else Place.SENTENCE
        else:
            continue
        lefts.append(left)
        rights.append(right)
        places.append(place)
    lefts.append(len(text))
    rights.append(len(text))
    places.append(Place.PARAGRAPH)
    return Cuts(lefts, rights, places)


def _at_blank(text: str, left: int, right: int) -> Place:
    """What kind of place the white space between two words is."""
    lines = text.count("\n", left, right)
    if lines:
        return Place.PARAGRAPH if lines > 1 else Place.LINE
    at = left - 1
    while at > 0 and text[at] in _CLOSING:
        at -= 1
    sign = text[at]
    if sign in _PAUSES:
        return Place.CLAUSE
    if sign not in _STOPS:
        return Place.WORD
    if text[right].islower():  # "approx. half", "what? no"
        return Place.WORD
    if (
        sign == "."
        and text[max(at - 2, 0) : at].strip().isalnum()
        and not text[max(at - 2, 0) : at].isalnum()
    ):
        return Place.WORD  # "J. Smith", "3. März"
    return Place.SENTENCE


def _furthest(good: Callable[[int], bool], most: int, guess: int) -> int:
    """The largest number up to `most` that is good, 0 where 1 is not, if all below a good one are good."""
    low, high, step = 0, most + 1, guess
    while low < most and high > most:
        probe = min(low + step, most)
        if good(probe):
            low, step = probe, step * 2
        else:
            high = probe
    while high - low > 1:
        middle = (low + high) // 2
        if good(middle):
            low = middle
        else:
            high = middle
    return low


def _reach(text: str, cuts: Cuts, fits: Fits, piece: int, at: int, guess: int, *, back: bool = False) -> int:
    """How many places ahead a piece that begins at `at` may end; `back`: before it, where one ends there."""

    def good(count: int) -> bool:
        start, end = (at - count, at) if back else (at, at + count)
        return fits(piece, text[cuts.rights[start] : cuts.lefts[end]])

    return _furthest(good, at if back else len(cuts.lefts) - 1 - at, guess)


def _fewest(text: str, cuts: Cuts, fits: Fits) -> tuple[list[int], list[int]]:
    """The cuts that fill every piece to the brim, and after which places nothing fits."""
    last = len(cuts.lefts) - 1
    chosen, tight, span = [0], list[int](), 32
    while chosen[-1] < last:
        piece, at = len(chosen) - 1, chosen[-1]
        span = _reach(text, cuts, fits, piece, at, max(span, 1))
        if not span:
            tight.append(at)
        chosen.append(at + max(span, 1))
    return chosen, tight


def _balanced(text: str, cuts: Cuts, fits: Fits, filled: list[int]) -> list[int]:
    """As many cuts as `filled` has, at better places."""
    last, pieces = filled[-1], len(filled) - 1
    # The first place where the n-th cut leaves no more than fits into the pieces after it.
    first = [0] * pieces + [last]
    for n in range(pieces - 1, 0, -1):
        back = _reach(text, cuts, fits, n, first[n + 1], filled[n + 1] - filled[n], back=True)
        first[n] = first[n + 1] - max(back, 1)
    chosen = [0]
    while chosen[-1] < last:
        piece, at = len(chosen) - 1, chosen[-1]
        guess = filled[piece + 1] - filled[piece] if piece < pieces else 0
        span = _reach(text, cuts, fits, piece, at, guess) if guess else 0
        if not span:  # no way on: only by a measure that does not grow with the text
            return filled
        high = at + span
        low = min(max(first[piece + 1], at + 1), high)
        best = _best(cuts, at, low, high, pieces - piece)
        chosen.append(best if fits(piece, text[cuts.rights[at] : cuts.lefts[best]]) else high)
    return chosen


def _best(cuts: Cuts, at: int, low: int, high: int, pieces: int) -> int:
    """The best place from `low` to `high` to end a piece that begins at `at`, with `pieces` still to come."""
    start = cuts.rights[at]
    size = (cuts.lefts[-1] - start) / pieces
    near = bisect_left(cuts.lefts, start + size / 2, low, high)
    far = bisect_left(cuts.lefts, start + size * 3 / 2, near, high + 1)
    if near == far:  # nothing of a decent size: take what is there
        near, far = low, high + 1
    best = min(cuts.places[near:far])
    ideal = start + size
    middle = bisect_left(cuts.lefts, ideal, near, far)
    after = cuts.places.find(best, middle, far)
    before = cuts.places.rfind(best, near, middle)
    if before < 0:
        return after
    if after < 0:
        return before
    return before if ideal - cuts.lefts[before] <= cuts.lefts[after] - ideal else after


# What stays whole in a word that is cut. A sign's neighbour before it counts: without it, the sign would
# begin a mention that was none (`あ@user`).
_WHOLE = regex.compile(
    r"(?<![A-Za-z0-9+.-])[A-Za-z0-9+.-]*+://\S*+"
    r"|(?:(?<![A-Za-z0-9_.+-])[A-Za-z0-9_.+-]*+|\w)[@＠][A-Za-z0-9_.-]+(?:@[\w.-]+)?"
    r"|\w?[#＃][\w·・\u200c]+"
)
# A blank that carries a mark is one character with it, and no white space at which a text is cut gladly.
_HELD = regex.compile(rf"(?<=[^\s\p{{GCB=Prepend}}])[{_BREAKING}]+(?={_JOINS})")
_CLUSTER = regex.compile(r"\X")
_SIGNS = "@＠#＃:/"


def _finer(text: str, cuts: Cuts, tight: list[int]) -> Cuts:
    """The same with more places in what follows the `tight` ones. Raises CannotSplitError."""
    lefts, rights, places = array("i"), array("i"), bytearray()
    done = 0
    for i in tight:
        start, end = cuts.rights[i], cuts.lefts[i + 1]
        inside = _inside(text[start:end])
        if not inside:
            raise CannotSplitError(text[start:end])
        offsets = array("i", (start + offset for offset in inside))
        lefts += cuts.lefts[done : i + 1] + offsets
        rights += cuts.rights[done : i + 1] + offsets
        places += cuts.places[done : i + 1] + bytes([Place.INSIDE]) * len(inside)
        done = i + 1
    return Cuts(lefts + cuts.lefts[done:], rights + cuts.rights[done:], places + cuts.places[done:])


def _inside(word: str) -> "array[int]":
    """Where a word that is too long may be cut: before a blank in it, around what stays whole, or within."""
    if held := [found.end() - 1 for found in _HELD.finditer(word)]:
        return array("i", held)
    ends = range(1, len(word)) if word.isascii() else (found.end() for found in _CLUSTER.finditer(word))
    bounds = array("i", ends)
    if bounds and bounds[-1] == len(word):
        bounds.pop()
    whole = bytearray(len(word))
    for found in _WHOLE.finditer(word):
        start, end = found.span()
        whole[start + 1 : end] = bytes([1]) * (end - start - 1)
    if outside := array("i", (bound for bound in bounds if not whole[bound])):
        return outside
    # Within a URL or a mention: at least no piece shall begin or end with what looks like another one.
    quiet = (bound for bound in bounds if word[bound - 1] not in _SIGNS and word[bound] not in _SIGNS)
    return array("i", quiet) or bounds
