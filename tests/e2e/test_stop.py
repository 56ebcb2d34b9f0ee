"""A service that is told to stop ends in time, whatever its servers do."""

import time

import pytest

from tests.e2e.house import House, chain, thread_text

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
