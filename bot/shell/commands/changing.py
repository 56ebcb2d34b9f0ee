"""Changing what is queued: `publish`, `hold`, `release`, `cancel`, `retry`, `settle` and their like."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from threadcast.bot.shell.context import CHANNEL, JSON, Office, acting, opened, thread_argument

if TYPE_CHECKING:
    from threadcast.bot.shell.views import Foreseen
    from threadcast.queue.model import Delivery


def answer(office: Office, deliveries: "Sequence[Delivery]", *, as_json: bool) -> None:
    """Say what was changed, and what happens next."""
    from threadcast.bot import wake
    from threadcast.bot.service import now
    from threadcast.bot.shell import as_json as answers
    from threadcast.bot.shell import views

    if as_json:
        office.screen.json(answers.deliveries(deliveries))
    else:
        running = wake.knock(office.settings.data)
        views.changed(office.screen, deliveries, foreseen(office, deliveries), now(), running=running)


def foreseen(office: Office, deliveries: "Sequence[Delivery]") -> "Foreseen":
    """When what is queued will start; the whole queue is looked through only where that is the question."""
    from threadcast.queue.states import DeliveryState

    if all(one.state is not DeliveryState.QUEUED for one in deliveries):
        return {}
    return {one.delivery.id: one for one in office.requests.queries.forecast()}


def changing(event: str, about: str, more: str, *examples: str) -> click.Command:
    """The command for one event a person can cause; it has the event's name."""

    def command(thread_id: int, channels: tuple[str, ...], as_json: bool) -> None:
        from threadcast.queue.states import Event

        with opened() as office:
            changed = office.requests.changes.apply(thread_id, Event(event), channels=channels)
            answer(office, changed, as_json=as_json)

    shown = "\n".join(f"  threadcast {event} {words}" for words in examples)
    command.__doc__ = f"{about}\n\n{more}\n\n\b\nExamples:\n{shown}\n"
    return click.command(event)(thread_argument(event)(CHANNEL(JSON(command))))


hold = changing(
    "hold", "Keep a queued thread back.", "It waits until `threadcast release`.", "7", "7 --channel news"
)
release = changing(
    "release", "Let a held thread go.", "It is published in its turn.", "7", "7 --channel news"
)
cancel = changing(
    "cancel", "Take a thread out of the queue for good.", "What is out stays out.", "7", "7 --channel news"
)


@click.command()
@thread_argument("retry")
@CHANNEL
@click.option(
    "--mend", is_flag=True, help="Behind the last post that still exists, where one was deleted by hand."
)
@JSON
def retry(thread_id: int, channels: tuple[str, ...], mend: bool, as_json: bool) -> None:
    """Go on with a stopped thread.

    It goes on from the post that was refused.

    \b
    Examples:
      threadcast retry 7
      threadcast retry 7 --mend --channel news
    """
    from threadcast.queue.states import Event

    with opened() as office:
        if mend:
            changed = asyncio.run(_mend(office, thread_id, channels))
        else:
            changed = office.requests.changes.apply(thread_id, Event.RETRY, channels=channels)
        answer(office, changed, as_json=as_json)


async def _mend(office: Office, thread_id: int, channels: tuple[str, ...]) -> "tuple[Delivery, ...]":
    async with acting(office) as requests:
        return await requests.chains.mend(thread_id, channels=channels)


@click.command()
@thread_argument("settle")
@click.argument("verdict", type=click.Choice(["sent", "not-sent"]))
@click.argument("address", required=False, metavar="[URL]")
@CHANNEL
@JSON
def settle(
    thread_id: int, verdict: str, address: str | None, channels: tuple[str, ...], as_json: bool
) -> None:
    """Say whether a doubtful post is out.

    The last post of an unsure thread; then the rest goes on.

    \b
    Examples:
      threadcast settle 7 sent https://social.example/@me/113
      threadcast settle 7 not-sent
    """
    from threadcast.bot.requests.input import post_at

    if (verdict == "sent") != (address is not None):
        raise click.UsageError("give the post's address after `sent`, and none after `not-sent`")
    with opened() as office:
        sent = None if address is None else post_at(address)
        answer(office, [office.requests.changes.settle(thread_id, sent, channels=channels)], as_json=as_json)


COMMANDS: tuple[click.Command, ...] = (hold, release, cancel, retry, settle)
