"""Threads with files, as they are typed: from the files beside a text to the page that shows them."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tests.bot.media.drawn import PDF, from_a_camera, jpeg, moving, put
from tests.bot.shell.typed import Shell
from tests.servers.bucket import SECRET, running

TEXT = "1/ The lamp.\n![A lamp at dusk](lamp.jpg)\n2/ The sea.\n![](sea.gif)\n3/ Fog /end\n"


@pytest.fixture
def folder(shell: Shell) -> Path:
    put(shell.folder, lamp_jpg=from_a_camera(), sea_gif=moving("GIF"), paper_pdf=PDF)
    return shell.folder


def test_a_thread_with_pictures_is_published(shell: Shell, folder: Path) -> None:
    """Pictures beside a text go out with it, and the page shows them with what can be seen."""
    shell.ok("add", shell.write(TEXT))
    shown = shell.ok("show", "1")
    assert "line 4: sea.gif (line 4) has no description for those who cannot see it" in shown
    shell.publish_all()
    posts = shell.json("show", "1")["deliveries"][0]["posts"]
    assert [[one["name"] for one in post["media"]] for post in posts] == [["lamp.jpg"], ["sea.gif"], []]
    page = (folder / "threadcast-data" / "timeline.html").read_text()
    assert page.count('alt="A lamp at dusk"') == 2  # on either timeline
    files = {path.name for path in (folder / "threadcast-data" / "timeline-files").iterdir()}
    assert len(files) == 2
    assert all(f'src="timeline-files/{name}"' in page for name in files)
    assert 'class="media covered"' not in page


def test_a_thread_with_sensitive_pictures(shell: Shell, folder: Path) -> None:
    """The pictures of a thread that is `sensitive` are hidden at first, on either timeline."""
    shell.ok("add", shell.write(f"---\nsensitive: true\n---\n{TEXT}"))
    shell.publish_all()
    page = (folder / "threadcast-data" / "timeline.html").read_text()
    assert page.count('class="media covered"') == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1/ a\n![](none.jpg)", r"thread.txt, line 2: there is no file none.jpg in"),
        ("1/ a\n![](../lamp.jpg)", "thread.txt, line 2: ../lamp.jpg leads out of the text's folder"),
        ("1/ a\n![](broken.jpg)", "broken.jpg is a broken picture"),
    ],
)
@pytest.mark.parametrize("command", [["add"], ["add", "--dry-run"], ["preview"]])
def test_a_file_that_cannot_be_used(
    shell: Shell, folder: Path, command: list[str], text: str, said: str
) -> None:
    """A file that is not there, leads elsewhere or is broken is named, and nothing is added."""
    put(folder, broken_jpg=jpeg()[:300])
    shell.ok("add", "-", stdin="1/ before /end")
    done = shell(*command, shell.write(text, "thread.txt"))
    assert done.exit_code != 0
    assert said in done.stderr
    assert len(shell.json("queue")["deliveries"]) == 2


def test_the_folder_of_the_files(shell: Shell, folder: Path) -> None:
    """`--media` names the folder of the files, also for a text from standard input, which has none."""
    (folder / "pictures").mkdir()
    (folder / "lamp.jpg").rename(folder / "pictures" / "lamp.jpg")
    text = "1/ a\n![x](lamp.jpg)\n2/ b /end"
    refused = shell("add", "-", stdin=text)
    assert "lamp.jpg did not come with the text" in refused.stderr
    assert "#1 a (2 parts)" in shell.ok("add", "--media", "pictures", "-", stdin=text)


def test_what_a_channel_does_not_take_is_held(shell: Shell, folder: Path) -> None:
    """A thread with a file that a channel does not take is held there, and says why; others publish it."""
    shell.ok("add", shell.write("1/ a\n![x](paper.pdf)\n2/ b /end"))
    states = {one["channel"]: (one["state"], one["reason"]) for one in shell.json("show", "1")["deliveries"]}
    assert states["news"] == ("queued", "")
    assert states["masto"][0] == "held"
    assert "Part 1 (line 2) shows paper.pdf, and this channel takes no file" in states["masto"][1]


def test_a_preview_names_the_files(shell: Shell, folder: Path) -> None:
    """A preview shows which files each post has, how large and with what description; it keeps none."""
    shown = shell.ok("preview", shell.write(TEXT))
    assert "📎 lamp.jpg (picture, 1 KB): A lamp at dusk\n1/ The lamp.\n" in shown
    assert not (folder / "threadcast-data" / "media").exists()


def test_files_stay_when_a_thread_is_changed(shell: Shell, folder: Path) -> None:
    """An edited text may name the files that its thread has; a continued one brings its own."""
    shell.ok("add", shell.write(TEXT))
    text = shell.ok("export", "1")
    assert "![A lamp at dusk](lamp.jpg)" in text
    (folder / "lamp.jpg").unlink()
    shell.ok("edit", "1", stdin=text.replace("A lamp at dusk", "A lamp"))
    refused = shell("edit", "1", stdin=text.replace("lamp.jpg", "other.jpg"))
    assert "other.jpg is new in this thread; say in which folder it is: --media FOLDER" in refused.stderr
    put(folder, lamp_jpg=jpeg(90, 90))
    shell.ok("add", "--continue", "1", shell.write("4/ More\n![another](lamp.jpg)\n", "more.txt"))
    shell.publish_all()
    files = list((folder / "threadcast-data" / "timeline-files").iterdir())
    assert len(files) == 3
    posts = shell.json("show", "1")["deliveries"][0]["posts"]
    assert [one["description"] for post in posts for one in post["media"]] == ["A lamp", "", "another"]


def test_a_twin_is_known_by_its_files(shell: Shell, folder: Path) -> None:
    """The same words with the same pictures are the same thread, whatever their names; others are not."""
    shell.ok("add", shell.write(TEXT))
    (folder / "lamp.jpg").rename(folder / "light.jpg")
    again = shell.ok("add", shell.write(TEXT.replace("lamp.jpg", "light.jpg")))
    assert "Nothing new was added." in again
    put(folder, light_jpg=jpeg(70, 70))
    assert "#2 The lamp." in shell.ok("add", shell.write(TEXT.replace("lamp.jpg", "light.jpg")))


def test_an_archive(shell: Shell, folder: Path) -> None:
    """The texts of an archive are added with their files; what is wrong in one is said, and none is added."""
    with zipfile.ZipFile(folder / "thread.zip", "w") as archive:
        archive.writestr("one.txt", TEXT)
        archive.write(folder / "lamp.jpg", "lamp.jpg")
        archive.write(folder / "sea.gif", "sea.gif")
        archive.write(folder / "paper.pdf", "paper.pdf")
    shown = shell.ok("add", "--dry-run", "thread.zip")
    assert "came with the text, and no line of it shows it: “paper.pdf”" in shown
    assert "#1 The lamp." in shell.ok("add", "thread.zip")
    shell.publish_all()
    assert len(list((folder / "threadcast-data" / "timeline-files").iterdir())) == 2
    with zipfile.ZipFile(folder / "thread.zip", "a") as archive:
        archive.writestr("two.txt", "1/ a\n![x](none.jpg)\n2/ b /end")
    refused = shell("add", "--again", "thread.zip")
    assert "thread.zip: two.txt, line 2: there is no file none.jpg in the archive" in refused.stderr
    assert "it has to be one" in shell("add", "--continue", "1", "thread.zip").stderr


def test_descriptions_may_be_required(shell: Shell, folder: Path) -> None:
    """Where a channel requires descriptions, a thread with a file that has none is held, and says so."""
    shell.env["THREADCAST_CHANNELS__MASTO__DESCRIPTIONS"] = "required"
    shell.ok("add", shell.write(TEXT))
    states = {one["channel"]: (one["state"], one["reason"]) for one in shell.json("show", "1")["deliveries"]}
    assert states["news"] == ("queued", "")
    assert states["masto"][0] == "held"
    assert "sea.gif (line 4) has no description" in states["masto"][1]
    shell.ok("add", shell.write(TEXT.replace("![](", "![The sea](").replace("Fog", "Mist")))
    assert {one["state"] for one in shell.json("show", "2")["deliveries"]} == {"queued"}


def test_files_in_a_bucket(shell: Shell, folder: Path, tmp_path: Path) -> None:
    """A thread added on one machine is published by another; a backup says where its files are."""
    with running(tmp_path / "server") as server:
        shell.env |= server.environ()
        shell.ok("add", shell.write(TEXT))
        assert "ok  files: they are kept in s3://media/a/prefix\n" in shell.ok("check")
        said = shell.ok("backup", "first")
        assert "The files that its threads show are not in it: they are in s3://media/a/prefix" in said
        shutil.rmtree(folder / "threadcast-data" / "media")
        shell.publish_all()
    assert {one["state"] for one in shell.json("show", "1")["deliveries"]} == {"published"}


def test_a_store_that_is_set_wrong(shell: Shell, folder: Path, tmp_path: Path) -> None:
    """A wrong secret, or a folder that cannot be written, is one sentence; nothing is added or given away."""
    with running(tmp_path / "server") as server:
        shell.env |= server.environ(secret="a-wrong-secret")
        refused, checked = shell("add", shell.write(TEXT)), shell("check")
    assert refused.exit_code != 0
    assert checked.exit_code != 0
    for done in (refused, checked):
        assert "does not let us in (SignatureDoesNotMatch)" in done.output
        assert SECRET not in done.output
        assert "a-wrong-secret" not in done.output
    assert "check THREADCAST_MEDIA_SECRET and the access_key_id" in checked.output
    assert "a-wrong-secret" not in shell.ok("config")
    assert shell.json("queue")["deliveries"] == []
    (folder / "file").touch()
    shell.env["THREADCAST_MEDIA_URL"] = f"file://{folder}/file/media"
    assert f"the files of threads cannot be kept in {folder}/file" in shell("check").output


def test_an_archive_that_cannot_be_unpacked(shell: Shell, folder: Path) -> None:
    """An archive that was cut off, or came where no file can, is called what it is, not a text."""
    with zipfile.ZipFile(folder / "thread.zip", "w") as archive:
        archive.writestr("thread.txt", "1/ a\n2/ b /end")
    whole = (folder / "thread.zip").read_bytes()
    (folder / "cut.zip").write_bytes(whole[:40])
    for done in (shell("add", "cut.zip"), shell("add", "-", stdin=whole)):
        assert done.exit_code != 0
        assert "is an archive that cannot be unpacked; pack it anew, and give it as a file" in done.stderr
