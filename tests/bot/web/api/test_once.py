"""What is added under a key is added once, whatever becomes of the answer."""

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from starlette.testclient import TestClient

from tests.bot.web.opened import HERE, Opened, opened
from threadcast.bot.channels.build import build_channels
from threadcast.bot.data_folder import remove_unneeded
from threadcast.bot.people.tokens import Scope
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.bot.web.app import make_app

WISH = {"text": "1/ A kettle sings before it boils.\n\n2/ Then it stops.\n", "channels": ["news"]}
KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def count(page: Opened) -> int:
    return len(page.database.reading.deliveries())


def test_asked_twice(tmp_path: Path) -> None:
    """The same key with the same body is given the same answer, though much has changed."""
    with opened(tmp_path) as page:
        client = page.program()
        wish = WISH | {"at": "in 2h"}
        first = client.post("/threads", json=wish, headers=KEY)
        page.moment[0] += timedelta(hours=5)
        client.post("/threads/1/cancel")
        second = client.post("/threads", json=wish, headers=KEY)
        assert (second.status_code, second.content) == (201, first.content)
        assert "idempotency-replayed" not in first.headers
        assert second.headers["idempotency-replayed"] == "true"
        assert count(page) == 1


def test_another_body(tmp_path: Path) -> None:
    """The same key with another body is refused, and adds nothing; that of another token is another key."""
    with opened(tmp_path) as page:
        client = page.program()
        client.post("/threads", json=WISH, headers=KEY)
        for other in ({"text": "1/ A pan.\n\n2/ A lid.\n"}, {"channels": ["slow"]}, {"hold": True}):
            refused = client.post("/threads", json=WISH | other, headers=KEY)
            assert refused.status_code == 422
            assert refused.json()["type"] == "urn:problem-type:threadcast:other-body"
        assert count(page) == 1
        twin = page.program(Scope.ADD, "twin").post(
            "/threads", json=WISH | {"channels": ["slow"]}, headers=KEY
        )
        assert (twin.status_code, count(page)) == (201, 2)


def test_what_was_refused_may_come_again(tmp_path: Path) -> None:
    """A request that was refused used no key up: mended, it is taken under the same one."""
    with opened(tmp_path) as page:
        client = page.program()
        assert client.post("/threads", json=WISH | {"at": "someday"}, headers=KEY).status_code == 422
        assert client.post("/threads", json=WISH, headers=KEY).status_code == 201


def test_dead_before_the_answer(tmp_path: Path) -> None:
    """Where the service died with the thread in the queue and the answer not given, asking again gives it."""
    with opened(tmp_path) as page:
        client = page.program()

        def die(channels: Collection[str]) -> bool:
            raise RuntimeError("the power went, after the commit")

        def requests_of(actor: str) -> Requests:
            channels = build_channels(page.settings)
            return build_requests(page.settings, page.database, channels, actor=actor, wake=die)

        dying = TestClient(
            make_app(replace(page.site, requests_of=requests_of)),
            base_url=f"{HERE}/api/v1",
            headers=dict(client.headers),
            raise_server_exceptions=False,
        )
        assert dying.post("/threads", json=WISH, headers=KEY).status_code == 500
        assert count(page) == 1
        page.requests_of("shell:ada").threads.remove(1)  # not even the text is there to be recognised
        answer = client.post("/threads", json=WISH, headers=KEY)
        assert (answer.status_code, answer.json()["threads"][0]["id"]) == (201, 1)
        assert count(page) == 0


def test_many_at_once(tmp_path: Path) -> None:
    """Of many that come at once with the same key one adds, and all are given its answer."""
    with opened(tmp_path) as page:
        headers = dict(page.program().headers)

        def ask(_: int) -> tuple[int, bytes]:
            client = TestClient(page.app, base_url=f"{HERE}/api/v1", headers=headers)
            answer = client.post("/threads", json=WISH, headers=KEY)
            return answer.status_code, answer.content

        with ThreadPoolExecutor(6) as pool:
            answers = set(pool.map(ask, range(6)))
        assert len(answers) == 1
        assert answers.pop()[0] == 201
        assert count(page) == 1


def test_without_a_key(tmp_path: Path) -> None:
    """Without a key, too, the queue knows a text that it has; the answer says so, and where it is."""
    with opened(tmp_path) as page:
        client = page.program()
        client.post("/threads", json=WISH)
        again = client.post("/threads", json=WISH)
        assert again.status_code == 200
        assert again.json()["threads"][0]["duplicates"] == [
            {"channel": "news", "thread": 1, "state": "queued"}
        ]
        assert count(page) == 1


def test_with_files(tmp_path: Path) -> None:
    """A form is the same request where its files are, however a program marks its parts; else another one."""
    with opened(tmp_path) as page:
        client = page.program()
        data = {"text": "1/ A cup.\n![A cup](cup.txt)\n\n2/ Empty.\n", "channels": "news"}

        def ask(content: bytes) -> int:
            files = {"files": ("cup.txt", content, "text/plain")}
            return client.post("/threads", data=data, files=files, headers=KEY).status_code

        assert [ask(b"blue"), ask(b"blue"), ask(b"green")] == [201, 201, 422]
        assert count(page) == 1


def test_a_day_later(tmp_path: Path) -> None:
    """Answers are kept for a day."""
    with opened(tmp_path) as page:
        client = page.program()
        client.post("/threads", json=WISH, headers=KEY)
        for hours, replayed in ((23, "true"), (2, None)):
            page.moment[0] += timedelta(hours=hours)
            remove_unneeded(page.settings, page.database, lambda: page.moment[0])
            answer = client.post("/threads", json=WISH, headers=KEY)
            assert answer.headers.get("idempotency-replayed") == replayed
        assert count(page) == 1
