"""The files of the intake folder: which are read, and where they are put."""

import os
from pathlib import Path

import pytest

from threadcast.bot.intake import files


def test_what_is_no_longer_what_settled_is_not_read(tmp_path: Path) -> None:
    """A file that was replaced meanwhile, or is a link or a pipe now, is not read, nor waited for."""
    path = tmp_path / "lamp.txt"
    path.write_text("1/ The lamp.")
    settled = files.Snapshot.of(path.lstat())
    with files.open_folder(tmp_path) as folder:
        assert files.read(folder, "lamp.txt", settled, limit=5)[0] == b"1/ Th"
        for replace in (
            lambda: path.write_text("1/ The lump."),
            lambda: path.symlink_to("/etc/hostname"),
            lambda: os.mkfifo(path),
        ):
            path.rename(tmp_path / "before")
            replace()
            with pytest.raises(files.ChangedError):
                files.read(folder, "lamp.txt", settled, limit=100)
        path.unlink()
        with pytest.raises(FileNotFoundError):
            files.read(folder, "lamp.txt", settled, limit=100)


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
