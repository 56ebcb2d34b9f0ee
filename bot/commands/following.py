"""`--follow`: stay while a thread is published."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from threadcast.bot.shell import Exit, Office

if TYPE_CHECKING:
    from threadcast.queue.store import Delivery


def stay(office: Office, deliveries: "Sequence[Delivery]", *, as_json: bool) -> None:
    """Show how these go on until none of them does; exit with NOT_ALLOWED where one is not published.

    What came to an end before is only looked at where there is nothing else.
    """
    from threadcast.bot import as_json as answers
    from threadcast.bot import views, wake
    from threadcast.bot.desk import ENDED
    from threadcast.bot.follow import INTERVAL, STILL, Watch, follow
    from threadcast.queue.states import DeliveryState

    mine = [one for one in deliveries if one.state not in ENDED] or deliveries
    if any(one.state not in STILL for one in mine) and not wake.knock(office.settings.data):
        click.echo(
            "No service is running here; start it in another terminal with: threadcast run. Waiting …",
            err=True,
        )
    watch = Watch(office.screen)
    if as_json:
        ended = follow(office.store, mine, lambda _: None, lambda: time.sleep(INTERVAL))
        office.screen.json(answers.deliveries(ended))
    else:
        with watch.shown():
            ended = follow(office.store, mine, watch.see, lambda: time.sleep(INTERVAL))
        for delivery in ended:
            views.outcome(office.screen, delivery)
    if any(delivery.state is not DeliveryState.PUBLISHED for delivery in ended):
        click.get_current_context().exit(Exit.NOT_ALLOWED)
