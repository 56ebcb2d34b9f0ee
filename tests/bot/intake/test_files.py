"""The files of the intake folder: which are read, and where they are put."""

import os
import stat
from pathlib import Path

import pytest

from threadcast.bot.intake import files


def test_what_is_no_longer_what_settled_is_not_read(tmp_path: Path) -> None:
    """A file that was replaced, or has become a link, is not read."""
    path = tmp_path / "lamp.txt"
    path.write_text("1/ The lamp.")
    settled = files.Stamp.of(path.lstat())
    with files.open_folder(tmp_path) as folder:
        assert files.read(folder, "lamp.txt", settled, limit=5)[0] == b"1/ Th"
        (tmp_path / "new").write_text("1/ The lump.")
        (tmp_path / "new").rename(path)
        with pytest.raises(files.ChangedError):
            files.read(folder, "lamp.txt", settled, limit=100)
        path.unlink()
        path.symlink_to("/etc/hostname")
        with pytest.raises(files.ChangedError):
            files.read(folder, "lamp.txt", settled, limit=100)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            files.read(folder, "lamp.txt", settled, limit=100)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """A pipe that took the place of a file is not read, and nobody waits for its writer."""
    path = tmp_path / "lamp.txt"
    path.write_text("1/ The lamp.")
    settled = files.Stamp.of(path.lstat())
    path.unlink()
    os.mkfifo(path)
    with files.open_folder(tmp_path) as folder, pytest.raises(files.ChangedError):
        files.read(folder, "lamp.txt", settled, limit=100)


def test_a_folder_is_made_for_its_owner_and_no_link_followed_within(tmp_path: Path) -> None:
    """A missing folder is made private; a link in a folder's place is refused within another."""
    (tmp_path / "elsewhere").mkdir()
    with files.open_folder(tmp_path / "in") as root:
        assert stat.S_IMODE((tmp_path / "in").stat().st_mode) == 0o700
        (tmp_path / "in/news").symlink_to(tmp_path / "elsewhere")
        with (
            pytest.raises(OSError, match=r"Not a directory|symbolic links"),
            files.open_folder("news", within=root),
        ):
            pass


def test_a_move_that_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    """Where the system refuses a move, no report stays behind."""
    (tmp_path / "outer/inner").mkdir(parents=True)
    with (
        files.open_folder(tmp_path) as folder,
        files.open_folder(tmp_path / "outer/inner") as inner,
        pytest.raises(OSError, match="Invalid argument"),  # no folder fits into itself
    ):
        files.put_away(folder, "outer", inner, "done")
    assert list((tmp_path / "outer/inner").iterdir()) == []
