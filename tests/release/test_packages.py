"""Wheel and sdist: all of Threadcast, nothing else, and it does the main job where nothing else is."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.release.conftest import make, tracked
from tests.release.job import SLOW, main_job

CODE = ("bot/", "config/", "queue/")


def test_the_wheel_is_the_package(made: Path) -> None:
    """The wheel holds every file of the three folders, and nothing else."""
    (wheel,) = made.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == {f"threadcast/{name}" for name in tracked() if name.startswith(CODE)}


def test_the_sdist_is_the_source(made: Path) -> None:
    """The sdist holds what the wheel is made of, and its own lists; its files have one time and no owner."""
    (sdist,) = made.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members if member.isfile()}
    written = {name for name in names if not name.startswith("threadcast.egg-info/")} - {
        "PKG-INFO",
        "setup.cfg",
    }
    beside = {"pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md"}
    assert written == beside | {name for name in tracked() if name.startswith(CODE)}
    assert len({(one.mtime, one.uid, one.gid, one.uname) for one in members}) == 1


def test_the_sums(made: Path) -> None:
    """SHA256SUMS names every file, and is right."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=made, check=True, capture_output=True
    )
    assert done.stdout.decode().count(": OK") == len(list(made.iterdir())) - 1


def test_the_wheel_does_the_main_job(made: Path, tmp_path: Path, elsewhere: Path) -> None:
    """What is in the wheel, with nothing of this repository near it, publishes a thread.

    It is unpacked, and what it stands on is that of the tests: the slow tests have pip install both.
    """
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (site,) = environment.glob("lib/python*/site-packages")
    (wheel,) = made.glob("*.whl")
    shutil.unpack_archive(wheel, site, "zip")
    (site / "rest.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    said = main_job([environment / "bin/python", "-m", "threadcast.bot"], elsewhere, {})
    assert '"event": "running"' in said
    assert (site / "threadcast/bot/__pycache__").exists(), "another one ran"


@pytest.mark.skipif(not SLOW, reason="make release-test")
@pytest.mark.parametrize(
    ("version", "tool"),
    [("3.11", "pip"), ("3.11", "uv"), ("3.12", "uv"), ("3.13", "uv"), ("3.14", "uv")],
)
def test_an_empty_environment(made: Path, elsewhere: Path, version: str, tool: str) -> None:
    """The wheel and what it asks for, installed into an empty environment, publish a thread.

    By pip, as pipx has it, and by uv, which needs seconds for what takes pip a minute on each Python.
    """
    python = find(version)
    if python is None:
        pytest.skip(f"there is no Python {version} here")
    environment = elsewhere / "environment"
    subprocess.run([python, "-m", "venv", "--without-pip", environment], check=True)
    (wheel,) = made.glob("*.whl")
    here = ["--quiet", "--python", str(environment / "bin/python")]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", *here, "install"]
    uv = [sys.executable, "-m", "uv", "pip", "install", "--system-certs", *here]
    done = subprocess.run(
        [*(uv if tool == "uv" else pip), str(wheel)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    main_job([environment / "bin/threadcast"], elsewhere, {})


def find(version: str) -> str | None:
    """A Python of a version: of the system, which others can run, or of a version manager."""
    managed = sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python{version}"))
    return shutil.which(f"python{version}", path="/usr/bin:/usr/local/bin") or next(map(str, managed), None)


@pytest.mark.skipif(not SLOW, reason="make release-test")
def test_twice_the_same_bytes(
    from_the_lock: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A release that is made again has the same bytes, all of it."""
    again = make(tmp_path, env=from_the_lock)
    made: Path = request.getfixturevalue("made")  # another process makes it meanwhile
    assert (again / "SHA256SUMS").read_text() == (made / "SHA256SUMS").read_text()
