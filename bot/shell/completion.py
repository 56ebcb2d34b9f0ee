"""What the shell completes: thread numbers with their titles, and the names of channels.

Completion runs at every press of the Tab key: it reads what is there, makes nothing, and on any
trouble offers nothing.
"""

import os
from collections.abc import Callable
from pathlib import Path

from click import Command, Context, Parameter
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ZshComplete,
    add_completion_class,
    get_completion_class,
)

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_THREADCAST_COMPLETE"

Items = list["CompletionItem[str]"]

# How to install each script; a comment in the script itself.
_INSTALL = {
    "bash": (
        'For this shell: eval "$(threadcast completion bash)"',
        "For all: threadcast completion bash > ~/.local/share/bash-completion/completions/threadcast",
        "  (before that: mkdir -p ~/.local/share/bash-completion/completions)",
    ),
    "zsh": (
        'For this shell: eval "$(threadcast completion zsh)"',
        "For all: threadcast completion zsh > ~/.zfunc/_threadcast, and in ~/.zshrc, before compinit:",
        "  fpath+=~/.zfunc",
        "  (before that: mkdir -p ~/.zfunc)",
    ),
    "fish": (
        "For this shell: threadcast completion fish | source",
        "For all: threadcast completion fish > ~/.config/fish/completions/threadcast.fish",
        "  (before that: mkdir -p ~/.config/fish/completions)",
    ),
}


# Each script asks for lines (zsh: three of them) with a kind, a value and a description. Of `--option=value`
# Click gives the values alone: what is before them stays as it was typed.


@add_completion_class
class _Bash(BashComplete):
    """Click's script for bash, with titles beside the numbers for as long as there is a choice.

    Bash has no place for a description: it stands in the candidate, and goes when one is left. Keys
    that put in each candidate by turns (`menu-complete`, COMP_TYPE 37) get no descriptions.
    https://www.gnu.org/software/bash/manual/html_node/Bash-Variables.html
    """

    source_template = r"""%(complete_func)s() {
    local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]} prefix= kind value help
    local -a values=() shown=()
    COMPREPLY=()
    [[ $word == --*=* ]] && prefix=${word%%%%=*}=
    while IFS=$'\t' read -r kind value help; do
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) values+=("$prefix$value"); shown+=("$prefix$value${help:+  ($help)}") ;;
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

    def get_completion_args(self) -> tuple[list[str], str]:
        """Bash makes three words of `--option=value`, unless it was told not to (COMP_WORDBREAKS)."""
        words, incomplete = super().get_completion_args()
        joined: list[str] = []
        for word in words:
            if joined and (word == "=" or joined[-1].endswith("=")) and joined[-1].startswith("--"):
                joined[-1] += word
            else:
                joined.append(word)
        if joined and joined[-1].startswith("--"):
            if joined[-1].endswith("="):
                return joined[:-1], joined[-1] + incomplete
            if incomplete == "=":
                return joined[:-1], joined[-1] + "="
        return joined, incomplete

    def format_completion(self, item: "CompletionItem[str]") -> str:
        # The shell looks for tabs, and takes what is between two of them for one field.
        return _in_fields(item)


@add_completion_class
class _Zsh(ZshComplete):
    """Click's script for zsh, put right.

    It put a value in the place of a whole `--option=value`. And loaded from a folder of `fpath`, where all of
    this is the function's body, it did nothing at the second press: only the first is a `loadautofunc`.
    """

    source_template = r"""#compdef %(prog_name)s
%(complete_func)s() {
    local -a bare described response
    local kind value help
    (( $+commands[%(prog_name)s] )) || return 1
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
        %(complete_var)s=zsh_complete %(prog_name)s)}")
    compset -P '--*='
    for kind value help in $response; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain) if [[ $help == _ ]]; then bare+=("$value"); else described+=("$value:$help"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described
    (( $#bare )) && compadd -V unsorted -a bare
}
if [[ $zsh_eval_context[-1] == (loadautofunc|shfunc) ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""


@add_completion_class
class _Fish(FishComplete):
    """Click's script for fish, with whole descriptions, in our order: it cut them at the first comma."""

    source_template = r"""function %(complete_func)s
    set -l prefix (string match -r -- '^--[^=]*=' (commandline -ct))
    set -l tab (printf '\t')
    for line in (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp | string collect) \
            COMP_CWORD=(commandline -ct | string collect --allow-empty) %(prog_name)s)
        set -l field (string split $tab -- $line)
        switch $field[1]
            case dir
                printf "$prefix%%s\n" (__fish_complete_directories $field[2])
            case file
                printf "$prefix%%s\n" (__fish_complete_path $field[2])
            case plain
                printf '%%s\t%%s\n' "$prefix$field[2]" "$field[3]"
        end
    end
end
complete --no-files --keep-order --command %(prog_name)s --arguments "(%(complete_func)s)"
"""

    def format_completion(self, item: "CompletionItem[str]") -> str:
        return _in_fields(item)


def _in_fields(item: "CompletionItem[str]") -> str:
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
        from threadcast.queue.states import TRANSITIONS
        from threadcast.queue.store.glance import titles

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
