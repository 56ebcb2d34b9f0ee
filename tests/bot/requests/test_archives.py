"""Archives: texts with the files that they show, and what is refused in one sentence."""

import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from tests.bot.media.drawn import jpeg
from threadcast.bot.media.attach import Attacher
from threadcast.bot.media.store import MediaStore
from threadcast.bot.noticed import noticed
from threadcast.bot.requests.archives import is_archive, read_texts, together, unpack
from threadcast.bot.requests.errors import InputError
from threadcast.bot.requests.input import understand, with_files_of

TEXT = b"1/ Bread\n![x](pictures/a.jpg)\n2/ Butter /end"


def packed(files: dict[str, bytes]) -> BytesIO:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out


def test_texts_with_their_files(tmp_path: Path) -> None:
    """Each text of an archive finds its files from its own folder; as one text they come back without it."""
    archive = packed(
        {"t.txt": TEXT, "pictures/a.jpg": jpeg(), "u/t.md": TEXT, "u/pictures/a.jpg": jpeg(9, 9)}
    )
    assert is_archive(archive)
    intakes = unpack("thread.zip", archive)
    assert [one.source for one in intakes] == ["thread.zip: t.txt", "thread.zip: u/t.md"]
    attacher = Attacher(MediaStore(tmp_path))
    known = [with_files_of(one, attacher) for one in intakes]
    assert [one.file.width for each in known for one in each.threads[0].media if one.file] == [60, 9]
    whole = together("thread.zip", known)
    again = with_files_of(understand("kept", whole.text.encode()), attacher)
    assert [one.fingerprint for one in again.threads] == [one.fingerprint for one in whole.threads]


def test_texts_in_order() -> None:
    """The texts of an archive come in the order of their names, in whichever it was packed."""
    intakes = unpack("a.zip", packed(dict.fromkeys(("b/1.txt", "2.txt", "1.md"), b"1/ a /end")))
    assert [one.source for one in intakes] == ["a.zip: 1.md", "a.zip: 2.txt", "a.zip: b/1.txt"]


def test_files_that_no_line_shows() -> None:
    """A file that no line shows is named on the last thread: nothing is passed over without a word."""
    names = {f"{number}.jpg": jpeg() for number in range(7)}
    (intake,) = unpack("thread.zip", packed({"t.txt": TEXT, "pictures/a.jpg": jpeg(), **names}))
    said = noticed(intake.threads[0].notices[-1])
    assert said.startswith("came with the text, and no line of it shows it: “0.jpg, 1.jpg")
    assert "(+2)" in said


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.jpg": b"x"}, "thread.zip holds no text: put a .txt or .md file into it"),
        ({"../t.txt": TEXT}, "which leads out of its folder"),
        ({"t.txt": TEXT, "more.zip": b"PK"}, "holds another archive"),
        ({"t.txt": b""}, "thread.zip: t.txt is empty"),
        ({"t.txt": b"\xff\x00"}, "thread.zip: t.txt is not"),
    ],
)
def test_archives_that_are_refused(files: dict[str, bytes], said: str) -> None:
    with pytest.raises(InputError, match=said):
        unpack("thread.zip", packed(files))


def test_a_broken_archive() -> None:
    """An archive that cannot be read is refused whole, at its beginning or in the middle of a text."""
    with pytest.raises(InputError, match=r"cannot be unpacked: .*; pack it anew"):
        unpack("thread.zip", BytesIO(b"PK\x03\x04" + bytes(50)))
    whole = bytearray(packed({"t.txt": TEXT * 50}).getvalue())
    whole[60:70] = bytes(10)
    with pytest.raises(InputError, match=r"t\.txt cannot be unpacked"):
        unpack("thread.zip", BytesIO(bytes(whole)))


def test_documents_are_no_archives(tmp_path: Path) -> None:
    """A Word document is an archive too, and is called by its name."""
    path = tmp_path / "thread.docx"
    path.write_bytes(packed({"[Content_Types].xml": b"", "word/document.xml": b""}).getvalue())
    assert not is_archive(path)
    with pytest.raises(InputError, match="a Word document, not text"):
        read_texts(str(path), BytesIO())
    assert not is_archive(tmp_path / "none.zip")
