"""What a command of the shell does not wait for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LIBRARIES = ("telegram", "httpx", "mastodon", "structlog", "babel", "PIL", "obstore")
ENVIRON = {
    "THREADCAST_DATA": "data",
    "THREADCAST_MEDIA_URL": "s3://bucket/prefix",
    "THREADCAST_TELEGRAM__TOKEN": "123456:AAExampleExampleExampleExampleExample0",
    "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
    "THREADCAST_CHANNELS__NEWS__CHAT": "@news",
    "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
    "THREADCAST_CHANNELS__MASTO__URL": "https://mastodon.example",
    "THREADCAST_CHANNELS__MASTO__TOKEN": "example-access-token",
}
CODE = f"""
import sys
from threadcast.bot.shell.cli import cli
try:
    cli(sys.argv[1:])
except SystemExit as end:
    found = sorted({set(LIBRARIES)!r} & sys.modules.keys())
    sys.exit(f"{{end.code}}: {{found}}" if end.code or found else 0)
"""


@pytest.mark.parametrize("command", [["add", "thread.txt"], ["queue"], ["show", "1"], ["hold", "1"]])
def test_a_command_imports_no_client_library(tmp_path: Path, command: list[str]) -> None:
    """A command that calls no network imports none of the libraries for it, whatever channels there are."""
    (tmp_path / "thread.txt").write_text("1/ A lamp.\n\n2/ Its light. /end\n")

    def run(words: list[str]) -> str:
        done = subprocess.run(
            [sys.executable, "-c", CODE, *words],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **ENVIRON},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stderr if done.returncode else ""

    if command[0] != "add":
        assert run(["add", "thread.txt"]) == ""
    assert run(command) == ""
