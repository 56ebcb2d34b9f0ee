"""Where markers stand in a text. The grammar is told in `threadcast.queue.parse`.

Everything here takes time linear in the text: the patterns try each place once, and what follows a
marker is worked out for all markers in one pass from the end.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from threadcast.queue.thread import Placement

LARGEST_STEP = 1000  # from one number to the next; a larger one is a year or an amount

_BLANK = r"[^\S\n]"
_NUMBER = "[0-9]{1,4}"
_STRONG = (
    r"(?:(?P<round>\()|(?P<square>\[))?"
    rf"(?P<number>{_NUMBER})/(?P<total>{_NUMBER}|[nNxX](?![\w'’])|[?∞])?"
    r"(?(round)\)|(?(square)\]))"
)
_BRACKETED = rf"\((?P<bracketed>{_NUMBER})\)"
_KEYCAPS = r"(?P<keycaps>(?:[0-9]\ufe0f?\u20e3){1,4}|🔟)"
_LISTED = rf"(?P<listed>{_NUMBER})(?P<dot>[.)])"
_EMOJI = r"©®‼⁉\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_QUOTE = r"\"'`´“”„‟‘’‚‛«»‹›「」『』《》〈〉＂＇"
_AFTER = rf"(?=[^\W\d]|[\s:@#({{\[¿¡{_QUOTE}{_EMOJI}]|\Z)"

# Each line of the text follows a line break (`find` sees to the first), so that the search is for
# one character.
_PREFIX = re.compile(
    rf"\n{_BLANK}*(?P<marker>(?:(?:🧵|(?i:thread):?|\#){_BLANK}*)?"
    rf"(?:{_STRONG}|{_BRACKETED}|{_KEYCAPS}|{_LISTED}){_AFTER})"
)
# Likewise: first the line breaks after a character that may end a marker, or after a blank.
_LINE_END = re.compile(rf"\n(?<=[/0-9nNxX?∞)\]\u20e3🔟]\n|{_BLANK}\n)")
_SUFFIX = re.compile(
    rf"{_BLANK}(?P<marker>(?:(?:🧵|(?i:thread):|\#){_BLANK}{{0,8}})?(?:{_STRONG}|{_BRACKETED}|{_KEYCAPS})\Z)"
)
_LONGEST_SUFFIX = 32  # code points, blank and lead-in included
_END_MARK = (
    rf"(?:(?<!\S)(?:(?:{_NUMBER})?/(?i:end|fin)|END|(?P<last>{_NUMBER})/(?P=last))|🔚)"
    rf"(?={_BLANK}*(?:\n|\Z))"
)
_ANY_END_MARK = re.compile(_END_MARK)
_LONGEST_END_MARK = 9  # code points: 9999/9999
LEADING_END_MARK = re.compile(rf"\s*(?:/(?i:end|fin)|END|🔚){_BLANK}*(?=\n)")
_ONLY_END_MARKS = re.compile(r"(?:(?:/(?i:end|fin)|END|🔚)(?:\s+|\Z))+")
# Ends where a paragraph begins. It takes up no line break after it, which may begin a blank line.
BREAK = re.compile(rf"(?:{_END_MARK}|(?<=\n)){_BLANK}*\n")

_WITH_TOTAL = {
    "N/": "N/M",
    "N/n": "N/M",
    "(N/)": "(N/M)",
    "(N/n)": "(N/M)",
    "[N/]": "[N/M]",
    "[N/n]": "[N/M]",
}


class Form(NamedTuple):
    """How a thread's numbers are written, and where.

    `shape` is the form as the grammar writes it: `N/`, `(N/M)`, `N.`, `N️⃣`. `total` is M.
    """

    placement: Placement
    strong: bool
    shape: str
    total: int | None


class Mark(NamedTuple):
    """One place that may be a marker, lead-in included, from `start` to `end`.

    `followed`: the next number stands further down in the same form, and no other thread of that
    form begins before it, nor, for weak and suffix markers, stands a strong prefix pair 1 and 2.
    """

    form: Form
    number: int
    start: int
    end: int
    followed: bool

    @property
    def opens_text(self) -> bool:
        """Whether a text's first thread begins here."""
        if self.form.strong and self.form.placement is Placement.PREFIX:
            return self.number == 1 or (self.followed and self.number <= LARGEST_STEP)
        return self.number in self.firsts and self.followed

    @property
    def firsts(self) -> tuple[int, ...]:
        """The numbers that a thread of this form may begin with."""
        return (0, 1) if self.form.strong else (1,)

    @property
    def looks_first(self) -> bool:
        """Whether `opens_text` could be true, whatever follows."""
        return (self.form.strong and self.form.placement is Placement.PREFIX) or self.number in self.firsts

    def closes(self, form: Form, last: int) -> bool:
        """Whether this is the N/N that ends a thread whose other markers bear no total."""
        return (
            self.form.total == self.number == last + 1
            and self.form.placement is form.placement
            and self.form.shape == _WITH_TOTAL.get(form.shape)
        )


def find(text: str) -> list[Mark]:
    """Every place in `text` that may be a marker, in order. `text` begins and ends with a line break."""
    places = [_place(match, Placement.PREFIX) for match in _PREFIX.finditer(text)]
    if at_ends := [_place(match, Placement.SUFFIX) for match in _suffixes(text)]:
        places = list(_apart(sorted(places + at_ends, key=itemgetter(2))))
    return [Mark(*place, followed) for place, followed in zip(places, _followed(places), strict=True)]


def has_end_mark(text: str, number: int | None) -> bool:
    """Whether a line of `text` ends with an end mark; N/N is one where N is `number`."""
    for line in text.split("\n"):
        end = len(line.rstrip())
        match = _ANY_END_MARK.search(line, max(0, end - _LONGEST_END_MARK))
        if match is not None and is_end(match, number):
            return True
    return False


def is_only_end_marks(text: str) -> bool:
    """Whether `text` holds nothing but end marks."""
    return _ONLY_END_MARKS.fullmatch(text) is not None


def is_end(match: re.Match[str], number: int | None) -> bool:
    """Whether an end mark that was found is one in a part of this number ("10/10" is one in part 10)."""
    return match["last"] is None or int(match["last"]) == number


def _suffixes(text: str) -> Iterator[re.Match[str]]:
    for line_end in _LINE_END.finditer(text):
        start = text.rfind("\n", 0, line_end.start()) + 1
        end = start + len(text[start : line_end.start()].rstrip())
        if match := _SUFFIX.search(text, max(start, end - _LONGEST_SUFFIX), end):
            yield match


_Place = tuple[Form, int, int, int]


def _place(match: re.Match[str], placement: Placement) -> _Place:
    start, end = match.span("marker")
    if (number := match["number"]) is not None:
        form = _strong(placement, match["round"], match["square"], match["total"])
        return form, int(number), start, end
    if (number := match["bracketed"]) is not None:
        return Form(placement, strong=False, shape="(N)", total=None), int(number), start, end
    if (keys := match["keycaps"]) is not None:
        number = "10" if keys == "🔟" else "".join(key for key in keys if key.isascii())
        return Form(placement, strong=False, shape="N️⃣", total=None), int(number), start, end
    shape = "N" + match["dot"]
    return Form(placement, strong=False, shape=shape, total=None), int(match["listed"]), start, end


@lru_cache(maxsize=1024)
def _strong(placement: Placement, parenthesis: str | None, square: str | None, total: str | None) -> Form:
    count = int(total) if total is not None and total.isdecimal() else None
    shape = "N/" if total is None else "N/n" if count is None else "N/M"
    if parenthesis:
        shape = f"({shape})"
    elif square:
        shape = f"[{shape}]"
    return Form(placement, strong=True, shape=shape, total=count)


def _apart(places: list[_Place]) -> Iterator[_Place]:
    """Leave out the suffix places that are a prefix, or the end of one: nothing stands before them."""
    taken = 0
    for place in places:
        form, _, start, end = place
        if form.placement is Placement.PREFIX:
            taken = end
        elif start < taken:
            continue
        yield place


def _followed(places: list[_Place]) -> list[bool]:
    nowhere = len(places)
    ahead: dict[Form, dict[int, int]] = {}  # where a form's numbers stand next
    pair = nowhere  # where the nearest strong pair 1 and 2 is complete
    followed = [False] * nowhere
    before: Form | None = None
    mine: dict[int, int] = {}
    for index in range(nowhere - 1, -1, -1):
        form, number, _, _ = places[index]
        if form is not before:  # to look it up takes longer than all the rest
            before, mine = form, ahead.setdefault(form, {})
        follower = mine.get(number + 1, nowhere)
        rival = min(mine.get(0, nowhere), mine.get(number, nowhere))
        if number > 1:
            rival = min(rival, mine.get(1, nowhere))
        if follower < rival:
            if form.strong and form.placement is Placement.PREFIX:
                followed[index] = True
                if number == 1:
                    pair = min(pair, follower)
            else:
                followed[index] = pair > follower
        mine[number] = index
    return followed
