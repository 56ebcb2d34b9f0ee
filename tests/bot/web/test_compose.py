"""A thread written in the browser: seen before it goes, added whole or not at all."""

from pathlib import Path

from tests.bot.web.opened import csrf, opened, press

TEXT = "1/2 A kettle sings before it boils.\n\n2/2 Then it stops. /end\n"


def test_seen_and_not_added(tmp_path: Path) -> None:
    """A preview shows each channel's posts and what the parser noticed, adds nothing, and keeps the text."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        text = TEXT.replace("2/2 Then", "3/2 Then")
        seen = browser.post(
            "/compose/preview", data={"csrf": csrf(browser), "text": text}, headers={"HX-Request": "true"}
        ).text
        assert "<html" not in seen
        assert seen.count("A kettle sings") == 2
        assert "line 3" in seen
        assert page.database.reading.deliveries() == ()
        assert "A kettle sings" in browser.get("/compose").text
        assert "A kettle sings" not in page.signed_in("shell:bob").get("/compose").text


def test_added(tmp_path: Path) -> None:
    """It is added on the channels that are chosen, at the time that is given, and leads to its thread."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        answer = press(browser, "/compose", text=TEXT, channel="slow", at="in 2h")
        assert (answer.status_code, answer.headers["location"]) == (303, "/threads/1")
        (one,) = page.database.reading.deliveries()
        assert (one.channel, one.state, one.own_time) == ("slow", "queued", True)
        assert "A kettle" not in browser.get("/compose").text
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


def test_an_editor_does_not_add(tmp_path: Path) -> None:
    """An editor sees how a text would look; what they add goes through the bot."""
    with opened(tmp_path) as page:
        browser = page.signed_in("telegram:22")
        assert press(browser, "/compose/preview", text=TEXT).status_code == 200
        assert press(browser, "/compose", text=TEXT, channel="news").status_code == 403
        assert page.database.reading.deliveries() == ()
