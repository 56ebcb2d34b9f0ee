"""The page over a real queue with two local channels, opened by a client that keeps cookies."""

import asyncio
import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from httpx2 import Response
from starlette.testclient import TestClient

from threadcast.bot.channels.build import build_channels, seen
from threadcast.bot.channels.port import Channel, now
from threadcast.bot.data_folder import prepare
from threadcast.bot.people.pairing import sign_in_link
from threadcast.bot.people.people import Role
from threadcast.bot.people.tokens import Scope, make
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.requests.requests import Requests, build_requests
from threadcast.bot.web.app import make_app
from threadcast.bot.web.site import Site, build_site
from threadcast.config.settings import load
from threadcast.queue.model import Delivery
from threadcast.queue.store.database import Database

GIVEN = {
    "THREADCAST_CHANNELS__NEWS__KIND": "local",
    "THREADCAST_CHANNELS__SLOW__KIND": "local",
    "THREADCAST_TELEGRAM__TOKEN": "1:AAAA",
    "THREADCAST_TELEGRAM__ADMINS": "11",
    "THREADCAST_TELEGRAM__EDITORS": "22",
}
HERE = "http://127.0.0.1:8480"


@dataclass
class Opened:
    """`ahead` may be moved: the clock that the page goes by. `broken` are lanes, as the scheduler tells."""

    folder: Path
    database: Database
    moment: list[datetime]
    broken: dict[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = load({**GIVEN, **self.given}, folder=self.folder)
        channels = build_channels(self.settings)
        self.database.changes.see_channels(seen(self.settings, channels), now=now())
        self.requests_of = partial(self._requests, channels)
        self.site: Site = build_site(
            self.settings,
            channels,
            self.database.notes,
            requests_of=self.requests_of,
            broken=lambda: self.broken,
            clock=lambda: self.moment[0],
        )
        self.app = make_app(self.site)

    def _requests(self, channels: Sequence[Channel], actor: str) -> Requests:
        return build_requests(
            self.settings, self.database, channels, actor=actor, clock=lambda: self.moment[0]
        )

    def publish(self, name: str = "news") -> Delivery:
        """Publish the next thread of a channel to its end, as the service does."""
        (channel,) = (one for one in self.site.channels if one.name == name)
        publisher = Publisher(
            self.database, channel, worker="here", clock=lambda: self.moment[0], stop=Stop()
        )
        done = asyncio.run(publisher.publish())
        assert isinstance(done, Delivery)
        return done

    def browser(self, base: str = HERE, peer: str = "127.0.0.1") -> TestClient:
        return TestClient(
            self.app,
            base_url=base,
            follow_redirects=False,
            raise_server_exceptions=False,
            client=(peer, 50000),
        )

    def program(self, scope: Scope = Scope.ALL, name: str = "ci") -> TestClient:
        secret = make(self.database.notes, name, scope, by="shell:ada", now=self.moment[0])
        client = self.browser(f"{HERE}/api/v1")
        client.headers["Authorization"] = f"Bearer {secret}"
        return client

    def link(self, actor: str = "shell:ada", role: Role = Role.OWNER) -> str:
        link = sign_in_link(self.database.notes, HERE, role, actor=actor, now=self.moment[0])
        return link.partition("code=")[2]

    def signed_in(self, actor: str = "shell:ada") -> TestClient:
        browser = self.browser()
        assert browser.post("/sign-in", data={"code": self.link(actor)}).status_code == 303
        return browser


def csrf(browser: TestClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', browser.get("/").text)
    assert found is not None
    return found[1]


def press(browser: TestClient, path: str, **more: str) -> Response:
    return browser.post(path, data={"csrf": csrf(browser), **more})


@contextmanager
def opened(folder: Path, **given: str) -> Iterator[Opened]:
    with closing(prepare(load(GIVEN, folder=folder))) as database:
        yield Opened(folder, database, [now()], given=given)


def packed(**files: bytes | str) -> bytes:
    """Return an archive; `_` in a name stands for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return out.getvalue()
