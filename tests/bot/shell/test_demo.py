"""The demonstration does the main job, and shows it."""

from pathlib import Path

from click.testing import CliRunner

from threadcast.bot.shell.cli import cli


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
