"""The page speaks the language of the browser, or the one that is set."""

import re
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.bot.languages.pseudo import LEFTWARDS, PSEUDO, STAYS, spoken
from tests.bot.web.opened import Opened, opened, press
from threadcast.bot.languages import preferred
from threadcast.bot.requests.input import understand

OURS = {"news", "slow", "local", "shell", "page"}  # names, and what is typed
THEIRS = re.compile(r"<(title|bdi|textarea|pre)\b.*?</\1>|<p class=.text.*?</p>", re.DOTALL)
CHROMIUM = shutil.which("chromium")


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("de", "de"),
        ("de-AT, en;q=0.5", "de"),
        ("pt-BR, fr;q=0.7, de;q=0.9", "de"),
        ("UK-ua;q=0.8,ru;q=0.8", "uk"),
        ("en;q=0, es ; q=0.001", "es"),
        ("zh-Hant-TW, *;q=0.5", "en"),
        ("de;q=0, de;q=x, fr;q=9, ;;;,\x00", "en"),
        ("", "en"),
    ],
)
def test_the_best_that_we_have(accepted: str, spoken: str) -> None:
    """Of the languages that a browser names, the one that it likes best of ours; else English."""
    assert preferred(accepted) == spoken


@pytest.mark.parametrize(
    ("given", "accepted", "spoken", "heading"),
    [
        ({}, "fr, en;q=0.5", "fr", "File"),
        ({}, "tlh", "en", "Queue"),
        ({"THREADCAST_LANGUAGE": "de"}, "fr", "de", "Warteschlange"),
    ],
)
def test_a_page_speaks(
    tmp_path: Path, given: dict[str, str], accepted: str, spoken: str, heading: str
) -> None:
    """Every answer is in the language that is asked for, says so, and what is refused is too."""
    with opened(tmp_path, **given) as page:
        browser = page.signed_in()
        browser.headers["Accept-Language"] = accepted
        shown = browser.get("/").text
        assert f'<html lang="{spoken}" dir="ltr">' in shown
        assert re.search(rf'aria-current="page">{heading}</a>', shown)
        assert f'lang="{spoken}"' in browser.get("/nowhere").text
        page.app.add_api_route("/broken", lambda: 1 // 0)
        broken = browser.get("/broken")
        assert (broken.status_code, f'lang="{spoken}"' in broken.text) == (500, True)


@pytest.mark.parametrize("language", PSEUDO)
def test_nothing_breaks(tmp_path: Path, language: str) -> None:
    """Every view in a language that is a third longer, and in one from right to left: all of it is in it."""
    with opened(tmp_path) as page, spoken():
        for path, shown in views(page, language).items():
            html = THEIRS.sub("", shown)
            assert f'lang="{language}" dir="{"rtl" if language == LEFTWARDS else "ltr"}"' in html
            words = re.sub(r"<[^>]*>|&\w+;", " ", html)
            assert set(re.findall(r"\b[a-z]{4,}\b", STAYS.sub(" ", words))) <= OURS, path


@pytest.mark.parametrize("language", PSEUDO)
def test_a_preview_speaks(tmp_path: Path, language: str) -> None:
    """What readers of a channel will see is shown in the language of who writes, but for their own words."""
    with opened(tmp_path) as page, spoken():
        browser = page.signed_in()
        browser.headers["Accept-Language"] = language
        seen = re.search(r'name="seen" value="([^"]*)"', browser.get("/compose").text)
        assert seen
        draft = {"text": "1/ Look\n2/ Its end. /end\n", "seen": seen[1], "channel": "news"}
        _form, preview, shown = press(browser, "/compose/preview", **draft).text.partition('class="looks"')
    assert preview
    words = re.sub(r"<[^>]*>|&\w+;", " ", THEIRS.sub("", shown))
    assert set(re.findall(r"\b[a-z]{4,}\b", STAYS.sub(" ", words))) <= OURS
    assert "Look" in shown


def views(page: Opened, language: str) -> dict[str, str]:
    """Each view, with a thread that needs its owner, and one that waits."""
    requests = page.requests_of("shell:ada")
    for number in range(2):
        text = f"1/ Part {number} of a thread\n3/ Its end. /end\n"
        requests.threads.add([understand("t.txt", text.encode())], channels=["news"], approved=bool(number))
    browser = page.signed_in()
    browser.headers["Accept-Language"] = language
    paths = (
        "/",
        "/threads/1",
        "/history",
        "/readers",
        "/readers/1",
        "/channels",
        "/compose",
        "/sign-in",
        "/nowhere",
    )
    return {path: browser.get(path).text for path in paths}


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: make browser")
def test_on_a_telephone(tmp_path: Path) -> None:
    """In a language a third longer, and from right to left, no view is wider than a window of 360 pixels."""
    with opened(tmp_path) as page, spoken():
        shown = {
            (language, path): html for language in PSEUDO for path, html in views(page, language).items()
        }
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        window = browser.new_page(viewport={"width": 360, "height": 800}, java_script_enabled=True)
        wide = []
        for view, html in shown.items():
            window.set_content(re.sub(r"<(script|link)\b[^>]*>", "", html), wait_until="domcontentloaded")
            window.add_style_tag(path="bot/web/static/page.css")
            if window.evaluate("document.documentElement.scrollWidth") > 360:
                wide.append(view)
        browser.close()
    assert wide == []
