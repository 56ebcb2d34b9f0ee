"""Calls to the Bot API test server without a client library, which would hide faults."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from tests.servers.telegram.chats import User
from tests.servers.telegram.server import TOKEN, TelegramServer

ADA = User(77, "Ada")
Call = Callable[..., httpx.Response]


class HandClock:
    """Time that moves when told, in seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def caller(server: TelegramServer, http: httpx.Client) -> Call:
    """Call a method with a form, as python-telegram-bot does."""

    def call(
        method: str, token: str = TOKEN, files: dict[str, tuple[str, bytes]] | None = None, **fields: Any
    ) -> httpx.Response:
        data = {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()
        }
        return http.post(f"{server.url}/bot{token}/{method}", data=data, files=files)

    return call


def result(response: httpx.Response) -> Any:
    answer = response.json()
    assert (response.status_code, answer["ok"]) == (200, True), answer
    return answer["result"]


def refusal(response: httpx.Response) -> tuple[int, str]:
    answer = response.json()
    assert answer["ok"] is False
    assert answer["error_code"] == response.status_code
    return response.status_code, answer["description"]
