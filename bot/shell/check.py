"""`threadcast check`: is everything there that publishing needs? Looks, and changes nothing."""

import asyncio
from collections import Counter
from contextlib import ExitStack, closing

from threadcast.bot.channels.port import Channel, Finding
from threadcast.bot.data_folder import prepare
from threadcast.bot.requests.queries import WAITING
from threadcast.bot.service import open_channels
from threadcast.config.settings import Settings
from threadcast.queue.model import StoreError
from threadcast.queue.store.copies import require_sound
from threadcast.queue.store.database import Database
from threadcast.queue.store.durability import doubts

Findings = list[tuple[str, Finding]]


async def examine(settings: Settings) -> Findings:
    """Findings in the order of looking, each with what it is about. Channels are asked side by side."""
    findings: Findings = [("settings", Finding("ok", _configured(settings)))]
    findings.extend(("queue", finding) for finding in await asyncio.to_thread(_examine_queue, settings))
    with ExitStack() as stack:
        database = await asyncio.to_thread(_queue, settings)
        if database is not None:
            stack.enter_context(closing(database))
        findings += await _examine_channels(settings, database)
    findings += await _examine_chat(settings)
    return findings


def _queue(settings: Settings) -> Database | None:
    """The queue, for what it knows of the channels; None where it cannot be used."""
    try:
        return prepare(settings)
    except StoreError:
        return None


async def _examine_channels(settings: Settings, database: Database | None) -> Findings:
    findings: Findings = []
    async with open_channels(settings, database) as channels:
        for channel, found in zip(
            channels, await asyncio.gather(*(_examine_channel(channel) for channel in channels)), strict=True
        ):
            findings.extend((channel.name, finding) for finding in found)
    return findings


async def _examine_chat(settings: Settings) -> Findings:
    if settings.telegram.token is None:
        return []
    from threadcast.bot.chat.check import examine_chat  # noqa: PLC0415  # telegram: only where there is a bot

    return [("chat", finding) for finding in await examine_chat(settings)]


def _configured(settings: Settings) -> str:
    count = len(settings.channels)
    return f"{count} channel{'s' if count != 1 else ''} configured"


def _examine_queue(settings: Settings) -> tuple[Finding, ...]:
    url = settings.database_url.get_secret_value()
    try:
        with closing(prepare(settings)) as database:
            waiting = database.reading.deliveries(states=WAITING)
        require_sound(url)
        unsafe = doubts(url)
    except StoreError as error:
        return (Finding("error", "the queue cannot be used", str(error)),)
    names = {channel.name for channel in settings.channels}
    gone = Counter(one.channel for one in waiting if one.channel not in names)
    return (
        Finding("ok", "the queue opens"),
        *(
            Finding("warning", f"a power cut may lose what was told last: {one.what}", one.advice)
            for one in unsafe
        ),
        *(
            Finding(
                "warning",
                f"{name} is not configured any more; waiting for it: {count}",
                f"configure it again, or cancel what waits; see: threadcast queue --channel {name}",
            )
            for name, count in sorted(gone.items())
        ),
    )


async def _examine_channel(channel: Channel) -> tuple[Finding, ...]:
    return await channel.check()
