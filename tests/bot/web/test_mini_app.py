"""The page as a Mini App: opened from the bot's menu, by whom Telegram signed for."""

import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.bot.web.opened import GIVEN, Opened, opened
from threadcast.bot.people.mini_app import FRESH, signed_by
from threadcast.bot.web.sign_in import APP_COOKIE

AT = "https://threads.example.org"
TOKEN = GIVEN["THREADCAST_TELEGRAM__TOKEN"]


def signed(at: datetime, person: object = 11, token: str = TOKEN, **changed: str) -> str:
    """What Telegram puts behind the #, as its page says how it is signed; `changed` afterwards."""
    fields = {
        "query_id": "AAE",
        "user": json.dumps({"id": person, "first_name": "Ada & Ö"}),
        "auth_date": str(int(at.timestamp())),
        "signature": "of-another-kind",
    }
    said = "\n".join(f"{name}={fields[name]}" for name in sorted(fields))
    key = hmac.digest(b"WebAppData", token.encode(), "sha256")
    fields["hash"] = hmac.new(key, said.encode(), "sha256").hexdigest()
    return urlencode(fields | changed)


def test_opened_from_the_menu(tmp_path: Path) -> None:
    """Who steers is signed in, with a cookie for there; the page may be framed by Telegram Web alone."""
    with opened(tmp_path, THREADCAST_WEB__URL=AT) as page:
        browser = page.browser(AT)
        first = browser.get("/app")
        assert "frame-ancestors https://web.telegram.org" in first.headers["content-security-policy"]
        assert "x-frame-options" not in first.headers
        answer = browser.post("/app", data={"init": signed(page.moment[0])})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{APP_COOKIE}=")
        for word in ("HttpOnly", "Secure", "SameSite=None", "Partitioned"):
            assert word in cookie
        shown = browser.get("/")
        assert shown.status_code == 200
        assert "x-frame-options" not in shown.headers
        stranger = page.browser(AT).get("/sign-in")
        assert "frame-ancestors 'none'" in stranger.headers["content-security-policy"]
        assert stranger.headers["x-frame-options"] == "DENY"


def refused(page: Opened, init: str, headers: Mapping[str, str] | None = None) -> bool:
    browser = page.browser(AT)
    answer = browser.post("/app", data={"init": init}, headers=headers)
    return (
        answer.status_code == 403
        and "set-cookie" not in answer.headers
        and browser.get("/").status_code == 303
    )


def test_nobody_else(tmp_path: Path) -> None:
    """What another token signed, what was changed or is old, and who does not steer opens nothing."""
    with opened(tmp_path, THREADCAST_WEB__URL=AT) as page:
        now = page.moment[0]
        assert not refused(page, signed(now))
        assert refused(page, signed(now, token="2:BBBB"))
        assert refused(page, signed(now, user=json.dumps({"id": 22})))
        assert refused(page, signed(now, hash=""))
        assert refused(page, signed(now, hash="é"))
        assert refused(page, signed(now - FRESH - timedelta(seconds=1)))
        assert refused(page, signed(now + timedelta(minutes=2)))
        assert refused(page, signed(now, person=33))
        assert refused(page, signed(now), headers={"Sec-Fetch-Site": "cross-site"})
        for nonsense in ("", "x", "hash=1&hash=2", "%ff=%fe", "&" * 100, signed(now, person="11")):
            assert refused(page, nonsense)


def test_only_behind_https(tmp_path: Path) -> None:
    """Where the page is on this machine alone, nothing opens it from Telegram."""
    with opened(tmp_path) as page:
        browser = page.browser()
        assert browser.get("/app").status_code == 404
        answer = browser.post("/app", data={"init": signed(page.moment[0])})
        assert answer.status_code == 404
        assert answer.headers["x-frame-options"] == "DENY"


def test_signed_out(tmp_path: Path) -> None:
    """Signing out ends the session that the menu opened, too."""
    with opened(tmp_path, THREADCAST_WEB__URL=AT) as page:
        browser = page.browser(AT)
        browser.post("/app", data={"init": signed(page.moment[0])})
        token = browser.get("/").text.partition('name="csrf" value="')[2].partition('"')[0]
        secret = browser.cookies[APP_COOKIE]
        browser.post("/sign-out", data={"csrf": token})
        assert page.site.sessions.find(secret) is None


@pytest.mark.parametrize("person", [11, 2**52])
def test_the_words_of_telegram(person: int) -> None:
    """The hash is that of all fields but itself, sorted, with a key made of the token."""
    now = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
    assert signed_by(signed(now, person), TOKEN, now=now + timedelta(minutes=1)) == person
