"""A service that is told to stop ends in time, whatever its servers do."""

import subprocess
import sys
import time

import pytest

from tests.e2e.house import PATIENCE, House, chain, thread_text

pytestmark = pytest.mark.e2e


def test_servers_that_do_not_answer(house: House) -> None:
    """Ten seconds after SIGTERM the service has ended, and after the next start no post is out twice."""
    private = house.telegram.add_chat("private")
    house.env["THREADCAST_TELEGRAM__ADMINS"] = str(private.id)
    house.env["THREADCAST_SETTLE_AFTER"] = "1s"
    house.command("add", house.write(thread_text(1, 3)))
    with house.running():
        house.wait_for_posts(3)
    (house.folder / "more.txt").write_text(thread_text(2, 3))
    house.command("add", "more.txt")
    released = [house.telegram.hold_answer(chat=house.chat), house.mastodon.hold_answer()]
    with house.running() as service:
        house.wait_for_posts(4)
        begun = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - begun < 10
    for one in released:
        one.set()
    with house.running() as service:
        house.wait_for_posts(6)
        service.wait_for("published")
        assert service.stop() == 0
    wanted = [*chain(1, 3), *chain(2, 3)]
    assert [text for _, _, text in house.on_telegram()] == wanted
    assert [text for _, _, text in house.on_mastodon()] == wanted


def test_a_chain_that_its_owner_stops(house: House) -> None:
    """`stop` ends a chain after the post in hand; a restart leaves it so; `retry` goes on: each post once."""
    answer = house.telegram.hold_answer(chat=house.chat)
    with house.running() as service:
        service.wait_for("running")
        house.command("add", "-c", "news", house.write(thread_text(1, 3)))
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1, PATIENCE)
        words = [sys.executable, "-m", "threadcast.bot", "stop", "1"]
        with subprocess.Popen(
            words, cwd=house.folder, env=house.environment(), stdout=subprocess.PIPE, text=True
        ) as stop:
            while house.json("show", "1")["deliveries"][0]["reason"] == "":
                assert stop.poll() is None
            answer.set()
            said, _ = stop.communicate(timeout=PATIENCE)
        assert said == (
            "#1 on news is stopped now, with 1 of 3 posts out.\n"
            "    → threadcast retry 1, or: undo 1, cancel 1\n"
        )
        assert service.stop() == 0
    house.command("add", "-c", "news", house.write(thread_text(2, 3)))
    with house.running() as service:
        service.wait_for("published")
        assert [text for _, _, text in house.on_telegram()] == [*chain(1, 3)[:1], *chain(2, 3)]
        house.command("retry", "1")
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 6, PATIENCE)
        assert service.stop() == 0
    posts = house.on_telegram()
    assert [text for _, _, text in posts] == [*chain(1, 3)[:1], *chain(2, 3), *chain(1, 3)[1:]]
    assert [parent for _, parent, _ in posts] == [
        None,
        None,
        posts[1][0],
        posts[2][0],
        posts[0][0],
        posts[4][0],
    ]


def test_a_chain_of_a_service_that_was_killed(house: House) -> None:
    """Where no service runs `stop` stops at once what a killed one had in hand."""
    answer = house.telegram.hold_answer(chat=house.chat)
    house.command("add", "-c", "news", house.write(thread_text(1, 3)))
    with house.running() as service:
        house.telegram.wait_for(lambda _: len(house.chat.messages) == 1, PATIENCE)
        service.put_an_end()
    answer.set()
    assert house.command("stop", "1").stdout.startswith("#1 on news is stopped now, with nothing out")
    refused = house.command("stop", "1")
    assert refused.returncode == 7
    assert "possible now: stop" not in refused.stderr
