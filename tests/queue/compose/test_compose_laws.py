"""What holds for every thread, whatever is written in it."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise
from unicodedata import numeric

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.length import code_points, mastodon, telegram
from threadcast.queue.compose.rules import Measure, Numbering, Post, Rules
from threadcast.queue.text.thread import Part, Placement, Thread, written

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted

MEASURES: tuple[Measure, ...] = (mastodon, telegram, code_points, partial(mastodon, url_length=30))
TOKENS = [
    "https://example.com/a", "http://a.co", "https://example.org/kites?from=here&to=there#end",
    "https://en.wikipedia.org/wiki/Kite_(bird)", "https://例え.jp/凧。と糸、", "@ada", "@ada@example.social",
    "#kites", "#たこ揚げ", "#بادبادک",
]  # fmt: skip
WORDS = [
    "a", "kite", "flies,", "well.", "“Up!”", "(never", "down)", "half-way", "10\u00a0000", "—", "so:",
    "👨\u200d👩\u200d👧\u200d👦", "🇩🇪🇫🇷", "👍🏽", "❤\ufe0f", "7\ufe0f\u20e3", "e\u0301te\u0301", "क्षि",
    "नमस्ते", "각", "\u1100\u1161\u11a8", "مرحبا", "بالعالم،", "שלום", "凧。", "糸を、引く。", "สวัสดี", "1/3",
    "30/30", "3.", "\u0301x", "\u0600",
]  # fmt: skip
RUNS = [
    "凧揚げ", "「空。」", "a", "👩🏽\u200d🚀", "e\u0301", "क्षि", "🇮🇹", "각", "ا", "！", "、", "_", "-", "/",
]  # fmt: skip
BLANKS = [" ", " ", " ", "  ", "\n", "\n\n", "\n \n", "\u3000", " \u00a0"]

Chunk = tuple[str, bool]  # a piece of text, and whether it is one of TOKENS
PLAIN = st.sampled_from(WORDS).map(lambda word: [(word, False)])
LONG = st.builds(
    lambda run, times: [("".join(run) * times, False)],
    st.lists(st.sampled_from(RUNS), min_size=1, max_size=12),
    st.integers(1, 20),
)
TOKEN = st.sampled_from(TOKENS).map(lambda token: [(token, True)])
GLUED = st.builds(lambda run, token: [*run, ("凧", False), *token], LONG, TOKEN)
BLANK = st.sampled_from(BLANKS)


@st.composite
def chunks(draw: st.DrawFn) -> list[Chunk]:
    """A text in chunks: words, tokens, and words of any length, with white space between."""
    words = draw(st.lists(st.one_of(PLAIN, PLAIN, PLAIN, TOKEN, GLUED, LONG), min_size=1, max_size=30))
    first, *others = words
    return [*first, *(chunk for word in others for chunk in [(draw(BLANK), False), *word])]


Texts = list[list[Chunk]]
TEXTS = st.lists(chunks(), min_size=1, max_size=4)
MARKERS: list[Callable[[int, int], tuple[str, str]]] = [
    lambda n, _: (f"{n}/", " "),
    lambda n, total: (f"{n}/{total}", " "),
    lambda n, total: (f"({n}/{total})", "\n"),
    lambda n, _: (f"{n}.", ""),
    lambda n, _: (f"🧵 {n}/", " "),
    lambda n, _: (f"{n}\ufe0f\u20e3", " "),
    lambda n, total: (f"Part {n} of {total}:", " "),
    lambda n, _: (f"**{n}/**", " "),
    lambda n, total: (f"{chr(0x660 + n)}/{chr(0x660 + total)}", " "),
    lambda n, _: (f"{chr(0x245F + n)}", " "),
    lambda _n, _total: ("", ""),
]


def joined(text: list[Chunk]) -> str:
    return "".join(chunk for chunk, _ in text)


@st.composite
def threads(draw: st.DrawFn) -> tuple[Thread, Texts]:
    texts = draw(TEXTS)
    mark = draw(st.sampled_from(MARKERS))
    total = len(texts)
    parts = []
    for number, text in enumerate(texts, start=1):
        marker, joint = mark(number, total)
        parts.append(Part(number if marker else None, marker, joint, joined(text), line=number))
    placement = draw(st.sampled_from(Placement))
    return Thread(tuple(parts), placement, total, "", complete=True, fingerprint="", notices=()), texts


RULES = st.builds(Rules, st.integers(50, 140), st.sampled_from(MEASURES), st.sampled_from(Numbering))
MANY = settings(deadline=None, max_examples=80)


def bare(post: Post, joint: str, placement: Placement) -> str:
    """The text of a post without its label."""
    if not post.label:
        return post.text
    if placement is Placement.PREFIX:
        assert post.text.startswith(post.label + joint)
        return post.text.removeprefix(post.label + joint)
    assert post.text.endswith(joint + post.label)
    return post.text.removesuffix(joint + post.label)


def pieces_of(posts: tuple[Post, ...], thread: Thread, rules: Rules) -> list[list[str]]:
    """The texts of each part's posts, without labels."""
    ours = rules.numbering is not Numbering.KEEP or not any(part.marker for part in thread.parts)
    pieces: list[list[str]] = [[] for _ in thread.parts]
    for post in posts:
        part = thread.parts[post.part - 1]
        whole = post.label == part.marker
        joint = " " if ours else part.joint if whole else part.joint or " "
        pieces[post.part - 1].append(bare(post, joint, thread.placement))
    return pieces


def cuts_of(text: str, pieces: list[str]) -> list[tuple[int, int]]:
    """Where the text was cut: the end of one piece and the beginning of the next."""
    cuts, end = [], 0
    for index, piece in enumerate(pieces):
        start = text.index(piece, end)
        assert not text[end:start].strip(), "text was lost between two pieces"
        if index:
            cuts.append((end, start))
        end = start + len(piece)
    assert not text[end:].strip(), "the end of the text was lost"
    return cuts


@MANY
@given(threads(), RULES)
def test_every_post_is_within_the_limit(given: tuple[Thread, Texts], rules: Rules) -> None:
    """No post is empty, and each one's length, by the channel's own measure, is within the limit."""
    for post in compose(given[0], rules):
        assert post.text.strip()
        assert post.length == rules.measure(post.text) <= rules.limit


@MANY
@given(threads(), RULES)
def test_the_text_is_preserved(given: tuple[Thread, Texts], rules: Rules) -> None:
    """The pieces of each part, put together, are the part, white space at the cuts aside."""
    thread, _ = given
    posts = compose(thread, rules)
    assert [post.part for post in posts] == sorted(post.part for post in posts)
    for part, pieces in zip(thread.parts, pieces_of(posts, thread, rules), strict=True):
        cuts_of(part.text, pieces)


@MANY
@given(threads(), RULES)
def test_nothing_is_cut_that_a_reader_takes_as_one(given: tuple[Thread, Texts], rules: Rules) -> None:
    """Graphemes are never cut; URLs, mentions, hashtags and words only where they do not fit alone."""
    thread, texts = given
    posts = compose(thread, rules)
    longest = max((post.label for post in posts), key=len)

    def fits(text: str) -> bool:
        return rules.measure(f"{longest}  {text}") <= rules.limit

    for part, chunks, pieces in zip(thread.parts, texts, pieces_of(posts, thread, rules), strict=True):
        boundaries = {0, *accumulate(map(len, regex.findall(r"\X", part.text)))}
        tokens, end = [], 0
        for chunk, token in chunks:
            if token and fits("凧" + chunk):
                tokens.append((end, end + len(chunk)))
            end += len(chunk)
        words = [
            found.span()
            for found in re.finditer(r"\S+", part.text)
            if fits(found.group()) and not re.search("[、，。！？]", found.group())
        ]
        for left, right in cuts_of(part.text, pieces):
            assert {left, right} <= boundaries
            for start, stop in tokens + words:
                assert not start < left < stop
                assert not start < right < stop


def in_plain_digits(label: str) -> str:
    return re.sub("\\d|[①-⑨]", lambda digit: str(int(numeric(digit[0]))), label)


@MANY
@given(threads(), RULES)
def test_labels_are_unique_and_in_order(given: tuple[Thread, Texts], rules: Rules) -> None:
    """A reader can always see the order: no label twice, numbers rising, the total right."""
    thread, _ = given
    posts = compose(thread, rules)
    labels = [in_plain_digits(post.label) for post in posts]
    if len(posts) == 1 and len(thread.parts) == 1:
        assert labels == [""]
    elif rules.numbering is Numbering.NONE:
        assert set(labels) == {""}
    elif rules.numbering is Numbering.TOTAL:
        assert labels == [f"{n}/{len(posts)}" for n in range(1, len(posts) + 1)]
    elif rules.numbering is Numbering.RENUMBER or not thread.parts[0].marker:
        assert labels == [f"{n}/" for n in range(1, len(posts) + 1)]
    else:
        keys = [re.search("(\\d+)(?:\ufe0f\u20e3)?([a-z]*)", label) for label in labels]
        order = [(int(key[1]), len(key[2]), key[2]) for key in keys if key is not None]
        assert len(order) == len(labels) == len(set(labels))
        assert order == sorted(set(order))


@MANY
@given(threads(), RULES)
def test_parts_that_fit_are_kept_as_written(given: tuple[Thread, Texts], rules: Rules) -> None:
    """With `keep`, a part that fits is one post, exactly as its author wrote it."""
    thread, _ = given
    posts = compose(thread, Rules(rules.limit, rules.measure, Numbering.KEEP))
    if len(thread.parts) == 1 or not thread.parts[0].marker:
        return
    for number, part in enumerate(thread.parts, start=1):
        whole = written(part, thread.placement)
        mine = [post.text for post in posts if post.part == number]
        assert (mine == [whole]) == (rules.measure(whole) <= rules.limit)


@MANY
@given(threads(), RULES)
def test_composing_is_deterministic(given: tuple[Thread, Texts], rules: Rules) -> None:
    """The same thread under the same rules gives the same posts."""
    assert compose(given[0], rules) == compose(given[0], rules)


@MANY
@given(st.lists(st.integers(1, 20), min_size=2, max_size=60), st.integers(20, 60))
def test_there_are_as_few_pieces_as_can_be(lengths: list[int], limit: int) -> None:
    """Filling each post to the brim with words, as simple as that, needs no fewer posts."""
    text = " ".join("x" * length for length in lengths)
    part = Part(None, "", "", text, line=1)
    thread = Thread((part,), Placement.PREFIX, None, "", complete=True, fingerprint="", notices=())
    posts = compose(thread, Rules(limit, code_points, Numbering.NONE))
    simple, room = 1, limit + 1
    for length in lengths:
        if length + 1 > room:
            simple, room = simple + 1, limit + 1
        room -= length + 1
    assert len(posts) == simple


@MANY
@given(st.integers(30, 200), st.integers(40, 120))
def test_the_last_piece_is_no_remnant(words: int, limit: int) -> None:
    """Among words of one length, no piece is less than half as long as the longest one."""
    part = Part(None, "", "", " ".join(["kite"] * words), line=1)
    thread = Thread((part,), Placement.PREFIX, None, "", complete=True, fingerprint="", notices=())
    lengths = [post.length for post in compose(thread, Rules(limit, code_points, Numbering.NONE))]
    assert min(lengths) * 2 >= max(lengths)


@MANY
@given(threads(), RULES)
def test_packed_posts_are_the_same_texts(given: tuple[Thread, Texts], rules: Rules) -> None:
    """Nothing is lost or moved, each is within the limit, and no two that follow one another fit into one."""
    posts = compose(given[0], rules)
    packed = compose(given[0], replace(rules, packed=True))
    assert "\n\n".join(post.text for post in packed) == "\n\n".join(post.text for post in posts)
    assert all(post.length == rules.measure(post.text) <= rules.limit for post in packed)
    pairs = [f"{one.text}\n\n{other.text}" for one, other in pairwise(packed)]
    assert all(rules.measure(text) > rules.limit for text in pairs)
