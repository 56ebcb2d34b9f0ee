"""The files that a thread names: found, looked at and kept, or refused in one sentence."""

import os
import zipfile
from io import BytesIO
from pathlib import Path, PurePosixPath

import pytest

from tests.bot.media.drawn import MP4, PDF, bomb, jpeg, moving, put
from threadcast.bot.media import store as storing
from threadcast.bot.media.attach import Attacher, portable
from threadcast.bot.media.errors import MediaError
from threadcast.bot.media.sources import ArchiveFiles, Files, FolderFiles, look_into
from threadcast.bot.media.store import MediaStore
from threadcast.queue.text.media import MediaKind, StoredFile
from threadcast.queue.text.parse import parse, render


def attached(data: Path, source: str, files: Files | None) -> StoredFile:
    (thread,) = parse(f"1/ Bread\n![](<{source}>)\n2/ Butter")
    (media,) = Attacher(MediaStore(data)).attach(thread, files).media
    assert media.file is not None
    return media.file


def packed(files: dict[str, bytes], link: str = "") -> zipfile.ZipFile:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(".".join(name.rsplit("_", 1)).replace("__", "/"), content)
        if link:
            entry = zipfile.ZipInfo(link)
            entry.external_attr = 0o120777 << 16
            archive.writestr(entry, "/etc/passwd")
    return zipfile.ZipFile(out)


def test_files_beside_a_text(tmp_path: Path) -> None:
    """A file beside the text, or below it, is kept once, and what it is is known."""
    (tmp_path / "sub").mkdir()
    put(tmp_path, a_jpg=jpeg(), b_mp4=MP4, c_pdf=PDF, d_gif=moving("GIF"))
    put(tmp_path / "sub", a_jpg=jpeg())
    files, data = FolderFiles(tmp_path), tmp_path / "data"
    found = [attached(data, name, files) for name in ("a.jpg", "sub/a.jpg", "sub\\a.jpg", "./a.jpg")]
    assert len(set(found)) == 1
    assert (found[0].kind, found[0].width, found[0].height) == (MediaKind.IMAGE, 60, 40)
    assert attached(data, "b.mp4", files).kind is MediaKind.VIDEO
    assert attached(data, "c.pdf", files).kind is MediaKind.DOCUMENT
    assert attached(data, "d.gif", files).kind is MediaKind.ANIMATION
    assert len([path for path in data.rglob("*") if path.is_file()]) == 4


def test_names_as_systems_and_addresses_spell_them(tmp_path: Path) -> None:
    """An accent apart, or a blank as %20, is the same name."""
    put(tmp_path, **{"cafe\u0301 au lait_jpg": jpeg()})
    for name in ("café au lait.jpg", "caf\u00e9%20au%20lait.jpg"):
        assert attached(tmp_path / "data", name, FolderFiles(tmp_path)).width == 60


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("none.jpg", r"line 2: there is no file none\.jpg in"),
        ("../secret.jpg", "leads out of the text's folder"),
        ("sub/../../secret.jpg", "leads out of the text's folder"),
        ("..\\secret.jpg", "leads out of the text's folder"),
        ("%2e%2e/secret.jpg", "leads out of the text's folder"),
        ("/etc/passwd", "leads out of the text's folder"),
        ("C:/secret.jpg", "leads out of the text's folder"),
        ("link.jpg", "is a link; put the file itself beside the text"),
        ("linked/secret.jpg", "cannot be read"),
        ("pipe.jpg", "is no plain file"),
        ("sub", "is no plain file"),
        (".", r"\. is a folder; name a file in it"),
        ("page.jpg", "is not what it is called: it is a web page"),
        ("bomb.png", "50,000 x 50,000 pixels"),
        ("empty.jpg", "is empty"),
        ("x" * 300 + ".jpg", "cannot be read"),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, source: str, said: str) -> None:
    """What is not there, leads elsewhere or is not what it says is refused, and no name leads out."""
    folder = tmp_path / "folder"
    (folder / "sub").mkdir(parents=True)
    put(tmp_path, secret_jpg=jpeg())
    put(folder, page_jpg=b"<!doctype html>", bomb_png=bomb(), empty_jpg=b"")
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "linked").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.jpg")
    with pytest.raises(MediaError, match=said):
        attached(tmp_path / "data", source, FolderFiles(folder))


def test_a_text_that_came_alone(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"line 2: a\.jpg did not come with the text; send it along"):
        attached(tmp_path, "a.jpg", None)


def test_a_file_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than any network takes is refused, and nothing of it stays."""
    monkeypatch.setattr(storing, "MAX_FILE", 10 * 1024 * 1024)
    put(tmp_path, a_mp4=MP4 + bytes(10 * 1024 * 1024))
    with pytest.raises(MediaError, match=r"a\.mp4 is larger than 10 MB, more than any network takes"):
        attached(tmp_path / "data", "a.mp4", FolderFiles(tmp_path))
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    put(tmp_path, a_jpg=jpeg(), data=b"a file, no folder")
    with pytest.raises(MediaError, match=r"a\.jpg cannot be kept in .*: Not a directory"):
        attached(tmp_path / "data", "a.jpg", FolderFiles(tmp_path))


def test_files_in_an_archive(tmp_path: Path) -> None:
    """A file of an archive is found from the folder of it where its text is."""
    archive = packed({"t_txt": b"", "a_jpg": jpeg(), "sub__b_jpg": jpeg()})
    assert len(look_into("thread.zip", archive)) == 3
    files = ArchiveFiles(archive, PurePosixPath())
    assert attached(tmp_path, "a.jpg", files) == attached(tmp_path, "sub/b.jpg", files)
    assert attached(tmp_path, "b.jpg", ArchiveFiles(archive, PurePosixPath("sub"))).width == 60
    for source, said in (("c.jpg", "there is no file c.jpg in the archive"), ("../a.jpg", "leads out")):
        with pytest.raises(MediaError, match=said):
            attached(tmp_path, source, ArchiveFiles(archive, PurePosixPath("sub")))


def test_archives_that_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive that would lead out of its folder, or fill the disk, is refused whole."""
    monkeypatch.setattr("threadcast.bot.media.sources.MAX_UNPACKED", 100_000)
    monkeypatch.setattr("threadcast.bot.media.sources.MAX_ENTRIES", 5)
    for archive, said in (
        (packed({"..__t_txt": b"1/ a"}), r"holds \.\./t\.txt, which leads out of its folder"),
        (packed({"__etc__t_txt": b"1/ a"}), "which leads out of its folder"),
        (packed({"t_txt": bytes(200_000)}), "unpacks to more than"),
        (packed({f"t{number}_txt": b"" for number in range(6)}), "holds 6 files, more than 5"),
        (packed({"t_txt": b"", "u_zip": b""}), "holds another archive, u.zip"),
        (packed({"t_txt": b"1/ a"}, "link.jpg"), "holds a link, link.jpg"),
    ):
        with pytest.raises(MediaError, match=said):
            look_into("thread.zip", archive)


def test_what_no_thread_needs_is_removed(tmp_path: Path) -> None:
    """A file goes when no thread needs it and it was not kept just now; what is needed stays."""
    put(tmp_path, a_jpg=jpeg(), b_mp4=MP4)
    data, store = tmp_path / "data", MediaStore(tmp_path / "data")
    one, other = (attached(data, name, FolderFiles(tmp_path)) for name in ("a.jpg", "b.mp4"))
    (data / "media" / ".new.half").write_bytes(b"cut off")
    now = (data / "media" / ".new.half").stat().st_mtime
    assert store.sweep(frozenset(), before=now - 60) == 0
    assert store.sweep(frozenset({one.digest}), before=now + 60) == 1
    with store.opened(one.digest, "a.jpg") as path:
        assert path.read_bytes() == jpeg()
    with (
        pytest.raises(MediaError, match=r"b\.mp4 is not in .* any more"),
        store.opened(other.digest, "b.mp4"),
    ):
        pass
    assert not (data / "media" / ".new.half").exists()
    assert MediaStore(tmp_path / "nowhere").sweep(frozenset(), before=now) == 0


def test_a_file_that_came_by_itself(tmp_path: Path) -> None:
    """A file that is kept is named by its content, so that its text may come alone, now and again."""
    attacher = Attacher(MediaStore(tmp_path))
    source = attacher.keep("a (b)/c.jpg", BytesIO(jpeg())).source
    assert source.endswith("/a-b-c.jpg")
    (thread,) = parse(f"1/ Bread\n![x]({source})\n2/ Butter")
    known = attacher.attach(thread, None)
    assert known.media[0].file is not None
    assert known.media[0].file.width == 60
    (again,) = parse(render(portable(known)))
    assert attacher.attach(again, None).media[0].file == known.media[0].file
    MediaStore(tmp_path).sweep(frozenset({known.media[0].file.digest[:16]}), before=10**12)
    attacher.attach(thread, None)
    MediaStore(tmp_path).sweep(frozenset(), before=10**12)
    with pytest.raises(MediaError, match=r"a-b-c\.jpg is not kept here any more; send it again"):
        attacher.attach(thread, None)
    with pytest.raises(MediaError, match="is a broken picture"):
        attacher.keep("broken.jpg", BytesIO(jpeg()[:300]))


def test_a_thread_can_be_given_back_without_its_files(tmp_path: Path) -> None:
    """A text may name what is kept here in place of what came with it."""
    put(tmp_path, a_jpg=jpeg())
    attacher = Attacher(MediaStore(tmp_path / "data"))
    known = attacher.attach(parse("1/ Bread\n![x](a.jpg)\n2/ Butter")[0], FolderFiles(tmp_path))
    (again,) = parse(render(portable(known)))
    assert attacher.attach(again, None).fingerprint == known.fingerprint
