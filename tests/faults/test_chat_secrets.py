"""Whatever servers quote, no secret reaches the chat, nor from there the log or the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.house import PATIENCE, House, thread_text
from tests.e2e.test_chat import told as told_to
from tests.faults.test_secrets import BOT, secrets_in
from tests.servers.mastodon.server import MastodonServer
from tests.servers.telegram.people import Person
from tests.servers.telegram.server import TelegramServer

pytestmark = pytest.mark.e2e

QUOTED = f"Bad Request: {BOT} is not welcome at https://api.telegram.org/bot{BOT}/sendMessage"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house of one channel whose bot has a token that is looked for."""
    with TelegramServer() as telegram, MastodonServer() as mastodon:
        house = House(tmp_path, telegram, mastodon)
        telegram.revoke()
        telegram.add_bot(BOT)
        house.chat = telegram.add_chat(username="other_channel")
        for name in [name for name in house.env if "MASTO" in name]:
            del house.env[name]
        house.env |= {
            "THREADCAST_TELEGRAM__TOKEN": BOT,
            "THREADCAST_TELEGRAM__ADMINS": "1111",
            "THREADCAST_TELEGRAM__CONFIRM": "false",
            "THREADCAST_CHANNELS__NEWS__CHAT": "@other_channel",
            "THREADCAST_LOG_LEVEL": "debug",
        }
        yield house


def spoil(house: House, ada: Person) -> None:
    """The next call of each kind goes wrong, and the answer quotes the token."""
    server = house.telegram
    for status, method in (
        (400, "setMyCommands"),
        (400, "deleteMyCommands"),
        (400, "answerCallbackQuery"),
        (400, "getFile"),
        (502, "getUpdates"),
        (409, "getUpdates"),
    ):
        server.fail(status, QUOTED, method)
    server.replace_answer({"ok": True, "result": {"text": BOT}}, "getUpdates")
    server.fail(400, QUOTED, chat=ada.chat)
    server.fail(502, QUOTED, chat=ada.chat)
    server.fail(400, QUOTED, chat=house.chat)


def test_what_servers_quote(house: House) -> None:
    """A token that is quoted in any error is in no message of the chat, in no log and in no file."""
    ada = house.telegram.person("Ada", 1111, token=BOT)
    ada.starts()
    spoil(house, ada)
    with house.running() as service:
        ada.sends("rivers.txt", thread_text(1, 3).encode())
        house.telegram.wait_for(lambda _: bool(told_to(ada, "could not be fetched")), PATIENCE)
        ada.sends("rivers.txt", thread_text(1, 3).encode())
        house.telegram.wait_for(lambda _: bool(told_to(ada, "🛑 news failed")), PATIENCE)
        ada.says("/show 1")
        ada.presses("Retry")
        house.telegram.wait_for(lambda _: bool(told_to(ada, "✅ news published")), PATIENCE)
        house.telegram.revoke(BOT)
        ada.says("/queue")
        with house.telegram.changed:
            house.telegram.api.updates.cut_polls()
        service.wait_for("does not accept the bot token")
        assert service.stop() == 0
        said = {"the log": "".join(service.lines)}
    said["the chat"] = "\n".join(told_to(ada, ""))
    said["what the bot sent"] = "\n".join(
        request.body.decode("utf-8", "replace") for request in house.telegram.requests
    )
    said |= {str(one): one.read_text(errors="replace") for one in house.data.rglob("*") if one.is_file()}
    assert {where: secrets_in(text) for where, text in said.items() if secrets_in(text)} == {}
