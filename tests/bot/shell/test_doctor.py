"""`doctor` tells somebody who helps what they need, and nobody a secret or a text."""

import logging
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.shell.typed import Shell
from threadcast.config.logs import FILE, configure

WORDS = st.text("bcdfghjkmnpqrstvwxz", min_size=12, max_size=16)
PLANTED = st.lists(WORDS, min_size=8, max_size=8, unique=True)


def planted_in(shell: Shell, words: list[str]) -> None:
    """Secrets, texts and addresses wherever somebody may have put one."""
    token, password, title, part, warning, spoken, value, foreign = words
    shell.env |= {
        "THREADCAST_TELEGRAM__TOKEN": f"123456:{token}",
        "THREADCAST_TELEGRAM__API_URL": "http://127.0.0.1:9",
        "THREADCAST_MEDIA_SECRET": password,
        "THREADCAST_CHANNELS__MASTO__KIND": "local",
        "THREADCAST_INTAKE": f"/nowhere/{value}",
    }
    text = f"---\ntitle: {title}\nwarning: {warning}\n---\n1/ {part}\n2/ {part} again /end\n"
    shell.ok("add", "-c", "news", shell.write(text))
    with (shell.folder / "err").open("w") as err:
        configure("info", "json", stream=err, file=shell.folder / "threadcast-data" / FILE)
        log = structlog.get_logger("threadcast.publisher")
        try:
            broken(f"{spoken} {token} {part}")
        except ValueError:
            log.exception("the lane broke", channel="news", title=title, reason=part, url=f"http://{spoken}")
        logging.getLogger("somebody").warning("%s %s", foreign, part)
        log.warning("an answer was odd", **{spoken: part})


def broken(text: str) -> None:
    raise ValueError(text)


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=PLANTED)
def test_nothing_planted_comes_out(
    words: list[str], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets, texts, titles and values, wherever they stand, are in no report; the faults are."""
    folder = tmp_path_factory.mktemp("doctor")
    monkeypatch.chdir(folder)
    shell = Shell(folder)
    planted_in(shell, words)
    for options in ((), ("--json",)):
        result = shell("doctor", *options)
        assert result.exit_code == 0, result.output
        assert not [word for word in words if word in result.output]
        for said in ("the lane broke", "ValueError", "THREADCAST_MEDIA_SECRET is set", "queued"):
            assert said in result.output


def test_a_report(shell: Shell) -> None:
    """It has versions, settings, the queue, faults and checks; also where there is nothing yet."""
    said = shell.ok("doctor")
    assert [line for line in said.splitlines() if line.startswith("## ")] == [
        "## Versions",
        "## Settings",
        "## Queue",
        "## Faults in the log",
        "## Checks",
    ]
    assert "THREADCAST_CHANNELS__NEWS__KIND=local" in said
    assert not Path("threadcast-data").exists()


def test_no_password(shell: Shell) -> None:
    """Where a server's queue cannot be used, the report says so, without the password."""
    shell.env["THREADCAST_DATABASE_URL"] = "postgresql://me:xkqzjwvbnm@127.0.0.1:9/queue"
    said = shell.ok("doctor")
    assert "queue: error: the queue cannot be used" in said
    assert "xkqzjwvbnm" not in said


def test_wrong_settings(shell: Shell) -> None:
    """Where settings are wrong, they are named without a value, and the report goes on."""
    shell.env["THREADCAST_TIMEZONE"] = "Atlantis/Secret"
    said = shell.ok("doctor")
    assert "THREADCAST_TIMEZONE: cannot be used" in said
    assert "Atlantis" not in said
