"""Who may use the API, and what each is told who may not."""

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

from tests.bot.web.opened import HERE, Opened, opened
from threadcast.bot.people.tokens import Scope, revoke
from threadcast.bot.web.api.api import AT, examples
from threadcast.bot.web.api.caller import Rates
from threadcast.bot.web.api.problems import MEDIA_TYPE
from threadcast.config.settings import DATABASE

TEXT = "1/ A kettle sings before it boils.\n\n2/ Then it stops.\n"
KEYS = {"type", "title", "status", "detail", "next"}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer threadcast_wrong",
        "Basic Y2k6Y2k=",
        "bearer x y",
        "Bearer " + "x" * 9000,
    ],
)
def test_a_stranger_is_told_nothing(tmp_path: Path, given: str) -> None:
    """Without a good token every address answers the same, also one where nothing is; no body is read."""
    with opened(tmp_path) as page:
        client = page.browser(f"{HERE}/api/v1")
        client.headers["Authorization"] = given
        for method, path in (
            ("GET", "/threads"),
            ("POST", "/threads"),
            ("GET", "/nowhere"),
            ("GET", "/openapi.json"),
            ("DELETE", "/threads/1"),
        ):
            answer = client.request(method, path, content=b"x" * 2_000_000 if method == "POST" else None)
            assert answer.status_code == 401
            assert answer.headers["content-type"] == MEDIA_TYPE
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json().keys() == KEYS
            assert "threadcast token new" in answer.json()["next"]
            assert "wrong" not in answer.text


def test_a_session_is_no_token(tmp_path: Path) -> None:
    """Who is signed in to the page reads the description of the API, and can ask nothing else of it."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        assert browser.get("/api/v1/openapi.json").status_code == 200
        assert browser.get("/api/v1/threads").status_code == 401
        assert browser.post("/api/v1/channels/news/pause").status_code == 401
        assert page.program(Scope.READ).get("/openapi.json").status_code == 200


def test_scopes(tmp_path: Path) -> None:
    """Each scope is allowed what its name says; what it is not allowed says which scope would do."""
    with opened(tmp_path) as page:
        read, add, all_ = (page.program(scope, scope.value) for scope in Scope)
        wish = {"text": TEXT, "channels": ["news"]}
        assert read.post("/threads", json=wish).json()["detail"] == (
            "this needs the scope add, and the token read has read"
        )
        assert read.post("/preview", json=wish).status_code == 403
        assert add.post("/preview", json=wish).status_code == 200
        assert add.post("/threads", json=wish | {"hold": False}).status_code == 403
        assert add.post("/threads", json=wish | {"again": True}).status_code == 403
        assert add.post("/threads", json=wish).status_code == 201
        for client in (read, add):
            assert client.get("/threads/1").status_code == 200
            for method, path in (
                ("POST", "/threads/1/hold"),
                ("POST", "/threads/1/undo"),
                ("PUT", "/threads/1/text"),
                ("POST", "/threads/1/parts"),
                ("DELETE", "/threads/1"),
                ("POST", "/channels/news/pause"),
            ):
                refused = client.request(method, path, json={"text": TEXT} if "text" in path else None)
                assert refused.status_code == 403, path
                assert "--scope all" in refused.json()["next"]
        assert all_.post("/threads/1/hold").status_code == 200


def test_a_channel_that_holds_every_thread(tmp_path: Path) -> None:
    """Where each thread waits for approval, one that a token adds waits, too; a wider token may lift that."""
    with opened(tmp_path, THREADCAST_CHANNELS__NEWS__HOLD="true") as page:
        wish = {"text": TEXT, "channels": ["news"]}
        (added,) = page.program(Scope.ADD).post("/threads", json=wish).json()["threads"]
        assert added["deliveries"][0]["state"] == "held"
        other = wish | {"text": TEXT.replace("kettle", "pan"), "hold": False}
        (added,) = page.program(Scope.ALL, "all").post("/threads", json=other).json()["threads"]
        assert added["deliveries"][0]["state"] == "queued"


def test_revoked(tmp_path: Path) -> None:
    """A token that is revoked is good for nothing from the next request on."""
    with opened(tmp_path) as page:
        client = page.program()
        assert client.get("/channels").status_code == 200
        revoke(page.database.notes, "ci", by="shell:ada", now=page.moment[0])
        assert client.get("/channels").status_code == 401


def test_what_stands_in_the_history(tmp_path: Path) -> None:
    """What a program did stands in the history under the name of its token; the token stands nowhere."""
    with opened(tmp_path) as page:
        client = page.program()
        client.post("/threads", json={"text": TEXT, "channels": ["news"]})
        client.post("/threads/1/hold")
        shown = client.get("/threads/1")
        assert [(one["actor"], one["what"]) for one in shown.json()["events"]] == [
            ("api:ci", "add"),
            ("api:ci", "hold"),
        ]
        secret = client.headers["Authorization"].partition(" ")[2]
        for path in ("/events", "/threads/1", "/channels", "/openapi.json"):
            assert secret not in client.get(path).text


def _refused(page: Opened) -> list[tuple[str, str, dict[str, object], int, str]]:
    return [
        ("GET", "/nowhere", {}, 404, "not-found"),
        ("GET", "/channels/a%0Ab", {}, 404, "not-found"),
        ("PATCH", "/threads", {}, 405, "method"),
        ("GET", "/threads/7", {}, 404, "not-found"),
        ("GET", "/threads/x", {}, 422, "unusable"),
        ("GET", "/threads?limit=0", {}, 422, "unusable"),
        ("GET", "/threads?limit=101", {}, 422, "unusable"),
        ("GET", "/threads?channel=nobody", {}, 404, "not-found"),
        ("GET", "/events?thread=7", {}, 404, "not-found"),
        ("GET", "/threads/1/media/9", {}, 404, "not-found"),
        ("POST", "/channels/nobody/pause", {}, 404, "not-found"),
        ("POST", "/channels/news/explode", {}, 422, "unusable"),
        ("POST", "/threads/1/explode", {}, 404, "not-found"),
        ("POST", "/threads/1/undo", {}, 409, "not-allowed"),
        ("POST", "/threads/1/hold", {"json": {"channels": ["nobody"]}}, 404, "not-found"),
        ("POST", "/threads/1/hold", {"json": {"chanels": ["news"]}}, 422, "unusable"),
        (
            "POST",
            "/threads/1/hold",
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            422,
            "unusable",
        ),
        ("POST", "/threads/1/at", {"json": {"at": "someday"}}, 422, "unusable"),
        ("POST", "/threads", {"json": {"text": TEXT, "channels": ["nobody"]}}, 404, "not-found"),
        ("POST", "/threads", {"json": {"text": "  "}}, 422, "unusable"),
        ("POST", "/threads", {"json": {"text": ["a"]}}, 422, "unusable"),
        ("POST", "/threads", {"json": {"text": TEXT, "hold": "yes"}}, 422, "unusable"),
        ("POST", "/threads", {"content": TEXT.encode()}, 415, "format"),
        (
            "POST",
            "/threads",
            {"content": b'{"text": "\\ud800"}', "headers": {"Content-Type": "application/json"}},
            422,
            "unusable",
        ),
        ("POST", "/threads", {"json": {"text": "x" * 1_100_000}}, 413, "too-large"),
        ("POST", "/threads/1/hold", {"content": b"x" * 1_100_000}, 413, "too-large"),
        (
            "POST",
            "/threads/1/hold",
            {"content": b"", "headers": {"Transfer-Encoding": "chunked"}},
            413,
            "too-large",
        ),
        ("POST", "/threads/1/hold", {"headers": {"Content-Length": "-1"}}, 413, "too-large"),
        (
            "POST",
            "/threads",
            {"json": {"text": TEXT}, "headers": {"Idempotency-Key": "a b"}},
            422,
            "unusable",
        ),
        (
            "POST",
            "/threads",
            {"json": {"text": TEXT}, "headers": {"Idempotency-Key": "x" * 256}},
            422,
            "unusable",
        ),
    ]


def test_problems(tmp_path: Path) -> None:
    """What cannot be done is a problem: which, why, and what to do; with the status of its kind."""
    with opened(tmp_path) as page:
        client = page.program()
        client.post("/threads", json={"text": TEXT, "channels": ["news"]})
        for method, path, more, status, kind in _refused(page):
            answer = client.request(method, path, **more)  # type: ignore[arg-type]  # as written above
            assert (answer.status_code, path) == (status, path), answer.text
            assert answer.headers["content-type"] == MEDIA_TYPE
            said = answer.json()
            assert said.keys() == KEYS
            assert (said["type"], said["status"]) == (f"urn:problem-type:threadcast:{kind}", status)
            assert said["detail"]
            assert said["next"]
        assert len(page.database.reading.deliveries()) == 1


def test_a_queue_that_is_gone(tmp_path: Path) -> None:
    """Where the queue cannot be used that is said as such, and nothing of its inside."""
    with opened(tmp_path) as page:
        client = page.program()
        file = page.settings.data / DATABASE
        file.rename(file.with_suffix(".away"))
        answer = client.get("/threads")
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (503, "unavailable")
        assert "Traceback" not in answer.text


def test_every_operation_needs_a_token(tmp_path: Path) -> None:
    """No operation that is described answers a stranger."""
    with opened(tmp_path) as page:
        described = page.program(Scope.READ).get("/openapi.json").json()
        stranger = page.browser(f"{HERE}/api/v1")
        count = 0
        for path, methods in described["paths"].items():
            address = path.format(thread=1, number=1, name="news", act="pause")
            for method, operation in methods.items():
                assert operation["security"] == [{"token": []}]
                assert stranger.request(method.upper(), address).status_code == 401
                count += 1
        assert count == len(examples())


def test_a_token_that_asks_too_often(tmp_path: Path) -> None:
    """After so many requests within a minute a token is told to wait, and for how long; others are not."""
    with opened(tmp_path) as page:
        client, other = page.program(Scope.READ), page.program(Scope.READ, "other")
        (api,) = (one.app for one in page.app.routes if isinstance(one, Mount) and one.path == AT)
        assert isinstance(api, FastAPI)
        api.state.rates = Rates(page.site, most=3)
        for _ in range(3):
            assert client.get("/channels").status_code == 200
        page.moment[0] += timedelta(seconds=20)
        refused = client.get("/channels")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "40")
        assert refused.json().keys() == KEYS
        assert other.get("/channels").status_code == 200
        page.moment[0] += timedelta(seconds=40)
        assert client.get("/channels").status_code == 200
