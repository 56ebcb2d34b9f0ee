"""Threads and the posts that come of them: a table of cases, and what cannot be composed."""

import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.length import code_points, mastodon, telegram
from threadcast.queue.compose.rules import CannotComposeError, Numbering, Post, Rules
from threadcast.queue.text.thread import Part, Placement, Thread

CASES: list[dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("compose_cases.toml").read_text(encoding="utf-8")
)["case"]


def thread(*parts: Part, placement: Placement = Placement.PREFIX) -> Thread:
    return Thread(parts, placement, None, "", complete=True, fingerprint="", notices=())


def part(number: int | None, marker: str, joint: str, text: str) -> Part:
    return Part(number or None, marker, joint, text, line=7)


def texts(posts: tuple[Post, ...]) -> list[str]:
    return [post.text for post in posts]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_thread_gives_the_posts_of_the_table(case: dict[str, Any]) -> None:
    """Each case of the table gives exactly its posts."""
    given = thread(
        *(part(*row) for row in case["parts"]), placement=Placement(case.get("placement", "prefix"))
    )
    rules = Rules(case.get("limit", 40), code_points, Numbering(case.get("numbering", "keep")))
    posts = compose(given, rules)
    assert texts(posts) == case["posts"]
    assert [post.length for post in posts] == [len(post.text) for post in posts]


def test_posts_know_their_part_and_label() -> None:
    """A post names its part's position in the thread, and the label that a reader sees."""
    given = thread(
        part(4, "4/", " ", "One"),
        part(5, "5/", "", ""),
        part(6, "6/", " ", "aaa bbb"),
        part(None, "", "", "z"),
    )
    kept = compose(given, Rules(7, code_points))
    assert [(post.part, post.label) for post in kept] == [
        (1, "4/"),
        (2, "5/"),
        (3, "6a/"),
        (3, "6b/"),
        (4, ""),
    ]
    renumbered = compose(given, Rules(7, code_points, Numbering.RENUMBER))
    assert [(post.part, post.label) for post in renumbered] == [(1, "1/"), (3, "2/"), (3, "3/"), (4, "4/")]


def test_the_letters_of_unnumbered_parts_go_on_after_one_that_fits() -> None:
    """No letter comes twice among the pieces of parts without a marker."""
    given = thread(
        part(1, "1/", " ", "x"),
        part(None, "", "", "aaa bbb ccc"),
        part(None, "", "", "z"),
        part(None, "", "", "ddd eee fff"),
    )
    assert texts(compose(given, Rules(9, code_points))) == [
        "1/ x",
        "a/ aaa",
        "b/ bbb",
        "c/ ccc",
        "z",
        "d/ ddd",
        "e/ eee",
        "f/ fff",
    ]


def test_mastodon_and_telegram_get_different_pieces_of_one_thread() -> None:
    """The channel's own measure decides: two long URLs fit into one post of Mastodon only."""
    urls = " ".join(f"https://example.com/{letter * 60}" for letter in "ab")
    given = thread(part(1, "1/", " ", urls), part(2, "2/", " ", "End"))
    assert len(compose(given, Rules(100, partial(mastodon, url_length=23)))) == 2
    assert len(compose(given, Rules(100, telegram))) == 3


def test_a_short_url_that_counts_more_than_it_is_long_is_reckoned_with() -> None:
    """A part that is short in code points is cut where Mastodon counts it as too long."""
    posts = compose(thread(part(None, "", "", "http://a.co http://b.co")), Rules(40, mastodon))
    assert texts(posts) == ["1/ http://a.co", "2/ http://b.co"]


@pytest.mark.parametrize(
    ("given", "numbering"),
    [
        (thread(), Numbering.KEEP),
        (thread(part(None, "", "", "")), Numbering.KEEP),
        (thread(part(1, "1/", "", ""), part(2, "2/", "", " \n")), Numbering.NONE),
        (thread(part(1, "1/", "", "")), Numbering.RENUMBER),
        (thread(part(None, "", "", "\u200b\u2060")), Numbering.KEEP),
        (thread(part(1, "1/", " ", "\u200b"), part(2, "2/", " ", "\ufeff\u3164")), Numbering.TOTAL),
    ],
)
def test_a_thread_without_text_cannot_be_composed(given: Thread, numbering: Numbering) -> None:
    """Where nothing would be posted, the error says so."""
    with pytest.raises(CannotComposeError, match="no text to post"):
        compose(given, Rules(500, mastodon, numbering))


def test_a_limit_without_room_for_label_and_grapheme_is_an_error_for_a_person() -> None:
    """The error names the part, its line, the label and the limit, and what can be done."""
    given = thread(part(1, "1/", " ", "x"), part(2, "2/", " ", "xx"))
    with pytest.raises(CannotComposeError) as caught:
        compose(given, Rules(4, code_points))
    message = str(caught.value)
    for needed in ("Part 2", "line 7", "2a/", "limit of 4", "Raise the channel's limit"):
        assert needed in message


def test_a_grapheme_longer_than_the_limit_is_an_error_that_shows_it_cut_short() -> None:
    """A letter with a thousand marks fits nowhere on Telegram; the message does not repeat them all."""
    given = thread(part(None, "", "", "a" + "\u0301" * 5000))
    with pytest.raises(CannotComposeError, match="Part 1") as caught:
        compose(given, Rules(4096, telegram, Numbering.NONE))
    assert len(str(caught.value)) < 300
    assert len(compose(given, Rules(500, mastodon))) == 1


def test_a_marker_longer_than_the_limit_is_an_error() -> None:
    """An empty part's marker is not cut into nonsense."""
    with pytest.raises(CannotComposeError, match="Part 2"):
        compose(thread(part(1, "1/", " ", "x"), part(1234, "1234/9999", "", "")), Rules(4, code_points))


def test_a_measure_that_does_not_grow_with_the_text_gives_posts_within_the_limit() -> None:
    """Even a measure that calls a longer text shorter never lets a post pass the limit."""

    def odd(text: str) -> int:
        return 99 if len(text.split()) in {2, 5} else len(text)

    given = thread(part(None, "", "", "aaaa bbbb cccc dddd eeee ffff gggg hhhh"))
    for limit in (15, 20, 25, 30):
        for post in compose(given, Rules(limit, odd, Numbering.NONE)):
            assert odd(post.text) == post.length <= limit


def test_cutting_a_long_text_asks_about_pieces_only() -> None:
    """The measure is asked about texts of a piece's size, a few times a piece: the work is linear."""
    asked = 0

    def measure(text: str) -> int:
        nonlocal asked
        asked += len(text)
        return len(text)

    words = "It was a bright day, and the kites were up. " * 5000
    posts = compose(thread(part(None, "", "", words.strip())), Rules(500, measure, Numbering.NONE))
    assert len(words) / 500 < len(posts) < len(words) / 470
    assert asked < 40 * len(words)


HEAVY = [
    "a" * 200_000,
    "漢" * 100_000,
    "。" * 100_000,
    "”" * 100_000,
    "#a" * 50_000,
    "@a" * 50_000,
    "a." * 50_000,
    "'. " * 50_000,
    "://" * 30_000,
    "a\n\n" * 50_000,
    "https://a.co " * 2000,
    "x" + " " * 100_000 + "y",
]


@pytest.mark.parametrize("text", HEAVY, ids=lambda text: text[:8].encode("unicode_escape").decode())
def test_no_text_is_slow_to_cut(text: str) -> None:
    """A hundred thousand signs of any kind are cut without squaring the time."""
    for measure in (mastodon, telegram):
        posts = compose(thread(part(1, "1/", " ", text.strip())), Rules(500, measure))
        assert all(post.length <= 500 for post in posts)


def test_packed_parts_share_posts_as_long_as_they_fit() -> None:
    """In their order, numbers and all, a blank line between; the line of a warning counts, once a post."""
    given = thread(*(part(n, f"{n}/", " ", "x" * size) for n, size in enumerate((5, 5, 5, 30, 5, 5), 1)))
    rules = Rules(26, code_points, packed=True)
    posts = compose(given, rules)
    expected = [(2, "1/ 2/"), (3, "3/"), (4, "4a/"), (4, "4b/"), (6, "5/ 6/")]
    assert [(post.part, post.label) for post in posts] == expected
    assert posts[0].text == "1/ xxxxx\n\n2/ xxxxx"
    assert [post.length for post in posts] == [len(post.text) for post in posts]
    headed = compose(given, replace(rules, head="⚠️ x\n"))
    assert all(post.text.startswith("⚠️ x\n") and post.text.count("⚠️") == 1 for post in headed)
    assert max(post.length for post in headed) <= rules.limit


def test_parts_that_are_out_are_not_packed() -> None:
    """What was posted before stays as it is, and nothing that follows joins it."""
    given = thread(*(part(n, f"{n}/", " ", "x") for n in range(1, 7)))
    posts = compose(given, Rules(100, code_points, packed=True), 2)
    assert [(post.part, post.label) for post in posts] == [(1, "1/"), (2, "2/"), (6, "3/ 4/ 5/ 6/")]
