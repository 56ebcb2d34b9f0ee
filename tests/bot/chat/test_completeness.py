"""The transcripts leave nothing out: every command is typed, every button is pressed, by those who may."""

import ast
import re
from pathlib import Path

import pytest

from tests.bot.chat.script import Step, read
from threadcast.bot.chat.access import Role
from threadcast.bot.chat.requests import REGISTRY
from threadcast.bot.chat.requests.timing import QUICK_TIMES
from threadcast.queue.text.settings import CHOICES, NAMES

COMMANDS = {name: one for name, one in REGISTRY.items() if one.typed}
FOLDER = Path(__file__).parent / "transcripts"
TRANSCRIPTS = [read(path) for path in sorted(FOLDER.glob("*.txt"))]
STEPS: list[Step] = [step for transcript in TRANSCRIPTS for step in transcript.steps]
SHOWN = re.compile(r"\[([^\[\]]+)\]")
TYPED = re.compile(r"(?P<who>\w+)(?: in the group)?: /(?P<name>\w+)")
PRESSED = re.compile(r"(?P<who>\w+)(?: in the group)? presses \[(?P<label>.+)\](?: below .+)?")
# What stands on a button beside a number, a title or a channel's name.
OF_SOMETHING = (
    (re.compile(r"#\d+ .+"), "#N title"),
    (re.compile(r"#\d+"), "#N"),
    (re.compile(r"\d+\. .+"), "N. file"),
    (re.compile(r"(Pause|Resume|Stop|Remove|Forget) \w+"), r"\1 channel"),
    (re.compile(r"\w+: (It is(?: not)? there)"), r"channel: \1"),
    (re.compile(r"/\w+(?: .+)?"), "/command"),
    (re.compile(r"░?(\(\d+\)|\d+)[°⁰-⁹¹²³⁺]*"), "day"),
    (re.compile(r"([☆🌙] )?\d+:\d\d"), "hour"),
    (re.compile(rf"(?:{'|'.join(NAMES)})(?:: .+)?"), "setting"),
    (re.compile(rf"✓? ?(?:{'|'.join({one for each in CHOICES.values() for one in each})})"), "value"),
    (re.compile(r"·|Mo|Tu|We|Th|Fr|Sa|Su|[A-Z][a-z]+ \d{4}"), "nothing"),
)


def _kind(label: str) -> str:
    for pattern, name in OF_SOMETHING:
        match = pattern.fullmatch(label)
        if match is not None:
            return match.expand(name)
    return label


def _pressed(who: str) -> set[str]:
    found = (PRESSED.fullmatch(step.line) for step in STEPS)
    return {_kind(match["label"]) for match in found if match is not None and match["who"] == who}


def _shown() -> set[str]:
    """Every label that stands in a row of buttons of what the bot says."""
    said = [line for step in STEPS if step.line.startswith("Bot") for line in step.block.split("\n")]
    rows = [line for line in said if re.fullmatch(r"\[[^\]]+\](?: \[[^\]]+\])*", line.strip())]
    return {_kind(label) for row in rows for label in SHOWN.findall(row)}


def _typed(who: str) -> set[str]:
    found = (TYPED.match(step.line) for step in STEPS)
    return {match["name"] for match in found if match is not None and match["who"] == who}


def test_an_owner_types_every_command() -> None:
    """Each command of the table is typed by an owner in some transcript."""
    assert set(COMMANDS) - _typed("Ada") == set()


def test_an_editor_is_refused_every_command_of_owners() -> None:
    """Each command that is for owners is typed by an editor, too."""
    owners = {command.name for command in COMMANDS.values() if command.who is Role.OWNER}
    assert owners - _typed("Eddie") == set()


def test_every_button_is_pressed() -> None:
    """Each button that stands anywhere in what the bot says is pressed in some transcript."""
    assert _shown() - _pressed("Ada") - _pressed("Eddie") == set()


def test_every_button_of_the_code_is_shown() -> None:
    """Each label that the code gives a button is one that some transcript shows."""
    sources = Path(__file__).parents[3] / "bot" / "chat"
    labels = {label for path in sources.rglob("*.py") for label in _labels(path)}
    labels |= {label for label, _ in QUICK_TIMES}
    assert len(labels) > 20  # they are found at all
    assert labels - _shown() == set()


def _called(function: ast.expr) -> str:
    """The name of what is called, of a module or of a value."""
    return getattr(function, "id", getattr(function, "attr", ""))


def _labels(path: Path) -> set[str]:
    """The labels that a module gives to buttons, without those that have a place for a name."""
    calls = [
        node.args[0]
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and _called(node.func) in {"button", "offer"} and node.args
    ]
    found = {
        each.value
        for call in calls
        for each in ast.walk(call)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }
    return {label for label in found if "{" not in label and (label[:1].isupper() or label[:1] == "◀")}


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda one: one.proves[:40])
def test_each_says_what_it_proves(transcript: object) -> None:
    """A transcript begins with one sentence."""
    proves = getattr(transcript, "proves", "")
    assert proves.endswith(".")
    assert proves[0].isupper()
