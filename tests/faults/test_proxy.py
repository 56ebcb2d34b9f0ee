"""Whatever happens on the way to a server and back, each post is out once, or somebody is told."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.e2e.house import House, chain, thread_text
from tests.faults.judge import judge
from tests.faults.killer import Plan
from tests.faults.proxy import (
    CUT,
    RESET_AFTER,
    RESET_BEFORE,
    SILENT_AFTER,
    SILENT_BEFORE,
    WELL,
    Fault,
    Proxy,
    altered,
    answer,
)
from tests.faults.stand import (
    FIRST,
    add,
    check,
    kill,
    publish_the_rest,
    running,
    seen,
    states,
    wait_until,
)

pytestmark = pytest.mark.e2e

SIZE = 4
CHAINS = [chain(1, SIZE)]
CHANNELS = ("news", "masto")
PAGE = b"<!doctype html><title>Bad gateway</title>"


@dataclass
class Road:
    """A house whose way to both servers leads through a proxy each."""

    house: House
    proxies: dict[str, Proxy]

    def publish(self, *faults: Fault, on: Sequence[str] = CHANNELS) -> None:
        """Queue the chain behind the first one, and let these faults befall its posts one by one."""
        add(self.house, thread_text(9, len(FIRST)) + thread_text(1, SIZE), *on)
        for channel in on if faults else ():
            self.spoil(channel, *faults)

    def spoil(self, channel: str, *faults: Fault) -> None:
        self.proxies[channel].spoil(*[WELL] * len(FIRST), *faults)

    def out(self) -> list[int]:
        """How many posts are out, channel by channel."""
        return [len(seen(self.house, channel)) - len(FIRST) for channel in CHANNELS]

    def tries(self) -> int:
        """How often a post was sent, by the queue: no request is on its way there."""
        with closing(sqlite3.connect(self.house.data / "queue.sqlite3")) as database:
            (found,) = database.execute("SELECT sum(tries) FROM posts").fetchone()
        return int(found)

    def check_all(self) -> None:
        for channel in CHANNELS:
            check(self.house, channel, CHAINS)


@pytest.fixture
def road(house: House) -> Iterator[Road]:
    with Proxy(house.telegram.port) as telegram, Proxy(house.mastodon.port) as mastodon:
        house.env["THREADCAST_TELEGRAM__API_URL"] = telegram.url
        house.env["THREADCAST_CHANNELS__MASTO__URL"] = mastodon.url
        yield Road(house, {"news": telegram, "masto": mastodon})


def html(status: int, *, passes: bool) -> Fault:
    return Fault(passes=passes, answer=answer(status, PAGE))


def failing(status: int, *, passes: bool) -> Fault:
    """An error in the API's own words, as both servers say it."""
    words = {"ok": False, "error_code": status, "description": "Restarting", "error": "Restarting"}
    return Fault(passes=passes, answer=answer(status, words))


UNCLEAR = {
    "reset before the request was read": RESET_BEFORE,
    "reset when it was passed on": RESET_AFTER,
    "an answer cut short": CUT,
    "silence, and nothing was done": SILENT_BEFORE,
    "silence, and it was done": SILENT_AFTER,
    "500, and nothing was done": failing(500, passes=False),
    "500, and it was done": failing(500, passes=True),
    "502, and nothing was done": html(502, passes=False),
    "502, and it was done": html(502, passes=True),
    "503, and nothing was done": failing(503, passes=False),
    "503, and it was done": html(503, passes=True),
    "a page that says 200, and nothing was done": html(200, passes=False),
    "a page that says 200, and it was done": html(200, passes=True),
    "an answer with nothing in it": Fault(answer=answer(200, {})),
}


@pytest.mark.parametrize("fault", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_an_unclear_answer(road: Road, fault: Fault) -> None:
    """A post whose answer says nothing is looked for, and sent again only where it is not there."""
    road.publish(fault, WELL, fault)
    publish_the_rest(road.house, Plan(timeout=1.0))
    road.check_all()
    assert [proxy.spoiled for proxy in road.proxies.values()] == [2, 2]


def test_refused_connections(road: Road) -> None:
    """While nobody listens nothing is sent, and the chains go on when somebody does."""
    road.publish()
    for proxy in road.proxies.values():
        proxy.down()
    with running(road.house) as service:
        wait_until(service, lambda: sum("waiting" in line for line in service.lines) >= len(CHANNELS))
        for proxy in road.proxies.values():
            proxy.up()
        wait_until(service, lambda: states(road.house) == {"published"})
        assert service.stop() == 0
    road.check_all()


def throttled(**headers: str) -> Fault:
    words = {"ok": False, "error_code": 429, "description": "Too Many Requests", "error": "Slow down"}
    return Fault(passes=False, answer=answer(429, words, **headers))


def test_throttled_with_parameters(road: Road) -> None:
    """A server that says how long to wait is believed, and the chain goes on by itself."""
    road.publish()
    words = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1"}
    wait = answer(429, {**words, "parameters": {"retry_after": 1}})
    road.spoil("news", WELL, Fault(passes=False, answer=wait))
    soon = {"x_ratelimit_limit": "300", "x_ratelimit_remaining": "0", "x_ratelimit_reset": "1"}
    road.spoil("masto", WELL, throttled(**soon))
    publish_the_rest(road.house)
    road.check_all()


def test_throttled_without_parameters(road: Road) -> None:
    """Told to wait and not how long, it waits for a good while, which outlives a restart."""
    road.publish(WELL, throttled())
    with running(road.house) as service:
        wait_until(service, lambda: sum("waiting" in line for line in service.lines) == len(CHANNELS))
        assert service.stop() == 0
    assert road.out() == [1, 1]
    publish_the_rest(road.house, Plan(clock=600))
    road.check_all()


def test_a_status_in_another_place(road: Road) -> None:
    """An answer about a status in another place is not believed: what is on the server counts."""
    road.publish(WELL, Fault(answer=altered(in_reply_to_id="1")), on=["masto"])
    publish_the_rest(road.house)
    check(road.house, "masto", CHAINS)


def test_a_message_in_another_place(road: Road) -> None:
    """Where Telegram says that a message is out in a wrong place, its owner is asked before more is sent."""
    road.publish(WELL, Fault(answer=altered(reply_to_message=None)), on=["news"])
    with running(road.house) as service:
        service.wait_for("unsure")
        assert service.stop() == 0
    assert road.out()[0] == 2


def test_an_answer_with_a_wrong_id(road: Road) -> None:
    """A wrong id in an answer is found out by the next post: the chain stops, and nothing is out twice."""
    road.publish()
    road.spoil("news", Fault(answer=altered(message_id=4711)))
    road.spoil("masto", Fault(answer=altered(id="4711")))
    with running(road.house) as service:
        wait_until(service, lambda: sum("stopped" in line for line in service.lines) == len(CHANNELS))
        assert service.stop() == 0
    assert road.out() == [1, 1]


def test_a_clock_that_is_set_forward(road: Road) -> None:
    """A clock set by an hour in mid-chain, with answers lost right then, changes nothing of the chain."""
    road.publish(WELL, RESET_AFTER, RESET_BEFORE)
    publish_the_rest(road.house, Plan(jump=3600, jump_after=7))
    road.check_all()


def test_a_clock_that_is_set_back(road: Road) -> None:
    """A clock set back right when an answer is lost sends nothing twice; at the worst the owner is asked."""
    road.publish(WELL, RESET_AFTER)
    with running(road.house, Plan(jump=-3600, jump_after=7)) as service:
        wait_until(service, lambda: sum("looking" in line for line in service.lines) >= len(CHANNELS))
        assert service.stop() == 0
    with running(road.house) as service:  # when the clock is right again
        service.wait_for("running")
        wait_until(service, lambda: states(road.house) <= {"published", "unsure"})
        assert service.stop() == 0
    for channel in CHANNELS:
        verdict = judge(seen(road.house, channel), [FIRST, *CHAINS])
        assert (verdict.duplicates, verdict.wrong_parents, verdict.strangers) == (0, 0, 0)


@pytest.mark.parametrize("clock", [0.0, 7200.0])
def test_a_clock_that_was_set_while_it_was_dead(road: Road, clock: float) -> None:
    """A service that comes back to a later time, or to an earlier one, finds what it was sending."""
    road.publish()
    kill(road.house, Plan("request-sent", post=3))
    if not clock:
        before = road.tries()
        with running(road.house, Plan(clock=-7200)) as service:
            service.wait_for("running")
            assert service.stop() == 0
        assert road.tries() == before
    publish_the_rest(road.house, Plan(clock=clock))
    road.check_all()
