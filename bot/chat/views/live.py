"""Which messages go on to show a thread, and which are being answered just now. Pure."""

from collections.abc import Iterator

MOST = 20  # messages that are kept up to date

Message = tuple[int, int]  # its chat and its id


class LiveMessages:
    """Messages by chat and id, each with its thread, and how far that was when it was last shown."""

    def __init__(self) -> None:
        self._shown: dict[Message, tuple[int, str]] = {}
        self._answering: dict[Message, int | None] = {}  # with a thread that was not told of meanwhile

    def watch(self, message: Message, thread: int, progress: str) -> None:
        """Keep it up to date, from this progress on."""
        self._shown[message] = (thread, progress)
        while len(self._shown) > MOST:
            del self._shown[next(iter(self._shown))]

    def stale(self, thread: int, progress: str) -> Iterator[Message]:
        """Those that show less than this of the thread. They are taken to show it from now on."""
        for message in list(self._shown):
            # What was said in it while the one before was changed is newer.
            shown, before = self._shown.get(message, (None, ""))
            if shown == thread and before != progress and message not in self._answering:
                self._shown[message] = (thread, progress)
                yield message

    def forget(self, thread: int) -> None:
        self._shown = {message: one for message, one in self._shown.items() if one[0] != thread}

    def begin(self, message: Message) -> None:
        """A press in it is answered: what the answer says is not to be wiped away."""
        self._answering[message] = None

    def is_left_alone(self, message: Message, thread: int) -> bool:
        """Whether it is being answered; then what there was to tell of the thread is told afterwards."""
        if message not in self._answering:
            return False
        self._answering[message] = thread
        return True

    def end(self, message: Message) -> tuple[int | None, int | None]:
        """The answer is said: the thread that it shows now, or else the one that is still to be told of."""
        untold = self._answering.pop(message, None)
        if message in self._shown:
            return self._shown[message][0], None
        return None, untold
