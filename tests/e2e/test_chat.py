"""A file sent to the bot of the running service becomes chains on both networks, and one report each."""

import re

import pytest

from tests.e2e.house import PATIENCE, House, seven_chains, seven_threads
from tests.e2e.test_main_job import check_all_published, wait_until_published
from tests.servers.telegram.people import Person

pytestmark = pytest.mark.e2e

THREADS = len(seven_chains())


@pytest.fixture
def ada(house: House) -> Person:
    """The owner, who has pressed Start."""
    ada = house.telegram.person("Ada", 1111)
    house.env["THREADCAST_TELEGRAM__ADMINS"] = "1111"
    house.env["THREADCAST_TELEGRAM__CONFIRM"] = "false"
    ada.starts()
    return ada


def told(person: Person, words: str) -> list[str]:
    """What the bot says to a person, of that in which these words are."""
    said = [one.text for one in person.messages() if one.sender is person.bot]
    return [text for text in said if words in text]


def reports(person: Person) -> dict[int, list[str]]:
    """The messages that each tell of one thread, by its number."""
    found: dict[int, list[str]] = {}
    for text in told(person, ""):
        if head := re.match(r"#(\d+) ", text):
            found.setdefault(int(head[1]), []).append(text)
    return found


def all_told(person: Person) -> bool:
    """Whether each thread is told of as published on both channels."""
    done = [text for texts in reports(person).values() for text in texts]
    return len(done) == THREADS and all(
        f"✅ {channel} published" in text for text in done for channel in ("news", "masto")
    )


def test_a_file_is_published_and_reported(house: House, ada: Person) -> None:
    """Seven threads in a file sent to the bot: seven chains on each network, and one report for each."""
    with house.running() as service:
        ada.sends("threads.txt", seven_threads().encode())
        wait_until_published(service, 14)
        house.telegram.wait_for(lambda _: all_told(ada), PATIENCE)
        assert service.stop() == 0
    check_all_published(house)
    assert [len(texts) for texts in reports(ada).values()] == [1] * THREADS
    (answer,) = told(ada, "threads.txt: ")
    assert answer.startswith("threads.txt: 7 threads, 48 parts")


def test_stopped_in_the_middle(house: House, ada: Person) -> None:
    """Stopped in the middle and started again, it publishes every post and reports each thread once."""
    with house.running() as service:
        ada.sends("threads.txt", seven_threads().encode())
        house.wait_for_posts(12)
        assert service.stop() == 0
    left = sum(delivery["state"] != "published" for delivery in house.json("queue")["deliveries"])
    with house.running() as service:
        wait_until_published(service, left)
        house.telegram.wait_for(lambda _: all_told(ada), PATIENCE)
        assert service.stop() == 0
    check_all_published(house)
    assert [len(texts) for texts in reports(ada).values()] == [1] * THREADS


def test_a_stranger(house: House, ada: Person) -> None:
    """Nothing that a stranger sends changes anything, or is answered."""
    eve = house.telegram.person("Eve", 6666)
    with house.running() as service:
        eve.starts()
        eve.sends("threads.txt", seven_threads().encode())
        eve.says("1/ mine\n2/ too /end")
        eve.says("/pause")
        ada.says("/queue")
        house.telegram.wait_for(lambda _: bool(told(ada, "Nothing waits")), PATIENCE)
        assert service.stop() == 0
    assert told(eve, "") == []
    assert house.json("queue")["deliveries"] == []
    assert [one["what"] for one in house.json("events")["events"]] == []
