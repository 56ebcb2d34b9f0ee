"""Laws of the parser, over any text, over texts full of markers, and over sound threads in every form."""

import re
import sys
import tomllib
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.queue.text.kept import INVISIBLE, LEFT_OUT, kept, squeezed
from threadcast.queue.text.parse import NotTextError, decode, parse, render
from threadcast.queue.text.thread import NoticeKind, Part, Placement, Severity, Thread, fingerprint, written

pytestmark = pytest.mark.no_cover  # they compute a lot, and twice as long while lines are counted


def in_script(zero: str, number: int) -> str:
    return "".join(chr(ord(zero) + int(digit)) for digit in str(number))


def keycaps(number: int) -> str:
    return "🔟" if number == 10 else "".join(f"{digit}\ufe0f\u20e3" for digit in str(number))


SHAPES: dict[str, Callable[[int, int], str]] = {
    "N/": lambda number, _: f"{number}/",
    "N/M": lambda number, total: f"{number}/{total}",
    "N/n": lambda number, _: f"{number}/n",
    "N/…": lambda number, _: f"{number}/…",
    "(N/)": lambda number, _: f"({number}/)",
    "(N/M)": lambda number, total: f"({number}/{total})",
    "[N/M]": lambda number, total: f"[{number}/{total}]",
    "【N/M】": lambda number, total: f"【{number}/{total}】",
    "N／M": lambda number, total: f"{in_script('０', number)}／{in_script('０', total)}",
    "N / M": lambda number, total: f"{number} / {total}",
    "(N of M)": lambda number, total: f"({number} of {total})",
    "[Part N/M]": lambda number, total: f"[Part {number}/{total}]",
    "**N/**": lambda number, _: f"**{number}/**",
    "٣/": lambda number, _: f"{in_script('٠', number)}/",
    "۳/M": lambda number, total: f"{in_script('۰', number)}/{in_script('۰', total)}",
    "३/": lambda number, _: f"{in_script('०', number)}/",
    "৩/": lambda number, _: f"{in_script('০', number)}/",
    "๓/": lambda number, _: f"{in_script('๐', number)}/",
    "N️⃣/": lambda number, _: f"{keycaps(number)}/",
    "N.": lambda number, _: f"{number}.",
    "N\\.": lambda number, _: f"{number}\\.",
    "N)": lambda number, _: f"{number})",
    "N、": lambda number, _: f"{number}、",
    "N/M)": lambda number, total: f"{number}/{total})",
    "N/M:": lambda number, total: f"{number}/{total}:",
    "Part N:": lambda number, _: f"Part {number}:",
    "Teil N von M": lambda number, total: f"Teil {number} von {total}",
    "## N/": lambda number, _: f"## {number}/",
    "> N/": lambda number, _: f"> {number}/",
    "- N/": lambda number, _: f"- {number}/",
    "(N)": lambda number, _: f"({number})",
    "（N）": lambda number, _: f"（{in_script('０', number)}）",
    "N️⃣": lambda number, _: keycaps(number),
    "①": lambda number, _: chr(ord("①") + number - 1),
    "N/M ⬇️": lambda number, total: f"{number}/{total} ⬇️",
    "(N/M).": lambda number, total: f"({number}/{total}).",
}
ONLY_PREFIX = {"N.", "N\\.", "N)", "N、", "N/M)", "N/M:", "Part N:", "Teil N von M", "## N/", "> N/", "- N/"}
ONLY_SUFFIX = {"N/M ⬇️"}
SUFFIX_SHAPES = [shape for shape in SHAPES if shape not in ONLY_PREFIX]
NO_LEAD_IN = {"Part N:", "Teil N von M", "[Part N/M]", "## N/", "> N/", "- N/", "**N/**"}


# ---- texts of which nothing is known ----

numbers = st.sampled_from([0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 12, 2024])
blanks = st.sampled_from(["", " ", "  ", "\t", "\u00a0", "\u200b"])
lead_ins = st.sampled_from(["", "", "", "🧵 ", "Thread: ", "thread ", "#"])
TEXTS: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("texts.toml").read_text(encoding="utf-8")
)
words = st.sampled_from([*TEXTS["words"], "\ud800"])
line_breaks = st.sampled_from(["\n", "\n", "\n\n", " \n \n", "\r\n", "\r", "\u2028", "\v"])


@st.composite
def marked_texts(draw: st.DrawFn) -> str:
    """Lines with markers of a few forms at their ends, in a muddle."""
    shapes = draw(st.lists(st.sampled_from(list(SHAPES)), min_size=1, max_size=3))
    markers = st.builds(
        lambda indent, lead_in, shape, number: indent + lead_in + SHAPES[shape](number, 3),
        st.sampled_from(["", "", "", "   ", "\u200e", "\ufeff", "> "]),
        lead_ins,
        st.sampled_from(shapes),
        numbers,
    )
    prefixed = st.tuples(blanks, markers, blanks, words, blanks, line_breaks)
    suffixed = st.tuples(words, st.just(" "), markers, blanks, line_breaks)
    plain = st.tuples(blanks, words, line_breaks)
    lines = draw(st.lists(st.one_of(prefixed, suffixed, plain), max_size=14))
    return "".join("".join(line) for line in lines)


texts = st.one_of(
    st.text(),
    st.text(alphabet="0123/.()[] \n🧵n-", max_size=60),
    marked_texts(),
)


def lines_of(text: str) -> list[str]:
    return re.split("\r\n|[\n\r\v\f\x85\u2028\u2029]", unicodedata.normalize("NFC", text))


def meaning(thread: Thread) -> tuple[object, ...]:
    """All of a thread but its line numbers."""
    parts = [(part.number, part.marker, part.joint, part.text) for part in thread.parts]
    noticed = [
        (notice.severity, notice.kind, notice.part)
        for notice in thread.notices
        if notice.kind not in {*LEFT_OUT, NoticeKind.NOT_SETTINGS}
    ]
    whole = (thread.placement, thread.total, thread.preamble, thread.complete, thread.fingerprint)
    return parts, noticed, whole


@settings(deadline=None, max_examples=300)
@given(texts)
@example("```\r---\r```")  # separates nothing
def test_nothing_is_lost(text: str) -> None:
    """Preambles and parts as written are the text, in order; white space aside, and `---` where unmarked."""
    lines, found = lines_of(text), kept(text)
    if not any(part.marker for thread in parse(text) for part in thread.parts):
        lines = [line for line in lines if line.strip() != "---"]
        if "```" in text:  # between two of them it may be text
            found = found.replace("---", "")
            lines = [line.replace("---", "") for line in lines]
    assert found == squeezed("\n".join(lines))


@settings(deadline=None, max_examples=300)
@given(texts)
@example("1/1\n• 2/ 0/\n0 1/")  # the doubtful number is in the thread behind
@example("1/0@\n\n1\u200e/\n0/0\n1/0")  # no title: a number with something invisible in it
@example("1.\n---\n 2.")  # no list: the second is indented deeper
@example("END\n\nmore\n---")  # nothing behind the separator: what is before it ends the thread
@example("END\n\nmore\n---\n@anna\n2h\n3 replies")  # nothing but a reader's lines
def test_what_is_rendered_parses_to_the_same_thread(text: str) -> None:
    """Each thread, rendered by itself, is that thread again: parts, notices, total, end and fingerprint."""
    for thread in parse(text):
        assert [meaning(again) for again in parse(render(thread))] == [meaning(thread)]


@settings(deadline=None, max_examples=300)
@given(texts)
def test_parts_are_in_order_and_point_at_their_lines(text: str) -> None:
    """Lines rise over the text, each part begins on its line, and a notice names its part's line."""
    lines = lines_of(text)
    before = 0
    for thread in parse(text):
        assert thread.parts
        assert thread.fingerprint == fingerprint(thread.parts)
        for part in thread.parts:
            assert part.line >= before
            before = part.line
            first = written(part, thread.placement).split("\n")[0]
            assert INVISIBLE.sub("", first) in INVISIBLE.sub("", lines[part.line - 1])
        for notice in thread.notices:
            assert notice.part is None or notice.line == thread.parts[notice.part - 1].line


@settings(deadline=None, max_examples=300)
@given(texts)
def test_parts_are_trimmed(text: str) -> None:
    """No white space stands at the ends of a text, and only white space between it and its marker."""
    for thread in parse(text):
        for part in thread.parts:
            assert part.text == part.text.strip()
            assert not part.joint.strip()
            assert not part.joint or part.text


@settings(deadline=None, max_examples=300)
@given(st.one_of(st.binary(), texts.map(lambda text: text.encode("utf-8", "replace"))))
def test_bytes_are_text_or_refused_with_an_offset(data: bytes) -> None:
    """Bytes are decoded, or refused with an offset inside them."""
    try:
        text = decode(data)
    except NotTextError as error:
        refusal = error
    else:
        assert not {"\0", "\r"} & set(text)
        return
    assert refusal.offset in range(len(data))
    assert f"byte offset {refusal.offset};" in str(refusal)


def steps(text: str) -> int:
    """How many functions are called while a text is parsed, those of the interpreter included."""
    count = 0

    def note(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        parse(text)
    finally:
        sys.setprofile(before)
    return count


@settings(deadline=None, max_examples=30)
@given(marked_texts(), marked_texts())
def test_twice_the_text_takes_twice_the_steps(before: str, again: str) -> None:
    """Whatever is repeated, and whatever stands before it, the work grows with the text and no faster."""
    fewer, more = (steps(before + "\n" + f"{again}\n" * times) for times in (10, 20))
    assert more < 2.5 * fewer + 500


# ---- sound threads ----

sentences = st.lists(st.sampled_from(TEXTS["in_a_sentence"]), min_size=1, max_size=8).map(
    lambda chosen: "So " + " ".join(chosen) + " it was."
)
paragraphs = st.lists(sentences, min_size=1, max_size=3)
bodies = st.tuples(paragraphs, st.sampled_from(["\n", "\n\n"])).map(lambda pair: pair[1].join(pair[0]))


@dataclass(frozen=True)
class Sound:
    """A thread as its author meant it, and the text they wrote."""

    placement: Placement
    parts: list[Part]
    total: int | None
    ended: bool
    text: str


@st.composite
def sound_threads(draw: st.DrawFn, placement: Placement, shape: str) -> Sound:
    contents = draw(st.lists(bodies, min_size=2, max_size=12))
    total = len(contents)
    ended = draw(st.booleans())
    if ended:
        contents[-1] += draw(st.sampled_from([" /end", "\n\nEND", " 🔚", "\n/fin", f" {total}/{total}"]))
    between = draw(st.sampled_from(["\n", "\n\n", " \n\n\n"]))
    joint = draw(st.sampled_from([" ", "  "] if placement is Placement.SUFFIX else [" ", "\n", "\n\n"]))
    parts: list[Part] = []
    text = ""
    for number, content in enumerate(contents, 1):
        marker = SHAPES[shape](number, total)
        if number == 1 and shape not in NO_LEAD_IN:
            marker = draw(st.sampled_from(["", "🧵 ", "#"])) + marker
        part = Part(number, marker, joint, content, text.count("\n") + 1)
        parts.append(part)
        text += written(part, placement) + between
    announced = total if "M" in shape else None
    return Sound(placement, parts, announced, ended or announced is not None, text)


KINDS = [(Placement.PREFIX, shape) for shape in SHAPES if shape not in ONLY_SUFFIX] + [
    (Placement.SUFFIX, shape) for shape in SUFFIX_SHAPES
]


@pytest.mark.parametrize(("placement", "shape"), KINDS)
@settings(deadline=None, max_examples=8)
@given(st.data())
def test_a_sound_thread_is_read_as_it_was_meant(
    placement: Placement, shape: str, data: st.DataObject
) -> None:
    """A thread written in any form gives its parts exactly, to the line, without a warning."""
    sound = data.draw(sound_threads(placement, shape))
    (thread,) = parse(sound.text)
    assert thread.placement is sound.placement
    assert list(thread.parts) == sound.parts
    assert (thread.total, thread.preamble, thread.complete) == (sound.total, "", sound.ended)
    assert not thread.warnings
    assert [notice.severity for notice in thread.notices] == ([] if sound.ended else [Severity.INFO])


@pytest.mark.parametrize(("placement", "shape"), KINDS)
@settings(deadline=None, max_examples=4)
@given(st.data())
def test_sound_threads_below_one_another_stay_apart(
    placement: Placement, shape: str, data: st.DataObject
) -> None:
    """Threads of one form are told apart by their number 1, whatever their lengths."""
    sounds = data.draw(st.lists(sound_threads(placement, shape), min_size=2, max_size=4))
    threads = parse("\n\n".join(sound.text for sound in sounds))
    assert [[part.text for part in thread.parts] for thread in threads] == [
        [part.text for part in sound.parts] for sound in sounds
    ]
    assert not any(thread.warnings for thread in threads)


@settings(deadline=None, max_examples=50)
@given(sound_threads(Placement.PREFIX, "N/"), sound_threads(Placement.SUFFIX, "(N/M)"))
def test_a_fingerprint_survives_another_numbering(one: Sound, other: Sound) -> None:
    """The same parts numbered in another way are the same thread; other parts are not."""
    (thread,) = parse(one.text)
    renumbered = "\n\n".join(f"{part.text} [{part.number}/{len(one.parts)}]" for part in one.parts)
    assert parse(renumbered)[0].fingerprint == thread.fingerprint
    if [squeezed(part.text) for part in one.parts] != [squeezed(part.text) for part in other.parts]:
        assert parse(other.text)[0].fingerprint != thread.fingerprint
