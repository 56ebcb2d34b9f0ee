"""What the shell completes: thread numbers with their titles, and the names of channels.

Completion runs at every press of the Tab key: it reads what is there, makes nothing, and on any
trouble offers nothing.
"""

import os
from collections.abc import Callable
from pathlib import Path

from click import Command, Context, Parameter
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_THREADCAST_COMPLETE"

Items = list["CompletionItem[str]"]

# How to install each script; a comment in the script itself.
_INSTALL = {
    "bash": (
        'For this shell: eval "$(threadcast completion bash)"',
        "For all: threadcast completion bash > ~/.local/share/bash-completion/completions/threadcast",
    ),
    "zsh": (
        'For this shell: eval "$(threadcast completion zsh)"',
        "For all: threadcast completion zsh > ~/.zfunc/_threadcast, and in ~/.zshrc, before compinit:",
        "  fpath+=~/.zfunc",
    ),
    "fish": (
        "For this shell: threadcast completion fish | source",
        "For all: threadcast completion fish > ~/.config/fish/completions/threadcast.fish",
    ),
}


@add_completion_class
class _Bash(BashComplete):
    """Click's script for bash, with titles beside the numbers for as long as there is a choice.

    Bash has no place for a description: it stands in the candidate, and goes when one is left. Keys
    that put in each candidate by turns (`menu-complete`, COMP_TYPE 37) get no descriptions.
    https://www.gnu.org/software/bash/manual/html_node/Bash-Variables.html
    """

    source_template = r"""%(complete_func)s() {
    local IFS=$'\n' line kind value help
    local -a values=() shown=()
    COMPREPLY=()
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) values+=("$value"); shown+=("$value${help:+  ($help)}") ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD %(complete_var)s=bash_complete "$1")
    if (( ${#values[@]} > 1 && COMP_TYPE != 37 )); then
        COMPREPLY=("${shown[@]}")
    elif (( ${#values[@]} )); then
        COMPREPLY=("${values[@]}")
    fi
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def format_completion(self, item: "CompletionItem[str]") -> str:
        # The shell looks for tabs, and takes what is between two of them for one field.
        return "\t".join((item.type, item.value, item.help or ""))


def script(command: Command, shell: str) -> str:
    """The completion script of one of SHELLS, which tells how to install it."""
    made = get_completion_class(shell)
    assert made is not None  # noqa: S101  # SHELLS are Click's
    # zsh wants its own mark in the first line.
    first, _, rest = made(command, {}, "threadcast", VARIABLE).source_template.partition("\n")
    lines = [f"# {line}" for line in (f"Completion of threadcast in {shell}.", *_INSTALL[shell])]
    filled = f"{first}\n{rest}" % made(command, {}, "threadcast", VARIABLE).source_vars()
    if filled.startswith("#"):
        first, _, rest = filled.partition("\n")
        return "\n".join((first, *lines, rest))
    return "\n".join((*lines, filled))


def threads(typed: str, event: str | None) -> Items:
    """The newest threads whose number begins with what was typed; only those that allow `event`, if given."""

    def find() -> Items:
        if typed and not typed.isdecimal():
            return []
        from threadcast.config.settings import load
        from threadcast.queue.sql.glance import titles
        from threadcast.queue.states import TRANSITIONS

        states = {state for state, each in TRANSITIONS if each == event}
        url = load(os.environ, folder=Path.cwd()).database_url.get_secret_value()
        return [
            CompletionItem(str(number), help=_plain(title)) for number, title in titles(url, typed, states)
        ]

    return _quietly(find, typed)


def channels(typed: str) -> Items:
    """The configured channels that begin with what was typed."""

    def find() -> Items:
        from threadcast.config.settings import load

        return [CompletionItem(one.name) for one in load(os.environ, folder=Path.cwd()).channels]

    return _quietly(find, typed)


def files(_context: Context, _parameter: Parameter, typed: str) -> Items:
    """Names of files: the shell's own business."""
    return [CompletionItem(typed, type="file")]


def _quietly(find: Callable[[], Items], typed: str) -> Items:
    try:
        return [item for item in find() if item.value.startswith(typed)]
    except Exception:  # noqa: BLE001  # nobody asked a question: an answer would garble the line being typed
        return []


def _plain(title: str) -> str:
    """A title as one short field: it cannot break the shells' own protocols, nor drive the terminal."""
    shown = "".join(char if char.isprintable() else " " for char in title).replace(",", "‚")
    return " ".join(shown.split())[:60] or "(no text)"
