"""What a release is made of, made once for all tests."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from fcntl import LOCK_EX, flock
from pathlib import Path

import pytest

from tests.release.job import ROOT, SLOW, outside

EPOCH = 1_700_000_000


def tracked() -> list[str]:
    """What git has, and what it would have."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(name for name in done.stdout.split("\0") if name and (ROOT / name).is_file())


def make(into: Path, *options: str) -> Path:
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
    done = subprocess.run([*words, str(source)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return into / "made"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a release: wheel and sdist, in the slow tests all of it. One for all processes."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "release"
    with shared.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not (shared / "done").exists():
            shutil.rmtree(shared, ignore_errors=True)
            make(shared, *([] if SLOW else ["--only", "python"]))
            (shared / "done").touch()
    return shared / "made"


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """An empty folder that is the other user's, where the tests are root."""
    with outside() as folder:
        yield folder
