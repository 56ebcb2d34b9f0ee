"""The shell, as a person or a script types it: in a working folder of its own."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from threadcast.bot import wake
from threadcast.bot.channels.build import open_channels, seen
from threadcast.bot.channels.port import now
from threadcast.bot.data_folder import prepare
from threadcast.bot.publishing.lease import Stop
from threadcast.bot.publishing.publisher import Publisher
from threadcast.bot.shell.cli import cli
from threadcast.config.settings import load

THREAD = "1/ The lamp was lit at dusk. ⬇️\n2/ The keeper slept by day.\n3/ The sea did not. /end\n"
OTHER = "1/ Fog came in.\n2/ The horn answered. /end\n"
GAP = "1/ The lamp.\n3/ The sea. /end\n"


class Shell:
    """A working folder with two local channels, and the commands typed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            "THREADCAST_CHANNELS__NEWS__KIND": "local",
            "THREADCAST_CHANNELS__NEWS__LIKE": "telegram",
            "THREADCAST_CHANNELS__MASTO__KIND": "local",
            "THREADCAST_CHANNELS__MASTO__LIKE": "mastodon",
            "THREADCAST_WEB__LISTEN": "off",  # one port, and many services at once
        }

    def __call__(self, *words: str, stdin: str | bytes | None = None) -> Result:
        ours = ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DATABASE_URL", "LC_ALL", "LC_MESSAGES", "LANG")
        env = {name: None for name in os.environ if "THREADCAST" in name or name in ours}
        return CliRunner(env={**env, **self.env}).invoke(cli, list(words), input=stdin)

    def ok(self, *words: str, stdin: str | bytes | None = None) -> str:
        result = self(*words, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *words: str, stdin: str | bytes | None = None) -> Any:
        return json.loads(self.ok(*words, "--json", stdin=stdin))

    @contextmanager
    def service(self) -> Iterator[None]:
        """While this is open, commands find a service running, which does nothing."""
        pipe = self.folder / "threadcast-data" / wake.NAME
        os.mkfifo(pipe)
        reading = os.open(pipe, os.O_RDWR)
        try:
            yield
        finally:
            os.close(reading)
            pipe.unlink()

    def publish_all(self) -> None:
        """What the service would publish now, published."""
        asyncio.run(self._publish_all())

    async def _publish_all(self) -> None:
        settings = load(self.env, folder=self.folder)
        with closing(prepare(settings)) as database:
            async with open_channels(settings) as channels:
                database.changes.see_channels(seen(settings, channels), now=now())
                for channel in channels:
                    publisher = Publisher(database, channel, worker="typed", clock=now, stop=Stop())
                    while await publisher.publish() is not None:
                        pass

    def write(self, text: str | bytes, name: str = "thread.txt") -> str:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return name
