"""A server, and Mastodon.py as a client of it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from mastodon import Mastodon, MastodonAPIError

from tests.servers.mastodon.server import TOKEN, MastodonServer

START = datetime(2026, 5, 4, 9, 30, 12, tzinfo=UTC)


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> Iterator[MastodonServer]:
    with MastodonServer(clock=clock) as server:
        server.add_account()
        yield server


@pytest.fixture
def api(server: MastodonServer) -> Any:
    return client(server)


def client(server: MastodonServer, token: str = TOKEN) -> Any:
    session = requests.Session()
    session.trust_env = False
    session.headers["Connection"] = "close"
    return Mastodon(
        api_base_url=server.url,
        access_token=token,
        ratelimit_method="throw",
        request_timeout=10,
        session=session,
    )


def code_of(call: Callable[[], object]) -> int:
    """Return the status code that a call is refused with."""
    with pytest.raises(MastodonAPIError) as caught:
        call()
    code = caught.value.args[1]
    assert isinstance(code, int)
    return code


def raw(server: MastodonServer, path: str, method: str = "GET", **data: str) -> requests.Response:
    """Return an answer as it is, without a library's reading of it."""
    with closing(requests.Session()) as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {TOKEN}", "Connection": "close"}
        url = server.url + path
        return session.request(
            method, url, data=data or None, headers=headers, timeout=10, allow_redirects=False
        )
