"""Files in the posts of a thread: how many share a post, beside how much text, and what is not taken."""

from dataclasses import replace

import pytest

from threadcast.queue.compose.compose import compose, untaken
from threadcast.queue.compose.length import code_points
from threadcast.queue.compose.rules import CannotComposeError, MediaRules, Numbering, Rules
from threadcast.queue.text.media import MediaKind, StoredFile
from threadcast.queue.text.parse import parse
from threadcast.queue.text.thread import Thread, with_files

IMAGE, VIDEO, AUDIO, DOCUMENT = MediaKind.IMAGE, MediaKind.VIDEO, MediaKind.AUDIO, MediaKind.DOCUMENT
KINDS = {"jpg": IMAGE, "mp4": VIDEO, "mp3": AUDIO, "pdf": DOCUMENT}
TAKES = MediaRules(3, 20, (frozenset({IMAGE, VIDEO}),), {IMAGE: 10, VIDEO: 100, AUDIO: 100})


def known(text: str, size: int = 50) -> Thread:
    """A thread that knows its files; what they are is in their names."""
    (thread,) = parse(text)
    kinds = {one.source: KINDS[one.source.rpartition(".")[2]] for one in thread.media}
    return with_files(thread, {source: StoredFile(source, kind, "", size) for source, kind in kinds.items()})


def composed(text: str, numbering: Numbering = Numbering.KEEP) -> list[tuple[str, str]]:
    posts = compose(known(text), Rules(40, code_points, numbering, media=TAKES))
    return [(post.text, " ".join(media.name for media in post.media)) for post in posts]


def test_files_go_out_with_their_part() -> None:
    """A part and its files are one post where they fit, in every numbering."""
    text = "1/ Bread\n![](a.jpg)\n![](b.mp4)\n2/ Butter"
    assert composed(text) == [("1/ Bread", "a.jpg b.mp4"), ("2/ Butter", "")]
    assert composed(text, Numbering.RENUMBER) == [("1/ Bread", "a.jpg b.mp4"), ("2/ Butter", "")]
    assert composed(text, Numbering.NONE) == [("Bread", "a.jpg b.mp4"), ("Butter", "")]


def test_a_part_may_be_files_alone() -> None:
    """A part without text is its marker beside the files; without numbers it is the files alone."""
    text = "1/\n![](a.jpg)\n2/ Butter"
    assert composed(text) == [("1/", "a.jpg"), ("2/ Butter", "")]
    assert composed(text, Numbering.TOTAL) == [("1/2", "a.jpg"), ("2/2 Butter", "")]
    assert composed(text, Numbering.NONE) == [("", "a.jpg"), ("Butter", "")]
    assert composed("![](a.jpg)") == [("", "a.jpg")]
    assert composed("![](a.jpg)\n---\n![](b.jpg)", Numbering.NONE) == [("", "a.jpg"), ("", "b.jpg")]


def test_too_many_files_go_on() -> None:
    """What is too much for one post goes on in the next, in order, under the same number."""
    lines = "\n".join(f"![]({name}.jpg)" for name in "abcd")
    assert composed(f"1/ Bread\n{lines}\n2/ Butter") == [
        ("1a/ Bread", "a.jpg b.jpg c.jpg"),
        ("1b/", "d.jpg"),
        ("2/ Butter", ""),
    ]
    assert composed(f"Bread\n{lines}", Numbering.NONE) == [("Bread", "a.jpg b.jpg c.jpg"), ("", "d.jpg")]


def test_kinds_that_do_not_go_together() -> None:
    """What a network does not show together goes out one after the other; the order is kept."""
    text = "1/ Bread\n![](a.jpg)\n![](s.mp3)\n![](t.mp3)\n![](b.mp4)\n2/ Butter"
    assert [files for _, files in composed(text)] == ["a.jpg", "s.mp3", "t.mp3", "b.mp4", ""]


def test_a_text_too_long_beside_files_goes_on() -> None:
    """Beside a file there is room for a caption; the rest of the text follows, as long as any post."""
    text = "1/ One two three four five six. Seven eight nine ten.\n![](a.jpg)\n2/ Butter"
    posts = composed(text)
    assert [files for _, files in posts] == ["a.jpg", *([""] * (len(posts) - 1))]
    assert len(posts[0][0]) <= 20 < max(len(text) for text, _ in posts)
    words = " ".join(text.split(" ", 1)[1] for text, _ in posts[:-1])
    assert words == "One two three four five six. Seven eight nine ten."


def test_what_is_not_taken_is_refused_whole() -> None:
    """A file that a channel does not take, or that nobody has, stops the thread: nothing goes without it."""
    rules = Rules(40, code_points, media=TAKES)
    for text, size, named in (
        ("1/ Bread\n![](a.pdf)", 1, "takes no file of this kind"),
        ("1/ Bread\n![](a.mp4)", 101 * 1024 * 1024, r"101\.0 MB"),
    ):
        with pytest.raises(CannotComposeError, match=named) as caught:
            compose(known(text, size), rules)
        assert untaken(known(text, size), TAKES) == str(caught.value)
    with pytest.raises(CannotComposeError, match=r"names a\.jpg, which nobody has stored"):
        compose(parse("1/ Bread\n![](a.jpg)")[0], rules)
    with pytest.raises(CannotComposeError, match="cannot post files"):
        compose(known("1/ Bread\n![](a.jpg)"), Rules(40, code_points))
    assert untaken(known("1/ Bread\n![](a.jpg)"), TAKES) == ""  # however large: it is made smaller
    assert untaken(known("1/ Bread"), None) == ""


def test_a_description_that_is_too_long() -> None:
    """A description is as long as the channel takes it at the most; a longer one stops the thread."""
    takes = replace(TAKES, description=5)
    assert untaken(known("1/ Bread\n![A bun](a.jpg)"), takes) == ""
    with pytest.raises(CannotComposeError, match=r"describes a\.jpg in 6 characters: .* takes 5 at the most"):
        compose(known("1/ Bread\n![A roll](a.jpg)"), Rules(40, code_points, media=takes))
