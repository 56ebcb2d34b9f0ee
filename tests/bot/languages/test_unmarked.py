"""What chat, shell and page say is marked: no sentence of it stands there that no catalogue has."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from threadcast.bot.requests.transfer.writing import README

ROOT = Path(__file__).resolve().parents[3]
# What the shell says; not what programs read, nor the help of commands, which is English.
SHELL = ("check", "context", "demo", "faults", "follow", "views")
COMMANDS = ("channels", "editing", "history", "queue", "threads")
OPERATING = ("database", "logs", "service", "status")
ROOMS = (
    *("bot/chat", "bot/people", "bot/requests", "bot/wording.py", "bot/noticed.py", "bot/settled.py"),
    *(f"bot/shell/{name}.py" for name in SHELL),
    *(f"bot/shell/commands/{name}.py" for name in COMMANDS),
    *(f"bot/shell/commands/operating/{name}.py" for name in OPERATING),
    "bot/shell/setup",
    *("bot/web/acts.py", "bot/web/rendering.py", "bot/web/sign_in.py", "bot/web/views.py"),
)
SPOKEN = [
    path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py") if (ROOT / room).is_dir() else [ROOT / room])
]
MARKS = {"_", "N_", "ngettext", "Sentence"}
# What nobody reads in a chat: words of Telegram, commands as they are typed; log lines, faults of ours.
UNHEARD = {
    "bot/chat/outbox.py": {"not modified", "chat not found", "a chat asks to wait"},
    "bot/chat/requests/reading.py": {"/help move"},
    "bot/chat/requests/settling.py": {"/settle 7 sent https://t.me/my_channel/113\n/settle 7 not-sent"},
    "bot/chat/telling/reactions.py": {"not found"},
    "bot/chat/updates.py": {"what answers is no Bot API server"},
    # for programs that watch over the service
    "bot/requests/figures/stuck.py": {
        "thread  was due at  UTC, and waits",
        "what was due at  UTC was not taken up",
    },
    "bot/requests/transfer/writing.py": {README},  # read beside files whose names are English
    "bot/shell/commands/operating/database.py": {"    → threadcast cancel  --channel "},
    "bot/shell/commands/queue.py": {
        "7 --channel news",
        *("Keep a queued thread back.", "It waits until `threadcast release`."),
        *("Let a held thread go.", "It is published in its turn."),
        *("Take a thread out of the queue for good.", "What is out stays out."),
    },
    "bot/shell/setup/authorisation.py": {
        "<!doctype html><meta charset=utf-8><title>Threadcast</title><p>{} {}"
    },
    "bot/shell/views.py": {"under way"},  # compared
    "bot/wording.py": {"add continue"},
}
UNSAID = {
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "compile",
    "ValueError",
    "RuntimeError",
    "get_logger",
    *("option", "argument", "group"),  # of Click
}
WORDS = re.compile(r"\b[a-z]{2,} [a-z]{2,}\b")


def unmarked(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Words that stand in no call that marks them, docstrings and what is said of commands aside."""
    for node in _said(tree):
        text = node.value if isinstance(node, ast.Constant) else _literal(node)
        if isinstance(text, str) and WORDS.search(text) and not text.startswith("threadcast "):  # is typed
            yield node.lineno, text


def _said(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in MARKS | UNSAID:
            return
        case ast.Expr(value=ast.Constant()) | ast.Assert():  # a docstring
            return
        case ast.Constant() | ast.JoinedStr():
            yield node
            return
    for child in ast.iter_child_nodes(node):
        yield from _said(child)


def _literal(node: ast.JoinedStr) -> str:
    return "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant))


@pytest.mark.parametrize("path", SPOKEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sentence_is_marked(path: Path) -> None:
    """Two words in a row in a text are a sentence: it goes through a catalogue, or is known to be none."""
    known = UNHEARD.get(str(path.relative_to(ROOT)), set())
    assert {text for _line, text in unmarked(ast.parse(path.read_text("utf-8")))} == known
