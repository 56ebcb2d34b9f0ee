"""The receiver of hooks: one signed POST, its answer, and why it did not take what it was told."""

import asyncio
import hmac
from datetime import datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Final
from urllib.parse import urlsplit

import httpx

from threadcast.bot.hooks.feed import Hook
from threadcast.config.proxies import Proxies

CONNECT_WITHIN: Final = 5.0  # seconds
ANSWER_WITHIN: Final = 15.0  # seconds, for all of it


def signature(secret: str, moment: datetime, body: bytes) -> str:
    """Return the header by which a receiver knows that it is us who tells, and when.

    `v1` is HMAC-SHA256 of the seconds since 1970, a full stop and the body.
    """
    seconds = int(moment.timestamp())
    digest = hmac.new(secret.encode(), f"{seconds}.".encode() + body, "sha256").hexdigest()
    return f"t={seconds},v1={digest}"


class Receiver:
    """Takes hooks at one address. Its secret and the address's path are never shown, by us or in an error."""

    def __init__(self, url: str, secret: str, proxies: Proxies) -> None:
        self.host = urlsplit(url).netloc
        self._url = url
        self._secret = secret
        proxy = proxies.way_to(url)
        self._client = httpx.AsyncClient(
            proxy=None if proxy is None else proxy.address,
            trust_env=False,
            follow_redirects=False,  # whoever leads elsewhere is not who was configured
            verify=httpx.create_ssl_context(),
            timeout=httpx.Timeout(ANSWER_WITHIN, connect=CONNECT_WITHIN),
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def tell(self, hook: Hook, moment: datetime) -> str:
        """Tell it, once; return why it did not arrive, empty where it did."""
        body = hook.model_dump_json().encode()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"threadcast/{version('threadcast')}",
            "Threadcast-Event": hook.event,
            "Threadcast-Event-Id": str(hook.id),
            "Threadcast-Signature": signature(self._secret, moment, body),
        }
        try:
            async with (
                asyncio.timeout(ANSWER_WITHIN),
                self._client.stream("POST", self._url, content=body, headers=headers) as answer,
            ):  # what it says beside its status is nobody's business
                status = answer.status_code
        except TimeoutError:
            return "no answer in time"
        except httpx.HTTPError as error:
            return type(error).__name__
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            return ""
        return f"answered with {status}"

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
