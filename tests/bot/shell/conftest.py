"""Fixtures of these tests."""

from pathlib import Path

import pytest

from tests.bot.shell.typed import Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path)
