"""Each fault has a sentence, and whoever raises it gives what the sentence needs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from threadcast.bot.wording import CHAT, SHELL, sentence
from threadcast.queue.errors import Fault, NotAllowedError, NotFoundError
from threadcast.queue.states import DeliveryState, Event, follow

ROOT = Path(__file__).parents[2]
WHICH = {"thread_id", "channel", "state", "posts", "sent"}  # what `rows.which` gives of a delivery


def raised() -> Iterator[tuple[str, str, set[str]]]:
    """Where in the code a fault is raised, which, and with what."""
    for path in (*ROOT.glob("queue/**/*.py"), *ROOT.glob("bot/**/*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Attribute):
                continue
            if ast.unparse(call.args[0].value) == "Fault":
                given = {keyword.arg for keyword in call.keywords if keyword.arg}
                given |= WHICH if any(keyword.arg is None for keyword in call.keywords) else set()
                given |= {"event"} if "which(delivery) |" in ast.unparse(call) else set()
                yield f"{path.name}:{call.lineno}", call.args[0].attr, given


def test_who_raises_a_fault_gives_what_it_needs() -> None:
    """No sentence is left with a gap."""
    found = list(raised())
    assert len(found) > 50
    for place, name, given in found:
        needed = set(re.findall(r"{(\w+)", Fault[name].value)) - {"run"}
        assert needed <= given, (place, name, needed - given)


def test_each_face_writes_its_own_commands() -> None:
    """A command in a sentence is written as the reader types it; what was asked for has a person's word."""
    missing = NotFoundError(Fault.NO_THREAD, thread_id=7)
    assert sentence(missing, SHELL) == str(missing) == "there is no thread 7; see: threadcast queue"
    assert sentence(missing, CHAT) == "there is no thread 7; see: /queue"
    with pytest.raises(NotAllowedError) as refused:
        follow(DeliveryState.CANCELLED, Event.SCHEDULE)
    assert str(refused.value) == "publish now is not possible while cancelled; possible now: hold, undo"
    assert refused.value.about["possible"] == (Event.HOLD, Event.WITHDRAW)
