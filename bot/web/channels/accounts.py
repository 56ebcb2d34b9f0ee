"""Whether each bot and account is still let in, looked at now and then: also while nothing goes out there."""

import asyncio
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime, timedelta
from typing import Final

from threadcast.bot.channels.port import Channel
from threadcast.bot.readers.lookup import has_room
from threadcast.bot.web.site import Site
from threadcast.config.logs import get_logger
from threadcast.queue.errors import StoreError
from threadcast.queue.outcomes import Code, Refused
from threadcast.queue.states import DeliveryState

log = get_logger("threadcast.page")

EVERY: Final = timedelta(minutes=10)  # a round, in which those that were refused are looked at again
RARELY: Final = timedelta(hours=1)  # the others
LOOKER: Final = "health"  # an actor that changes nothing
Accounts = Callable[[], Mapping[str, Hashable]]  # which account each channel uses, whenever it is asked


class AccountLook:
    """One look for all channels that one token opens; `accounts` says which token that is, by their names."""

    def __init__(self, site: Site, accounts: Accounts) -> None:
        self._site = site
        self._accounts = accounts
        self._looked: dict[Hashable, datetime] = {}

    async def run(self) -> None:
        """Look at those that are due, one after the other. What goes out shows by itself how it is let in."""
        try:
            going = await asyncio.to_thread(self._going_out)
        except StoreError as error:
            log.warning("no account was looked at", reason=str(error))
            return
        account_of = self._accounts()
        shared: dict[Hashable, list[Channel]] = {}
        for channel in self._site.channels:
            if channel.name in account_of:
                shared.setdefault(account_of[channel.name], []).append(channel)
        self._looked = {account: at for account, at in self._looked.items() if account in shared}
        for account, channels in shared.items():
            if going.isdisjoint(one.name for one in channels) and self._is_due(account, channels):
                self._looked[account] = self._site.clock()
                await self._look(channels)

    def _going_out(self) -> set[str]:
        queries = self._site.requests_of(LOOKER).queries
        return {one.channel for one in queries.deliveries(frozenset({DeliveryState.PUBLISHING}))}

    def _is_due(self, account: Hashable, channels: list[Channel]) -> bool:
        now, last = self._site.clock(), self._looked.get(account)
        refused = any(self._site.checks.is_refused(one.name) for one in channels)
        due = last is None or refused or now - last >= RARELY or now < last
        return due and has_room(channels[0], now)

    async def _look(self, channels: list[Channel]) -> None:
        """By the first of its channels. Where the network is away, nothing is known, and nothing is wrong."""
        obstacle = await channels[0].preflight()
        checks = self._site.checks
        if isinstance(obstacle, Refused):
            for one in channels if obstacle.code is Code.TOKEN else channels[:1]:
                checks.refuse(one.name, obstacle.reason)
            log.warning("an account is refused", channel=channels[0].name, reason=obstacle.reason)
        elif obstacle is None:
            for one in channels:
                checks.admit(one.name)
