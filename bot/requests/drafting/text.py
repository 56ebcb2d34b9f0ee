"""A text that is being written, changed in one place: what a part shows, what its thread settles. Pure.

All else stays as it was typed, letter by letter: whoever writes finds their own text again.
"""

from collections.abc import Iterator
from dataclasses import replace

from threadcast.bot.languages import _
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.threads import settled
from threadcast.queue.text.media import Media, as_line
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Placement, Thread


def with_line(text: str, line: str, place: int | None = None) -> str:
    """Return a text with a line that shows a file: in the part of this place, from 1; None: the last one.

    The parts are those of all its threads. Raises InputError where there is no such part.
    """
    threads = parse(text)
    count = sum(len(thread.parts) for thread in threads)
    if not threads:
        return f"{text.rstrip()}\n{line}\n".lstrip("\n")
    place = count if place is None else place
    if not 0 < place <= count:
        raise InputError(_("there is no such part any more"))
    wanted = _shown(threads)
    wanted[place - 1] += 1
    lines = text.split("\n")
    for before in _places(threads, place, lines):
        found = "\n".join([*lines[:before], line, *lines[before:]])
        if _shown(parse(found)) == wanted:
            return found
    raise InputError(_("there is no place for a file in this part: write its line yourself"))


def _places(threads: tuple[Thread, ...], place: int, lines: list[str]) -> Iterator[int]:
    """Yield before which line, from 0, it may stand: at the end, or behind or before the first line."""
    parts = [(part, thread.placement) for thread in threads for part in thread.parts]
    part, placement = parts[place - 1]
    end = parts[place][0].line - 1 if place < len(parts) else len(lines)
    while end > part.line and not lines[end - 1].strip():
        end -= 1
    if placement is Placement.PREFIX:
        yield from (end, part.line)
    yield part.line - 1


def _shown(threads: tuple[Thread, ...]) -> list[int]:
    return [len(part.media) for thread in threads for part in thread.parts]


def described(text: str, line: int, description: str) -> str:
    """Return a text that says what can be seen in the file of a line, from 1. Raises InputError."""
    media = _of_line(text, line)
    said = " ".join(description.replace("]", ")").replace("[", "(").split())
    return _with(text, line, as_line(replace(media, description=said)))


def without_line(text: str, line: int) -> str:
    """Return a text that does not show the file of a line, from 1. Raises InputError."""
    _of_line(text, line)
    lines = text.split("\n")
    return "\n".join(lines[: line - 1] + lines[line:])


def _of_line(text: str, line: int) -> Media:
    for thread in parse(text):
        for media in thread.media:
            if media.line == line:
                return media
    raise InputError(_("there is no such file any more"))


def _with(text: str, line: int, new: str) -> str:
    lines = text.split("\n")
    return "\n".join([*lines[: line - 1], new, *lines[line:]])


def with_setting(text: str, name: str, value: str) -> str:
    """Return a text whose one thread has this setting; an empty value takes it away. Raises InputError."""
    threads = parse(text)
    if len(threads) != 1:
        raise InputError(_("settings stand before each thread of a text: write them there"))
    (thread,) = threads
    new = settled(thread, {name: value or None})
    front = f"---\n{new.front}\n---\n" if new.front else ""
    if not thread.front:
        return front + text
    old = f"---\n{thread.front}\n---"
    if text.count(old) != 1:
        raise InputError(_("its settings cannot be read as they stand: edit its text first"))
    return text.replace(old, front.rstrip("\n")).lstrip("\n")
