"""From drafts to threads: the text of each part, and what is left over. docs/ has the grammar."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

from threadcast.queue.text import leftovers
from threadcast.queue.text.drafts import Draft, drafts
from threadcast.queue.text.markers import Mark, fences, has_end_mark, within
from threadcast.queue.text.media import Media, take_out
from threadcast.queue.text.notices import notices
from threadcast.queue.text.thread import (
    Notice,
    NoticeKind,
    Part,
    Placement,
    Severity,
    Thread,
    fingerprint,
    written,
)

_SEPARATOR = re.compile(r"^[^\S\n]*---[^\S\n]*$", re.MULTILINE)
_Cut = tuple[NoticeKind, int, int]  # what is left out, from where to where


class Text:
    """A text whose line breaks are all line feeds, gone through once.

    Markers are looked for in the text without its invisible characters: `_hidden` has, for each of these,
    the offset there that it stands before.
    """

    def __init__(self, text: str) -> None:
        self._text = text = f"\n{text}\n"  # so that the n-th line follows the n-th line break
        # Most texts have none of them: to ask for each is quicker than to look for all.
        hidden = (
            (match.start() for match in leftovers.INVISIBLE.finditer(text))
            if any(map(text.__contains__, leftovers.HIDDEN))
            else ()
        )
        self._hidden = [offset - count for count, offset in enumerate(hidden)]
        self._copied = leftovers.SIGN.search(text) is not None
        self._offset = self._line = 0

    def threads(self) -> Iterator[Thread]:
        """Yield the threads in the text, in order."""
        found = drafts(leftovers.INVISIBLE.sub("", self._text) if self._hidden else self._text)
        if not found:
            yield from self._unmarked()
            return
        starts = [self._before(draft.start) for draft in found]
        above = 0  # where the text begins that stands between two threads
        for index, draft in enumerate(found):
            preamble = self._text[above : starts[index]]
            line = self._line_at(above + _leading(preamble))
            end = starts[index + 1] if index + 1 < len(found) else len(self._text)
            above = end
            if index + 1 < len(found) and found[index + 1].form.placement is Placement.PREFIX:
                last = self._after(draft.reach)
                end = above = last + leftovers.title(
                    self._text[last:end], draft.last.number, behind=draft.form.placement is Placement.SUFFIX
                )
            left: list[Notice] = []
            read = self._prefixed if draft.form.placement is Placement.PREFIX else self._suffixed
            parts = tuple(read(draft, end, left))
            seen = [*_preamble(preamble.strip(), line, parts[0], shown=index > 0), *left]
            at = end if draft.doubtful is None else self._after(draft.doubtful.start)
            # What stands behind the end is another thread's.
            if draft.doubtful is not None and at < end and draft.total in {None, draft.last.number}:
                line = parts[-1].line + self._text.count("\n", self._after(draft.last.start), at)
                seen.append(_not_read(draft.doubtful, parts[-1], line))
            yield _thread(parts, draft.form.placement, draft.total, preamble.strip(), seen)

    def _after(self, offset: int) -> int:
        """Where in the text stands what has this offset among the visible characters."""
        return offset + bisect_right(self._hidden, offset) if self._hidden else offset

    def _before(self, offset: int) -> int:
        """Where in the text that ends which stands before this offset among the visible characters."""
        return offset + bisect_left(self._hidden, offset) if self._hidden else offset

    def _line_at(self, offset: int) -> int:
        """The line of an offset. They are asked in rising order, so that each character is counted once."""
        self._line += self._text.count("\n", self._offset, offset)
        self._offset = offset
        return self._line

    def _prefixed(self, draft: Draft, end: int, left: list[Notice]) -> Iterator[Part]:
        """The parts of a thread whose markers stand before them, up to `end`."""
        ends = [self._before(mark.start) for mark in draft.taken[1:]]
        for mark, upto in zip(draft.taken, [*ends, end], strict=True):
            line = self._line_at(self._after(mark.start))
            start, stop = self._after(mark.end), upto
            cuts: list[_Cut] = []
            if self._copied or mark is draft.last:
                stop, cuts = self._cut(start, stop, mark.number, last=mark is draft.last)
            raw = self._text[start:stop]
            words = raw.strip()
            joint = raw[: raw.index(words[0])] if words else ""
            yield _part(mark, joint, words, line, joint.count("\n"))
            if cuts:
                left += self._left_out(cuts)

    def _suffixed(self, draft: Draft, end: int, left: list[Notice]) -> Iterator[Part]:
        """The parts of a thread whose markers stand behind them, and what is behind the last, up to `end`."""
        start = self._before(draft.start)
        words = ""
        for mark in draft.taken:
            stop = self._before(mark.start)
            start, cuts = self._skip(start, stop)
            left += self._left_out(cuts)
            raw = self._text[start:stop]
            words = raw.strip()
            line = self._line_at(start + _leading(raw))
            yield _part(mark, raw[len(raw.rstrip()) :], words, line)
            start = self._after(mark.end)
        ended = has_end_mark(f"{words}\n{draft.last.marker}", draft.last.number)
        kept, cuts = self._cut(start, end, draft.last.number, last=True, ended=ended)
        yield from self._unnumbered(start, kept)
        left += self._left_out(cuts)

    def _unmarked(self) -> Iterator[Thread]:
        """The thread of a text without markers, if there is text in it."""
        code = fences(self._text)
        found = [match for match in _SEPARATOR.finditer(self._text) if not within(match.start(), code)]
        starts = [0, *(match.end() for match in found)]
        stops = [*(match.start() for match in found), len(self._text)]
        last = next(
            (stop for start, stop in zip(starts[::-1], stops[::-1], strict=True) if self._says(start, stop)),
            0,
        )
        parts: list[Part] = []
        left: list[Notice] = []
        for start, stop in zip(starts, stops, strict=True):
            begin, cuts = self._skip(start, stop)
            left += self._left_out(cuts)
            kept, cuts = self._cut(begin, stop, None, last=stop == last)
            parts += self._unnumbered(begin, kept)
            left += self._left_out(cuts)
        if parts:
            yield _thread(tuple(parts), Placement.PREFIX, None, "", left)

    def _says(self, start: int, stop: int) -> bool:
        """Whether there is more between these offsets than white space and what a reader added."""
        begin, _ = self._skip(start, stop)
        kept, _ = self._cut(begin, stop, None, last=False)
        return bool(self._text[begin:kept].strip())

    def _unnumbered(self, start: int, stop: int) -> Iterator[Part]:
        raw = self._text[start:stop]
        if words := raw.strip():
            _, _, indent = raw[: _leading(raw)].rpartition("\n")
            yield _part(None, indent, words, self._line_at(start + _leading(raw)))

    def _skip(self, start: int, stop: int) -> tuple[int, list[_Cut]]:
        """Where the text begins that is a part's, and what is cut off before it."""
        head = start + leftovers.reader_head(self._text[start:stop]) if self._copied else start
        return head, [(NoticeKind.READER_LINES, start, head)] if head > start else []

    def _cut(
        self, start: int, stop: int, number: int | None, *, last: bool, ended: bool = False
    ) -> tuple[int, list[_Cut]]:
        """Where the text ends that is a part's, and what is cut off behind it."""
        cuts: list[_Cut] = []
        if self._copied and (tail := start + leftovers.reader_lines(self._text[start:stop])) < stop:
            cuts, stop = [(NoticeKind.READER_LINES, tail, stop)], tail
        if last:
            tail = start + leftovers.behind_the_end(self._text[start:stop], number, ended=ended)
            if tail < stop:
                cuts, stop = [(NoticeKind.AFTER_END, tail, stop), *cuts], tail
        return stop, cuts

    def _left_out(self, cuts: Iterable[_Cut]) -> Iterator[Notice]:
        for kind, start, stop in cuts:
            raw = self._text[start:stop]
            line = self._line_at(start + _leading(raw))
            words = raw.strip()
            lines = (line, line + words.count("\n"))
            yield Notice(Severity.WARNING, kind, line, None, lines=lines, text=words)


def _part(mark: Mark | None, joint: str, words: str, line: int, below: int = 0) -> Part:
    """A part from its words, which begin so many lines `below` its own line."""
    text, media = words, tuple[Media, ...]()
    if "![" in words:
        code = fences(f"\n{words}\n")
        text, media = take_out(words, line + below, lambda offset: within(offset + 1, code))
    number, marker = (mark.number, mark.marker) if mark else (None, "")
    return Part(number, marker, joint if text else "", text, line, media)


def _leading(text: str) -> int:
    return len(text) - len(text.lstrip())


def _preamble(text: str, line: int, part: Part, *, shown: bool) -> Iterator[Notice]:
    """What stands above a thread; between two threads it is shown, as it might belong to the one before."""
    if text:
        severity = Severity.INFO if leftovers.RULE.fullmatch(text) else Severity.WARNING
        said = text if shown else ""
        yield Notice(severity, NoticeKind.PREAMBLE, line, None, (part.line,), (), (part.marker,), said)


def _not_read(mark: Mark, part: Part, line: int) -> Notice:
    """The next number in another form, which may be a part or no more than a fraction."""
    markers = (mark.marker, part.marker)
    return Notice(
        Severity.WARNING, NoticeKind.NOT_READ, line, None, (line, part.line), (mark.number,), markers
    )


def _thread(
    parts: tuple[Part, ...], placement: Placement, total: int | None, preamble: str, seen: Sequence[Notice]
) -> Thread:
    last = len(parts) - 1
    while last > 0 and not parts[last].marker:
        last -= 1
    ending = parts[last:] if parts[last].marker else parts[-1:]
    number = ending[0].number
    complete = (total is not None and number == total) or any(
        # `30/end` is a marker and its text; a suffix marker may end with an end mark.
        has_end_mark(
            written(part, placement) if placement is Placement.PREFIX else f"{part.text}\n{part.marker}",
            number,
        )
        for part in ending
    )
    noticed = (*seen, *notices(parts, placement, total=total, complete=complete))
    return Thread(parts, placement, total, preamble, complete, fingerprint(parts), noticed)
