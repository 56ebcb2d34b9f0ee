"""Updates that Telegram brings: only its own are taken, and each is answered when it was dealt with."""

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from tests.bot.chat.stand import Stand, standing
from tests.bot.chat.test_updates import THREAD, put, told, wait_until_logged, wait_until_told
from tests.servers.telegram.webhooks import SECRET_HEADER
from threadcast.queue.states import DeliveryState


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Hooked(Stand):
    """A stand whose service has set its webhook when it runs."""

    def start(self) -> None:
        super().start()
        self.server.wait_for(lambda server: bool(server.api.hooks))

    def knock(
        self, body: bytes, headers: Mapping[str, str], *, method: str = "POST", path: str = "/hook"
    ) -> int:
        """What the webhook answers to a request; 0 where it breaks the connection."""
        hook = self.server.api.hooks[self.bot.id]
        connection = http.client.HTTPConnection(urlsplit(hook.url).netloc, timeout=10)
        try:
            connection.request(method, path, body, dict(headers))
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    @property
    def secret(self) -> dict[str, str]:
        return {SECRET_HEADER: self.server.api.hooks[self.bot.id].secret}

    def update(self, number: int, text: str) -> bytes:
        """An update in which Ada writes this."""
        ada = self.people["Ada"]
        who = {"id": ada.user.id, "is_bot": False, "first_name": "Ada"}
        chat = {"id": ada.chat.id, "type": "private", "first_name": "Ada"}
        message = {"message_id": number, "date": 1_772_000_000, "chat": chat, "from": who, "text": text}
        return json.dumps({"update_id": number, "message": message}).encode()


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Hooked]:
    """A service with a webhook that is set."""
    where = f"127.0.0.1:{free_port()}"
    given = {"TELEGRAM__WEBHOOK": f"http://{where}/hook", "TELEGRAM__WEBHOOK_LISTEN": where}
    with Hooked(tmp_path, given) as stand:
        yield stand


def paused(stand: Stand) -> bool:
    assert stand.store is not None
    return any(row.paused for row in stand.store.channels())


def test_a_conversation(stand: Stand) -> None:
    """What people write and press arrives through the webhook, and is answered."""
    ada = stand.people["Ada"]
    ada.sends("rivers.txt", THREAD.encode(), "news")
    wait_until_told(stand, ada, "rivers.txt: 1 thread")
    stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)
    ada.says("/pause")
    stand.wait_until_heard()
    assert paused(stand)
    assert not any("getUpdates" in one.path for one in stand.server.requests)


@pytest.mark.parametrize(
    "given", [{}, {SECRET_HEADER: ""}, {SECRET_HEADER: "x"}, {SECRET_HEADER: "\xe9" * 43}]
)
def test_a_wrong_secret(stand: Hooked, given: dict[str, str]) -> None:
    """What comes without the secret is refused, and nothing is done."""
    assert stand.knock(stand.update(900_001, "/pause"), given) == 403
    stand.people["Ada"].says("/queue")
    wait_until_told(stand, stand.people["Ada"], "Nothing waits")
    assert not paused(stand)


def test_odd_requests(stand: Hooked) -> None:
    """Other methods, paths and bodies are refused or left out; the next update is dealt with."""
    update = stand.update(900_002, "/pause")
    assert stand.knock(b"", stand.secret, method="GET") == 405
    assert stand.knock(update, stand.secret, path="/elsewhere") == 404
    assert stand.knock(b"x" * 2_000_000, stand.secret) in {0, 400, 413}
    for odd in (
        b"",
        b"{",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{}",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"update_id": {}}',
    ):
        assert stand.knock(odd, stand.secret) == 200
    assert not paused(stand)
    assert stand.knock(update, stand.secret) == 200
    assert paused(stand)


def test_half_a_character(stand: Hooked) -> None:
    """Text that JSON can write and nothing can store is kept without what is wrong with it."""
    assert stand.knock(stand.update(900_010, "1/ A \ud800\0 river.\n2/ Its end. /end"), stand.secret) == 200
    wait_until_told(stand, stand.people["Ada"], "1 message so far: 1 thread, 2 parts")
    assert stand.knock(stand.update(900_011, "/done \udfff"), stand.secret) == 200
    stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)


def test_an_update_that_comes_again(stand: Hooked) -> None:
    """An update that is brought twice, even after a restart, does nothing twice."""
    assert stand.knock(stand.update(900_003, "/pause"), stand.secret) == 200
    assert paused(stand)
    assert stand.knock(stand.update(900_004, "/resume"), stand.secret) == 200
    assert stand.knock(stand.update(900_003, "/pause"), stand.secret) == 200
    assert not paused(stand)
    stand.stop()
    with stand.server.changed:
        stand.server.api.hooks.clear()
    stand.start()
    assert stand.knock(stand.update(900_003, "/pause"), stand.secret) == 200
    assert not paused(stand)


def test_while_the_service_is_down(stand: Stand) -> None:
    """What people write while nobody serves the webhook is brought when somebody does."""
    ada = stand.people["Ada"]
    stand.server.retry_delay = 0.05
    stand.stop()
    ada.says("/pause news")
    stand.start()
    wait_until_told(stand, ada, "news: paused now")
    stand.wait_until_heard()


def test_an_update_that_nobody_can_read(stand: Stand) -> None:
    """What the library cannot read is taken and left out: brought again, it would be no better."""
    put(stand, "message", {"message_id": 7})
    stand.people["Ada"].says("/pause")
    stand.wait_until_heard()
    assert paused(stand)


def test_a_place_that_is_taken(tmp_path: Path) -> None:
    """Where the port is taken, that is said; the service lives, and publishes."""
    with socket.socket() as other, capture_logs() as logs:
        other.bind(("127.0.0.1", 0))
        other.listen()
        where = f"127.0.0.1:{other.getsockname()[1]}"
        given = {"TELEGRAM__WEBHOOK": f"http://{where}/hook", "TELEGRAM__WEBHOOK_LISTEN": where}
        with standing(tmp_path, given) as stand:
            wait_until_logged(stand, logs, "the webhook cannot be served")
            assert not told(stand.people["Ada"], "")
