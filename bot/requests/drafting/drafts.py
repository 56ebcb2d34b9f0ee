"""What a person is writing, in the chat message by message or on the page, until they say that it is all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from threading import Lock
from typing import Protocol

from threadcast.queue.store.notes import Notes
from threadcast.queue.text.media import take_out
from threadcast.queue.text.parse import parse

KEPT = timedelta(days=30)  # since it was last written at

# A client cuts what is pasted into messages of this many characters at the most: at the end of a line, where
# the second half of a message has one, else at a blank.
CUT = 4096
NEARLY = CUT - 100

# Lines of a draft's page that are no message of a person's: messages have positive ids.
_CHANNELS, _SHOWN, _OPEN, _DOUBT, _WRITTEN = -1, -2, -3, -4, -5
_LINKS = -10  # and below: how many addresses were written into the message of that id


def join(pieces: Sequence[str]) -> str:
    """The messages as one text.

    Where a client had to cut a long paste in a line, the line is made whole again. Several messages
    without any number are a part each.
    """
    pieces = _with_files(pieces)
    threads = parse("\n".join(pieces))
    begins = {part.line for thread in threads for part in thread.parts if part.number is not None}
    whole: list[str] = []
    before, line = "", 1
    for piece in pieces:
        if _is_cut_in_a_line(before) and line not in begins:
            whole[-1] += f" {piece}"
        else:
            whole.append(piece)
        before, line = piece, line + piece.count("\n") + 1
    return ("\n" if begins else "\n---\n").join(whole)


def _with_files(pieces: Sequence[str]) -> list[str]:
    """The messages, with those that only show files at the one before, or at the first."""
    found: list[str] = []
    ahead: list[str] = []
    for piece in pieces:
        text, media = take_out(piece, 1)
        if not media or text.strip():
            first, _, rest = piece.partition("\n")
            found.append("\n".join([first, *ahead, *([rest] if rest else [])]) if ahead else piece)
            ahead = []
        elif found:
            found[-1] += f"\n{piece}"
        else:
            ahead.append(piece)
    return found or (["\n".join(ahead)] if ahead else [])


def _is_cut_in_a_line(piece: str) -> bool:
    return len(piece) >= NEARLY and "\n" not in piece[CUT // 2 :]


@dataclass(frozen=True, slots=True)
class Draft:
    """What there is so far: texts by their messages, behind what was `written` on the page.

    `shown` is the message of ours that tells of it, None before there is one. `links` is how
    many addresses of linked words were written into it. `in_doubt`: its person was asked whether it shall
    be a thread at all.
    """

    messages: Mapping[int, str]
    channels: tuple[str, ...]
    shown: int | None
    links: int = 0
    in_doubt: bool = False
    written: str = ""

    @property
    def pieces(self) -> tuple[str, ...]:
        return ((self.written,) if self.written else ()) + tuple(self.messages.values())

    @property
    def last(self) -> int | None:
        """The newest of its messages."""
        return max(self.messages, default=None)

    @property
    def text(self) -> str:
        return join(self.pieces)


class Writer(Protocol):
    """Who writes, and where: `draft_key` names the one draft that they have there."""

    @property
    def draft_key(self) -> str: ...


def draft_key(actor: str) -> str:
    """Return where an actor of the audit log writes beside the groups: in their own chat, and on the page."""
    kind, _, number = actor.partition(":")
    return f"{number}:{number}" if kind == "telegram" else actor


class Drafts:
    """One draft for each person in each chat. All of it blocks: not for an event loop."""

    def __init__(self, notes: Notes, clock: Callable[[], datetime]) -> None:
        self._notes = notes
        self._clock = clock
        self._left: dict[str, int] = {}
        # A message that tells of a draft is noted while another thread may be dropping the draft.
        self._lock = Lock()

    def of(self, writer: Writer) -> Draft | None:
        """The draft, None where none is open."""
        lines = self._notes.read(_page(writer))
        if not lines:
            return None
        messages = {number: text for number, text in lines.items() if number > 0}
        shown = lines.get(_SHOWN)
        links = sum(int(text) for number, text in lines.items() if number < _LINKS)
        channels = tuple(lines.get(_CHANNELS, "").split())
        in_doubt, written = bool(lines.get(_DOUBT)), lines.get(_WRITTEN, "")
        return Draft(messages, channels, None if shown is None else int(shown), links, in_doubt, written)

    def open(self, writer: Writer, channels: Sequence[str]) -> None:
        """Begin one, for these channels or all; what is there stays."""
        self._write(writer, _OPEN, "")
        self._write(writer, _CHANNELS, " ".join(channels))

    def put(self, writer: Writer, message: int, text: str, links: int = 0) -> None:
        """Add a message, or what it was changed to; their order is that in which they were sent.

        `links` is how many addresses were written into it.
        """
        self._write(writer, message, text)
        if links or self.has(writer, _LINKS - message):
            self._write(writer, _LINKS - message, str(links))

    def doubt(self, writer: Writer, *, is_thread: bool) -> None:
        """Note whether it is still to be asked if this shall be a thread."""
        self._write(writer, _DOUBT, "" if is_thread else "asked")

    def has(self, writer: Writer, message: int) -> bool:
        return message in self._notes.read(_page(writer))

    def show(self, writer: Writer, message: int) -> bool:
        """Note the message of ours that tells of it; False where there is no draft any more."""
        with self._lock:
            if not self._notes.read(_page(writer)):
                return False
            self._write(writer, _SHOWN, str(message))
            return True

    def write(self, writer: Writer, text: str, channels: Sequence[str], *, seen: str) -> bool:
        """Put a text in the place of all that there is, whoever wrote it, and where; an empty one drops it.

        `seen` is the mark of what there was when the text was begun. False, and nothing is written, where
        there is something else by now.
        """
        with self._lock:
            draft = self.of(writer)
            if seen != mark(draft):
                return False
            if not text.strip() and (draft is None or not draft.pieces):
                return True  # what was opened stays so
            if text.strip():
                lines = {_WRITTEN: text, _CHANNELS: " ".join(channels)}
                if draft is not None and draft.shown is not None:
                    lines[_SHOWN] = str(draft.shown)
                self._notes.replace(_page(writer), lines, now=self._clock())
                return True
        self.drop(writer)
        return True

    def drop(self, writer: Writer) -> None:
        page = _page(writer)
        with self._lock:
            shown = self._notes.read(page).get(_SHOWN)
            if shown is not None:
                self._left[page] = int(shown)
            self._notes.forget(page)

    def left(self, writer: Writer) -> int | None:
        """The message that told of the draft dropped last, once: nobody needs it any more."""
        return self._left.pop(_page(writer), None)

    def _write(self, writer: Writer, line: int, text: str) -> None:
        self._notes.write(_page(writer), line, text, now=self._clock())


def _page(writer: Writer) -> str:
    return f"draft:{writer.draft_key}"


def mark(draft: Draft | None) -> str:
    """Return what tells a draft from what becomes of it."""
    return sha256("\0".join(draft.pieces if draft else ()).encode()).hexdigest()[:16]
