"""`threadcast check` on the chat: whether those who steer the service would be answered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TOKEN, TelegramServer
from threadcast.bot.channels.port import Finding
from threadcast.bot.chat.access import examine_chat
from threadcast.bot.people.people import People
from threadcast.config.settings import Settings, load

GROUP = -1_000_000_000_777


@pytest.fixture
def server() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        server.add_bot()
        yield server


@pytest.fixture
def ada(server: TelegramServer) -> Person:
    return server.person("Ada", 1111)


def given(server: TelegramServer, folder: Path, **more: str) -> Settings:
    base = {"TOKEN": TOKEN, "API_URL": server.url, "ADMINS": "1111"} | more
    return load({f"THREADCAST_TELEGRAM__{name}": value for name, value in base.items()}, folder=folder)


async def examined(settings: Settings) -> tuple[Finding, ...]:
    return await examine_chat(settings, People(settings.telegram))


async def said(settings: Settings) -> list[tuple[str, str]]:
    return [(one.level, one.what) for one in await examined(settings)]


async def test_all_is_well(server: TelegramServer, ada: Person, tmp_path: Path) -> None:
    """Where everybody has pressed Start, the check says who is listened to, and says nothing to anybody."""
    ada.starts()
    assert await said(given(server, tmp_path)) == [("ok", "@example_bot listens to 1 owner")]
    assert len(ada.sees()) == 1


async def test_who_has_not_started(server: TelegramServer, ada: Person, tmp_path: Path) -> None:
    """Owners and editors who have not met the bot are named, with what they do about it."""
    found = await examined(given(server, tmp_path, EDITORS="3333"))
    assert [one.what for one in found[1:]] == [
        "owner 1111 cannot be told anything yet",
        "editor 3333 cannot be told anything yet",
    ]
    assert {one.advice for one in found[1:]} == {"they press Start in a private chat with the bot"}


async def test_a_group_without_the_bot(server: TelegramServer, ada: Person, tmp_path: Path) -> None:
    """A group that the bot is not in is an error, for reports would go nowhere."""
    ada.starts()
    found = await said(given(server, tmp_path, GROUP=str(GROUP)))
    assert ("error", f"the bot is not in the group {GROUP}") in found


async def test_nobody_may(server: TelegramServer, tmp_path: Path) -> None:
    """A bot that nobody steers yet is a warning; one that is told not to listen is none."""
    (nobody,) = await examined(given(server, tmp_path, ADMINS=""))
    assert (nobody.level, nobody.advice) == (
        "warning",
        "threadcast pair makes a link for the first owner, or set THREADCAST_TELEGRAM__ADMINS",
    )
    assert [level for level, _ in await said(given(server, tmp_path, LISTEN="false"))] == ["ok"]


async def test_no_bot_and_no_network(server: TelegramServer, tmp_path: Path) -> None:
    """A token that is not good, and a network that is away, are errors that tell no token."""
    server.revoke()
    ((level, what),) = await said(given(server, tmp_path))
    assert (level, what) == ("error", "Telegram does not accept the bot token")
    settings = given(server, tmp_path)
    server.go_dark()
    ((level, what),) = await said(settings)
    assert level == "error"
    assert what.startswith("Telegram cannot be reached")
    assert TOKEN not in what
    server.come_back()
    assert await examined(load({}, folder=tmp_path)) == ()
