"""The environment's proxy is the one for both networks, read once."""

import tomllib
from pathlib import Path

import pytest

from threadcast.config.logs import redact
from threadcast.config.proxies import Proxies, proxies_of
from threadcast.config.settings import SettingsError, load

CASES = tomllib.loads(Path(__file__).with_name("proxies_cases.toml").read_text(encoding="utf-8"))
MASTO = {
    "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
    "THREADCAST_CHANNELS__MASTO__URL": "https://social.example",
    "THREADCAST_CHANNELS__MASTO__TOKEN": "masto-token",
}


@pytest.mark.parametrize(("environment", "address", "proxy", "shown"), CASES["ways"])
def test_the_way(environment: list[str], address: str, proxy: str, shown: str) -> None:
    """Lower case comes first, HTTPS_PROXY before ALL_PROXY, and NO_PROXY names what is reached without."""
    proxies = proxies_of(dict(each.split("=", 1) for each in environment))
    assert isinstance(proxies, Proxies)
    way = proxies.way_to(address)
    assert (way.address, way.shown) == (proxy, shown) if way else proxy == ""


@pytest.mark.parametrize("line", CASES["wrong"])
def test_what_is_none(tmp_path: Path, line: str) -> None:
    """A proxy that cannot be read is told by its variable, with what to write, and nothing of it is shown."""
    name, _, value = line.partition("=")
    with pytest.raises(SettingsError) as caught:
        load({**MASTO, name: value}, folder=tmp_path)
    (problem,) = caught.value.problems
    assert problem.variable == name
    assert "http://HOST:PORT or socks5://HOST:PORT" in problem.text
    assert "secret-word" not in str(caught.value)
    assert load({name: value}, folder=tmp_path).channels[0].kind == "local"  # nobody asks for it


def test_its_password_is_a_secret(tmp_path: Path) -> None:
    """The password of a proxy is hidden wherever it would be shown, as it is written and as it is."""
    proxy = "http://me:hidden%40word@proxy.example:3128"
    settings = load({**MASTO, "HTTPS_PROXY": proxy}, folder=tmp_path)
    assert "hidden" not in repr(settings)
    assert redact("hidden%40word, hidden@word") == "***, ***"
