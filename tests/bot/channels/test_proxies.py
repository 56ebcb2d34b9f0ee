"""Both networks are reached by the proxy that the environment names, and say so where they are not."""

import gc
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.mastodon.server import MastodonServer
from tests.servers.proxy import PASSWORD, USER, Proxy
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.channels.mastodon.client import Client
from threadcast.bot.channels.mastodon.errors import CallError, Fault
from threadcast.bot.channels.telegram.channel import TelegramChannel
from threadcast.bot.channels.telegram.client import make_bot
from threadcast.config import proxies as configured
from threadcast.config.channels import TelegramChannelSettings
from threadcast.config.proxies import Proxies, proxies_of
from threadcast.queue.outcomes import Unreached

NOW = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
NEWS = TelegramChannelSettings.model_validate(
    {"kind": "telegram", "name": "news", "chat": "@my_channel", "token": TELEGRAM_TOKEN}
)
AWAY = "http://social.example"  # https would want a certificate; the proxy leads there all the same
WORD = quote(PASSWORD, safe="")


class PlainToo(Proxies):
    """Takes plain http by a proxy, as https: the servers of these tests have no certificate."""

    def way_to(self, address: str) -> configured.Proxy | None:
        return Proxies.way_to(self, address.replace("http:", "https:"))


@pytest.fixture
def mastodon() -> Iterator[MastodonServer]:
    with MastodonServer() as server:
        server.add_account()
        yield server


@pytest.fixture
def telegram() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        server.add_bot()
        server.add_chat(username="my_channel")
        yield server


def named(proxy: str) -> Proxies:
    found = proxies_of({"ALL_PROXY": proxy})
    assert isinstance(found, Proxies)
    return PlainToo(found.proxy, found.without)


FORMS: list[Callable[[Proxy], str]] = [
    lambda proxy: f"http://{USER}:{WORD}@{proxy.place}",
    lambda proxy: f"socks5://{USER}:{WORD}@{proxy.place}",
    lambda proxy: f"socks://{USER}:{WORD}@{proxy.place}",
]


@pytest.mark.parametrize("form", FORMS, ids=["http", "socks5", "socks"])
class TestByAProxy:
    def test_mastodon(self, mastodon: MastodonServer, form: Callable[[Proxy], str]) -> None:
        """Mastodon's calls go by the proxy, which looks the name up and gets the password."""
        with Proxy(mastodon.url, locked=True) as proxy:
            client = Client(AWAY, MASTODON_TOKEN, clock=lambda: NOW, timeout=10, proxies=named(form(proxy)))
            assert not isinstance(client.instance()[0], Fault)
            assert client.me()
            assert proxy.asked
            assert all("social.example" in each for each in proxy.asked)

    async def test_telegram(self, telegram: TelegramServer, form: Callable[[Proxy], str]) -> None:
        """Telegram's calls go by the proxy, which looks the name up and gets the password."""
        with Proxy(telegram.url, locked=True) as proxy:
            bot = make_bot(TELEGRAM_TOKEN, api_url="http://bots.example", proxies=named(form(proxy)))
            channel = TelegramChannel(NEWS, bot=bot, clock=lambda: NOW)
            assert await channel.preflight() is None
            await channel.close()
            assert proxy.asked
            assert all("bots.example" in each for each in proxy.asked)


REFUSED = "the proxy does not let us through"


@pytest.mark.parametrize(
    ("proxy_of", "says"),
    [
        (lambda proxy: f"http://{USER}:wrong-word@{proxy.place}", REFUSED),
        (lambda proxy: f"socks5://{USER}:wrong-word@{proxy.place}", ""),
        (lambda _: "http://me:wrong-word@127.0.0.1:9", "nothing answers there"),
        (lambda _: "socks5://me:wrong-word@127.0.0.1:9", "nothing answers there"),
    ],
    ids=["http refuses", "socks refuses", "no http", "no socks"],
)
# httpcore lets go of a connection whose SOCKS proxy refused it, without closing it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
class TestUnreached:
    async def test_both(self, proxy_of: Callable[[Proxy], str], says: str) -> None:
        """What the proxy does not lead to is not reached; the proxy is named, without its password."""
        with Proxy("http://127.0.0.1:9", locked=True) as proxy:
            proxies = named(proxy_of(proxy))
            shown = proxies.way_to("https://social.example")
            assert shown is not None
            client = Client(
                "https://social.example", MASTODON_TOKEN, clock=lambda: NOW, timeout=10, proxies=proxies
            )
            with pytest.raises(CallError) as caught:
                client.me()
            bot = make_bot(TELEGRAM_TOKEN, proxies=proxies)
            channel = TelegramChannel(NEWS, bot=bot, clock=lambda: NOW)
            fault = await channel.preflight()
            await channel.close()
            del bot, channel
            gc.collect()
        assert caught.value.fault.fate == "unreached"
        assert isinstance(fault, Unreached)
        for reason in (caught.value.fault.reason, fault.reason):
            assert f"cannot be reached by the proxy {shown.shown}: {says}" in reason
            assert "wrong-word" not in reason
