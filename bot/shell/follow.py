"""How deliveries go on, seen from outside: by looking into the queue, whoever works on it."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Column

from threadcast.bot.requests.queries import ENDED
from threadcast.bot.shell.screen import Screen, safe, state
from threadcast.queue.model import Delivery
from threadcast.queue.states import DeliveryState
from threadcast.queue.store.database import Database

INTERVAL = 0.3  # seconds between two looks: soon enough for an eye, and no load for a database
# Nothing goes on from here unless a person does something.
STILL = ENDED | {DeliveryState.HELD}


def follow(
    database: Database,
    deliveries: Collection[Delivery],
    see: Callable[[Delivery], None],
    pause: Callable[[], object],
) -> tuple[Delivery, ...]:
    """Show these deliveries to `see` at first and whenever they change, until none of them goes on.

    `pause` lets time pass between two looks. Gives them as they stood at the end. Raises StoreError.
    """
    before: dict[int, Delivery] = {}
    while True:
        now = {delivery.id: database.reading.delivery(delivery.id) for delivery in deliveries}
        for number, delivery in now.items():
            if before.get(number) != delivery:
                see(delivery)
        if all(delivery.state in STILL for delivery in now.values()):
            return tuple(now.values())
        before = now
        pause()


class Watch:
    """Shows how deliveries go on: a bar for each on a terminal, lines in a pipe.

    In a pipe there is a line for each step, or with `ends_only` one when a chain ends.
    """

    def __init__(self, screen: Screen, *, ends_only: bool = False) -> None:
        self._screen = screen
        self._ends_only = ends_only
        self._said: dict[int, str] = {}
        self._tasks: dict[int, TaskID] = {}
        self._bars = Progress(
            TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}"),
            console=screen.console,
            expand=True,
            disable=not screen.console.is_terminal,
        )

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While this is open the progress is on the screen."""
        with self._bars:
            yield

    def see(self, delivery: Delivery) -> None:
        """One delivery went on."""
        title = f"{delivery.channel}: {safe(delivery.title)}"
        if self._bars.disable:
            line = f"{state(delivery.state)} {progress(delivery)} {title}"
            if self._said.get(delivery.id) != line and (delivery.state in ENDED or not self._ends_only):
                self._screen.say(line)
            self._said[delivery.id] = line
            return
        if delivery.id not in self._tasks:
            self._tasks[delivery.id] = self._bars.add_task(title, total=None, state="")
        self._bars.update(
            self._tasks[delivery.id],
            completed=delivery.sent,
            total=delivery.posts or None,
            state=state(delivery.state),
        )


def progress(delivery: Delivery) -> str:
    """How many posts are out, of how many."""
    return f"{delivery.sent}/{delivery.posts}" if delivery.posts else "-"
