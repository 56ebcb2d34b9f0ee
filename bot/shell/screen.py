"""A screen: a terminal or a pipe, and what may be written on it.

Text that came from outside is shown without control characters, so that a thread cannot drive the
terminal it is listed on.
"""

import sys
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from pydantic_core import to_json
from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from threadcast.bot.languages import N_, _, translated
from threadcast.bot.plain import plain
from threadcast.queue.states import DeliveryState, PostState

_COLOURED: dict[str, tuple[str, ...]] = {
    "green": (DeliveryState.PUBLISHED, PostState.SENT, "ok"),
    "cyan": (DeliveryState.QUEUED,),
    "blue": (DeliveryState.PUBLISHING, PostState.SENDING),
    "yellow": (DeliveryState.HELD, "stopping", "stopped", "warning"),
    "bold magenta": (DeliveryState.UNSURE, PostState.UNKNOWN),
    "bold red": (DeliveryState.FAILED, PostState.REFUSED, "error"),
    "dim": (DeliveryState.CANCELLED, DeliveryState.WITHDRAWN, PostState.PLANNED),
}
COLOURS = {name: colour for colour, names in _COLOURED.items() for name in names}
WIDE = 10_000  # columns; a pipe has no edge to wrap at
GAP = 2  # columns between two of a table
NO_CROP: Mapping[str, int] = MappingProxyType({})
NUMBERS = frozenset({"id", "posts", "post", "length"})
# Of posts; those of deliveries are in `wording`.
STATES = (
    *(N_("planned"), N_("sending"), N_("sent"), N_("unknown"), N_("refused")),
    *(N_("ok"), N_("error"), N_("warning"), N_("info")),
)


def safe(text: str) -> str:
    """Text for one line of a terminal: nothing in it can drive the terminal or be read as markup.

    A sentence that is data is said in the language of who reads it.
    """
    return escape(plain(translated(text)))


class Screen:
    """Where answers go. Coloured and as wide as the window on a terminal, plain in a pipe.

    `NO_COLOR` in the environment takes the colours away (https://no-color.org).
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        terminal = sys.stdout.isatty()
        self.console = _Console(width=None if terminal else WIDE, highlight=False, emoji=False)

    def say(self, line: str = "", *, whole: bool = False) -> None:
        """One line; markup is the caller's, what came from outside must be `safe`.

        Wrapped between words on a terminal, unless it holds a word that does not fit: an address that
        is to be copied must not be broken. Nor must one with blanks in it: it is said `whole`.
        """
        text = Text.from_markup(line, emoji=False)
        widest = max((cell_len(word) for word in text.plain.split()), default=0)
        self.console.print(text, soft_wrap=whole or widest > self.console.width)

    def json(self, value: object) -> None:
        """Write a model, or a dictionary, as JSON, for scripts."""
        sys.stdout.write(to_json(value, indent=2).decode() + "\n")

    def when(self, moment: datetime | None) -> str:
        """A moment in the owner's time zone, to the second."""
        if moment is None:
            return "-"
        return moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M:%S %Z")

    def minute(self, moment: datetime | None) -> str:
        """A moment in the owner's time zone, to the minute."""
        return "-" if moment is None else moment.astimezone(self._zone).strftime("%Y-%m-%d %H:%M %Z")

    def table(
        self, head: Sequence[str], rows: Iterable[Sequence[str]], *, crop: Mapping[str, int] = NO_CROP
    ) -> None:
        """Rows under headings, which are marked sentences. Cells are markup: `safe` or `state` made them.

        On a terminal that is too narrow for them, the columns of `crop` are cut, the first one first and
        none to less than so many cells; where that is not enough, each row stands on lines of its own.
        """
        cells = [tuple(row) for row in rows]
        titles = [_(name) for name in head]
        widths = [max(map(self._width, column)) for column in zip(titles, *cells, strict=True)]
        room = self.console.width - GAP * (len(head) - 1)
        for name, least in crop.items():
            column = head.index(name)
            spare = max(widths[column] - least, 0)
            widths[column] -= min(max(sum(widths) - room, 0), spare)
        if sum(widths) > room:
            self._stack(titles, cells)
            return
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        for name, title, width in zip(head, titles, widths, strict=True):
            side: JustifyMethod = "right" if name in NUMBERS else "left"
            table.add_column(title, justify=side, no_wrap=True, width=width)
        for row in cells:
            table.add_row(*row)
        if self.console.is_terminal:
            self.console.print(table)
            return
        with self.console.capture() as capture:
            self.console.print(table)
        sys.stdout.write("".join(line.rstrip() + "\n" for line in capture.get().splitlines()))

    def _stack(self, head: Sequence[str], rows: Sequence[tuple[str, ...]]) -> None:
        """Of each row what fits on one line, and the rest below it, with its headings."""
        for row in rows:
            room = self.console.width - self._width(row[0])
            line = [f"[bold]{row[0]}[/]"]
            below = deque(zip(head[1:], row[1:], strict=True))
            while below and (room := room - GAP - self._width(below[0][1])) >= 0:
                line.append(below.popleft()[1])
            self.say((" " * GAP).join(line))
            for name, cell in below:
                if cell not in {"", "-"}:
                    self._say_below(f"[dim]{name}[/] {cell}")

    def _say_below(self, line: str) -> None:
        """A line set in; an address that is too long for it must not be broken, or nobody could copy it."""
        text = Text.from_markup(line, emoji=False)
        widest = max(map(cell_len, text.plain.split()))
        if widest > self.console.width - GAP:
            self.console.print(Text(" " * GAP).append_text(text), soft_wrap=True)
        else:
            self.console.print(Padding(text, (0, 0, 0, GAP), expand=False))

    def _width(self, cell: str) -> int:
        return Text.from_markup(cell, emoji=False).cell_len


class _Console(Console):
    """Rich's console; where the reader of a pipe has gone away it says so, and does not exit by itself."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def state(value: str) -> str:
    """A state's name in its colour."""
    colour = COLOURS.get(value, "default")
    return f"[{colour}]{_(value)}[/]"
