"""`threadcast check`: is everything there that publishing needs? Looks, and changes nothing."""

import asyncio
from contextlib import closing

from threadcast.bot.channels.port import Channel, Finding
from threadcast.bot.service import open_channels, prepare
from threadcast.config.settings import Settings
from threadcast.queue.store import StoreError

Findings = list[tuple[str, Finding]]


async def examine(settings: Settings) -> Findings:
    """Findings in the order of looking, each with what it is about. Channels are asked side by side."""
    findings: Findings = [("settings", Finding("ok", f"{len(settings.channels)} channels configured"))]
    findings.append(("queue", await asyncio.to_thread(_examine_queue, settings)))
    async with open_channels(settings) as channels:
        for channel, found in zip(
            channels, await asyncio.gather(*(_examine_channel(channel) for channel in channels)), strict=True
        ):
            findings.extend((channel.name, finding) for finding in found)
    return findings


def _examine_queue(settings: Settings) -> Finding:
    try:
        with closing(prepare(settings)) as store:
            store.channels()
    except StoreError as error:
        return Finding("error", "the queue cannot be used", str(error))
    return Finding("ok", "the queue opens")


async def _examine_channel(channel: Channel) -> tuple[Finding, ...]:
    return await channel.check()
