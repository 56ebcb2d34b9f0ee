"""A card is read from the queue once: when it is said."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from threadcast.bot.chat.access import Role, Sender
from threadcast.bot.chat.commands import Answer, Card, Context, Request
from threadcast.bot.chat.requests import changing

ADA = Sender(1111, 1111, Role.OWNER)


@pytest.mark.parametrize("name", ["card", "more"])
def test_a_press_reads_nothing(name: str) -> None:
    """What leads to a card reads no thread: who says the card does, and says it too where there is none."""

    def reads(*_: Any) -> None:
        raise AssertionError("the queue was read")

    context = cast("Context", SimpleNamespace(requests=reads, viewer=reads, dossier=reads))
    reply = {"card": changing.card, "more": changing.more}[name]
    assert reply(context, Request(ADA, name, (7,))) == Answer(Card(7, more=name == "more"))
