"""The house stands as it was laid out: one package from three folders, and nothing shadowed."""

import ast
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def python(code: str, *, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_queue_is_the_standard_librarys_for_python() -> None:
    """Python started in the repository root imports the standard library's queue."""
    assert python("import queue; print(queue.SimpleQueue.__name__)", cwd=ROOT) == "SimpleQueue"


def test_queue_is_the_standard_librarys_for_pytest() -> None:
    """pytest, with the root on its path, imports the standard library's queue."""
    import queue  # noqa: PLC0415

    assert str(ROOT) not in str(queue.__file__)
    assert queue.SimpleQueue().empty()


def test_queue_is_the_standard_librarys_for_the_service() -> None:
    """The service started in the repository root has the standard library's queue, and ours beside it."""
    code = (
        "import threadcast.bot.service, queue, threadcast.queue.model;"
        "print(queue.SimpleQueue.__name__, threadcast.queue.model.Claim.__name__)"
    )
    assert python(code, cwd=ROOT) == "SimpleQueue Claim"


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_versions_are_locked_with_hashes(lock: str) -> None:
    """Every package is locked to one version with hashes, in a file that names no index."""
    lines = (ROOT / lock).read_text().splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("-")]
    pinned = [number for number, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
    assert pinned
    for number in pinned:
        assert "==" in lines[number]
        assert "--hash=sha256:" in lines[number + 1]


MODULES = [
    path.relative_to(ROOT)
    for folder in ("bot", "queue", "config")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts  # one for each change of the tables
]


def test_no_module_is_long() -> None:
    """No module passes 400 lines: a longer one holds two things."""
    lengths = {str(path): len((ROOT / path).read_text().splitlines()) for path in MODULES}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


def test_no_folder_is_crowded() -> None:
    """No folder holds more than 12 modules of its own."""
    counts = Counter(str(path.parent) for path in MODULES if not path.name.startswith("__"))
    assert {folder: count for folder, count in counts.items() if count > 12} == {}


def test_no_class_does_too_much() -> None:
    """No class has more than 15 methods."""
    methods = {
        f"{path}: {node.name}": sum(
            isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) for one in node.body
        )
        for path in MODULES
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: count for name, count in methods.items() if count > 15} == {}


def test_every_module_has_its_word() -> None:
    """The words name every folder and every module, none that is not there, and none twice."""
    rows = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| (`[^|]+`) \|$", (ROOT / "docs/reference/words.md").read_text(), re.MULTILINE
    )
    words = Counter(word for row, _ in rows for word in row.split(", "))
    assert [word for word, count in words.items() if count > 1] == []
    named = {name for _, names in rows for name in re.findall(r"`([^`]+)`", names)}
    folders = {f"{path.parent}/" for path in MODULES}
    assert named == {str(path) for path in MODULES if not path.name.startswith("__")} | folders


KINDS = ("*.md", "how-to/*.md", "reference/*.md", "explanation/*.md")  # decisions tell of their day


@pytest.mark.parametrize(
    "page",
    [
        *("README.md", "CONTRIBUTING.md"),
        *(str(path.relative_to(ROOT)) for kind in KINDS for path in sorted((ROOT / "docs").glob(kind))),
    ],
)
def test_no_page_names_a_file_that_is_gone(page: str) -> None:
    """Each file of ours that a page names is there."""
    named = re.findall(r"`((?:bot|queue|config|tests|docs|\.ci)/[\w./-]*)`", (ROOT / page).read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []
