"""From text to threads: markers, parts, notices. Pure; takes time linear in the text.

The grammar. A text holds any number of threads. Nothing in it is dropped: it is in a part, in a
marker, or in the preamble, white space at the ends of parts and `---` lines aside.

**Markers.** A marker stands at the start of a line, blanks before it aside (prefix), or at the end of
one, after some text and a blank (suffix). It is kept as written, lead-in included. A number has one to
four digits, 0 to 9 of ASCII; leading zeros do not count.

- Strong forms: `N/`, `N/M`, `(N/)`, `(N/M)`, `[N/]`, `[N/M]`, and `N/n`, also in brackets. `N/n`, `N/x`,
  `N/?` and `N/∞` are one form: they announce a total that the author does not know.
- Weak forms: `N.`, `N)`, `(N)`, and keycaps (`7️⃣`, `1️⃣2️⃣`, `🔟`). At the end of a line only `(N)` and
  keycaps: "in 1945." is no marker.
- A lead-in may stand before it: `🧵`, `Thread` in any case, `Thread:`, `#`, and blanks. At the end of a
  line the bare word `Thread` belongs to the text.
- After a prefix marker comes a blank, the end of the line, a letter, a quote, an emoji, an opening
  bracket, or one of `: @ # ¿ ¡`. So `3/Text` and `3/@user` are markers; `24/7`, `1.5` and `24/-` are not.
- After a suffix marker come blanks and the end of the line.

**What begins a thread.** A marker is *followed* where its next number stands further down in the same
form and placement, before the same number, a 0 or a 1 of that form. For weak and suffix markers,
a strong prefix 1 and 2 must not stand between the two.

- A text's first thread begins at the first strong prefix 1; or, where it comes earlier, at a strong
  prefix of another number, a weak 1, or a suffix 0 or 1, that is followed. (A text whose number 1 was
  lost begins at its first number, with a notice.)
- In a thread, its own form's number 1 begins the next thread: in a strong prefix form always (except
  after 0 alone), in others where it is followed. A strong 0 does where it is followed.
- Another strong form begins a thread with a 1 or 0 that is followed and stands at the start of a
  paragraph: after a blank line, after a line that ends with an end mark, or after a part N/N. A
  suffix thread's first part is then that paragraph. Where the running thread's first marker is
  followed, nothing else begins before its second.
- A suffix thread begins below another one only where no line of its first part looks like a first
  marker itself. Else its 1 is a step back, or text.

**What continues it.** A thread keeps the form of its first marker, total included; all other forms
are text.

- Strong form: any number. One that skips is a part, with a *missing* notice; so is a repeat or a step
  back, with its notice. A number that would skip 1000 or more is text: a year, an amount.
- Weak form: the expected next number only.
- Where the markers have no total, the expected next number written as N/N in the same brackets is the
  last part (`1/`, `2/`, `3/3`), if no marker of the thread's own form comes after it.

**What belongs to a part.** Prefix: everything from its marker up to the next. Suffix: everything from
the marker before up to its own. Inner line breaks, blank lines and blanks are kept; blanks and blank
lines at the ends are dropped. Text before the first marker is the preamble (a suffix thread has none:
that text is its first part). Text after the last suffix marker is one more part, without number or
marker, with a notice; lines there that hold an end mark alone belong to the thread that ended, and
need no notice where nothing else stands there.

**No marker.** The whole text is one part; lines `---` separate parts.

**End marks.** The last word of a line in the last part: `/end` or `/fin` in any case (`30/end` too),
`END`, `🔚`, or N/N where N is the part's own number; or a last marker N/N. Kept as text.

**Total.** M is wrong where it is not the last number; a thread that begins at 0 may count its parts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, repeat

from threadcast.queue.text.markers import (
    BREAK,
    LARGEST_STEP,
    LEADING_END_MARK,
    Form,
    Mark,
    Marks,
    find,
    has_end_mark,
    is_end,
)
from threadcast.queue.text.notices import notices
from threadcast.queue.text.thread import Part, Placement, Thread, fingerprint, written

_SEPARATOR = re.compile(r"^[^\S\n]*---[^\S\n]*$", re.MULTILINE)
_BOMS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}


class NotTextError(ValueError):
    """The bytes are not text. `offset` is the first byte that tells, counted from 0."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"not text: {reason} at byte offset {offset}; save the file as UTF-8 text")
        self.offset = offset


def decode(data: bytes) -> str:
    """The text in `data`: UTF-8 with or without a byte order mark, or UTF-16 with one.

    Line breaks CR LF and CR become LF. Raises NotTextError on other bytes, and on NUL, which no text
    holds and most binary files do.
    """
    bom, encoding = next((item for item in _BOMS.items() if data.startswith(item[0])), (b"", "utf-8"))
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise NotTextError(len(bom) + error.start, f"no valid {encoding.upper()}") from None
    if (nul := text.find("\0")) >= 0:
        raise NotTextError(len(bom) + len(text[:nul].encode(encoding)), "a NUL character")
    return _line_feeds(text)


def parse(text: str) -> tuple[Thread, ...]:
    """The threads in `text`, in order; none in white space. Never raises."""
    text = f"\n{_line_feeds(text)}\n"  # so that the n-th line follows the n-th line break
    marks = find(text)
    drafts = _drafts(text, marks)
    if not drafts:
        return _unmarked(text)
    preamble = text[: drafts[0].start]
    ends = [draft.start for draft in drafts[1:]] + [len(text)]
    lines = _Lines(text)
    first_line = lines.at(_leading(preamble))
    threads = []
    for draft, end in zip(drafts, ends, strict=True):
        parts = draft.parts(text, marks, end, lines)
        threads.append(_thread(parts, draft.form.placement, draft.total, preamble.strip(), first_line))
        preamble = ""
    return tuple(threads)


def render(thread: Thread) -> str:
    """The thread as text, for export: `parse` gives the same thread back."""
    if not any(part.marker for part in thread.parts):
        return "\n---\n".join(part.text for part in thread.parts)
    body = "\n".join(written(part, thread.placement) for part in thread.parts)
    return f"{thread.preamble}\n\n{body}" if thread.preamble else body


@dataclass(slots=True)
class _Draft:
    """A thread in the making. `start` is where its text begins (prefix: its first marker)."""

    form: Form
    start: int
    last: Mark
    taken: list[int]  # the marks of its parts
    expected: int | None  # the second number, as long as it is certain to come
    closing: Mark | None = None  # an N/N that is the last part if no marker of its own form follows
    read: int = -1  # how far paragraphs were looked for
    paragraph: int = -1  # where the last one of those read begins, below the last marker

    @property
    def total(self) -> int | None:
        return self.last.form.total  # a closing N/N has one where the form has none

    @property
    def reach(self) -> int:
        """Where the last marker read ends; a suffix part does."""
        return (self.closing or self.last).end

    @property
    def over(self) -> bool:
        """Whether the part being read is the last by its own marker."""
        return self.closing is not None or self.form.total == self.last.number

    def add(self, mark: Mark) -> None:
        self.go_on(mark, mark.position)

    def go_on(self, last: Mark, first: int) -> None:
        """Take the marks from `first` to `last`, a run."""
        lowest = last.number - (last.position - first)
        if self.expected is not None and lowest <= self.expected <= last.number:
            self.expected = None
        self.taken += range(first, last.position + 1)
        self.last = last
        self.closing = None

    def finish(self) -> None:
        if self.closing is not None:
            self.add(self.closing)

    def continues(self, mark: Mark) -> bool:
        """Whether a mark of the thread's own form is its next part."""
        step = mark.number - self.last.number
        return step == 1 or (self.form.strong and step <= LARGEST_STEP)

    def begins_again(self, mark: Mark, rival: int) -> bool:
        """Whether a mark of the thread's own form begins the next thread."""
        if mark.number not in mark.firsts or mark.number in {self.expected, self.last.number + 1}:
            return False
        if self.form.placement is Placement.SUFFIX:
            return mark.followed and rival < self.reach
        return mark.followed or (self.form.strong and mark.number == 1)

    def gives_way(self, mark: Mark, text: str, rival: int) -> int | None:
        """Where a thread of another form begins whose first marker is `mark`; None where none does."""
        form = mark.form
        if self.expected is not None or not (form.strong and mark.followed and mark.number in mark.firsts):
            return None
        if form.placement is Placement.PREFIX:
            return mark.start if self.over or self._paragraph(text, mark) == _line(text, mark) else None
        if self.over and self.form.placement is Placement.SUFFIX:
            return _after_end_marks(text, self.reach) if rival < self.reach else None
        start = self._paragraph(text, mark)
        return start if start >= 0 and rival < start else None

    def _paragraph(self, text: str, mark: Mark) -> int:
        line = _line(text, mark)
        if self.read < self.last.start:
            self.read, self.paragraph = self.last.start, -1
        for match in BREAK.finditer(text, self.read, line):
            if is_end(match, self.last.number):
                self.paragraph = match.end()
        self.read = line
        return self.paragraph

    def parts(self, text: str, marks: Marks, end: int, lines: "_Lines") -> tuple[Part, ...]:
        if self.form.placement is Placement.PREFIX:
            return self._prefixed(text, marks, end, lines)
        parts = []
        start = self.start
        for index in self.taken:
            mark = marks[index]
            raw = text[start : mark.start]
            line = lines.at(start + _leading(raw))
            joint = raw[len(raw.rstrip()) :]
            parts.append(Part(mark.number, marks.markers[index], joint, raw.strip(), line))
            start = mark.end
        raw = text[start:end]
        if trailing := raw.strip():
            parts.append(Part(None, "", "", trailing, lines.at(start + _leading(raw))))
        return tuple(parts)

    def _prefixed(self, text: str, marks: Marks, end: int, lines: "_Lines") -> tuple[Part, ...]:
        parts = []
        starts = [marks.starts[index] for index in self.taken]
        rows = zip(
            map(marks.read.__getitem__, self.taken),
            map(marks.markers.__getitem__, self.taken),
            map(marks.ends.__getitem__, self.taken),
            [*starts[1:], end],
            lines.each(starts),
            strict=True,
        )
        for (_, number), marker, start, upto, line in rows:
            # Most often one blank stands between the two, and a line break at the end: taking those away
            # before the text is copied saves a copy.
            joint = " "
            words = text[start + 1 : upto - 1].rstrip() if text[start] == " " else ""
            if not words or words[0].isspace():
                raw = text[start:upto]
                words = raw.strip()
                joint = raw[: raw.index(words[0])] if words else ""
            parts.append(Part(number, marker, joint, words, line))
        return tuple(parts)


class _Lines:
    """Line numbers of offsets that are asked in rising order: each character is counted once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._offset = self._line = 0

    def at(self, offset: int) -> int:
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line

    def each(self, offsets: Sequence[int]) -> list[int]:
        counts = map(self._text.count, repeat("\n"), [self._offset, *offsets], offsets)
        found = list(accumulate(counts, initial=self._line))
        self._offset, self._line = offsets[-1], found[-1]
        return found[1:]


def _drafts(text: str, marks: Marks) -> list[_Draft]:
    drafts: list[_Draft] = []
    rival = -1  # the last mark passed over that looks first
    index = 0
    while index < len(marks):
        mark = marks[index]
        start = _follow(drafts[-1], mark, text, rival) if drafts else _open(mark)
        if start is not None:
            drafts.append(_begin(mark, start))
        if mark.looks_first:
            rival = mark.start
        index += 1
        # Where a mark is a part, all of its run are. A 1 after a 0 is looked at still: it looks first.
        end = marks.runs[mark.position]
        if end > mark.position and mark.number > 0 and drafts and drafts[-1].last is mark:
            last = marks[end]
            drafts[-1].go_on(last, index)
            if last.looks_first:
                rival = last.start
            index = end + 1
    for draft in drafts:
        draft.finish()
    return drafts


def _open(mark: Mark) -> int | None:
    """Where a text's first thread begins whose first marker is `mark`; None where none does."""
    if not mark.opens_text:
        return None
    return mark.start if mark.form.placement is Placement.PREFIX else 0


def _begin(mark: Mark, start: int) -> _Draft:
    return _Draft(mark.form, start, mark, [mark.position], mark.number + 1 if mark.followed else None)


def _follow(draft: _Draft, mark: Mark, text: str, rival: int) -> int | None:
    """Take the mark into the draft, or pass over it; or give the offset where it begins a new thread."""
    if mark.form == draft.form and mark.number == draft.last.number + 1:
        draft.add(mark)
        return None
    if mark.form != draft.form:
        if mark.closes(draft.form, draft.last.number):
            draft.closing = mark
            return None
        return draft.gives_way(mark, text, rival)
    if draft.begins_again(mark, rival):
        return mark.start if draft.form.placement is Placement.PREFIX else _after_end_marks(text, draft.reach)
    if draft.continues(mark):
        draft.add(mark)
    return None


def _after_end_marks(text: str, start: int) -> int:
    while match := LEADING_END_MARK.match(text, start):
        start = match.end()
    return start


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip())


def _line(text: str, mark: Mark) -> int:
    return text.rfind("\n", 0, mark.start) + 1


def _unmarked(text: str) -> tuple[Thread, ...]:
    lines = _Lines(text)
    parts = []
    start = 0
    for end, resume in [*(match.span() for match in _SEPARATOR.finditer(text)), (len(text), len(text))]:
        raw = text[start:end]
        if words := raw.strip():
            parts.append(Part(None, "", "", words, lines.at(start + _leading(raw))))
        start = resume
    return (_thread(tuple(parts), Placement.PREFIX, None, "", 1),) if parts else ()


def _thread(
    parts: tuple[Part, ...], placement: Placement, total: int | None, preamble: str, preamble_line: int
) -> Thread:
    last = len(parts) - 1
    while last > 0 and not parts[last].marker:
        last -= 1
    ending = parts[last:] if parts[last].marker else parts[-1:]
    number = ending[0].number
    complete = (total is not None and number == total) or any(
        # `30/end` is a marker and its text; a suffix marker is no end mark of its text
        has_end_mark(written(part, placement) if placement is Placement.PREFIX else part.text, number)
        for part in ending
    )
    noticed = notices(
        parts, total=total, complete=complete, preamble_line=preamble_line if preamble else None
    )
    return Thread(parts, placement, total, preamble, complete, fingerprint(parts), noticed)


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
