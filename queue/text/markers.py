"""Where markers may stand in a text, and what each of them says. docs/ has the grammar.

Everything here takes time linear in the text, look-ups by bisection aside: the patterns try each place
once, and nothing in them repeats without a bound, blanks aside.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple
from unicodedata import numeric

from threadcast.queue.text.thread import Placement

LARGEST_STEP = 1000  # from one number to the next; a larger one is a year or an amount
DEEPEST = 16  # blanks; deeper indented lines are all alike
LAST = -1  # the number of a marker `n/n`

_B = r"[^\S\n]"
_KEYCAPS = r"(?:[0-9]\ufe0f?\u20e3){1,4}|🔟"
_CIRCLED = r"[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]"
_NUMBER = rf"{_KEYCAPS}|\d{{1,4}}"
_TOTAL = rf"(?:{_NUMBER}|[nNxX](?![\w'’-])|\?{{1,3}}|[∞…]|\.\.\.)"
_OF = r"(?i:of|von|van|de|di|sur|из|з|af|av|z)"
_WORD = (
    r"(?:(?i:part|teil|parte|partie|deel|del|część|díl|díel|osa|rész|bölüm|часть|частина|част)(?![^\W\d])[.:]?"
    rf"|(?i:no|nr|pt)\.|№|N[º°]){_B}{{0,3}}"
)
# The same lead-in, number and brackets, wherever a marker stands. `last` is the n of `n/n`.
_CORE = (
    r"(?:\\?(?P<round>[(（])|\\?(?P<square>[\[［])|(?P<lens>【))?"
    rf"(?P<word>(?!\d){_WORD})?"  # most often there is none: to look at one digit is quicker
    r"(?:(?P<last>[nNxX?∞])/(?P=last)(?![\w'’-])"
    rf"|(?P<number>{_NUMBER}|{_CIRCLED})"
    rf"(?:(?P<gap>{_B}{{1,3}})?(?P<slash>[/／])(?(gap)(?:{_B}{{1,3}}(?={_TOTAL}))?)(?P<total>{_TOTAL})?"
    rf"|{_B}{{1,3}}{_OF}{_B}{{1,3}}(?P<of>{_NUMBER}))?)"
    r"(?(round)\\?[)）]|(?(square)\\?[\]］]|(?(lens)】)))"
)
_EMPHASIS = r"(?P<emphasis>\*{1,3}|_{1,2}|`)?"
_END_EMPHASIS = r"(?(emphasis)(?P=emphasis)?)"
_EMOJI = r"©®‼⁉\u2100-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_QUOTE = r"\"'`´“”„‟‘’‚‛«»‹›「」『』《》〈〉＂＇"
_AFTER = rf"\s|[^\W\d](?![\w.-]{{0,64}}/\w)|[:@#({{\[¿¡{_QUOTE}{_EMOJI}]|\Z"
# A fraction, a date, a range, an address: what a number goes on with where it is none of a part.
_GOES_ON = r"\d|[/／\\%‰°]|[.,:'’]\d|(?(total)[+−–-]\d|(?!))"

# Each line of the text follows a line break (`find` sees to the first), so that the search is for
# one character.
_PREFIX = re.compile(
    rf"\n(?P<indent>{_B}*)(?P<marker>(?P<container>(?:(?:>{_B}{{0,4}}|[-*+•]{_B}{{1,4}}|\#{{1,6}}{_B}{{1,4}})){{0,3}})"
    rf"(?:(?:🧵|(?i:thread):?|\#){_B}*)?{_EMPHASIS}{_CORE}{_END_EMPHASIS}"
    rf"(?(slash)(?:[).,:;：，；）](?=\s|\Z))?|(?P<sign>\\?[.)．）、:：]))?{_END_EMPHASIS})"
    rf"(?:(?={_AFTER})(?P<sure>)|(?!{_GOES_ON}))"
)
_SURE = _PREFIX.groupindex["sure"]
_POINTERS = r"(?:[⬇⬆➡⬅↓↑→⤵▼👇👉🔽🧵]\ufe0f?){1,4}"
# The line breaks after what may end a marker, or after a blank.
_LINE_END = re.compile(
    r"\n(?:(?<=[/／\d)\]）］】\u20e3🔟①-⓿❶-➓㉑-㉟㊱-㊿*_`⬇⬆➡⬅↓↑→⤵▼👇👉🔽🧵\ufe0f🔚]\n)"
    r"|(?<=[/／?][nNxX?∞…]\n)|(?<=\.\.\n)|(?<=[)\]）］】*_`][.,;:!?…]\n)"
    rf"|(?<=END\n)|(?<=/[eE][nN][dD]\n)|(?<=/[fF][iI][nN]\n)|(?<={_B}\n))"
)
_SUFFIX = re.compile(
    rf"(?:{_B}|(?=[（［【]))(?P<marker>(?:(?:🧵|(?i:thread):|\#){_B}{{0,8}})?{_EMPHASIS}{_CORE}{_END_EMPHASIS}"
    rf"(?(round)[.,;:!?…]?|(?(square)[.,;:!?…]?))(?:{_B}{{0,2}}{_POINTERS}|{_B}{{1,2}}(?:/(?i:end|fin)|END|🔚))?\Z)"
)
_NUMBERED = re.compile(rf"\d|🔟|{_CIRCLED}|([nNxX?∞])/\1")
_LONGEST_SUFFIX = 48  # code points, blank and lead-in included
_FENCE = re.compile(rf"\n{_B}{{0,3}}(?P<fence>```+|~~~+)(?P<info>[^`\n]*)(?=\n)")

_END_MARK = (
    rf"(?:(?<!\S)(?:(?:[0-9]{{1,4}})?/(?i:end|fin)|END|(?P<last>[0-9]{{1,4}})/(?P=last))|🔚)"
    rf"(?={_B}*(?:\n|\Z))"
)
_ANY_END_MARK = re.compile(_END_MARK)
_LONGEST_END_MARK = 9  # code points: 9999/9999
LEADING_END_MARK = re.compile(rf"\s*(?:/(?i:end|fin)|END|🔚){_B}*(?=\n)")
_ONLY_END_MARKS = re.compile(r"(?:(?:/(?i:end|fin)|END|🔚)(?:\s+|\Z))+")
# Ends where a paragraph begins. It takes up no line break after it, which may begin a blank line.
BREAK = re.compile(rf"(?:{_END_MARK}|(?<=\n)){_B}*\n")


class Form(NamedTuple):
    """How a thread's numbers are written, and where.

    `shape` is the form as the grammar writes it: `N/`, `(N/M)`, `N.`, `N️⃣`. `total` is M. `container` is
    the Markdown before it, `>`, `-` or `#`, if any.
    """

    placement: Placement
    strong: bool
    shape: str
    total: int | None
    container: str = ""

    @property
    def leads(self) -> bool:
        """Whether a 1 of this form alone begins a text's first thread."""
        return self.strong and self.placement is Placement.PREFIX and not self.container

    @property
    def firsts(self) -> tuple[int, ...]:
        """The numbers that a thread of this form may begin with."""
        return (0, 1) if self.strong else (1,)


class Mark(NamedTuple):
    """One place that may be a marker, lead-in included, from `start` to `end`.

    `sure` says that what stands behind it leaves no doubt. `indent` is how many blanks stand before it.
    """

    form: Form
    number: int
    marker: str
    start: int
    end: int
    indent: int
    sure: bool

    @property
    def looks_first(self) -> bool:
        """Whether a thread could begin here, whatever follows."""
        return self.sure and (
            self.form.leads or (self.number in self.form.firsts and not self.form.container)
        )

    def closes(self, form: Form, last: int) -> bool:
        """Whether this is the N/N, or the n/n, that ends a thread whose other markers bear no total."""
        if (self.form.placement, self.form.container) != (form.placement, form.container):
            return False
        if self.number == LAST:
            return self.form.shape == form.shape
        known = form.shape.replace("/n", "/").replace("N/", "N/M")
        return form.total is None and self.form.total == self.number == last + 1 and self.form.shape == known

    def read_as(self, form: Form) -> "Mark":
        """The same place as a marker `N/`, where it is one whose total is no number: `3/…` begins "… and"."""
        if self.form != form._replace(shape="N/n") or form.shape != "N/":
            return self
        cut = max(self.marker.rfind("/"), self.marker.rfind("／")) + 1
        return self._replace(form=form, marker=self.marker[:cut], end=self.start + cut, sure=False)


class Marks(list[Mark]):
    """Every place in a text that may be a marker, in order, and what follows each."""

    @cached_property
    def _places(self) -> dict[tuple[Form, int, bool], dict[int, list[int]]]:
        """The positions of each form's numbers, sure or not, by indentation."""
        places: dict[tuple[Form, int, bool], dict[int, list[int]]] = {}
        for position, mark in enumerate(self):
            by_indent = places.setdefault((mark.form, mark.number, mark.sure), {})
            by_indent.setdefault(mark.indent, []).append(position)
        return places

    def _next(self, form: Form, number: int, after: int, *, indent: int, sure: bool = True) -> int:
        """The next mark of this form and number, indented no deeper; how many marks there are if none is."""
        nearest = len(self)
        for each in (True,) if sure else (True, False):
            for depth, places in self._places.get((form, number, each), {}).items():
                if depth <= indent and (index := bisect_right(places, after)) < len(places):
                    nearest = min(nearest, places[index])
        return nearest

    def _follower(self, position: int) -> int | None:
        """Where the next number stands in the same form, before another thread of that form begins."""
        mark = self[position]
        indent = DEEPEST if mark.form.strong else mark.indent  # only weak forms make lists in lists
        follower = self._next(mark.form, mark.number + 1, position, indent=indent, sure=False)
        rivals = {0, mark.number, min(mark.number, 1)}
        if follower == len(self) or any(
            self._next(mark.form, number, position, indent=indent) < follower for number in rivals
        ):
            return None
        return follower

    def followed(self, position: int) -> bool:
        """Whether the next number stands further down, and no surer thread begins before it.

        Surer than weak and suffix markers is a strong prefix pair 1 and 2.
        """
        form = self[position].form
        follower = self._follower(position)
        if follower is None or form.leads:
            return follower is not None
        ones, completed = self._pairs
        if form.container:
            return not ones
        after = bisect_right(ones, position)
        return after == len(ones) or completed[after] > follower

    @cached_property
    def _pairs(self) -> tuple[list[int], list[int]]:
        """Where strong prefix pairs begin, and where the nearest of all from there on is complete."""
        pairs = [
            (position, follower)
            for position, mark in enumerate(self)
            if mark.number == 1 and mark.form.leads and mark.sure
            if (follower := self._follower(position)) is not None
        ]
        completed = list(accumulate((follower for _, follower in reversed(pairs)), min))
        return [position for position, _ in pairs], completed[::-1]

    def opens_text(self, position: int) -> bool:
        """Whether a text's first thread begins here."""
        form, number, sure = self[position].form, self[position].number, self[position].sure
        if form.leads and sure and number == 1:
            return True
        may_open = number in form.firsts or (form.leads and sure and 1 < number <= LARGEST_STEP)
        return may_open and self.followed(position)

    def better(self, position: int, form: Form, indent: int) -> bool:
        """Whether the number of this doubtful mark stands further down beyond doubt, in the same thread."""
        again = self._next(form, self[position].number, position, indent=indent)
        others = self._firsts
        index = bisect_right(others, position)
        first = min(self._next(form, number, position, indent=indent) for number in form.firsts)
        return again < (min(first, others[index]) if index < len(others) else first)

    @cached_property
    def _firsts(self) -> list[int]:
        """Where a thread of any strong form might begin."""
        return [
            position
            for position, mark in enumerate(self)
            if mark.sure and mark.form.strong and mark.number in mark.form.firsts and self.followed(position)
        ]


def find(text: str) -> Marks:
    """Every place in `text` that may be a marker. `text` begins and ends with a line break."""
    marks = list(_prefixes(text))
    if suffixes := list(_suffixes(text)):
        marks = list(_apart(sorted([*marks, *suffixes], key=lambda mark: mark.start)))
    if code := fences(text):
        marks = [mark for mark in marks if not within(mark.start, code)]
    return Marks(marks)


def fences(text: str) -> list[tuple[int, int]]:
    """Where code stands between two lines ```. One that is not closed is none."""
    spans: list[tuple[int, int]] = []
    opened: re.Match[str] | None = None
    for line in _FENCE.finditer(text):
        if opened is None:
            opened = line
        elif line["fence"].startswith(opened["fence"]) and not line["info"].strip():
            spans.append((opened.start(), line.end()))
            opened = None
    return spans


def without_code(text: str) -> str:
    """The text with nothing left of the code in it but its line breaks."""
    kept: list[str] = []
    done = 0
    for start, end in fences(f"\n{text}\n"):
        kept += text[done : max(start - 1, 0)], "\n" * text.count("\n", max(start - 1, 0), end - 1)
        done = end - 1
    return "".join([*kept, text[done:]])


def within(offset: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether an offset is in one of the spans, which are in order."""
    index = bisect_right(spans, offset, key=itemgetter(0))
    return index > 0 and offset < spans[index - 1][1]


def has_end_mark(text: str, number: int | None) -> bool:
    """Whether a line of `text` ends with an end mark; N/N is one where N is `number`."""
    return end_of(text, number) is not None


def end_of(text: str, number: int | None) -> int | None:
    """Where the last line ends that ends with an end mark; N/N is one where N is `number`."""
    found = None
    offset = 0
    for line in text.split("\n"):
        end = len(line.rstrip())
        match = _ANY_END_MARK.search(line, max(0, end - _LONGEST_END_MARK))
        if match is not None and is_end(match, number):
            found = offset + len(line)
        offset += len(line) + 1
    return found


def is_only_end_marks(text: str) -> bool:
    """Whether `text` holds nothing but end marks."""
    return _ONLY_END_MARKS.fullmatch(text) is not None


def is_end(match: re.Match[str], number: int | None) -> bool:
    """Whether an end mark that was found is one in a part of this number ("10/10" is one in part 10)."""
    return match["last"] is None or int(match["last"]) == number


_Reading = tuple[Form, int, str, int]  # a marker's form and number, the marker itself and its length


def _prefixes(text: str) -> Iterator[Mark]:
    known: dict[str, _Reading | None] = {}  # the same few markers stand in every thread
    for match in _PREFIX.finditer(text):
        indent, marker, sure = match.group(1, 2, _SURE)  # by number: to look up a name takes as long again
        if marker not in known:
            known[marker] = _read(match, Placement.PREFIX, match["container"], match["sign"])
        if (reading := known[marker]) is not None:
            form, number, marker, length = reading
            start = match.start(2)
            width = min(len(indent.expandtabs(4)), DEEPEST) if indent else 0
            yield Mark(form, number, marker, start, start + length, width, sure is not None)


def _suffixes(text: str) -> Iterator[Mark]:
    for line_end in _LINE_END.finditer(text):
        start = text.rfind("\n", 0, line_end.start()) + 1
        end = start + len(text[start : line_end.start()].rstrip())
        start = max(start, end - _LONGEST_SUFFIX)
        match = _SUFFIX.search(text, start, end) if _NUMBERED.search(text, start, end) else None
        if match and (reading := _read(match, Placement.SUFFIX, "", "")):
            yield Mark(reading[0], reading[1], match["marker"], match.start("marker"), end, 0, sure=True)


def _read(match: re.Match[str], placement: Placement, container: str, sign: str | None) -> _Reading | None:
    marker = match["marker"]
    shape = _shape(match, placement, sign or "")
    if shape is None:
        return None
    brackets = next((pair for name, pair in _BRACKETS.items() if match[name]), "")
    strong = "/" in shape or (" of " in shape and bool(brackets))
    if shape == "N/" and not brackets and marker.endswith((":", "：")):
        marker = marker[:-1]  # the colon is the text's, as it always was
    count = match["of"] or match["total"]
    form = Form(
        placement,
        strong=strong,
        shape=f"{brackets[0]}{shape}{brackets[1]}" if brackets else shape,
        total=_value(count) if shape.endswith("M") and count else None,
        container="".join({">": ">", "#": "#"}.get(sign[0], "-") for sign in container.split()),
    )
    return form, LAST if match["last"] else _value(match["number"]), marker, len(marker)


_COUNT = re.compile(_NUMBER)
_BRACKETS = {"round": "()", "square": "[]", "lens": "【】"}
_SIGNS = {".": "N.", "．": "N.", ")": "N)", "）": "N)", "、": "N、"}


def _shape(match: re.Match[str], placement: Placement, sign: str) -> str | None:
    """The form without its brackets; None where it is no marker."""
    prefix = placement is Placement.PREFIX
    total = match["total"]
    shape: str | None
    if match["last"] or match["slash"]:
        shape = (
            "N/n" if match["last"] or (total and not _COUNT.fullmatch(total)) else "N/M" if total else "N/"
        )
    elif match["of"]:
        shape = "N of M" if prefix or match["round"] or match["square"] or match["lens"] else None
    elif match["round"] or match["lens"] or (match["square"] and match["word"]):
        shape = "N"
    elif match["square"] or match["word"]:
        shape = "Part N" if prefix and match["word"] else None
    elif "\u20e3" in match["number"] or match["number"] == "🔟":
        shape = "N️⃣"
    elif not match["number"].isdecimal():
        shape = "①"
    else:
        shape = _SIGNS.get(sign.removeprefix("\\")[:1])
    return shape


def _value(digits: str) -> int:
    """The number that is written with digits of any script, keycaps, or a circled number."""
    if digits == "🔟":
        return 10
    plain = digits.replace("\ufe0f", "").replace("\u20e3", "")
    return int(plain) if plain.isdecimal() else int(numeric(plain))


def _apart(marks: list[Mark]) -> Iterator[Mark]:
    """Leave out the suffix places that are a prefix, or the end of one: nothing stands before them."""
    taken = 0
    for mark in marks:
        if mark.form.placement is Placement.PREFIX:
            taken = mark.end
        elif mark.start < taken:
            continue
        yield mark
