"""What of the settings reaches the channels."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.build import build_channels, open_channels
from threadcast.config.settings import load

KINDS = {
    "telegram": {
        "THREADCAST_TELEGRAM__TOKEN": "123456:AAExampleExampleExampleExampleExample0",
        "THREADCAST_TELEGRAM__ADMINS": "1111,2222",
        "THREADCAST_CHANNELS__NEWS__CHAT": "@news",
    },
    "mastodon": {
        "THREADCAST_CHANNELS__NEWS__URL": "https://mastodon.example",
        "THREADCAST_CHANNELS__NEWS__TOKEN": "example-access-token",
    },
    "local": {},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("resend", [True, False])
async def test_how_doubts_are_settled(tmp_path: Path, kind: str, resend: bool) -> None:
    """When a post of unknown fate is looked for, and what follows where nobody can, is as the owner says."""
    given = KINDS[kind] | {"THREADCAST_CHANNELS__NEWS__KIND": kind, "THREADCAST_SETTLE_AFTER": "5s"}
    if resend:
        given["THREADCAST_CHANNELS__NEWS__WHEN_UNSURE"] = "resend"
    settings = load(given, folder=tmp_path)
    (channel,) = build_channels(settings)
    settling = channel.settling
    await channel.close()
    assert settling.resend is resend
    assert settling.first_look == timedelta(seconds=0 if kind == "local" else 5)
    assert kind == "local" or settling.apart == timedelta(seconds=5)


async def test_telegram_waits_for_nothing_without_a_private_chat(tmp_path: Path) -> None:
    """Where the bot has nobody to forward to, its owner is asked at once."""
    given = KINDS["telegram"] | {
        "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
        "THREADCAST_TELEGRAM__ADMINS": "",
    }
    settings = load(given, folder=tmp_path)
    (channel,) = build_channels(settings)
    settling = channel.settling
    await channel.close()
    assert settling.first_look == timedelta(0)


async def test_chats_of_one_bot_share_it(tmp_path: Path) -> None:
    """However many chats a bot has, and however many of them begin at once: it asks once who it is."""
    names = [f"lamps_{number}" for number in range(20)]
    with TelegramServer() as server:
        server.add_bot()
        given = {"THREADCAST_TELEGRAM__TOKEN": TOKEN, "THREADCAST_TELEGRAM__API_URL": server.url}
        for name in names:
            server.add_chat(username=name)
            given[f"THREADCAST_CHANNELS__{name.upper()}__KIND"] = "telegram"
            given[f"THREADCAST_CHANNELS__{name.upper()}__CHAT"] = f"@{name}"
        async with open_channels(load(given, folder=tmp_path)) as channels:
            assert await asyncio.gather(*(channel.preflight() for channel in channels)) == [None] * 20
    asked = [request.path.rsplit("/", 1)[-1] for request in server.requests]
    assert asked.count("getMe") == 1


@pytest.mark.parametrize(("rate", "apart"), [("0.5", 1.0), ("30", 1.0), ("1000", 0.001)])
async def test_how_fast_posts_are_looked_for(tmp_path: Path, rate: str, apart: float) -> None:
    """Copies go to the owner a second apart, but on a server of one's own that takes any number."""
    given = KINDS["telegram"] | {
        "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
        "THREADCAST_TELEGRAM__RATE": rate,
    }
    async with open_channels(load(given, folder=tmp_path)) as (channel,):
        assert channel._probe._apart == apart  # type: ignore[attr-defined]
