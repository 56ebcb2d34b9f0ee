"""What was changed in the text of a thread, in a few lines, once for every face."""

from collections.abc import Iterator
from dataclasses import replace
from difflib import SequenceMatcher
from itertools import zip_longest

from threadcast.bot.languages import _, ngettext
from threadcast.bot.settled import settled
from threadcast.queue.text.thread import Part, Thread, whole

SHOWN = 4  # changes that are shown one by one
COMPARED = 500  # parts of a thread
WIDTH = 90  # code points of a line
BEFORE = 20  # code points that stand before what is changed


def differences(before: Thread, after: Thread, shown: int = SHOWN) -> list[str]:
    """Return the settings and parts that were changed: `− 2/ It fals again.` and `+ 2/ It falls again.`"""
    old, new = _parts(before), _parts(after)
    for place, (one, other) in enumerate(zip(before.parts[:COMPARED], after.parts, strict=False)):
        if old[place] == new[place] and [each.file for each in one.media] != [
            each.file for each in other.media
        ]:
            new[place] += " " + _("(another file of this name)")
    found = list(_changes(old, new))
    if before.settings != after.settings:
        found = [(settled(before.settings), settled(after.settings)), *found]
    lines = [line for old, new in found[:shown] for line in _lines(old, new)]
    more = len(found) - shown
    left = ngettext("… and {n} more change", "… and {n} more changes", more).format(n=more)
    return [*lines, left] if more > 0 else lines


def _parts(thread: Thread) -> list[str]:
    return [" ".join(whole(_named(part), thread.placement).split()) for part in thread.parts[:COMPARED]]


def _named(part: Part) -> Part:
    """A part with its files by their names alone, wherever they are kept."""
    return replace(part, media=tuple(replace(one, source=one.name) for one in part.media))


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[str, str]]:
    """Each part that was there and what it is now; empty where there was, or is, none."""
    for tag, first, last, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from zip_longest(old[first:last], new[start:end], fillvalue="")


def _lines(old: str, new: str) -> Iterator[str]:
    alike = next((place for place, (one, other) in enumerate(zip_longest(old, new)) if one != other), 0)
    for sign, text in (("−", old), ("+", new)):
        if text:
            yield f"{sign} {_excerpt(text, alike)}"


def _excerpt(text: str, alike: int) -> str:
    """A part, or its marker and what stands around the first change."""
    if len(text) <= WIDTH:
        return text
    marker = text.partition(" ")[0]
    start = alike - BEFORE
    begin = "" if start <= len(marker) or len(marker) > BEFORE else f"{marker} …"
    shown = text[max(start, 0) if begin else 0 :]
    return f"{begin}{shown}" if len(shown) <= WIDTH else f"{begin}{shown[:WIDTH]}…"
