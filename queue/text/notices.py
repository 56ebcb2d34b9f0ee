"""What a person should know about a thread before it is published. docs/ has the grammar."""

import html
import re
from collections.abc import Iterator, Sequence

from threadcast.queue.text.markers import is_only_end_marks, without_code
from threadcast.queue.text.media import Media
from threadcast.queue.text.numbered import FEWEST, looks_numbered
from threadcast.queue.text.thread import Notice, NoticeKind, Part, Placement, Severity, written

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_SHOWN = 40  # code points of what would be read
_KINDS_SHOWN = 3


def notices(
    parts: Sequence[Part], placement: Placement, *, total: int | None, complete: bool
) -> Iterator[Notice]:
    """Yield what there is to notice in a thread's parts, in order, then what concerns the whole."""
    yield from _of_parts(parts)
    yield from _of_total(parts, total)
    yield from _of_entities(parts)
    yield from _of_media(parts)
    yield from _of_length(parts, placement, complete=complete)


def undescribed(parts: Sequence[Part]) -> list[tuple[int, int, Media]]:
    """Return the files of which nobody says what can be seen: the part, the place in it, the file."""
    return [
        (position, place, media)
        for position, part in enumerate(parts, 1)
        for place, media in enumerate(part.media, 1)
        if not media.description
    ]


def _of_parts(parts: Sequence[Part]) -> Iterator[Notice]:
    highest = 0
    before: Part | None = None
    for position, part in enumerate(parts, 1):
        number = part.number
        if number is None:
            if before is not None and not is_only_end_marks(part.text):
                yield _warning(NoticeKind.TRAILING, position, part, before)
        elif number != highest + 1:  # as few are
            yield from _of_number(number, position, part, before, highest)
        if part.is_empty:
            yield _warning(NoticeKind.EMPTY_PART, position, part)
        if number is not None:
            highest, before = max(highest, number), part


def _of_number(number: int, position: int, part: Part, before: Part | None, highest: int) -> Iterator[Notice]:
    """A number that is not the one after the highest so far."""
    if number > highest + 1:
        yield _warning(NoticeKind.MISSING, position, part, before, numbers=(highest + 1, number - 1))
    elif before is not None and number == before.number:
        yield _warning(NoticeKind.REPEAT, position, part, before)
    elif before is not None and number < (before.number or 0):
        yield _warning(NoticeKind.STEP_BACK, position, part, before)


def _of_total(parts: Sequence[Part], total: int | None) -> Iterator[Notice]:
    numbered = [(position, part) for position, part in enumerate(parts, 1) if part.number is not None]
    if total is None or not numbered:
        return
    position, last = numbered[-1]
    right = {last.number, len(numbered)} if numbered[0][1].number == 0 else {last.number}
    if total not in right:
        yield _warning(NoticeKind.WRONG_TOTAL, position, last, numbers=(total,))


def _of_entities(parts: Sequence[Part]) -> Iterator[Notice]:
    found = [
        (part, match)
        for part in parts
        if "&" in part.text
        for match in _ENTITY.finditer(part.text)
        if html.unescape(match.group()) != match.group()
    ]
    holders = {part.line: part for part, _ in found}
    if len(holders) > 1 or (found and len(parts) == 1):
        part, match = found[0]
        start, end = max(match.start() - _SHOWN // 2, 0), match.end() + _SHOWN // 2
        read = " ".join(html.unescape(part.text[start:end]).split())
        kinds = tuple(dict.fromkeys(match.group() for _, match in found))[:_KINDS_SHOWN]
        kind, position = NoticeKind.HTML_ENTITIES, parts.index(part) + 1
        yield Notice(Severity.INFO, kind, part.line, position, tuple(holders), (len(holders),), kinds, read)


def _of_media(parts: Sequence[Part]) -> Iterator[Notice]:
    for position, part in enumerate(parts, 1):
        for one in part.media:
            if one.focus and one.focal_point is None:
                kind = NoticeKind.WRONG_FOCUS
                yield Notice(Severity.WARNING, kind, one.line, position, (one.line,), text=one.focus)
    missing = undescribed(parts)
    if missing:
        position, _, first = missing[0]
        lines = tuple(one.line for _, _, one in missing)
        kind, about = NoticeKind.NO_DESCRIPTION, (len(missing),)
        yield Notice(Severity.INFO, kind, first.line, position, lines, about, (), first.name)


def _of_length(parts: Sequence[Part], placement: Placement, *, complete: bool) -> Iterator[Notice]:
    if len(parts) == 1:
        yield from _of_numbers(parts[0], placement)
        yield Notice(Severity.INFO, NoticeKind.SINGLE_PART, parts[0].line, 1)
    elif not complete:
        yield Notice(Severity.INFO, NoticeKind.NO_END_MARK, parts[-1].line, len(parts))


def _of_numbers(part: Part, placement: Placement) -> Iterator[Notice]:
    """Whether a single part looks like many."""
    looks = looks_numbered(without_code(written(part, placement)).split("\n"))
    # What follows the marker of a part is its list, unless the numbers go on from the marker's own.
    if looks is not None and (not part.marker or (looks.lines[0] == 1 and len(looks.lines) >= FEWEST)):
        lines = tuple(part.line + line - 1 for line in looks.lines)
        kind = NoticeKind.LOOKS_NUMBERED
        yield Notice(Severity.WARNING, kind, lines[0], None, lines, text=looks.form)


def _warning(
    kind: NoticeKind, position: int, part: Part, before: Part | None = None, *, numbers: tuple[int, ...] = ()
) -> Notice:
    about = [part] if before is None else [part, before]
    lines, markers = zip(*((each.line, each.marker) for each in about), strict=True)
    return Notice(Severity.WARNING, kind, part.line, position, lines, numbers, markers)
