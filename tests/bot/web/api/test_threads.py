"""Threads by the API: what is asked for is what the shell would do, and says."""

import asyncio
import io
import json
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from httpx2 import Response
from PIL import Image
from starlette.testclient import TestClient

from tests.bot.web.opened import Opened, opened, packed
from threadcast.bot import models
from threadcast.bot.people.tokens import Scope
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.queue.model import Claim, Delivery
from threadcast.queue.outcomes import Code, Refused, Throttled
from threadcast.queue.states import decide

TEXT = "1/ A kettle sings before it boils.\n\n2/ Then it stops.\n"
SHOWING = "1/ A cup.\n![A blue cup]({name})\n\n2/ Empty.\n"
UNUSABLE = "urn:problem-type:threadcast:unusable"


def picture() -> bytes:
    drawn = io.BytesIO()
    Image.new("RGB", (8, 8), "blue").save(drawn, "PNG")
    return drawn.getvalue()


def add(client: TestClient, text: str = TEXT, **more: object) -> int:
    answer = client.post("/threads", json={"text": text, "channels": ["news"], **more})
    assert answer.status_code == 201, answer.text
    number = answer.json()["threads"][0]["id"]
    assert isinstance(number, int)
    return number


def test_the_models_of_the_shell(tmp_path: Path) -> None:
    """What is shown of a thread is what `threadcast show --json` prints, to the letter."""
    with opened(tmp_path) as page:
        client = page.program()
        number = add(client)
        dossier = page.requests_of("shell:ada").queries.show(number)
        shown = json.loads(models.Dossier.model_validate(dossier).model_dump_json())
        assert client.get(f"/threads/{number}").json() == shown


def test_settings_and_wishes(tmp_path: Path) -> None:
    """Time, channels, hold and source are as they were asked for; what the text settles counts, too."""
    with opened(tmp_path) as page:
        client = page.program()
        number = add(client, "---\nwarning: tea\n---\n" + TEXT, at="2030-12-24T18:30", source="feed\x1b[31m")
        shown = client.get(f"/threads/{number}").json()
        (one,) = shown["deliveries"]
        assert (one["channel"], one["state"], one["due"]) == ("news", "queued", "2030-12-24T18:30:00+00:00")
        assert shown["thread"]["settings"] == {"warning": "tea"}
        assert "\x1b" not in shown["source"]


def test_all_or_none(tmp_path: Path) -> None:
    """Of a text with several threads all are added, or on an error none."""
    with opened(tmp_path) as page:
        client = page.program()
        two = TEXT + "\n" + TEXT.replace("kettle", "pan")
        assert [one["id"] for one in client.post("/threads", json={"text": two}).json()["threads"]] == [1, 2]
        bad = TEXT.replace("kettle", "lid") + "\n" + SHOWING.format(name="cup.png")
        assert client.post("/threads", json={"text": bad}).status_code == 422
        assert len(client.get("/threads").json()["threads"]) == 2


def test_the_list(tmp_path: Path) -> None:
    """Threads are listed a page at a time, the newest first, each once; by state and channel where asked."""
    with opened(tmp_path) as page:
        client = page.program()
        numbers = [
            add(client, TEXT.replace("kettle", f"kettle {one}"), hold=one % 2 == 0) for one in range(7)
        ]
        found, before = [], ""
        while True:
            listed = client.get(f"/threads?limit=3{before}").json()
            found += [one["id"] for one in listed["threads"]]
            if listed["next"] is None:
                break
            before = f"&before={listed['next']}"
        assert found == numbers[::-1]
        held = client.get("/threads?state=held").json()["threads"]
        assert [one["id"] for one in held] == numbers[::-2]
        assert client.get("/threads?channel=slow").json() == {"threads": [], "next": None}
        assert len(client.get("/queue?limit=2&skip=6").json()["deliveries"]) == 1


def test_events_are_never_missed(tmp_path: Path) -> None:
    """Who goes on behind the last event sees each of them once, in order; those of one thread, too."""
    with opened(tmp_path) as page:
        client = page.program()
        number = add(client)
        for _ in range(3):
            client.post(f"/threads/{number}/hold")
            client.post(f"/threads/{number}/release")
        seen, after = [], 0
        while True:
            found = client.get(f"/events?after={after}&limit=2").json()
            seen += [one["id"] for one in found["events"]]
            if found["next"] is None:
                break
            after = found["next"]
        assert seen == sorted(set(seen))
        assert len(seen) == 8  # the token, too
        whats = [one["what"] for one in client.get(f"/events?thread={number}").json()["events"]]
        assert whats == ["add", *["hold", "release"] * 3]
        assert client.get(f"/events?thread={number}&after={seen[-1]}").json() == {"events": [], "next": None}


def test_a_file_by_itself(tmp_path: Path) -> None:
    """A file is kept by its content, answered the same when it comes again, and shown where it is named."""
    with opened(tmp_path) as page:
        client = page.program(Scope.ADD, "cups")
        sent = {"file": ("my cup.png", picture(), "text/plain")}
        kept = client.post("/media", files=sent)
        assert kept.status_code == 201, kept.text
        digest = sha256(picture()).hexdigest()
        source = f"files/{digest[:16]}/my-cup.png"
        about = {"sha256": digest, "type": "image/png", "kind": "image", "size": len(picture())}
        assert kept.json() == {"source": source, **about}
        assert client.post("/media", files=sent).json() == kept.json()
        text = {"text": SHOWING.format(name=source), "channels": ["news"]}
        (thread,) = client.post("/preview", json=text).json()["threads"]
        assert thread["parts"][0]["media"][0]["size"] == len(picture())
        number = client.post("/threads", json=text).json()["threads"][0]["id"]
        assert client.get(f"/threads/{number}/media/1").content == picture()


def test_a_file_that_cannot_be_kept(tmp_path: Path) -> None:
    """What is no file with a name, is broken, or comes from a reader, is refused and not kept."""
    with opened(tmp_path) as page:
        client, reader = page.program(), page.program(Scope.READ, "reader")
        cup = ("cup.png", picture())
        assert reader.post("/media", files={"file": cup}).status_code == 403
        assert client.post("/media", json={"file": "cup.png"}).status_code == 415
        for files in ({"picture": cup}, {"file": (None, "cup")}, {"file": ("cup.png", picture()[:40])}):
            refused = client.post("/media", files=files)
            assert (refused.status_code, refused.json()["type"]) == (
                422,
                "urn:problem-type:threadcast:unusable",
            )
        assert client.post("/media", files=[("file", cup), ("file", cup)]).status_code == 422
        assert not list(page.folder.glob("media/??/*"))


def test_an_archive(tmp_path: Path) -> None:
    """Texts and their files come in one archive, once under a key; what is wrong with it adds nothing."""
    with opened(tmp_path) as page:
        client = page.program()
        week = packed(a_txt=SHOWING.format(name="cup.png"), b_md=TEXT, cup_png=picture())

        def send(path: str, **headers: str) -> Response:
            files = {"archive": ("week.zip", week)}
            return client.post(path, files=files, data={"channels": "news"}, headers=headers)

        looked = send("/preview")
        assert [len(one["parts"]) for one in looked.json()["threads"]] == [2, 2]
        assert client.get("/threads").json()["threads"] == []
        added, again = (send("/threads", **{"Idempotency-Key": "48"}) for _ in range(2))
        assert (added.status_code, again.content) == (201, added.content)
        assert [one["source"] for one in added.json()["threads"]] == ["week.zip: a.txt", "week.zip: b.md"]
        assert client.get("/threads/1/media/1").content == picture()
        other = {"archive": ("week.zip", packed(c_txt="1/ A pan.\n\n2/ A lid.\n"))}
        assert client.post("/threads", files=other, headers={"Idempotency-Key": "48"}).status_code == 422
        for files, data in (
            ({"archive": ("week.zip", b"PK no archive")}, {}),
            ({"archive": ("week.zip", packed(cup_png=picture()))}, {}),
            (other, {"text": TEXT}),
            (other | {"files": ("cup.png", picture())}, {}),
        ):
            refused = client.post("/threads", files=files, data=data)
            assert (refused.status_code, refused.json()["type"]) == (
                422,
                "urn:problem-type:threadcast:unusable",
            )
        assert client.post("/threads/1/parts", files=other).status_code == 422
        assert [one["id"] for one in client.get("/threads").json()["threads"]] == [2, 1]


@pytest.mark.parametrize("named", ["cup.png", "pictures/cup.png", "my%20cup.png"])
def test_files(tmp_path: Path, named: str) -> None:
    """A file that came along is kept with its thread, and given back as it came, to be saved."""
    with opened(tmp_path) as page:
        client = page.program()
        sent = named.rpartition("/")[2].replace("%20", " ")
        answer = client.post(
            "/threads",
            data={"channels": ["news", "slow"], "at": "in 2h"},
            files=[
                ("text", ("thread.md", SHOWING.format(name=named), "text/markdown")),
                ("files", (sent, picture(), "image/png")),
            ],
        )
        assert answer.status_code == 201, answer.text
        (thread,) = answer.json()["threads"]
        assert thread["source"] == "thread.md"
        assert {one["channel"] for one in thread["deliveries"]} == {"news", "slow"}
        (file,) = client.get("/threads/1/media").json()["files"]
        assert (file["number"], file["part"], file["media"]["kind"]) == (1, 1, "image")
        given = client.get("/threads/1/media/1")
        assert given.content == picture()
        assert given.headers["content-type"] == "application/octet-stream"
        assert given.headers["content-disposition"].startswith("attachment")


def test_hostile_forms(tmp_path: Path) -> None:
    """Files that lead elsewhere, have no name or one twice, or are too many are refused, whole."""
    with opened(tmp_path) as page:
        client = page.program()
        (tmp_path / "secret.txt").write_text("secret")
        for name in ("../secret.txt", f"{tmp_path}/secret.txt", "a/../../secret.txt"):
            text = {"text": SHOWING.format(name=name)}
            refused = client.post("/threads", data=text, files={"files": ("x.txt", b"x")})
            assert refused.status_code == 422, refused.text
        text = {"text": TEXT}
        for files in (
            [("files", ("a.txt", b"1")), ("files", ("a.txt", b"2"))],
            [("files", (f"{one}.txt", b"x")) for one in range(51)],
        ):
            assert client.post("/threads", data=text, files=files).status_code == 422
        for more in ({"hold": "perhaps"}, {"colour": "blue"}, {"at": "x" * 101}):
            assert (
                client.post("/threads", data=text | more, files={"files": ("a.txt", b"1")}).status_code == 422
            )
        binary = [("text", ("t.txt", b"\xff\xfe\x00\xd8", "text/plain"))]
        assert client.post("/threads", files=binary).status_code == 422
        assert client.post("/threads", files=[("text", ("t.txt", b"x" * 1_100_000))]).status_code == 413
        assert client.get("/threads").json()["threads"] == []


def test_what_nobody_shows_is_noticed(tmp_path: Path) -> None:
    """A file that no line of the text shows is not passed over without a word."""
    with opened(tmp_path) as page:
        seen = page.program().post("/preview", data={"text": TEXT}, files={"files": ("cup.png", picture())})
        notices = seen.json()["threads"][0]["notices"]
        assert any(one["kind"] == "unused" and "cup.png" in one["message"] for one in notices)
        assert len(seen.json()["previews"]) == 2
        assert page.database.reading.deliveries() == ()


def test_edited(tmp_path: Path) -> None:
    """A text is changed where it waits; a trial changes nothing; parts can be added, and all forgotten."""
    with opened(tmp_path) as page:
        client = page.program()
        number = add(client)
        new = {"text": TEXT.replace("kettle", "pan")}
        client.put(f"/threads/{number}/text", json=new | {"dry_run": True})
        assert client.get(f"/threads/{number}").json()["title"].startswith("A kettle")
        assert client.put(f"/threads/{number}/text", json=new).json()["edits"] == {}
        assert client.get(f"/threads/{number}").json()["title"].startswith("A pan")
        at = f"/threads/{number}/settings"
        assert client.patch(at, json={"warning": "tea", "sensitive": True}).status_code == 200
        assert client.patch(at, json={"sensitive": None}).status_code == 200
        assert client.get(f"/threads/{number}").json()["thread"]["settings"] == {"warning": "tea"}
        for wrong in ({}, {"colour": "blue"}, {"sensitive": "perhaps"}, {"hold": True}):
            assert client.patch(at, json=wrong).status_code == 422
        assert client.post(f"/threads/{number}/parts", json={"text": "Tea"}).status_code == 422
        assert client.post(f"/threads/{number}/parts", json={"text": "3/ Tea."}).status_code == 200
        assert len(client.get(f"/threads/{number}").json()["thread"]["parts"]) == 3
        assert client.delete(f"/threads/{number}").json() == {"removed": number}
        assert client.get(f"/threads/{number}").status_code == 404


def test_steered(tmp_path: Path) -> None:
    """Each act does what its name says, on the channels named or wherever the state allows it."""
    with opened(tmp_path) as page:
        client = page.program()
        number = add(client)
        other = add(client, TEXT.replace("kettle", "pan"))

        def act(name: str, **body: object) -> str:
            answer = client.post(f"/threads/{number}/{name}", json=body)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["deliveries"][0]["state"])

        assert act("hold") == "held"
        assert act("release", channels=["news"]) == "queued"
        assert act("at", at="in 2h") == "queued"
        assert act("move", after=other) == "queued"
        assert act("stop") == "held"
        assert act("publish", channels=["slow"], now=True) == "queued"
        partly = client.post(f"/threads/{number}/hold").json()
        assert [one["channel"] for one in partly["deliveries"]] == ["slow"]
        assert [one["channel"] for one in partly["refused"]] == ["news"]
        assert act("cancel") == "cancelled"
        assert client.post(f"/threads/{other}/at", json={}).status_code == 409  # there are no slots
        paused = client.post("/channels/news/pause").json()["channels"]
        assert [(one["channel"], one["paused"]) for one in paused] == [("news", True)]
        assert client.post("/channels/news/resume").json()["channels"][0]["paused"] is False


def published(page: Opened, number: int) -> None:
    """Publish what is due, as the service would."""
    (channel,) = (one for one in page.site.channels if one.name == "news")
    publisher = Publisher(page.database, channel, worker="w", clock=lambda: page.moment[0], stop=Stop())
    ended = asyncio.run(publisher.publish())
    assert isinstance(ended, Delivery)
    assert (ended.thread_id, ended.state) == (number, "published")


def test_what_is_out(tmp_path: Path) -> None:
    """A published chain is edited where it stands, continued, and taken down post by post."""
    with opened(tmp_path) as page:
        client = page.program()
        number = add(client)
        published(page, number)
        posts = client.get(f"/threads/{number}").json()["deliveries"][0]["posts"]
        assert [one["state"] for one in posts] == ["sent", "sent"]
        new = {"text": TEXT.replace("stops", "rests")}
        trial = client.put(f"/threads/{number}/text", json=new | {"dry_run": True}).json()
        assert (trial["edits"], trial["deliveries"][0]["state"]) == ({"news": 1}, "published")
        assert client.put(f"/threads/{number}/text", json=new).json()["deliveries"][0]["state"] == "queued"
        published(page, number)
        client.post(f"/threads/{number}/parts", json={"text": "3/ Tea."})
        published(page, number)
        (one,) = client.post(f"/threads/{number}/audit").json()["deliveries"]
        assert (one["looked_at"], one["problem"], one["differences"]) == (3, "", [])
        undone = client.post(f"/threads/{number}/undo").json()
        (one,) = undone["deliveries"]
        assert (one["state"], one["gone"], one["out"], undone["until"]) == ("withdrawn", 3, 3, None)
        assert client.delete(f"/threads/{number}").status_code == 409


def test_a_network_that_asks_to_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a network asks to wait, a program is told until when, and goes on then."""
    with opened(tmp_path) as page:
        client = page.program()
        number = add(client)
        published(page, number)
        later = page.moment[0] + timedelta(minutes=30)
        (news,) = (one for one in page.site.channels if one.name == "news")

        async def throttle(remote_id: str) -> Throttled:
            return Throttled(later, "slowly")

        with monkeypatch.context() as patch:
            patch.setattr(news, "take_down", throttle)
            undone = client.post(f"/threads/{number}/undo").json()
        assert datetime.fromisoformat(undone["until"]) == later
        assert [(one["gone"], one["out"]) for one in undone["deliveries"]] == [(0, 2)]
        undone = client.post(f"/threads/{number}/undo").json()
        assert [(one["gone"], one["out"]) for one in undone["deliveries"]] == [(2, 2)]


def test_stopped_chains(tmp_path: Path) -> None:
    """A chain that stopped is gone on with; what is not possible says what is."""
    with opened(tmp_path) as page:
        client, moment = page.program(), page.moment[0]
        number = add(client)
        for name in ("retry", "skip", "settle", "undo"):
            assert client.post(f"/threads/{number}/{name}").status_code == 409
        claim = page.database.work.claim("news", worker="here", now=moment, until=moment)
        assert isinstance(claim, Claim)
        refused = decide(Refused("no", Code.CONTENT), last=False, tries=1, now=moment, chance=0)
        page.database.work.record(claim, None, refused, now=moment)
        assert client.get("/threads?state=failed").json()["threads"][0]["id"] == number
        said = client.post(f"/threads/{number}/release").json()["detail"]
        assert "release is not possible while failed" in said
        mended = client.post(f"/threads/{number}/retry", json={"mend": True})
        assert (mended.status_code, "could not be looked at" in mended.json()["detail"]) == (409, True)
        assert client.post(f"/threads/{number}/retry").json()["deliveries"][0]["state"] == "queued"
