"""Which message is the post that was looked for, and where a chain is not as it was sent."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers.telegram.chats import clean
from threadcast.bot.channels.port import Difference, Expected
from threadcast.bot.channels.telegram.matching import Shown, alike, beside, differences, verdict
from threadcast.queue.outcomes import Absent, Blind, Sent

CASES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("matching_cases.toml").read_text(encoding="utf-8")
)["case"]
OWN = {"yes": True, "no": False, "unknown": None}


def address(number: int) -> str:
    return f"https://t.me/news/{number}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_table(case: dict[str, Any]) -> None:
    """What is behind a post's parent says that it is out, that it is not, or that a person must look."""
    shown = [Shown(one["id"], one["text"], OWN[one.get("own", "yes")]) for one in case["shown"]]
    answer = verdict(shown, case["sought"], address)
    if "found" in case:
        assert answer == Sent(str(case["found"]), address(case["found"]))
    elif "says" in case:
        assert isinstance(answer, Blind)
        assert case["says"] in answer.reason
    else:
        assert answer == Absent()


def test_a_message_without_an_address() -> None:
    """In a group, where messages have no address, a message is named by its id."""
    answer = verdict([Shown(17, "a"), Shown(18, "a")], "a", lambda _: None)
    assert answer == Blind("more than one message has this text: message 17, message 18", seen=True)


@given(text=st.text())
def test_whatever_telegram_makes_of_a_text(text: str) -> None:
    """A text is known again after Telegram has cleaned it."""
    assert alike(clean(text), text)


def expected(*posts: tuple[int, str]) -> list[Expected]:
    return [Expected(position, str(number), text, None) for position, (number, text) in enumerate(posts, 1)]


class TestDifferences:
    def test_none(self) -> None:
        """A chain that is as it was sent, with others' messages beside it, has none."""
        seen = {7: Shown(7, "1/ a"), 8: Shown(8, "Good morning"), 9: Shown(9, "2/ b"), 10: None}
        assert differences(expected((7, "1/ a"), (9, "2/ b")), seen, address) == ()

    def test_each_kind(self) -> None:
        """What is missing, edited, older than the post before it, or there once more is told, and where."""
        chain = expected((7, "1/ a lamp"), (9, "2/ a tower"), (8, "3/ a keeper"), (12, "4/ a boat"))
        seen = {
            7: Shown(7, "1/ a lantern"),
            8: Shown(8, "3/ a keeper"),
            9: Shown(9, "2/ a tower"),
            10: Shown(10, "2/  a tower"),
            11: Shown(11, "2/ a tower", own=False),
            12: None,
        }
        assert differences(chain, seen, address) == (
            Difference("edited", 1, "its text is another: https://t.me/news/7"),
            Difference("out-of-order", 3, "it is older than 9: https://t.me/news/8"),
            Difference("missing", 4, "message 12 is not there"),
            Difference("extra", None, "post 2 stands there once more: https://t.me/news/10"),
        )


@pytest.mark.parametrize(
    ("ids", "each", "most", "found"),
    [
        ((), 3, 9, ()),
        ((7,), 3, 9, (8, 9, 10)),
        ((7, 8, 9), 2, 9, (10, 11)),
        ((7, 9, 40), 2, 9, (8, 10, 11, 41, 42)),
        ((40, 7), 2, 9, (8, 9, 41, 42)),
        ((7, 40), 3, 4, (8, 9, 10, 41)),
    ],
)
def test_what_stands_beside_a_chain(
    ids: tuple[int, ...], each: int, most: int, found: tuple[int, ...]
) -> None:
    """The ids behind each post that are not the chain's own, up to a number behind each and in all."""
    assert beside(expected(*((number, "") for number in ids)), each, most) == found
