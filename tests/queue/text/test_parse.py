"""Texts and the threads that come of them: a table of cases, messages, bytes, and large or hostile input."""

import tomllib
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.queue.text.kept import kept, squeezed
from threadcast.queue.text.media import MediaKind, StoredFile
from threadcast.queue.text.parse import NotTextError, decode, parse, render
from threadcast.queue.text.thread import (
    Notice,
    NoticeKind,
    Part,
    Thread,
    composed,
    fingerprint,
    with_files,
    written,
)

CASES: list[dict[str, Any]] = [
    case
    for table in sorted(Path(__file__).parent.glob("*_cases.toml"))
    for case in tomllib.loads(table.read_text(encoding="utf-8"))["case"]
]


def as_in_table(thread: Thread) -> dict[str, Any]:
    return {
        "parts": [
            [part.number, part.marker, part.text] if part.marker else ["", part.text] for part in thread.parts
        ],
        "media": [
            [place, one.line, one.description, one.source, *([one.focus] if one.focus else [])]
            for place, part in enumerate(thread.parts, 1)
            for one in part.media
        ],
        "notices": [position(notice) for notice in thread.notices],
        "preamble": thread.preamble,
        "total": thread.total,
        "complete": thread.complete,
        "placement": thread.placement.value,
    }


def position(notice: Notice) -> list[Any]:
    return [notice.kind.value, notice.line, *([] if notice.part is None else [notice.part])]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["why"])
def test_a_text_gives_the_threads_of_the_table(case: dict[str, Any]) -> None:
    """Each case of the table gives exactly its threads."""
    usual: dict[str, Any] = {
        "media": [],
        "notices": [],
        "preamble": "",
        "total": None,
        "complete": False,
        "placement": "prefix",
    }
    assert [as_in_table(thread) for thread in parse(case["text"])] == [
        usual | expected for expected in case.get("thread", [])
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ["1/ Bread", "2/\n\n   Butter", "3/Jam\n\n \t indented  \nlast", "4/", "5/\u00a0Tea /end"],
        ["Bread\n\nand salt \t1/4", "Butter  2/4", "Jam 3/4", "Tea 4/4"],
    ],
    ids=["prefix", "suffix"],
)
def test_a_part_is_given_back_as_written(lines: list[str]) -> None:
    """`written` gives each part exactly as it stood in the text, line breaks and blanks inside included."""
    (thread,) = parse("\n".join(f"{line} \n" for line in lines))
    assert [written(part, thread.placement) for part in thread.parts] == lines


def test_lines_are_those_of_the_text_as_given() -> None:
    """A part's line is its marker's in a prefix thread, and its text's in a suffix thread."""
    assert [part.line for part in parse("\n\n1/\n\nBread\n\n2/ Butter")[0].parts] == [3, 7]
    assert [part.line for part in parse("\n\nBread\nand salt 1/\n\n\nButter 2/\nJam")[0].parts] == [3, 7, 8]
    assert [part.line for part in parse("\nBread\n---\n\n\nButter")[0].parts] == [2, 6]


def test_render_puts_a_preamble_before_its_thread() -> None:
    """What `render` gives is the thread alone, each part as written."""
    first, second = parse("Draft\n1/ a\n\n2/  b\n\n\n1/ c\n2/ d")
    assert render(first) == "Draft\n\n1/ a\n2/  b"
    assert render(second) == "1/ c\n2/ d"
    assert render(parse("a\n\n---\nb")[0]) == "a\n---\nb"


def of_parts(thread: Thread) -> list[tuple[object, ...]]:
    return [
        (part.text, part.joint, *((one.description, one.source, one.focus) for one in part.media))
        for part in thread.parts
    ]


@pytest.mark.parametrize(
    "text",
    [
        "1/ a\n![x](1.jpg)\n\n2/\n![y](<my (2.jpg>)\n![](https://example.org/3.png)",
        "![x](1.jpg)\na 1/2\n![y](2.jpg)\nb 2/2",
        "![x](1.jpg)\n---\nb\n![y](2.jpg)",
        "1/ a\n![x](1.jpg){focus=.5,-1}\n2/ b\n![y](<my (2.jpg>){focus=there}",
    ],
)
def test_render_gives_files_back(text: str) -> None:
    """What `render` gives names the files of each part, and parses to the same thread."""
    (thread,) = parse(text)
    (again,) = parse(render(thread))
    assert of_parts(again) == of_parts(thread)
    assert again.fingerprint == thread.fingerprint


def test_a_file_has_a_name() -> None:
    """A file is called by the last step of its path or address; a thread without words by its first file."""
    assert [one.media[0].name for one in parse("![](a/b c.jpg)")] == ["b c.jpg"]
    assert [one.media[0].name for one in parse("![](https://example.org/a/b.jpg?c=/d#e)")] == ["b.jpg"]
    assert [one.media[0].name for one in parse("![](https://example.org/)")] == ["example.org"]
    assert parse("![A loaf](a.jpg)")[0].title == "A loaf"
    assert parse("![](a.jpg)")[0].title == "a.jpg"


@pytest.mark.parametrize(
    ("written", "point"),
    [
        ("0.2,-0.4", (0.2, -0.4)),
        (" +1 , -1. ", (1, -1)),
        ("0,.5", (0, 0.5)),
        *(
            (wrong, None)
            for wrong in ("", "0", "0,0,0", "1.01,0", "nan,0", "1e-1,0", "٠,٠", "0,2", "-,0", "a")
        ),
    ],
)
def test_a_focal_point(written: str, point: tuple[float, float] | None) -> None:
    """What shall stay in sight is two numbers from -1 to 1; anything else is a warning, and none."""
    (thread,) = parse(f"1/ a\n![x](1.jpg){{focus={written}}}\n2/ b /end")
    assert thread.media[0].focal_point == point
    wrong = [(one.line, one.part) for one in thread.warnings if one.kind is NoticeKind.WRONG_FOCUS]
    assert wrong == ([(2, 1)] if written and point is None else [])


# ---- fingerprint ----


def test_files_tell_threads_apart() -> None:
    """The same words with other files are another thread; once they are known their content counts."""
    plain, one, other = (parse(f"1/ a{line}")[0] for line in ("", "\n![x](1.jpg)", "\n![y](2.jpg)"))
    assert len({plain.fingerprint, one.fingerprint, other.fingerprint}) == 3
    file = StoredFile("d" * 64, MediaKind.IMAGE, "image/jpeg", 9)
    known = [with_files(one, {"1.jpg": file}), with_files(other, {"2.jpg": file})]
    assert known[0].fingerprint == known[1].fingerprint
    assert known[0].media[0].file == file
    assert with_files(plain, {}) == plain


def part(text: str, number: int | None = 1) -> Part:
    return Part(number, f"{number}/", " ", text, 1)


def test_a_fingerprint_ignores_numbers_white_space_and_composition() -> None:
    """The same texts have the same fingerprint, however numbered, broken into lines or composed."""
    decomposed = unicodedata.normalize("NFD", "Café\n\nat noon")
    assert fingerprint([part("Café at noon"), part("Tea")]) == fingerprint(
        [part(f" {decomposed} ", 7), part("T e\u2003a", None)]
    )
    assert parse("1/ Bread\n2/ Butter")[0].fingerprint == parse("Bread (1)\n\nButter (2)")[0].fingerprint


def test_a_fingerprint_is_stable() -> None:
    """A fingerprint is the SHA-256 of `Bread\0Butter`, as sha256sum gives it: stored ones stay good."""
    expected = "cb074354601acaba98aa2b48465f0078a53d7c039da957c23722a144a6f31366"
    assert fingerprint([part("Bread"), part("Butter")]) == expected


@pytest.mark.parametrize("others", [["Bread"], ["Butter", "Bread"], ["BreadButter"], ["bread", "Butter"]])
def test_other_texts_have_another_fingerprint(others: list[str]) -> None:
    """Other words, another order or other borders between parts make another thread."""
    assert fingerprint(map(part, others)) != fingerprint([part("Bread"), part("Butter")])


def test_a_hundred_accents_on_a_letter_do_not_square_the_time() -> None:
    """Marks out of order are put in order where people write them, and left alone where nobody would."""
    assert composed("a\u0301\u0316") == "\u00e1\u0316"
    hostile = "a" + "\u0301\u0316" * 500_000
    assert composed(hostile) == hostile
    assert len(fingerprint([part(hostile)])) == 64


# ---- bytes ----


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
    ],
)
def test_text_is_read_in_its_encoding(encoding: str, bom: bytes) -> None:
    """UTF-8 with or without a byte order mark and UTF-16 with one are read, every line break as LF."""
    text = "1/ Brød 🍞\r\n2/ Butter\r/end\n"
    assert decode(bom + text.encode(encoding)) == "1/ Brød 🍞\n2/ Butter\n/end\n"


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"Bread \xff", 6),
        (b"\xef\xbb\xbfBread \xe2\x82", 9),
        (b"\xff\xfea\x00b", 4),
        (b"\xfe\xff\x00a\xd8\x00\x00a", 4),
        (b"\xc3\xb8\x00", 2),
        (b"\xef\xbb\xbf\xc3\xb8\x00", 5),
        (b"\xff\xfea\x00\x3c\xd8\x5e\xdf\x00\x00", 8),
        (b"B\x00r\x00", 1),
    ],
    ids=["utf-8", "bom", "odd", "surrogate", "nul", "bom-nul", "utf-16-nul", "utf-16-without-bom"],
)
def test_what_is_not_text_is_refused_with_its_offset(data: bytes, offset: int) -> None:
    """The error names the offset of the first byte that is no text, in the bytes as given."""
    with pytest.raises(NotTextError, match=rf"byte offset {offset};") as caught:
        decode(data)
    assert caught.value.offset == offset


# ---- large and hostile input: a parser that looked ahead or back again and again would take minutes ----

SIZE = 100_000
RUNS: list[list[str]] = tomllib.loads(Path(__file__).with_name("texts.toml").read_text(encoding="utf-8"))[
    "runs"
]


@pytest.mark.parametrize(("unit", "prefix"), RUNS, ids=repr)
def test_long_runs_are_parsed_in_one_pass(unit: str, prefix: str) -> None:
    """A run of what may begin a marker, a line or an end mark gives at most one thread, at once."""
    text = prefix + unit * (SIZE // len(unit))
    threads = parse(text)
    assert len(threads) <= 1
    assert not threads or kept(text) == squeezed(text)


def firsts_without_a_paragraph(size: int) -> str:
    markers = [f"x {number}/{total}\n" for number in (1, 2) for total in range(3, 9000)]
    return "0/ a\n1/ b\n" + "y\n" * (size // 2) + "".join(markers)


def firsts_after_the_end(size: int) -> str:
    markers = [f"x {number}/{total}\n" for number in (1, 2) for total in range(3, 9000)]
    return "a 1/2\nb 2/2\n" + "\n" * size + "1. y\n" + "".join(markers)


def threads_without_an_end(size: int) -> str:
    return "1/ a\n" * (size // 20)


def weak_firsts(size: int) -> str:
    return "1. a\n1) b\n" * (size // 10) + "2. c\n2) d"


@pytest.mark.parametrize(
    "make", [firsts_without_a_paragraph, firsts_after_the_end, threads_without_an_end, weak_firsts]
)
def test_many_first_markers_are_parsed_in_one_pass(make: Callable[[int], str]) -> None:
    """Looking for what follows a first marker, or for its paragraph, does not begin again for each."""
    text = make(SIZE)
    assert kept(text) == squeezed(text)
