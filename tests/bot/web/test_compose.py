"""A thread written in the browser: seen before it goes, added whole or not at all."""

import re
from pathlib import Path

from httpx2 import Response
from starlette.testclient import TestClient

from tests.bot.media.drawn import MP4, PDF, jpeg
from tests.bot.web.opened import Opened, csrf, opened, packed, press
from threadcast.bot.chat.access import Sender
from threadcast.bot.people.people import Role
from threadcast.bot.requests.drafting.drafts import Drafts

TEXT = "1/2 A kettle sings before it boils.\n\n2/2 Then it stops. /end\n"
ADA = Sender(11, 11, Role.OWNER)


def mark(browser: TestClient) -> str:
    found = re.search(r'id="mark" name="seen" value="([0-9a-f]+)"', browser.get("/compose").text)
    assert found is not None
    return found[1]


def typed(browser: TestClient, text: str, path: str = "/compose/preview", **more: str) -> Response:
    """What a browser sends when somebody has typed something in a page that it has just opened."""
    seen = more.pop("seen", "") or mark(browser)
    return press(browser, path, text=text, seen=seen, **more)


def box(browser: TestClient) -> str:
    """The text that stands on the page when it is opened anew."""
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", browser.get("/compose").text, re.DOTALL)
    assert found is not None
    return found[1]


def drafts(page: Opened) -> Drafts:
    return Drafts(page.database.notes, lambda: page.moment[0])


def test_seen_and_not_added(tmp_path: Path) -> None:
    """A preview shows posts as their readers will see them, once where they are the same, and keeps all."""
    with opened(tmp_path, THREADCAST_CHANNELS__SLOW__LIKE="telegram") as page:
        browser = page.signed_in()
        seen = typed(browser, TEXT.replace("2/2 Then", "3/2 Then")).text
        assert "<html" not in seen
        assert re.findall(r'class="panel (\w+)" aria-label="([^"]+)"', seen) == [
            ("mastodon", "On news"),
            ("telegram", "On slow"),
        ]
        assert 'data-line="3">line 3</button> <q>3/2 Then it stops. /end</q>' in seen
        assert page.database.reading.deliveries() == ()
        assert "A kettle sings" in box(browser)
        assert box(page.signed_in("shell:bob")) == ""
    with opened(tmp_path) as page:
        assert 'aria-label="On news, slow"' in typed(page.signed_in(), TEXT).text


def test_how_long(tmp_path: Path) -> None:
    """Each post has its length as a ring, with the number; the pieces of a split part are counted."""
    with opened(tmp_path) as page:
        seen = typed(page.signed_in(), "1/2 Steam.\n\n2/2 " + "It is patient. " * 60).text
        assert 'aria-label="10 of 500 characters"' in seen
        assert re.findall(r"piece \d of \d", seen) == ["piece 1 of 2", "piece 2 of 2"]


def test_the_chat_and_the_page(tmp_path: Path) -> None:
    """What was begun in the chat goes on here, and the other way round; each has their own."""
    with opened(tmp_path) as page:
        browser, chat = page.signed_in("telegram:11"), drafts(page)
        chat.open(ADA, ["slow"])
        chat.put(ADA, 7, "1/2 A kettle sings")
        chat.put(ADA, 8, "before it boils.")
        assert box(browser) == "1/2 A kettle sings\nbefore it boils."
        assert re.findall(r'value="(\w+)" checked', browser.get("/compose").text) == ["slow"]
        typed(browser, "1/2 A kettle sings before it boils.", channel="slow")
        chat.put(ADA, 9, "2/2 Then it stops. /end")
        draft = chat.of(ADA)
        assert draft is not None
        assert draft.text == TEXT.replace("\n\n", "\n").strip()
        assert (draft.channels, list(draft.messages)) == (("slow",), [9])
        assert box(page.signed_in("telegram:22")) == ""
        assert chat.of(Sender(11, -5, Role.OWNER)) is None


def test_written_in_two_places(tmp_path: Path) -> None:
    """What came to a draft meanwhile is not written over: it is said, and a person says which text stays."""
    with opened(tmp_path) as page:
        browser, chat = page.signed_in("telegram:11"), drafts(page)
        seen = mark(browser)
        chat.put(ADA, 7, "1/ From the chat.")
        late = typed(browser, "1/ From the page.", seen=seen)
        assert "became something else meanwhile" in late.text
        assert 'id="mark"' not in late.text
        assert box(browser) == "1/ From the chat."
        assert press(browser, "/compose", text=TEXT, seen=seen, channel="news").status_code == 303
        assert box(browser) == "1/ From the chat."
        kept = typed(browser, "1/ From the page.", seen=seen, mine="true").text
        assert "became something else" not in kept
        assert box(browser) == "1/ From the page."


def test_added(tmp_path: Path) -> None:
    """It is added on the channels that are chosen, at the time that is given, and leads to its thread."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        typed(browser, TEXT)
        answer = typed(browser, TEXT, "/compose", channel="slow", at="in 2h")
        assert (answer.status_code, answer.headers["location"]) == (303, "/threads/1")
        (one,) = page.database.reading.deliveries()
        assert (one.channel, one.state, one.own_time) == ("slow", "queued", True)
        assert box(browser) == ""
        press(browser, "/compose", text=TEXT, channel="news", hold="true")
        assert {one.channel: one.state for one in page.database.reading.deliveries()} == {
            "slow": "queued",
            "news": "held",
        }


def test_what_cannot_be_added(tmp_path: Path) -> None:
    """What is wrong is said beside the text, which stays, and nothing is half added."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        wrong = (
            ({"text": "", "channel": "news"}, "there is no thread in it"),
            ({"text": TEXT}, "no channel is chosen"),
            ({"text": TEXT, "channel": "news", "at": "someday"}, "no time that I can read"),
            ({"text": TEXT.replace("\n\n", "\n![a cat](../cat.jpg)\n\n"), "channel": "news"}, "cat.jpg"),
        )
        for given, said in wrong:
            answer = press(browser, "/compose", **given)
            assert answer.status_code == 422, answer.text
            assert said in answer.text
            assert given["text"].split("\n")[0] in answer.text
        assert page.database.reading.deliveries() == ()
        press(browser, "/compose", text=TEXT, channel="news")
        assert "is #1 already" in press(browser, "/compose", text=TEXT, channel="news").text
        assert press(browser, "/compose", text=TEXT, channel="nobody").status_code == 404


def test_what_an_editor_adds(tmp_path: Path) -> None:
    """What an editor adds waits for an owner; they take back their own as long as it waits, nobody else's."""
    with opened(tmp_path) as page:
        browser, owner = page.signed_in("telegram:22"), page.signed_in()
        assert "Publish</button>" not in browser.get("/compose").text
        assert press(browser, "/compose", text=TEXT, channel="news").headers["location"] == "/threads/1"
        press(owner, "/compose", text=TEXT.replace("kettle", "pot"), channel="news", hold="true")
        assert [one.code for one in page.database.reading.deliveries(thread_id=1)] == ["editor"]
        shown = browser.get("/compose").text
        assert ("Take back #1" in shown, "Take back #2" in shown) == (True, False)
        assert press(browser, "/compose/take-back", thread="2").status_code == 403
        assert press(browser, "/compose/take-back", thread="1").status_code == 303
        assert {one.thread_id: one.state for one in page.database.reading.deliveries()} == {
            1: "cancelled",
            2: "held",
        }
        assert press(browser, "/compose/take-back", thread="1").status_code == 403


def sent(browser: TestClient, text: str, *files: tuple[str, bytes], **more: str) -> str:
    answer = browser.post(
        "/compose/files",
        data={"csrf": csrf(browser), "text": text, "seen": mark(browser), **more},
        files=[("file", file) for file in files],
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def test_files(tmp_path: Path) -> None:
    """A dropped picture is kept by its content, stands in its part, is described, and left out again."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        sent(browser, TEXT, ("a cat.jpg", jpeg()), place="1")
        sent(browser, box(browser), ("steam.mp4", MP4))
        line, video = re.findall(r"!\[\]\((files/[0-9a-f]{16}/[^)]+)\)", box(browser))
        assert box(browser) == TEXT.replace("\n\n", f"\n![]({line})\n\n").rstrip() + f"\n![]({video})\n"
        assert line.endswith("/a-cat.jpg")
        picture = browser.get("/compose/files/" + line.split("/")[1])
        assert (picture.content, picture.headers["content-type"]) == (jpeg(), "image/jpeg")
        assert page.browser().get("/compose/files/" + line.split("/")[1]).status_code == 303
        seen = typed(browser, box(browser), "/compose/describe", line="2", description="A [cat]\nasleep")
        assert 'alt="A (cat) asleep"' in seen.text
        assert f"![A (cat) asleep]({line})" in box(browser)
        typed(browser, box(browser), "/compose/leave-out", line="2")
        assert line not in box(browser)
        typed(browser, box(browser), "/compose", channel="news")
        (thread,) = page.database.reading.thread(1).thread.media
        assert thread.file is not None


def test_texts(tmp_path: Path) -> None:
    """Dropped texts stand behind one another, an archive comes with its files."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        archive = packed(a_txt=b"1/ With a picture.\n![](b.jpg)\n2/ End. /end", b_jpg=jpeg())
        sent(browser, "", ("one.txt", TEXT.encode()), ("all.zip", archive))
        text = box(browser)
        assert text.startswith(TEXT.strip())
        assert re.search(r"1/ With a picture.\n!\[\]\(files/[0-9a-f]{16}/b.jpg\)\n2/ End. /end", text)


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    """What cannot be used is said by its name; what came with it is kept, and strangers send nothing."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        seen = sent(
            browser,
            TEXT,
            ("paper.pdf", PDF),
            ("broken.jpg", b"no picture"),
            ("empty.mp4", b""),
            ("good.jpg", jpeg()),
        )
        for said in ("paper.pdf is", "broken.jpg is no picture", "empty.mp4 is empty"):
            assert said in seen
        assert "good.jpg" in box(browser)
        assert "no such part" in sent(browser, TEXT, ("good.jpg", jpeg()), place="9")
        large = {"Content-Length": str(200 * 1024 * 1024)}
        assert browser.post("/compose/files", content=b"", headers=large).status_code == 413
        data, files = {"csrf": "0" * 64}, {"file": ("a.jpg", jpeg())}
        assert browser.post("/compose/files", data=data, files=files).status_code == 403
        assert page.browser().post("/compose/files", files=files).headers["location"] == "/sign-in"
        assert browser.get("/compose/files/" + "0" * 16).status_code == 404


def test_settings(tmp_path: Path) -> None:
    """A setting is written before the thread; a wrong one is said, and not written."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        seen = typed(browser, TEXT, "/compose/set", name="warning", value="Steam")
        assert '<span dir="auto">Steam</span></summary>' in seen.text
        assert box(browser) == f"---\nwarning: Steam\n---\n{TEXT}"
        typed(browser, box(browser), "/compose/set", name="visibility", value="unlisted")
        assert box(browser) == f"---\nwarning: Steam\nvisibility: unlisted\n---\n{TEXT}"
        wrong = typed(browser, box(browser), "/compose/set", name="language", value="?!")
        assert "the setting language has to be" in wrong.text
        for name in ("warning", "visibility"):
            typed(browser, box(browser), "/compose/set", name=name, value="")
        assert box(browser) == TEXT
        assert "stand before each thread" in typed(browser, TEXT + TEXT, "/compose/set", name="title").text
