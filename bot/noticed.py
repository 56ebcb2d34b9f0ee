"""What the parser noticed in words, once for every face."""

from collections.abc import Sequence

from threadcast.bot.languages import N_
from threadcast.bot.media.words import undescribed
from threadcast.bot.plain import quoted
from threadcast.bot.settled import OF_SETTINGS, of_settings
from threadcast.queue.sentences import Sentence
from threadcast.queue.text.thread import Notice, NoticeKind

_NOTICES = {
    NoticeKind.REPEAT: N_("{part} has the number of the part before it ({behind})"),
    NoticeKind.STEP_BACK: N_("{part} stands after {other}"),
    NoticeKind.EMPTY_PART: N_("{part} has no text"),
    NoticeKind.TRAILING: N_("the text after the last marker, {other}, follows as a part without number"),
    NoticeKind.WRONG_TOTAL: N_("the markers announce {total}; the last one is {part}"),
    NoticeKind.NOT_READ: N_("{part} has the next number in another form: it is read as text of {other}"),
    NoticeKind.AFTER_END: N_("what stands after the end is left out: {text}"),
    NoticeKind.READER_LINES: N_("what a page shows round the thread is left out: {text}"),
    NoticeKind.LOOKS_NUMBERED: N_("{lines} look numbered, and are one part; the nearest marker is {form}"),
    NoticeKind.HTML_ENTITIES: N_("{entities} will be posted as written; {text} may be meant"),
    NoticeKind.WRONG_FOCUS: N_("{text} is no focus; write two numbers from -1 to 1, as in 0.2,-0.4"),
    NoticeKind.UNUSED: N_("came with the text, and no line of it shows it: {text}"),
    NoticeKind.NO_END_MARK: N_("no end mark (/end, END, /fin, 🔚 or N/N) in the last part"),
    NoticeKind.SINGLE_PART: N_("the thread has a single part"),
}


def noticed(notice: Notice) -> str:
    """Return what the parser noticed, without its line; a face translates it."""
    if notice.kind in OF_SETTINGS:
        return of_settings(notice)
    if notice.kind is NoticeKind.NO_DESCRIPTION:
        return undescribed(notice)
    known = notice.numbers if notice.kind is NoticeKind.MISSING else notice.lines
    if not (known or notice.kind in {NoticeKind.NO_END_MARK, NoticeKind.SINGLE_PART}):
        return notice.kind.replace("-", " ")  # of a thread that was stored by an earlier version
    named = zip(notice.markers, notice.lines, strict=False)
    names = [
        Sentence("{marker} (line {line})", marker=" ".join(marker.split()), line=line)
        if marker.strip()
        else Sentence("(line {line})", line=line)
        for marker, line in named
    ]
    part, other = (*names, "", "")[:2]
    if notice.kind is NoticeKind.MISSING:
        return _missing(notice.numbers, part, other)
    if notice.kind is NoticeKind.PREAMBLE:  # it may as well be the end of a thread before it
        said = Sentence("the text before {part} is kept, and not posted", part=part)
        return Sentence("{said}: {text}", said=said, text=quoted(notice.text)) if notice.text else said
    return Sentence(
        _NOTICES[notice.kind],
        part=part,
        other=other,
        behind=_lines(notice.lines[1:]),
        lines=_lines(notice.lines),
        total=Sentence("{n} part", "{n} parts", n=max(notice.numbers, default=0)),
        entities=_listed(notice.markers),
        text=quoted(notice.text),
        form=notice.text,
    )


def _missing(numbers: tuple[int, ...], part: str, other: str) -> str:
    one = len(set(numbers)) == 1
    if other:
        said = (
            N_("number {first} is missing between {other} and {part}")
            if one
            else N_("numbers {first} to {last} are missing between {other} and {part}")
        )
    else:
        said = (
            N_("number {first} is missing before {part}")
            if one
            else N_("numbers {first} to {last} are missing before {part}")
        )
    return Sentence(said, first=numbers[0], last=numbers[-1], other=other, part=part)


def _lines(lines: Sequence[int]) -> str:
    """Return `line 3`, `lines 3 and 5`, `lines 3 to 7`, or `lines 1, 3 and 5`."""
    if len(lines) < 2:  # noqa: PLR2004
        return Sentence("line {line}", line=lines[0]) if lines else Sentence("a line")
    if len(lines) > 2 and lines[-1] - lines[0] == len(lines) - 1:  # noqa: PLR2004
        return Sentence("lines {first} to {last}", first=lines[0], last=lines[-1])
    return Sentence("lines {numbers}", numbers=_listed([str(line) for line in lines]))


def _listed(words: Sequence[str]) -> str:
    *most, last = words or ("",)
    return Sentence("{most} and {last}", most=", ".join(most), last=last) if most else last
