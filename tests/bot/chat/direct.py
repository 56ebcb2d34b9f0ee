"""Calls that reach the Bot API server without a socket: for conversations that are played by the hundred."""

import asyncio
from urllib.parse import parse_qs

import httpx

from tests.servers.http import Cut, Held, Request
from tests.servers.http import Response as Answered
from tests.servers.telegram.server import TelegramServer


class Direct(httpx.AsyncBaseTransport):
    """A way to a server of this process. What it breaks off is broken off here as a connection would be."""

    def __init__(self, server: TelegramServer) -> None:
        self._server = server

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make one call."""
        answer = self._server.answer(
            Request(
                method=request.method,
                path=request.url.path,
                query=parse_qs(request.url.query.decode(), keep_blank_values=True),
                headers=dict(request.headers),
                body=await request.aread(),
            )
        )
        if isinstance(answer, Held):
            await _until(answer)
            with self._server.changed:
                answer = answer.then() if callable(answer.then) else answer.then
        if isinstance(answer, Cut):
            raise httpx.ReadError("cut", request=request)
        assert isinstance(answer, Answered)
        _head, _blank, body = answer.encode(connection="").partition(b"\r\n\r\n")
        return httpx.Response(answer.status, headers=dict(answer.headers), content=body)


async def _until(held: Held) -> None:
    """Wait for the event as long as it lets us; a call that is given up leaves nobody waiting."""
    waiting = asyncio.get_running_loop().run_in_executor(None, held.until.wait, held.timeout)
    try:
        await asyncio.shield(waiting)
    except asyncio.CancelledError:
        held.until.set()
        raise
