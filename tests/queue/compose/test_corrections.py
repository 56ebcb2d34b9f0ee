"""What the posts of a chain become where its thread says something else now."""

import pytest

from threadcast.bot.channels.media import MASTODON_FILES, TELEGRAM_FILES
from threadcast.queue.compose import length as measure
from threadcast.queue.compose.compose import compose
from threadcast.queue.compose.corrections import (
    FileFault,
    MisfitError,
    OtherFilesError,
    inserted,
    recompose,
    uploads_of,
)
from threadcast.queue.compose.elsewhere import Elsewhere
from threadcast.queue.compose.rules import Numbering, Post, Rules, head_of
from threadcast.queue.text.media import NOT_THERE, UNNAMED, Media, MediaKind, StoredFile
from threadcast.queue.text.parse import parse
from threadcast.queue.text.settings import ThreadSettings
from threadcast.queue.text.thread import Thread

LONG = " ".join(f"word{number}" for number in range(30))


def thread(*lines: str) -> Thread:
    (found,) = parse("\n".join(lines))
    return found


def rules(
    numbering: Numbering = Numbering.KEEP, *, limit: int = 100, packed: bool = False, head: str = ""
) -> Rules:
    return Rules(limit, measure.telegram, numbering, head=head, packed=packed)


def texts(before: Thread, after: Thread, how: Rules) -> list[str]:
    return [post.text for post in recompose(after, how, compose(before, how))]


@pytest.mark.parametrize("numbering", Numbering)
@pytest.mark.parametrize("packed", [False, True])
def test_a_correction_is_composed_as_before(numbering: Numbering, packed: bool) -> None:
    """Each post stays where it is, with its number, and says what the thread says now."""
    before = thread("1/ The lamp", "2/ The tower", "3/ The sea /end")
    after = thread("1/ The lamp", "2/ A tower", "3/ The sea /end")
    how = rules(numbering, packed=packed)
    assert texts(before, after, how) == [post.text for post in compose(after, how)]


def test_a_cut_part_stays_cut() -> None:
    """A part that is two posts may say something else in two posts."""
    before = thread(f"1/ {LONG}", "2/ End")
    after = thread(f"1/ {LONG.replace('word7', 'w7')}", "2/ End")
    found = texts(before, after, rules())
    assert len(found) == len(compose(before, rules()))
    assert "w7" in "".join(found)


@pytest.mark.parametrize("numbering", Numbering)
@pytest.mark.parametrize("lines", [(f"1/ {LONG}", "2/ End"), ("1/ Short", f"2/ {LONG}")])
def test_a_part_that_grew(numbering: Numbering, lines: tuple[str, ...]) -> None:
    """A part that would be another number of posts does not fit where it was."""
    before, after = thread("1/ Short", "2/ End"), thread(*lines)
    with pytest.raises(MisfitError):
        recompose(after, rules(numbering), compose(before, rules(numbering)))
    with pytest.raises(MisfitError):
        recompose(before, rules(numbering), compose(after, rules(numbering)))


def test_another_number() -> None:
    """A part whose number was changed does not fit: readers know it by that number."""
    before, after = thread("1/3 One", "2/3 Two", "3/3 Three"), thread("1/4 One", "2/4 Two", "3/4 Three")
    with pytest.raises(MisfitError) as misfit:
        recompose(after, rules(), compose(before, rules()))
    assert misfit.value.part == 1


def test_packed_parts_that_grew() -> None:
    """Parts that share a post go on sharing it, or do not fit."""
    before, how = thread("1/ One", "2/ Two", "3/ Three"), rules(packed=True, limit=40)
    (post,) = compose(before, how)
    (corrected,) = recompose(thread("1/ One!", "2/ Two!", "3/ Three!"), how, [post])
    assert corrected.text == "1/ One!\n\n2/ Two!\n\n3/ Three!"
    with pytest.raises(MisfitError):
        recompose(thread("1/ One", f"2/ {LONG[:30]}", "3/ Three"), how, [post])


def test_parts_at_the_end_are_left_alone() -> None:
    """What was added behind the last part is not composed: it continues the chain."""
    before, after = thread("1/ One", "2/ Two"), thread("1/ One", "2/ Zwei", "3/ Three")
    assert texts(before, after, rules()) == ["1/ One", "2/ Zwei"]


def test_a_post_that_was_skipped() -> None:
    """A part whose post was left out when the network refused it stays out."""
    before, after = thread("1/ One", "2/ Two", "3/ Three"), thread("1/ One", "2/ Two", "3/ Drei")
    first, _, third = compose(before, rules())
    assert [post.text for post in recompose(after, rules(), [first, third])] == ["1/ One", "3/ Drei"]


@pytest.mark.parametrize("packed", [False, True])
def test_a_warning(packed: bool) -> None:
    """The line of a warning stands before every post, and counts."""
    before, head = thread("1/ One", "2/ Two"), head_of(ThreadSettings(warning="sea"))
    how = rules(packed=packed, head=head)
    known = compose(before, rules(packed=packed))
    found = recompose(before, how, known)
    assert [post.text for post in found] == [head + post.text for post in known]
    with pytest.raises(MisfitError):
        recompose(before, rules(packed=packed, head="x" * 95), known)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("numbering", [Numbering.TOTAL, Numbering.RENUMBER])
@pytest.mark.parametrize(
    ("written", "begun"), [("{n}/ part {n}", 1), ("{n}/ part {n}", 3), ("the part here {n}/", 3)]
)
def test_a_chain_that_was_continued(written: str, numbering: Numbering, begun: int, packed: bool) -> None:
    """Each post keeps the number that it went out with, of the total that there was then, or none."""
    lines = [written.format(n=number) for number in range(1, 6)]
    how = rules(numbering, packed=packed)
    first = compose(thread(*lines[:begun]), how)
    out = [*first, *(post for post in compose(thread(*lines), how, begun) if post.part > begun)]
    after = thread(*(line.replace("part", "piece") for line in lines))
    found = recompose(after, how, out)
    assert [post.label for post in found] == [post.label for post in out]
    assert [post.text for post in found] == [post.text.replace("part", "piece") for post in out]
    assert [post.length for post in found] == [len(post.text) for post in found]


def picture(content: str, kind: MediaKind = MediaKind.IMAGE) -> Media:
    return Media("", f"{content}.jpg", 1, StoredFile(content, kind, "image/jpeg", 10))


A, B, C = picture("a"), picture("b"), picture("c")
FILM, PAPER, VOICE = (
    picture("film", MediaKind.VIDEO),
    picture("paper", MediaKind.DOCUMENT),
    picture("voice", MediaKind.VOICE),
)


def post(*media: Media) -> Post:
    return Post(2, "2/", "2/", 2, media)


@pytest.mark.parametrize(
    ("before", "after", "free", "fixed"),
    [
        ([A], [A], "1", "1"),
        ([A], [B], "-", "-"),
        ([A, B], [B, A], "2 1", "- -"),
        ([A, B], [C, B], "- 2", "- 2"),
        ([A, A], [A, A], "1 2", "1 2"),
        ([A], [A, B], "1 -", FileFault.COUNT),
        ([A, B], [B], "2", FileFault.COUNT),
        ([A], [], "", FileFault.COUNT),
        ([], [A], "-", "-"),
        ([], [A, B], "- -", FileFault.COUNT),
        ([], [VOICE], "-", FileFault.FIXED),
        ([A], [FILM], "-", "-"),
        ([A], [PAPER], "-", "-"),
        ([A, B], [A, FILM], "1 -", "1 -"),
        ([A, B], [A, PAPER], "1 -", FileFault.FAMILY),
        ([VOICE], [VOICE], "1", "1"),
        ([VOICE], [A], "-", FileFault.FIXED),
        ([A], [VOICE], "-", FileFault.FIXED),
    ],
)
def test_which_files_stay(before: list[Media], after: list[Media], free: str, fixed: str | FileFault) -> None:
    """Files that stay keep what the network calls them; where each has its place, only if they keep it."""
    names = [str(number) for number in range(1, len(before) + 1)]
    assert uploads_of(post(*before), names, post(*after), MASTODON_FILES) == tuple(free.split())
    if isinstance(fixed, FileFault):
        with pytest.raises(OtherFilesError) as fault:
            uploads_of(post(*before), names, post(*after), TELEGRAM_FILES)
        assert (fault.value.fault, fault.value.part) == (fixed, 2)
    else:
        assert uploads_of(post(*before), names, post(*after), TELEGRAM_FILES) == tuple(fixed.split())


def test_files_that_have_no_name() -> None:
    """A file that was sent before the network was asked what it calls it stays, and is not shown anew."""
    assert uploads_of(post(A, B), (), post(A, C), TELEGRAM_FILES) == (UNNAMED, NOT_THERE)
    assert uploads_of(post(A, B), "12", post(A, B), TELEGRAM_FILES, anew=True) == (NOT_THERE, NOT_THERE)


@pytest.mark.parametrize(
    ("new", "part"),
    [
        ("1/ a|2/ b|3/ c", None),
        ("1/ a|2/ B|3/ c|4/ d", None),
        ("1/ a|2/ b|3/ C|4/ d", None),
        ("1/ new|2/ a|3/ b|4/ c", 1),
        ("1/ a|2/ new|3/ b|4/ c", 2),
        ("1/ a|2/ x|3/ y|4/ c", 3),
        ("1/ x|2/ y|3/ z|4/ d", None),
    ],
)
def test_where_a_part_was_put_in(new: str, part: int | None) -> None:
    """A part that is new before others of before was put in; behind them all it was added."""
    assert inserted(thread("1/ a", "2/ b", "3/ c"), thread(*new.split("|"))) == part


ADDRESS = "https://social.example/@ada/1"
THERE, GONE, OPEN = (Elsewhere.at("mastodon", ADDRESS, is_out=one) for one in (True, False, None))
LINE = f"🔗 Mastodon: {ADDRESS}"


def test_where_else_it_is() -> None:
    """The last post of a chain gets the line, once, and has it until the other chain is gone."""
    assert THERE
    assert GONE
    out = compose(thread("1/ The lamp", "2/ The sea"), rules())
    assert THERE.is_due(out)
    changed, more = THERE.changes(out, rules())
    assert ({place: post.text for place, post in changed.items()}, more) == ({2: f"2/ The sea\n\n{LINE}"}, ())
    linked = (out[0], changed[2])
    assert not THERE.is_due(linked)
    assert THERE.changes(linked, rules()) == ({}, ())
    assert GONE.is_due(linked)
    assert GONE.changes(linked, rules()) == ({2: out[1]}, ())
    assert not GONE.is_due(out)


def test_where_else_a_longer_chain_is() -> None:
    """Parts that were added behind the line take it to the end; where there is no room it is a post more."""
    assert THERE
    first, last, more = compose(thread("1/ The lamp", f"2/ {LONG[:60]}", "3/ The sea"), rules())
    (linked,) = THERE.changes((first,), rules())[0].values()
    changed, _ = THERE.changes((linked, last, more), rules())
    assert [changed[place].text for place in sorted(changed)] == ["1/ The lamp", f"3/ The sea\n\n{LINE}"]
    changed, (further,) = THERE.changes((linked, last), rules())
    assert (changed, further.text, further.part) == ({1: first}, LINE, 0)
    chain = (first, last, further)
    assert not THERE.is_due(chain)
    assert GONE
    assert not GONE.is_due(chain)  # a post that says nothing else stays
    after = thread("1/ A lamp", f"2/ {LONG[:60]}")
    assert [post.text for post in recompose(after, rules(), chain, THERE)] == ["1/ A lamp", last.text, LINE]


def test_where_it_may_be_now() -> None:
    """While the other chain is under way, nothing changes; a correction keeps the line where it fits."""
    assert OPEN
    assert THERE
    how = rules(limit=60)
    out = compose(thread("1/ The lamp", "2/ The sea"), how)
    linked = (out[0], *THERE.changes(out, how)[0].values())
    assert not OPEN.is_due(out)
    assert not OPEN.is_due(linked)
    after = recompose(thread("1/ The lamp", "2/ The tower"), how, linked, OPEN)
    assert after[1].text == f"2/ The tower\n\n{LINE}"
    full = recompose(thread("1/ The lamp", f"2/ {LONG[:50]}"), how, linked, OPEN)
    assert full[1].text == f"2/ {LONG[:50]}"


@pytest.mark.parametrize("address", [None, "", "file:///home/ada/page.html#1"])
def test_no_address_for_others(address: str | None) -> None:
    """A chain that nobody else can open is not named."""
    assert Elsewhere.at("local", address, is_out=True) is None
