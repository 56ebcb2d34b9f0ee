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
        files = {path.name for path in (run / "timeline-files").iterdir()}
        assert len(files) == 3
        assert all(page.count(f'<img src="timeline-files/{name}"') == 2 for name in files)
        assert page.count('alt="A calm sea in the morning sun.') == 2
        assert page.count("<summary>ALT</summary>") == 3, "Telegram shows no descriptions"
        assert page.count("shipwreck</span></summary>") == 4
        assert page.count('shipwreck\n<span class="spoiler"') == 4


def test_the_samples() -> None:
    """Four threads, nothing to notice: one has 30 parts, one a part of over 500 characters, one pictures."""
    folder = resources.files("threadcast.bot.shell") / "samples"
    texts = [one.read_text(encoding="utf-8") for one in folder.iterdir() if one.name.endswith(".txt")]
    threads = [thread for text in texts for thread in parse(text)]

    assert len({thread.fingerprint for thread in threads}) == 4
    assert [len(thread.media) for thread in threads if thread.settings.warning] == [3]
    assert [notice for thread in threads for notice in thread.notices] == []
    assert 30 in [len(thread.parts) for thread in threads]
    assert max(measure.mastodon(part.text) for thread in threads for part in thread.parts) > 500
