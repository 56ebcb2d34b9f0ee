"""The page speaks the language of the browser, or the one that is set."""

import re
from pathlib import Path

import pytest

from tests.bot.web.opened import opened
from threadcast.bot.languages import preferred


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
