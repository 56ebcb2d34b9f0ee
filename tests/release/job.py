"""The main job, done by a Threadcast that was installed: from another folder, with an empty environment.

Where the tests are root it is another user who does it, if that one can run the Python.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from tests.e2e.house import Process, chain, thread_text

ROOT = Path(__file__).resolve().parents[2]
SLOW = "RELEASE" in os.environ  # `make release-test`
NOBODY = 65534


class Somebody(TypedDict, total=False):
    user: int
    group: int
    extra_groups: list[int]


@contextmanager
def outside() -> Iterator[Path]:
    """A folder that another user may use, too: pytest's own are closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="threadcast-"))
    try:
        give(folder)
        yield folder
    finally:
        shutil.rmtree(folder)


def give(folder: Path) -> None:
    """Let a folder be the other user's."""
    folder.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)


def somebody(program: Path) -> Somebody:
    """Who runs a program: another user, where the tests are root and it can be run by others."""
    if os.geteuid() != 0:
        return {}
    other: Somebody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    try:
        subprocess.run([program, "--version"], check=True, capture_output=True, env={}, cwd="/", **other)
    except (PermissionError, subprocess.CalledProcessError):
        return {}
    return other


def main_job(command: Sequence[str | Path], folder: Path, env: Mapping[str, str]) -> str:
    """Start the service, add a thread, read the timeline; return what the service said."""
    who = somebody(Path(command[0]))
    words = [str(word) for word in command]

    def typed(*more: str) -> str:
        done = subprocess.run(
            [*words, *more], cwd=folder, env=env, capture_output=True, text=True, check=False, **who
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (folder / "thread.txt").write_text(thread_text(1, 3), encoding="utf-8")
    service = Process(
        subprocess.Popen(
            [*words, "run"],
            cwd=folder,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **who,
        )
    )
    try:
        service.wait_for("running")
        typed("add", "thread.txt")
        typed("show", "1", "--follow")
        assert service.stop(signal.SIGTERM) == 0
    finally:
        service.put_an_end()
    (page,) = Path(folder).rglob("timeline.html")
    shown = page.read_text(encoding="utf-8")
    assert all(part.splitlines()[0].split("/ ", 1)[1] in shown for part in chain(1, 3))
    return "".join(service.lines)
