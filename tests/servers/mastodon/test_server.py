"""The Mastodon API server for tests is as strict as Mastodon, seen through Mastodon.py and in the raw."""

import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from mastodon import Mastodon, MastodonNotFoundError, MastodonRatelimitError

from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget
from tests.servers.mastodon.conftest import START, Clock, client, code_of, raw
from tests.servers.mastodon.server import TOKEN, MastodonServer
from tests.servers.mastodon.text import countable_length
from threadcast.queue.compose import length as measure


def test_a_status(api: Any, server: MastodonServer) -> None:
    """A status comes back as it is stored, stripped, and its HTML shows characters of markup as such."""
    posted = api.status_post(
        " one <b>\n\ntwo\nthree\n", visibility="unlisted", language="de", spoiler_text="sea"
    )

    found = api.status(posted.id)
    assert found.content == "<p>one &lt;b&gt;</p><p>two<br />three</p>"
    assert (found.visibility, found.language, found.spoiler_text) == ("unlisted", "de", "sea")
    assert (found.in_reply_to_id, found.sensitive, found.created_at) == (None, True, START)
    assert api.status_source(posted.id).text == "one <b>\n\ntwo\nthree"
    assert "one &lt;b&gt;" in raw(server, f"/@keeper/{posted.id}").text


def test_half_a_request(server: MastodonServer) -> None:
    """A request whose sender went away before its end is no request."""
    head = f"POST /api/v1/statuses HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 99\r\n"
    form = "Content-Type: application/x-www-form-urlencoded\r\n\r\nstatus=The+begin"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall((head + form).encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""
    assert (server.statuses(), server.requests) == ([], [])


def test_ids_grow(api: Any, clock: Clock) -> None:
    """Ids are strings of digits that grow, at one moment and over time."""
    ids = [api.status_post("a").id, api.status_post("b").id]
    clock.now += timedelta(seconds=1)
    ids.append(api.status_post("c").id)

    assert all(isinstance(i, str) and i.isdigit() for i in ids)
    assert sorted(set(ids), key=int) == ids


def test_what_it_does_not_do(api: Any, server: MastodonServer) -> None:
    """Unknown media, polls, native schedules and visibilities are refused, not passed over."""
    assert code_of(lambda: api.status_post("a", media_ids=["1"])) == 422
    assert code_of(lambda: api.status_post("a", scheduled_at=START + timedelta(hours=1))) == 422
    assert raw(server, "/api/v1/statuses", "POST", status="a", visibility="everyone").status_code == 422


WORDS = (
    "lamp|tower,|👩‍👩‍👧‍👦|#sea|@a@b.example.org|https://example.org/a|http://a.io.|1/|\n\n|é|a.io/b|http://x"
)


@settings(deadline=None)
@given(st.lists(st.sampled_from(WORDS.split("|")), max_size=30))
def test_two_measures_agree(words: list[str]) -> None:
    """What the server counts is what our measure counts, on what people write."""
    text = " ".join(words).strip()

    assert countable_length(text, spoiler="", url_length=23) == measure.mastodon(text)


def test_a_limit_of_ones_own() -> None:
    """The limit is told by both descriptions of the server, and a content warning counts."""
    with MastodonServer(limit=7) as server:
        server.add_account()
        api = client(server)

        assert api.instance_v2().configuration.statuses.max_characters == 7
        assert api.instance_v1().configuration.statuses.max_characters == 7
        assert api.status_post("x" * 4, spoiler_text="sea").id
        assert code_of(lambda: api.status_post("x" * 5, spoiler_text="sea")) == 422


def test_a_key_is_kept_for_an_hour(api: Any, server: MastodonServer, clock: Clock) -> None:
    """The same key gives the same status for an hour, whatever the text; then a new one."""
    assert code_of(lambda: api.status_post("", idempotency_key="k")) == 422, "and uses up no key"
    first = api.status_post("a", idempotency_key="k")
    clock.now += timedelta(seconds=3599)
    assert api.status_post("something else", idempotency_key="k").id == first.id
    server.add_account("another-token", "baker")
    assert client(server, "another-token").status_post("a", idempotency_key="k").id != first.id
    clock.now += timedelta(seconds=1)

    assert api.status_post("a", idempotency_key="k").id != first.id
    assert len(server.statuses()) == 3


def test_the_parent_is_looked_up_before_the_key(api: Any, server: MastodonServer) -> None:
    """A replay whose parent is gone is 404, although the post landed."""
    parent = api.status_post("a")
    api.status_post("b", in_reply_to_id=parent.id, idempotency_key="k")
    server.delete(parent.id)

    with pytest.raises(MastodonNotFoundError):
        api.status_post("b", in_reply_to_id=parent.id, idempotency_key="k")


def chain(api: Any, length: int) -> list[str]:
    ids: list[str] = []
    for number in range(length):
        ids.append(api.status_post(f"{number}/", in_reply_to_id=ids[-1] if ids else None).id)
    return ids


def test_context(api: Any) -> None:
    """A context has what is before, oldest first, and what is after, in reading order."""
    ids = chain(api, 4)
    aside = api.status_post("aside", in_reply_to_id=ids[1]).id

    context = api.status_context(ids[1])

    assert [s.id for s in context.ancestors] == ids[:1]
    assert [s.id for s in context.descendants] == [ids[2], ids[3], aside]


def test_delete(api: Any) -> None:
    """A deleted status is gone and its text comes back; its replies stay and lose their parent."""
    ids = chain(api, 3)

    assert api.status_delete(ids[1]).text == "1/"

    with pytest.raises(MastodonNotFoundError):
        api.status(ids[1])
    assert api.status(ids[2]).in_reply_to_id is None


def test_edit(api: Any, clock: Clock) -> None:
    """An edit replaces text and clears a content warning that is not given again; the length counts."""
    posted = api.status_post("a", spoiler_text="sea", visibility="unlisted")
    clock.now += timedelta(minutes=1)

    api.status_update(posted.id, "b")

    found = api.status(posted.id)
    assert (found.content, found.spoiler_text, found.visibility) == ("<p>b</p>", "", "unlisted")
    assert found.edited_at == clock.now
    assert code_of(lambda: api.status_update(posted.id, "x" * 501)) == 422


def test_a_timeline(api: Any, server: MastodonServer) -> None:
    """An account's statuses come newest first, by page and by bounds, replies left out on request."""
    ids = chain(api, 25)

    def page(**query: Any) -> list[str]:
        return [s.id for s in api.account_statuses("1001", exclude_reblogs=True, **query)]

    assert page() == ids[:4:-1]
    assert page(limit=40) == ids[::-1]
    assert page(since_id=ids[20]) == ids[:20:-1]
    assert page(min_id=ids[2], limit=2) == [ids[4], ids[3]]
    assert page(max_id=ids[2]) == [ids[1], ids[0]]
    assert page(exclude_replies=True) == ids[:1]
    with pytest.raises(MastodonNotFoundError):
        api.account_statuses("9")


def test_what_others_see(api: Any, server: MastodonServer) -> None:
    """Private statuses are there for their author only, and nobody changes another's."""
    server.add_account("another-token", "baker")
    other = client(server, "another-token")
    hidden, shown = api.status_post("a", visibility="private").id, api.status_post("b").id

    assert [s.id for s in other.account_statuses("1001")] == [shown]
    assert code_of(lambda: other.status(hidden)) == 404
    assert code_of(lambda: other.status_post("c", in_reply_to_id=hidden)) == 404
    assert code_of(lambda: other.status_delete(shown)) == 404
    assert raw(server, f"/@keeper/{hidden}").status_code == 404


def test_tokens_and_scopes(server: MastodonServer) -> None:
    """A missing scope is 403, and an unknown path 404."""
    server.add_account("reader", "reader", scopes=["read"])
    server.add_account("writer", "writer", scopes=["write:statuses"])
    reader, writer = client(server, "reader"), client(server, "writer")

    assert code_of(lambda: reader.status_post("a")) == 403
    assert writer.status_post("a").account.username == "writer"
    assert code_of(writer.account_verify_credentials) == 403
    assert reader.app_verify_credentials().scopes == ["read"]
    assert raw(server, "/api/v1/lamps").status_code == 404


def test_windows(clock: Clock) -> None:
    """Statuses that are created or edited are counted, refused ones are not, until the window ends."""
    budgets = {**REAL_BUDGETS, "statuses": Budget(2, timedelta(hours=3))}
    with MastodonServer(budgets=budgets, clock=clock) as server:
        server.add_account()
        api = client(server)
        posted = api.status_post("a", idempotency_key="k")
        code_of(lambda: api.status_post(""))
        api.status_post("a", idempotency_key="k")
        api.status_update(posted.id, "b")

        limits = raw(server, "/api/v1/statuses", "POST", status="c")
        assert limits.status_code == 429
        assert limits.headers["X-RateLimit-Reset"] == "2026-05-04T12:00:00.000000Z"
        assert raw(server, "/api/v1/accounts/verify_credentials").headers["X-RateLimit-Remaining"] == "294"
        clock.now = START.replace(hour=12, minute=0, second=0)
        assert api.status_post("c").id


@pytest.mark.parametrize(
    ("budget", "call"),
    [
        ("token", lambda api: api.account_verify_credentials()),
        ("account", lambda api: api.account_verify_credentials()),
        ("pages", lambda api: api.account_statuses("1001", since_id="1")),
        ("deletes", lambda api: api.status_delete("1")),
    ],
)
def test_other_limits(clock: Clock, budget: str, call: Callable[[Any], object]) -> None:
    """Requests, pages and deletions have limits of their own."""
    budgets = {**REAL_BUDGETS, budget: Budget(0, timedelta(hours=1))}
    with MastodonServer(budgets=budgets, clock=clock) as server:
        server.add_account()

        with pytest.raises(MastodonRatelimitError):
            call(client(server))


def test_by_hand() -> None:
    """Started from a shell it says what to configure, and prints what is posted."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "tests.servers.mastodon.server",
        "--port",
        "0",
        "--token",
        "secret",
    ]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process,
        closing(requests.Session()) as session,
    ):
        assert process.stdout is not None
        address, token = (word.partition("=")[2] for word in process.stdout.readline().split())
        session.trust_env = False
        posted = Mastodon(api_base_url=address, access_token=token, session=session).status_post(
            "1/ The lamp"
        )
        printed = process.stdout.readline()
        process.terminate()

    assert printed == f"{posted.id} (public): 1/ The lamp\n"
