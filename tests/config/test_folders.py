"""A command works on the queue of the working folder where there is one, else on the user's own."""

import tomllib
from pathlib import Path

import pytest

from threadcast.config.environment import gather
from threadcast.config.settings import SettingsError, load, variables

CASES = tomllib.loads(Path(__file__).with_name("folders_cases.toml").read_text(encoding="utf-8"))["cases"]
KNOWN = [one.name for one in variables()]


@pytest.mark.parametrize(("environment", "there", "dotenv", "data"), CASES)
def test_where_it_is(
    tmp_path: Path, environment: list[str], there: list[str], dotenv: str, data: str
) -> None:
    """They are in the working folder where it has one that is ours, else in the user's own folders."""
    (tmp_path / "work").mkdir()
    for each in there:
        name, colon, text = each.partition(": ")
        path = tmp_path / name
        path.write_text(text) if colon else path.mkdir()
    environ = dict(each.split("=", 1) for each in environment)
    for name, value in environ.items():
        environ[name] = value if not value or value.startswith(".") else str(tmp_path / value)
    _, _, folders = gather(environ, tmp_path / "work", KNOWN)
    assert (folders.dotenv, folders.data) == (tmp_path / dotenv, tmp_path / data)


def own(tmp_path: Path, text: str) -> dict[str, str]:
    """An environment whose user has settings of his own; he works in another folder."""
    folder = tmp_path / ".config" / "threadcast"
    folder.mkdir(parents=True)
    (folder / ".env").write_text(text)
    (tmp_path / "work").mkdir()
    return {"HOME": str(tmp_path)}


def test_paths_begin_where_they_are_written(tmp_path: Path) -> None:
    """A path in the user's own `.env` begins beside it, one in the environment in the working folder."""
    environ = own(tmp_path, "THREADCAST_DATA=kept\nTHREADCAST_DATABASE_URL=sqlite:///q.db\n")
    settings = load({**environ, "THREADCAST_INTAKE": "drop"}, folder=tmp_path / "work")
    beside = tmp_path / ".config" / "threadcast"
    assert settings.data == beside / "kept"
    assert settings.database_url.get_secret_value() == f"sqlite:///{beside}/q.db"
    assert settings.intake == tmp_path / "work" / "drop"


def test_a_fault_names_the_file(tmp_path: Path) -> None:
    """What is wrong in the user's own `.env` is said with its path."""
    environ = own(tmp_path, "THREADCAST_TIMEZONE=Berlin\nnonsense\n")
    path = tmp_path / ".config" / "threadcast" / ".env"
    with pytest.raises(SettingsError) as caught:
        load(environ, folder=tmp_path / "work")
    assert f"{path}: line 2 cannot be read" in str(caught.value)
    assert f"THREADCAST_TIMEZONE: (in {path})" in str(caught.value)


@pytest.mark.parametrize(
    ("environ", "chosen"),
    [
        ({}, False),
        ({"THREADCAST_LOG_LEVEL": "debug", "THREADCAST_TIMEZONE": "UTC"}, False),
        ({"THREADCAST_DATA": "q"}, True),
        ({"DATABASE_URL": "sqlite:///q"}, True),
        ({"THREADCAST_TELEGRAM__TOKEN": "123:abc"}, True),
        ({"THREADCAST_CHANNELS__NEWS__KIND": "local"}, True),
    ],
)
def test_what_was_chosen(tmp_path: Path, environ: dict[str, str], chosen: bool) -> None:
    """An owner who says where the queue is, or what it is for, has chosen; one who sets a zone has not."""
    assert load(environ, folder=tmp_path).chosen is chosen
