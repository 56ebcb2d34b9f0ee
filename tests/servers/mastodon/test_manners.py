"""Each server of another kind behaves in its own way, as the real one was seen to."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
from mastodon.errors import MastodonRatelimitError

from tests.servers.mastodon.budgets import Budget
from tests.servers.mastodon.conftest import START, Clock, client, code_of, raw
from tests.servers.mastodon.manners import GOTOSOCIAL, MANNERS, MASTODON, PLEROMA, SNAC, TAKAHE, Manners
from tests.servers.mastodon.server import TOKEN, MastodonServer

FAMILY = "👩‍👩‍👧‍👦"  # one grapheme of seven code points


@contextmanager
def serving(manners: Manners, **more: Any) -> Iterator[MastodonServer]:
    with MastodonServer(manners=manners, clock=Clock(), **more) as server:
        server.add_account()
        yield server


@pytest.mark.parametrize("manners", MANNERS.values(), ids=MANNERS)
def test_nodeinfo(manners: Manners) -> None:
    """Nodeinfo tells which software it is, whatever the version pretends."""
    with serving(manners) as server:
        (link,) = raw(server, "/.well-known/nodeinfo").json()["links"]
        found = raw(server, link["href"].removeprefix(server.url)).json()

    assert found["software"]["name"] == manners.software


def test_ids_of_one_second_are_in_no_order() -> None:
    """Snac's ids begin with the second: within one they are in no order."""
    with serving(SNAC) as server:
        ids = [raw(server, "/api/v1/statuses", "POST", status=f"{n}").json()["id"] for n in range(8)]
        page = raw(server, f"/api/v1/accounts/1001/statuses?since_id={ids[5]}").json()

    assert {found[:10] for found in ids} == {str(int(START.timestamp()))}
    assert ids not in (sorted(ids), sorted(ids, reverse=True))
    assert [status["id"] for status in page] == [ids[7], ids[6]]


@pytest.mark.parametrize("manners", [GOTOSOCIAL, SNAC, TAKAHE], ids=lambda one: str(one.software))
def test_keys_are_ignored(manners: Manners) -> None:
    """The same Idempotency-Key posts again."""
    with serving(replace(manners, closing="announced")) as server:
        api = client(server)
        assert api.status_post("a", idempotency_key="k").id != api.status_post("a", idempotency_key="k").id


def test_gotosocial() -> None:
    """GoToSocial: ULIDs, 400 for 422, code points, unlisted, no slash at the end."""
    with serving(GOTOSOCIAL, limit=30) as server:
        api = client(server)
        first, second = api.status_post(FAMILY), api.status_post(FAMILY)

        assert [len(one.id) for one in (first, second)] == [26, 26]
        assert str(first.id) < str(second.id)
        assert first.visibility == "unlisted"
        assert code_of(lambda: api.status_post(FAMILY * 5)) == 400
        assert code_of(lambda: api.status_post("https://example.org/0123456789a")) == 400
        assert raw(server, "/api/v2/instance/").status_code == 301
        assert code_of(api.app_verify_credentials) == 404


def test_a_limit_on_requests_alone() -> None:
    """GoToSocial's headers tell of 300 requests in 5 minutes, in epoch seconds, and posts have no limit."""
    with serving(replace(GOTOSOCIAL, budgets={"token": Budget(2, timedelta(minutes=5))})) as server:
        answers = [raw(server, "/api/v1/statuses", "POST", status="a") for _ in range(3)]
        throttled = server.throttled

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["X-RateLimit-Reset"] == str(int(START.replace(minute=35, second=0).timestamp()))
    assert throttled == 1
    assert GOTOSOCIAL.budgets == {"token": Budget(300, timedelta(minutes=5))}


def test_a_limit_on_posts() -> None:
    """Mastodon takes 300 posts in three hours, and then none until the window ends."""
    budgets = {**MASTODON.budgets, "token": Budget(10**9, timedelta(hours=3))}
    with serving(MASTODON, budgets=budgets | {"account": budgets["token"]}) as server:
        api = client(server)
        for number in range(300):
            api.status_post(f"{number}")
        with pytest.raises(MastodonRatelimitError):
            api.status_post("one too many")
        assert len(server.statuses()) == 300


@pytest.mark.parametrize("manners", [SNAC, TAKAHE, PLEROMA], ids=lambda one: str(one.software))
def test_no_limits_are_told(manners: Manners) -> None:
    """No header tells of a limit."""
    with serving(manners) as server:
        headers = raw(server, "/api/v1/statuses", "POST", status="a").headers

    assert not [name for name in headers if "ratelimit" in name.lower()]


@pytest.mark.parametrize(("manners", "status"), [(MASTODON, 404), (SNAC, 410), (TAKAHE, 404)])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_deleted_post(manners: Manners, status: int, method: str) -> None:
    """A deleted post is JSON on Mastodon, and a page on snac and Takahe."""
    with serving(manners) as server:
        post = server.write(server.accounts[TOKEN], "a")
        server.delete(post.id)
        answer = raw(server, f"/api/v1/statuses/{post.id}", method)

    assert answer.status_code == status
    assert ("html" in answer.headers["Content-Type"]) is manners.html_errors


def test_calls_that_are_not_there() -> None:
    """Takahe fails at /api/v2/instance and answers /api/v1/instance; snac has no call for the application."""
    with serving(TAKAHE) as server:
        answers = [raw(server, f"/api/v{number}/instance").status_code for number in (2, 1)]
    with serving(SNAC) as server:
        application = raw(server, "/api/v1/apps/verify_credentials")

    assert answers == [500, 200]
    assert (application.status_code, application.text[:4]) == (404, "<h1>")


def test_a_missing_parent_is_passed_over() -> None:
    """Takahe posts a reply to a missing post without a parent."""
    with serving(TAKAHE) as server:
        assert (
            raw(server, "/api/v1/statuses", "POST", status="a", in_reply_to_id="7").json()["in_reply_to_id"]
            is None
        )


def test_pleroma_pretends() -> None:
    """Pleroma's version is one of Mastodon's, with its own behind; its keys hold."""
    with serving(PLEROMA) as server:
        api = client(server)

        assert api.instance_v2().version.startswith("2.7.2 (compatible; Pleroma")
        assert api.status_post("a", idempotency_key="k").id == api.status_post("a", idempotency_key="k").id


def asked_twice(server: MastodonServer) -> bytes:
    """Return what a connection gives on which two requests are made, one after the other."""
    ask = "GET /api/v1/instance HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Number: {}\r\n\r\n".format
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        file = connection.makefile("rb")
        given = b""
        for number in range(2):
            try:
                connection.sendall(ask(number).encode())
                while line := file.readline():
                    given += line
                    if line == b"\r\n":
                        break
                given += file.read(int(given.split(b"Content-Length: ")[-1].split()[0])) if line else b""
            except ConnectionError:
                break
    return given


@pytest.mark.parametrize(("manners", "announced"), [(MASTODON, True), (SNAC, False), (TAKAHE, False)])
def test_the_end_of_a_connection(manners: Manners, announced: bool) -> None:
    """One answer is all that a connection gives; only Mastodon's says so."""
    with serving(manners) as server:
        given = asked_twice(server)

        assert given.count(b"HTTP/1.1 200") == 1
        assert (b"Connection: close" in given) is announced
        server.wait_for(lambda server: len(server.requests) == 1)


def test_a_kept_connection_dies_under_a_request() -> None:
    """Takahe keeps a connection, and closes it at the next request, which nobody reads."""
    with serving(TAKAHE) as server, requests.Session() as session:
        session.trust_env = False
        ask: Callable[[], object] = lambda: session.post(  # noqa: E731  # twice the same
            f"{server.url}/api/v1/statuses",
            {"status": "a"},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=10,
        )
        ask()
        with pytest.raises(requests.ConnectionError):
            ask()
        assert len(server.statuses()) == 1
