"""The real service as a process, between a Bot API server and a Mastodon server on loopback."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, Any, Protocol

from tests.e2e.fork import Fork
from tests.servers.mastodon.server import TOKEN as MASTODON_TOKEN
from tests.servers.mastodon.server import MastodonServer
from tests.servers.mastodon.statuses import Account
from tests.servers.telegram.chats import Chat
from tests.servers.telegram.server import TOKEN as TELEGRAM_TOKEN
from tests.servers.telegram.server import TelegramServer
from threadcast.bot.shell import cli

PATIENCE = 120.0  # seconds a test waits for an event before it fails: machines are busy
SIZES = (30, 3, 3, 3, 3, 3, 3)
RUN = (sys.executable, "-m", "threadcast.bot", "run")  # as a person starts the service
KEPT = ("PATH",)  # what a process needs of this one's environment: nothing of ours, and no home


def thread_text(index: int, size: int) -> str:
    """One thread of `size` numbered parts, every text different from every other."""
    lines = [f"1/ Lighthouse {index} is built on a reef nobody wanted. ⬇️"]
    lines += [f'{number}/ Course {number} of tower {index}:\n"set in the ebb"' for number in range(2, size)]
    lines.append(f"{size}/ And so lamp {index} was lit. /end")
    return "\n".join(lines) + "\n"


def seven_threads() -> str:
    """A file like an archivist's: seven threads directly below one another, 48 parts in all."""
    return "".join(thread_text(index, size) for index, size in enumerate(SIZES, start=1))


def chain(index: int, size: int) -> list[str]:
    """The posts that `thread_text` must become."""
    first, *middle, last = [f"{number}/" for number in range(1, size + 1)]
    return [
        f"{first} Lighthouse {index} is built on a reef nobody wanted. ⬇️",
        *(f'{label} Course {label[:-1]} of tower {index}:\n"set in the ebb"' for label in middle),
        f"{last} And so lamp {index} was lit. /end",
    ]


def seven_chains() -> list[list[str]]:
    """The posts that `seven_threads` must become, chain by chain."""
    return [chain(index, size) for index, size in enumerate(SIZES, start=1)]


class Child(Protocol):
    """What is asked of a process: a `Popen`, or what has its manners."""

    @property
    def pid(self) -> int: ...
    @property
    def stderr(self) -> IO[str] | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...
    def terminate(self) -> None: ...


@dataclass
class Process:
    """A running command and what it has said so far."""

    popen: Child
    lines: list[str] = field(default_factory=list)
    said: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            with self.said:
                self.lines.append(line)
                self.said.notify_all()
        with suppress(subprocess.TimeoutExpired):  # it closes its end a moment before it is dead
            self.popen.wait(PATIENCE)
        with self.said:
            self.said.notify_all()

    def wait_for(self, words: str) -> None:
        with self.said:
            found = self.said.wait_for(
                lambda: any(words in line for line in self.lines) or self.popen.poll() is not None, PATIENCE
            )
            assert found, f"never said {words!r}:\n{''.join(self.lines)}"
            assert any(words in line for line in self.lines), "".join(self.lines)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.popen.send_signal(number)
        return self.end()

    def put_an_end(self) -> None:
        """Kill what still runs, and let go of it."""
        if self.popen.poll() is None:
            self.popen.kill()
        self.end()

    def end(self) -> int:
        code = self.popen.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.popen.stderr is not None
        self.popen.stderr.close()
        return code


class House:
    """A working folder, two servers, and commands run in it as a user would."""

    def __init__(self, folder: Path, telegram: TelegramServer, mastodon: MastodonServer) -> None:
        self.folder = folder
        self.main = cli.main  # what a command is; faults put their own around it
        self.telegram = telegram
        self.mastodon = mastodon
        telegram.add_bot()
        self.chat: Chat = telegram.add_chat(username="my_channel")
        self.account: Account = mastodon.add_account()
        self.env: dict[str, str] = {
            "THREADCAST_TELEGRAM__TOKEN": TELEGRAM_TOKEN,
            "THREADCAST_TELEGRAM__API_URL": telegram.url,
            "THREADCAST_TELEGRAM__RATE": "1000",  # this server has none of Telegram's limits
            "THREADCAST_CHANNELS__NEWS__KIND": "telegram",
            "THREADCAST_CHANNELS__NEWS__CHAT": "@my_channel",
            "THREADCAST_CHANNELS__MASTO__KIND": "mastodon",
            "THREADCAST_CHANNELS__MASTO__URL": mastodon.url,
            "THREADCAST_CHANNELS__MASTO__TOKEN": MASTODON_TOKEN,
            "THREADCAST_WEB__LISTEN": "off",  # one port, and many services at once
        }

    def environment(self) -> Mapping[str, str]:
        return (
            {name: os.environ[name] for name in KEPT if name in os.environ} | {"LANG": "C.UTF-8"} | self.env
        )

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        with NamedTemporaryFile("r", encoding="utf-8") as output:
            fork = Fork(self.main, words, folder=self.folder, env=self.environment(), output=output.name)
            process = Process(fork)
            try:
                code = process.end()
            finally:
                fork.kill()
            return subprocess.CompletedProcess(words, code, output.read(), "".join(process.lines))

    @property
    def data(self) -> Path:
        return self.folder / "threadcast-data"

    def json(self, *words: str) -> Any:
        done = self.command(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def write(self, text: str) -> str:
        (self.folder / "threads.txt").write_text(text, encoding="utf-8")
        return "threads.txt"

    @contextmanager
    def running(self, *words: str) -> Iterator[Process]:
        """The service, from its start until the end of the block at the latest.

        With the words of a command line: that, as a person starts it.
        """
        env = self.environment()
        process = Process(
            subprocess.Popen(
                words, cwd=self.folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            if words
            else Fork(self.main, ["run"], folder=self.folder, env=env)
        )
        try:
            yield process
        finally:
            process.put_an_end()

    def wait_for_posts(self, count: int) -> None:
        """Wait until each server holds at least so many posts."""
        self.telegram.wait_for(lambda _: len(self.chat.messages) >= count, PATIENCE)
        self.mastodon.wait_for(lambda server: len(server.statuses(self.account)) >= count, PATIENCE)

    def on_telegram(self) -> list[tuple[str, str | None, str]]:
        """What a reader sees: (id, id it replies to, text), oldest first."""
        return [
            (str(message.id), None if message.reply_to is None else str(message.reply_to), message.text)
            for message in self.telegram.seen(self.chat)
        ]

    def on_mastodon(self) -> list[tuple[str, str | None, str]]:
        return [(status.id, status.parent, status.text) for status in self.mastodon.statuses(self.account)]


def chains_of(posts: list[tuple[str, str | None, str]]) -> list[list[str]]:
    """The texts, chain by chain; a reply to any but the newest of a chain starts another."""
    chains: list[list[str]] = []
    newest: dict[str, list[str]] = {}
    for remote_id, parent, text in posts:
        chain = newest.pop(parent, None) if parent is not None else None
        if chain is None:
            chain = []
            chains.append(chain)
        chain.append(text)
        newest[remote_id] = chain
    return chains
