"""`--follow`: stay while a thread is published, by whichever service, and look into the queue."""

import signal
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click
from rich.table import Column

from threadcast.bot.languages import _
from threadcast.bot.shell import views
from threadcast.bot.shell.context import Session
from threadcast.bot.shell.exits import Exit
from threadcast.bot.shell.screen import Screen, safe, state
from threadcast.bot.wording import stands
from threadcast.queue.model import Delivery
from threadcast.queue.states import OVER, DeliveryState
from threadcast.queue.store.database import Database

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

INTERVAL = 0.3  # seconds between two looks: soon enough for an eye, and no load for a database
# Nothing goes on from here unless a person does something.
STILL = OVER | {DeliveryState.HELD}


def stay(session: Session, deliveries: Sequence[Delivery]) -> None:
    """Show how these go on until none of them does; exit with NOT_ALLOWED where one is not published.

    What came to an end before is only looked at where there is nothing else.
    """
    mine = [one for one in deliveries if one.state not in OVER] or deliveries
    if any(one.state not in STILL for one in mine) and not session.wake():
        click.echo(
            _("No service is running here; start it in another terminal with: threadcast run. Waiting …"),
            err=True,
        )
    try:
        ended = _follow(session, mine)
    except KeyboardInterrupt:
        numbers = ", ".join(f"#{number}" for number in dict.fromkeys(one.thread_id for one in mine))
        said = _("Nothing was stopped: {numbers} goes on without you. See: threadcast queue")
        click.echo("\n" + said.format(numbers=numbers), err=True)
        raise
    if session.as_json:
        from threadcast.bot import models  # noqa: PLC0415  # only for JSON

        session.screen.json({"deliveries": models.many(models.Delivery, ended)})
    else:
        for delivery in ended:
            views.outcome(session.screen, delivery)
    if any(delivery.state is not DeliveryState.PUBLISHED for delivery in ended):
        click.get_current_context().exit(Exit.NOT_ALLOWED)


def _follow(session: Session, deliveries: Sequence[Delivery]) -> tuple[Delivery, ...]:
    if session.as_json:
        with until_interrupted(INTERVAL) as pause:
            return follow(session.database, deliveries, lambda _: None, pause)
    watch = Watch(session.screen)
    with until_interrupted(INTERVAL) as pause, watch.shown():
        return follow(session.database, deliveries, watch.see, pause)


def follow(
    database: Database,
    deliveries: Collection[Delivery],
    see: Callable[[Delivery], None],
    pause: Callable[[], object],
) -> tuple[Delivery, ...]:
    """Show these deliveries to `see` at first and whenever they change, until none of them goes on.

    `pause` lets time pass between two looks. Return them as they stood at the end. Raises StoreError.
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


@contextmanager
def until_interrupted(seconds: float) -> Iterator[Callable[[], None]]:
    """Give a pause of so many seconds, behind which KeyboardInterrupt is raised if Ctrl-C was pressed.

    Raised at once it could fall into a finalizer, where Python drops it, and the key would have done nothing.
    """
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True

    def pause() -> None:
        time.sleep(seconds)
        if pressed:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pause
    finally:
        signal.signal(signal.SIGINT, before)


class Watch:
    """Shows how deliveries go on: a bar for each on a terminal, lines in a pipe.

    In a pipe there is a line for each step, or with `ends_only` one when a chain ends.
    """

    def __init__(self, screen: Screen, *, ends_only: bool = False) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn  # noqa: PLC0415  # few follow

        self._screen = screen
        self._ends_only = ends_only
        self._lines: dict[int, str] = {}
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

    def shown(self) -> "Progress":
        """Keep the progress on the screen while this is open."""
        return self._bars

    def see(self, delivery: Delivery) -> None:
        """Show a delivery that went on."""
        title = f"{delivery.channel}: {safe(delivery.title)}"
        if self._bars.disable:
            line = f"{state(stands(delivery))} {views.progress(delivery)} {title}"
            if self._lines.get(delivery.id) != line and (delivery.state in OVER or not self._ends_only):
                self._screen.say(line)
            self._lines[delivery.id] = line
            return
        if delivery.id not in self._tasks:
            self._tasks[delivery.id] = self._bars.add_task(title, total=None, state="")
        self._bars.update(
            self._tasks[delivery.id],
            completed=delivery.sent,
            total=delivery.posts or None,
            state=state(stands(delivery)),
        )
