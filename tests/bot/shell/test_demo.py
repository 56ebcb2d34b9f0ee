"""The demonstration does the main job, and shows it."""

from importlib import resources
from pathlib import Path

from click.testing import CliRunner

from threadcast.bot.shell.cli import cli
from threadcast.queue.compose import length as measure
from threadcast.queue.text.parse import parse


def test_the_demonstration(tmp_path: Path) -> None:
    """The sample threads are published whole on both local channels, and the page holds them."""
    shown = ""
    for _ in range(2):
        result = CliRunner().invoke(cli, ["demo", "--folder", str(tmp_path)])
        assert result.exit_code == 0, result.output
        assert result.output.count("published") >= 6
        shown += result.output

    runs = sorted(tmp_path.iterdir())
    assert len(runs) == 2, "each run has a folder of its own"
    for run in runs:
        assert str(run / "timeline.html") in shown
        page = (run / "timeline.html").read_text(encoding="utf-8")
        assert page.count("/end") >= 2


def test_the_samples() -> None:
    """Three threads with nothing to notice, one of 30 parts, and one with a part over 500 characters."""
    folder = resources.files("threadcast.bot.shell") / "samples"
    threads = [thread for one in folder.iterdir() for thread in parse(one.read_text(encoding="utf-8"))]

    assert len({thread.fingerprint for thread in threads}) == 3
    assert [notice for thread in threads for notice in thread.notices] == []
    assert 30 in [len(thread.parts) for thread in threads]
    assert max(measure.mastodon(part.text) for thread in threads for part in thread.parts) > 500
