"""What a person should know about a thread before it is published. The kinds are told in `parse`."""

from collections.abc import Iterator, Sequence

from threadcast.queue.text.markers import is_only_end_marks
from threadcast.queue.text.thread import Notice, NoticeKind, Part, Severity


def notices(
    parts: Sequence[Part], *, total: int | None, complete: bool, preamble_line: int | None
) -> tuple[Notice, ...]:
    """The notices of a thread: its preamble's, then its parts' in order, then those of the whole."""
    return (
        *_of_preamble(parts, preamble_line),
        *_of_parts(parts),
        *_of_total(parts, total),
        *_of_length(parts, complete=complete),
    )


def _of_preamble(parts: Sequence[Part], line: int | None) -> Iterator[Notice]:
    if line is not None:
        message = f"the text before {_name(parts[0])} is kept, and not posted"
        yield Notice(Severity.WARNING, NoticeKind.PREAMBLE, line, None, message)


def _of_parts(parts: Sequence[Part]) -> Iterator[Notice]:
    highest = 0
    before: Part | None = None
    for position, part in enumerate(parts, 1):
        if part.number == highest + 1 and part.text:  # as nearly all are
            highest += 1
            before = part
            continue
        if part.number is None:
            if before is not None and not is_only_end_marks(part.text):
                message = f"the text after the last marker, {_name(before)}, follows as a part without number"
                yield _warning(NoticeKind.TRAILING, part, position, message)
            continue
        if part.number > highest + 1:
            yield _warning(NoticeKind.MISSING, part, position, _missing(highest + 1, before, part))
        elif before is not None and part.number == before.number:
            message = f"{_name(part)} has the number of the part before it (line {before.line})"
            yield _warning(NoticeKind.REPEAT, part, position, message)
        elif before is not None and part.number < (before.number or 0):
            message = f"{_name(part)} stands after {_name(before)}"
            yield _warning(NoticeKind.STEP_BACK, part, position, message)
        if not part.text:
            yield _warning(NoticeKind.EMPTY_PART, part, position, f"{_name(part)} has no text")
        highest = max(highest, part.number)
        before = part


def _missing(first: int, before: Part | None, part: Part) -> str:
    last = (part.number or 0) - 1
    numbers = f"number {first} is" if first == last else f"numbers {first} to {last} are"
    if before is None:
        return f"{numbers} missing before {_name(part)}"
    return f"{numbers} missing between {_name(before)} and {_name(part)}"


def _of_total(parts: Sequence[Part], total: int | None) -> Iterator[Notice]:
    if total is None or all(part.number is None for part in parts):
        return
    numbered = [(position, part) for position, part in enumerate(parts, 1) if part.number is not None]
    position, last = numbered[-1]
    right = {last.number, len(numbered)} if numbered[0][1].number == 0 else {last.number}
    if total not in right:
        announced = "1 part" if total == 1 else f"{total} parts"
        message = f"the markers announce {announced}; the last one is {_name(last)}"
        yield _warning(NoticeKind.WRONG_TOTAL, last, position, message)


def _of_length(parts: Sequence[Part], *, complete: bool) -> Iterator[Notice]:
    if len(parts) == 1:
        message = "the thread has a single part"
        yield Notice(Severity.INFO, NoticeKind.SINGLE_PART, parts[0].line, 1, message)
    elif not complete:
        message = "no end mark (/end, END, /fin, 🔚 or N/N) in the last part"
        yield Notice(Severity.INFO, NoticeKind.NO_END_MARK, parts[-1].line, len(parts), message)


def _warning(kind: NoticeKind, part: Part, position: int, message: str) -> Notice:
    return Notice(Severity.WARNING, kind, part.line, position, message)


def _name(part: Part) -> str:
    return f"{' '.join(part.marker.split())} (line {part.line})"
