"""`--follow`: stay while a thread is published."""

import os
import select
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from threadcast.bot.shell.context import Exit, Office

if TYPE_CHECKING:
    from threadcast.queue.model import Delivery


def stay(office: Office, deliveries: "Sequence[Delivery]", *, as_json: bool) -> None:
    """Show how these go on until none of them does; exit with NOT_ALLOWED where one is not published.

    What came to an end before is only looked at where there is nothing else.
    """
    from threadcast.bot import wake
    from threadcast.bot.requests.queries import ENDED
    from threadcast.bot.shell import as_json as answers
    from threadcast.bot.shell import views
    from threadcast.bot.shell.follow import INTERVAL, STILL, Watch, follow
    from threadcast.queue.states import DeliveryState

    mine = [one for one in deliveries if one.state not in ENDED] or deliveries
    if any(one.state not in STILL for one in mine) and not wake.knock(office.settings.data):
        click.echo(
            "No service is running here; start it in another terminal with: threadcast run. Waiting …",
            err=True,
        )
    watch = Watch(office.screen)
    if as_json:
        with until_interrupted(INTERVAL) as pause:
            ended = follow(office.database, mine, lambda _: None, pause)
        office.screen.json(answers.deliveries(ended))
    else:
        with until_interrupted(INTERVAL) as pause, watch.shown():
            ended = follow(office.database, mine, watch.see, pause)
        for delivery in ended:
            views.outcome(office.screen, delivery)
    if any(delivery.state is not DeliveryState.PUBLISHED for delivery in ended):
        click.get_current_context().exit(Exit.NOT_ALLOWED)


@contextmanager
def until_interrupted(seconds: float) -> Iterator[Callable[[], None]]:
    """A pause of so many seconds, which raises KeyboardInterrupt once Ctrl-C was pressed, whenever it was.

    Raised at once it could fall into a finalizer, where Python drops it, and the key would have done nothing.
    """
    # No lock of Python's: the handler runs in the thread that waits, and would wait for itself where the key
    # falls into the moment in which that one holds it.
    pressed, press = os.pipe()
    os.set_blocking(press, False)

    def note(*_: object) -> None:
        with suppress(BlockingIOError):  # so many are noted already that one more says nothing
            os.write(press, b"^C")

    def pause() -> None:
        if select.select([pressed], [], [], seconds)[0]:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pause
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(press)
        os.close(pressed)
