"""A thread of two posts, published where everything was set up, and taken down again."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from threadcast.bot.channels.build import build_paces, open_channels
from threadcast.bot.channels.port import Channel, now
from threadcast.bot.channels.stored import in_use
from threadcast.bot.data_folder import looked_at, only_one, open_queue
from threadcast.bot.languages import N_, _
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.publishing.takedown import Undoing
from threadcast.bot.requests.input import understand
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.bot.shell.context import actor, paused
from threadcast.bot.shell.screen import Screen, safe, state
from threadcast.config.settings import Settings
from threadcast.queue.errors import NotAllowedError
from threadcast.queue.states import LIVE, DeliveryState, Event
from threadcast.queue.store.database import Database

TEXT: Final = (
    N_("This is a test: Threadcast was set up here. It goes away again in a moment."),
    N_("And this is the second post, a reply to the first."),
)


async def try_out(settings: Settings, screen: Screen) -> bool:
    """Publish the test thread on every channel, and take it down; whether both came to their end.

    Begun once, it is gone on with. Where other threads wait, nothing is published: they would go out first.
    Raises StoreError, AlreadyRunningError, NotAllowedError.
    """
    with only_one(settings):
        async with open_queue(settings) as database:
            settings = in_use(settings, database.notes)
            async with open_channels(settings, database) as channels:
                requests = build_requests(settings, database, channels, actor=actor())
                return await _try(requests, settings, database, channels, screen)


async def _try(
    requests: Requests, settings: Settings, database: Database, channels: Sequence[Channel], screen: Screen
) -> bool:
    thread = await asyncio.to_thread(_queued, requests)
    if thread is None:
        screen.say(
            _("No test: other threads wait, which would go out before it. See: {command}").format(
                command="threadcast queue"
            )
        )
        return True
    try:
        paces = build_paces(settings, channels, database)
        for one in channels:
            await _publish(
                Publisher(database, one, worker=actor(), clock=now, stop=Stop(), pace=paces[one.name])
            )
        published = await asyncio.to_thread(_told, requests, thread, screen)
        gone = await _take_down(requests, thread, screen)
    except BaseException:
        said = _("The test thread may still be out. To take it down: {command}")
        screen.say(said.format(command=f"threadcast undo {thread}"))
        raise
    return published and gone


def _queued(requests: Requests) -> int | None:
    """Queue the test thread, or find it where it was begun; None where something else waits."""
    first, second = map(_, TEXT)
    text = f"1/2 {first}\n2/2 {second} /end\n"
    (receipt,) = requests.threads.add([understand("setup", text.encode())], approved=True)
    thread = receipt.added.thread_id or receipt.added.duplicates[0].existing.thread_id
    if any(one.thread_id != thread for one in requests.queries.deliveries(LIVE)):
        if receipt.added.thread_id is not None:
            requests.threads.remove(thread)
        return None
    return thread


async def _publish(publisher: Publisher) -> None:
    """Publish what is queued on a channel, whatever its schedule says, until nothing is left to do."""
    while (came := await publisher.publish()) is not None:
        if isinstance(came, datetime):
            await paused(came)
        elif came.state is DeliveryState.UNSURE:
            return


def _told(requests: Requests, thread: int, screen: Screen) -> bool:
    """Say how the thread stands on each channel; whether it is out on all."""
    chains = requests.queries.show(thread).chains
    for chain in chains:
        one = chain.delivery
        said = f"{safe(one.channel)}: {state(one.state)} {one.sent}/{one.posts} {safe(one.reason)}"
        screen.say(said.rstrip())
        for post in chain.posts:
            if post.url:
                screen.say(f"  {safe(post.url)}", whole=True)
    return all(chain.delivery.state is DeliveryState.PUBLISHED for chain in chains)


async def _take_down(requests: Requests, thread: int, screen: Screen) -> bool:
    """Take down what is out, and let nothing of it wait; whether all is gone."""

    def see(one: Undoing) -> None:
        if one.gone == one.out:
            said = _("{channel}: {gone}/{out} taken down")
            screen.say(said.format(channel=safe(one.delivery.channel), gone=one.gone, out=one.out))

    undone: tuple[Undoing, ...] = ()
    with suppress(NotAllowedError):  # nothing was sent
        undone = await requests.chains.undo(thread, see=see, pause=paused)
    with suppress(NotAllowedError):  # nothing waits
        requests.changes.apply(thread, Event.CANCEL)
    for one in undone:
        for left in one.left:
            said = _("{channel}: post {position} stays: {reason}")
            where = safe(one.delivery.channel)
            screen.say(said.format(channel=where, position=left.position, reason=safe(left.reason)))
    return all(one.gone == one.out for one in undone)


def channels_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of the channels that somebody set up."""
    with looked_at(settings) as database:
        found = in_use(settings, database.notes)
    return tuple(one.name for one in found.channels) if found.has_channels else ()
