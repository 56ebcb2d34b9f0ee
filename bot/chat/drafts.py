"""What a person is pasting, message by message, until they say that it is all; and what became of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from threading import Lock

from threadcast.bot.chat.access import Sender
from threadcast.queue.store.notes import Notes
from threadcast.queue.text.markers import has_end_mark, is_only_end_marks
from threadcast.queue.text.media import take_out
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import NoticeKind, Thread

KEPT = timedelta(days=30)  # since its last message

# A client cuts what is pasted into messages of this many characters at the most: at the end of a line, where
# the second half of a message has one, else at a blank.
CUT = 4096
NEARLY = CUT - 100

REMEMBERED = 1000  # messages of a chat of which it is known what they were pasted for: the newest

# Lines of a draft's page that are no message of a person's: messages have positive ids.
_CHANNELS, _SHOWN, _OPEN, _DOUBT = -1, -2, -3, -4
_LINKS = -10  # and below: how many addresses were written into the message of that id
_THREADS = 0  # of a source's page


SHORT = 500  # characters: what is longer is pasted, not said
FEW = 3  # words: nobody begins a thread with so few


class Heard(Enum):
    """What a message may be: a piece of a thread, one perhaps, the end of what was pasted, or talk."""

    PIECE = 0
    PERHAPS = 1
    END = 2
    TALK = 3


def listen(text: str, draft: "Draft | None", *, forwarded: bool) -> Heard:
    """Return what a message is, by itself and behind what was pasted before."""
    pieces = () if draft is None else draft.pieces
    threads = parse(join((*pieces, text)))
    numbered = [one for one in threads if any(part.number is not None for part in one.parts)]
    if pieces and is_only_end_marks(text.strip()) and not numbered:
        return Heard.END
    if numbered or forwarded or len(text) > SHORT or (draft is not None and not draft.in_doubt):
        return Heard.PIECE
    if any(len(one.parts) > 1 for one in parse(text)):
        return Heard.PIECE
    is_question = text.rstrip().endswith("?") and "\n" not in text.strip()
    return Heard.TALK if is_question or len(text.split()) <= FEW else Heard.PERHAPS


def is_whole(draft: "Draft | None") -> bool:
    """Whether what was pasted has come to its end: the last thread has numbers, and an end mark."""
    threads = () if draft is None else parse(draft.text)
    return bool(threads) and has_end(threads[-1])


def has_end(thread: Thread) -> bool:
    """Whether a thread has numbers, and an end mark in its last part."""
    last = thread.parts[-1]
    if last.number is None or has_end_mark(last.text, last.number):
        return last.number is not None
    return len(thread.parts) > 1 and all(one.kind is not NoticeKind.NO_END_MARK for one in thread.notices)


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
    """What there is so far: texts by their messages.

    `shown` is the message of ours that tells of it, None before there is one. `links` is how
    many addresses of linked words were written into it. `in_doubt`: its person was asked whether it shall
    be a thread at all.
    """

    messages: Mapping[int, str]
    channels: tuple[str, ...]
    shown: int | None
    links: int = 0
    in_doubt: bool = False

    @property
    def pieces(self) -> tuple[str, ...]:
        return tuple(self.messages.values())

    @property
    def last(self) -> int | None:
        """The newest of its messages."""
        return max(self.messages, default=None)

    @property
    def text(self) -> str:
        return join(self.pieces)


class Drafts:
    """One draft for each person in each chat. All of it blocks: not for an event loop."""

    def __init__(self, notes: Notes, clock: Callable[[], datetime]) -> None:
        self._notes = notes
        self._clock = clock
        self._left: dict[str, int] = {}
        # A message that tells of a draft is noted while another thread may be dropping the draft.
        self._lock = Lock()

    def of(self, sender: Sender) -> Draft | None:
        """The draft, None where none is open."""
        lines = self._notes.read(_page(sender))
        if not lines:
            return None
        messages = {number: text for number, text in lines.items() if number > 0}
        shown = lines.get(_SHOWN)
        links = sum(int(text) for number, text in lines.items() if number < _LINKS)
        channels = tuple(lines.get(_CHANNELS, "").split())
        in_doubt = bool(lines.get(_DOUBT))
        return Draft(messages, channels, None if shown is None else int(shown), links, in_doubt)

    def open(self, sender: Sender, channels: Sequence[str]) -> None:
        """Begin one, for these channels or all; what is there stays."""
        self._write(sender, _OPEN, "")
        self._write(sender, _CHANNELS, " ".join(channels))

    def put(self, sender: Sender, message: int, text: str, links: int = 0) -> None:
        """Add a message, or what it was changed to; their order is that in which they were sent.

        `links` is how many addresses were written into it.
        """
        self._write(sender, message, text)
        if links or self.has(sender, _LINKS - message):
            self._write(sender, _LINKS - message, str(links))

    def doubt(self, sender: Sender, *, is_thread: bool) -> None:
        """Note whether it is still to be asked if this shall be a thread."""
        self._write(sender, _DOUBT, "" if is_thread else "asked")

    def has(self, sender: Sender, message: int) -> bool:
        return message in self._notes.read(_page(sender))

    def show(self, sender: Sender, message: int) -> bool:
        """Note the message of ours that tells of it; False where there is no draft any more."""
        with self._lock:
            if not self._notes.read(_page(sender)):
                return False
            self._write(sender, _SHOWN, str(message))
            return True

    def drop(self, sender: Sender) -> None:
        page = _page(sender)
        with self._lock:
            shown = self._notes.read(page).get(_SHOWN)
            if shown is not None:
                self._left[page] = int(shown)
            self._notes.forget(page)

    def left(self, sender: Sender) -> int | None:
        """The message that told of the draft dropped last, once: nobody needs it any more."""
        return self._left.pop(_page(sender), None)

    def _write(self, sender: Sender, line: int, text: str) -> None:
        self._notes.write(_page(sender), line, text, now=self._clock())


def _page(sender: Sender) -> str:
    return f"draft:{sender.chat}:{sender.person}"


@dataclass(frozen=True, slots=True)
class Source:
    """The messages in which threads were pasted, and these threads in order, 0 for one that was not new."""

    messages: Mapping[int, str]
    threads: tuple[int, ...]

    @property
    def first(self) -> int:
        return min(self.messages)


class Sources:
    """Which message was pasted for which threads. All of it blocks: not for an event loop."""

    def __init__(self, notes: Notes, clock: Callable[[], datetime]) -> None:
        self._notes = notes
        self._clock = clock

    def note(self, chat: int, messages: Mapping[int, str], threads: Sequence[int]) -> None:
        """These messages became these threads."""
        source = Source(messages, tuple(threads))
        self._write(_source(chat, source.first), _THREADS, " ".join(map(str, threads)))
        for message, text in messages.items():
            self.put(chat, source, message, text)
            self._write(_sources(chat), message % REMEMBERED, f"{message} {source.first}")

    def of(self, chat: int, message: int) -> Source | None:
        """What a message was pasted for, None where that is not known."""
        number, _, first = self._notes.read(_sources(chat)).get(message % REMEMBERED, "").partition(" ")
        lines = self._notes.read(_source(chat, int(first))) if number == str(message) else {}
        messages = {number: text for number, text in lines.items() if number > 0}
        if message not in messages:
            return None
        return Source(messages, tuple(map(int, lines[_THREADS].split())))

    def newest(self, chat: int) -> int | None:
        """The first thread of what was pasted last; None where nothing was, or it was not new."""
        pairs = [text.split() for text in self._notes.read(_sources(chat)).values()]
        last = max(pairs, key=lambda pair: int(pair[0]), default=None)
        source = last and self.of(chat, int(last[0]))
        return next(filter(None, source.threads), None) if source else None

    def put(self, chat: int, source: Source, message: int, text: str) -> None:
        """A message of it was changed."""
        self._write(_source(chat, source.first), message, text)

    def _write(self, page: str, line: int, text: str) -> None:
        self._notes.write(page, line, text, now=self._clock())


def _sources(chat: int) -> str:
    return f"source:{chat}"


def _source(chat: int, first: int) -> str:
    return f"source:{chat}:{first}"
