"""The Mastodon API server for tests is as strict as Mastodon, seen through Mastodon.py and in the raw."""

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonRatelimitError
from mastodon.errors import MastodonInternalServerError, MastodonUnauthorizedError

from tests.servers.mastodon.budgets import REAL_BUDGETS, Budget
from tests.servers.mastodon.server import TOKEN, MastodonServer
from tests.servers.mastodon.text import countable_length, to_html
from threadcast.queue.compose import length as measure

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


@pytest.fixture
def api(server: MastodonServer) -> Any:
    return client(server)


def code_of(call: Callable[[], object]) -> int:
    """The status code that a call is refused with."""
    with pytest.raises(MastodonAPIError) as caught:
        call()
    code = caught.value.args[1]
    assert isinstance(code, int)
    return code


def raw(server: MastodonServer, path: str, *, token: str = TOKEN, **data: str) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        method = "POST" if data else "GET"
        return session.request(
            method, server.url + path, data=data or None, headers=headers, timeout=10, allow_redirects=False
        )


def test_a_status(api: Any, server: MastodonServer) -> None:
    """A status comes back as it is stored, and its HTML shows characters of markup as such."""
    posted = api.status_post(
        "one <b>\n\ntwo\nthree", visibility="unlisted", language="de", spoiler_text="sea"
    )

    found = api.status(posted.id)
    assert found.content == "<p>one &lt;b&gt;</p><p>two<br />three</p>"
    assert (found.visibility, found.language, found.spoiler_text) == ("unlisted", "de", "sea")
    assert (found.in_reply_to_id, found.sensitive, found.created_at) == (None, True, START)
    assert api.status_source(posted.id).text == "one <b>\n\ntwo\nthree"
    assert [s.text for s in server.statuses()] == ["one <b>\n\ntwo\nthree"]
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
    assert sorted(ids, key=int) == ids
    assert len(set(ids)) == 3


def test_text_is_stripped(api: Any) -> None:
    """White space at the ends is taken off, and a text of nothing else is refused."""
    assert api.status_source(api.status_post("  a \n").id).text == "a"
    assert code_of(lambda: api.status_post(" \n ")) == 422


def test_what_it_does_not_do(api: Any, server: MastodonServer) -> None:
    """Unknown media, polls, native schedules and visibilities are refused, not passed over."""
    assert code_of(lambda: api.status_post("a", media_ids=["1"])) == 422
    assert code_of(lambda: api.status_post("a", scheduled_at=START + timedelta(hours=1))) == 422
    assert raw(server, "/api/v1/statuses", status="a", visibility="everyone").status_code == 422


LENGTHS = [
    pytest.param("x" * 500, 500, id="letters"),
    pytest.param("👩‍👩‍👧‍👦🇸🇨👍🏽e\u0301", 4, id="graphemes"),
    pytest.param("https://example.org/" + "a" * 300, 23, id="long-link"),
    pytest.param("http://a.io", 23, id="short-link"),
    pytest.param(
        "see https://example.org/a?b=c#d, or (https://example.org/x_(y)).", 4 + 23 + 6 + 23 + 2, id="in-text"
    ),
    pytest.param("example.org/abc", 15, id="bare-domain"),
    pytest.param("http://localhost/abc", 20, id="no-top-level-domain"),
    pytest.param("@keeper@lighthouse.example.org!", 8, id="mention"),
    pytest.param("@keeper #lamp", 13, id="hashtag"),
    pytest.param("keeper@lighthouse.example.org", 29, id="mail"),
]


@pytest.mark.parametrize(("text", "length"), LENGTHS)
def test_lengths(text: str, length: int) -> None:
    """Graphemes count, links as 23, mentions without their host; our own measure agrees."""
    assert countable_length(text, spoiler="", url_length=23) == length
    assert measure.mastodon(text) == length


def test_a_content_warning_counts() -> None:
    """A content warning counts, and a link in it as written."""
    assert countable_length("lamp", spoiler="http://a.io", url_length=23) == 15


WORDS = st.sampled_from(
    [
        "lamp",
        "tower,",
        "👩‍👩‍👧‍👦",
        "#sea",
        "@a@b.example.org",
        "https://example.org/a",
        "http://a.io.",
        "1/",
        "\n\n",
        "é",
    ]
)


@settings(deadline=None)
@given(st.lists(WORDS, max_size=30))
def test_two_measures_agree(words: list[str]) -> None:
    """What the server counts is what our measure counts, on what people write."""
    text = " ".join(words).strip()

    assert countable_length(text, spoiler="", url_length=23) == measure.mastodon(text)


@pytest.mark.parametrize(("locale", "words"), [("en", "character limit of 500"), ("de", "länger als 500")])
def test_too_long(locale: str, words: str) -> None:
    """One grapheme over the limit is refused, in the account's language, and nothing is stored."""
    with MastodonServer(locale=locale) as server:
        server.add_account()
        with pytest.raises(MastodonAPIError, match=words) as caught:
            client(server).status_post("x" * 501)

        assert caught.value.args[1] == 422
        assert server.statuses() == []


def test_a_limit_of_ones_own() -> None:
    """The limit can be another, and is told by both descriptions of the server."""
    with MastodonServer(limit=7) as server:
        server.add_account()
        api = client(server)

        assert api.instance_v2().configuration.statuses.max_characters == 7
        assert api.instance_v1().configuration.statuses.max_characters == 7
        assert api.status_post("x" * 7).id
        assert code_of(lambda: api.status_post("x" * 8)) == 422


def test_a_missing_parent(api: Any, server: MastodonServer) -> None:
    """A reply to what is not there is 404, and nothing is stored."""
    with pytest.raises(MastodonNotFoundError):
        api.status_post("b", in_reply_to_id="115")

    assert server.statuses() == []


def test_a_key_is_kept_for_an_hour(api: Any, server: MastodonServer, clock: Clock) -> None:
    """The same key gives the same status for an hour, whatever the text; then a new one."""
    first = api.status_post("a", idempotency_key="k")
    clock.now += timedelta(seconds=3599)
    assert api.status_post("something else", idempotency_key="k").id == first.id
    clock.now += timedelta(seconds=1)

    assert api.status_post("a", idempotency_key="k").id != first.id
    assert len(server.statuses()) == 2


def test_keys_belong_to_accounts(api: Any, server: MastodonServer) -> None:
    """Another account's key is another key."""
    server.add_account("another-token", "baker")

    first = api.status_post("a", idempotency_key="k")
    second = client(server, "another-token").status_post("a", idempotency_key="k")

    assert first.id != second.id


def test_a_refused_status_uses_up_no_key(api: Any) -> None:
    """A key of a refused try is free for the next one."""
    code_of(lambda: api.status_post("", idempotency_key="k"))

    assert api.status_post("a", idempotency_key="k").id


def test_the_parent_is_looked_up_before_the_key(api: Any, server: MastodonServer) -> None:
    """A replay whose parent is gone is 404, although the post landed."""
    parent = api.status_post("a")
    api.status_post("b", in_reply_to_id=parent.id, idempotency_key="k")
    server.delete(parent.id)

    with pytest.raises(MastodonNotFoundError):
        api.status_post("b", in_reply_to_id=parent.id, idempotency_key="k")


def test_a_replay_that_fails() -> None:
    """Mastodon 4.6.0 to 4.7.1 answer a known key with 500, and post nothing again."""
    with MastodonServer(replay_fails=True) as server:
        server.add_account()
        api = client(server)
        api.status_post("a", idempotency_key="k")

        with pytest.raises(MastodonInternalServerError):
            api.status_post("a", idempotency_key="k")
        assert len(server.statuses()) == 1


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
    me = api.account_verify_credentials().id

    def page(**query: Any) -> list[str]:
        return [s.id for s in api.account_statuses(me, exclude_reblogs=True, **query)]

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
    me = api.account_verify_credentials().id

    assert [s.id for s in other.account_statuses(me)] == [shown]
    assert code_of(lambda: other.status(hidden)) == 404
    assert code_of(lambda: other.status_post("c", in_reply_to_id=hidden)) == 404
    assert code_of(lambda: other.status_delete(shown)) == 404
    assert raw(server, f"/@keeper/{hidden}").status_code == 404


def test_tokens_and_scopes(api: Any, server: MastodonServer) -> None:
    """A wrong token is 401, a missing scope 403, and an unknown path 404."""
    server.add_account("reader", "reader", scopes=["read"])
    server.add_account("writer", "writer", scopes=["write:statuses"])
    reader, writer = client(server, "reader"), client(server, "writer")

    assert code_of(lambda: reader.status_post("a")) == 403
    assert writer.status_post("a").account.username == "writer"
    assert code_of(writer.account_verify_credentials) == 403
    assert reader.account_verify_credentials().acct == "reader"
    assert reader.app_verify_credentials().scopes == ["read"]
    server.revoke()
    with pytest.raises(MastodonUnauthorizedError):
        api.status_post("a")
    assert raw(server, "/api/v1/lamps").status_code == 404


def test_headers_tell_the_nearest_limit(server: MastodonServer) -> None:
    """Headers tell of the limit nearest to its end, with the end of its window in ISO 8601."""
    first = raw(server, "/api/v1/statuses", status="a").headers
    second = raw(server, "/api/v1/accounts/verify_credentials").headers

    assert first["X-RateLimit-Limit"] == "300"
    assert first["X-RateLimit-Remaining"] == "299"
    assert first["X-RateLimit-Reset"] == "2026-05-04T09:35:00.000000Z"
    assert second["X-RateLimit-Remaining"] == "298"


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

        with pytest.raises(MastodonRatelimitError):
            api.status_post("c")
        limits = raw(server, "/api/v1/statuses", status="c")
        assert limits.status_code == 429
        assert limits.headers["X-RateLimit-Reset"] == "2026-05-04T12:00:00.000000Z"
        clock.now = START.replace(hour=12, minute=0, second=0)
        assert api.status_post("c").id
        assert len(server.statuses()) == 2


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
    with MastodonServer(
        budgets={**REAL_BUDGETS, budget: Budget(0, timedelta(hours=1))}, clock=clock
    ) as server:
        server.add_account()

        with pytest.raises(MastodonRatelimitError):
            call(client(server))


def test_gotosocial() -> None:
    """GoToSocial: ULIDs, no keys, 400 for 422, code points, unlisted, no slash at the end, epoch seconds."""
    with MastodonServer(flavour="gotosocial", limit=30) as server:
        server.add_account()
        api = client(server)
        first = api.status_post("👩‍👩‍👧‍👦", idempotency_key="k")
        second = api.status_post("👩‍👩‍👧‍👦", idempotency_key="k", in_reply_to_id=first.id)

        assert len(first.id) == 26
        assert str(first.id) < str(second.id)
        assert second.in_reply_to_id == first.id
        assert first.visibility == "unlisted"
        assert code_of(lambda: api.status_post("👩‍👩‍👧‍👦" * 5)) == 400
        assert code_of(lambda: api.status_post("https://example.org/0123456789a")) == 400
        assert raw(server, "/api/v2/instance/").status_code == 301
        assert "gotosocial" in raw(server, "/api/v2/instance").json()["source_url"]
        assert raw(server, "/api/v1/accounts/verify_credentials").headers["X-RateLimit-Reset"].isdigit()


def test_json_bodies(server: MastodonServer) -> None:
    """A status may come as JSON too."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{server.url}/api/v1/statuses",
            json={"status": "a", "in_reply_to_id": None},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=10,
        )

    assert answer.json()["content"] == "<p>a</p>"


def test_faults_come_one_by_one(api: Any, server: MastodonServer) -> None:
    """Each fault spoils one send, in the order they were scripted; then all is well."""
    server.fail(503)
    server.throttle(60)

    assert code_of(lambda: api.status_post("a")) == 503
    with pytest.raises(MastodonRatelimitError):
        api.status_post("a")
    assert server.statuses() == []
    assert api.status_post("a").id


def test_it_comes_back_on_the_same_port(api: Any, server: MastodonServer) -> None:
    """Stopped and started again, it listens where it did and holds what it held."""
    first = api.status_post("a").id
    server.stop()
    server.start()

    assert api.status_post("b", in_reply_to_id=first).in_reply_to_id == first


@settings(deadline=None)
@given(st.text(alphabet="a<>&\"'\n", max_size=30))
def test_html_is_escaped(text: str) -> None:
    """No character of a text becomes a tag."""
    plain = to_html(text).replace("<p>", "").replace("</p>", "").replace("<br />", "")

    assert "<" not in plain
    assert ">" not in plain


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
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address, token = (word.partition("=")[2] for word in process.stdout.readline().split())
        session = requests.Session()
        session.trust_env = False
        api = Mastodon(api_base_url=address, access_token=token, session=session)
        posted = api.status_post("1/ The lamp")
        printed = process.stdout.readline()
        session.close()
        process.terminate()

    assert printed == f"{posted.id} (public): 1/ The lamp\n"
