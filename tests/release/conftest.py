"""What a release is made of, made once for all tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from tests.release.job import ROOT, SLOW, outside

SYSTEM = "/usr/bin/python3"  # which the Debian package is made for
EPOCH = 1_700_000_000


def tracked() -> list[str]:
    """What git has, and what it would have."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(name for name in done.stdout.split("\0") if name and (ROOT / name).is_file())


def make(into: Path, *options: str, env: Mapping[str, str] | None = None) -> Path:
    """Make a release of this working tree, as it is."""
    source = into / "source"
    for name in tracked():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name)
    words = [
        sys.executable,
        "release/build.py",
        "--into",
        str(into / "made"),
        "--epoch",
        str(EPOCH),
        *options,
    ]
    done = subprocess.run(
        [*words, str(source)],
        cwd=ROOT,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return into / "made"


def once(factory: pytest.TempPathFactory, name: str, make_it: Callable[[Path], object]) -> Path:
    """A folder that is made once for all processes of a run."""
    own = factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    with shared.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (shared / "done").exists():
            shutil.rmtree(shared, ignore_errors=True)
            shared.mkdir()
            make_it(shared)
            (shared / "done").touch()
    return shared


@pytest.fixture(scope="session")
def from_the_lock(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What has pip take the packages of the lock from a folder: several tests install all of them."""
    words = [sys.executable, "-m", "pip", "--python", SYSTEM, "--disable-pip-version-check", "download"]
    words += ["--quiet", "--no-deps", "--require-hashes", "-r", str(ROOT / "requirements.lock"), "-d"]
    folder = once(
        tmp_path_factory, "wheels", lambda folder: subprocess.run([*words, str(folder)], check=True)
    )
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """The folder of a release: wheel and sdist, in the slow tests all of it. One for all processes."""
    if not SLOW:
        return once(tmp_path_factory, "release", lambda folder: make(folder, "--only", "python")) / "made"
    env = request.getfixturevalue("from_the_lock")
    return once(tmp_path_factory, "release", lambda folder: make(folder, env=env)) / "made"


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """An empty folder that is the other user's, where the tests are root."""
    with outside() as folder:
        yield folder
