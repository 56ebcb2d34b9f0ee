"""What a program does with chains that others touched: taken over, and made again what they were."""

from pathlib import Path

import pytest

from tests.bot.web.api.test_threads import TEXT, add
from tests.bot.web.opened import opened
from threadcast.bot.channels.port import Difference
from threadcast.bot.people.tokens import Scope
from threadcast.queue.outcomes import Unreached


def test_taken_over(tmp_path: Path) -> None:
    """A chain that was begun by hand goes on behind the post that is named, once that was looked at."""
    with opened(tmp_path) as page:
        client = page.program()
        add(client)
        last = next(post.remote_id for post in page.database.reading.posts(page.publish().id))
        asked = {"text": TEXT + "\n3/ Tea, at last.\n", "channel": "news", "parts": 1, "last": last}
        answer = client.post("/adopt", json=asked)
        assert answer.status_code == 201, answer.text
        (one,) = answer.json()["threads"][0]["deliveries"]
        assert (one["channel"], one["state"]) == ("news", "queued")
        assert client.post("/adopt", json=asked | {"parts": 3}).status_code == 422
        assert client.post("/adopt", json=asked | {"channel": "nobody"}).status_code == 404
        assert client.post("/adopt", json=asked | {"last": "nowhere"}).status_code == 409
        assert page.program(Scope.ADD, "adder").post("/adopt", json=asked).status_code == 403


def test_edited_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another edited is counted, then edited back by the service; what cannot be seen is not guessed."""
    with opened(tmp_path) as page:
        client = page.program()
        number, at = add(client), "edit-back"
        page.publish()
        (news,) = (one for one in page.site.channels if one.name == "news")

        async def edited(chain: object) -> tuple[Difference, ...]:
            return (Difference("edited", 2, "it says something else"),)

        async def unreached(chain: object) -> Unreached:
            return Unreached("the line is cut")

        assert client.post(f"/threads/{number}/{at}").json()["edits"] == {}
        monkeypatch.setattr(news, "audit", edited)
        assert client.post(f"/threads/{number}/{at}", json={"dry_run": True}).json()["edits"] == {"news": 1}
        assert [post.edit for post in page.database.reading.posts(1)] == [None, None]
        assert client.post(f"/threads/{number}/{at}").json()["edits"] == {"news": 1}
        assert [bool(post.edit) for post in page.database.reading.posts(1)] == [False, True]
        monkeypatch.setattr(news, "audit", unreached)
        refused = client.post(f"/threads/{number}/{at}")
        assert (refused.status_code, "the line is cut" in refused.json()["detail"]) == (409, True)
