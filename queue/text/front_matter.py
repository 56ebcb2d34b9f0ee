"""The settings that stand before a thread, as YAML between two lines of dashes. Pure.

A block is front matter where all its lines look like YAML's `key: value`, one key at least is a setting, and
a thread follows it directly; at the beginning of a text, whatever thread follows. Any other block stays what
it was: parts between rules, or text. Where it may have been meant as settings, a warning says so.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from threadcast.queue.text.markers import fences, within
from threadcast.queue.text.settings import NAMES, NO_SETTINGS, ThreadSettings
from threadcast.queue.text.thread import Notice, NoticeKind, Severity, Thread

if TYPE_CHECKING:
    from yaml import Node

MOST_LINES = 60  # of a block; and so many characters:
MOST = 8192
_RULE = re.compile(r"^---[^\S\n]*$", re.MULTILINE)
_KEY = re.compile(r"([A-Za-z][\w -]{0,30}):(?:\s|$)", re.ASCII)
_MORE = re.compile(r"\s|- |#|[\]}]|$")  # a line that goes on with the value above, or says nothing
_BLANKS = re.compile(r"\s*")
_LIKE_YAML = re.compile(r"\s*(?:[A-Za-z][\w -]{0,30}:(?:\s|$)|- |[\[{&*]|<<)")
_KINDS = frozenset({NoticeKind.UNKNOWN_SETTING, NoticeKind.WRONG_SETTING, NoticeKind.NOT_SETTINGS})

Parse = Callable[[str], tuple[Thread, ...]]


class SettingError(ValueError):
    """A setting cannot have this value; or, with no name, the settings as they stand cannot be read."""

    def __init__(self, name: str = "", value: str = "") -> None:
        super().__init__(name, value)
        self.name = name
        self.value = value


class _Block(NamedTuple):
    """A block between two rules: from where to where it stands, what is in it, from which line on."""

    start: int
    end: int
    body: str
    line: int
    first: bool  # of the text
    good: bool  # it has a setting, and every line looks like one

    def __hash__(self) -> int:
        return self.start


def threads_of(text: str, parse: Parse) -> tuple[Thread, ...]:
    """Return the threads of a text, each with the settings before it. `parse` knows of no settings."""
    blocks = list(_blocks(text)) if "---" in text else []
    chosen = [block for block in blocks if block.good]
    tries = 0
    while True:
        threads = parse(_without(text, chosen))
        heads = _heads(text, chosen, threads)
        if len(heads) == len(chosen) or not threads:
            break
        # A block that is text again may change where threads begin, and so on: no more than three times.
        tries += 1
        chosen = list(heads) if tries == 1 else [block for block in chosen if block.first]
    found = list(threads)
    for index, group in groupby(heads, key=heads.__getitem__):
        found[index] = _settled(found[index], list(group))
    doubtful = [block for block in blocks if block not in heads]
    begins = [thread.parts[0].line for thread in found[1:]]
    for index, group in groupby(doubtful if found else (), key=lambda one: bisect_right(begins, one.line)):
        doubts = (_warning(NoticeKind.NOT_SETTINGS, block.line, text=block.body) for block in group)
        found[index] = replace(found[index], notices=(*doubts, *found[index].notices))
    return tuple(found)


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the blocks that are settings, or may have been meant as such."""
    begin = len(text) - len(text.lstrip())
    code = fences(f"\n{text}\n")
    rules = [match for match in _RULE.finditer(text) if not within(match.start() + 1, code)]
    taken, line, counted = -1, 1, 0
    for opening, closing in pairwise(rules):
        line, counted = line + text.count("\n", counted, opening.start()), opening.start()
        if opening.start() == taken or closing.start() - opening.end() > MOST:
            continue
        body = text[opening.end() + 1 : closing.start()].rstrip("\n")
        first = opening.start() <= begin
        good = _looks_good(body)
        if good or (first and _LIKE_YAML.match(body)):
            taken = closing.start() if good else -1
            yield _Block(opening.start(), closing.end(), body, line + 1, first, good)


def _looks_good(body: str) -> bool:
    lines = body.split("\n")
    keys = [match[1] for line in lines if (match := _KEY.match(line))]
    return (
        len(lines) <= MOST_LINES
        and any(_name(key) in NAMES for key in keys)
        and all(_KEY.match(line) or _MORE.match(line) for line in lines)
    )


def _without(text: str, blocks: Sequence[_Block]) -> str:
    """Return a text with these blocks as empty lines, so that each line keeps its number."""
    pieces: list[str] = []
    done = 0
    for block in blocks:
        pieces += text[done : block.start], "\n" * text.count("\n", block.start, block.end)
        done = block.end
    return "".join([*pieces, text[done:]])


def _heads(text: str, blocks: Sequence[_Block], threads: Sequence[Thread]) -> dict[_Block, int]:
    """Return which thread each block stands before; those that stand before none are left out."""
    begins = {
        notice.line: index
        for index, thread in enumerate(threads)
        for notice in thread.notices
        if notice.kind is NoticeKind.PREAMBLE
    }
    begins |= {
        thread.parts[0].line: index
        for index, thread in enumerate(threads)
        if any(part.marker for part in thread.parts)
    }
    found: dict[_Block, int] = {}
    below = 0  # the line of what follows the block, or the block below it
    for block in reversed(blocks):
        end = _BLANKS.match(text, block.end).end()  # type: ignore[union-attr]  # it matches everywhere
        follows = block.line - 1 + text.count("\n", block.start, end)
        index = begins.get(follows)
        if index is None and follows == below - 1:  # another block
            index = found.get(next(reversed(found))) if found else None
        if index is None and block.first and threads:
            index = 0
        if index is not None:
            found[block] = index
        below = block.line
    return dict(reversed(found.items()))


def _settled(thread: Thread, blocks: Sequence[_Block]) -> Thread:
    settings, notices = NO_SETTINGS, list[Notice]()
    for block in blocks:
        read, noticed = _read(block.body, block.line)
        settings = settings.model_copy(update=read.given())
        notices += noticed
    front = "\n".join(block.body for block in blocks)
    return replace(thread, settings=settings, front=front, notices=(*notices, *thread.notices))


def _read(body: str, line: int) -> tuple[ThreadSettings, list[Notice]]:
    """Return the settings in a block that begins at this line, and what is wrong with the others."""
    entries = _entries(body)
    if isinstance(entries, int):
        return NO_SETTINGS, [_warning(NoticeKind.NOT_SETTINGS, line + entries, text=body)]
    notices: list[Notice] = []
    good: dict[str, Any] = {}
    for key, value, offset in entries:
        name, at = _name(key), line + offset
        if name not in NAMES:
            near = get_close_matches(name, NAMES, n=1, cutoff=0.5)
            notices.append(_warning(NoticeKind.UNKNOWN_SETTING, at, *near, text=key))
            continue
        checked = None if value is None else _checked(name, value)
        if value is None or checked is None or name in good:
            shown = value if isinstance(value, str) else ", ".join(value or ())
            notices.append(_warning(NoticeKind.WRONG_SETTING, at, name, text=shown, twice=name in good))
        else:
            good[name] = checked
    return NO_SETTINGS.model_copy(update={name: getattr(one, name) for name, one in good.items()}), notices


def _name(key: str) -> str:
    return key.strip().lower().replace("-", "_").replace(" ", "_")


def _checked(name: str, value: object) -> ThreadSettings | None:
    try:
        return ThreadSettings(**{name: value})
    except ValidationError:
        return None


def _entries(body: str) -> list[tuple[str, str | list[str] | None, int]] | int:
    """Return key, value and line (from 0) of each entry; where it is no YAML, the line at which that shows.

    The value is None where it is neither a text nor a list of texts. What is empty is left out.
    """
    from yaml import MappingNode, ScalarNode, SequenceNode, YAMLError  # noqa: PLC0415  # few texts need it

    try:
        root = _compose(body)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        return 0 if mark is None else min(int(mark.line), body.count("\n"))
    except RecursionError:
        return 0
    found: list[tuple[str, str | list[str] | None, int]] = []
    for key, value in root.value if isinstance(root, MappingNode) else ():
        written: str | list[str] | None = None
        if isinstance(value, ScalarNode):
            written = value.value
            if not value.value and value.style is None:
                continue
        elif isinstance(value, SequenceNode) and all(isinstance(one, ScalarNode) for one in value.value):
            written = [one.value for one in value.value]
        found.append((str(key.value), written, key.start_mark.line))
    return found


def _compose(body: str) -> "Node | None":
    """Return the nodes of a YAML text: no values are made, and `no` is Norwegian. Raise YAMLError."""
    loader = _loader()(body)
    try:
        root: Node | None = loader.get_single_node()
        return root
    finally:
        loader.dispose()


@cache
def _loader() -> Any:
    import yaml  # noqa: PLC0415  # see above

    class Loader(yaml.SafeLoader):
        """Refuses aliases: a few lines of them may mean billions of values."""

        def compose_node(self, parent: "Node | None", index: int) -> "Node | None":
            if self.check_event(yaml.AliasEvent):
                raise yaml.MarkedYAMLError(problem="an alias", problem_mark=self.get_mark())
            return super().compose_node(parent, index)

    return Loader


def with_settings(thread: Thread, values: Mapping[str, str | None]) -> Thread:
    """Return a thread with these settings changed; None takes one away. Raise SettingError.

    Those that stand before it and are not named stay, right or wrong.
    """
    import yaml  # noqa: PLC0415  # see above

    entries = _entries(thread.front) if thread.front.strip() else []
    if isinstance(entries, int):
        raise SettingError
    kept = {key: value for key, value, _ in entries if _name(key) not in values}
    for name, value in values.items():
        if value is None:
            continue
        if name not in NAMES or _checked(name, value) is None:
            raise SettingError(name, value)
        kept[name] = " ".join(value.split())
    texts = {key: value if isinstance(value, str) else ", ".join(value or ()) for key, value in kept.items()}
    front = yaml.safe_dump(texts, allow_unicode=True, sort_keys=False, width=MOST).strip() if texts else ""
    bare = replace(
        thread,
        settings=NO_SETTINGS,
        front="",
        notices=tuple(one for one in thread.notices if one.kind not in _KINDS),
    )
    return _settled(bare, [_Block(0, 0, front, 1, first=True, good=True)]) if front else bare


def _warning(kind: NoticeKind, line: int, *markers: str, text: str = "", twice: bool = False) -> Notice:
    return Notice(Severity.WARNING, kind, line, None, (line,), (2,) if twice else (), markers, text)
