"""What is said below a preview: where a thread looks the same, and what of it is long."""

import pytest

from threadcast.bot.chat.views import previews
from threadcast.bot.chat.views.message import LIMIT, visible
from threadcast.bot.requests.preview import Preview
from threadcast.queue.compose.rules import Post
from threadcast.queue.text.parse import parse

(THREAD,) = parse("1/ The river rises.\n2/ It falls again. /end")


def post(text: str, part: int = 1, length: int = 0, label: str = "") -> Post:
    return Post(part, label, text, length or len(text))


def test_channels_that_look_the_same_are_shown_once() -> None:
    """The posts decide; the lowest limit and every problem are kept, thread by thread."""
    one, other = (post("1/ a"),), (post("1/ b"),)
    found = [
        Preview("news", 1, 4096, one),
        Preview("news", 2, 4096, one),
        Preview("masto", 1, 500, one, "assumed"),
        Preview("page", 1, 500, other, "assumed"),
    ]
    looks = previews.looks(found)
    assert [(each.thread, each.channels, each.limit) for each in looks] == [
        (1, ("news", "masto"), 500),
        (1, ("page",), 500),
        (2, ("news",), 4096),
    ]
    assert looks[0].problems == ("assumed",)


def test_a_post_is_shown_as_it_is() -> None:
    """No markup is made of it, and one that is longer than a message comes in several."""
    (said,) = previews.messages(post("<b>1/</b> & more"))
    assert (said.text, said.quiet) == ("&lt;b&gt;1/&lt;/b&gt; &amp; more", True)
    assert [len(each.text) for each in previews.messages(post("a" * (LIMIT + 1)))] == [LIMIT, 1]


@pytest.mark.parametrize(
    ("posts", "shown", "said"),
    [
        ([post("1/ a")], 1, ["⬆️ #7 The river rises. on news: 1 post."]),
        ([post("a"), post("b", 2)], 1, ["⬆️ #7 The river rises. on news: the first 1 of 2 posts."]),
        ([], 0, ["#7 The river rises. on news:", "⚠️ no text"]),
        ([post("a", length=89)], 1, ["⬆️ #7 The river rises. on news: 1 post."]),
        (
            [post("a", length=90)],
            1,
            ["⬆️ #7 The river rises. on news: 1 post.", "📏 Post 1 is nearly full: 90 of 100"],
        ),
        (
            [post("a", length=99, label="1a/"), post("b", length=99, label="1b/")],
            2,
            [
                "⬆️ #7 The river rises. on news: 2 posts.",
                "✂️ Part 1 is longer than 100 and becomes 2 posts: 1a/ 1b/",
            ],
        ),
    ],
)
def test_only_what_is_cut_or_nearly_full_is_measured(posts: list[Post], shown: int, said: list[str]) -> None:
    """From 90 of 100 characters on a post is named; where one is cut, its pieces are not."""
    look = previews.Look(1, ("news",), 100, tuple(posts), () if posts else ("no text",))
    assert visible(previews.below(look, THREAD, 7, shown)).split("\n") == said


def test_a_few_long_posts_are_named() -> None:
    """However many there are."""
    posts = tuple(post("a", part, 95) for part in range(1, 10))
    lines = previews.below(previews.Look(1, ("news",), 100, posts, ()), THREAD, None, 9).split("\n")
    assert lines[0].startswith("⬆️ <b>The river rises.</b> on news")
    assert lines[1 + previews.NAMED :] == ["… and 4 more like these"]


def test_a_file_has_every_post_with_its_length() -> None:
    """And what is to be known about them."""
    look = previews.Look(1, ("news", "masto"), 500, (post("1/ a"), post("2/ b", 2)), ("assumed",))
    assert previews.plain(look, "A title").split("\n") == [
        "A title — news, masto, 2/500",
        "assumed",
        "-- 1/2, 4/500",
        "1/ a",
        "-- 2/2, 4/500",
        "2/ b",
        "",
    ]


def test_what_visitors_miss_is_said_below() -> None:
    """For each channel of those that look the same."""
    posts = tuple(post(f"{n}/ a", n) for n in range(1, 24))
    (look,) = previews.looks([Preview("masto", 1, 500, posts, "", 21), Preview("page", 1, 500, posts)])
    said = "visitors who are not logged in see the first 21 of 23 posts on masto; all of them with "
    assert look.notes == (f"{said}THREADCAST_CHANNELS__MASTO__DEPTH=20",)
    assert f"👀 {look.notes[0]}" in previews.below(look, THREAD, 7, 23).split("\n")
