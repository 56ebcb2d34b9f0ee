"""A reaction is a help only: where a chat allows none, nobody hears of it, and it is asked once."""

from pathlib import Path

from tests.bot.chat.stand import GROUP, Stand, standing
from threadcast.queue.states import DeliveryState

RIVERS = b"1/ The river rises.\n2/ It falls again. /end"


def reactions(stand: Stand) -> list[int]:
    """How each call that sets a reaction was answered."""
    return [call.status for call in stand.server.calls if call.method == "setMessageReaction"]


def test_a_refusal_is_remembered_and_silent(tmp_path: Path) -> None:
    """Where a group allows no reactions one is tried, and what is asked is answered."""
    with standing(tmp_path, {"TELEGRAM__GROUP": str(GROUP)}) as stand:
        ada = stand.people["Ada"]
        stand.found_group(ada)
        (group,) = stand.groups
        group.reactions = frozenset()
        stand.server.api.reads_all.add(stand.bot.id)
        ada.says("/add", group)
        ada.says("1/ The river rises.", group)
        stand.server.wait_for(lambda _: len(reactions(stand)) == 1)
        ada.says("2/ It falls again. /end", group)
        ada.says("/done", group)
        ada.waits_for(lambda seen: any("#1 The river" in one.text for one in seen), group)
        assert reactions(stand) == [400]
        assert not [message for message in ada.messages(group) if message.reactions]


def test_what_is_out_before_it_is_noted_is_marked_all_the_same(tmp_path: Path) -> None:
    """A chain may be through before its file was marked as taken; the last mark is that it is out."""
    with standing(tmp_path, {"TELEGRAM__CONFIRM": "false"}) as stand:
        ada = stand.people["Ada"]
        release = stand.server.hold_answer("setMessageReaction", chat=ada.chat)
        file = ada.sends("rivers.txt", RIVERS)
        stand.wait_for_state(1, "news", DeliveryState.PUBLISHED)
        release.set()
        stand.server.wait_for(lambda _: file.reactions.get(stand.bot.id) == "👌")


def test_a_message_that_is_gone_is_no_refusal(tmp_path: Path) -> None:
    """Where what was sent was deleted meanwhile, later messages are marked."""
    with standing(tmp_path, {}) as stand:
        ada = stand.people["Ada"]
        stand.server.fail(400, "Bad Request: message to react not found", "setMessageReaction")
        ada.sends("rivers.txt", RIVERS)
        stand.server.wait_for(lambda _: reactions(stand) == [400])
        lakes = ada.sends("lakes.txt", b"1/ The lake rests.\n2/ And rests. /end")
        stand.server.wait_for(lambda _: lakes.reactions.get(stand.bot.id) == "👀")
