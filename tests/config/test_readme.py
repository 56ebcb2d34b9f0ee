"""The README tells of every variable, in the words of the settings."""

from pathlib import Path

from threadcast.config.settings import variables

README = Path(__file__).resolve().parents[2] / "README.md"


def test_the_readme_lists_every_variable() -> None:
    """The README's table has a row for each variable, with its meaning, example and default."""
    rows = [
        line for line in README.read_text(encoding="utf-8").splitlines() if line.startswith("| `THREADCAST_")
    ]
    assert rows == [
        f"| `{one.name}` | {one.meaning}; e.g. `{one.example}` | {one.default or '—'} |"
        for one in variables()
    ]
