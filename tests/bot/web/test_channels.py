"""What the page says of each channel, and what its buttons there do."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

from tests.bot.web.opened import Opened, opened, press
from tests.bot.web.test_views import add
from threadcast.bot.channels.budget import Prospect, Window
from threadcast.bot.channels.build import accounts
from threadcast.bot.channels.port import Channel, Finding
from threadcast.bot.publishing.forecast import rhythms
from threadcast.bot.requests.figures.standings import standing
from threadcast.bot.web.channels.accounts import AccountLook
from threadcast.queue.model import Claim
from threadcast.queue.outcomes import Code, Obstacle, Refused, Unreached
from threadcast.queue.states import decide


def stop(page: Opened, why: str) -> int:
    """A thread whose chain was refused."""
    page.moment[0] += timedelta(seconds=1)
    thread, moment = add(page, f"1/2 Of this, {why}.\n\n2/2 Its end. /end\n"), page.moment[0]
    claim = page.database.work.claim("news", worker="here", now=moment, until=moment)
    assert isinstance(claim, Claim)
    refused = decide(Refused(why, Code.CONTENT), last=False, tries=1, now=moment, chance=0)
    page.database.work.record(claim, None, refused, now=moment)
    return thread


def test_next_slots_and_what_waits(tmp_path: Path) -> None:
    """A channel says when its next three slots are, how much waits for them, and leads there."""
    with opened(tmp_path, THREADCAST_CHANNELS__NEWS__SCHEDULE="09:00", THREADCAST_TIMEZONE="UTC") as page:
        add(page)
        shown = page.signed_in().get("/channels").text
        assert shown.count("09:00") >= 3
        assert '<a href="/?channel=news">1 thread waits</a>' in shown
        assert "nothing waits" in shown


def test_the_last_faults(tmp_path: Path) -> None:
    """What stands still on a channel is told there with why, the newest first, and leads to its buttons."""
    with opened(tmp_path) as page:
        threads = [stop(page, f"the post is odd, {one}") for one in range(4)]
        shown = page.signed_in().get("/channels").text
        assert [f'href="/threads/{one}"' in shown for one in threads] == [False, True, True, True]
        assert "the post is odd, 3" in shown


def test_what_is_left(tmp_path: Path) -> None:
    """Of a window that has passed by now all is left, until the next one ends."""
    with opened(tmp_path) as page:
        now, hour = page.moment[0], timedelta(hours=1)
        row = page.requests_of("shell:ada").queries.channels()[0]
        prospect = Prospect(windows=(Window(300, 12, now - hour / 2, hour),))
        found = standing(row, rhythms(page.settings)[row.name], prospect, (), queued=0, now=now)
        assert [(one.left, one.ends) for one in found.left] == [(300, now + hour / 2)]


def test_checked(tmp_path: Path) -> None:
    """A press looks at a channel anew, and says what was found and what to do; nothing is published."""
    with opened(tmp_path) as page:
        browser = page.signed_in()
        assert press(browser, "/channels/news/check").status_code == 303
        assert "will be made with the first post" in browser.get("/channels").text
        assert press(browser, "/channels/nobody/check").status_code == 404
        assert press(page.signed_in("telegram:22"), "/channels/news/check").status_code == 403


class Asked:
    """A channel that answers a look with what is next in `answers`, and counts how often it was looked at."""

    kind, quota = "telegram", None

    def __init__(self, name: str, answers: list[Obstacle | None]) -> None:
        self.name, self.answers, self.looks = name, answers, 0

    async def preflight(self) -> Obstacle | None:
        self.looks += 1
        return self.answers.pop(0)


def test_a_token_that_is_refused(tmp_path: Path) -> None:
    """It turns the service red though nothing waits, by the names of all that it opens, until it works."""
    refused = Refused("the token is not accepted", Code.TOKEN)
    away = Unreached("nothing answers there")
    with opened(tmp_path) as page:
        news, slow = Asked("news", [None, refused, away, None]), Asked("slow", [])
        other = Asked("other", [None, None])
        site = replace(page.site, channels=cast("list[Channel]", [news, slow, other]))
        look = AccountLook(site, lambda: {"news": "a bot", "slow": "a bot", "other": "a bot of its own"})

        def found(after: timedelta) -> dict[str, str]:
            page.moment[0] += after
            asyncio.run(look.run())
            return dict(site.checks.faults())

        soon = timedelta(minutes=10)
        red = dict.fromkeys(("news", "slow"), "the token is not accepted")
        waits = [timedelta(0), soon, timedelta(minutes=50), soon, soon]
        assert [found(after) for after in waits] == [{}, {}, red, red, {}]
        assert (news.looks, slow.looks, other.looks) == (4, 0, 2)


def test_what_goes_out_is_not_disturbed(tmp_path: Path) -> None:
    """Where a chain goes out nobody looks: it shows itself whether it is let in."""
    with opened(tmp_path) as page:
        add(page)
        news = Asked("news", [None])
        site = replace(page.site, channels=cast("list[Channel]", [news]))
        look = AccountLook(site, lambda: {"news": "a bot"})
        moment = page.moment[0]
        page.database.work.claim("news", worker="here", now=moment, until=moment + timedelta(minutes=1))
        asyncio.run(look.run())
        assert news.looks == 0


def test_whose_account(tmp_path: Path) -> None:
    """Chats of one bot share what lets them in, accounts do not, and a local timeline needs nothing."""
    given = {"KIND": "mastodon", "URL": "https://m.example", "TOKEN": "aaaa"}
    settings = {f"THREADCAST_CHANNELS__M__{name}": value for name, value in given.items()}
    for name in ("A", "B"):
        settings |= {f"THREADCAST_CHANNELS__{name}__{what}": f"@chat_{name}" for what in ("CHAT",)}
        settings[f"THREADCAST_CHANNELS__{name}__KIND"] = "telegram"
    with opened(tmp_path, **settings) as page:
        found = accounts(page.settings)
        assert found.keys() == {"a", "b", "m"}
        assert found["a"] == found["b"] != found["m"]
        assert "aaaa" not in repr(found)


def test_a_fault_that_was_found(tmp_path: Path) -> None:
    """What a check found wrong turns the service red, by the channel's name, until a chain is out there."""
    with opened(tmp_path) as page:
        page.site.checks.note("news", (Finding("error", "the token is refused", "make a new one"),))
        browser = page.signed_in()
        shown = browser.get("/channels").text
        assert "the token is refused: make a new one" in shown
        health = browser.get("/health/ready")
        assert (health.status_code, health.json()["faults"]) == (503, {"news": "the token is refused"})
        add(page)
        page.site.checks.see(page.publish())
        assert browser.get("/health/ready").status_code == 200
