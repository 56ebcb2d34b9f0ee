"""Who may look, and who may not."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.bot.web.opened import HERE, Opened, csrf, opened, press
from threadcast.bot.people.pairing import SIGN_INS
from threadcast.bot.people.people import Role, admit, revoke
from threadcast.bot.web.sessions import SESSIONS, TRIES

VIEWS = ("/", "/compose", "/threads/1", "/history", "/channels", "/events")


def test_a_stranger_sees_nothing(tmp_path: Path) -> None:
    """Without a session every view leads to the sign-in, every button does nothing, and nothing is told."""
    with opened(tmp_path) as page:
        browser = page.browser()
        for path in VIEWS:
            answer = browser.get(path)
            assert (answer.status_code, answer.headers["location"], answer.text) == (303, "/sign-in", "")
        for path in ("/threads/1/now", "/channels/news/pause", "/compose", "/sign-out"):
            assert browser.post(path).headers["location"] == "/sign-in"
        assert browser.get("/", headers={"HX-Request": "true"}).status_code == 401
        assert not any(row.paused for row in page.database.reading.channels())


def test_a_link_opens_once(tmp_path: Path) -> None:
    """Looking at a link, as programs do, uses none up; the second use is refused."""
    with opened(tmp_path) as page:
        code, browser = page.link(), page.browser()
        for _ in range(3):
            assert "Sign in</button>" in browser.get("/sign-in", params={"code": code}).text
        answer = browser.post("/sign-in", data={"code": code})
        assert answer.headers["location"] == "/"
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert browser.get("/").status_code == 200
        other = page.browser()
        assert other.post("/sign-in", data={"code": code}).status_code == 403
        assert "used up or too old" in other.get("/sign-in", params={"code": code}).text
        assert other.get("/").status_code == 303


def test_a_link_is_good_for_five_minutes(tmp_path: Path) -> None:
    """After five minutes a link signs nobody in."""
    with opened(tmp_path) as page:
        code = page.link()
        page.moment[0] += timedelta(minutes=5)
        assert page.browser().post("/sign-in", data={"code": code}).status_code == 403


def test_what_is_stored_opens_nothing(tmp_path: Path) -> None:
    """Neither a link nor a session can be made of what stands in the queue."""
    with opened(tmp_path) as page:
        code = page.link()
        browser = page.signed_in()
        secret = browser.cookies["threadcast"]
        kept = [*page.database.notes.read(SIGN_INS).values(), *page.database.notes.read(SESSIONS).values()]
        assert len(kept) == 2
        assert not any(code in text or secret in text for text in kept)


def test_sessions_end(tmp_path: Path) -> None:
    """A session ends after 30 days, by signing out, and with all others of that person by one button."""
    with opened(tmp_path) as page:
        first, second, other = page.signed_in(), page.signed_in(), page.signed_in("shell:bob")
        assert press(first, "/sign-out").status_code == 303
        assert [one.get("/").status_code for one in (first, second, other)] == [303, 200, 200]
        third = page.signed_in()
        press(third, "/sign-out", everywhere="true")
        assert [one.get("/").status_code for one in (second, third, other)] == [303, 303, 200]
        page.moment[0] += timedelta(days=30)
        assert other.get("/").status_code == 303


def test_who_is_removed_sees_nothing_more(tmp_path: Path) -> None:
    """What a person may do is asked each time: removed in the chat, their open session is worth nothing."""
    with opened(tmp_path) as page:
        notes, moment = page.database.notes, page.moment[0]
        admit(notes, 33, Role.OWNER, by="shell:ada", now=moment)
        browser = page.signed_in("telegram:33")
        assert browser.get("/").status_code == 200
        revoke(notes, 33, by="shell:ada", now=moment)
        assert browser.get("/").status_code == 303


def test_a_form_of_somebody_else(tmp_path: Path) -> None:
    """A form that is not ours changes nothing, though the browser sends the cookie with it."""
    with opened(tmp_path) as page:
        browser, other = page.signed_in(), page.signed_in("shell:bob")
        for token in ("", "0" * 64, csrf(other)):
            assert browser.post("/channels/news/pause", data={"csrf": token}).status_code == 403
        assert not any(row.paused for row in page.database.reading.channels())


def test_tries_are_counted(tmp_path: Path) -> None:
    """Who tries links has few tries a minute; afterwards a right one is taken again."""
    with opened(tmp_path) as page:
        browser = page.browser()
        answers = [browser.post("/sign-in", data={"code": f"wrong{one}"}) for one in range(TRIES + 1)]
        assert [one.status_code for one in answers] == [403] * TRIES + [429]
        assert "Wait a minute" in answers[-1].text
        page.moment[0] += timedelta(minutes=1)
        page.signed_in()


def test_who_tries_is_who_asks(tmp_path: Path) -> None:
    """Each address has its own tries; one household of IPv6 has them together, whatever a header says."""
    with opened(tmp_path) as page:
        assert tried(page, "198.51.100.7", "198.51.100.{}") == 429
        assert tried(page, "198.51.100.8", times=1) == 403
        assert tried(page, "2001:db8::1") == 429
        assert tried(page, "2001:db8::2", times=1) == 429
        assert tried(page, "2001:db8:0:1::2", times=1) == 403


def test_behind_a_trusted_proxy(tmp_path: Path) -> None:
    """A proxy that is named is believed who asks, and from where on it cannot know that itself, nobody is."""
    with opened(tmp_path, THREADCAST_WEB__PROXIES="10.0.0.0/8, 192.0.2.1") as page:
        assert tried(page, "10.1.2.3", "198.51.100.7") == 429
        assert tried(page, "10.1.2.3", "198.51.100.8", times=1) == 403  # another visitor of the same proxy
        assert tried(page, "10.1.2.3", "203.0.113.{}, 198.51.100.9") == 429  # who asks wrote the first one
        assert tried(page, "10.1.2.3", "203.0.113.{}, 198.51.100.10, 192.0.2.1") == 429  # by two proxies
        assert tried(page, "198.51.100.11", "203.0.113.{}") == 429  # past the proxy
        assert tried(page, "10.1.2.3", "203.0.113.1", times=1) == 403  # whom all of these pretended to be


def test_how_a_proxy_was_asked(tmp_path: Path) -> None:
    """That it was by https, a proxy that is named is believed too, and nobody else."""
    with opened(tmp_path, THREADCAST_WEB__PROXIES="10.0.0.1") as page:
        said = {"X-Forwarded-Proto": "https"}
        for peer, scheme in (("10.0.0.1", "https"), ("10.0.0.2", "http")):
            answer = page.browser(peer=peer).get("/static", headers=said)
            assert answer.headers["location"].partition(":")[0] == scheme


def tried(page: Opened, peer: str, forwarded: str = "", times: int = TRIES + 1) -> int:
    """Try links; `{}` of what is forwarded is another number each time. How the last one was answered."""
    browser = page.browser(peer=peer)
    answers = [
        browser.post(
            "/sign-in",
            data={"code": "wrong"},
            headers={"X-Forwarded-For": forwarded.format(one)} if forwarded else {},
        ).status_code
        for one in range(times)
    ]
    return answers[-1]


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "169.254.169.254"])
def test_another_host(tmp_path: Path, host: str) -> None:
    """A name that leads here and is not ours, as in DNS rebinding, is answered nothing."""
    with opened(tmp_path) as page:
        answer = page.browser(f"http://{host}:8480").get("/sign-in")
        assert answer.status_code == 400
        assert "Threadcast" not in answer.text


def test_behind_https(tmp_path: Path) -> None:
    """Behind https the cookie is sent by https alone, and no other host of the domain can set it."""
    with opened(tmp_path, THREADCAST_WEB__URL="https://threads.example.org") as page:
        browser = page.browser("https://threads.example.org")
        answer = browser.post("/sign-in", data={"code": page.link()})
        assert answer.headers["set-cookie"].startswith("__Host-threadcast=")
        assert "Secure" in answer.headers["set-cookie"]
        assert browser.get("/").status_code == 200


def test_what_every_answer_says(tmp_path: Path) -> None:
    """No answer may be framed, kept, sniffed, or run a script of elsewhere; requests have a size."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        for path in (*VIEWS[:-1], "/sign-in", "/nowhere", "/static/page.css", "/health/live"):
            answer = browser.get(path)
            headers = answer.headers
            assert (answer.status_code == 404) is (path in {"/threads/1", "/nowhere"})
            assert "default-src 'none'" in headers["content-security-policy"]
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-frame-options"] == "DENY"
            assert headers["x-content-type-options"] == "nosniff"
            assert path.startswith("/static") or headers["cache-control"] == "no-store"
        assert browser.post("/sign-in", content=b"x" * 2_000_000).status_code == 413
        assert browser.put("/").status_code == 405
        assert HERE not in browser.get("/").text
