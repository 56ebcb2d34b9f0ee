"""example.env tells of every variable, in the words of the settings."""

import re
from importlib import resources
from pathlib import Path

from threadcast.config.channels import CHANNEL_VARIABLES
from threadcast.config.settings import load, variables

EXAMPLE = resources.files("threadcast.config").joinpath("example.env").read_text(encoding="utf-8")
SETTING = re.compile(r"^# ([A-Z_]+)=(.+)$", re.MULTILINE)


def test_every_variable_is_there() -> None:
    """The example has every variable of the table, those of a channel for each kind that has them."""
    written = dict(SETTING.findall(EXAMPLE))
    kinds = {"NEWS": "telegram", "MASTO": "mastodon", "DRAFTS": "local"}
    known = {variable.name for variable in variables()}
    seen = set()
    for name in written:
        channel = re.fullmatch(r"THREADCAST_CHANNELS__([A-Z]+)__([A-Z_]+)", name)
        if channel:
            assert channel[2].lower() in CHANNEL_VARIABLES[kinds[channel[1]]]
            seen.add((f"THREADCAST_CHANNELS__<NAME>__{channel[2]}", kinds[channel[1]].title()))
        else:
            seen.add((name, ""))
    assert {name for name, _ in seen} == known
    of_kinds = {
        (variable.name, variable.group.split()[0])
        for variable in variables()
        if variable.group.endswith(" channels")
    }
    assert of_kinds <= seen


def test_it_is_valid(tmp_path: Path) -> None:
    """With every line made a setting, the example is a valid `.env` in which nothing has its default."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "channels.toml").touch()
    (tmp_path / ".env").write_text(SETTING.sub(r"\1=\2", EXAMPLE), encoding="utf-8")
    settings = load({}, folder=tmp_path)
    plain = load({}, folder=tmp_path / "secrets")
    assert [channel.kind for channel in settings.channels] == ["local", "mastodon", "telegram"]
    for field in ("data", "database_url", "timezone", "intake", "telegram", "log_level", "log_format"):
        assert getattr(settings, field) != getattr(plain, field), field


def test_commented_out(tmp_path: Path) -> None:
    """As it stands, the example sets nothing."""
    (tmp_path / ".env").write_text(EXAMPLE, encoding="utf-8")
    assert [channel.name for channel in load({}, folder=tmp_path).channels] == ["local"]
    assert not [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")]


def test_table() -> None:
    """Each variable of the table is told in full, once in its group, and with an example that fits it."""
    table = variables()
    assert len({(variable.name, variable.group) for variable in table}) == len(table)
    for variable in table:
        assert variable.name.startswith("THREADCAST_")
        assert variable.meaning
        assert variable.expected
        assert variable.example
    assert {variable.name.rpartition("__")[2] for variable in table if variable.secret} == {
        "TOKEN",
        "THREADCAST_DATABASE_URL",
        "THREADCAST_MEDIA_SECRET",
        "SECRET",
    }
    defaults = {variable.name.rpartition("__")[2]: variable.default for variable in table}
    assert defaults["SILENT"] == "true"
    assert defaults["NUMBERING"] == "keep"
    assert defaults["CHAT"] == "required"
    assert defaults["SPOILER"] == ""
