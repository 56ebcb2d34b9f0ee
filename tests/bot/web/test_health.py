"""What is told to whoever watches over the service."""

from datetime import timedelta
from pathlib import Path

from tests.bot.web.opened import opened
from tests.bot.web.test_views import add


def test_all_is_well(tmp_path: Path) -> None:
    """A service that can work says so, to anybody, and no more."""
    with opened(tmp_path) as page:
        add(page)
        browser = page.browser()
        assert browser.get("/health/live").json() == {"live": True}
        assert browser.get("/health/ready").json() == {"ready": True, "faults": {}}


def test_a_thread_that_nobody_takes_up(tmp_path: Path) -> None:
    """What is due and is not begun turns it red after a minute, with the channel's name and no text."""
    with opened(tmp_path) as page:
        add(page)
        due = page.moment[0]
        page.moment[0] += timedelta(minutes=2)
        answer = page.browser().get("/health/ready")
        assert answer.status_code == 503
        assert answer.json()["faults"] == {"news": f"what was due at {due:%H:%M} UTC was not taken up"}
        page.requests_of("shell:ada").changes.pause(["news"])
        assert page.browser().get("/health/ready").status_code == 200


def test_a_lane_that_broke(tmp_path: Path) -> None:
    """A lane that broke is named."""
    with opened(tmp_path) as page:
        page.broken["slow"] = "broke; the log says why"
        answer = page.browser().get("/health/ready")
        assert (answer.status_code, answer.json()["faults"]) == (503, {"slow": "broke; the log says why"})


def test_a_database_that_is_gone(tmp_path: Path) -> None:
    """A queue that cannot be used is told as such, and the loop still turns."""
    with opened(tmp_path) as page:
        page.database.close()
        (page.settings.data / "queue.sqlite3").unlink()
        browser = page.browser()
        assert browser.get("/health/ready").status_code == 503
        assert list(browser.get("/health/ready").json()["faults"]) == ["database"]
        assert browser.get("/health/live").status_code == 200


def test_what_is_wrong_is_not_told_in_public(tmp_path: Path) -> None:
    """Through the public address, or a proxy, one learns that something is wrong, and not what."""
    with opened(tmp_path, THREADCAST_WEB__URL="https://threads.example.org") as page:
        page.broken["slow"] = "broke; the log says why"
        public = page.browser("https://threads.example.org").get("/health/ready")
        proxied = page.browser().get("/health/ready", headers={"X-Forwarded-For": "203.0.113.7"})
        for answer in (public, proxied):
            assert (answer.status_code, answer.json()) == (503, {"ready": False})
        assert "slow" in page.browser().get("/health/ready").json()["faults"]


def test_a_supervisor_of_another_machine(tmp_path: Path) -> None:
    """Who monitors asks at any address of the machine; the page itself answers to its own names alone."""
    with opened(tmp_path) as page:
        for host in ("http://10.1.2.3:8480", "http://[fd00::7]:8480"):
            browser = page.browser(host)
            assert browser.get("/health/live").status_code == 200
            assert browser.get("/metrics").status_code == 200
            assert browser.get("/sign-in").status_code == 400
        assert page.browser("http://evil.example:8480").get("/metrics").status_code == 400
