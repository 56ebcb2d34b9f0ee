"""The real service keeps the pace that a server asks for, and remembers it."""

import sqlite3

import pytest

from tests.e2e.house import House, chains_of
from tests.servers.telegram.calls import REAL_PACES

pytestmark = pytest.mark.e2e


def test_a_chat_that_asks_to_wait(house: House) -> None:
    """A chain that is too fast for its chat is whole all the same, and its pace outlives the service."""
    house.telegram.api.paces = REAL_PACES  # one message a second
    house.env["THREADCAST_TELEGRAM__RATE"] = "2"
    chain = [f"{number}/ Lamp {number}." for number in range(1, 5)]
    with house.running() as service:
        service.wait_for("running")
        added = house.command("add", house.write("\n\n".join(chain)), "--channel", "news")
        assert added.returncode == 0, added.stderr
        service.wait_for("published")
        assert service.stop() == 0
    assert chains_of(house.on_telegram()) == [chain]
    with sqlite3.connect(house.data / "queue.sqlite3") as database:
        ((rate,),) = database.execute("SELECT rate FROM channels WHERE name = 'news'").fetchall()
    database.close()
    assert 0.5 <= rate < 2
