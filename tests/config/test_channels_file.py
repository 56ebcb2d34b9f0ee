"""A file of channels: a TOML table each, checked as strictly as variables."""

from pathlib import Path

import pytest

from tests.config.test_errors import problems
from threadcast.config.settings import in_force, load

BOT = "123456789:" + "s" * 35
NEWS = '[news]\nkind = "telegram"\nchat = "@news"\n'
ENVIRON = {"THREADCAST_CHANNELS_FILE": "channels.toml", "THREADCAST_TELEGRAM__TOKEN": BOT}


def test_channels_of_a_file(tmp_path: Path) -> None:
    """Channels of the file join those of variables; numbers, true and false are taken as such."""
    text = f'{NEWS}hold = true\n[Group]\nkind = "telegram"\nchat = -1001234567890\n'
    (tmp_path / "channels.toml").write_text(text, encoding="utf-8")
    settings = load({**ENVIRON, "THREADCAST_CHANNELS__PAGE__KIND": "local"}, folder=tmp_path)
    assert [channel.name for channel in settings.channels] == ["group", "news", "page"]
    group, news, _ = settings.channels
    assert (news.hold, news.place, group.place) == (True, ("chat", "@news"), ("chat", "-1001234567890"))


def test_variables_win(tmp_path: Path) -> None:
    """A variable wins over the same setting in the file, and brings the token of one of its channels."""
    (tmp_path / "channels.toml").write_text(
        f'{NEWS}quiet = "22:00-07:00"\n[masto]\nkind = "mastodon"\nurl = "https://m.example"\n',
        encoding="utf-8",
    )
    environ = {
        **ENVIRON,
        "THREADCAST_CHANNELS__NEWS__CHAT": "@other",
        "THREADCAST_CHANNELS__MASTO__TOKEN": "a-token-of-masto",
    }
    masto, news = load(environ, folder=tmp_path).channels
    assert news.place == ("chat", "@other")
    assert masto.kind == "mastodon"
    sources = {each.name: each.source for each in in_force(environ, folder=tmp_path)}
    assert sources["THREADCAST_CHANNELS__NEWS__QUIET"] == "channels.toml"
    assert sources["THREADCAST_CHANNELS__NEWS__CHAT"] == "environment"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            f'{NEWS}token = "{BOT}"',
            "NEWS__TOKEN: (in channels.toml) a token belongs in a variable or a secret",
        ),
        (f'{NEWS}quite = "22:00-07:00"', "NEWS__QUITE: (in channels.toml) no such setting; did you mean"),
        (f"{NEWS}schedule = 2026-01-01", "NEWS__SCHEDULE: (in channels.toml) expected text in quotes"),
        (f"{NEWS}schedule = ['9:00']", "NEWS__SCHEDULE: (in channels.toml) expected text in quotes"),
        (f'{NEWS}numbering = "all"', "NEWS__NUMBERING: (in channels.toml) expected keep, renumber"),
        (f'{NEWS}"a b" = "x"', "NEWS__A…: (in channels.toml) no such setting; a name has only letters"),
        ('["a b"]\nkind = "local"', "A…: (in channels.toml) no such setting; a name has only letters"),
        (
            f'{NEWS}[more]\nkind = "telegram"\nchat = "@NEWS"',
            "the same place as THREADCAST_CHANNELS__MORE__CHAT",
        ),
        (f"{NEWS}[news]\nhold = true", "channels.toml is no TOML: "),
        ('kind = "local"', "channels.toml: kind stands in no channel's table; begin one with [news]"),
        (None, "THREADCAST_CHANNELS_FILE: expected a file that is there"),
    ],
)
def test_faults_of_a_file(tmp_path: Path, text: str | None, says: str) -> None:
    """What is wrong in the file is told by the variable's name and the file's, never with a secret in it."""
    if text is not None:
        (tmp_path / "channels.toml").write_text(text, encoding="utf-8")
    lines = "\n".join(problems(ENVIRON, tmp_path))
    assert says in lines
    assert BOT not in lines
    assert "sss" not in lines


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    """A folder in the place of the file is said, too."""
    (tmp_path / "channels.toml").mkdir()
    (line,) = problems(ENVIRON, tmp_path)
    assert line.startswith("THREADCAST_CHANNELS_FILE: expected a file that is there")
