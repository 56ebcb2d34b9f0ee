"""What people do to a channel while chains are on their way, on the real service."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event

import pytest

from tests.e2e.house import PATIENCE, House, Process, chains_of, thread_text
from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.telegram.chats import Member
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN

pytestmark = pytest.mark.e2e

OWNER = 7001  # the Telegram id of the owner, in whose private chat posts are looked at
Change = Callable[[House], None]


@dataclass(frozen=True)
class Fault:
    """What happens to a channel, how it is put right, and what its owner is told meanwhile."""

    channel: str
    happens: Change
    mended: Change
    says: str


def rights(*names: str) -> Change:
    return lambda house: house.telegram.set_member(house.chat, Member("administrator", frozenset(names)))


def scopes(*names: str) -> Change:
    def change(house: House) -> None:
        with house.mastodon.changed:
            house.mastodon.accounts[MASTODON_TOKEN] = replace(house.account, scopes=frozenset(names))

    return change


def every_scope(house: House) -> None:
    with house.mastodon.changed:
        house.mastodon.accounts[MASTODON_TOKEN] = house.account


def no_bot(house: House) -> None:
    house.bot = house.telegram.api.bots[TELEGRAM_TOKEN]  # type: ignore[attr-defined]  # kept for `same_bot`
    house.telegram.revoke()


def same_bot(house: House) -> None:
    with house.telegram.changed:
        house.telegram.api.bots[TELEGRAM_TOKEN] = house.bot  # type: ignore[attr-defined]


ALL_RIGHTS: Change = lambda house: house.telegram.set_member(house.chat, Member("administrator"))  # noqa: E731

FAULTS = {
    "the bot is removed": Fault("news", lambda house: house.telegram.kick(house.chat), ALL_RIGHTS, "bot"),
    "the bot may not post any more": Fault("news", rights("can_edit_messages"), ALL_RIGHTS, "right"),
    "the bot's token is revoked": Fault("news", no_bot, same_bot, "token"),
    "the account's token is revoked": Fault(
        "masto", lambda house: house.mastodon.revoke(), every_scope, "token"
    ),
    "the account may not post any more": Fault("masto", scopes("read"), every_scope, "write:statuses"),
}


def posts(house: House, channel: str) -> list[tuple[str, str | None, str]]:
    return house.on_telegram() if channel == "news" else house.on_mastodon()


def whole(house: House, channel: str) -> list[str]:
    """The texts of the one chain that is there."""
    (chain,) = chains_of(posts(house, channel))
    return list(chain)


def stopped(house: House, service: Process, says: str) -> None:
    service.wait_for("stopped")
    (delivery,) = house.json("history")["deliveries"]
    assert delivery["state"] == "failed"
    assert says in delivery["reason"].lower(), delivery["reason"]


def waiting(house: House, service: Process, says: str) -> None:
    service.wait_for("waiting")
    (delivery,) = house.json("history")["deliveries"] or house.json("queue")["deliveries"]
    assert delivery["state"] == "publishing"
    assert says in delivery["reason"].lower(), delivery["reason"]


def texts() -> list[str]:
    return [line.replace("¶", "\n") for line in thread_text(1, 3).replace(":\n", ":¶").splitlines()]


@pytest.mark.parametrize("name", FAULTS)
def test_before_a_chain(house: House, name: str) -> None:
    """A chain does not begin on a channel that would not take it; put right, it goes out whole by itself."""
    fault = FAULTS[name]
    fault.happens(house)
    house.command("add", "--channel", fault.channel, house.write(thread_text(1, 3)))
    with house.running() as service:
        waiting(house, service, fault.says)
        assert posts(house, fault.channel) == []
        fault.mended(house)
        service.wait_for("published")
        assert service.stop() == 0
    assert whole(house, fault.channel) == texts()


@pytest.mark.parametrize("name", FAULTS)
def test_in_the_middle_of_a_chain(house: House, name: str) -> None:
    """A chain that its channel takes no more rests with what is out; put right, it goes on by itself."""
    fault = FAULTS[name]
    release = hold_answer(house, fault.channel)
    house.command("add", "--channel", fault.channel, house.write(thread_text(1, 3)))
    with house.running() as service:
        house_has(house, fault.channel, 1)
        fault.happens(house)
        release.set()
        waiting(house, service, fault.says)
        assert len(posts(house, fault.channel)) == 1
        fault.mended(house)
        service.wait_for("published")
        assert service.stop() == 0
    assert whole(house, fault.channel) == texts()


@pytest.mark.parametrize("channel", ["news", "masto"])
def test_a_parent_is_deleted(house: House, channel: str) -> None:
    """Where somebody deletes the post before, the chain stops, and goes on only as its owner says."""
    house.env["THREADCAST_TELEGRAM__ADMINS"] = str(OWNER)
    house.telegram.add_chat("private", chat_id=OWNER)
    first = hold_answer(house, channel)
    house.command("add", "--channel", channel, house.write(thread_text(1, 4)))
    with house.running() as service:
        house_has(house, channel, 1)
        second = hold_answer(house, channel)
        first.set()
        house_has(house, channel, 2)
        delete(house, channel, posts(house, channel)[1][0])
        second.set()
        stopped(house, service, "gone" if channel == "masto" else "repl")
        assert house.command("retry", "1").returncode == 0
        assert house.command("show", "1", "--follow").returncode == 7, "its parent is still gone"
        assert len(posts(house, channel)) == 1
        mended = house.command("retry", "1", "--mend")
        assert mended.returncode == 0, mended.stderr
        service.wait_for("published")
        assert service.stop() == 0
    (root, _, _), (third, parent, _), (_, grandparent, _) = posts(house, channel)
    assert (parent, grandparent) == (root, third)


def hold_answer(house: House, channel: str) -> Event:
    """The next post is carried out, and answered when this is set."""
    return house.telegram.hold_answer(chat=house.chat) if channel == "news" else house.mastodon.hold_answer()


def house_has(house: House, channel: str, count: int) -> None:
    if channel == "news":
        house.telegram.wait_for(lambda _: len(house.chat.messages) == count, PATIENCE)
    else:
        house.mastodon.wait_for(lambda server: len(server.statuses(house.account)) == count, PATIENCE)


def delete(house: House, channel: str, post: str) -> None:
    if channel == "masto":
        house.mastodon.delete(post)
        return
    with house.telegram.changed:
        del house.chat.messages[int(post)]
