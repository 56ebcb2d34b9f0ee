"""How the shell behaves: its first screen, its faults, its ends, a terminal and a pipe."""

import json
import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.bot.shell.terminal import PATIENCE, environment, terminal, threadcast
from tests.bot.shell.typed import GAP, OTHER, THREAD, Shell
from threadcast.bot.chat.menu import ORDER
from threadcast.bot.shell.cli import COMMANDS, MORE, SECTIONS, Program, cli
from threadcast.bot.shell.exits import Exit
from threadcast.bot.words import SHELL, only_looks, other_words

DOCS = Path(__file__).resolve().parents[3] / "docs/reference/commands.md"
TABLE = DOCS.parents[2] / "bot" / "words.toml"
COLOUR = "\x1b["


def test_the_state_of_a_new_folder(shell: Shell) -> None:
    """`threadcast` alone says how things stand and what to do next, and makes nothing."""
    shown = shell.ok()
    assert "not running here" in shown
    assert "masto (local), news (local)" in shown
    assert "empty" in shown
    assert "threadcast add FILE" in shown
    assert list(shell.folder.iterdir()) == []


def test_the_state_with_work_waiting(shell: Shell) -> None:
    """`threadcast` alone counts the queue, and says what waits for its owner with the command to type."""
    shell.ok("add", shell.write(THREAD), shell.write(GAP, "gap.txt"))
    shown = shell.ok()
    assert "2 held, 2 queued" in shown
    assert "#2 on masto, news is held: number 2 is missing" in shown
    assert "threadcast release 2" in shown
    assert shown.index("threadcast run") < shown.index("threadcast queue")


def test_the_state_does_not_list_everything(shell: Shell) -> None:
    """Of many threads that wait for their owner, the state shows a few and counts the rest."""
    for number in range(8):
        shell.ok("add", shell.write(GAP.replace("sea", f"sea {number}")))
    shown = shell.ok()
    assert shown.count("is held") == 5
    assert "… and 3 more" in shown


def test_a_misspelt_command(shell: Shell) -> None:
    """A misspelt command is answered with the nearest name and where to look."""
    result = shell("qeue")
    assert result.exit_code == 2
    assert "there is no command qeue; did you mean queue? See: threadcast --help" in result.stderr
    assert "there is no command zzz. See: threadcast --help" in shell("zzz").stderr
    assert result.stdout == ""


@pytest.mark.parametrize("words", ["seven", "0", "-1", "#", "9" * 30, "٣"])
def test_what_is_no_thread_number(shell: Shell, words: str) -> None:
    """What is no thread's number, an endless one too, is refused with the command that lists them."""
    result = shell("show", "--", words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is no thread's number; threadcast queue lists them" in result.stderr


def test_a_thread_number_with_its_sign(shell: Shell) -> None:
    """A thread may be named as answers show it: `#1`."""
    shell.ok("add", shell.write(THREAD))
    assert shell.json("show", "#1")["id"] == 1


def test_a_misspelt_option(shell: Shell) -> None:
    """A misspelt option is answered with the nearest one."""
    said = shell("add", "--chanel", "news", "thread.txt").stderr
    assert "there is no option --chanel; did you mean --channel? See: threadcast add --help" in said
    assert "there is no option --zzzzz. See: threadcast queue --help" in shell("queue", "--zzzzz").stderr


def test_a_fault_cannot_drive_the_terminal(shell: Shell) -> None:
    """Control characters in what was typed are not written to the terminal."""
    shell.ok("migrate")
    for words in (
        ("add", "a\x1b[2Jb\n.txt"),
        ("a\x1b[2Jb",),
        ("show", "--a\x1b[2Jb"),
        ("queue", "-c", "a\x1b[2Jb"),
    ):
        said = shell(*words).stderr
        assert "\x1b" not in said
        assert said.count("\n") == 1


def test_faults_as_json(shell: Shell) -> None:
    """With --json a fault is one JSON object on standard error, and standard output stays empty."""
    for words, code in ((("show", "7"), 6), (("show", "x"), 2), (("add", "nowhere.txt"), 3)):
        result = shell(*words, "--json")
        assert (result.exit_code, result.stdout) == (code, "")
        fault = json.loads(result.stderr)["error"]
        assert fault["code"] == code
        assert fault["message"]


def broken(*words: str, level: str = "info") -> tuple[int, str]:
    """A program with a fault of its own, and what it answers."""
    program = Program("threadcast")

    @program.command()
    @click.option("--json", "as_json", is_flag=True)
    def fall(as_json: bool) -> None:
        raise LookupError("123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI")

    result = CliRunner(env={"THREADCAST_LOG_LEVEL": level}).invoke(program, ["fall", *words])
    assert result.stdout == ""
    return result.exit_code, result.stderr


def test_a_fault_of_ours(shell: Shell) -> None:
    """An error nobody foresaw is one sentence with its type, and no traceback."""
    code, said = broken()
    assert code == Exit.FAULT
    assert "LookupError" in said
    assert "a fault of ours" in said
    assert "THREADCAST_LOG_LEVEL=debug" in said
    assert said.count("\n") == 1
    assert json.loads(broken("--json")[1])["error"]["code"] == 1


def test_a_fault_of_ours_at_level_debug(shell: Shell) -> None:
    """At the level debug the traceback is shown, without what looks like a secret."""
    code, said = broken(level="debug")
    assert code == Exit.FAULT
    assert "Traceback" in said
    assert 'raise LookupError("***")' in said
    assert "abcdefghij" not in said


def test_a_fault_of_ours_with_wrong_settings(shell: Shell) -> None:
    """Where even the settings cannot be read, a fault of ours is still said."""
    assert "a fault of ours" in broken(level="loud")[1]


def test_a_reader_that_goes_away(shell: Shell) -> None:
    """A reader that goes away (`| head -1`) ends a command quietly, with the code of a closed pipe."""
    shell.write(THREAD * 20_000)
    popen = subprocess.Popen(
        threadcast("add", "--dry-run", "--json", "thread.txt"),
        cwd=shell.folder,
        env=environment(shell.env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert popen.stdout is not None
    assert popen.stdout.readline() == b"{\n"
    popen.stdout.close()
    assert popen.stderr is not None
    with popen.stderr:
        assert popen.stderr.read() == b""
    assert popen.wait(PATIENCE) == Exit.PIPE_CLOSED


def test_a_reader_that_was_never_there(shell: Shell) -> None:
    """A short answer that nobody reads is no fault either, though it is written only at the end."""
    shell.ok("migrate")
    command = shlex.join(threadcast("channels")) + " | true; exit ${PIPESTATUS[0]}"
    done = subprocess.run(
        ["bash", "-c", f"exec 3>&1; {command}"],
        cwd=shell.folder,
        env=environment(shell.env),
        capture_output=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.stderr == b""
    assert done.returncode in {Exit.DONE, Exit.PIPE_CLOSED}  # `true` may end before or after


@pytest.mark.parametrize(
    ("to", "env", "code"),
    [
        ("> /dev/full", {}, Exit.OUTPUT),
        (">&-", {}, Exit.DONE),
        (">&- 2>&-", {}, Exit.DONE),
        ("> out.txt", {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}, Exit.DONE),
    ],
)
def test_output_that_cannot_hold_it(shell: Shell, to: str, env: dict[str, str], code: Exit) -> None:
    """Whatever the output cannot take, the deed is done, and no traceback is shown."""
    shell.write(THREAD)
    done = subprocess.run(
        ["bash", "-c", f"{shlex.join(threadcast('add', 'thread.txt'))} {to}"],
        cwd=shell.folder,
        env=environment({**shell.env, **env}),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == code
    assert ("cannot be written" in done.stderr) == (code is Exit.OUTPUT)
    assert "Traceback" not in done.stderr
    assert len(shell.json("queue")["deliveries"]) == 2


def test_words_of_other_programs(shell: Shell) -> None:
    """A word that other programs use leads to the commands that may be meant, and does nothing."""
    result = shell("delete", "1")
    assert result.exit_code == Exit.USAGE
    assert "there is no command delete; did you mean remove, cancel or undo? See:" in result.stderr
    every = {one for many in tomllib.loads(TABLE.read_text()).values() for one in _meant(many)}
    assert every <= {*COMMANDS, *ORDER, "--help"}


def _meant(entry: list[str] | dict[str, list[str]]) -> list[str]:
    return entry if isinstance(entry, list) else [one for many in entry.values() for one in many]


def test_aliases(shell: Shell) -> None:
    """A word that means a look alone shows it; what publishes or deletes has its own name."""
    shell.ok("add", shell.write(THREAD))
    assert shell.ok("ls") == shell.ok("queue")
    assert shell.ok("cat", "1") == shell.ok("show", "1")
    assert shell("log").exit_code == 0
    for word in ("rm", "delete", "send", "publsh", "remov", "undoo", "rn", "post", "go", "queu"):
        refused = shell(word, "1")
        assert (refused.exit_code, refused.stdout) == (Exit.USAGE, ""), word
        assert "did you mean" in refused.stderr
    assert len(shell.json("queue")["deliveries"]) == 2
    found = other_words({*COMMANDS, "--help"}, SHELL)
    shown = {word: many[0] for word, many in found.items() if only_looks(many)}
    assert {"ls": "queue", "log": "logs", "ps": "status"}.items() <= shown.items()
    assert set(shown.values()) <= {*SECTIONS["Look"], "preview", *SECTIONS[MORE]} - {"page", "open"}


def test_ctrl_c(shell: Shell) -> None:
    """Ctrl-C ends a command quietly with 130."""
    with terminal(threadcast("add", "-"), folder=shell.folder, env=shell.env) as shown:
        shown.wait_for("Ctrl-D")
        assert shown.interrupt() == Exit.INTERRUPTED
    assert "Traceback" not in shown.shown
    assert "threadcast:" not in shown.shown


def test_ctrl_c_stops_the_service_gracefully(shell: Shell) -> None:
    """Ctrl-C is how a person stops the service: it ends with 0."""
    with terminal(threadcast("run"), folder=shell.folder, env=shell.env) as shown:
        shown.wait_for("running")
        shown.press("\x03")
        assert shown.end() == Exit.DONE
    assert "stopped" in shown.shown


def test_colours(shell: Shell) -> None:
    """Answers and faults have colours on a terminal, and none with NO_COLOR or in a pipe."""
    shell.ok("add", shell.write(THREAD))
    assert COLOUR not in shell.ok("queue")
    for words in (("queue",), ("show", "7")):
        with terminal(threadcast(*words), folder=shell.folder, env=shell.env) as coloured:
            coloured.end()
        with terminal(threadcast(*words), folder=shell.folder, env={**shell.env, "NO_COLOR": "1"}) as plain:
            plain.end()
        assert re.search(r"\x1b\[3[0-9]m", coloured.shown), words
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", plain.shown), words


def test_a_narrow_terminal(shell: Shell) -> None:
    """In 60 columns nothing is cut and no line is broken inside a word."""
    long = "1/ The lamp of the northern tower was lit by a keeper.\n2/ He slept by day. /end\n"
    shell.ok("add", shell.write(long), shell.write(GAP, "gap.txt"))
    for words in ((), ("queue",), ("show", "2"), ("config",), ("--help",), ("channels",)):
        env = {**shell.env, "NO_COLOR": "1"}
        with terminal(threadcast(*words), folder=shell.folder, env=env, columns=60) as shown:
            assert shown.end() == 0
        lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).rstrip() for line in shown.shown.split("\n")]
        whole = [line for line in lines if len(line) > 60]
        # An address or a path is not broken, so that it can be copied.
        assert all(" " not in line.strip().removeprefix("value ") for line in whole), whole
        if words in {(), ("queue",)}:
            assert "number 2 is missing" in " ".join(" ".join(lines).split())


def test_a_wide_table_cuts_titles_alone(shell: Shell) -> None:
    """Where a table nearly fits, only the title is cut."""
    shell.ok(
        "add", shell.write(OTHER.replace("Fog", "Fog over the northern, the southern and both old towers"))
    )
    env = {**shell.env, "NO_COLOR": "1"}
    with shell.service(), terminal(threadcast("queue"), folder=shell.folder, env=env, columns=80) as shown:
        assert shown.end() == 0
    assert re.search(r"1  masto +queued +- +in turn, until [0-9:]+ +Fog over .*…", shown.shown)


def test_the_docs_list_every_command() -> None:
    """docs/reference/commands.md has a row for each command, and for no other."""
    rows = re.findall(r"^\| (`.*?) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`([a-z]+)", row)}
    assert named == set(COMMANDS)


def test_the_docs_list_every_exit_code() -> None:
    """docs/reference/commands.md has a row for each exit code, in the program's words."""
    rows = re.findall(r"^\| ([0-9]+) \| (.*?) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(str(int(code)), code.meaning) for code in Exit]


def test_the_help_lists_every_command(shell: Shell) -> None:
    """Every command stands in the help."""
    shown = shell.ok("--help")
    assert all(re.search(rf"\b{name}\b", shown) for name in COMMANDS)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"run", "setup", "demo", "completion", "mcp"}))
def test_every_answer_can_be_had_as_json(command: str) -> None:
    """Every command whose answer a script may want has --json."""
    made = cli.get_command(click.Context(cli), command)
    assert made is not None
    assert any(parameter.name == "as_json" for parameter in made.params)
