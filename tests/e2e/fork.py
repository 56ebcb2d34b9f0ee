"""A `threadcast` command in a fork of a process that has imported everything once.

What runs in it is the same, from its settings to its end: it begins in a tenth of the time of a new Python.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as until_dead
from pathlib import Path
from signal import Signals
from typing import IO

IMPORTED = (
    *(
        "threadcast.bot.service",
        "threadcast.bot.chat.chat",
        "threadcast.bot.fleet.fleet",
        "threadcast.queue.store.migrate",
        "logging.config",
    ),
    *(f"threadcast.bot.channels.{network}.channel" for network in ("local", "mastodon", "telegram")),
    *(
        f"threadcast.bot.shell.commands.{name}"
        for name in ("channels", "history", "operating.database", "queue")
    ),
    *(
        "threadcast.bot.shell.commands.operating.service",
        "threadcast.bot.shell.commands.adding",
        "threadcast.bot.shell.commands.threads",
        "tests.faults.stand",
    ),
    # What the service imports when it first needs it.
    *("anyio._backends._asyncio", "apscheduler.executors.asyncio", "apscheduler.triggers.interval"),
    *("alembic.command", "greenlet", "httpcore", "socksio", "structlog.dev", "tests.e2e.made_once"),
)

_forks = get_context("forkserver")
_forks.set_forkserver_preload(list(IMPORTED))
# A fork's state may be read by one thread at a time only, and starting one looks at all the others.
_guard = threading.Lock()


class Fork:
    """A command in a fork, with the manners of a `Popen` whose standard error is read.

    Its standard output goes to a file, or (None) to where its standard error goes.
    """

    def __init__(
        self,
        main: Callable[[], None],
        words: Sequence[str],
        *,
        folder: Path,
        env: Mapping[str, str],
        output: str | None = None,
    ) -> None:
        reading, writing = _forks.Pipe(duplex=False)
        self._process = _forks.Process(
            target=_run, args=(main, tuple(words), str(folder), dict(env), writing, output), daemon=True
        )
        with _guard:
            self._process.start()
        writing.close()
        self.stderr: IO[str] = os.fdopen(os.dup(reading.fileno()), encoding="utf-8", errors="replace")
        reading.close()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        with _guard:
            return self._process.exitcode

    def wait(self, timeout: float) -> int:
        """Its exit code. Raises TimeoutExpired."""
        until_dead([self._process.sentinel], timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("threadcast", timeout)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(Signals.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(Signals.SIGTERM)


def _run(
    main: Callable[[], None],
    words: Sequence[str],
    folder: str,
    env: Mapping[str, str],
    stderr: Connection,
    output: str | None,
) -> None:
    """What a fork does: become the command in its own folder and environment."""
    for standard in (1, 2):
        os.dup2(stderr.fileno(), standard)
    stderr.close()
    if output is not None:
        with Path(output).open("wb") as file:
            os.dup2(file.fileno(), 1)
    # Those that the fork server left believe that they can be sought in, which a pipe cannot.
    sys.stdout, sys.stderr = (os.fdopen(one, "w", 1, encoding="utf-8", closefd=False) for one in (1, 2))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["threadcast", *words]
    main()
