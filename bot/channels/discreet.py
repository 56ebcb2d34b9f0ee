"""A channel that repeats no secret, whatever a server answers.

Servers quote what they were sent: in an error's words, in a page, in an address. What they say is stored,
logged and shown, so it is looked through once, here, for every kind of channel.
"""

from collections.abc import Collection, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from threadcast.bot.channels.port import (
    Channel,
    Difference,
    Expected,
    Finding,
    NotReadyError,
    Outgoing,
    Sought,
)
from threadcast.config.logs import redact
from threadcast.queue.compose.compose import Rules
from threadcast.queue.states import (
    Blind,
    Look,
    Outcome,
    Refused,
    Sent,
    Settling,
    TakeDown,
    Throttled,
    Unknown,
    Unreached,
)

T = TypeVar("T")

ODD_ID = "the server's answer names a post by a secret"


class Discreet:
    """Another channel, with `secrets` taken out of all that it says."""

    def __init__(self, channel: Channel, secrets: Collection[str]) -> None:
        self._channel = channel
        self._secrets = frozenset(secrets)

    def __repr__(self) -> str:
        return self._clean(repr(self._channel))

    @property
    def name(self) -> str:
        return self._channel.name

    @property
    def kind(self) -> str:
        return self._channel.kind

    @property
    def target(self) -> str:
        return self._channel.target

    @property
    def settling(self) -> Settling:
        return self._channel.settling

    async def rules(self) -> Rules:
        try:
            return await self._channel.rules()
        except NotReadyError as error:
            outcome = self._clean(error.outcome)
        raise NotReadyError(outcome)

    async def send(self, outgoing: Outgoing) -> Outcome:
        outcome = await self._channel.send(outgoing)
        return (self._sent(outcome) or Unknown(ODD_ID)) if isinstance(outcome, Sent) else self._clean(outcome)

    async def look_up(self, sought: Sought) -> Look:
        found = await self._channel.look_up(sought)
        return (self._sent(found) or Blind(ODD_ID)) if isinstance(found, Sent) else self._clean(found)

    async def take_down(self, remote_id: str) -> TakeDown:
        return self._clean(await self._channel.take_down(remote_id))

    async def audit(
        self, chain: Sequence[Expected]
    ) -> tuple[Difference, ...] | Throttled | Unreached | Blind:
        return self._clean(await self._channel.audit(chain))

    async def preflight(self) -> Throttled | Unreached | Refused | None:
        return self._clean(await self._channel.preflight())

    async def check(self) -> tuple[Finding, ...]:
        return self._clean(await self._channel.check())

    async def close(self) -> None:
        await self._channel.close()

    def _sent(self, sent: Sent) -> Sent | None:
        """The same with an address that may be shown; None where the id itself may not."""
        told = f"{sent.remote_id}\n{sent.url}"
        if self._clean(told) == told:  # as ever: one look is enough
            return sent
        if self._clean(sent.remote_id) != sent.remote_id:
            return None
        return sent if self._clean(sent.url) == sent.url else Sent(sent.remote_id, None)

    def _clean(self, value: T) -> T:
        cleaned: Any = value
        if type(value) is str:
            cleaned = redact(str(value), self._secrets)
        elif isinstance(value, tuple):
            cleaned = tuple(map(self._clean, value))
        elif is_dataclass(value) and not isinstance(value, type):
            said = {each.name: getattr(value, each.name) for each in fields(value)}
            texts = {name: self._clean(text) for name, text in said.items() if type(text) is str}
            cleaned = replace(value, **texts)
        result: T = cleaned
        return result
