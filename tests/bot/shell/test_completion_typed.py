"""The Tab key in a real shell: what it puts on the line, and what it lists."""

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bot.shell.terminal import Terminal, terminal
from tests.bot.shell.typed import THREAD, Shell

BIN = Path(sys.executable).parent  # where our command is too
COMMA = "1/ Fog, horn: and\tsea.\n2/ The end. /end\n"

START = {
    "bash": ["bash", "--norc", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "-i"],
}
# One way to load the script as its first lines say, for each shell and each way.
LOAD = {
    "bash": """PS1='P> '; bind 'set show-all-if-ambiguous on'; eval "$(threadcast completion bash)\"""",
    "zsh": """PROMPT='P> '; autoload -Uz compinit; compinit -u -D; eval "$(threadcast completion zsh)\"""",
    "zsh for all": "PROMPT='P> '; mkdir -p ~/.zfunc; threadcast completion zsh > ~/.zfunc/_threadcast;"
    " fpath+=~/.zfunc; autoload -Uz compinit; compinit -u -D",
    "fish": "function fish_prompt; echo 'P> '; end; threadcast completion fish | source",
    "fish for all": "function fish_prompt; echo 'P> '; end; mkdir -p ~/.config/fish/completions;"
    " threadcast completion fish > ~/.config/fish/completions/threadcast.fish",
}
# A terminal's own language, which moves and colours: https://en.wikipedia.org/wiki/ANSI_escape_code
ESCAPES = re.compile(r"\x1b\[[0-9;?>=]*[a-zA-Z]|\x1b[=>]|\x1b[()][0-9A-Z]|\x1b\][^\x07]*\x07")

WAYS = pytest.mark.parametrize("way", LOAD)

# What is typed before the Tab key, and the words that are on the line after it.
INSERTED: Mapping[str, list[str]] = {
    "threadcast sho": ["show"],
    "threadcast show 2": ["show", "2"],
    "threadcast release ": ["release", "2"],
    "threadcast queue --cha": ["queue", "--channel"],
    "threadcast queue --channel n": ["queue", "--channel", "news"],
    "threadcast queue --channel=n": ["queue", "--channel=news"],
    "threadcast queue -c m": ["queue", "-c", "masto"],
    "threadcast pause n": ["pause", "news"],
    "threadcast add my": ["add", "my thread.txt"],
    "threadcast add 'my": ["add", "my thread.txt"],
    "threadcast add --channel news my": ["add", "--channel", "news", "my thread.txt"],
    "threadcast add --channel=news my": ["add", "--channel=news", "my thread.txt"],
    "threadcast add 'my thread.txt' --dry": ["add", "my thread.txt", "--dry-run"],
    "threadcast add sub/d": ["add", "sub/deep.txt"],
    "threadcast export 1 --output=my": ["export", "1", "--output=my thread.txt"],
    "threadcast restore my": ["restore", "my thread.txt"],
    "threadcast completion z": ["completion", "zsh"],
}


def bare(shown: str) -> str:
    """What a terminal shows, without how."""
    return ESCAPES.sub("", shown).replace("\r", "")


@contextmanager
def loaded(shell: Shell, way: str) -> Iterator[Terminal]:
    """An interactive shell in which the script is loaded."""
    program = way.split(maxsplit=1)[0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed here")
    shell.write(THREAD, "my thread.txt")
    (shell.folder / "sub").mkdir()
    shell.write(COMMA, "sub/deep.txt")
    shell.ok("add", "my thread.txt")
    shell.ok("add", "--hold", "sub/deep.txt")
    home = shell.folder / "home"
    home.mkdir()
    env = {**shell.env, "PATH": f"{BIN}:/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}
    with terminal(START[program], folder=shell.folder, env=env, columns=100) as keys:
        keys.press(f"{LOAD[way]}; echo rea''dy\r")
        keys.wait_for("ready\n")
        yield keys


def await_after(keys: Terminal, start: int, words: str) -> None:
    """Until these words are on the screen, behind so much that was shown before."""
    keys.wait_until(lambda shown: words in bare(shown[start:]), words)


def finish_line(keys: Terminal, words: list[str]) -> None:
    """Have the shell say of which words the line is; keys behind Tab wait until that has done its work."""
    start = len(keys.shown)
    keys.press("\x01printf '<%s>' \r")
    await_after(keys, start, "".join(f"<{word}>" for word in ("threadcast", *words)))


@WAYS
def test_what_is_inserted(shell: Shell, way: str) -> None:
    """Commands, threads, channels, options, values behind a = and files with blanks are completed."""
    with loaded(shell, way) as keys:
        for typed, words in INSERTED.items():
            keys.press(f"{typed}\t")
            finish_line(keys, words)


@WAYS
def test_what_is_listed(shell: Shell, way: str) -> None:
    """Where there is a choice, all of it is shown, with whole titles and descriptions beside it."""
    lists = {
        "show ": ("The lamp was lit at dusk.", "Fog‚ horn: and sea."),
        "move 1 --after ": ("The lamp was lit at dusk.", "Fog‚ horn: and sea."),
        "queue --channel ": ("masto", "news"),
        "hold --": ("Only this channel; may be repeated.", "Print JSON, for scripts."),
        "re": ("Let a held thread go.", "Put a backup in the place of the queue."),
    }
    with loaded(shell, way) as keys:
        for typed, told in lists.items():
            start = len(keys.shown)
            keys.press(f"threadcast {typed}\t")
            for words in told:
                await_after(keys, start, words)
            finish_line(keys, typed.split())
