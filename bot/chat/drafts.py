"""What a message in the chat is, beside what was pasted before; and what became of pasted messages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from threadcast.bot.requests.drafting.drafts import Draft, join
from threadcast.queue.store.notes import Notes
from threadcast.queue.text.markers import has_end_mark, is_only_end_marks
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import NoticeKind, Thread

REMEMBERED = 1000  # messages of a chat of which it is known what they were pasted for: the newest
_THREADS = 0  # of a source's page

SHORT = 500  # characters: what is longer is pasted, not said
FEW = 3  # words: nobody begins a thread with so few


class Heard(Enum):
    """What a message may be: a piece of a thread, one perhaps, the end of what was pasted, or talk."""

    PIECE = 0
    PERHAPS = 1
    END = 2
    TALK = 3


def listen(text: str, draft: Draft | None, *, forwarded: bool) -> Heard:
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


def is_whole(draft: Draft | None) -> bool:
    """Whether what was pasted has come to its end: the last thread has numbers, and an end mark."""
    threads = () if draft is None else parse(draft.text)
    return bool(threads) and has_end(threads[-1])


def has_end(thread: Thread) -> bool:
    """Whether a thread has numbers, and an end mark in its last part."""
    last = thread.parts[-1]
    if last.number is None or has_end_mark(last.text, last.number):
        return last.number is not None
    return len(thread.parts) > 1 and all(one.kind is not NoticeKind.NO_END_MARK for one in thread.notices)


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
