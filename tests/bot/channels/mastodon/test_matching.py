"""Which of an account's statuses is the post that was looked for, and where a chain is not as it was sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from threadcast.bot.channels.mastodon.matching import (
    REACH,
    SLACK,
    Search,
    Status,
    differences,
    status_of,
    verdict,
)
from threadcast.bot.channels.port import Difference, Expected, Sought
from threadcast.queue.outcomes import Blind, Sent

NOW = datetime(2026, 5, 4, 9, 30, 12, tzinfo=UTC)
MOMENT = timedelta(milliseconds=1)
TEXT = "2/ The tower"


def status(remote_id: str = "120", **changes: Any) -> Status:
    """The reply that is looked for, just posted."""
    return replace(
        Status(remote_id, "me", "110", TEXT, NOW, None, f"https://a.example/{remote_id}"), **changes
    )


def search(
    *, parent: str | None = "110", before: Sequence[str] = (), floor: datetime | None = None
) -> Search:
    return Search(Sought(TEXT, parent, "key", NOW, None), "me", NOW, frozenset(before), floor)


def described(found: Sequence[Status], searched: Search) -> str:
    """The outcome in short: an id, nothing, or why a person has to look."""
    match verdict(found, searched):
        case Sent(remote_id, url):
            assert url is None or url.endswith(remote_id)
            return remote_id
        case None:
            return "absent"
        case Blind(reason):
            return reason


REPLIES = [
    pytest.param([], "absent", id="nothing"),
    pytest.param([status()], "120", id="the-post"),
    pytest.param([status(), status()], "120", id="the-post-seen-twice"),
    pytest.param([status(url=None)], "120", id="without-an-address"),
    pytest.param([status(text=" 2/  The\ntower ")], "120", id="other-blanks"),
    pytest.param([status(created=NOW - SLACK)], "120", id="clocks-a-little-apart"),
    pytest.param([status(created=NOW + timedelta(days=1))], "120", id="found-a-day-later"),
    pytest.param([status(created=None)], "120", id="without-a-time"),
    pytest.param([status(edited=NOW)], "120", id="edited-but-the-same"),
    pytest.param([status(account="you")], "absent", id="somebody-elses"),
    pytest.param([status(is_boost=True)], "absent", id="a-boost"),
    pytest.param([status(text="2/ The towers")], "absent", id="another-text-by-hand"),
    pytest.param([status(text="2/ The towers"), status("130")], "130", id="the-post-beside-one-by-hand"),
    pytest.param([status(), status("130")], "more than one", id="two"),
    pytest.param([status(), status("130", parent=None)], "120", id="the-post-and-a-copy-elsewhere"),
    pytest.param([status(parent=None)], "in another place: https://a.example/120", id="its-parent-is-lost"),
    pytest.param([status(parent=None, url=None)], "in another place: status 120", id="lost-without-address"),
    pytest.param([status(parent="100")], "in another place", id="another-parent"),
    pytest.param(
        [status(parent="100", created=NOW - SLACK - MOMENT)], "absent", id="another-parent-and-older"
    ),
    pytest.param([status(created=NOW - SLACK - MOMENT)], "was there before", id="older"),
    pytest.param([status(created=NOW - REACH - MOMENT)], "absent", id="much-older"),
    pytest.param([status(text="2/ The light", edited=NOW)], "edited meanwhile", id="edited"),
    pytest.param(
        [status(text="x", edited=NOW, created=NOW - SLACK - MOMENT)], "absent", id="an-older-one-edited"
    ),
    pytest.param([status(text="x", edited=NOW, parent=None)], "absent", id="one-elsewhere-edited"),
]


@pytest.mark.parametrize(("found", "expected"), REPLIES)
def test_replies(found: list[Status], expected: str) -> None:
    """A reply is known by text, parent and time; in doubt, a person is shown what is there."""
    assert expected in described(found, search())


@pytest.mark.parametrize(("found", "expected"), REPLIES)
def test_first_posts(found: list[Status], expected: str) -> None:
    """A first post is known in the same way: what it replies to is nothing."""
    turned = {"110": None, None: "110", "100": "100"}
    found = [replace(status, parent=turned[status.parent]) for status in found]
    assert expected in described(found, search(parent=None))


OLD = NOW - timedelta(hours=2)  # when the status that is known was created


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param([status("110", parent=None)], "absent", id="the-parent-itself"),
        pytest.param([status("100")], "absent", id="the-landmark-itself"),
        pytest.param([status("109")], "109", id="a-smaller-id"),
        pytest.param([status("99")], "99", id="a-shorter-id"),
        pytest.param([status(created=OLD - SLACK - MOMENT)], "absent", id="older-than-the-landmark"),
        pytest.param([status(created=OLD)], "was there before", id="of-the-landmarks-second"),
        pytest.param([status(created=NOW - SLACK - MOMENT)], "was there before", id="an-hour-too-late"),
    ],
)
def test_ids_tell_nothing(found: list[Status], expected: str) -> None:
    """What is older than a status known before is out by its time, never by its id: that need not grow."""
    assert expected in described(found, search(before=["100", "110"], floor=OLD))


ANYTHING = st.builds(
    status,
    st.sampled_from(["120", "130", "140"]),
    text=st.sampled_from([TEXT, "2/ The towers"]),
    account=st.sampled_from(["me", "you"]),
    parent=st.sampled_from(["110", "100", None]),
    created=st.sampled_from([NOW, NOW - REACH * 2, NOW + REACH]),
    edited=st.sampled_from([None, NOW]),
)


@given(st.lists(ANYTHING, max_size=4, unique_by=lambda status: status.remote_id))
def test_nothing_is_taken_that_does_not_fit(found: list[Status]) -> None:
    """Whatever lies beside each other: what is taken is the one with the text, parent, account and time."""
    fits = [
        status.remote_id
        for status in found
        if (status.text, status.account, status.parent) == (TEXT, "me", "110")
        and status.created in {NOW, NOW + REACH}
    ]
    taken = verdict(found, search())
    assert isinstance(taken, Sent) is (len(fits) == 1)
    assert not isinstance(taken, Sent) or [taken.remote_id] == fits


@pytest.mark.parametrize(
    ("found", "is_worth"),
    [
        (status(), False),
        (status(text="2/ **The tower**"), True),
        (status(text="x", account="you"), False),
        (status(text="x", parent=None), False),
        (status(text="x", created=NOW - SLACK - MOMENT), False),
    ],
)
def test_what_is_worth_reading(found: Status, is_worth: bool) -> None:
    """A status of another text is read more closely only where and when the post would stand."""
    assert search().is_worth_reading(found) is is_worth


ANSWER: dict[str, Any] = {
    "id": "120",
    "account": {"id": "1001"},
    "in_reply_to_id": "110",
    "content": "<p>2/ The tower</p>",
    "created_at": NOW,
    "edited_at": None,
    "url": "https://a.example/120",
    "reblog": None,
    "visibility": "public",
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, status(account="1001")),
        ({"id": 120, "account": {"id": 1001}, "in_reply_to_id": 110}, status(account="1001")),
        ({"in_reply_to_id": None, "url": None}, status(account="1001", parent=None, url=None)),
        ({"url": "/120"}, status(account="1001", url=None)),
        ({"created_at": NOW.replace(tzinfo=None)}, status(account="1001")),
        ({"created_at": "yesterday"}, status(account="1001", created=None)),
        ({"edited_at": NOW}, status(account="1001", edited=NOW)),
        ({"reblog": {"id": "1"}}, status(account="1001", is_boost=True)),
        ({"visibility": "private"}, status(account="1001", is_distributed=False)),
        ({"visibility": {"name": "public"}}, status(account="1001", is_distributed=False)),
        ({"id": None}, None),
        ({"id": ""}, None),
        ({"account": None}, None),
        ({"content": None}, None),
    ],
)
def test_an_answer(changes: dict[str, Any], expected: Status | None) -> None:
    """A status is read from an answer, ids as strings; what has no id, author or text is none."""
    assert status_of({**ANSWER, **changes}) == expected


@pytest.mark.parametrize("answer", [None, [], "120", 120, {}])
def test_no_answer(answer: object) -> None:
    """What is no object is no status."""
    assert status_of(answer) is None


CHAIN = [
    Expected(1, "110", "1/ The lamp", None),
    Expected(2, "120", TEXT, "110"),
    Expected(3, "130", "3/ The sea", "120"),
]
PUBLISHED = [
    status("110", parent=None, text="1/ The lamp"),
    status(),
    status("130", parent="120", text="3/ The sea"),
]


def audited(*statuses: Status) -> list[tuple[str, int | None]]:
    found = differences(CHAIN, {status.remote_id: status for status in statuses})
    assert all(difference.detail for difference in found)
    return [(difference.kind, difference.position) for difference in found]


def test_a_chain_as_it_was_sent() -> None:
    """A chain that is as it was sent has no differences, whatever others replied."""
    others = [status("140", account="you"), status("150", account="me", parent="140")]
    assert audited(*PUBLISHED, *others) == []


def test_a_chain_that_is_gone() -> None:
    """Of a chain that is gone every post is missing."""
    assert audited() == [("missing", 1), ("missing", 2), ("missing", 3)]


def test_a_chain_that_was_broken() -> None:
    """A post that is gone is missing, and the one after it stands alone."""
    first, _, third = PUBLISHED
    assert audited(first, replace(third, parent=None)) == [("missing", 2), ("out-of-order", 3)]


def test_a_chain_that_was_edited() -> None:
    """An edited text is told, with when and where; an edit that left the text alone is none."""
    first, second, third = PUBLISHED
    found = [first, replace(second, text="2/ The light", edited=NOW), replace(third, edited=NOW)]
    assert differences(CHAIN, {status.remote_id: status for status in found}) == (
        Difference("edited", 2, "its text is another (2026-05-04 09:30 UTC): https://a.example/120"),
    )


def test_a_chain_in_another_order() -> None:
    """A post that replies to another one is told with both parents, and a first post that replies at all."""
    first, second, third = PUBLISHED
    found = [replace(first, parent="90"), second, replace(third, parent="110", text="x")]
    details = [difference.detail for difference in differences(CHAIN, {one.remote_id: one for one in found})]
    assert details == [
        "it replies to 90 instead of nothing: https://a.example/110",
        "its text is another: https://a.example/130",
        "it replies to 110 instead of 120: https://a.example/130",
    ]


def test_more_than_the_chain() -> None:
    """The account's own replies in the chain that are no posts of it are extra, and what hangs on them."""
    extras = [status("140", parent="120"), status("150", parent="140"), status("160", parent="100")]
    assert audited(*PUBLISHED, *extras) == [("extra", None), ("extra", None)]
