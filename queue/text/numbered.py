"""Lines that look numbered to a person, whatever form their numbers have. For what `parse` could not read."""

import re
from collections.abc import Iterable
from typing import NamedTuple

FEWEST = 3  # lines; two numbers may stand anywhere
_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_ROMAN = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV"]
_SPELLED = {word: number for words in (_WORDS, _ROMAN) for number, word in enumerate(words, 1)}
_AT_START = re.compile(
    r"[^\w\n]{0,6}(?:[^\W\d_]{1,10}[ .:]{1,2})?"
    r"(?:(?P<number>\d{1,3})(?![\d%°])(?![.,:'’]\d)(?P<sign>(?:\s?[/／])?[^\w\s]?)"
    rf"|(?P<spelled>(?i:{'|'.join(_WORDS)})\b|(?:{'|'.join(reversed(_ROMAN))})(?=[.):/])))"
)
_AT_END = re.compile(
    r"(?:^|[^\d.,:/])(?P<sign>[(\[]?)(?P<number>\d{1,3})(?:\s?[/／]\s?\w{1,4})?[^\w\s]{0,3}$"
)
_NEAREST = {"(": "(1)", "[": "[1/3]", ".": "1.", ")": "1)"}


class Looks(NamedTuple):
    """Lines, counted from 1, that look numbered; `form` is the nearest that is a marker."""

    lines: tuple[int, ...]
    form: str


def looks_numbered(lines: Iterable[str]) -> Looks | None:
    """Find three or more rising numbers at the starts of lines, or at their ends.

    Two are enough where both have a slash and stand at the start: `1/`, `[2/`.
    """
    lines = list(lines)
    starts = _rising(lines, at_end=False)
    signs = [step.sign for step in starts]
    if len(starts) >= FEWEST or (len(starts) > 1 and all("/" in sign or "／" in sign for sign in signs)):
        return Looks(tuple(step.line for step in starts), _NEAREST.get(signs[0].strip(), "1/"))
    ends = _rising(lines, at_end=True)
    if len(ends) >= FEWEST:
        return Looks(tuple(step.line for step in ends), _NEAREST.get(ends[0].sign, "1/3"))
    return None


class _Step(NamedTuple):
    """A number in the longest row of numbers that rise one by one up to it."""

    line: int
    sign: str
    length: int
    before: "_Step | None"


def _rising(lines: list[str], *, at_end: bool) -> list[_Step]:
    """The longest row of lines whose numbers rise one by one."""
    rows: dict[int, _Step] = {}  # by the number that they end with
    longest: _Step | None = None
    for at, line in enumerate(lines, 1):
        text = line.strip()
        match = _AT_END.search(text, max(0, len(text) - 24)) if at_end else _AT_START.match(text)
        if match is None:
            continue
        number = _number(match)
        before = rows.get(number - 1)
        step = _Step(at, match["sign"] or "", before.length + 1 if before else 1, before)
        rows[number] = step  # never shorter than the row that ended there before
        if longest is None or step.length > longest.length:
            longest = step
    row: list[_Step] = []
    while longest is not None:
        row.append(longest)
        longest = longest.before
    return row[::-1]


def _number(match: re.Match[str]) -> int:
    if match["number"]:
        return int(match["number"])
    return _SPELLED.get(match["spelled"]) or _SPELLED[match["spelled"].lower()]
