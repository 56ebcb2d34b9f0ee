"""Killed while it deals with what people wrote, the service loses no word and does nothing twice."""

import pytest

from tests.e2e.house import PATIENCE, House, chain, thread_text
from tests.e2e.test_chat import reports, told
from tests.faults.judge import recorded
from tests.faults.killer import HEARING, Plan
from tests.faults.stand import kill, running, states, wait_until
from tests.servers.telegram.people import Person

pytestmark = pytest.mark.e2e

TEXT = thread_text(1, 3)
CHAINS = [chain(1, 3)]


@pytest.fixture
def ada(house: House) -> Person:
    """The owner, who has pressed Start; what she does is heard from the next start on."""
    ada = house.telegram.person("Ada", 1111)
    house.env["THREADCAST_TELEGRAM__ADMINS"] = "1111"
    house.env["THREADCAST_TELEGRAM__CONFIRM"] = "false"
    house.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "true"
    for name in [name for name in house.env if "MASTO" in name]:
        del house.env[name]
    ada.starts()
    with running(house) as service:
        house.telegram.wait_for(lambda _: bool(told(ada, "How things stand")), PATIENCE)
        assert service.stop() == 0
    return ada


def hear_the_rest(house: House, ada: Person, words: str) -> None:
    """Run the service until it has heard all and says this, and stop it as a supervisor does."""
    with running(house) as service:
        house.telegram.wait_for(
            lambda server: not server.api.updates.waiting[ada.bot.id] and bool(told(ada, words)), PATIENCE
        )
        assert service.stop() == 0


def threads(house: House) -> list[int]:
    return [one["thread"] for one in house.json("queue")["deliveries"]]


@pytest.mark.parametrize("step", HEARING)
def test_a_file(house: House, ada: Person, step: str) -> None:
    """Killed before a file's thread is in the queue, after it, and when that is noted: it is there once."""
    ada.sends("rivers.txt", TEXT.encode())
    kill(house, Plan(step))
    ada.says("/status")
    hear_the_rest(house, ada, "Waiting for you")
    assert threads(house) == [1]
    assert any("#1" in text for text in told(ada, ""))


def test_a_file_on_its_way(house: House, ada: Person) -> None:
    """Killed while it fetches a file, it fetches it again."""
    release = house.telegram.hold_answer("getFile")
    with running(house) as service:
        ada.sends("rivers.txt", TEXT.encode())
        house.telegram.wait_for(lambda server: any("getFile" in one.path for one in server.requests))
        service.popen.kill()
        service.end()
    release.set()
    hear_the_rest(house, ada, "#1")
    assert threads(house) == [1]


@pytest.mark.parametrize("step", HEARING)
def test_a_pasted_thread(house: House, ada: Person, step: str) -> None:
    """Killed at the second piece of a pasted thread, which ends it, it has both and says so at /done."""
    first, second = TEXT[: TEXT.index("2/")], TEXT[TEXT.index("2/") :]
    ada.says(first)
    ada.says(second)
    kill(house, Plan(step, at=2))
    ada.says("/done")
    hear_the_rest(house, ada, "#1")
    assert threads(house) == [1]


@pytest.mark.parametrize("step", HEARING)
def test_a_press(house: House, ada: Person, step: str) -> None:
    """Killed at a press of Publish, it publishes the chain once, and reports it."""
    ada.sends("rivers.txt", TEXT.encode())
    hear_the_rest(house, ada, "#1")
    ada.presses("Publish")
    kill(house, Plan(step))
    with running(house) as service:
        wait_until(service, lambda: states(house) <= {"published"})
        house.telegram.wait_for(lambda _: any("✅" in text for text in told(ada, "#1")), PATIENCE)
        assert service.stop() == 0
    assert [text for _, _, text in house.on_telegram()] == CHAINS[0]
    assert recorded(house.data, "news").states == {"published": 1}


@pytest.mark.parametrize("step", HEARING[1:])
def test_a_command_with_consequences(house: House, ada: Person, step: str) -> None:
    """Killed when a post was skipped, it does not skip the next one that is refused, though asked again."""
    house.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "false"
    house.telegram.fail(400, "Bad Request: message is odd", chat=house.chat)
    ada.sends("rivers.txt", TEXT.encode())
    hear_the_rest(house, ada, "🛑")
    ada.says("/skip 1")
    kill(house, Plan(step))
    hear_the_rest(house, ada, "#1")
    skipped = [one for one in house.json("events")["events"] if one["what"] == "skip"]
    assert len(skipped) == 1


@pytest.mark.parametrize("step", ["response-lost", "after-record"])
def test_a_report(house: House, ada: Person, step: str) -> None:
    """Killed when the last post is out and nobody knows, it tells after the restart, in one message."""
    house.env["THREADCAST_CHANNELS__NEWS__HOLD"] = "false"
    ada.sends("rivers.txt", TEXT.encode())
    kill(house, Plan(step, "news", 3))
    with running(house) as service:
        wait_until(service, lambda: states(house) <= {"published"})
        house.telegram.wait_for(lambda _: any("✅" in text for text in told(ada, "#1")), PATIENCE)
        assert service.stop() == 0
    assert [text for _, _, text in house.on_telegram()] == CHAINS[0]
    assert len(reports(ada)[1]) == 1
