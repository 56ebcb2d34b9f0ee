"""What a stranger does leaves no trace: no answer, no entry in the audit log, one line in the log."""

from pathlib import Path

import pytest

from tests.bot.chat.stand import GROUP, Stand, standing
from threadcast.queue.model import AuditEvent
from threadcast.queue.states import DeliveryState

GIVEN = {"TELEGRAM__GROUP": str(GROUP), "CHANNELS__NEWS__SCHEDULE": "18:00"}
FILE = b"1/ The river rises.\n2/ It falls again. /end\n"


def _events(stand: Stand) -> tuple[AuditEvent, ...]:
    assert stand.database is not None
    return stand.database.reading.events()


def test_a_stranger_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In private, in the group and by pressing what others may: the audit log is as it was before."""
    with standing(tmp_path, GIVEN) as stand:
        ada, eve = stand.people["Ada"], stand.people["Eve"]
        stand.found_group(ada, eve)
        group = stand.groups[0]
        ada.sends("rivers.txt", FILE, chat=group, caption="/add@example_bot")
        ada.sends("rivers.txt", FILE)
        ada.waits_for(1)
        ada.says("/show@example_bot 1", group)
        ada.waits_for(lambda seen: any("More…" in row for one in seen for row in one.buttons), group)
        before = _events(stand)

        eve.says("/start")
        eve.says("/cancel 1")
        eve.sends("mine.txt", FILE)
        eve.says("/cancel@example_bot 1", group)
        presses = [eve.presses(label, chat=group) for label in ("Publish now", "Pick a time…", "More…")]
        stand.wait_until_heard()

        assert _events(stand) == before
        assert [one.answer for one in presses] == [None] * len(presses)
        assert all(seen.who == "Eve" for seen in eve.sees())
    assert capsys.readouterr().out.count("not answered: a stranger") == 1


def test_every_action_is_in_the_audit_log(tmp_path: Path) -> None:
    """Who did what by typing or pressing stands there with their id."""
    with standing(tmp_path, {"CHANNELS__NEWS__SCHEDULE": "18:00"}) as stand:
        ada, eddie = stand.people["Ada"], stand.people["Eddie"]
        eddie.sends("rivers.txt", FILE)
        stand.wait_until(1, "news", lambda one: one.state is DeliveryState.HELD)
        ada.waits_for(1)
        ada.presses("Next slot")
        stand.wait_until(1, "news", lambda one: one.state is DeliveryState.QUEUED)
        ada.says("/cancel 1")
        ada.waits_for(lambda seen: any("Yes, cancel" in row for one in seen for row in one.buttons))
        ada.presses("Yes, cancel")
        stand.wait_until(1, "news", lambda one: one.state is DeliveryState.CANCELLED)
        done = [(event.what, event.actor) for event in _events(stand) if event.thread_id == 1]
        assert done == [
            ("add", "telegram:3333"),
            ("release", "telegram:1111"),
            ("cancel", "telegram:1111"),
        ]
