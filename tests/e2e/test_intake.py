"""The intake folder on the real service: a file dropped there is published, whole and once."""

import signal
from pathlib import Path

import pytest

from tests.e2e.house import PATIENCE, House, chains_of, thread_text

pytestmark = pytest.mark.e2e


def test_dropped_files_are_published(house: House) -> None:
    """Files dropped before the start, while it runs, or before a kill are each published once."""
    inbox = house.folder / "drop here"
    house.env["THREADCAST_INTAKE"] = "drop here"
    inbox.mkdir()
    (inbox / "early.txt").write_text(thread_text(1, 3), encoding="utf-8")
    with house.running() as service:
        service.wait_for('"to": "done/early.txt"')
        (inbox / "late.md").write_text(thread_text(2, 4), encoding="utf-8")
        (inbox / "empty.txt").touch()
        service.wait_for('"to": "failed/empty.txt"')
        service.wait_for('"to": "done/late.md"')
        (inbox / "news" / "own.txt").write_text(thread_text(3, 2), encoding="utf-8")
        service.wait_for('"to": "done/news/own.txt"')
        house.wait_for_posts(7)
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 9, PATIENCE)
        service.stop(signal.SIGKILL)
    # As if it had died before the last move: the file is in the folder, and its thread in the queue.
    again = inbox / "news" / "own.txt"
    (inbox / "done/news/own.txt").rename(again)
    with house.running() as service:
        service.wait_for('"to": "done/news/own.2.txt"')
        assert service.stop() == 0
    assert [len(chain) for chain in chains_of(house.on_telegram())] == [3, 4, 2]
    assert [len(chain) for chain in chains_of(house.on_mastodon())] == [3, 4]
    assert "nothing new was added" in report(inbox / "done/news/own.2.txt")
    assert "empty.txt is empty" in report(inbox / "failed/empty.txt")
    assert {event["actor"] for event in house.json("show", "1")["events"] if event["what"] == "add"} == {
        "intake:early.txt"
    }


def report(path: Path) -> str:
    return path.with_name(f"{path.name}.report.txt").read_text(encoding="utf-8")
