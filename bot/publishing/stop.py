"""A service that stops: what is in hand is finished, unless that takes too long."""

import asyncio


class Stop:
    """A request to stop. `asked`: begin nothing new. `now`: do not wait for the answer in hand either."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.now = asyncio.Event()
