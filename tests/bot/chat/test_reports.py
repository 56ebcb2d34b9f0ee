"""Reports reach everybody whom they are for, once, whatever happens to the messages and the people."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.bot.chat.stand import GROUP, Stand, standing
from tests.bot.chat.test_updates import THREAD, add, told, wait_until_told
from tests.servers.telegram.chats import Message
from tests.servers.telegram.people import Person
from threadcast.queue.states import DeliveryState

PUBLISHED = "✅ news published 2/2"


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path, {"TELEGRAM__ADMINS": "1111,2222"}) as stand:
        yield stand


def thread(number: int) -> str:
    return f"1/ River {number} rises.\n2/ And the sea takes it. /end\n"


def is_quiet(message: Message) -> bool:
    return message.silent


def count(stand: Stand, method: str, person: Person) -> int:
    with stand.server.changed:
        return sum(one.method == method and one.chat_id == person.chat.id for one in stand.server.calls)


def wait_until_alone(stand: Stand, person: Person, one: Message) -> None:
    """Wait until this is all that a person is told of the thread."""
    stand.server.wait_for(lambda _: told(person, "#1") == [one])


def test_two_owners_and_an_editor(stand: Stand) -> None:
    """What an editor adds is told to the owners aloud, and to all three in one message each."""
    ada, bob, eddie = (stand.people[name] for name in ("Ada", "Bob", "Eddie"))
    eddie.sends("rivers.txt", THREAD.encode())
    (asked,) = wait_until_told(stand, ada, "held: Eddie added it")
    assert not is_quiet(asked)
    wait_until_told(stand, bob, "held: Eddie added it")
    ada.presses("Publish")
    for person in (ada, bob, eddie):
        wait_until_told(stand, person, PUBLISHED)
    stand.stop()
    for person in (ada, bob):
        assert len(told(person, "#1")) == 1
    assert len(told(eddie, PUBLISHED)) == 1


def test_a_message_that_its_reader_deletes(stand: Stand) -> None:
    """A report that its reader deletes comes again with the next change, and once."""
    ada = stand.people["Ada"]
    release = stand.server.hold_answer(chat=stand.channel)
    add(stand, THREAD)
    (first,) = wait_until_told(stand, ada, "publishing")
    ada.deletes(first)
    release.set()
    wait_until_told(stand, ada, PUBLISHED)
    stand.stop()
    assert len(told(ada, "#1")) == 1


def test_a_chain_that_stops(stand: Stand) -> None:
    """A chain that stops makes a sound: the quiet message gives way to one that is heard, in every chat."""
    ada, bob = stand.people["Ada"], stand.people["Bob"]
    release = stand.server.hold_answer(chat=stand.channel)
    add(stand, THREAD)
    (quiet,) = wait_until_told(stand, ada, "publishing")
    assert is_quiet(quiet)
    stand.server.fail(400, "Bad Request: message is odd", chat=stand.channel)
    release.set()
    for person in (ada, bob):
        (loud,) = wait_until_told(stand, person, "🛑 news failed")
        assert not is_quiet(loud)
        wait_until_alone(stand, person, loud)


def test_somebody_who_blocks_the_bot(stand: Stand) -> None:
    """Who blocks the bot is not told, which is logged once; back again, they are told what was missed."""
    ada, bob = stand.people["Ada"], stand.people["Bob"]
    with capture_logs() as logs:
        bob.blocks()
        for number in (1, 2):
            add(stand, thread(number))
            wait_until_told(stand, ada, PUBLISHED, number)
        assert told(bob, PUBLISHED) == []
        bob.unblocks()
        wait_until_told(stand, bob, PUBLISHED, 2)
    stand.stop()
    assert len(told(ada, PUBLISHED)) == len(told(bob, PUBLISHED)) == 2
    said = [one["chat"] for one in logs if one["event"] == "nothing can be said in a chat"]
    assert said == [2222]


def test_an_owner_who_never_pressed_start(tmp_path: Path) -> None:
    """An owner who has not pressed Start yet holds nobody up, and is told what was missed at their Start."""
    with capture_logs() as logs, standing(tmp_path, {"TELEGRAM__ADMINS": "6666,1111"}) as stand:
        ada, eve = stand.people["Ada"], stand.people["Eve"]
        add(stand, THREAD)
        wait_until_told(stand, ada, PUBLISHED)
        stand.stop()
        stand.start()  # what was missed is known after a restart
        eve.starts()
        wait_until_told(stand, eve, PUBLISHED)
        stand.stop()
        assert len(told(ada, "#1")) == len(told(eve, "#1")) == 1
    assert not [one for one in logs if one["event"] == "Telegram refused an answer"]


def test_a_group_instead(tmp_path: Path) -> None:
    """Where there is a group, it is told, and nobody else is."""
    with standing(tmp_path, {"TELEGRAM__GROUP": str(GROUP)}) as stand:
        ada = stand.people["Ada"]
        stand.found_group(ada, stand.people["Bob"])
        add(stand, THREAD)
        (group,) = stand.groups
        stand.server.wait_for(lambda _: any(PUBLISHED in one.text for one in group.messages.values()))
        stand.stop()
        assert told(ada, "") == []
        assert len([one for one in group.messages.values() if "#1" in one.text]) == 1


def test_a_chat_that_asks_to_wait(stand: Stand) -> None:
    """A chat that asks to wait for long delays nobody else's reports, and no command that is given in it."""
    ada, bob = stand.people["Ada"], stand.people["Bob"]
    stand.server.throttle(3600, chat=ada.chat)
    add(stand, thread(1))
    wait_until_told(stand, bob, PUBLISHED)
    ada.says("/pause news")
    stand.wait_until_heard()
    assert stand.database is not None
    assert [row.paused for row in stand.database.reading.channels()] == [True]
    ada.says("/resume news")
    add(stand, thread(2))
    wait_until_told(stand, bob, PUBLISHED, 2)
    assert told(ada, "") == []
    stand.stop()
    stand.start()
    wait_until_told(stand, ada, PUBLISHED, 2)
    stand.stop()
    assert len(told(ada, PUBLISHED)) == len(told(bob, PUBLISHED)) == 2


def test_what_show_shows(stand: Stand) -> None:
    """A long chain that is watched with /show makes few edits, and one card shows its end."""
    ada = stand.people["Ada"]
    parts = [f"{number}/ Part {number}." for number in range(1, 30)]
    release = stand.server.hold_answer(chat=stand.channel)
    add(stand, "\n".join([*parts, "30/ The last. /end"]))
    stand.wait_for_state(1, "news", DeliveryState.PUBLISHING)
    ada.says("/show 1")
    wait_until_told(stand, ada, "publishing")
    release.set()
    wait_until_told(stand, ada, "✅ news published 30/30")
    stand.stop()
    assert len(told(ada, "#1 Part 1.")) - len(told(ada, "its card is below")) == 1
    assert count(stand, "editMessageText", ada) <= 6


def test_what_was_sent_back(stand: Stand) -> None:
    """Who was asked to approve a thread sends it back: every owner hears it, with the note."""
    ada, bob = stand.people["Ada"], stand.people["Bob"]
    ada.sends("rivers.txt", THREAD.encode(), caption="hold")
    wait_until_told(stand, ada, "held")
    stand.in_a_shell(lambda requests: requests.changes.send_back(1, "Less water."))
    for person in (ada, bob):
        (loud,) = wait_until_told(stand, person, "sent back: Less water.")
        assert not is_quiet(loud)
